"""The date before which neither side publishes: proposed by one, agreed by the other, and over at its hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from manyeyes.rules import clock
from manyeyes.rules.errors import EmbargoInForce, IllegalMove, Invalid, NotAllowed
from manyeyes.rules.numerals import day_words, time_words

LONGEST = timedelta(days=3650)
"""How far ahead a date may lie; a policy's days of silence end there too. Further on calendars overflow."""


class State(StrEnum):
    """Where the embargo stands. A new proposal does not lift an agreed date."""

    NONE = "none"
    PROPOSED = "proposed"
    AGREED = "agreed"
    ENDED = "ended"


class Side(StrEnum):
    """Who proposes."""

    TEAM = "team"
    REPORTER = "reporter"


@dataclass(frozen=True, kw_only=True)
class Term:
    """One proposed date with what became of it, as dated facts."""

    until: datetime
    side: str
    proposed_at: datetime
    agreed_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The state at a moment: the term in force, and the proposal that still waits for the other side."""

    state: State
    in_force: Term | None
    proposal: Term | None


def standing(terms: Sequence[Term], at: datetime | None = None) -> Standing:
    """Where the embargo stands: the term agreed last counts, the newest proposal after it is open."""
    moment = clock.now() if at is None else at
    agreed = [term for term in terms if term.agreed_at is not None and term.agreed_at <= moment]
    last = max(agreed, key=lambda term: term.agreed_at or moment, default=None)
    newest = max(terms, key=lambda term: term.proposed_at, default=None)
    proposal = newest if newest is not None and newest.agreed_at is None and newest.until > moment else None
    if last is not None and (last.ended_at is None or last.ended_at > moment) and last.until > moment:
        return Standing(state=State.AGREED, in_force=last, proposal=proposal)
    if proposal is not None:
        return Standing(state=State.PROPOSED, in_force=None, proposal=proposal)
    return Standing(state=State.ENDED if last is not None else State.NONE, in_force=None, proposal=None)


def check_proposal(until: datetime, at: datetime | None = None) -> None:
    """Raise Invalid unless the date lies ahead, not too far, and names its zone."""
    moment = clock.now() if at is None else at
    if until.tzinfo is None:
        raise Invalid(until="Give the date with its time zone.")
    if until <= moment:
        raise Invalid(until="The date has passed. Choose one that lies ahead.")
    if until > moment + LONGEST:
        raise Invalid(until=f"The date is too far away. Choose one up to {day_words(moment + LONGEST)}.")


def check_agreement(terms: Sequence[Term], side: str, at: datetime | None = None) -> Term:
    """The proposal that this side may accept. Raises IllegalMove without one, NotAllowed for one's own."""
    proposal = standing(terms, at).proposal
    if proposal is None:
        raise IllegalMove("Agree to the date. Missing: a proposal.", missing=["proposal"])
    if proposal.side == side:
        raise NotAllowed("The other side accepts a proposal.")
    return proposal


def check_publication(terms: Sequence[Term], at: datetime | None = None) -> None:
    """Raise EmbargoInForce while an agreed date lies ahead."""
    term = standing(terms, at).in_force
    if term is not None:
        raise EmbargoInForce(f"Both sides agreed not to publish before {time_words(term.until)}.")
