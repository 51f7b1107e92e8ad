"""Lets the work on two reports of one flaw go on in one case; what each researcher said stays in their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from manyeyes.cases import duplicates
from manyeyes.cases.access import desk_of
from manyeyes.cases.models import Attachment, Case, Report, ReproducerFile
from manyeyes.rules.families import Part


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What another report of the flaw brings to the case in which the work is done; for the team alone."""

    case: Case
    report: Report | None
    reproducer: ReproducerFile | None
    files: list[Attachment]


def merge(
    case: Case, *, by: Any, into: Case, words: str = "", why: str = "", expected_version: int | None = None
) -> Case:
    """Close a case whose work goes on in another one, whichever report came first; it follows its public decisions.

    Nothing is copied: conversation, report and files stay under the key of their own case, and the team sees beside
    the lead what the merged one brings. Taking the case up again undoes it.
    """
    return duplicates.follow(case, into, Part.MERGED, by=by, words=words, why=why, expected_version=expected_version)


def evidence(case: Case, viewer: Any) -> list[Evidence]:
    """What the cases that were merged into this one bring, as far as the viewer works on them."""
    rows = desk_of(viewer).filter(duplicate_of=case, membership__part=Part.MERGED).select_related("key", "reporter")
    return [
        Evidence(
            case=row,
            report=row.reports.order_by("sent_at").first(),
            reproducer=row.reproducers.order_by("-at").first(),
            files=list(row.attachments.filter(public=True).select_related("stored").order_by("at")),
        )
        for row in rows.order_by("created_at")
    ]
