"""What everybody may read: programs, policies, kinds of flaw, advisories."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from manyeyes.api import shown
from manyeyes.api import told_public as told
from manyeyes.api.holders import TokenOrNobody, holder
from manyeyes.api.paging import USUAL, in_order, newest_first
from manyeyes.api.routes import Cursor, Limit, Number, reading
from manyeyes.programs.access import program_for, visible_to
from manyeyes.programs.policy import published_version
from manyeyes.publications import advisory as advisories_
from manyeyes.publications import hall
from manyeyes.rules import questions, taxonomy

router = Router(tags=["public"])

ANYBODY = TokenOrNobody()
"""With a token, whatever it may do: a program that is not public exists for whom it invited and for its team."""


@reading(router, "/programs", told.ProgramList, name="programs", more=(422,), auth=ANYBODY)
def programs(request: HttpRequest, limit: Limit = USUAL, cursor: Cursor = None) -> dict[str, Any]:
    """The programs that are open to the public, and those that the holder of a token was invited to or works in."""
    rows, more = newest_first(visible_to(holder(request).known), field="created_at", cursor=cursor, limit=limit)
    return {"items": [shown.program_line(row) for row in rows], "next": more}


@reading(router, "/programs/{slug:slug}", told.ProgramOut, name="program", auth=ANYBODY)
def program(request: HttpRequest, slug: str) -> dict[str, Any]:
    """What may be tested, what is promised, and where reports go."""
    return shown.program(program_for(holder(request).known, slug))


@reading(router, "/programs/{slug:slug}/policies", told.PolicyList, name="policies", more=(422,), auth=ANYBODY)
def policies(request: HttpRequest, slug: str, limit: Limit = USUAL, cursor: Cursor = None) -> dict[str, Any]:
    """Every published version of the policy, newest first."""
    found = program_for(holder(request).known, slug)
    published = found.policies.filter(published_at__isnull=False)
    rows, more = newest_first(published, field="published_at", cursor=cursor, limit=limit)
    return {"items": [shown.policy_line(row, found.policy) for row in rows], "next": more}


@reading(router, "/programs/{slug:slug}/policies/{int:number}", told.PolicyOut, name="policy", auth=ANYBODY)
def policy(request: HttpRequest, slug: str, number: Number) -> dict[str, Any]:
    """One published version, section by section."""
    found = program_for(holder(request).known, slug)
    return shown.policy(published_version(found, number), found)


@reading(router, "/programs/{slug:slug}/thanks", told.ThanksList, name="thanks", more=(422,), auth=ANYBODY)
def thanks(request: HttpRequest, slug: str, limit: Limit = USUAL, cursor: Cursor = None) -> dict[str, Any]:
    """Who found something, as far as they want to be named."""
    rows, more = in_order(hall.of_fame(program_for(holder(request).known, slug)), cursor=cursor, limit=limit)
    return {"items": [shown.thanks(row) for row in rows], "next": more}


@reading(router, "/kinds", told.KindList, name="kinds")
def kinds(request: HttpRequest) -> dict[str, Any]:
    """The kinds of flaw, with the questions that a report of each may answer."""
    rows = []
    for kind in taxonomy.KINDS.values():
        asked = [
            {"name": one.name, "label": str(one.label), "help": str(one.help), "form": one.form,
             "choices": {word: str(said) for word, said in one.offered}}
            for one in questions.questions_of(kind.code)
        ]  # fmt: skip
        rows.append({"code": kind.code, "name": kind.name, "help": kind.help, "questions": asked})
    return {"items": rows}


@reading(router, "/advisories", told.AdvisoryList, name="advisories", more=(422,))
def advisories(request: HttpRequest, limit: Limit = USUAL, cursor: Cursor = None) -> dict[str, Any]:
    """What was found and fixed."""
    rows, more = newest_first(advisories_.published(), field="published_at", cursor=cursor, limit=limit)
    return {"items": [shown.advisory_line(row) for row in rows], "next": more}


@reading(router, "/advisories/{slug:slug}", told.AdvisoryOut, name="advisory")
def advisory(request: HttpRequest, slug: str) -> dict[str, Any]:
    """One advisory, with what was measured."""
    return shown.advisory(advisories_.public(slug))
