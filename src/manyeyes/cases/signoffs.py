"""Where the two sign-offs of a rating stand: who agreed, who did not, who decided."""

from __future__ import annotations

from dataclasses import dataclass

from manyeyes.cases.models import Case, Rating, SignOff
from manyeyes.rules import severity as rubric

NEEDS_TWO_PEOPLE = frozenset({"High", "Critical"})


@dataclass(frozen=True, kw_only=True)
class SignOffState:
    """`complete` lets a finding be confirmed. `two_hats` says that one person spoke for both disciplines."""

    security: SignOff | None
    ml: SignOff | None
    decision: SignOff | None
    two_people_needed: bool
    two_hats: bool
    disagreement: bool
    complete: bool
    missing: str


def state_of(case: Case, rating: Rating) -> SignOffState:
    """The state of the sign-offs on this rating; the last word of each discipline counts, all stay on record."""
    rows = sorted((row for row in case.sign_offs.all() if row.rating_id == rating.pk), key=lambda row: row.at)
    last = {row.discipline: row for row in rows}
    security, ml, decision = last.get("security"), last.get("ml"), last.get("manager")
    both = security is not None and ml is not None
    agreed = both and security.agrees and ml.agrees
    two_hats = both and security.by_id == ml.by_id
    needs_two = rubric.score(rating.vector).highest_band in NEEDS_TWO_PEOPLE
    complete = decision is not None or (agreed and not (two_hats and needs_two))
    return SignOffState(
        security=security,
        ml=ml,
        decision=decision,
        two_people_needed=needs_two,
        two_hats=two_hats,
        disagreement=any(row is not None and not row.agrees for row in (security, ml)),
        complete=complete,
        missing="" if complete else _missing(security, ml, two_hats and needs_two),
    )


def _missing(security: SignOff | None, ml: SignOff | None, one_person: bool) -> str:
    absent = [name for name, row in (("security", security), ("ML", ml)) if row is None]
    if absent:
        return f"{' and '.join(absent)} sign-off"
    return "a second person" if one_person else "the manager's decision"
