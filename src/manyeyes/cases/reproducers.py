"""Where the reproducer of a case comes from: sent as it is, a tool's file, the answers of the form, attached later."""

from __future__ import annotations

from typing import Any

from manyeyes.cases import assignment, people, preflight
from manyeyes.cases.intake_report import IntakeReport, never_taken
from manyeyes.cases.models import Case, ReproducerFile
from manyeyes.cases.moves import acting
from manyeyes.cases.sketch import reproducer_data, success_rule
from manyeyes.reproducer.load import ReproducerError, dump_text, load_data, load_text
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid
from manyeyes.rules.lifecycle import TRIAGERS, Role, Status
from manyeyes.rules.permits import NEVER_BY_MACHINE
from manyeyes.vault import tokens

ARRIVING = (str(Status.NEW), str(Status.NEEDS_INFO))
"""While nobody has taken the case into work, a reproducer that its researcher adds is tried on arrival too."""


def attach_reproducer(case: Case, *, by: Any, text: str, name: str = "") -> ReproducerFile:
    """Give the case a reproducer, or a better one; the researcher may too. The report itself stays as it was sent."""
    wrong: dict[str, str] = {}
    _read(text, name or "reproducer", wrong)
    if wrong:
        raise Invalid(wrong)
    row, hazard = file(case, by, text, name, "attached"), hazard_in(text)
    from_reporter = by.pk == case.reporter_id
    tell = people.team(case) if from_reporter else people.reporter(case)
    with acting(
        case, "reproducer.attached", by=by, allowed=TRIAGERS | {Role.TARGET_OWNER, Role.REPORTER}, tell=tell,
        public=True, reproducer=str(row.pk), said=text, side="reporter" if from_reporter else "team",
    ) as held:  # fmt: skip
        row.save()
        held.hazard = held.hazard or hazard
        if from_reporter and held.status in ARRIVING:
            preflight.arrived(held, row)
    if hazard:
        assignment.relieve(case)
    return row


def hazard_in(text: str) -> str:
    """The class of hazardous content that a reproducer declares; empty for none, and for a text that is none."""
    try:
        return str(load_text(text).hazard or "") if text.strip() else ""
    except ReproducerError:
        return ""


def file(case: Case, by: Any, text: str, name: str, source: str) -> ReproducerFile:
    # A keyed name: from a bare hash in the clear anybody could tell whether a text they have is this one.
    named = tokens.keyed("reproducer", text)
    return ReproducerFile(
        case=case, key=case.key, by=by, text=text, name=name or None, source=source, content_hash=named, at=clock.now()
    )


def of_report(report: IntakeReport, wrong: dict[str, str]) -> tuple[str, str, str]:
    """(text, name, source) of the reproducer: as it was sent, else from a tool's file, else built from the form."""
    if report.reproducer.strip():
        return report.reproducer, report.reproducer_name, "sent"
    if wrong:
        return "", "", ""
    text, source, _ = made(report)
    return text, "", source


def made(report: IntakeReport) -> tuple[str, str, str]:
    """(text, source, why none could be made though a success rule was given) of what the answers make."""
    why = ""
    for data, source in ((_from_file(report), "import"), (_answers(report), "form")):
        if data is None:
            continue
        try:
            return dump_text(load_data(data, "your answers")), source, why
        except ReproducerError as error:  # the answers stay as they are; a triager writes the reproducer
            why = why or (str(error) if "success" in data else "")
    return "", "", why


def _from_file(report: IntakeReport) -> dict[str, Any] | None:
    """The draft that a tool's file gave, with the class and, where the file tells none, the rule that were given."""
    if not report.imported or not report.imported.get("draft"):
        return None
    data = {**report.imported["draft"], "class": report.vuln_class, "title": report.title.strip()}
    rule = success_rule(report.success_how, report.success_text)
    if "success" not in data and rule:
        data["success"] = rule
    if report.biased:
        data.pop("claim", None)
    return data


def _read(text: str, name: str, wrong: dict[str, str]) -> None:
    try:
        if load_text(text, name).hazard in NEVER_BY_MACHINE:
            wrong["reproducer"] = never_taken()
    except ReproducerError as error:
        wrong["reproducer"] = str(error)


def _answers(report: IntakeReport) -> dict[str, Any] | None:
    rule = success_rule(report.success_how, report.success_text)
    if rule is None or (report.success_how == "human" and not report.success_text.strip()):
        return None
    counted = report.claim_k is not None and report.claim_n is not None and not report.biased
    return reproducer_data(
        title=report.title, vuln_class=report.vuln_class, steps=report.steps, settings=report.settings,
        claim=(report.claim_k or 0, report.claim_n or 0) if counted else None, success=rule,
        conversation=report.conversation,
    )  # fmt: skip
