"""Is it real, and how often: the replay before the fix, from proposal to finding."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from manyeyes.cases import people, proposals, rescoring
from manyeyes.cases.facts import reopened_at, reproductions
from manyeyes.cases.models import Case, Reproduction
from manyeyes.cases.moves import acting
from manyeyes.cases.proposals import ASKERS, MANUAL, RUNNER, Proposal
from manyeyes.cases.verdicts import AlreadyTakenUp, take_up
from manyeyes.engine.plan import Question
from manyeyes.programs.models import TargetVersion
from manyeyes.replays import queue
from manyeyes.replays.models import Replay
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid
from manyeyes.rules.lifecycle import TRIAGERS, Status
from manyeyes.runs.prepare import Options

REPLAYED_IN = (Status.NEW, Status.NEEDS_INFO, Status.TRIAGED, Status.CONFIRMED)
BY_MACHINE = Options(min_successes=3, margin=0.05)
BY_HAND = Options(min_successes=3, p0=0.02, p_min=0.2, cap=40, rated_n=10, benign_n=2, use_control=False)


def propose(
    case: Case,
    *,
    version: TargetVersion | None = None,
    options: Options | None = None,
    mode: str | None = None,
    judge: TargetVersion | None = None,
) -> Proposal:
    """What a reproduction would do and cost, and whether it may; nothing is spent by asking."""
    how = mode or proposals.mode_of(case)
    return proposals.make(
        case,
        Question.REPRODUCE,
        version=version or case.target_version or case.target.current,
        judge=judge,
        mode=how,
        options=options or (BY_MACHINE if how == RUNNER else BY_HAND),
        rates=(0.0, 0.05, 0.5),
    )


def request(
    case: Case,
    *,
    by: Any,
    version: TargetVersion | None = None,
    options: Options | None = None,
    mode: str | None = None,
    judge: TargetVersion | None = None,
    request_id: uuid.UUID | None = None,
) -> Reproduction:
    """Queue a replay for the worker, or (mode "manual") freeze a plan for a person to work through.

    By hand needs no permit and no connection. `judge` answers where the success rule asks a model. The same
    `request_id` again gives the replay that was asked for already.
    """
    wanted, how = request_id or uuid.uuid4(), mode or RUNNER
    if version is not None and version.target_id != case.target_id:
        raise Invalid(version="This version belongs to another target.")
    if Status(case.status) not in REPLAYED_IN:
        raise IllegalMove(f"Replay: not possible while the case is {case.status.replace('_', ' ')}.")
    before = Reproduction.objects.filter(replay_id=wanted, case=case).first()
    if before is not None:
        return before
    chosen = proposals.seeded(options or (BY_MACHINE if how == RUNNER else BY_HAND), wanted)
    return _request(propose(case, version=version, options=chosen, mode=how, judge=judge), by=by, wanted=wanted)


def request_manual(case: Case, *, by: Any, options: Options | None = None) -> Reproduction:
    """The same by hand."""
    return request(case, by=by, options=options, mode=MANUAL)


def conclude(replay: Replay) -> Reproduction:
    """Take up what a finished replay says. Once; again changes nothing. "Reproduced" waits for a person's look."""
    link = Reproduction.objects.select_related("case", "replay").get(replay=replay)
    word = replay.verdict_word
    shown = word != "reproduced"
    tell = [*people.team(link.case), *(people.reporter(link.case) if shown else [])]
    with suppress(AlreadyTakenUp), acting(
        link.case, "replay.concluded", by=None, allowed=None, tell=tell, public=shown, reproduction=str(link.pk),
        purpose=link.purpose, verdict=word, n=replay.n, k=replay.k,
    ):  # fmt: skip
        take_up(link, shown=shown)
    link.refresh_from_db()
    rescoring.propose(link)
    return link


def see_first_success(case: Case, *, by: Any) -> Case:
    """A person has looked at the first success and calls it one; only now the researcher reads "reproduced"."""
    since = reopened_at(case)
    waiting = [link for link in reproductions(case, since=since) if link.verdict == "reproduced"]
    if not waiting:
        raise IllegalMove("Publish the reproduction. Missing: a replay that reproduced it.", missing=["reproduced"])
    newest = waiting[0]
    with acting(
        case, "first_success.seen", by=by, allowed=TRIAGERS, tell=people.everybody(case), public=True,
        reproduction=str(newest.pk), verdict=newest.verdict,
    ) as row:  # fmt: skip
        before = row.first_success_seen_at
        row.first_success_seen_at = clock.now() if before is None or (since and before <= since) else before
        # From here on this is the vulnerable version: the one a verification tries beside the fix.
        row.target_version = newest.replay.main_version or row.target_version
        ids = [link.pk for link in waiting]
        row.reproductions.filter(pk__in=ids, published_at__isnull=True).update(published_at=clock.now())
    return case


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The confirmed statement: where it was seen, how often, in which replay. `verdict` is the whole record."""

    link: Reproduction
    verdict: dict[str, Any]
    rated: dict[str, Any] | None

    @property
    def claim_fits(self) -> bool | None:
        """Whether the researcher's claimed rate lies inside the anytime interval; None without a claim."""
        report = self.link.case.reports.order_by("sent_at").first()
        if report is None or report.claim_k is None or not report.claim_n or report.claim_biased:
            return None
        return bool(self.verdict["low"] <= report.claim_k / report.claim_n <= self.verdict["high"])


def finding(case: Case) -> Finding | None:
    """What the newest replay that reproduced it found, or None."""
    for link in reproductions(case):
        if link.verdict == "reproduced" and link.replay.verdict:
            verdict = link.replay.verdict
            rated = next((row for row in verdict.get("settings", ()) if row["rated"]), None)
            return Finding(link=link, verdict=verdict, rated=rated)
    return None


def _request(proposal: Proposal, *, by: Any, wanted: uuid.UUID) -> Reproduction:
    case, judge = proposal.case, proposal.judge
    document = proposals.require(proposal, "Replay:", by=by)
    with acting(
        case, "replay.requested", by=by, allowed=ASKERS, tell=people.reporter(case), public=True,
        replay=str(wanted), purpose="reproduction", mode=proposal.mode, said=document.hash,
    ) as row:  # fmt: skip
        if judge is not None:
            row.note(judge=str(judge.pk))
        if row.reproductions.filter(replay_id=wanted).exists():
            raise Conflict("This replay was requested a moment ago. Reload the page.")
        replay = queue.enqueue(
            document, row.key, mode=proposal.mode, main_version=proposal.version, judge_version=judge,
            requested_by=by, replay_id=wanted,
        )  # fmt: skip
        if row.target_version_id is None:
            row.target_version = proposal.version
        return Reproduction.objects.create(
            case=row, replay=replay, purpose=Reproduction.Purpose.REPRODUCTION, asked_by=by, asked_at=clock.now()
        )
