"""The whole path, new to published, through the pages: with an account, with a receipt, and without a machine."""

from __future__ import annotations

import re

import pytest

from manyeyes.cases.models import Case
from manyeyes.demo.browser import Page
from manyeyes.replays import queue
from manyeyes.replays.models import Replay
from tests import people
from tests.journeys.site import Stage, Visitor, ok, report
from tests.journeys.wicket import Wicket

CLEAN = {
    "title": "Wicket told an internal value to anyone who asked",
    "summary": "A value stood in the prompt and was repeated.",
    "details": "It was taken out of the prompt, and answers are checked.",
    "advice": "Nothing to do.",
}


def status(stage: Stage) -> str:
    return str(Case.objects.get(ref=stage.ref).status)


def newest(purpose: str) -> Replay:
    return Replay.objects.filter(question=purpose).order_by("-created_at")[0]


def to_confirmed(stage: Stage, researcher: Visitor) -> None:
    """Answered, asked back, taken into work, replayed, looked at, rated, signed twice, confirmed."""
    stage.say("theo", "I have read it and take it into work.", public=True)
    stage.press("theo", "/move/accept/")
    assert status(stage) == "triaged"
    stage.fill("mina", f"/desk/cases/{stage.ref}/move/ask_researcher/", {"words": "In a fresh conversation?"})
    assert status(stage) == "needs_info"
    page = ok(researcher.get(f"/my/{stage.ref}/"))
    assert "In a fresh conversation?" in page.words
    ok(researcher.send(page, page.form("/say/"), {"text": "Yes, each time."}))
    assert status(stage) == "triaged"
    replay = stage.replayed("theo", f"/desk/cases/{stage.ref}/replay/", {"seed": "7"})
    assert replay.data["data-state"] == "done", replay.words[:500]
    assert newest("reproduce").verdict_word == "reproduced"
    hidden = researcher.client.get(f"/my/{stage.ref}/replay/{newest('reproduce').pk}/")
    assert hidden.status_code == 404, "nobody has looked at the first success yet"
    ok(stage.at("theo").send(replay, replay.form("/control/"), button="seen"))
    seen = ok(researcher.get(f"/my/{stage.ref}/replay/{newest('reproduce').pk}/"))
    assert people.SECRET in seen.text
    rating = {**people.LETTERS, **{f"why_{code}": "Read off trial 1." for code in people.LETTERS}}
    stage.fill("theo", f"/desk/cases/{stage.ref}/severity/", rating)
    for name, discipline in (("theo", "security"), ("mina", "ml")):
        stage.press(name, "/signoff/", {**people.SEEN[discipline], "agrees": "yes", "note": "Seen."})
    stage.press("theo", "/move/confirm/")
    assert status(stage) == "confirmed"


def to_resolved(stage: Stage, researcher: Visitor) -> None:
    """A patch of the symptom is exposed, the cause is mended, and the researcher says so."""
    stage.press("lena", "/assign/", {"person": stage.cast.olga.name}, having="person")
    stage.press("olga", "/move/start_fix/")
    fix(stage, "v2", "symptom")
    exposed = stage.replayed("olga", f"/desk/cases/{stage.ref}/verify/", {"tau": "0.05", "seed": "7"})
    parts = {part["part"]: part for part in (newest("verify").verdict or {})["parts"]}
    assert newest("verify").verdict_word == "symptom_patched", exposed.words[:500]
    assert parts["reported"]["k"] == 0 < parts["reported"]["n"], "the reported wording is blocked"
    assert [name for name, part in parts.items() if part["verdict"] == "fails" and part["k"]]
    assert status(stage) == "remediating", "the refuted fix sends the case back by itself"
    assert "symptom" in ok(researcher.get(f"/my/{stage.ref}/fix/{newest('verify').pk}/")).words.lower()
    stage.press("mina", "/cause/", {"category": "wiring", "text": "The code stood in the prompt."})
    fix(stage, "v3", "cause")
    stage.replayed("olga", f"/desk/cases/{stage.ref}/verify/", {"tau": "0.05", "seed": "7"})
    assert newest("verify").verdict_word == "holds"
    assert status(stage) == "retesting"
    page = ok(researcher.get(f"/my/{stage.ref}/retest/"))
    ok(researcher.send(page, page.form("/retest/"), {"claim_k": "0", "claim_n": "10", "transcript": "It refused."}))
    stage.press("theo", "/move/resolve/")
    assert status(stage) == "resolved"


def fix(stage: Stage, version: str, kind: str) -> None:
    stage.fill("olga", f"/desk/cases/{stage.ref}/fix/", {"version": version, "kind": kind, "summary": "Mended."})
    assert status(stage) == "fix_deployed"


