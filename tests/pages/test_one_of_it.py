"""No page says "1 trials": a count in a sentence brings both forms along."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import manyeyes

TEMPLATES = sorted((Path(manyeyes.__file__).parent / "templates").rglob("*.html"))
NOUNS = "trials|calls|answers|tries|wordings|questions|rows|times|findings|files|hours|days|reports|cases|people|labels"
SAID = re.compile(r"{%\s*blocktranslate(?P<head>[^%]*)%}(?P<text>.*?){%\s*endblocktranslate\s*%}", re.S)
COUNT = re.compile(r"{{\s*\w+\s*}}(?:</b>)? (?:[a-z]+ )?(?:" + NOUNS + r")\b")
ALWAYS_SEVERAL = ("{{ expected }} trials", "of the {{ n }} scored trials", "{{ hours }} hours a week")
"""Averages, and counts that come of several trials."""


@pytest.mark.parametrize("page", TEMPLATES, ids=lambda page: "/".join(page.parts[-2:]))
def test_a_count_brings_both_forms_along(page: Path) -> None:
    wrong = [
        said["text"]
        for said in SAID.finditer(page.read_text())
        if COUNT.search(said["text"])
        and " count " not in said["head"]
        and not any(usual in said["text"] for usual in ALWAYS_SEVERAL)
    ]
    assert wrong == []
