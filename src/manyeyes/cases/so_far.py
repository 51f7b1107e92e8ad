"""What is understood of a report while it is still being typed: what is there and sound, with what is still missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from manyeyes.cases.intake_report import IntakeReport
from manyeyes.cases.understood import understood
from manyeyes.engine import exact_interval
from manyeyes.rules import taxonomy
from manyeyes.rules.readings import HOW_OFTEN, UNKNOWN, WORDS, Reading

REQUIRED = ("target", "vuln_class", "title", "happened", "steps", "impact", "claim", "contact")
"""The eight answers that a report needs."""
GROUPS = ("settings", "answers", "seen", "plans")


@dataclass(frozen=True, kw_only=True)
class SoFar:
    """The readings of what was typed, the names of required answers that are wanting, and the interval of a count."""

    rows: list[Reading]
    missing: tuple[str, ...]
    claim: tuple[int, int, float, float] | None

    @property
    def there(self) -> int:
        """How many of the required answers are there."""
        return len(REQUIRED) - len(self.missing)


def so_far(report: IntakeReport, *, signed_in: bool) -> SoFar:
    """Read a report that need not be complete. What cannot be used is left out; its problem is told on sending."""
    wrong = set(report.validate(signed_in=signed_in))
    sound = _without(report, wrong)
    known = "vuln_class" not in wrong
    rows = understood(sound if known else replace(sound, vuln_class=next(iter(taxonomy.KINDS))))
    rows = [_open(row, sound) for row in (rows if known else rows[1:])]
    k, n = sound.claim_k, sound.claim_n
    counted = k is not None and n is not None and not sound.biased
    return SoFar(
        rows=rows,
        missing=tuple(name for name in REQUIRED if name in wrong or (name == "target" and not report.target.strip())),
        claim=(k or 0, n or 0, *exact_interval(k or 0, n or 0)) if counted else None,
    )


def _open(row: Reading, report: IntakeReport) -> Reading:
    """An answer that was not given yet is no answer: nobody has said that they did not count."""
    unsaid = row.name == HOW_OFTEN and report.claim_n is None and not report.not_counted and row.value == "not counted"
    return Reading(name=HOW_OFTEN, value=WORDS[UNKNOWN], source=UNKNOWN) if unsaid else row


def _without(report: IntakeReport, wrong: Collection[str]) -> IntakeReport:
    blank: dict[str, Any] = {
        name: ""
        for name in ("conversation", "hazard", "own_band", "reproducer", "steps", "success_text")
        if name in wrong
    }
    if "claim" in wrong:
        blank |= {"claim_k": None, "claim_n": None, "not_counted": False}
    if "success_how" in wrong:
        blank |= {"success_how": "contains", "success_text": ""}
    for group in GROUPS:
        given: Mapping[str, str] = getattr(report, group)
        blank[group] = {name: value for name, value in given.items() if f"{group}.{name}" not in wrong}
    return replace(report, **blank)
