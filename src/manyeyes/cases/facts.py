"""What is true of a case, read from its rows: the facts that the table of moves demands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from manyeyes.cases.judged import Rating
from manyeyes.cases.models import Case, Remediation, Reproduction, Retest
from manyeyes.cases.signoffs import state_of
from manyeyes.events.models import Event
from manyeyes.rules import clock
from manyeyes.rules.five import ENOUGH_FOR
from manyeyes.rules.lifecycle import Facts, Status

RETEST_WINDOW = timedelta(days=14)
"""How long the researcher may answer after a verification said that the fix holds."""


def facts_of(case: Case, *, log: Iterable[Any] | None = None) -> Facts:
    """The facts at this moment. Reads related rows through their managers, so prefetched ones cost nothing.

    A reopened case is proved anew: a replay, a look, a rating and sign-offs from before stay on record, and count for
    nothing here. `log` spares the query where the caller has the events already.
    """
    since = reopened_at(case, log)
    rating = newest_rating(case)
    rated = rating is not None and _after(rating.at, since) and judged_enough(rating)
    fix = newest_fix(case)
    return Facts(
        acknowledged=case.acknowledged_at is not None,
        was_triaged=case.came_from == Status.TRIAGED,
        reproduced=any(row.verdict == "reproduced" for row in reproductions(case, since=since)),
        first_success_seen=_after(case.first_success_seen_at, since),
        rated=rated,
        signed_off=rated and rating is not None and state_of(case, rating).complete,
        owner_assigned=case.owner_id is not None,
        fix_version=fix is not None and fix.version_id is not None and fix.deployed_at is not None,
        verification_running=fix is not None and running_verification(case, fix) is not None,
        holds=fix is not None and fix.outcome == "holds",
        researcher_agreed=fix is not None and _researcher_agreed(case, fix),
    )


def judged_enough(rating: Rating) -> bool:
    """Whether a rating may stand behind a confirmation: every letter judged, or five answers to what is Low at most."""
    return rating.method == Rating.Method.VECTOR or rating.score.highest_band in ENOUGH_FOR


def newest_rating(case: Case) -> Rating | None:
    """The rating that stands."""
    return max(case.ratings.all(), key=lambda row: row.at, default=None)


def newest_fix(case: Case) -> Remediation | None:
    """The fix that is being worked on or was worked on last."""
    return max(case.remediations.all(), key=lambda row: row.number, default=None)


def reopened_at(case: Case, log: Iterable[Any] | None = None) -> datetime | None:
    """When the case was last taken up again; None while it never was."""
    if log is None:
        log = Event.objects.filter(subject=case.subject, kind="move.reopen")
    return max((event.at for event in log if event.kind == "move.reopen"), default=None)


def _after(at: datetime | None, since: datetime | None) -> bool:
    return at is not None and (since is None or at > since)


def reproductions(case: Case, *, since: datetime | None = None) -> list[Reproduction]:
    """The replays before the fix (those asked for after `since`), newest first."""
    rows = [
        row
        for row in case.reproductions.all()
        if row.purpose == Reproduction.Purpose.REPRODUCTION and _after(row.asked_at, since)
    ]
    return sorted(rows, key=lambda row: row.asked_at, reverse=True)


def verifications(case: Case, fix: Remediation | None = None) -> list[Reproduction]:
    """The replays after a fix (of this one, or of all), newest first."""
    rows = [row for row in case.reproductions.all() if row.purpose == Reproduction.Purpose.VERIFICATION]
    if fix is not None:
        rows = [row for row in rows if row.remediation_id == fix.pk]
    return sorted(rows, key=lambda row: row.asked_at, reverse=True)


def running_verification(case: Case, fix: Remediation) -> Reproduction | None:
    """The verification of this fix that has neither been concluded nor cancelled, if there is one."""
    return next((row for row in verifications(case, fix) if is_under_way(row)), None)


def is_under_way(link: Reproduction) -> bool:
    """Whether a verdict may still come."""
    return link.concluded_at is None and link.replay.state != "cancelled"


def newest_retest(case: Case, fix: Remediation) -> Retest | None:
    """What the researcher found after this fix, the last time they tried."""
    rows = [row for row in case.retests.all() if row.remediation_id == fix.pk]
    return max(rows, key=lambda row: row.at, default=None)


def retest_until(case: Case, fix: Remediation) -> datetime | None:
    """When the researcher's window ends; None while no verification says that the fix holds."""
    ends = [row.concluded_at for row in verifications(case, fix) if row.verdict == "holds" and row.concluded_at]
    return max(ends) + RETEST_WINDOW if ends else None


def _researcher_agreed(case: Case, fix: Remediation) -> bool:
    retest = newest_retest(case, fix)
    if retest is not None:
        return retest.agrees
    until = retest_until(case, fix)
    return until is not None and clock.now() >= until
