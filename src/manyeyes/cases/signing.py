"""Putting one's name to a rating: each discipline with its assessment, and the manager where they do not agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases import people
from manyeyes.cases.access import is_reporter
from manyeyes.cases.conversation import checked
from manyeyes.cases.facts import newest_rating, reopened_at
from manyeyes.cases.judged import Rating
from manyeyes.cases.models import Case, SignOff
from manyeyes.cases.moves import acting
from manyeyes.cases.signoffs import state_of
from manyeyes.programs.access import disciplines_of
from manyeyes.programs.triaging import rules_of
from manyeyes.rules import assessment as rules
from manyeyes.rules import clock
from manyeyes.rules.errors import IllegalMove, Invalid, NotAllowed, Stale
from manyeyes.rules.lifecycle import Role, Status
from manyeyes.rules.signoff import DISCIPLINES


def sign_off(
    case: Case,
    *,
    by: Any,
    discipline: str,
    agrees: bool,
    assessment: Mapping[str, str],
    note: str = "",
    rating: Rating | None = None,
    expected_version: int | None = None,
) -> SignOff:
    """One discipline's word on the rating that stands, with what it saw. `rating` is the one they had before them.

    Both disciplines may file at once. Raises Invalid for what is missing, NotAllowed for another discipline and for
    whoever reported it while others can sign, Stale where the case ended since the version they saw or its rating is
    another now.
    """
    if discipline not in DISCIPLINES:
        raise Invalid(discipline=_("Choose one of: %(names)s.") % {"names": ", ".join(DISCIPLINES)})
    if discipline not in disciplines_of(by, case.program):
        raise NotAllowed(_("A sign-off belongs to people of that discipline."))
    if is_reporter(by, case) and len(others_of(case, discipline)) > 0:
        raise NotAllowed(_("You reported this, so another person signs it off."))
    wrong = rules.wrong(discipline, assessment)
    said = {asked.name: str(assessment.get(asked.name, "")) for asked in rules.ASSESSMENTS[discipline]}
    for asked in rules.ASSESSMENTS[discipline]:
        if asked.name not in wrong and not asked.choices:
            said[asked.name] = checked(asked.name, said[asked.name], longest=rules.LONGEST)
    if wrong:
        raise Invalid(wrong)
    text = checked("note", note, longest=20_000, required=not agrees)
    row = SignOff(discipline=discipline, agrees=agrees, note=text, assessment=said)
    return _file(case, row, by=by, seen=rating, allowed=None, expected_version=expected_version)


def others_of(case: Case, discipline: str) -> list[Any]:
    """The people of a discipline in the program who did not report the case."""
    found = people.of_discipline(case.program_id, discipline)
    return [person for person in found if not is_reporter(person, case)]


def override(
    case: Case, *, by: Any, note: str, rating: Rating | None = None, expected_version: int | None = None
) -> SignOff:
    """A manager decides where the disciplines disagree or one is missing; name and reason are shown for ever.

    Whoever disagreed themselves does not decide while another manager can.
    """
    text = checked("note", note, longest=20_000)
    if not may_decide(case, by):
        raise NotAllowed(_("You are one of the two who do not agree, so another manager decides."))
    return _file(
        case, SignOff(discipline="manager", agrees=True, override=True, note=text), by=by, seen=rating,
        allowed={Role.PROGRAM_MANAGER}, expected_version=expected_version,
    )  # fmt: skip


def may_decide(case: Case, by: Any) -> bool:
    """Whether this manager may decide a disagreement: not one of the two sides of it, unless nobody else manages."""
    rating = newest_rating(case)
    if rating is None:
        return True
    state = state_of(case, rating)
    sides = {row.by.pk for row in (state.security, state.ml) if row is not None} if state.law.disagreed else set()
    return by.pk not in sides or all(one.pk in sides for one in people.holding(case, [Role.PROGRAM_MANAGER]))


def _file(
    case: Case, row: SignOff, *, by: Any, seen: Rating | None, allowed: set[Role] | None, expected_version: int | None
) -> SignOff:
    standing, since = newest_rating(case), reopened_at(case)
    if standing is None or (since is not None and standing.at <= since):
        raise IllegalMove(_("Sign off. Missing: a severity rating."), missing=["rated"])
    if seen is not None and seen.pk != standing.pk:
        first = _("%(name)s rated the case anew meanwhile. Look at the new rating first.") % {"name": standing.by}
        raise Stale(first, seen=expected_version or case.version - 1, now=case.version)
    row.rating, row.by, row.at = standing, by, clock.now()
    # Who is told must not tell what was filed, where the second assessment is to be made without the first.
    disputed = not row.agrees and not rules_of(case.program).independent
    tell = [*people.triagers(case), *(people.holding(case, [Role.PROGRAM_MANAGER]) if disputed else [])]
    with acting(
        case, "signed_off", by=by, allowed=allowed, tell=tell, changes=True, beside=True,
        expected_version=expected_version, sign_off=str(row.pk), rating=str(standing.pk), discipline=row.discipline,
        agrees=row.agrees, override=row.override,
    ) as locked:  # fmt: skip
        if not Status(locked.status).is_open:
            raise IllegalMove(_("Sign off: not possible any more, the case has ended."))
        row.case, row.key = locked, locked.key
        row.save()
    return row
