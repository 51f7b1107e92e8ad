"""Reports that are not sent yet: drafts with their files, tools' files with what was understood, a preview."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Header, Router, Status

from manyeyes.api import asked, shown_drafts
from manyeyes.api import told_drafts as told
from manyeyes.api.door import sending_of
from manyeyes.api.holders import TokenOrNobody, holder
from manyeyes.api.paging import USUAL, in_order
from manyeyes.api.routes import Cursor, Limit, Upload, acting, reading
from manyeyes.cases import drafts, imported, intake, typed
from manyeyes.cases.drafts import Found
from manyeyes.cases.keeping import brought
from manyeyes.http import may_try
from manyeyes.programs.access import program_for
from manyeyes.rules.errors import Conflict, Invalid, NotFound

router = Router(tags=["drafts"])
DRAFTS = 4
"""Drafts are saved so many times as often as receipts may be tried, on every face together."""
CODE = "Draft-Code"
Code = Annotated[
    str, Header(default="", alias=CODE, max_length=100, description="What opens the draft of somebody without account.")
]
ONE = "/programs/{slug:slug}/drafts/{uuid:draft_id}"
SENDS, READS = TokenOrNobody("report"), TokenOrNobody("read", "report")


def found(request: HttpRequest, slug: str, draft_id: UUID, code: str) -> Found:
    """The caller's draft: that of their account, or of the code they hold. Raises NotFound for every other one."""
    who = holder(request)
    row = drafts.find(program_for(who.known, slug), code or str(draft_id), by=who.known)
    if row is None or row.draft.pk != draft_id:
        raise NotFound
    return row


def wanted(request: HttpRequest, slug: str, body: asked.ReportIn) -> Found | None:
    """The draft that a report names. Raises Conflict for one that is gone, unless the report was sent before."""
    who = holder(request)
    try:
        return drafts.wanted(program_for(who.known, slug), body.draft, by=who.known)
    except Conflict:
        if body.submission_id is not None and intake.known(str(body.submission_id)):
            return None
        raise


def _may_save(request: HttpRequest) -> None:
    if not may_try(request, "draft", times=DRAFTS):
        raise Invalid(file=_("Many drafts came from your network this hour. Try again later, or send the report."))


def _stop(body: asked.Beside, row: Found | None) -> None:
    """Nothing of such material is kept, and what was kept of a draft goes as well."""
    if not body.must_stop:
        return
    if row is not None:
        drafts.drop(row.draft)
    raise Invalid(csam=_("Stop. Material like this is never taken."))


@reading(router, "/drafts", told.DraftList, scope="read", name="drafts", more=(422,))
def my_drafts(request: HttpRequest, limit: Limit = USUAL, cursor: Cursor = None) -> dict[str, Any]:
    """The drafts of my account, the newest first."""
    rows, more = in_order(drafts.of(holder(request).person), cursor=cursor, limit=limit)
    return {"items": [shown_drafts.line(row) for row in rows], "next": more}


@acting(
    router, "/programs/{slug:slug}/drafts", told.DraftOut, scope="", name="draft_new", status=201, keeps=False,
    auth=SENDS,
)  # fmt: skip
def draft_new(request: HttpRequest, slug: str, body: asked.DraftIn) -> Status[Any]:
    """Begin a report. It is kept encrypted for 14 days.

    Whoever has no account gets a code, which opens it as the header `Draft-Code`; for them a resend begins another.
    """
    who = holder(request)
    program = program_for(who.known, slug)
    _stop(body, None)
    _may_save(request)
    # Without a token a request has no name that others could not guess, and the answer holds a code.
    sending = sending_of(request) if who.known is not None else ""
    return Status(201, shown_drafts.draft(drafts.save(program, typed.kept(body.model_dump()), by=who.known,
                                                      sending=sending)))  # fmt: skip


@reading(router, ONE, told.DraftOut, name="draft", auth=READS, more=(422,))
def draft(request: HttpRequest, slug: str, draft_id: UUID, code: Code) -> dict[str, Any]:
    """A draft of mine, with its answers, files and what was understood of a tool's file."""
    return shown_drafts.draft(found(request, slug, draft_id, code))


@acting(router, f"{ONE}/answers", told.DraftOut, scope="", name="draft_answers", auth=SENDS)
def draft_answers(request: HttpRequest, slug: str, draft_id: UUID, body: asked.DraftIn, code: Code) -> dict[str, Any]:
    """Put these answers in the place of those it has; its files stay."""
    row = found(request, slug, draft_id, code)
    _stop(body, row)
    _may_save(request)
    given = typed.kept({**body.model_dump(), "submission_id": body.submission_id or _submission(row)})
    return shown_drafts.draft(_saved(request, row, {**row.draft.answers, **given}))


