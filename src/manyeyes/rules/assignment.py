"""Who takes a new case: one person for security and one for ML, by load and fit, each with somebody to stand in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product

from manyeyes.rules.signoff import DISCIPLINES

HOURS_A_CASE = 2.0
"""Hours a week that an open case is taken to cost, where somebody gives their capacity in hours."""
USUAL_MOST = 8
"""The open cases that a full desk is taken to hold, for whoever has named no capacity; nobody is turned away by it."""


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """A member of the team as assignment sees them. `classes` and `targets` are what they know well.

    `declines` are hazard classes they will not view; `conflict` says why they may not judge this report, in words that
    follow their name ("reported it"); `leads` marks a manager, who stands in where a discipline has nobody else.
    """

    person: str
    name: str
    disciplines: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    open_cases: int = 0
    most_cases: int | None = None
    hours_a_week: float | None = None
    away: bool = False
    declines: frozenset[str] = field(default_factory=frozenset)
    conflict: str = ""
    leads: bool = False

    @property
    def most(self) -> int | None:
        """How many open cases they can hold; None where they named neither cases nor hours.

        >>> Colleague(person="1", name="Theo L.", hours_a_week=9).most
        4
        """
        if self.most_cases is not None:
            return self.most_cases
        return None if self.hours_a_week is None else int(self.hours_a_week // HOURS_A_CASE)

    @property
    def full(self) -> bool:
        """Whether one more case is more than they can hold."""
        return self.most is not None and self.open_cases >= self.most

    @property
    def load(self) -> float:
        """How much of their capacity is taken, 0 for an empty desk."""
        return self.open_cases / max(1, USUAL_MOST if self.most is None else self.most)


@dataclass(frozen=True, kw_only=True)
class Arriving:
    """What decides who fits: the kind of flaw, the target, and the hazard class (empty for none)."""

    vuln_class: str
    target: str = ""
    hazard: str = ""

    def fit(self, one: Colleague) -> int:
        """How well somebody knows it: a point for the kind of flaw, a point for the target."""
        return int(self.vuln_class in one.classes) + int(self.target in one.targets)

    def open_to(self, one: Colleague) -> bool:
        """Whether somebody may have it at all: there, without a conflict, and willing to view its kind of content."""
        return not (one.away or one.conflict or (self.hazard and self.hazard in one.declines))


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Who has the word for one discipline, and who stands in. Empty ids mean nobody; `reasons` are sentences."""

    discipline: str
    person: str = ""
    backup: str = ""
    reasons: tuple[str, ...] = ()


def seats(team: Iterable[Colleague], case: Arriving) -> tuple[Seat, ...]:
    """The seats of security and ML for a case, always in this order and always the same for the same team.

    Nobody who is away, declines the hazard class or has a conflict is named, not even to stand in. Somebody at their
    capacity is named only where everybody able is. Two people come before one with both hats; then fit, then load.
    """
    everybody = sorted(team, key=lambda one: (one.name, one.person))
    able = [one for one in everybody if case.open_to(one)]
    nobody: list[Colleague | None] = [None]
    choices = [[one for one in able if name in one.disciplines] or nobody for name in DISCIPLINES]
    chosen = min(product(*choices), key=lambda pair: _cost(pair, case))
    return tuple(_seat(name, one, chosen, able, everybody, case) for name, one in zip(DISCIPLINES, chosen, strict=True))


def stand_in(
    team: Iterable[Colleague], case: Arriving, discipline: str, *, without: Iterable[str] = ()
) -> Colleague | None:
    """Who takes over a seat: the best of the discipline who is able and not among `without`, else a manager, else any.

    None where nobody is left.
    """
    out = set(without)
    left = [one for one in team if one.person not in out and case.open_to(one)]
    ranked = sorted(left, key=lambda one: (discipline not in one.disciplines, not one.leads, *_rank(one, case)))
    same = [one for one in ranked if discipline in one.disciplines]
    return min(same, key=lambda one: _rank(one, case)) if same else next(iter(ranked), None)


def _rank(one: Colleague, case: Arriving) -> tuple[bool, int, float, str, str]:
    return one.full, -case.fit(one), one.load, one.name, one.person


def _cost(pair: Sequence[Colleague | None], case: Arriving) -> tuple[object, ...]:
    """What is smallest for the best pair; those who are missing cost nothing, for all pairs lack them alike."""
    named = [one for one in pair if one is not None]
    full, fit, load = sum(one.full for one in named), sum(case.fit(one) for one in named), sum(o.load for o in named)
    twice = len({one.person for one in named}) < len(named)
    return full, twice, -fit, round(load, 9), *(word for one in named for word in (one.name, one.person))


def _seat(
    name: str,
    one: Colleague | None,
    chosen: Sequence[Colleague | None],
    able: Sequence[Colleague],
    everybody: Sequence[Colleague],
    case: Arriving,
) -> Seat:
    words = DISCIPLINES[name]
    if one is None:
        return Seat(discipline=name, reasons=(f"Nobody can take it for {words}.", *_passed_over(name, everybody, case)))
    taken = {other.person for other in chosen if other is not None}
    # Whoever has the other seat stands in only where nobody else is left: their own word is needed there.
    backup = stand_in(able, case, name, without=taken) or stand_in(able, case, name, without={one.person})
    reasons = [f"{one.name} takes it for {words}: {_why(one, case)}."]
    if len(taken) == 1 and all(chosen):
        reasons.append("One person wears both hats, because nobody else is there for one of them.")
    if one.full:
        reasons.append("Everybody able is at their capacity.")
    if backup is None:
        reasons.append("Nobody is left to stand in.")
    elif name in backup.disciplines:
        reasons.append(f"{backup.name} stands in.")
    else:
        reasons.append(f"{backup.name} stands in, for nobody else here speaks for {words}.")
    reasons += _passed_over(name, everybody, case)
    return Seat(
        discipline=name, person=one.person, backup=backup.person if backup is not None else "", reasons=tuple(reasons)
    )


def _why(one: Colleague, case: Arriving) -> str:
    """How busy they are and what they know, after a colon."""
    most = f" of at most {one.most}" if one.most is not None else ""
    cases = "open case" if one.open_cases == 1 and not most else "open cases"
    known = [words for words, knows in (
        ("this kind of flaw", case.vuln_class in one.classes), ("this target", case.target in one.targets)
    ) if knows]  # fmt: skip
    return f"{one.open_cases}{most} {cases}" + (f", knows {' and '.join(known)}" if known else "")


def _passed_over(name: str, everybody: Sequence[Colleague], case: Arriving) -> list[str]:
    """Who of the discipline was not asked, and why. Who will not view what is theirs to tell: it stands as a number."""
    ours = [one for one in everybody if name in one.disciplines]
    told = [f"{one.name} is away." for one in ours if one.away]
    told += [f"{one.name} {one.conflict}." for one in ours if one.conflict and not one.away]
    declined = sum(
        1 for one in ours if case.hazard in one.declines and not (one.away or one.conflict or not case.hazard)
    )
    if declined:
        told.append(f"{declined} will not view this kind of content.")
    return told
