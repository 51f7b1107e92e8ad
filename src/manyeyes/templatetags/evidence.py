"""Pictures of a replay for both faces: from `replays.evidence` to the plain numbers that `charts` draws."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from manyeyes import charts
from manyeyes.charts import SameTable
from manyeyes.engine import exact_interval
from manyeyes.rules.numerals import percent
from manyeyes.rules.sentences import headline, part_words, verdict_sentence

register = template.Library()

CLAIMS = {"reproduce": ("reproduced", "not_reproduced"), "verify": ("holds", "fails")}
LINES = {"reproduced": "reproduced", "holds": "fix holds"}
AGAINST = {"reproduced": "evidence against", "holds": "against the fix"}


@register.simple_tag
def sentence(evidence: Any) -> str:
    """`{% sentence evidence %}`: the verdict as a paragraph, with the setting it speaks of; empty without one."""
    if not evidence.verdict:
        return ""
    where = evidence.rated["words"] if evidence.rated else ""
    return verdict_sentence(evidence.verdict, where=where, plan=evidence.plan.to_json())


@register.simple_tag
def heat(evidence: Any) -> tuple[str, SameTable] | None:
    """`{% heat evidence as chart %}`: the settings of the fixed-n part as a map, or None where there is none."""
    rows = [row for row in evidence.settings if row["n"]]
    if not rows:
        return None
    temperatures = sorted({_knob(row, "temperature") for row in rows})
    tokens = sorted({_knob(row, "max_tokens") for row in rows}, reverse=True)
    panels = []
    for system in dict.fromkeys(str(row["parameters"].get("system") or "as deployed") for row in rows):
        mine = [row for row in rows if str(row["parameters"].get("system") or "as deployed") == system]
        found = {(_knob(row, "max_tokens"), _knob(row, "temperature")): _cell(row, mine) for row in mine}
        grid = [[found.get((length, heat)) for heat in temperatures] for length in tokens]
        panels.append(
            charts.Panel(name=f"Prompt: {system}" if system != "as deployed" else "Prompt as deployed", rows=grid)
        )
    title = f"Success rate by temperature and token limit, {len(rows)} settings"
    return charts.heat_map(
        panels, temperatures=[_shown(one) for one in temperatures], tokens=[_shown(one) for one in tokens], title=title
    )


def _knob(row: dict[str, Any], name: str) -> float:
    value = row["parameters"].get(name)
    return -1.0 if value is None else float(value)


def _shown(value: float) -> str:
    return "unknown" if value < 0 else f"{value:g}"


def _cell(row: dict[str, Any], rows: list[dict[str, Any]]) -> charts.Cell:
    open_rows = [one for one in rows if not one["one_answer"]]
    worst = max(open_rows, key=lambda one: one["k"] / one["n"], default=None)
    mark = ""
    if worst is not None and not row["one_answer"] and row["k"]:
        mark = "worst" if row is worst else "maybe" if row["high"] >= worst["low"] else ""
    return charts.Cell(
        k=row["k"], n=row["n"], low=row["low"], high=row["high"], one_answer=row["one_answer"], mark=mark
    )


@register.simple_tag
def grown(evidence: Any) -> tuple[str, SameTable] | None:
    """`{% grown evidence as chart %}`: how the evidence grew, trial by trial."""
    claim, against = CLAIMS.get(evidence.verdict["question"], ("", "")) if evidence.verdict else ("", "")
    if not evidence.path or not claim:
        return None
    points = [
        charts.PathPoint(
            n=point.n, evidence=point.evalues[claim], hit=point.success, against=point.evalues.get(against)
        )
        for point in evidence.path
        if claim in point.evalues
    ]
    if not points:
        return None
    return charts.evidence_path(points, evidence.threshold, LINES[claim], AGAINST[claim], fix=claim == "holds")


@register.simple_tag
def known(evidence: Any) -> tuple[str, SameTable] | None:
    """`{% known evidence as chart %}`: how well the rate is known after each trial, with the outcomes below."""
    if not evidence.path:
        return None
    points = [charts.FunnelPoint(n=point.n, k=point.k, low=point.low, high=point.high) for point in evidence.path]
    claim = evidence.claim
    return charts.funnel(points, ticks(evidence.outcomes), claimed=(claim["k"], claim["n"]) if claim else None)


@register.filter
def ticks(outcomes: Iterable[str]) -> list[bool | None]:
    """Outcomes as the strip wants them: True, False, None for undecided."""
    return [None if word == "undecided" else word == "success" for word in outcomes]


@register.simple_tag
def before_after(evidence: Any) -> tuple[str, SameTable] | None:
    """`{% before_after evidence as chart %}`: each part of the test set before and after the fix."""
    if not evidence.parts:
        return None
    before, verdict = evidence.plan.before, evidence.verdict
    rows = []
    if verdict["verdict"] != "symptom_patched" and verdict["bound"] is not None:
        # The parts alone are too few to reach the target; what the verdict is about stands first.
        rows.append(
            charts.BeforeAfter(
                label="All wordings, mixed",
                note="what the verdict is about",
                after=(verdict["k"], verdict["n"]) if verdict["n"] else None,
                after_bound=min(1.0, verdict["bound"]),
            )
        )
    for part in evidence.parts:
        was = None
        if before and part["part"] == "reported":
            low, high = exact_interval(*before)
            was = (before[0], before[1], low, high)
        rows.append(
            charts.BeforeAfter(
                label=part_words(part["part"]).capitalize(),
                note=_note(part),
                before=was,
                after=(part["k"], part["n"]) if part["n"] else None,
                after_bound=min(1.0, part["high"] if part["k"] else part["bound"]),
            )
        )
    return charts.before_after(rows, evidence.plan.tau)


NOTES = {"holds": "holds", "fails": "still passes", "not_shown": "not shown", "inconclusive": "too few trials to say"}


def _note(part: dict[str, Any]) -> str:
    if part.get("constant") and not part["k"]:
        return "blocked: one constant answer"
    if part.get("suppressed") and not part["k"]:
        return "blocked"
    return NOTES.get(part["verdict"], "")


@register.filter
def hits(outcomes: Iterable[str]) -> int:
    """`{{ evidence.outcomes|hits }}`: how many of them were successes."""
    return sum(word == "success" for word in outcomes)


@register.filter
def verdict_words(said: str) -> SafeString:
    """`{{ entry.sentence|verdict_words }}`: a verdict's paragraph, its word up to the colon in bold."""
    head, colon, rest = said.partition(":")
    return format_html("<b>{}{}</b>{}", head, colon, rest) if colon else format_html("{}", said)


