"""Everything a researcher can do, over the API alone; and that a stranger learns nothing from any refusal."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from manyeyes.api.asked import DraftIn, ReportIn
from manyeyes.cases import conversation, disclosure, triage
from manyeyes.cases.intake_report import IntakeReport
from manyeyes.cases.models import Case, Report
from manyeyes.publications import advisory
from tests import people
from tests.api.conftest import Caller
from tests.people import Cast

Calls = Callable[..., Caller]

NONE = uuid.UUID(int=7)
"""The id of nothing; the same in every process, so that all of them collect the same tests."""


def report(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "target": str(cast.target.pk), "vuln_class": "HC", "title": people.TITLE, "happened": "It told me the code.",
        "steps": people.STEPS, "impact": "Anybody can act as staff.", "claim_k": 7, "claim_n": 10,
        "reproducer": people.REPRODUCER, "answers": {"live": "yes"}, **changes,
    }  # fmt: skip


def test_every_answer_of_a_report_can_be_sent() -> None:
    ours = {one.name for one in fields(IntakeReport)} - {"imported"}
    assert set(ReportIn.model_fields) == ours | {"draft"}
    assert set(DraftIn.model_fields) == ours


def test_a_stranger_reads_programs_policies_kinds_and_advisories(cast: Cast, calls: Calls) -> None:
    nobody = calls("nobody")
    (line,) = nobody.get("/programs").json()["items"]
    program = nobody.get(f"/programs/{line['slug']}").json()
    assert program["targets"][0] | {"id": str(cast.target.pk), "name": "Wicket"} == program["targets"][0]
    assert "127.0.0.1" not in str(program), "the address that replays call is the team's"
    assert program["scope"][0]["text"] == "The support assistant Wicket"
    assert (program["kept"]["promised_hours"], program["kept"]["answers_due"]) == (48, 0)
    (version,) = nobody.get(f"/programs/{line['slug']}/policies").json()["items"]
    assert version["in_force"]
    policy = nobody.get(f"/programs/{line['slug']}/policies/{version['number']}").json()
    assert any(row["name"] == "safe_harbor" for row in policy["sections"])
    kinds = nobody.get("/kinds").json()["items"]
    assert len(kinds) == 16
    assert next(one for one in kinds if one["code"] == "HC")["questions"][0]["name"] == "leaked"
    assert nobody.get("/advisories").json() == {"items": [], "next": None}


def test_from_the_report_to_the_published_advisory(cast: Cast, calls: Calls) -> None:
    rhea = calls("rhea")
    sent = rhea.post(f"/programs/{cast.program.slug}/reports", report(cast))
    assert sent.status_code == 201
    assert sent.json()["receipt"] is None
    ref = sent.json()["ref"]
    case = Case.objects.get(ref=ref)
    assert rhea.upload(f"/cases/{ref}/files", b"a recording", "recording.txt").status_code == 201
    assert rhea.post(f"/cases/{ref}/messages", {"text": "It also works in French."}).status_code == 201
    assert rhea.post(f"/cases/{ref}/reproducers", {"text": people.REPRODUCER, "name": "b.yaml"}).status_code == 201
    conversation.say(case, by=cast.theo, text="I have read it.", public=True)
    conversation.say(case, by=cast.theo, text="Looks real to me.", public=False)
    triage.accept(case, by=cast.theo)
    triage.ask_researcher(case, by=cast.mina, text="Which model?")
    told = rhea.get(f"/cases/{ref}").json()
    assert told["status"] == "needs_info"
    assert {move["name"]: move["ready"] for move in told["moves"]}["answer"] is True
    assert any(clock["paused_since"] for clock in told["clocks"])
    assert rhea.post(f"/cases/{ref}/answer", {"text": "Version 1."}).json()["status"] == "triaged"
    for rung in people.LADDER[people.LADDER.index("reproduced") : people.LADDER.index("holds") + 1]:
        people._STEPS[rung](cast, case)
    (_fix, replay) = rhea.get(f"/cases/{ref}/replays").json()["items"]
    assert (_fix["version"], replay["version"]) == ("v3", "v1")
    result = rhea.get(f"/cases/{ref}/replays/{replay['id']}").json()["result"]
    assert result["verdict"] == "reproduced"
    assert "cost" not in result
    assert "url" not in result["target"]
    assert rhea.post(f"/cases/{ref}/retest", {"k": 0, "n": 10, "agrees": True}).status_code == 201
    case.refresh_from_db()
    disclosure.propose_embargo(case, by=cast.theo, until=people.clock.now() + people.timedelta(days=1))
    proposal = rhea.get(f"/cases/{ref}").json()["proposal"]
    assert not proposal["proposed_by_me"]
    assert rhea.post(f"/cases/{ref}/embargo/agreement", {"proposal": proposal["id"]}).status_code == 200
    disclosure.end_embargo(case, by=cast.lena)
    disclosure.resolve(case, by=cast.theo)
    assert rhea.post(f"/cases/{ref}/credit", {"mode": "name", "name": "Rhea K."}).status_code == 200
    advisory.draft(case, by=cast.theo, title="A code is told", summary="The assistant told what it may not.")
    slug = advisory.publish(case, by=cast.pia).slug
    told = rhea.get(f"/cases/{ref}").json()
    assert (told["status"], told["advisory"]) == ("resolved", slug)
    assert told["severity"]["vector"]
    assert told["credit"]["name"] == "Rhea K."
    public = calls("nobody").get(f"/advisories/{slug}").json()
    assert public["credit_name"] == "Rhea K."
    _timeline(rhea, ref)


def _timeline(rhea: Caller, ref: str) -> None:
    """Page by page it is the whole of what both sides see, and nothing internal."""
    items, cursor = [], ""
    while True:
        page = rhea.get(f"/cases/{ref}/timeline?limit=5{cursor}").json()
        items += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert [one["at"] for one in items] == sorted(one["at"] for one in items)
    said = str(items)
    assert "It also works in French." in said
    assert "I have read it." in said
    assert "Looks real to me." not in said
    assert "signed_off" not in said
    assert [one["retest"] for one in items if one["retest"]][-1] == {"k": 0, "n": 10, "agrees": True}
    file = next(one["file"] for one in items if one["file"])
    saved = rhea.get(f"/cases/{ref}/files/{file['id']}")
    assert b"".join(saved.streaming_content) == b"a recording"
    assert saved["Content-Type"] == "application/octet-stream"
    sent = rhea.get(f"/cases/{ref}/report").json()
    assert sent["steps"] == people.STEPS
    assert sent["answers"] == {"live": "yes"}
    assert any(row["name"] == "How often" for row in sent["readings"])
    assert [one["name"] for one in sent["reproducers"]][-1] == "b.yaml"


def test_anonymous_by_receipt(cast: Cast, calls: Calls) -> None:
    nobody = calls("nobody")
    sent = nobody.post(f"/programs/{cast.program.slug}/reports", report(cast, anonymous=True)).json()
    assert nobody.get(f"/cases/{sent['ref']}").status_code == 401
    made = nobody.post("/tokens/receipt", {"digits": sent["receipt"]}).json()
    bearer = Caller(made["token"])
    assert bearer.get(f"/cases/{sent['ref']}").json()["title"] == people.TITLE
    assert bearer.get("/me").json()["kind"] == "receipt"
    assert bearer.post(f"/cases/{sent['ref']}/withdrawal").json()["status"] == "closed"
    newer = nobody.post("/tokens/receipt", {"digits": sent["receipt"]}).json()["token"]
    assert bearer.get("/me").status_code == 401, "an earlier token of the receipt ends"
    assert Caller(newer).post("/tokens/revoke").status_code == 200
    assert Caller(newer).get("/me").status_code == 401


def test_a_resend_never_doubles(cast: Cast, calls: Calls) -> None:
    nobody, name = calls("nobody"), str(uuid.uuid4())
    path = f"/programs/{cast.program.slug}/reports"
    first = nobody.post(path, report(cast, anonymous=True, submission_id=name)).json()
    second = nobody.post(path, report(cast, anonymous=True, submission_id=name)).json()
    assert (second["ref"], second["again"]) == (first["ref"], True)
    assert nobody.post("/tokens/receipt", {"digits": first["receipt"]}).status_code == 422
    assert nobody.post("/tokens/receipt", {"digits": second["receipt"]}).status_code == 201
    cast.program.state = "paused"
    cast.program.save()
    third = nobody.post(path, report(cast, anonymous=True, submission_id=name))
    assert (third.status_code, third.json()["again"]) == (201, True), "found while nothing new is taken"
    assert nobody.post(path, report(cast, anonymous=True)).status_code == 409
    assert Report.objects.count() == 1


def test_staff_see_nothing_of_others_here_and_only_the_outside_of_their_own(cast: Cast, calls: Calls) -> None:
    case = people.make_case(cast, at="signed")
    own = people.submit(cast, by=cast.mina, title="Mina's own find")
    conversation.say(own, by=cast.theo, text="Keep this inside.", public=False)
    mina = calls("mina")
    assert [row["ref"] for row in mina.get("/cases").json()["items"]] == [own.ref]
    assert mina.get(f"/cases/{case.ref}").status_code == 404
    assert "Keep this inside." not in mina.get(f"/cases/{own.ref}/timeline").content.decode()


@pytest.mark.parametrize("path", ["", "/report", "/timeline", "/replays", f"/replays/{NONE}", f"/files/{NONE}"])
def test_what_is_hidden_and_what_is_absent_answer_the_same(cast: Cast, calls: Calls, path: str) -> None:
    case, eve = people.make_case(cast, at="reproduced"), calls("eve")
    hidden, absent = eve.get(f"/cases/{case.ref}{path}"), eve.get(f"/cases/ME-2222-2222{path}")
    strange = eve.get(f"/cases/no-reference{path}")
    assert hidden.status_code == 404
    assert hidden.content == absent.content == strange.content
    assert dict(hidden.headers) == dict(absent.headers)


def test_a_private_program_is_absent(cast: Cast, calls: Calls) -> None:
    cast.program.state = "private"
    cast.program.save()
    nobody = calls("nobody")
    assert nobody.get("/programs").json()["items"] == []
    for path in ("", "/policies", "/policies/1"):
        found = nobody.get(f"/programs/wicket{path}")
        assert found.status_code == 404
        assert found.content == nobody.get(f"/programs/nothing{path}").content
    assert nobody.post("/programs/wicket/reports", report(cast, anonymous=True)).status_code == 404


def test_lists_go_on_where_they_stopped(cast: Cast, calls: Calls) -> None:
    refs = [people.submit(cast).ref for _ in range(5)]
    rhea, seen, cursor = calls("rhea"), [], ""
    while True:
        page = rhea.get(f"/cases?limit=2{cursor}").json()
        seen += [row["ref"] for row in page["items"]]
        people.submit(cast) if len(seen) == 2 else None
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == refs[::-1], "one that came meanwhile moves nothing"
