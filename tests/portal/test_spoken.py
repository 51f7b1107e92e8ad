"""Every word of the report pages goes through gettext: with a made-up language in place, no plain English is left."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import translation

from tests.people import Cast
from tests.portal.test_report import PAGE, answers

OPEN, CLOSE = "⟦", "⟧"
WORD = re.compile(r"[A-Za-z]{3,}")
DATA = (
    "Wicket", "Larkfield", "security.txt", "UTC", "The assistant tells its internal code to anyone who asks",
    "What is the internal code?", "It told me the code.", "Anybody may act as staff.", "manyeyes",
    "The support assistant Wicket", "hello", "testserver/return/",
)  # fmt: skip
"""What people wrote, names, and words that are the same in every language."""


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language in which every translated line stands between brackets, whatever is filled into it."""
    cache.clear()
    real = translation._trans

    def one(message: str) -> str:
        return f"{OPEN}{message}{CLOSE}" if message.strip() else message

    def many(singular: str, plural: str, number: int) -> str:
        return one(singular if number == 1 else plural)

    monkeypatch.setattr(real, "gettext", one)
    monkeypatch.setattr(real, "ngettext", many)
    monkeypatch.setattr(real, "pgettext", lambda context, message: one(message))
    monkeypatch.setattr(real, "npgettext", lambda context, singular, plural, number: many(singular, plural, number))


def plain(page: str) -> list[str]:
    """The words of a page that no translation saw, outside of what people wrote."""
    body = page.partition("<body")[2].partition(">")[2]
    body = re.sub(r"<(script|style|pre|time)\b.*?</\1>", " ", body, flags=re.S)
    spoken = re.findall(r'(?:aria-label|placeholder|title|alt)="([^"]*)"', body)
    seen = [html.unescape(one) for one in (re.sub(r"<[^>]*>", "\n", body), *spoken)]
    left = []
    for text in seen:
        kept = 0
        while kept != len(text):  # from the inside out: a line may be filled into another
            kept = len(text)
            text = re.sub(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}", " ", text)
        for known in DATA:
            text = text.replace(known, " ")
        text = re.sub(r"\bME-[0-9A-Z]{4}-[0-9A-Z]{4}\b", " ", text)
        left += [line.strip() for line in text.split("\n") if WORD.search(line)]
    return left


def fetched(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content.decode()[:500]
    return str(response.content.decode())


def test_the_form(cast: Cast) -> None:
    assert plain(fetched(Client().get(PAGE))) == []


def test_the_form_with_its_problems(cast: Cast) -> None:
    wrong = {
        "title": "",
        "claim_k": "12",
        "claim_n": "3",
        "publish_on": "soon",
        "conversation": "hello",
        "vuln_class": "",
    }
    assert plain(fetched(Client().post(PAGE, {**answers(cast, **wrong), "counted": "counted"}), 422)) == []


def test_the_receipt(cast: Cast) -> None:
    assert plain(fetched(Client().post(PAGE, answers(cast)), 201)) == []


@pytest.mark.parametrize("path", ["/p/wicket/report/stop/", "/return/"])
def test_pages_beside_it(cast: Cast, path: str) -> None:
    assert plain(fetched(Client().get(path))) == []


def test_the_look_sees_plain_english() -> None:
    page = (
        f'<body class=""><p>{OPEN}Said {OPEN}inside{CLOSE} here{CLOSE}</p><p>Not said</p><a aria-label="Nor this">x</a>'
    )
    assert plain(page) == ["Not said", "Nor this"]
