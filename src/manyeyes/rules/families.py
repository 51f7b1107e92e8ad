"""The law of families: which cases may stand for one flaw, which follow another, and who leads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotFound
from manyeyes.rules.marked import marked as _

T = TypeVar("T")


class Part(StrEnum):
    """What a case is in its family."""

    LEAD = "lead"
    DUPLICATE = "duplicate"
    MERGED = "merged"
    VARIANT = "variant"

    @property
    def words(self) -> str:
        """The part as people read it."""
        return PART_WORDS[self]

    @property
    def follows(self) -> bool:
        """Whether the work is done in another case, whose public decisions it follows."""
        return self in (Part.DUPLICATE, Part.MERGED)


PART_WORDS: dict[Part, str] = {
    Part.LEAD: _("leads"),
    Part.DUPLICATE: _("duplicate"),
    Part.MERGED: _("merged"),
    Part.VARIANT: _("related"),
}


@dataclass(frozen=True, kw_only=True)
class Kin:
    """A case as this law sees it. `first_at` is when the first report of its flaw came, its own or one that follows."""

    ref: str
    program: object
    received_at: datetime
    is_open: bool = True
    family: str = ""
    first_at: datetime | None = None


def original(start: T, follows: Callable[[T], T | None]) -> T:
    """The case at the end of the way: what a duplicate of a duplicate repeats. Raises Conflict on a circle.

    >>> original("c", {"c": "b", "b": "a"}.get)
    'a'
    """
    passed, here = [start], follows(start)
    while here is not None:
        if here in passed:
            raise Conflict(_("These cases repeat each other in a circle. Reopen one of them first."))
        passed.append(here)
        here = follows(here)
    return passed[-1]


def check_repeat(case: Kin, first: Kin) -> None:
    """Whether `case` may be closed as a duplicate of `first`, which repeats nothing itself. Raises Invalid, NotFound.

    Who reported earlier repeats nobody: their report is merged with the later one, and counts from its own day.
    """
    _two_of_one_program(case, first, "of", _("A case cannot repeat itself, or one that repeats it."))
    if case.received_at < (first.first_at or first.received_at):
        said = _("{case} came before {first}, so it repeats nothing. Merge it into {first}, or mark {first} instead.")
        raise Invalid(of=said.format(case=case.ref, first=first.ref))


def check_merge(case: Kin, lead: Kin) -> None:
    """Whether the work on `case` may go on in `lead`. Raises Invalid, NotFound."""
    _two_of_one_program(case, lead, "of", _("A case cannot be merged into itself, or into one that follows it."))
    if not lead.is_open:
        said = _("Nobody works on {lead} any more. Reopen it first, or merge the other way round.")
        raise Invalid(of=said.format(lead=lead.ref))


def check_group(cases: Sequence[Kin]) -> str:
    """The family that these cases join, empty where a new one begins. Raises Invalid, Conflict, NotFound."""
    if len({case.program for case in cases}) > 1:
        raise NotFound
    known = sorted({case.family for case in cases if case.family})
    if len(known) > 1:
        raise Conflict(
            _("They are in {n} families already: {names}. A case is in one; take it out of the other first.").format(
                n=len(known), names=", ".join(known)
            )
        )
    if len(cases) < 2 and not known:
        raise Invalid(case=_("A family has at least two cases."))
    if all(case.family for case in cases):
        raise Invalid(case=_("They are in this family already."))
    return known[0] if known else ""


def check_take_out(ref: str, part: Part, followers: int) -> None:
    """Whether a case may simply leave. Raises IllegalMove where its researcher, or those who follow it, were told."""
    if part.follows:
        said = _("{ref} was closed because of another case, and its researcher was told so. Reopen it instead.")
        raise IllegalMove(said.format(ref=ref), missing=["reopened"])
    if followers:
        said = _("Other cases follow {ref}. Merge it into another one, or reopen them first.")
        raise IllegalMove(said.format(ref=ref), missing=["followers"])


def check_lead(ref: str, part: Part) -> None:
    """Whether a case may lead: one that follows another does not. Raises IllegalMove."""
    if part.follows:
        raise IllegalMove(_("{ref} follows another case. Reopen it first.").format(ref=ref), missing=["reopened"])


def heir(left: Iterable[tuple[datetime, Part, str]]) -> str:
    """Who leads when the lead has left: of those that follow nobody the one whose report came first; empty if nobody.

    Each is (received at, part, reference).
    """
    free = sorted((at, ref) for at, part, ref in left if not part.follows)
    return free[0][1] if free else ""


def _two_of_one_program(case: Kin, other: Kin, field: str, same: str) -> None:
    if case.program != other.program:
        raise NotFound
    if case.ref == other.ref:
        raise Invalid({field: same})