@acting(router, f"{ONE}/removal", told.DraftLine, scope="", name="draft_drop", auth=SENDS)
def draft_drop(request: HttpRequest, slug: str, draft_id: UUID, code: Code) -> dict[str, Any]:
    """Throw it away with its files."""
    row = found(request, slug, draft_id, code)
    line = shown_drafts.line(row.draft)
    drafts.drop(row.draft)
    return {**line, "id": draft_id}


@acting(router, f"{ONE}/files", told.DraftOut, scope="", name="draft_file", status=201, auth=SENDS)
def draft_file(request: HttpRequest, slug: str, draft_id: UUID, file: Upload, code: Code) -> Status[Any]:
    """Add a file, which comes along when the report is sent."""
    row = found(request, slug, draft_id, code)
    _may_save(request)
    return Status(201, shown_drafts.draft(_saved(request, row, row.draft.answers, brought(file))))


@acting(router, f"{ONE}/files/{{uuid:file_id}}/removal", told.DraftOut, scope="", name="draft_file_drop", auth=SENDS)
def draft_file_drop(request: HttpRequest, slug: str, draft_id: UUID, file_id: UUID, code: Code) -> dict[str, Any]:
    """Take a file out again."""
    row = found(request, slug, draft_id, code)
    if all(one.pk != file_id for one in row.files):
        raise NotFound
    drafts.remove_file(row, str(file_id))
    return shown_drafts.draft(row)


@acting(router, f"{ONE}/tool-files", told.ToolFileOut, scope="", name="draft_tool", status=201, auth=SENDS)
def draft_tool(request: HttpRequest, slug: str, draft_id: UUID, file: Upload, code: Code) -> Status[Any]:
    """Add a result file of garak, PyRIT, promptfoo, Inspect or manyeyes, and read what it says."""
    row = found(request, slug, draft_id, code)
    _may_save(request)
    held = row.draft.answers
    seen = imported.read(row.draft.program, held, brought(file), by=holder(request).known, token=row.token)
    return Status(201, shown_drafts.tool_file(seen))


@acting(
    router, f"{ONE}/tool-files/{{uuid:file_id}}/reading", told.ToolFileOut, scope="", name="draft_reading", auth=SENDS
)
def draft_reading(
    request: HttpRequest, slug: str, draft_id: UUID, file_id: UUID, body: asked.ToolAnswersIn, code: Code
) -> dict[str, Any]:
    """Read it once more, with answers to what it could not tell."""
    row = found(request, slug, draft_id, code)
    return shown_drafts.tool_file(imported.read_again(row, str(file_id), body.answers))


@acting(
    router, f"{ONE}/tool-files/{{uuid:file_id}}/finding", told.DraftOut, scope="", name="draft_finding", auth=SENDS
)  # fmt: skip
def draft_finding(
    request: HttpRequest, slug: str, draft_id: UUID, file_id: UUID, body: asked.FindingIn, code: Code
) -> dict[str, Any]:
    """Take one of its findings over: it fills in what is not answered yet, and comes along as a reproducer."""
    row = found(request, slug, draft_id, code)
    seen = imported.read_again(row, str(file_id), body.answers)
    if seen.imported.questions:
        names = ", ".join(one.name for one in seen.imported.questions)
        raise Invalid(answers=_("Answer first: %(names)s.") % {"names": names})
    if body.finding >= len(seen.imported.findings):
        raise Invalid(finding=_("Choose one of the findings."))
    more = {name: value for name, value in row.draft.answers.items() if name not in ("typed", "import")}
    imported.take(seen, body.finding)
    again = found(request, slug, draft_id, code)
    return shown_drafts.draft(_saved(request, again, {**again.draft.answers, **more}))


@acting(router, "/programs/{slug:slug}/preview", told.PreviewOut, scope="", name="preview", auth=SENDS)
def preview(request: HttpRequest, slug: str, body: asked.ReportIn) -> dict[str, Any]:
    """What would be understood of this report. Nothing is sent, nothing is kept."""
    who = holder(request)
    program = program_for(who.known, slug)
    row = wanted(request, slug, body)
    report = body.report("", (row.draft.answers.get("import") if row else None))
    wrong = report.validate(signed_in=who.known is not None)
    if all(str(one.pk) != report.target for one in program.targets.all()):
        wrong.setdefault("target", _("Choose one of the systems of this program."))
    if wrong:
        raise Invalid(wrong)
    return shown_drafts.preview(report, program, row)


def _saved(request: HttpRequest, row: Found, answers: dict[str, Any], *files: Any) -> Found:
    return drafts.save(row.draft.program, answers, by=holder(request).known, token=row.token, brought=list(files))


def _submission(row: Found) -> str:
    """The id under which it will be sent: chosen once, so that answers saved anew do not change it."""
    return str((row.draft.answers.get("typed") or {}).get("submission") or "")