def publish(stage: Stage, researcher: Visitor, **credit: str) -> Page:
    """The credit as chosen, the advisory, and everything that the public reads afterwards."""
    page = ok(researcher.get(f"/my/{stage.ref}/credit/"))
    ok(researcher.send(page, page.form("/credit/"), credit))
    stage.fill("pia", f"/desk/cases/{stage.ref}/advisory/", CLEAN)
    slug = f"{stage.cast.program.slug}-{stage.ref.lower()}"
    assert Visitor().get(f"/advisories/{slug}/").status == 404, "a draft is not public"
    done = stage.fill("pia", f"/desk/cases/{stage.ref}/advisory/", CLEAN, button="publish")
    assert done.url == f"/advisories/{slug}/"
    paper = ok(Visitor().get(done.url))
    assert CLEAN["title"] in paper.words
    assert people.STEPS not in paper.text
    assert people.SECRET not in paper.text
    assert CLEAN["title"] in ok(Visitor().get("/advisories/")).words
    contact = ok(Visitor().get("/.well-known/security.txt")).text
    assert re.search(r"^Contact: http\S+/p/wicket/report/\r$", contact, re.M), contact
    return paper


def test_the_whole_path_with_an_account(stage: Stage, wicket: Wicket) -> None:
    rhea = stage.at("rhea")
    stage.ref = report(rhea, stage.cast).data["data-case"]
    to_confirmed(stage, rhea)
    to_resolved(stage, rhea)
    paper = publish(stage, rhea, mode="handle")
    assert "rhea_k" in paper.words
    assert "rhea_k" in ok(Visitor().get("/thanks/")).words
    calls = sum(Replay.objects.values_list("calls", flat=True))
    assert calls == wicket.count == sum(wicket.seen.values())
    gone = ok(rhea.get(f"/my/{stage.ref}/"))
    assert gone.data["data-status"] == "resolved"


def test_the_whole_path_with_a_receipt(stage: Stage) -> None:
    sent = report(Visitor(), stage.cast, anonymous=True)
    stage.ref = sent.data["data-case"]
    digits = re.search(r"((?:\d{4} ){5}\d{4})", sent.words)
    assert digits is not None
    later = Visitor()
    page = ok(later.get("/return/"))
    mine = ok(later.send(page, page.form("/return/"), {"digits": digits.group(1)}))
    assert stage.ref in mine.words
    to_confirmed(stage, later)
    to_resolved(stage, later)
    paper = publish(stage, later, mode="anonymous")
    assert "rhea" not in paper.text
    thanks = ok(Visitor().get("/thanks/")).words
    assert "anonymous" in thanks.lower()
    assert "rhea" not in thanks


@pytest.mark.django_db
def test_a_program_without_a_machine_reaches_its_verdict_by_hand() -> None:
    stage = Stage(people.make_cast(access="manual"))
    stage.ref = report(stage.at("rhea"), stage.cast).data["data-case"]
    stage.say("theo", "I have read it.", public=True)
    stage.press("theo", "/move/accept/")
    page = stage.fill("theo", f"/desk/cases/{stage.ref}/replay/", {}, button="start")
    replay = newest("reproduce")
    assert replay.mode == "manual"
    frozen = replay.plan_hash
    address = f"/desk/replays/{replay.pk}/manual/"
    for ticked in range(200):
        page = ok(stage.at("theo").get(address))
        form = next((one for one in page.forms if "outcome" in one.names), None)
        if form is None:
            break
        assert {"stream", "index"} <= form.names
        worked = form.values["stream"] != "benign"
        again = dict(form.values)
        ok(stage.at("theo").send(page, form, {"outcome": "success", "transcript": f"Answer {ticked}, we open at 9."}))
        if ticked == 0:
            assert worked or form.values["stream"] == "benign"
            refused = stage.at("theo").post(address, {**again, "outcome": "failure"})
            assert refused.status == 409, "what was ticked is not changed"
    replay.refresh_from_db()
    assert (replay.state, replay.verdict_word, replay.plan_hash) == ("done", "reproduced", frozen)
    assert replay.verdict is not None
    assert replay.verdict["origin"] == "manual"
    assert set(replay.trials.values_list("origin", flat=True)) == {"manual"}
    shown = ok(stage.at("theo").get(f"/desk/replays/{replay.pk}/"))
    assert "by hand" in shown.words.lower()
    assert stage.at("theo").post(address, {"stream": "main", "index": "0", "outcome": "success"}).status in (200, 409)
    assert replay.trials.count() == Replay.objects.get(pk=replay.pk).trials.count()


def test_a_verdict_that_is_shown_can_be_acted_on_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only after the worker's next sweep: the page offers its button as soon as it says so."""
    swept: list[bool] = []

    def nothing() -> list[Replay]:
        swept.append(True)
        return []

    monkeypatch.setattr(queue, "to_conclude", nothing)
    stage.ref = report(stage.at("rhea"), stage.cast).data["data-case"]
    stage.say("theo", "I have read it.", public=True)
    stage.press("theo", "/move/accept/")
    page = stage.replayed("theo", f"/desk/cases/{stage.ref}/replay/", {"seed": "7"})
    assert swept, "a sweep took place and had nothing to do"
    ok(stage.at("theo").send(page, page.form("/control/"), button="seen"))
    assert Replay.objects.get().concluded_at is not None
