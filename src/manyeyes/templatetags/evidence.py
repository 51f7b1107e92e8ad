"""Pictures of a replay for both faces: from `replays.evidence` to the plain numbers that `charts` draws."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from manyeyes.charts import pictures
from manyeyes.charts.table import SameTable
from manyeyes.rules import sentences
from manyeyes.rules.claims import claim_words
from manyeyes.rules.numerals import interval_words
from manyeyes.rules.sentences import before_of, check_sentence, headline, part_words, verdict_sentence
from manyeyes.runs.again import command as again_command

register = template.Library()


@register.simple_tag
def sentence(evidence: Any) -> str:
    """`{% sentence evidence %}`: the verdict as a paragraph, with the setting it speaks of; empty without one."""
    if not evidence.verdict:
        return ""
    where = evidence.rated["words"] if evidence.rated else ""
    return verdict_sentence(evidence.verdict, where=where, plan=evidence.plan.to_json())


@register.simple_tag
def beside_claim(evidence: Any) -> str:
    """`{% beside_claim evidence %}`: the researcher's count held against the measured one; empty without a count."""
    if not evidence.claim:
        return ""
    rated, verdict = evidence.rated, evidence.verdict
    return claim_words(evidence.claim, rated if rated and rated["n"] else verdict)


@register.simple_tag
def again(evidence: Any, case: Any, inside: Any = False) -> str:
    """`{% again evidence case inside %}`: the command that makes it again; addresses of ours for the team alone."""
    return again_command(evidence.document, file=f"{case.ref}.poc.yaml", addresses=bool(inside))


@register.simple_tag
def heat(evidence: Any) -> tuple[str, SameTable] | None:
    """`{% heat evidence as chart %}`: the settings of the fixed-n part as a map, or None where there is none."""
    return pictures.settings_picture(evidence.settings)


@register.simple_tag
def grown(evidence: Any) -> tuple[str, SameTable] | None:
    """`{% grown evidence as chart %}`: how the evidence grew, trial by trial."""
    question = evidence.verdict["question"] if evidence.verdict else ""
    return pictures.growth_picture(question, evidence.path, evidence.threshold)


@register.simple_tag
def known(evidence: Any) -> tuple[str, SameTable] | None:
    """`{% known evidence as chart %}`: how well the rate is known after each trial, with the outcomes below."""
    claim = evidence.claim
    claimed = (claim["k"], claim["n"]) if claim else None
    return pictures.knowledge_picture(evidence.path, evidence.outcomes, claimed=claimed)


@register.filter
def ticks(outcomes: Iterable[str]) -> list[bool | None]:
    """Outcomes as the strip wants them: True, False, None for undecided."""
    return pictures.ticks(outcomes)


@register.simple_tag
def before_after(evidence: Any) -> tuple[str, SameTable] | None:
    """`{% before_after evidence as chart %}`: each part of the test set before and after the fix."""
    if not evidence.parts:
        return None
    before = before_of(evidence.verdict, evidence.plan.to_json())
    return pictures.parts_picture(evidence.verdict, before=before, tau=evidence.plan.tau)


@register.filter
def hits(outcomes: Iterable[str]) -> int:
    """`{{ evidence.outcomes|hits }}`: how many of them were successes."""
    return sum(word == "success" for word in outcomes)


@register.filter
def verdict_words(said: str) -> SafeString:
    """`{{ entry.sentence|verdict_words }}`: a verdict's paragraph, its word up to the colon in bold."""
    head, colon, rest = said.partition(":")
    return format_html("<b>{}{}</b>{}", head, colon, rest) if colon else format_html("{}", said)


@register.filter
def check_words(check: dict[str, Any]) -> str:
    """`{{ check|check_words }}`: what was looked at and what came of it."""
    return check_sentence(check)


@register.filter
def part_name(part: str) -> str:
    """`{{ part.part|part_name }}`: a part of the test set as people call it."""
    return part_words(part).capitalize()


@register.filter
def between(row: dict[str, Any]) -> str:
    """`{{ row|between }}`: where the true rate lies."""
    return interval_words(row["low"], row["high"])


@register.filter
def rate_words(row: dict[str, Any]) -> str:
    """`{{ row|rate_words }}`: 28 of 30, 93 % (78 to 99 %)."""
    return sentences.rate_words(row)


@register.simple_tag
def versions(statements: Iterable[Any], finding: Any, case: Any) -> dict[str, Any]:
    """`{% versions statements finding case as grid %}`: every version's counts by kind of wording, the oldest first."""
    tested = [one for one in statements if one.verdict]
    heads = [{"label": one.fix.version.label, "word": headline(one.verdict), "good": one.holds} for one in tested]
    names = list(dict.fromkeys(part["part"] for one in tested for part in one.verdict["parts"]))
    columns = [{part["part"]: _counted(part) for part in one.verdict["parts"] if part["n"]} for one in tested]
    if finding is not None and finding.rated:
        label = case.target_version.label if case.target_version else "reported"
        heads.insert(0, {"label": label, "word": headline(finding.verdict), "good": False})
        columns.insert(0, {"reported": _counted(finding.rated)})
    rows = [
        {"name": part_words(name).capitalize(), "cells": [column.get(name) for column in columns]} for name in names
    ]
    return {"heads": heads, "rows": rows}


def _counted(row: dict[str, Any]) -> dict[str, Any]:
    return {**{name: row[name] for name in ("k", "n", "low", "high")}, "passes": row["k"] > 0}
