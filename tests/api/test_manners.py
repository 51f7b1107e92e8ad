"""Tokens, resends, limits and problems: how the API behaves whatever is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from manyeyes.accounts import resends, tokens
from manyeyes.accounts.models import ApiToken, KeptAnswer
from manyeyes.api.calls import api
from manyeyes.api.document import document
from manyeyes.cases.models import Case, Message, Report
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid
from tests import marker, people
from tests.api.conftest import V1, Caller
from tests.api.test_researcher import report
from tests.people import Cast
from tests.portal.test_report import answers

Calls = Callable[..., Caller]
KEY = "Idempotency-Key"


def problem(answer: Any, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:manyeyes:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def test_a_date_at_the_end_of_the_calendar_is_refused_by_its_field(cast: Cast, calls: Calls) -> None:
    case = people.make_case(cast, at="triaged")
    refused = calls("rhea").post(f"/cases/{case.ref}/embargo/proposal", {"until": "9999-12-31"})
    assert "Choose one up to" in problem(refused, 422, "invalid")["fields"]["until"]
    assert not case.embargoes.exists()


def test_every_refusal_is_a_problem(cast: Cast, calls: Calls) -> None:
    nobody, rhea = calls("nobody"), calls("rhea")
    reports = f"/programs/{cast.program.slug}/reports"
    problem(nobody.get("/nothing"), 404, "absent")
    problem(nobody.get(""), 404, "absent")
    problem(nobody.get("/cases"), 401, "unauthenticated")
    assert nobody.get("/cases")["WWW-Authenticate"] == "Bearer"
    wrong = problem(nobody.get("/me/", Authorization="Bearer mey_wrong"), 404, "absent")
    assert "mey_wrong" not in str(wrong)
    problem(nobody.get("/me", Authorization="Bearer mey_wrong"), 401, "unauthenticated")
    problem(nobody.post(reports, report(cast), Authorization="Bearer mey_wrong"), 401, "unauthenticated")
    problem(calls("rhea", "read").post(reports, report(cast)), 403, "not-allowed")
    stopped = nobody.client.delete(f"{V1}/programs")
    problem(stopped, 405, "method-not-allowed")
    assert stopped["Allow"] == "GET, HEAD, OPTIONS"
    problem(nobody.client.post(f"{V1}{reports}", b"{broken", content_type="application/json"), 400, "bad-request")
    problem(nobody.client.post(f"{V1}{reports}", b"a=b", content_type="text/plain"), 415, "unsupported-media-type")
    problem(nobody.client.post(f"{V1}{reports}", b"x" * 6_100_000, content_type="application/json"), 413, "too-large")
    case = people.submit(cast)
    problem(rhea.post(f"/cases/{case.ref}/answer", {"text": "Nobody asked."}), 409, "conflict")
    cut = problem(nobody.get("/programs?cursor=nonsense"), 422, "invalid")
    assert set(cut["fields"]) == {"cursor"}
    assert set(problem(nobody.get("/programs?limit=1000"), 422, "invalid")["fields"]) == {"limit"}


def test_what_is_wrong_is_said_field_by_field_and_not_repeated(cast: Cast, calls: Calls) -> None:
    path = f"/programs/{cast.program.slug}/reports"
    bad = {**report(cast, claim_k=11, anonymous=True), "title": people.SECRET * 20, "strange": people.SECRET}
    told = problem(calls("nobody").post(path, bad), 422, "invalid")
    assert {"title", "strange"} <= {name.split(".")[-1] for name in told["fields"]}
    assert people.SECRET not in str(told)
    told = problem(calls("nobody").post(path, report(cast, claim_k=11, anonymous=True)), 422, "invalid")
    assert "claim" in told["fields"]
    told = problem(calls("nobody").post(path, report(cast)), 422, "invalid")
    assert "contact" in told["fields"]
    told = problem(calls("nobody").post(path, report(cast, anonymous=True, answers={"no": "such"})), 422, "invalid")
    assert "answers.no" in told["fields"]
    assert not Case.objects.exists()


def test_a_failure_of_ours_says_nothing(cast: Cast, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise ValueError(f"cannot use {kwargs} {people.SECRET}")

    monkeypatch.setattr("manyeyes.cases.intake.submit", broken)
    answer = calls("nobody").post(f"/programs/{cast.program.slug}/reports", report(cast, anonymous=True))
    problem(answer, 500, "failure")
    assert b"ValueError" not in answer.content
    assert people.SECRET.encode() not in answer.content


def test_cookies_open_nothing(cast: Cast) -> None:
    case = people.submit(cast)
    browser = Client()
    browser.force_login(cast.rhea)
    assert browser.get(f"{V1}/cases/{case.ref}").status_code == 401
    answer = browser.post(
        f"{V1}/cases/{case.ref}/withdrawal",
        b"{}",
        content_type="application/json",
        headers={"Origin": "https://x.example"},
    )
    assert answer.status_code == 401
    case.refresh_from_db()
    assert case.status == "new"
    assert not answer.cookies


def test_each_scope_opens_its_own(cast: Cast, calls: Calls) -> None:
    case = people.submit(cast)
    path, words = f"/cases/{case.ref}", {"text": "A word."}
    for scope, expected in (("read", (200, 403, 403)), ("write", (403, 201, 403)), ("report", (403, 403, 201))):
        rhea = calls("rhea", scope)
        sent = rhea.post(f"/programs/{cast.program.slug}/reports", report(cast))
        assert (
            rhea.get(path).status_code,
            rhea.post(f"{path}/messages", words).status_code,
            sent.status_code,
        ) == expected


def test_a_token_ends(cast: Cast) -> None:
    row, text = tokens.issue(cast.rhea, name="a", scopes=["read"], days=1)
    caller = Caller(text)
    assert caller.get("/me").json()["scopes"] == ["read"]
    row.refresh_from_db()
    assert row.last_used_at is not None
    row.expires_at = clock.now() - timedelta(seconds=1)
    row.save()
    assert caller.get("/me").status_code == 401
    _, other = tokens.issue(cast.rhea, name="b", scopes=["read"], days=1)
    cast.rhea.is_active = False
    cast.rhea.save()
    assert Caller(other).get("/me").status_code == 401


def test_a_token_is_kept_as_a_keyed_hash(cast: Cast) -> None:
    _, text = tokens.issue(cast.rhea, name="quokka computer", scopes=["read"], days=1)
    assert marker.find_in_database(text, connection) == []
    assert marker.find_in_database("quokka computer", connection) == []
    assert ApiToken.objects.get().name == "quokka computer"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"name": " "}, "name"), ({"name": "x" * 61}, "name"), ({"scopes": []}, "scopes"), ({"scopes": ["all"]}, "scopes"),
     ({"days": 400}, "days")],
)  # fmt: skip
def test_a_token_that_makes_no_sense_is_refused(cast: Cast, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        tokens.issue(cast.rhea, **{"name": "a", "scopes": ["read"], "days": 1, **changes})
    assert set(refused.value.fields) == {field}


def test_the_page_of_tokens_shows_one_once_and_ends_it(cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.rhea)
    made = browser.post("/my/tokens/", {"name": "a <b>", "scopes": ["read", "write"], "days": "30"})
    assert made.status_code == 201
    text = made.content.decode().split("data-token>")[1].split("<")[0]
    caller = Caller(text)
    assert caller.get("/me").json()["scopes"] == ["read", "write"]
    page = browser.get("/my/tokens/").content.decode()
    assert text not in page
    assert "a &lt;b&gt;" in page
    assert "never used" not in page
    assert browser.post("/my/tokens/", {"name": "", "days": "30"}).status_code == 422
    row = ApiToken.objects.get()
    eve = Client()
    eve.force_login(cast.eve)
    assert eve.post(f"/my/tokens/{row.pk}/revoke/").status_code == 404
    assert caller.get("/me").status_code == 200
    assert browser.post(f"/my/tokens/{row.pk}/revoke/").status_code == 302
    assert caller.get("/me").status_code == 401


def test_the_same_key_gives_the_same_answer_and_does_nothing_twice(cast: Cast, calls: Calls) -> None:
    case, rhea = people.submit(cast), calls("rhea")
    path = f"/cases/{case.ref}/messages"
    first = rhea.post(path, {"text": "Once."}, **{KEY: "k-1"})
    again = rhea.post(path, {"text": "Once."}, **{KEY: "k-1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again["Idempotent-Replay"] == "true"
    assert Message.objects.count() == 1
    told = problem(rhea.post(path, {"text": "Other."}, **{KEY: "k-1"}), 422, "invalid")
    assert set(told["fields"]) == {KEY}
    problem(rhea.post(f"/cases/{case.ref}/withdrawal", {}, **{KEY: "k-1"}), 422, "invalid")
    assert calls("rhea").post(path, {"text": "Once."}, **{KEY: "k-1"}).json()["id"] != first.json()["id"]
    file = rhea.upload(f"/cases/{case.ref}/files", b"a recording", **{KEY: "k-2"}).json()
    assert rhea.upload(f"/cases/{case.ref}/files", b"a recording", **{KEY: "k-2"}).json() == file
    assert rhea.upload(f"/cases/{case.ref}/files", b"another", **{KEY: "k-2"}).status_code == 422


def test_a_report_with_a_key_is_one_report_and_its_receipt_is_not_kept(cast: Cast, calls: Calls) -> None:
    nobody, path = calls("nobody"), f"/programs/{cast.program.slug}/reports"
    first = nobody.post(path, report(cast, anonymous=True), **{KEY: "k-1"}).json()
    again = nobody.post(path, report(cast, anonymous=True), **{KEY: "k-1"}).json()
    assert again["ref"] == first["ref"]
    assert Report.objects.count() == 1
    assert all(not row.sealed_body for row in KeptAnswer.objects.all())
    problem(nobody.post(path, report(cast, anonymous=True, impact="Other."), **{KEY: "k-1"}), 422, "invalid")
    problem(nobody.post(path, report(cast), **{KEY: "k-2"}), 422, "invalid")
    mended = nobody.post(path, report(cast, anonymous=True, title="Mended"), **{KEY: "k-2"})
    assert mended.status_code == 201, "what was refused can be mended and sent under the same key"


def test_answers_kept_are_encrypted_and_end_after_a_day(cast: Cast) -> None:
    def work() -> resends.Answered:
        return 201, people.SECRET.encode()

    assert resends.once("rhea", "k", "content", work) == ((201, people.SECRET.encode()), False)
    assert resends.once("rhea", "k", "content", work) == ((201, people.SECRET.encode()), True)
    assert marker.find_in_database(people.SECRET, connection) == []
    KeptAnswer.objects.update(at=clock.now() - timedelta(hours=25))
    assert resends.once("rhea", "k", "other content", work)[1] is False
    assert KeptAnswer.objects.count() == 1


def test_a_request_under_way_is_not_done_beside_itself(cast: Cast) -> None:
    def inner() -> resends.Answered:
        with pytest.raises(resends.Conflict):
            resends.once("rhea", "k", "content", lambda: (200, b"second"))
        return 200, b"first"

    assert resends.once("rhea", "k", "content", inner)[0] == (200, b"first")


def test_a_lost_request_may_be_sent_again(cast: Cast) -> None:
    with pytest.raises(ZeroDivisionError):
        resends.once("rhea", "k", "content", lambda: (1 // 0, b""))
    assert resends.once("rhea", "k", "content", lambda: (500, b""))[1] is False
    assert resends.once("rhea", "k", "wrong content", lambda: (422, b""))[1] is False
    assert resends.once("rhea", "k", "content", lambda: (200, b"done"))[1] is False


def test_too_many_calls_are_told_when_to_go_on(cast: Cast, calls: Calls, settings: Any) -> None:
    settings.MANYEYES_API_CALLS_PER_HOUR = 3
    nobody, rhea = calls("nobody"), calls("rhea")
    for _ in range(3):
        assert nobody.get("/programs").status_code == 200
    stopped = nobody.get("/programs")
    problem(stopped, 429, "too-many-requests")
    assert 0 < int(stopped["Retry-After"]) <= 3600
    assert rhea.get("/programs").status_code == 200, "a token is counted by itself"


def test_receipts_cannot_be_tried_without_end(cast: Cast, calls: Calls) -> None:
    answers = [calls("nobody").post("/tokens/receipt", {"digits": f"{n:024d}"}) for n in range(31)]
    said = [next(iter(one.json()["fields"].values())) for one in answers]
    assert {one.status_code for one in answers} == {422}
    assert len(set(said[:30])) == 1
    assert "Too many tries" in said[30]


def test_a_flood_waits_in_a_tray_and_is_not_refused(cast: Cast, calls: Calls, settings: Any) -> None:
    settings.MANYEYES_REPORTS_PER_HOUR = 1
    path = f"/programs/{cast.program.slug}/reports"
    sent = [calls("nobody").post(path, report(cast, anonymous=True)) for _ in range(2)]
    assert {one.status_code for one in sent} == {201}
    deferred = [Case.objects.get(ref=one.json()["ref"]).deferred_at is not None for one in sent]
    assert deferred == [False, True]


def test_one_budget_of_reports_counts_every_face(cast: Cast, calls: Calls, settings: Any) -> None:
    settings.MANYEYES_REPORTS_PER_HOUR = 1
    first = calls("nobody").post(f"/programs/{cast.program.slug}/reports", report(cast, anonymous=True))
    assert first.status_code == 201
    sent = Client().post(f"/p/{cast.program.slug}/report/", answers(cast, title="By the form"))
    assert sent.status_code == 201
    assert [case.deferred_at is not None for case in Case.objects.order_by("created_at")] == [False, True]


def test_head_and_options(cast: Cast, calls: Calls) -> None:
    client = calls("nobody").client
    assert client.head(f"{V1}/programs").status_code == 200
    asked = client.options(f"{V1}/programs")
    assert (asked.status_code, asked["Allow"]) == (204, "GET, HEAD, OPTIONS")
    assert "Access-Control-Allow-Origin" not in asked


def test_the_document_names_every_address_and_the_page_shows_them(cast: Cast, calls: Calls) -> None:
    found = calls("nobody").get("/openapi.json").json()
    assert len(found["paths"]) > 25
    for item in found["paths"].values():
        for method, operation in item.items():
            assert operation["description"]
            refusals = {status for status in operation["responses"] if int(status) >= 400}
            assert {"400", "404", "405", "429", "500"} <= refusals
            assert all("application/problem+json" in operation["responses"][status]["content"] for status in refusals)
            assert method != "post" or any(row["name"] == KEY for row in operation["parameters"])
    page = Client().get("/api/").content.decode()
    assert "<script" not in page.replace('<script src="/static/', "")
    assert all(path in page for path in found["paths"])


def test_nothing_that_was_sent_lies_in_the_clear(cast: Cast, calls: Calls) -> None:
    mark, rhea = "quokka-märz-4711", calls("rhea")
    body = report(cast, title=f"T {mark}", happened=f"H {mark}", own_ref=mark, seen={"surface": mark}, own_band="Low",
                  own_why=mark)  # fmt: skip
    ref = rhea.post(f"/programs/{cast.program.slug}/reports", body, **{KEY: f"key-{people.SECRET}"}).json()["ref"]
    rhea.post(f"/cases/{ref}/messages", {"text": mark}, **{KEY: "k"})
    rhea.upload(f"/cases/{ref}/files", mark.encode(), f"{mark}.txt", **{KEY: "k2"})
    assert mark in str(rhea.get(f"/cases/{ref}/report").json())
    for secret in (mark, people.SECRET, rhea.token):
        assert marker.find_in_database(secret, connection) == []


def test_whatever_takes_parameters_says_that_it_may_refuse_them() -> None:
    for path, item in document(api)["paths"].items():
        for method, operation in item.items():
            if any(row["in"] in ("query", "header") for row in operation.get("parameters", ())):
                assert "422" in operation["responses"], f"{method} {path}"
