"""Keeps what belongs to the sender of a report apart from the report: their contact, and their own number for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from manyeyes.accounts import ownkey
from manyeyes.cases.guarded import Sender
from manyeyes.cases.models import Case, Report


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a sender said about themselves; empty texts where nothing, or nothing any more."""

    contact: str = ""
    own_ref: str = ""


def keep(report: Report, *, person: Any, told: Told) -> None:
    """Store it under the person's own key."""
    if told.contact or told.own_ref:
        Sender(key=ownkey.of(person), report=report, contact=told.contact or None, own_ref=told.own_ref or None).save()


def of(report: Report | None) -> Told:
    """What the sender of a report said about themselves. Reports of an older version hold it themselves."""
    if report is None:
        return Told()
    row = Sender.objects.filter(report=report).select_related("key").first()
    found = row or report
    return Told(contact=found.contact or "", own_ref=found.own_ref or "")


def hand_over(case: Case, to: Any) -> None:
    """Put it under the key of the account that took the case."""
    for row in Sender.objects.filter(report__case=case).select_related("key"):
        row.key = ownkey.of(to)
        row.save()


def forget(case: Case) -> None:
    """Take it away; the report itself is not touched, for who sent it is no part of what it says."""
    Sender.objects.filter(report__case=case).delete()
    Report.objects.filter(case=case).update(contact=None, own_ref=None, own_ref_token="")
