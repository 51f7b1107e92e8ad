"""What waits about the severity of a case."""

from __future__ import annotations

from typing import Any

from django import template

from manyeyes.cases import codes, disputes, rescoring
from manyeyes.rules.numerals import interval_words

register = template.Library()


@register.simple_tag
def about_severity(case: Any) -> dict[str, Any]:
    """`{% about_severity case as about %}`: proposals and words against the rating that wait, the researcher's own."""
    return {"proposals": rescoring.waiting(case), "dispute": disputes.waiting(case), "own": disputes.own(case)}


@register.simple_tag
def codes_of(case: Any) -> list[Any]:
    """`{% codes_of case as codes %}`: the codes of public catalogues on a case."""
    return codes.chosen(case)


@register.filter
def span(ends: tuple[float, float]) -> str:
    """Both ends of an interval of a rate, in per cent."""
    return interval_words(*ends)
