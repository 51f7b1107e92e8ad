"""The rating that stands, with its scores explained and the sign-offs on it, as both faces show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from manyeyes.cases.facts import newest_rating
from manyeyes.cases.judged import Rating
from manyeyes.cases.models import Case
from manyeyes.cases.signoffs import SignOffState, state_of


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A rating, what it scores, and who signed it."""

    rating: Rating
    score: Any
    sign_offs: SignOffState


def standing(case: Case) -> Judgement | None:
    """The newest rating of the case, or None before there is one."""
    rating = newest_rating(case)
    if rating is None:
        return None
    return Judgement(rating=rating, score=rating.score, sign_offs=state_of(case, rating))
