"""Settings that cannot be used say which and why; logs hold nothing of what was sent."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory

from manyeyes import http
from manyeyes import settings as switches
from manyeyes.logs import NoContent


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("MANYEYES_EMAIL_PASSWORD_FILE", str(tmp_path / "secret"))
    assert switches.env("EMAIL_PASSWORD") == "from the file"
    monkeypatch.setenv("MANYEYES_EMAIL_PASSWORD_FILE", str(tmp_path / "absent"))
    with pytest.raises(ImproperlyConfigured, match=r"MANYEYES_EMAIL_PASSWORD_FILE: .*absent cannot be read"):
        switches.env("EMAIL_PASSWORD")


@pytest.mark.parametrize("given", ["many", "-1", "1.5", ""])
def test_a_number_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("MANYEYES_REPORTS_PER_HOUR", given)
    with pytest.raises(ImproperlyConfigured, match=r"MANYEYES_REPORTS_PER_HOUR: .* give one such as 30"):
        switches.number("REPORTS_PER_HOUR", 30)


def said(name: str, message: str, *args: object) -> str:
    record = logging.LogRecord(name, logging.WARNING, __file__, 1, message, args, None)
    NoContent().filter(record)
    return record.getMessage()


def test_a_broken_request_is_logged_without_sender_and_content() -> None:
    text = said("gunicorn.error", "Invalid request from ip=198.51.100.7: bad line 'GET BLUE-HERON-42'")
    assert "198.51" not in text
    assert "HERON" not in text
    assert said("gunicorn.error", "Worker exiting (pid: %s)", 7) == "Worker exiting (pid: 7)"


def test_the_theme_is_set_from_our_own_pages_only(db: None) -> None:
    client = Client()
    refused = client.post("/theme/", {"theme": "dark"}, headers={"origin": "https://elsewhere.example"})
    assert refused.status_code == 403
    assert "manyeyes_theme" not in refused.cookies
    taken = client.post("/theme/", {"theme": "dark", "next": "//elsewhere.example/"})
    assert (taken.status_code, taken.headers["Location"]) == (302, "/")
    assert taken.cookies["manyeyes_theme"].value == "dark"


def test_a_limit_survives_a_cache_that_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgotten(key: str, *args: Any) -> int:
        raise ValueError(key)

    request = RequestFactory().post("/")
    monkeypatch.setattr(cache, "incr", forgotten)
    assert http.within_limit(request, "report", 1)
