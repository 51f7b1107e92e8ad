"""Drafts, tools' files and the preview, over the API alone and side by side with the pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from manyeyes.cases import drafts
from manyeyes.cases.models import Case, Draft
from manyeyes.vault.models import StoredFile
from tests import marker, people
from tests.api.conftest import Caller
from tests.api.test_researcher import report
from tests.people import Cast

Calls = Callable[..., Caller]
SAMPLES = Path(__file__).parents[1] / "samples"
KEY, CODE = "Idempotency-Key", "Draft-Code"


def path(cast: Cast) -> str:
    return f"/programs/{cast.program.slug}/drafts"


def answers(cast: Cast) -> dict[str, Any]:
    """What a report answers, as far as a draft may."""
    more = {"settings": {"temperature": "0.7", "min_p": "0.1"}, "expected": "It should have refused.",
            "seen": {"surface": "chat"}, "plans": {"publish_on": "2027-02-18"}, "co_reporters": ["eve_x"]}  # fmt: skip
    return {**report(cast), **more}


def test_from_the_first_word_to_the_report(cast: Cast, calls: Calls) -> None:
    rhea = calls("rhea")
    made = rhea.post(path(cast), {"title": "A first word"})
    assert made.status_code == 201
    draft = made.json()
    assert draft["code"] == "", "an account finds its drafts without a code"
    one = f"{path(cast)}/{draft['id']}"
    whole = rhea.post(f"{one}/answers", answers(cast)).json()
    sent = answers(cast)
    assert {name: whole["answers"][name] for name in sent} == sent, "what was sent comes back, word for word"
    assert whole["answers"]["submission_id"] == draft["answers"]["submission_id"]
    assert rhea.upload(f"{one}/files", b"a recording", "recording.txt").status_code == 201
    kept = rhea.upload(f"{one}/files", b"not this one", "other.txt").json()["files"]
    left = rhea.post(f"{one}/files/{kept[1]['id']}/removal").json()["files"]
    assert [row["name"] for row in left] == ["recording.txt"]
    (line,) = rhea.get("/drafts").json()["items"]
    assert (line["id"], line["title"]) == (draft["id"], people.TITLE)
    body = {**answers(cast), "draft": draft["id"], "submission_id": whole["answers"]["submission_id"]}
    seen = rhea.post(f"/programs/{cast.program.slug}/preview", body).json()
    assert {"name": "Temperature", "value": "0.7", "source": "you said", "note": ""} in seen["readings"]
    assert [row["name"] for row in seen["files"]] == ["recording.txt"]
    assert not Case.objects.exists(), "a preview sends nothing"
    first = rhea.post(f"/programs/{cast.program.slug}/reports", body).json()
    again = rhea.post(f"/programs/{cast.program.slug}/reports", body).json()
    assert (again["ref"], again["again"]) == (first["ref"], True), "also after its draft is gone"
    assert rhea.get(one).status_code == 404
    told = rhea.get(f"/cases/{first['ref']}/report").json()
    assert [row["name"] for row in told["files"]] == ["recording.txt"]
    assert told["expected"] == "It should have refused."
    assert told["settings"] == {"temperature": "0.7", "min_p": "0.1"}


def test_a_draft_of_the_pages_goes_on_here_and_back(cast: Cast, calls: Calls) -> None:
    browser = Client()
    browser.force_login(cast.rhea)
    typed = {"title": "Begun on a page", "counted": "counted", "claim_k": "3", "claim_n": "9", "vuln_class": "HC",
             "q_live": "yes", "surface": "chat", "temperature": "0.4", "action": "save"}  # fmt: skip
    assert browser.post(f"/p/{cast.program.slug}/report/", typed).status_code == 200
    rhea = calls("rhea")
    (line,) = rhea.get("/drafts").json()["items"]
    one = f"{path(cast)}/{line['id']}"
    found = rhea.get(one).json()["answers"]
    assert (found["title"], found["claim_k"], found["claim_n"]) == ("Begun on a page", 3, 9)
    assert (found["answers"], found["seen"], found["settings"]) == (
        {"live": "yes"}, {"surface": "chat"}, {"temperature": "0.4"},
    )  # fmt: skip
    mended = {**found, "steps": "Ask it twice."}
    assert rhea.post(f"{one}/answers", mended).status_code == 200
    page = browser.get(f"/p/{cast.program.slug}/report/draft/{line['id']}/").content.decode()
    for said in ("Begun on a page", "Ask it twice.", 'value="3"', 'value="9"', 'value="0.4"', 'value="chat"'):
        assert said in page


def test_without_an_account_a_code_opens_it_and_nothing_else_does(cast: Cast, calls: Calls) -> None:
    nobody = calls("nobody")
    made = nobody.post(path(cast), {"title": "Nobody knows me"}, **{KEY: "1"}).json()
    code, one = made["code"], f"{path(cast)}/{made['id']}"
    assert len(code.replace("-", "")) == 20
    assert nobody.get(one, **{CODE: code}).json()["answers"]["title"] == "Nobody knows me"
    assert marker.find_in_database(code, connection) == []
    absent = nobody.get(f"{path(cast)}/{people.uuid.UUID(int=7)}", **{CODE: code})
    for wrong in (nobody.get(one), nobody.get(one, **{CODE: "7K3F-Q2M4-7K3F-Q2M4-7K3F"}), calls("eve").get(one)):
        assert wrong.status_code == 404
        assert wrong.content == absent.content
    other = nobody.post(path(cast), {"title": "Nobody knows me"}, **{KEY: "1"}).json()
    assert other["code"] != code, "from one network with one key: still no way to the code of somebody else"
    sent = report(cast, anonymous=True, draft=code)
    assert nobody.post(f"/programs/{cast.program.slug}/reports", sent).status_code == 201
    assert nobody.get(one, **{CODE: code}).status_code == 404
    problem = nobody.post(f"/programs/{cast.program.slug}/reports", sent)
    assert (problem.status_code, "draft is gone" in problem.json()["detail"]) == (409, True)


def test_nobody_reaches_the_draft_of_another_account(cast: Cast, calls: Calls) -> None:
    held = drafts.save(cast.program, {"typed": {"title": "Rhea's"}}, by=cast.rhea)
    one, body = f"{path(cast)}/{held.draft.pk}", {"title": "Mine now"}
    for caller in (calls("eve"), calls("theo"), calls("nobody")):
        assert caller.get(one).status_code == 404
        assert caller.post(f"{one}/answers", body).status_code == 404
        assert caller.post(f"{one}/removal").status_code == 404
        assert caller.upload(f"{one}/files", b"x", "x.txt").status_code == 404
        stolen = caller.post(
            f"/programs/{cast.program.slug}/reports", report(cast, draft=str(held.draft.pk), anonymous=True)
        )
        assert stolen.status_code == 409, "its files go with nobody else's report"
    assert Draft.objects.get().answers["typed"]["title"] == "Rhea's"
    assert not Case.objects.exists()


def test_a_resend_of_an_account_finds_its_draft(cast: Cast, calls: Calls) -> None:
    rhea = calls("rhea")
    first = rhea.post(path(cast), {"title": "One"}, **{KEY: "k"}).json()
    assert rhea.post(path(cast), {"title": "One"}, **{KEY: "k"}).json()["id"] == first["id"]
    assert Draft.objects.count() == 1
    assert rhea.post(path(cast), {"title": "Two"}, **{KEY: "k"}).status_code == 422
    assert calls("rhea").post(path(cast), {"title": "One"}, **{KEY: "k"}).json()["id"] != first["id"]


@pytest.mark.parametrize(
    ("name", "tool"),
    [("garak.report.jsonl", "garak"), ("promptfoo.results.json", "promptfoo"), ("inspect.log.json", "inspect"),
     ("pyrit.memory.tables.json", "pyrit")],
)  # fmt: skip
def test_a_tools_file_is_read_and_taken_over(cast: Cast, calls: Calls, name: str, tool: str) -> None:
    rhea = calls("rhea")
    one = f"{path(cast)}/{rhea.post(path(cast), {'impact': 'Anybody can act as staff.'}).json()['id']}"
    said = rhea.upload(f"{one}/tool-files", (SAMPLES / name).read_bytes(), name)
    assert said.status_code == 201, said.content
    seen = said.json()
    assert tool in seen["tool"].lower()
    assert all(row["source"] for finding in seen["findings"] for row in finding["readings"])
    given = {question["name"]: next(iter(question["choices"])) for question in seen["questions"]}
    place = f"{one}/tool-files/{seen['file']}"
    if given:
        assert "answers" in rhea.post(f"{place}/finding", {"finding": 0}).json()["fields"]
        seen = rhea.post(f"{place}/reading", {"answers": given}).json()
        assert seen["questions"] == []
    taken = rhea.post(f"{place}/finding", {"finding": 0, "answers": given})
    assert taken.status_code == 200, taken.content
    draft = taken.json()
    assert draft["tool"]["name"] == name
    assert draft["answers"]["impact"] == "Anybody can act as staff.", "what was typed stays"
    assert draft["answers"]["title"]
    assert "finding" in rhea.post(f"{place}/finding", {"finding": 199, "answers": given}).json()["fields"]
    body = {**report(cast, reproducer=""), "draft": draft["id"]}
    sent = rhea.post(f"/programs/{cast.program.slug}/reports", body)
    assert sent.status_code == 201, sent.content
    told = rhea.get(f"/cases/{sent.json()['ref']}/report").json()
    assert [row["name"] for row in told["files"]] == [name]


def test_what_no_tool_wrote_is_refused_and_not_kept(cast: Cast, calls: Calls) -> None:
    rhea = calls("rhea")
    one = f"{path(cast)}/{rhea.post(path(cast), {}).json()['id']}"
    said = rhea.upload(f"{one}/tool-files", b"nothing of the kind", "x.json")
    assert (said.status_code, set(said.json()["fields"])) == (422, {"toolfile"})
    assert not StoredFile.objects.exists()


def test_material_that_may_not_be_sent_takes_the_draft_along(cast: Cast, calls: Calls) -> None:
    rhea = calls("rhea")
    assert set(rhea.post(path(cast), {"csam": True}).json()["fields"]) == {"csam"}
    assert not Draft.objects.exists()
    one = f"{path(cast)}/{rhea.post(path(cast), {'title': 'x'}).json()['id']}"
    rhea.upload(f"{one}/files", b"a picture", "a.png")
    assert rhea.post(f"{one}/answers", {"csam": True}).status_code == 422
    assert not Draft.objects.exists()
    assert not StoredFile.objects.exists()
    draft = rhea.post(path(cast), {"title": "x"}).json()["id"]
    assert rhea.post(f"/programs/{cast.program.slug}/reports", report(cast, draft=draft, csam=True)).status_code == 422
    assert not Draft.objects.exists()


def test_names_that_no_report_has_are_told(cast: Cast, calls: Calls) -> None:
    told = calls("rhea").post(path(cast), {"seen": {"colour": "red"}, "plans": {"when": "soon"}}).json()
    assert set(told["fields"]) == {"seen.colour", "plans.when"}
    assert not Draft.objects.exists()


def test_scopes_of_drafts(cast: Cast, calls: Calls) -> None:
    held = drafts.save(cast.program, {"typed": {}}, by=cast.rhea)
    one = f"{path(cast)}/{held.draft.pk}"
    assert calls("rhea", "write").get(one).status_code == 403
    assert calls("rhea", "read").post(f"{one}/answers", {}).status_code == 403
    assert calls("rhea", "report").post(f"{one}/answers", {}).status_code == 200
    assert calls("rhea", "report").get("/drafts").status_code == 403
    assert calls("rhea", "read").get("/drafts").status_code == 200


def test_nothing_of_a_draft_lies_in_the_clear(cast: Cast, calls: Calls) -> None:
    mark, rhea = "quokka-märz-1147", calls("rhea")
    made = rhea.post(path(cast), {"title": mark, "expected": mark}, **{KEY: "k"}).json()
    rhea.upload(f"{path(cast)}/{made['id']}/files", mark.encode(), f"{mark}.txt", **{KEY: "k2"})
    rhea.post(f"{path(cast)}/{made['id']}/answers", {"title": mark}, **{KEY: "k3"})
    assert mark in json.dumps(rhea.get(f"{path(cast)}/{made['id']}").json(), ensure_ascii=False)
    assert marker.find_in_database(mark, connection) == []
