"""Sending a report, and coming back with its receipt."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Status

from manyeyes.accounts import receipts, tokens
from manyeyes.api import asked, shown, told
from manyeyes.api.door import sending_of
from manyeyes.api.drafting import wanted
from manyeyes.api.holders import Token, TokenOrNobody, holder
from manyeyes.api.routes import acting, reading
from manyeyes.cases import drafts, intake
from manyeyes.cases.clocks import first_answer_due
from manyeyes.http import may_try, reports_within
from manyeyes.programs.access import program_for
from manyeyes.rules.errors import Invalid

router = Router(tags=["report"])


@acting(
    router, "/programs/{slug:slug}/reports", told.Received, scope="", name="report", status=201, keeps=False,
    auth=TokenOrNobody("report"),
)  # fmt: skip
def report(request: HttpRequest, slug: str, body: asked.ReportIn) -> Status[Any]:
    """Send a report, with the files of a `draft`. A better reproducer and a bundle follow under `/cases/{ref}`.

    Whoever sends no token gets a receipt, which opens the case on the pages and, exchanged, here. Nothing is refused
    because many reports come at once: it waits in a tray.
    """
    who = holder(request)
    program = program_for(who.known, slug)
    flood = not reports_within(request, None if body.anonymous else who.known)
    found = wanted(request, slug, body)
    if body.must_stop and found is not None:
        drafts.drop(found.draft)  # of such material nothing is kept
    imported = found.draft.answers.get("import") if found else None
    report = body.report(sending_of(request), imported)
    sent = intake.submit(
        program, report, by=who.known, draft=found.draft if found else None, deferred=flood
    )  # fmt: skip
    case = sent.case
    answer_by = first_answer_due(case)
    return Status(201, {
        "ref": case.ref, "receipt": sent.receipt, "again": sent.again, "answer_by": answer_by,
        "url": shown.page("portal:my_case", case.ref),
    })  # fmt: skip


@acting(router, "/tokens/receipt", told.TokenOut, scope="", name="receipt", status=201, keeps=False)
def receipt(request: HttpRequest, body: asked.ReceiptIn) -> Status[Any]:
    """Exchange a receipt for a token that works for an hour; an earlier one of the same receipt ends."""
    if not may_try(request, "return"):
        raise Invalid(digits=_("Too many tries from your network this hour. Try again later."))
    person = receipts.person_for(body.digits)
    if person is None:
        raise Invalid(digits=_("No case belongs to these digits. Check them, group by group."))
    row, text = tokens.issue_brief(person)
    return Status(201, {"token": text, "scopes": row.scopes, "expires_at": row.expires_at})


@reading(router, "/me", told.Me, scope="read", name="me")
def me(request: HttpRequest) -> dict[str, Any]:
    """Who this token stands for."""
    who = holder(request)
    assert who.token is not None
    kind, token = who.person.kind, who.token
    return {"name": who.person.name, "kind": kind, "scopes": token.scopes, "expires_at": token.expires_at}


@acting(router, "/tokens/revoke", told.Me, scope="", name="revoke", auth=Token())
def revoke(request: HttpRequest) -> dict[str, Any]:
    """End the token that this request carries."""
    who = holder(request)
    assert who.token is not None
    tokens.revoke(who.person, who.token.pk)
    return {
        "name": who.person.name, "kind": who.person.kind, "scopes": [], "expires_at": who.token.expires_at,
    }  # fmt: skip
