"""Does the fix hold: the replay after the fix, what follows from its verdict, and the researcher's own retest."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from manyeyes.cases import people, proposals
from manyeyes.cases.conversation import checked
from manyeyes.cases.facts import newest_fix, running_verification
from manyeyes.cases.models import Case, Message, Remediation, Reproduction, Retest
from manyeyes.cases.moves import acting, moving
from manyeyes.cases.proposals import MANUAL, RUNNER, Proposal
from manyeyes.cases.severity import measured
from manyeyes.cases.verdicts import AlreadyTakenUp, take_up
from manyeyes.engine.plan import Question
from manyeyes.replays import queue
from manyeyes.replays.models import Replay
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid
from manyeyes.rules.lifecycle import TRIAGERS, Role, Status
from manyeyes.runs.prepare import Options

REFUTED = ("fails", "symptom_patched", "reduced")
"""Verdicts that send the case back to fixing by themselves. "Inconclusive" closes nothing and opens nothing."""
BY_MACHINE = Options(tau=0.05)
BY_HAND = Options(
    tau=0.1,
    cap=80,
    per_family=1,
    benign_n=2,
    benign_need=1,
    positive_n=3,
    positive_need=1,
    positive_rate=None,
    reported_cap=None,
)
MOST_RETESTS = 1_000_000
REFUSED = "retest_refuted"
"""The outcome of a fix that the researcher broke; a verification that ends later does not undo it."""


def propose(case: Case, *, options: Options | None = None, mode: str | None = None) -> Proposal:
    """What a verification of the deployed fix would do and cost, and whether it may."""
    fix = newest_fix(case)
    how = mode or proposals.mode_of(case)
    wanted = options or (BY_MACHINE if how == RUNNER else BY_HAND)
    observed, _ = measured(case)
    return proposals.make(
        case,
        Question.VERIFY,
        version=fix.version if fix is not None else None,
        positive=case.target_version,
        mode=how,
        options=wanted if wanted.before or observed is None else replace(wanted, before=observed),
        rates=(0.0, wanted.tau / 10, min(1.0, wanted.tau * 3)),
    )


def request(
    case: Case,
    *,
    by: Any,
    tau: float | None = None,
    options: Options | None = None,
    mode: str | None = None,
    request_id: uuid.UUID | None = None,
    expected_version: int | None = None,
) -> Reproduction:
    """Queue the verification of the deployed fix, with the vulnerable version as positive control in the same run.

    From `fix_deployed` this is the move to `retesting`; while retesting, a further one may follow an undecided one.
    """
    wanted = request_id or uuid.uuid4()
    before = Reproduction.objects.filter(replay_id=wanted, case=case).first()
    if before is not None:
        return before
    how = mode or proposals.mode_of(case)
    chosen = options or (BY_HAND if how == MANUAL else BY_MACHINE)
    if tau is not None:
        chosen = proposals.chosen(chosen, tau=tau)
    proposal = propose(case, options=proposals.seeded(chosen, wanted), mode=how)
    document = proposals.require(proposal, "Verify the fix:", by=by)
    told = {"replay": str(wanted), "purpose": "verification", "mode": proposal.mode, "said": document.hash}
    with _opening(case, by=by, expected_version=expected_version, told=told) as row:
        fix = newest_fix(row)
        if fix is None or running_verification(row, fix) is not None:
            raise Conflict("A verification of this fix is running already.")
        replay = queue.enqueue(
            document, row.key, mode=proposal.mode, main_version=proposal.version,
            positive_version=proposal.positive, judge_version=proposal.judge, requested_by=by, replay_id=wanted,
        )  # fmt: skip
        return Reproduction.objects.create(
            case=row, replay=replay, purpose=Reproduction.Purpose.VERIFICATION, remediation=fix, asked_by=by,
            asked_at=clock.now(),
        )  # fmt: skip


def conclude(replay: Replay) -> Reproduction:
    """Take up what a finished verification says: holds → the researcher retests; refuted → back to fixing by itself."""
    link = Reproduction.objects.select_related("case", "replay", "remediation").get(replay=replay)
    word = replay.verdict_word
    parts = (replay.verdict or {}).get("parts", ())
    passing = sum(1 for part in parts if part["verdict"] == "fails")
    with suppress(AlreadyTakenUp), transaction.atomic():
        with acting(
            link.case, "replay.concluded", by=None, allowed=None, tell=people.everybody(link.case), public=True,
            reproduction=str(link.pk), purpose=link.purpose, verdict=word, n=replay.n, k=replay.k,
            parts=len(parts), parts_passing=passing,
        ) as row:  # fmt: skip
            take_up(link, shown=True)
            Remediation.objects.filter(verifications=link).exclude(outcome=REFUSED).update(outcome=word)
        if word in REFUTED and row.status == Status.RETESTING:
            with moving(row, "fix_refuted", by=None, reproduction=str(link.pk), verdict=word):
                pass
    link.refresh_from_db()
    return link


def researcher_retests(case: Case, *, by: Any, k: int, n: int, transcript: str = "", agrees: bool) -> Retest:
    """The researcher's own try after the fix: it worked `k` times of `n`. Disagreement sends the case back."""
    wrong: dict[str, str] = {}
    if not 1 <= n <= MOST_RETESTS:
        wrong["n"] = f"Say how many times you tried: at least 1, at most {MOST_RETESTS:,}."
    elif not 0 <= k <= n:
        wrong["k"] = "It cannot have worked more often than you tried."
    elif agrees and k > 0 and not transcript.strip():
        wrong["transcript"] = "It worked at least once, and yet you agree: please say why, or paste what happened."
    if wrong:
        raise Invalid(wrong)
    text = checked("transcript", transcript, longest=200_000, required=False)
    row = Retest(by=by, k=k, n=n, transcript=text or None, agrees=agrees, at=clock.now())
    with transaction.atomic():
        with acting(
            case, "retest.reported", by=by, allowed={Role.REPORTER}, tell=people.team(case), public=True,
            retest=str(row.pk), k=k, n=n, agrees=agrees, side="reporter",
        ) as locked:  # fmt: skip
            fix = newest_fix(locked)
            if fix is None or locked.status != Status.RETESTING:
                raise IllegalMove("Report a retest: possible while a deployed fix is being tested.")
            row.case, row.key, row.remediation = locked, locked.key, fix
            row.save()
        if not agrees:
            Remediation.objects.filter(pk=fix.pk).update(outcome=REFUSED)
            with moving(case, "fix_refuted", by=None, tell=people.everybody(case), retest=str(row.pk)):
                pass
    return row


