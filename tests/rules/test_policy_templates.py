"""The three policies to start from keep the promises that the linter asks of others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from manyeyes.rules.policy_document import Document, ScopeLine
from manyeyes.rules.policy_lint import lint
from manyeyes.rules.policy_templates import SECTIONS, TEMPLATES, fill
from manyeyes.rules.readability import plain, words

PROMISES = {"organisation": "Larkfield", "first_response_hours": 48, "decision_days": 10, "embargo_days": 90}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_short_plain_and_whole(name: str) -> None:
    found = lint(fill(name, **PROMISES))  # type: ignore[arg-type]
    assert found.measured.words <= 900
    assert found.measured.flesch is not None
    assert found.measured.flesch >= 45
    assert found.measured.grade is not None
    assert found.measured.grade <= 11
    assert found.maturity == 5
    assert [finding for finding in found.findings if finding.level != "note"] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_short_as_it_is_published(name: str) -> None:
    """With its title, headings, a system in scope and the promises in figures, as the linter counts it."""
    line = ScopeLine(
        system="Wicket", text="The assistant in the app and its API", reached="app, API", reward="€500 to €15,000",
        marker="header", marker_word="research-7k3fq2",
    )  # fmt: skip
    texts = fill(name, **PROMISES)  # type: ignore[arg-type]
    terms = {"first_response_hours": 48, "decision_hours": 240, "embargo_days": 90, "pays": name == "bounty"}
    whole = Document(
        organisation="Larkfield", program="Wicket", number=1, published_at=datetime(2026, 11, 23, tzinfo=UTC),
        texts=texts, scope=[line], terms=terms,
    ).markdown()  # fmt: skip
    found = lint(texts, terms=terms, systems=1, published=whole)
    assert lint(texts).measured.words < found.measured.words <= 900
    assert found.measured.words == len(words(plain(whole)))
    assert found.measured.minutes < 4
    assert [finding for finding in found.findings if finding.level != "note"] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_has_every_section_filled_in(name: str) -> None:
    filled = fill(name, **PROMISES)  # type: ignore[arg-type]
    assert list(filled) == list(SECTIONS)
    assert all(text.strip() and "{" not in text for text in filled.values())


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(KeyError):
        fill("gold", **PROMISES)  # type: ignore[arg-type]
