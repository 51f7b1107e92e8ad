"""garak: the report (every attempt) and the hitlog (hits only), in the layouts of 0.13 to 0.17."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from manyeyes.plugins.builtin.importers import fields
from manyeyes.plugins.builtin.importers.counting import Gathered, Outcome, fingerprint
from manyeyes.plugins.builtin.importers.drafting import finding
from manyeyes.plugins.builtin.importers.garak_attempt import (
    NO_SETTINGS,
    Attempt,
    attached,
    attempt,
    no_rule,
    target,
    version_of,
)
from manyeyes.plugins.builtin.importers.garak_hits import HIT_KEYS, hitlog
from manyeyes.plugins.builtin.importers.scrub import clean
from manyeyes.plugins.imported import Finding, Imported, ImportRefused, Upload
from manyeyes.rules.readings import CONFIG, Reading
from manyeyes.rules.saying import say as _

DETECTED: Final = 2


@dataclass
class _Report:
    """What is collected while the lines go by."""

    version: str = ""
    target: str = ""
    threshold: float | None = None
    attempts: list[Attempt] = field(default_factory=list)
    fails: dict[tuple[str, str], int | None] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)
    repeated: int = 0
    complete: bool = False


class Garak:
    """Reads garak reports and hitlogs (0.13 to 0.17). Settings stay unknown, since garak does not write them down."""

    def recognises(self, upload: Upload) -> bool:
        """A first line with an entry of a garak report, or one of a hitlog."""
        row = upload.row()
        if not isinstance(row, dict):
            return False
        kind = row.get("entry_type")
        of_garak = kind == "start_run setup" or {"garak_version", "probe_classname"} & row.keys()
        return row.keys() >= HIT_KEYS or (isinstance(kind, str) and bool(of_garak))

    def read(self, upload: Upload, answers: Mapping[str, str]) -> Imported:
        """The findings of a report, or the hits of a hitlog. Raises ImportRefused."""
        row = upload.row()
        if isinstance(row, dict) and row.keys() >= HIT_KEYS:
            return hitlog(upload)
        return _report(upload)


def _report(upload: Upload) -> Imported:
    report = _Report()
    seen: set[str] = set()
    for where, value in upload.rows():
        _entry(report, fields.mapping(value, where), where, seen)
    if not report.version:
        raise ImportRefused("version", "The report has no setup line, which says which version of garak wrote it.")
    report.unfinished -= seen
    findings = _findings(report)
    if not findings:
        raise ImportRefused("empty", "The report holds no attempt with a verdict; the run may have stopped early.")
    notes = []
    if not report.complete:
        notes.append("The report has no completion line: the run was stopped, and this is what it had until then.")
    if report.unfinished:
        notes.append(f"{len(report.unfinished)} attempts have answers but no verdict and are left out.")
    if report.repeated:
        notes.append(f"{report.repeated} attempts stand in the file twice and are counted once.")
    if unmatched := sum(row.unmatched for row in report.attempts):
        notes.append(f"{unmatched} attempts have another number of verdicts than of answers; see what is undetermined.")
    return Imported(
        tool="garak",
        version=report.version,
        form="garak report",
        findings=tuple(findings),
        readings=target(report.target),
        notes=tuple(notes),
    )


def _entry(report: _Report, row: dict[str, Any], where: str, seen: set[str]) -> None:
    kind = fields.text(row.get("entry_type"), f"{where}: entry_type")
    if kind == "start_run setup":
        report.version = version_of(row.get("_config.version"), where)
        names = [row.get(f"plugins.{new}", row.get(f"plugins.{old}")) for new, old in _RENAMED]
        report.target = " ".join(fields.maybe_text(name, f"{where}: plugins.target_…") for name in names).strip()
        report.threshold = fields.maybe_number(row.get("run.eval_threshold"), f"{where}: run.eval_threshold")
    elif kind == "init" and not report.version:
        report.version = version_of(row.get("garak_version"), where)
    elif kind == "attempt":
        uuid = fields.text(row.get("uuid"), f"{where}: uuid")
        if fields.whole(row.get("status"), f"{where}: status") != DETECTED:
            report.unfinished.add(uuid)
        elif uuid in seen:
            report.repeated += 1
        else:
            seen.add(uuid)
            found = attempt(row, uuid, where)
            found.threshold = report.threshold  # a resumed run has several setup lines, each for what follows it
            report.attempts.append(found)
    elif kind == "eval":
        _eval(report, row, where)
    elif kind == "completion":
        report.complete = True


_RENAMED = (("target_type", "model_type"), ("target_name", "model_name"))


def _eval(report: _Report, row: dict[str, Any], where: str) -> None:
    """How many answers garak itself called hits: what settles scores between 0 and 1 where no threshold is told."""
    probe, detector = row.get("probe"), row.get("detector")
    fails = row.get("fails")
    if fails is None and row.get("passed") is not None and row.get("total") is not None:
        fails = fields.whole(row["total"], f"{where}: total") - fields.whole(row["passed"], f"{where}: passed")
    if isinstance(probe, str) and isinstance(detector, str) and fails is not None:
        key = (clean(probe, 100), detector.removeprefix("detector."))
        twice = key in report.fails
        report.fails[key] = None if twice else fields.whole(fails, f"{where}: fails")


def _findings(report: _Report) -> list[Finding]:
    gathered: dict[str, Gathered] = {}
    for probe, name in sorted({(row.probe, name) for row in report.attempts for name in row.scores}):
        rows = [row for row in report.attempts if row.probe == probe and name in row.scores]
        scores = [score for row in rows for score in row.scores[name] if score is not None]
        implied = _implied(scores, report.fails.get((probe, name)))
        for row in rows:
            least = implied if row.threshold is None else row.threshold
            _count(gathered, row, name, least, report.target)
    return [_finding(found, report.version) for found in gathered.values()]


def _implied(scores: Sequence[float], fails: int | None) -> float | None:
    """The least score that is a hit as garak's own count of hits implies it, else None.

    A count of hits settles it where exactly that many scores lie at or above some score.
    """
    if fails is None:
        return None
    if fails == 0:
        return float("inf")
    ranked = sorted(scores, reverse=True)
    if fails > len(ranked) or (fails < len(ranked) and ranked[fails] == ranked[fails - 1]):
        return None
    return ranked[fails - 1]


def _verdict(answer: str | None, score: float | None, least: float | None) -> Outcome:
    if answer is None:
        return "error"
    if score is None:
        return "undetermined"
    if least is None:
        # Whatever the threshold was, 1 is a hit and 0 is none.
        return "yes" if score >= 1 else "no" if score <= 0 else "undetermined"
    return "yes" if score >= least else "no"


def _count(gathered: dict[str, Gathered], row: Attempt, name: str, least: float | None, named: str) -> None:
    key = fingerprint(row.probe, name, row.messages)
    if key not in gathered:
        gathered[key] = Gathered(row.goal or row.probe, row.messages)
        gathered[key].facts = {"probe": row.probe, "detector": name, "rows": [], "attempts": 0, "attached": False}
    found = gathered[key]
    found.facts["attempts"] += 1
    found.facts["attached"] |= row.attachments
    counting = found.at({}, target=named)
    for answer, score in zip(row.answers, row.scores[name], strict=True):
        outcome = _verdict(answer, score, least)
        counting.add(outcome)
        found.saw(outcome, answer or "")
        found.facts["rows"].append((answer, outcome, row.triggers))
    found.saw("undetermined", "", f"attempt {row.uuid}")


def _finding(found: Gathered, version: str) -> Finding:
    rule, said = _rule(found.facts["rows"])
    detector = clean(found.facts["detector"], 100)
    attempts = found.facts["attempts"]
    missing = attached(found)
    return finding(
        found,
        tool="garak",
        version=version,
        success=rule,
        no_success=no_rule(detector),
        said=said,
        unknown=NO_SETTINGS,
        missing=missing,
        readings=(
            Reading(name=_("Probe"), value=found.facts["probe"], source=CONFIG),
            Reading(name=_("Detector"), value=detector, source=CONFIG, note=_("A hit of it counts as a success.")),
            Reading(name=_("Attempts"), value=str(attempts), source=CONFIG),
        ),
    )


def _rule(rows: Sequence[tuple[str | None, Outcome, tuple[str, ...]]]) -> tuple[dict[str, Any] | None, str]:
    """A rule made of the attempt's trigger words, where it decides every answer as garak did, hits and misses both."""
    told = {triggers for _, _, triggers in rows}
    decided = [(answer or "", outcome == "yes") for answer, outcome, _ in rows if outcome in ("yes", "no")]
    if len(told) != 1 or not (triggers := next(iter(told))) or len({hit for _, hit in decided}) != 2:
        return None, ""
    for exact in (True, False):
        if all(_has(answer, triggers, exact) == hit for answer, hit in decided):
            each = [{"contains": {"text": word, "case": True} if exact else word} for word in triggers]
            words = clean(", ".join(map(repr, triggers)), 280)
            one = _("the answer contains %(words)s (as garak decided all %(count)s answers)", words=words,
                    count=len(decided))  # fmt: skip
            several = _("the answer contains one of %(words)s (as garak decided all %(count)s answers)", words=words,
                        count=len(decided))  # fmt: skip
            note = several if len(triggers) > 1 else one
            return (each[0] if len(each) == 1 else {"any": each}), note
    return None, ""


def _has(answer: str, triggers: Sequence[str], exact: bool) -> bool:
    return any(word in answer if exact else word.lower() in answer.lower() for word in triggers)
