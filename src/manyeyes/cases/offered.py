"""What is offered to a sender whose report no machine can try, before it is sent."""

from __future__ import annotations

from django.utils.translation import gettext

from manyeyes.cases.intake_report import IntakeReport
from manyeyes.cases.reproducers import of_report
from manyeyes.cases.tryout import runnable_of
from manyeyes.reproducer.load import ReproducerError, load_text
from manyeyes.rules.preflight import unfit


def unfit_for_machines(report: IntakeReport) -> list[str]:
    """What keeps a machine from trying a report that is still with its sender; nothing of what we permit is said."""
    text, name, _ = of_report(report, {})
    try:
        found = load_text(text, name or "reproducer") if text else None
    except ReproducerError:
        found = None
    return [gettext(words) for words in unfit(runnable_of(found))]
