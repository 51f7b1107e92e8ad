"""Reasons to look twice at a report: from its own words, and from keyed names of its longer paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from manyeyes.accounts.models import Person
from manyeyes.cases.access import visible_to
from manyeyes.cases.arrived import TextMark
from manyeyes.cases.intake_report import IntakeReport
from manyeyes.cases.models import Case, Report
from manyeyes.programs.models import Program, TargetVersion
from manyeyes.rules import signals as law
from manyeyes.rules.signals import Facts, Signal
from manyeyes.vault import tokens

MOST_NAMED = 5


def marks_of(program: Program, report: IntakeReport) -> list[str]:
    """The keyed names of the longer paragraphs of a report, which mean nothing in another program."""
    texts = (report.happened, report.expected, report.impact, report.steps)
    found = dict.fromkeys(part for text in texts for part in law.paragraphs(text))
    return [tokens.keyed(f"paragraph:{program.pk}", part) for part in list(found)[: law.MOST]]


def keep(case: Case, marks: Sequence[str]) -> None:
    """Keep the names beside the case; they go with it."""
    rows = [TextMark(case=case, program_id=case.program_id, token=mark, at=case.created_at) for mark in marks]
    TextMark.objects.bulk_create(rows)


def forget(case: Case) -> None:
    """Drop the names of a case that is destroyed."""
    TextMark.objects.filter(case=case).delete()


def of(case: Case, viewer: Any) -> list[Signal]:
    """The reasons for a member of the team; other cases are named only where they may see them."""
    report = case.reports.order_by("sent_at").first()
    if report is None:
        return []
    mine = set(TextMark.objects.filter(case=case).values_list("token", flat=True))
    others = TextMark.objects.filter(program=case.program_id, token__in=mine, at__lt=case.created_at).exclude(case=case)
    rows = list(others.values_list("token", "case_id")[:500])
    known = visible_to(viewer).filter(pk__in={pk for _, pk in rows}).order_by("created_at")
    seen = dict(known.values_list("pk", "ref"))
    return law.signals(
        Facts(
            prose="" if case.hazard else _prose(report),  # closed content is quoted nowhere
            reproducer=case.reproducers.exists(),
            counted=report.claim_n is not None,
            own_hosts=_own_hosts(case.program),
            paragraphs=len(mine),
            repeated=len({token for token, _ in rows}),
            elsewhere=tuple(list(seen.values())[:MOST_NAMED]),
            unseen=len({pk for _, pk in rows} - set(seen)) + max(0, len(seen) - MOST_NAMED),
            sent_today=_sent_today(case),
        )
    )


def _prose(report: Report) -> str:
    return "\n\n".join((report.happened, report.expected or "", report.impact))


def _sent_today(case: Case) -> int:
    if case.reporter.kind != Person.Kind.ACCOUNT:
        return 1
    around = timedelta(hours=24)
    sent = Case.objects.filter(program=case.program_id, reporter=case.reporter_id, created_at__lte=case.created_at)
    return sent.filter(created_at__gt=case.created_at - around).count()


def _own_hosts(program: Program) -> frozenset[str]:
    """The hosts of registered versions and of addresses that the scope names."""
    addresses = TargetVersion.objects.filter(target__program=program).values_list("endpoint_url", flat=True)
    named = {urlsplit(address).hostname or "" for address in addresses}
    words = " ".join([program.summary, *program.scope.values_list("text", flat=True)]).lower()
    written = {word.strip(".,;:()/") for word in words.replace("https://", " ").replace("http://", " ").split()}
    return frozenset((named | {word.partition("/")[0] for word in written if "." in word}) - {""})
