"""The number that a researcher gave a report: kept encrypted, found by a keyed name when it is typed whole."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from manyeyes.cases.access import reported_by
from manyeyes.cases.models import Case, Report
from manyeyes.programs.models import Program
from manyeyes.vault import tokens


def token_of(program_id: Any, own_ref: str | None) -> str:
    """The name under which a report is found again in its program; empty without a number."""
    plain = " ".join((own_ref or "").casefold().split())
    return tokens.keyed("own-number", f"{program_id}\0{plain}") if plain else ""


def numbered(typed: str) -> QuerySet[Report, Any]:
    """The ids of the cases whose report has this number; equal numbers have other names in another program."""
    names = [token_of(pk, typed) for pk in Program.objects.values_list("pk", flat=True)]
    return Report.objects.filter(own_ref_token__in=[name for name in names if name]).values("case_id")


def search_own(viewer: Any, typed: str) -> QuerySet[Case]:
    """The viewer's own reports, those with this reference or number of theirs where something was typed."""
    found, text = reported_by(viewer), typed.strip()[:100].replace("\x00", "")
    if not text:
        return found
    return found.filter(Q(ref__icontains=text) | Q(pk__in=numbered(text)))
