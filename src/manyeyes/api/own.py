"""Reading one's own cases."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from ninja import Router

from manyeyes.api import shown, told
from manyeyes.api.cases_of import own_bundle, own_file, own_replay
from manyeyes.api.holders import Token, holder
from manyeyes.api.paging import USUAL, in_order, newest_first
from manyeyes.api.routes import WITH_TOKEN, Cursor, Limit, Reference, Search, reading, responses
from manyeyes.cases import attachments, ownnumbers, timeline
from manyeyes.http import as_download
from manyeyes.rules.visibility import shown_to_researcher

router = Router(tags=["my cases"])


@reading(router, "/cases", told.CaseList, scope="read", name="cases", more=(422,))
def cases(request: HttpRequest, limit: Limit = USUAL, cursor: Cursor = None, q: Search = "") -> dict[str, Any]:
    """The cases I reported, newest first; with `q` those of this reference, or of this number of mine."""
    rows = ownnumbers.search_own(holder(request).person, q).select_related("key", "program", "target")
    found, more = newest_first(rows, field="created_at", cursor=cursor, limit=limit)
    return {"items": [shown.case_line(row) for row in found], "next": more}


@reading(router, "/cases/{ref}", told.CaseOut, scope="read", name="case")
def case(request: HttpRequest, ref: Reference) -> dict[str, Any]:
    """Where one stands: status, clocks, what I may do, dates, severity once it is confirmed."""
    who = holder(request)
    return shown.case(who.case(ref), who.person)


@reading(router, "/cases/{ref}/report", told.ReportOut, scope="read", name="sent")
def sent(request: HttpRequest, ref: Reference) -> dict[str, Any]:
    """What I sent, as I sent it."""
    row = holder(request).case(ref).reports.select_related("case").order_by("sent_at")[0]
    return shown.report(row)


@reading(router, "/cases/{ref}/timeline", told.Timeline, scope="read", name="timeline", more=(422,))
def happened(request: HttpRequest, ref: Reference, limit: Limit = USUAL, cursor: Cursor = None) -> dict[str, Any]:
    """Everything that both sides see, oldest first."""
    who = holder(request)
    entries = timeline.entries(who.case(ref), who.person)
    both = [one for one in entries if shown_to_researcher(one.kind, one.public)]
    rows, more = in_order(both, cursor=cursor, limit=limit)
    return {"items": [shown.entry(one) for one in rows], "next": more}


@router.get(
    "/cases/{ref}/files/{uuid:file_id}", response=responses(bytes, *WITH_TOKEN), auth=Token("read"), url_name="file",
    operation_id="file",
)  # fmt: skip
def file(request: HttpRequest, ref: Reference, file_id: UUID) -> HttpResponseBase:
    """A file of the case, byte for byte."""
    row = own_file(holder(request).person, ref, file_id)
    return as_download(attachments.content(row), row.stored.name)


@reading(router, "/cases/{ref}/replays", told.ReplayList, scope="read", name="replays", more=(422,))
def replays(request: HttpRequest, ref: Reference, limit: Limit = USUAL, cursor: Cursor = None) -> dict[str, Any]:
    """The program's replays of my case, once a person has looked at them."""
    row = holder(request).case(ref)
    links = row.reproductions.filter(published_at__isnull=False, concluded_at__isnull=False)
    rows, more = newest_first(
        links.select_related("replay__main_version", "case"), field="concluded_at", cursor=cursor, limit=limit
    )
    return {"items": [shown.replay_line(link) for link in rows], "next": more}


@reading(router, "/cases/{ref}/replays/{uuid:replay_id}", told.ReplayOut, scope="read", name="replay")
def replay(request: HttpRequest, ref: Reference, replay_id: UUID) -> dict[str, Any]:
    """One of them with every number."""
    return shown.replay(own_replay(holder(request).person, ref, replay_id))


@reading(
    router, "/cases/{ref}/bundles/{uuid:bundle_id}", told.BundleOut, name="measured", auth=Token("read", "write")
)  # fmt: skip
def measured(request: HttpRequest, ref: Reference, bundle_id: UUID) -> dict[str, Any]:
    """A measurement of mine, and what scoring it again came to once that is done."""
    return shown.bundle(own_bundle(holder(request).person, ref, bundle_id))
