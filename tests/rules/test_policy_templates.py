"""The three policies to start from keep the promises that the linter asks of others."""

from __future__ import annotations

import pytest

from manyeyes.rules.policy_lint import lint
from manyeyes.rules.policy_templates import SECTIONS, TEMPLATES, fill

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
def test_every_template_has_every_section_filled_in(name: str) -> None:
    filled = fill(name, **PROMISES)  # type: ignore[arg-type]
    assert list(filled) == list(SECTIONS)
    assert all(text.strip() and "{" not in text for text in filled.values())


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(KeyError):
        fill("gold", **PROMISES)  # type: ignore[arg-type]
