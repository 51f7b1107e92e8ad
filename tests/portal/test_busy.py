"""A database that stays locked, or is away for a moment: told as 503 with a time to come back, wherever it happens."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import IntegrityError, OperationalError
from django.test import Client

from manyeyes import http
from tests import people
from tests.journeys.site import REPORT

pytestmark = pytest.mark.django_db


def raised(cause: BaseException | None) -> OperationalError:
    """As Django passes a driver's error on."""
    try:
        raise OperationalError("database is locked") from cause
    except OperationalError as error:
        return error


def of_sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "busy"),
    [
        (raised(of_sqlite(sqlite3.SQLITE_BUSY)), True),
        (raised(of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT)), True),
        (raised(of_sqlite(sqlite3.SQLITE_IOERR)), False),
        (raised(of_sqlite(sqlite3.SQLITE_ERROR)), False),
        (raised(psycopg.errors.DeadlockDetected("deadlock")), True),
        (raised(psycopg.errors.LockNotAvailable("lock")), True),
        (raised(psycopg.OperationalError("the connection is closed")), True),
        (raised(psycopg.errors.UndefinedTable("no such table")), False),
        (raised(None), False),
        (IntegrityError("unique"), False),
        (None, False),
    ],
)
def test_which_failures_pass_by_themselves(error: BaseException | None, busy: bool) -> None:
    assert http.database_busy(error) is busy


def locked(*args: Any, **kwargs: Any) -> None:
    raise raised(of_sqlite(sqlite3.SQLITE_BUSY))


def test_the_report_form_keeps_what_was_typed(cast: people.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manyeyes.cases.intake.submit", locked)
    form = {**REPORT, "target": str(cast.target.pk), "identity": "anonymous", "action": "send"}
    answer = Client().post(f"/p/{cast.program.slug}/report/", form)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Not sent" in answer.content.decode()
    assert REPORT["steps"] in answer.content.decode()


def test_other_faces_say_when_to_come_back(cast: people.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manyeyes.accounts.receipts.person_for", locked)
    page = Client().post("/return/", {"digits": "1" * 24})
    api = Client().post("/api/v1/tokens/receipt", {"digits": "1" * 24}, content_type="application/json")
    for answer in (page, api):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
    assert api.json()["type"] == "urn:manyeyes:problem:busy"


@pytest.mark.parametrize("creates", [True, False])
def test_a_session_that_cannot_be_stored_is_no_fault_of_the_sender(
    cast: people.Cast, monkeypatch: pytest.MonkeyPatch, creates: bool
) -> None:
    """The report is stored by then: 400 would say that it is not, and 500 would not say that sending again helps."""
    kept = SessionStore.save

    def save(self: SessionStore, must_create: bool = False) -> None:
        with monkeypatch.context() as here:
            if must_create is creates:
                here.setattr("django.db.models.Model.save_base", locked)
            kept(self, must_create)

    form = {**REPORT, "target": str(cast.target.pk), "identity": "anonymous", "action": "send",
            "submission": "5e1f3a52-0d1c-4b8e-9a55-1f0f6f8f7d11"}  # fmt: skip
    browser = Client(raise_request_exception=False)
    monkeypatch.setattr(SessionStore, "save", save)
    first = browser.post(f"/p/{cast.program.slug}/report/", form)
    assert first.status_code == 503
    assert "never stored twice" in first.content.decode()
    monkeypatch.undo()
    again = Client().post(f"/p/{cast.program.slug}/report/", form)
    assert again.status_code == 201
    assert cast.program.cases.count() == 1