CHANCE = {
    "halves": ("they differ by no more than chance", "they differ by more than chance"),
    "runs": ("no more than by chance", "more than by chance"),
}


@register.filter
def check_words(check: dict[str, Any]) -> str:
    """`{{ check|check_words }}`: what was looked at and what came of it."""
    detail, chance = str(check["detail"]), check.get("p_value")
    if chance is not None and check["name"] in CHANCE:
        said = CHANCE[check["name"]][0 if check["passed"] else 1]
        detail += f": {said} (p = {chance:.2f})" if chance >= 0.01 else f": {said} (p < 0.01)"
    elif detail.startswith("not available"):
        detail = "Not looked at: not every answer was kept, so repeated answers cannot be told apart"
    return f"{detail[:1].upper()}{detail[1:]}."


@register.filter
def part_note(part: dict[str, Any]) -> str:
    """`{{ part|part_note }}`: what a part came to, in a word or two."""
    return _note(part)


@register.filter
def part_name(part: str) -> str:
    """`{{ part.part|part_name }}`: a part of the test set as people call it."""
    return part_words(part).capitalize()


@register.filter
def rate_words(row: dict[str, Any]) -> str:
    """`{{ row|rate_words }}`: 28 of 30, 93 % (78 to 99 %)."""
    if not row["n"]:
        return "not tried"
    if not row["k"]:
        return f"0 of {row['n']}, at most {percent(row['high'])}"
    rate = percent(row["k"] / row["n"])
    return f"{row['k']} of {row['n']}, {rate} ({percent(row['low'])} to {percent(row['high'])})"


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
