"""The one table of moves: who may take a case from which status to which, and what must be true first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from manyeyes.rules.errors import IllegalMove, NotAllowed


class Status(StrEnum):
    """Where a case stands. Acknowledged, mitigated, embargoed and the like are dated facts beside it."""

    NEW = "new"
    NEEDS_INFO = "needs_info"
    TRIAGED = "triaged"
    CONFIRMED = "confirmed"
    REMEDIATING = "remediating"
    FIX_DEPLOYED = "fix_deployed"
    RETESTING = "retesting"
    RESOLVED = "resolved"
    CLOSED = "closed"

    @property
    def is_open(self) -> bool:
        """Whether work is still due."""
        return self not in (Status.RESOLVED, Status.CLOSED)


class CloseReason(StrEnum):
    """Why a case was closed without a fix of ours."""

    DUPLICATE = "duplicate"
    MERGED = "merged"
    NOT_REPRODUCED = "not_reproduced"
    NO_LONGER_REPRODUCES = "no_longer_reproduces"
    NOT_TESTABLE = "not_testable"
    INFORMATIVE = "informative"
    WORKS_AS_INTENDED = "works_as_intended"
    KNOWN_ISSUE = "known_issue"
    OUT_OF_SCOPE = "out_of_scope"
    UPSTREAM = "upstream"
    ACCEPTED_RISK = "accepted_risk"
    TARGET_RETIRED = "target_retired"
    MOVED_TO_SAFETY = "moved_to_safety"
    WITHDRAWN = "withdrawn"
    SPAM = "spam"

    @property
    def words(self) -> str:
        """The reason as people read it after "Closed:"."""
        return CLOSE_REASON_WORDS[self]


CLOSE_REASON_WORDS: dict[CloseReason, str] = {
    CloseReason.DUPLICATE: "duplicate of a known report",
    CloseReason.MERGED: "merged with another report",
    CloseReason.NOT_REPRODUCED: "not reproduced",
    CloseReason.NO_LONGER_REPRODUCES: "no longer reproduces",
    CloseReason.NOT_TESTABLE: "cannot be tested",
    CloseReason.INFORMATIVE: "informative",
    CloseReason.WORKS_AS_INTENDED: "works as intended",
    CloseReason.KNOWN_ISSUE: "known issue",
    CloseReason.OUT_OF_SCOPE: "out of scope",
    CloseReason.UPSTREAM: "belongs to another maker",
    CloseReason.ACCEPTED_RISK: "accepted risk",
    CloseReason.TARGET_RETIRED: "target retired",
    CloseReason.MOVED_TO_SAFETY: "moved to content safety",
    CloseReason.WITHDRAWN: "withdrawn by the researcher",
    CloseReason.SPAM: "spam",
}


class Role(StrEnum):
    """What a person is to a case. `system` is the platform itself, for example when a replay ends."""

    REPORTER = "reporter"
    SECURITY_TRIAGER = "security_triager"
    ML_TRIAGER = "ml_triager"
    TARGET_OWNER = "target_owner"
    PROGRAM_MANAGER = "program_manager"
    FINANCE = "finance"
    PUBLISHER = "publisher"
    AUDITOR = "auditor"
    ADMIN = "admin"
    SYSTEM = "system"

    @property
    def words(self) -> str:
        """The role as people read it."""
        return self.replace("_", " ").replace("ml ", "ML ")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is true of a case at this moment; every demand of a move names one of these."""

    acknowledged: bool = False
    was_triaged: bool = False
    reproduced: bool = False
    first_success_seen: bool = False
    rated: bool = False
    signed_off: bool = False
    owner_assigned: bool = False
    fix_version: bool = False
    verification_running: bool = False
    holds: bool = False
    researcher_agreed: bool = False
    reason_given: bool = False


FACT_WORDS: dict[str, str] = {
    "acknowledged": "a first answer to the researcher",
    "was_triaged": "a case that nobody has taken into work yet",
    "reproduced": "a replay that reproduced it",
    "first_success_seen": "a person who has looked at the first success",
    "rated": "a severity rating",
    "signed_off": "sign-off by both disciplines",
    "owner_assigned": "an owner for the fix",
    "fix_version": "the target version with the fix",
    "verification_running": "the end of the running verification",
    "holds": "a verification that says the fix holds",
    "researcher_agreed": "the researcher's agreement or the end of the retest window",
    "reason_given": "a reason",
}
"""What is missing while the fact does not hold (for those that moves forbid: while it does)."""

GIVEN_WITH_THE_MOVE = frozenset({"reason_given", "fix_version"})
"""Facts that the form of the move itself supplies: an offer does not count them as missing, `check` does."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One way to change the status. `target` None means: back to where the question was asked."""

    name: str
    label: str
    sources: tuple[Status, ...]
    target: Status | None
    roles: frozenset[Role]
    demands: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()
    key: str = ""
    reason: CloseReason | None = None

    def lands_on(self, facts: Facts) -> Status:
        """The status after this move."""
        if self.target is not None:
            return self.target
        return Status.TRIAGED if facts.was_triaged else Status.NEW

    def missing(self, facts: Facts) -> tuple[str, ...]:
        """The names of the facts that stand in the way."""
        absent = tuple(name for name in self.demands if not getattr(facts, name))
        return absent + tuple(name for name in self.forbids if getattr(facts, name))


TRIAGERS = frozenset({Role.SECURITY_TRIAGER, Role.ML_TRIAGER, Role.PROGRAM_MANAGER})
OWNERS = frozenset({Role.TARGET_OWNER, Role.PROGRAM_MANAGER})
OPEN = tuple(status for status in Status if status.is_open)