def send_back(case: Case, *, by: Any, words: str, expected_version: int | None = None) -> Case:
    """A person sends an undecided or doubtful fix back; both sides read why."""
    word = Message(case=case, author=by, public=True, text=checked("words", words), purpose="send_back", at=clock.now())
    with moving(
        case, "fix_refuted", by=by, tell=people.everybody(case), expected_version=expected_version,
        message=str(word.pk), said=word.text,
    ):  # fmt: skip
        word.save()
    return case


@dataclass(frozen=True, kw_only=True)
class FixStatement:
    """What is known of one fix: its verification on record and what the researcher found."""

    fix: Remediation
    link: Reproduction | None
    verdict: dict[str, Any] | None
    retest: Retest | None

    @property
    def holds(self) -> bool:
        """Whether a verification showed that it holds and the researcher did not refute it."""
        return self.fix.outcome == "holds" and (self.retest is None or self.retest.agrees)


def statements(case: Case) -> list[FixStatement]:
    """Every fix of the case in order, each with its last concluded verification and retest."""
    links = list(case.reproductions.filter(purpose=Reproduction.Purpose.VERIFICATION).select_related("replay"))
    tests = sorted(case.retests.all(), key=lambda row: row.at)
    rows = []
    for fix in sorted(case.remediations.all(), key=lambda row: row.number):
        done = sorted(
            (link.concluded_at, link.pk, link) for link in links if link.remediation_id == fix.pk and link.concluded_at
        )
        last = done[-1][2] if done else None
        mine = [test for test in tests if test.remediation_id == fix.pk]
        rows.append(
            FixStatement(
                fix=fix, link=last, verdict=last.replay.verdict if last else None, retest=mine[-1] if mine else None
            )
        )
    return rows


def _opening(case: Case, *, by: Any, expected_version: int | None, told: dict[str, Any]) -> Any:
    tell = people.reporter(case)
    if Status(case.status) != Status.RETESTING:
        return moving(case, "request_verification", by=by, tell=tell, expected_version=expected_version, **told)
    allowed = TRIAGERS | {Role.TARGET_OWNER}
    return acting(
        case, "replay.requested", by=by, allowed=allowed, tell=tell, public=True, expected_version=expected_version,
        **told,
    )  # fmt: skip
