"""The codes of public catalogues on a case: suggested from its kind, chosen by a person, each with its edition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases.judged import CaseCode
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting
from manyeyes.programs import editions
from manyeyes.rules import catalogue, clock, taxonomy
from manyeyes.rules.catalogue import Found
from manyeyes.rules.errors import Invalid
from manyeyes.rules.lifecycle import TRIAGERS

MOST = 30


def chosen(case: Case) -> list[Found]:
    """The codes on the case. One whose edition is not at hand any more keeps its place, without a name."""
    rows = editions.every()
    return [_found(row.code, rows) for row in case.codes.all()]


def suggestions(case: Case) -> list[Found]:
    """What its kind and hazard suggest, without what is on the case."""
    rows, held = editions.every(), {row.code for row in case.codes.all()}
    return [_found(code, rows) for code in taxonomy.suggested(case.vuln_class, case.hazard) if code not in held]


def put(case: Case, *, by: Any, codes: Iterable[str]) -> list[Found]:
    """Put these codes on the case. Raises Invalid for a code without an edition, or that no edition at hand has."""
    rows, wanted = editions.every(), list(dict.fromkeys(codes))
    unknown = [code for code in wanted if catalogue.find(code, rows) is None]
    if unknown:
        raise Invalid(codes=_("No edition at hand has: %(codes)s.") % {"codes": ", ".join(unknown)[:300]})
    with acting(case, "codes.put", by=by, allowed=TRIAGERS, codes=wanted) as locked:
        held = {row.code for row in locked.codes.all()}
        new = [code for code in wanted if code not in held]
        if not new:
            raise Invalid(codes=_("Choose a code that is not on the case yet."))
        if len(held) + len(new) > MOST:
            raise Invalid(codes=_("A case takes %(most)s codes at most.") % {"most": MOST})
        CaseCode.objects.bulk_create(CaseCode(case=locked, code=code, by=by, at=clock.now()) for code in new)
    return chosen(case)


def take_off(case: Case, *, by: Any, code: str) -> list[Found]:
    """Take a code off the case; that it was there stays on record."""
    with acting(case, "codes.taken_off", by=by, allowed=TRIAGERS, codes=[code]) as locked:
        gone, _rows = locked.codes.filter(code=code).delete()
        if not gone:
            raise Invalid(codes=_("This code is not on the case."))
    return chosen(case)


def _found(code: str, rows: Iterable[Any]) -> Found:
    return catalogue.find(code, tuple(rows)) or Found(code=code, name="", catalogue="")
