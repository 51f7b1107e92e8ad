"""Independent ratings, and how far they agree: letters given before a rating is on the case, never shown there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from manyeyes.cases.facts import newest_rating
from manyeyes.cases.judged import BlindRating, Rating
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting
from manyeyes.programs import rubrics
from manyeyes.programs.models import Program
from manyeyes.rules import agreement, clock, mes
from manyeyes.rules import severity as scale
from manyeyes.rules.agreement import Agreement
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid
from manyeyes.rules.lifecycle import TRIAGERS
from manyeyes.rules.rubric import Rubric


@dataclass(frozen=True, kw_only=True)
class Raters:
    """How far the raters of a program agree under one version of the rubric."""

    rubric: Rubric
    cases: int
    ratings: int
    raters: int
    metrics: tuple[Agreement, ...]
    band: Agreement

    @property
    def rows(self) -> tuple[Agreement, ...]:
        """The band first, then metric by metric."""
        return (self.band, *self.metrics)

    @property
    def narrow(self) -> bool:
        """Whether the intervals rest on so few cases that they may be too short."""
        return agreement.FEW <= self.cases < agreement.NARROW

    @property
    def wanting(self) -> int:
        """How many more cases are needed before a figure is given."""
        return max(0, agreement.FEW - self.cases)


def rate_blind(case: Case, *, by: Any, letters: Mapping[str, str]) -> BlindRating:
    """One person's letters, without a look at anybody's. Once a person; not after a rating stands on the case."""
    if newest_rating(case) is not None:
        raise IllegalMove(_("A rating is on the case already, so a further one would not be independent."))
    version = rubrics.current(case.program)
    rubric = version.rubric if version else mes.STANDARD
    missing = {metric.code: _("Choose a letter.") for metric in rubric.metrics if not letters.get(metric.code)}
    if missing:
        raise Invalid(missing)
    vector = scale.build(letters, observed=None, rubric=rubric)
    row = BlindRating(vector=str(vector), rubric_version=version, by=by, at=clock.now())
    with acting(case, "rated.blind", by=by, allowed=TRIAGERS) as locked:
        if locked.blind_ratings.filter(by=by).exists():
            raise Conflict(_("You rated this case already."))
        if newest_rating(locked) is not None:
            raise Conflict(_("The case was rated meanwhile."))
        row.case, row.key = locked, locked.key
        row.save()
    return row


def has_rated(case: Case, person: Any) -> bool:
    """Whether a person gave their letters for this case."""
    return bool(case.blind_ratings.filter(by=person).exists())


def agreed(program: Program) -> Raters:
    """How far people agree who rated the same case without seeing each other's letters, under the rubric in force.

    To the blind ratings of a case comes its first official one, judged letter by letter, unless its maker gave a blind
    one: nobody had seen a rating of that case before.
    """
    version = rubrics.current(program)
    rubric = version.rubric if version else mes.STANDARD
    found: dict[UUID, dict[UUID, scale.Vector]] = defaultdict(dict)
    for blind in BlindRating.objects.filter(case__program=program, case__test=False, rubric_version=version):
        found[blind.case_id][blind.by_id] = blind.parsed
    for rating in _first_ratings(program, list(found)):
        if rating.rubric_version_id == (version.pk if version else None) and rating.method == Rating.Method.VECTOR:
            found[rating.case_id].setdefault(rating.by_id, replace(rating.parsed, observed=None))
    cases = [list(rows.values()) for rows in found.values() if len(rows) > 1]
    return Raters(
        rubric=rubric,
        cases=len(cases),
        ratings=sum(len(rows) for rows in cases),
        raters=len({person for rows in found.values() if len(rows) > 1 for person in rows}),
        metrics=agreement.by_metric([[one.letters for one in rows] for rows in cases], rubric),
        band=agreement.of_bands([[scale.score(one).highest_band for one in rows] for rows in cases], scale.BANDS),
    )


def _first_ratings(program: Program, cases: list[UUID]) -> list[Rating]:
    first: dict[UUID, Rating] = {}
    for row in Rating.objects.filter(case__program=program, case__in=cases).order_by("at"):
        first.setdefault(row.case_id, row)
    return list(first.values())
