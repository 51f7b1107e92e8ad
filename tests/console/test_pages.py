"""Every page of the console over HTTP: who may see it, what it refuses, and that hostile text stays text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from manyeyes.cases import conversation, reproduction, rootcause, severity
from manyeyes.demo.browser import Form, _page
from manyeyes.programs.setup import create_program
from manyeyes.rules.lifecycle import Role
from tests.people import LETTERS, REASONS, REPRODUCER, SEEN, Cast, make_case, patched, play, verify, vulnerable

As = Callable[[str], Client]
TAGS = "".join(chr(0xE0000 + ord(letter)) for letter in "leak")
HOSTILE = f"<script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp.exe\u200b{TAGS} {{{{ 7*7 }}}} https://evil.example/"
OF_A_CASE = ("", "replay/", "verify/", "severity/", "fix/", "advisory/", "reproducer/", "move/close/")
ACTS = ("say/", "acknowledge/", "assign/", "cause/", "signoff/", "embargo/")


def forms(response: Any) -> list[Form]:
    """The forms of a page as a small browser reads them."""
    return _page("/", response.status_code, response.content).forms


def addresses(case: Any) -> list[str]:
    """Every page that shows something of the case."""
    found = [f"/desk/cases/{case.ref}/{part}" for part in OF_A_CASE]
    for link in case.reproductions.all():
        page = "fixes" if link.purpose == "verification" else "replays"
        found += [f"/desk/{page}/{link.replay_id}/", f"/desk/replays/{link.replay_id}/calls/main/0/"]
    return found


@pytest.mark.parametrize("at", ["new", "triaged", "rated", "confirmed", "fix_deployed", "holds", "resolved"])
def test_the_team_sees_every_page(cast: Cast, as_: As, at: str) -> None:
    case = make_case(cast, at=at)
    theo = as_("theo")
    for address in ["/desk/", "/desk/program/wicket/", *addresses(case)]:
        assert theo.get(address).status_code == 200, address


@pytest.mark.parametrize("who", ["eve", "rhea", "finn"])
def test_outsiders_cannot_tell_a_case_from_nothing(cast: Cast, as_: As, who: str) -> None:
    case = make_case(cast, at="holds")
    browser = as_(who)
    absent = browser.get("/desk/cases/ME-0000-0000/")
    assert absent.status_code == 404
    for address in addresses(case):
        found = browser.get(address)
        assert (found.status_code, found.content) == (404, absent.content), address
    for act in ACTS:
        found = browser.post(f"/desk/cases/{case.ref}/{act}", {"text": "x"})
        other = browser.post(f"/desk/cases/ME-0000-0000/{act}", {"text": "x"})
        assert (found.status_code, found.content) == (other.status_code, other.content) == (404, absent.content), act


def test_a_member_of_another_program_sees_nothing(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    create_program(slug="other", name="Other", organisation="Other", members={cast.eve: [Role.PROGRAM_MANAGER]})
    browser = as_("eve")
    assert browser.get("/desk/").status_code == 200
    absent = browser.get("/desk/cases/ME-0000-0000/")
    assert browser.get(f"/desk/cases/{case.ref}/").content == absent.content
    assert browser.get("/desk/program/wicket/").status_code == 404


def test_people_without_a_session_are_asked_to_sign_in(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="new")
    for address in ("/desk/", "/desk/program/", *addresses(case)):
        answer = as_("nobody").get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/?next=/desk/")


def test_the_second_factor_stands_before_every_page(cast: Cast, as_: As, settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = True
    case = make_case(cast, at="new")
    for address in ("/desk/", *addresses(case)):
        answer = as_("theo").get(address)
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/"), address
    assert as_("theo").post(f"/desk/cases/{case.ref}/say/", {"text": "x"}).status_code == 302
    assert case.messages.count() == 0


def test_the_composer_opens_inside_and_names_the_recipient(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    page = as_("theo").get(f"/desk/cases/{case.ref}/")
    words = [form for form in forms(page) if "/say/" in form.action]
    assert {form.values["audience"] for form in words} == {"internal", "public"}
    reply = next(form for form in words if form.values["audience"] == "public")
    assert "Send to rhea_k" in reply.buttons[0][2]
    text = page.content.decode()
    assert 'class="composers"' in text  # not "composers reply": the inner one is shown


@pytest.mark.parametrize("typed", ["", "internal", "nonsense"])
def test_only_the_reply_form_speaks_to_the_researcher(cast: Cast, as_: As, typed: str) -> None:
    case = make_case(cast, at="triaged")
    as_("theo").post(f"/desk/cases/{case.ref}/say/", {"text": "between us", "audience": typed})
    assert [row.public for row in case.messages.filter(purpose="word") if row.text == "between us"] == [False]
    assert b"between us" not in as_("rhea").get(f"/my/{case.ref}/").content


def test_an_empty_reply_keeps_the_reply_open(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    answer = as_("theo").post(f"/desk/cases/{case.ref}/say/", {"text": " ", "audience": "public"})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert 'class="composers reply"' in text
    assert "There is a problem" in text
    assert "<title>Error:" in text


def test_a_refused_move_says_what_is_missing(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="rated")
    text = as_("theo").get(f"/desk/cases/{case.ref}/").content.decode()
    assert "Missing: security sign-off, ML sign-off." in text
    assert f"/desk/cases/{case.ref}/move/confirm/" not in text
    refused = as_("theo").post(f"/desk/cases/{case.ref}/move/confirm/")
    assert refused.status_code == 409
    assert "Missing: sign-off by both disciplines" in refused.content.decode()


def test_the_second_of_two_people_learns_who_was_first(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="acknowledged")
    seen = case.version
    as_("mina").post(f"/desk/cases/{case.ref}/move/accept/", {"version": seen})
    late = as_("theo").post(f"/desk/cases/{case.ref}/move/accept/", {"version": seen})
    assert late.status_code == 409
    assert "Mina A. changed this case" in late.content.decode()


def test_closing_asks_for_words_and_states_who_reads_them(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    theo = as_("theo")
    page = theo.get(f"/desk/cases/{case.ref}/move/close/").content.decode()
    assert "rhea_k will read this." in page
    empty = theo.post(f"/desk/cases/{case.ref}/move/close/", {"reason": "informative", "words": ""})
    assert empty.status_code == 422
    slip = {"of": "ME-0000-0000", "words": "Somebody told us before."}
    answer = theo.post(f"/desk/cases/{case.ref}/same/duplicate/", slip)
    assert answer.status_code == 422
    assert "There is no such case." in answer.content.decode()
    assert "Somebody told us before." in answer.content.decode()
    case.refresh_from_db()
    assert case.status == "triaged"
    theo.post(f"/desk/cases/{case.ref}/move/close/", {"reason": "informative", "words": "It is known."})
    case.refresh_from_db()
    assert (case.status, case.close_reason) == ("closed", "informative")


def test_a_move_of_another_role_is_refused(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="remediating")
    version = cast.v2
    answer = as_("theo").post(
        f"/desk/cases/{case.ref}/fix/", {"version": str(version.pk), "kind": "cause", "summary": "Done."}
    )
    assert answer.status_code == 403
    case.refresh_from_db()
    assert case.status == "remediating"


def test_the_auditor_reads_and_does_nothing(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="rated")
    aud = as_("aud")
    page = aud.get(f"/desk/cases/{case.ref}/")
    assert page.status_code == 200
    acts = [form.action for form in forms(page) if f"/cases/{case.ref}/" in form.action]
    assert acts == [f"/desk/cases/{case.ref}/mail/"]  # which mail they get is theirs to choose
    assert aud.post(f"/desk/cases/{case.ref}/say/", {"text": "x"}).status_code == 403
    assert aud.post(f"/desk/cases/{case.ref}/assign/", {"what": "me"}).status_code == 403


def test_what_is_shown_before_a_replay_is_what_starts(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="fix_deployed")
    olga = as_("olga")
    page = olga.get(f"/desk/cases/{case.ref}/verify/")
    form = next(one for one in forms(page) if one.action.endswith("/verify/"))
    assert {"max_calls", "seed", "tau"} <= form.names
    started = olga.post(f"/desk/cases/{case.ref}/verify/", {**form.values, "action": "start"})
    link = case.reproductions.get(purpose="verification")
    assert started["Location"] == f"/desk/replays/{link.replay_id}/"
    shown = page.content.decode()
    for request in link.replay.document["requests"].values():
        if request["part"] == "persona":
            assert request["messages"][-1]["content"].replace("'", "&#x27;") in shown
    again = olga.post(f"/desk/cases/{case.ref}/verify/", {**form.values, "action": "start"})
    assert again["Location"] == started["Location"]
    assert case.reproductions.filter(purpose="verification").count() == 1


def test_a_running_replay_says_how_far_it_is(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo)
    page = as_("theo").get(f"/desk/replays/{link.replay_id}/")
    read = _page("/", 200, page.content)
    assert read.data["data-state"] == "queued"
    assert 'http-equiv="refresh"' in page.content.decode()
    link.replay.progress = {
        "phase": "main",
        "n": 38,
        "k": 3,
        "cap": 400,
        "evalues": {"reproduced": 18.2},
        "threshold": 20,
    }
    link.replay.calls = 41
    link.replay.state = "running"
    link.replay.save()
    read = _page("/", 200, as_("theo").get(f"/desk/replays/{link.replay_id}/").content)
    assert read.data["data-progress"] == "Trial 38 of at most 400, 3 succeeded, evidence 18.2 of 20; 41 calls made"
    control = next(form for form in read.forms if "/control/" in form.action)
    assert [value for _, value, _ in control.buttons] == ["pause", "cancel"]


def test_a_reproduction_waits_for_a_person_who_reads_it(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo)
    play(link.replay, vulnerable)
    assert as_("rhea").get(f"/my/{case.ref}/replay/{link.replay_id}/").status_code == 404
    page = as_("theo").get(f"/desk/replays/{link.replay_id}/")
    form = next(one for one in forms(page) if "/control/" in one.action)
    assert form.buttons[0][1] == "seen"
    as_("theo").post(form.action, {"action": "seen"})
    assert as_("rhea").get(f"/my/{case.ref}/replay/{link.replay_id}/").status_code == 200


def test_the_verification_page_names_what_still_passes(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="retesting")
    verify(cast, case, patched)
    link = case.reproductions.get(purpose="verification")
    text = as_("theo").get(f"/desk/fixes/{link.replay_id}/").content.decode()
    assert "Symptom patched:" in text
    assert "still passes" in text
    assert as_("theo").get(f"/desk/replays/{link.replay_id}/result.json").json()["verdict"] == "symptom_patched"


def test_every_letter_needs_a_reason_and_the_case_shows_both_scores(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="reproduced")
    theo = as_("theo")
    given = {**LETTERS, **{f"why_{code}": why for code, why in REASONS.items()}}
    wrong = theo.post(f"/desk/cases/{case.ref}/severity/", {**given, "why_DX": ""})
    assert wrong.status_code == 422
    assert case.ratings.count() == 0
    theo.post(f"/desk/cases/{case.ref}/severity/", given)
    page = _page("/", 200, theo.get(f"/desk/cases/{case.ref}/").content)
    assert re.fullmatch(r"Sec \d+\.\d \w+, Saf 0\.0 None", page.data["data-rating"])


def test_a_sign_off_is_for_the_rating_that_was_seen(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="rated")
    theo = as_("theo")
    form = next(one for one in forms(theo.get(f"/desk/cases/{case.ref}/")) if "/signoff/" in one.action)
    assert form.values["discipline"] == "security"
    form.values["path"] = "Anybody asks."
    unknown = theo.post(form.action, {**form.values, "agrees": "yes", "rating": str(uuid4())})
    assert unknown.status_code == 422
    severity.rate(
        case, by=cast.mina, letters={**LETTERS, "DX": "M"}, reasons=REASONS, why="It tells less than we thought."
    )
    stale = theo.post(form.action, {**form.values, "agrees": "yes"})
    assert stale.status_code == 409
    assert "Mina A. rated the case anew" in stale.content.decode()
    assert case.sign_offs.count() == 0
    form = next(one for one in forms(theo.get(f"/desk/cases/{case.ref}/")) if "/signoff/" in one.action)
    assert theo.post(form.action, {**form.values, "agrees": "yes", **SEEN["security"]}).status_code == 302
    wrong = theo.post(form.action, {**form.values, "agrees": "yes", "discipline": "ml", **SEEN["ml"]})
    assert wrong.status_code == 403


def test_trials_by_hand(as_: As, cast: Cast) -> None:
    cast.target.access = "manual"
    cast.target.save()
    case = make_case(cast, at="triaged")
    theo = as_("theo")
    assert "by hand" in theo.get(f"/desk/cases/{case.ref}/").content.decode()
    form = next(one for one in forms(theo.get(f"/desk/cases/{case.ref}/replay/")) if "/replay/" in one.action)
    theo.post(form.action, {**form.values, "action": "start"})
    replay = case.reproductions.get().replay
    assert replay.mode == "manual"
    form = next(one for one in forms(theo.get(f"/desk/replays/{replay.pk}/manual/")) if "/manual/" in one.action)
    ticked = theo.post(form.action, {**form.values, "outcome": "success", "transcript": HOSTILE})
    assert ticked.status_code == 302
    assert replay.trials.count() == 1
    text = theo.get(f"/desk/replays/{replay.pk}/calls/{form.values['stream']}/0/").content.decode()
    assert "<script>alert" not in text


def test_hostile_text_stays_text_on_every_page(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="holds", title=HOSTILE[:100], happened=HOSTILE, steps=HOSTILE, impact=HOSTILE)
    conversation.say(case, by=cast.rhea, text=HOSTILE, public=True)
    conversation.say(case, by=cast.mina, text=HOSTILE, public=False)
    rootcause.conclude(case, by=cast.mina, category="wiring", text=HOSTILE)
    for address in ["/desk/", *addresses(case)]:
        text = as_("theo").get(address).content.decode()
        assert "<script>alert" not in text, address
        assert "<img" not in text, address
        assert 'href="https://evil' not in text, address
        assert not set(text) & {"\u202e", "\u200b", *TAGS}, address


def test_pages_carry_no_style_and_no_script_of_their_own(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="holds")
    for address in ["/desk/", "/desk/program/wicket/", "/desk/program/wicket/version/", *addresses(case)]:
        answer = as_("theo" if "version" not in address else "lena").get(address)
        text = answer.content.decode()
        assert not re.search(r"\sstyle=|<style|\son\w+=\"|javascript:", text), address
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), address
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids)), (address, sorted(one for one in ids if ids.count(one) > 1))
        assert len(re.findall(r"<h1[ >]", text)) == 1, address


def test_the_queue_counts_what_it_lists(cast: Cast, as_: As) -> None:
    for at in ("new", "triaged", "rated", "resolved"):
        make_case(cast, at=at)
    for view in ("all", "mine", "unanswered", "late", "replay_finished", "needs_me", "waiting", "ended"):
        text = as_("theo").get(f"/desk/?view={view}").content.decode()
        told = re.search(rf'view={view}" aria-current="page">[^<]+<b>(\d+)</b>', text)
        assert told is not None
        assert text.count("<tr data-row>") == int(told.group(1)), view


def test_an_empty_queue_says_what_to_do(cast: Cast, as_: As) -> None:
    assert "No report has come in yet." in as_("theo").get("/desk/").content.decode()


def test_a_manager_adds_target_version_and_permit(cast: Cast, as_: As) -> None:
    lena = as_("lena")
    lena.post(
        "/desk/program/wicket/target/", {"name": "Wicket voice", "access": "manual", "description": "", "in_scope": ""}
    )
    target = cast.program.targets.get(name="Wicket voice")
    lena.post("/desk/program/wicket/version/", {"target": str(target.pk), "label": "2026-11"})
    assert target.versions.get().label == "2026-11"
    page = lena.get("/desk/program/wicket/").content.decode()
    assert "Wicket voice" in page
    given = {"target": str(target.pk), "operator": "Larkfield", "basis": "own", "environment": "sandbox"}
    lena.post("/desk/program/wicket/permit/", {**given, "calls_per_day": "10"})
    assert target.permits.get().calls_per_day == 10
    assert as_("theo").get("/desk/program/wicket/target/").status_code == 403
    assert lena.get("/desk/program/wicket/nothing/").status_code == 404


def test_a_better_reproducer_can_be_attached(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged", reproducer="")
    theo = as_("theo")
    assert "There is no reproducer yet." in theo.get(f"/desk/cases/{case.ref}/replay/").content.decode()
    wrong = theo.post(f"/desk/cases/{case.ref}/reproducer/", {"reproducer": "nonsense: ["})
    assert wrong.status_code == 422
    assert theo.post(f"/desk/cases/{case.ref}/reproducer/", {"reproducer": REPRODUCER}).status_code == 302
    assert "Start the replay" in theo.get(f"/desk/cases/{case.ref}/replay/").content.decode()


def test_a_dated_fact_shows_as_a_chip_for_both_sides(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    as_("theo").post(f"/desk/cases/{case.ref}/fact/", {"what": "mitigated", "words": "The tool was switched off."})
    assert "Mitigated" in as_("theo").get(f"/desk/cases/{case.ref}/").content.decode()
    outside = as_("rhea").get(f"/my/{case.ref}/").content.decode()
    assert "Mitigated" in outside
    assert "switched off" not in outside
