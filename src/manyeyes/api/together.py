"""Reporting together: who reports a case with one, invitations and the answer to them, a receipt to claim."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Status

from manyeyes.accounts import receipts
from manyeyes.api import asked, shown
from manyeyes.api import told_people as told
from manyeyes.api.door import sending_of
from manyeyes.api.holders import TokenOrNobody, holder
from manyeyes.api.routes import Reference, acting, reading
from manyeyes.cases import claiming, coreporters
from manyeyes.cases.models import CoReporter
from manyeyes.http import may_try, within_limit
from manyeyes.rules.errors import Invalid, NotFound

router = Router(tags=["together"])
CLAIMS = 20
"""Receipts that may be tried in an hour from one network, on every face together."""


def _line(row: CoReporter, viewer: Any) -> dict[str, Any]:
    name = row.person.name if row.accepted_at and row.person else row.named or ""
    may_end = viewer.pk in (row.case.reporter_id, row.person_id)
    return {
        "id": row.pk, "name": name, "invited_at": row.invited_at, "accepted_at": row.accepted_at, "may_end": may_end,
    }  # fmt: skip


def _people(request: HttpRequest, ref: str) -> dict[str, Any]:
    who = holder(request)
    rows = coreporters.standing(who.case(ref)).select_related("case", "key")
    return {"items": [_line(row, who.person) for row in rows]}


@reading(router, "/cases/{ref}/people", told.CoReporterList, scope="read", name="people")
def people(request: HttpRequest, ref: Reference) -> dict[str, Any]:
    """Who reports this with me."""
    return _people(request, ref)


@acting(router, "/cases/{ref}/people/handle", told.CoReporterList, scope="write", name="invite", status=201)
def invite(request: HttpRequest, ref: Reference, body: asked.HandleIn) -> Status[Any]:
    """Name somebody by handle. A handle that nobody has is answered alike."""
    who = holder(request)
    coreporters.invite(who.case(ref), by=who.person, handle=body.handle)
    return Status(201, _people(request, ref))


@acting(
    router, "/cases/{ref}/people/link", told.LinkOut, scope="write", name="invite_link", status=201, keeps=False
)  # fmt: skip
def invite_link(request: HttpRequest, ref: Reference) -> Status[Any]:
    """Make a link for somebody without an account here. Hand it over as you would hand over the report itself."""
    who = holder(request)
    secret = coreporters.invite(who.case(ref), by=who.person, sending=sending_of(request))
    return Status(201, {"link": shown.page("portal:join", secret)})


@acting(
    router, "/cases/{ref}/people/{uuid:co_reporter_id}/end", told.CoReporterList, scope="write", name="invite_end"
)  # fmt: skip
def invite_end(request: HttpRequest, ref: Reference, co_reporter_id: UUID) -> dict[str, Any]:
    """Take an invitation or a part back, or leave."""
    who = holder(request)
    row = coreporters.standing(who.case(ref)).filter(pk=co_reporter_id).first()
    if row is None:
        raise NotFound
    coreporters.end(row, by=who.person)
    if row.person_id == who.person.pk:
        return {"items": []}  # whoever left sees nothing of it any more
    return _people(request, ref)


@reading(router, "/invitations", told.InvitationList, scope="read", name="invitations")
def invitations(request: HttpRequest) -> dict[str, Any]:
    """Invitations by handle that I have not answered."""
    rows = coreporters.waiting_for(holder(request).person)
    return {"items": [
        {"id": row.pk, "program": row.case.program.slug, "organisation": row.case.program.organisation,
         "invited_by": row.invited_by.name, "invited_at": row.invited_at} for row in rows
    ]}  # fmt: skip


@acting(router, "/invitations/{uuid:invitation_id}/acceptance", told.Joined, scope="write", name="accept")
def accept(request: HttpRequest, invitation_id: UUID) -> dict[str, Any]:
    """Report this as well from now on."""
    who = holder(request)
    case = coreporters.accept(coreporters.own_invitation(who.person, invitation_id), by=who.person)
    return _joined(case.ref)


@acting(router, "/invitations/{uuid:invitation_id}/refusal", told.Refused, scope="write", name="decline")
def decline(request: HttpRequest, invitation_id: UUID) -> dict[str, Any]:
    """Say no."""
    who = holder(request)
    coreporters.end(coreporters.own_invitation(who.person, invitation_id), by=who.person)
    return {"id": invitation_id}


@acting(
    router, "/invitations/join", told.Joined, scope="", name="join", status=201, keeps=False,
    auth=TokenOrNobody("write"),
)  # fmt: skip
def join(request: HttpRequest, body: asked.LinkIn) -> Status[Any]:
    """Accept an invitation by link. Whoever sends no token gets a receipt, shown once."""
    who, secret = holder(request), body.link.strip().rstrip("/").rpartition("/")[2]
    if not may_try(request, "join", times=2):
        raise NotFound
    before = coreporters.joined(secret, who.known)
    if before is not None:
        return Status(201, _joined(before.case.ref))
    row = coreporters.by_link(secret)
    if who.known is not None:
        return Status(201, _joined(coreporters.accept(row, by=who.person).ref))
    person, digits = receipts.new_bearer()
    return Status(201, _joined(coreporters.accept(row, by=person).ref, digits))


@acting(router, "/receipts/claim", told.Claimed, scope="write", name="claim")
def claim(request: HttpRequest, body: asked.ClaimIn) -> dict[str, Any]:
    """Take what was sent with a receipt into my account."""
    who = holder(request)
    if who.person.kind == "receipt":
        raise NotFound
    tries = within_limit(request, "receipt", CLAIMS)
    bearer = receipts.person_for(body.digits) if tries else None
    if bearer is None:
        raise Invalid(digits=_("These digits open nothing. Look at each group again; after many tries, wait an hour."))
    return {"refs": [one.ref for one in claiming.claim(bearer, by=who.person, end_receipt=body.ends)]}


def _joined(ref: str, receipt: str | None = None) -> dict[str, Any]:
    return {"ref": ref, "receipt": receipt, "url": shown.page("portal:my_case", ref)}