_TABLE = (
    Move(
        name="ask_researcher",
        label="Ask the researcher",
        key="n",
        sources=(Status.NEW, Status.TRIAGED),
        target=Status.NEEDS_INFO,
        roles=TRIAGERS,
    ),
    Move(
        name="answer",
        label="Answer the question",
        sources=(Status.NEEDS_INFO,),
        target=None,
        roles=frozenset({Role.REPORTER}),
    ),
    Move(
        name="accept",
        label="Take into work",
        key="t",
        sources=(Status.NEW, Status.NEEDS_INFO),
        target=Status.TRIAGED,
        roles=TRIAGERS,
        demands=("acknowledged",),
    ),
    Move(
        name="confirm",
        label="Confirm finding",
        key="c",
        sources=(Status.TRIAGED,),
        target=Status.CONFIRMED,
        roles=TRIAGERS,
        demands=("reproduced", "first_success_seen", "rated", "signed_off"),
    ),
    Move(
        name="start_fix",
        label="Start the fix",
        sources=(Status.CONFIRMED,),
        target=Status.REMEDIATING,
        roles=TRIAGERS | OWNERS,
        demands=("owner_assigned",),
    ),
    Move(
        name="deploy_fix",
        label="Record the deployed fix",
        sources=(Status.REMEDIATING,),
        target=Status.FIX_DEPLOYED,
        roles=OWNERS,
        demands=("fix_version",),
    ),
    Move(
        name="request_verification",
        label="Verify the fix",
        key="p",
        sources=(Status.FIX_DEPLOYED,),
        target=Status.RETESTING,
        roles=TRIAGERS | OWNERS,
    ),
    Move(
        name="fix_refuted",
        label="Send back to fixing",
        sources=(Status.RETESTING,),
        target=Status.REMEDIATING,
        roles=TRIAGERS | {Role.SYSTEM},
    ),
    Move(
        name="resolve",
        label="Mark resolved",
        key="c",
        sources=(Status.RETESTING,),
        target=Status.RESOLVED,
        roles=TRIAGERS,
        demands=("holds", "researcher_agreed"),
        forbids=("verification_running",),
    ),
    Move(
        name="reopen",
        label="Reopen the case",
        sources=(Status.RESOLVED, Status.CLOSED),
        target=Status.TRIAGED,
        roles=TRIAGERS,
        demands=("reason_given",),
    ),
    Move(
        name="withdraw",
        label="Withdraw the report",
        sources=(Status.NEW, Status.NEEDS_INFO),
        target=Status.CLOSED,
        roles=frozenset({Role.REPORTER}),
        forbids=("was_triaged",),
        reason=CloseReason.WITHDRAWN,
    ),
    Move(
        name="close",
        label="Close the case",
        sources=OPEN,
        target=Status.CLOSED,
        roles=TRIAGERS,
        demands=("reason_given",),
    ),
)

MOVES: dict[str, Move] = {move.name: move for move in _TABLE}

WITH_ANOTHER = (CloseReason.DUPLICATE, CloseReason.MERGED)
"""Reasons that name another case: `cases.duplicates` and `cases.merging` close with them, in fixed words."""
TEAM_CLOSE_REASONS = tuple(one for one in CloseReason if one not in (*WITH_ANOTHER, CloseReason.WITHDRAWN))
"""The reasons a team may close with in words of its own; withdrawing belongs to the researcher."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A move that the viewer's role may make from here; with `missing` it is shown, but refused."""

    move: Move
    missing: tuple[str, ...]
    target: Status

    @property
    def ready(self) -> bool:
        """Whether the button works."""
        return not self.missing

    @property
    def missing_words(self) -> tuple[str, ...]:
        """What is missing, in words."""
        return tuple(FACT_WORDS[name] for name in self.missing)

    @property
    def sentence(self) -> str:
        """The move as a refusal that teaches: "Confirm finding. Missing: a severity rating."."""
        return _sentence(self.move, self.missing)


def open_to(status: Status, roles: Collection[Role], facts: Facts) -> list[Offer]:
    """The moves that these roles may make from this status, refused ones included."""
    status = Status(status)  # a row read from the database carries a plain string
    offers = []
    for move in MOVES.values():
        if status in move.sources and not move.roles.isdisjoint(roles):
            missing = tuple(name for name in move.missing(facts) if name not in GIVEN_WITH_THE_MOVE)
            offers.append(Offer(move=move, missing=missing, target=move.lands_on(facts)))
    return offers


def check(move: Move | str, status: Status, roles: Collection[Role], facts: Facts) -> Status:
    """The status after the move, or IllegalMove (wrong status, missing fact) or NotAllowed (wrong role)."""
    law = MOVES[move] if isinstance(move, str) else move
    status = Status(status)
    if law.roles.isdisjoint(roles):
        raise NotAllowed(f"{law.label}: this belongs to {_either(sorted(law.roles))}.")
    if status not in law.sources:
        raise IllegalMove(f"{law.label}: not possible while the case is {status.replace('_', ' ')}.")
    missing = law.missing(facts)
    if missing:
        raise IllegalMove(_sentence(law, missing), missing=missing)
    return law.lands_on(facts)


def _sentence(move: Move, missing: tuple[str, ...]) -> str:
    if not missing:
        return f"{move.label}."
    return f"{move.label}. Missing: {', '.join(FACT_WORDS[name] for name in missing)}."


def _either(roles: Collection[Role]) -> str:
    names = [role.words for role in roles]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
