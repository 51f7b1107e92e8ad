"""From drafts to what is answered, in the words that the pages use."""

from __future__ import annotations

from typing import Any

from manyeyes.cases import drafts, typed
from manyeyes.cases.clocks import answer_by
from manyeyes.cases.drafts import Found
from manyeyes.cases.imported import Read
from manyeyes.cases.intake_report import IntakeReport
from manyeyes.cases.understood import from_file, understood
from manyeyes.cases.unsent import Draft
from manyeyes.programs.models import Program
from manyeyes.rules import questions
from manyeyes.rules.readings import Reading


def reading(row: Reading) -> dict[str, Any]:
    """One reading."""
    return {"name": row.name, "value": row.value, "source": row.source, "note": row.note}


def line(row: Draft) -> dict[str, Any]:
    """A draft in a list."""
    return {
        "id": row.pk, "program": row.program.slug, "title": typed.said(row.answers)["title"],
        "saved_at": row.saved_at, "until": row.saved_at + drafts.LASTS,
    }  # fmt: skip


def draft(found: Found) -> dict[str, Any]:
    """A draft, whole."""
    held = found.draft.answers.get("import")
    return {
        **line(found.draft),
        "code": found.code,
        "answers": typed.said(found.draft.answers),
        "files": _files(found),
        "tool": _tool(held) if held else None,
    }


def _files(found: Found) -> list[dict[str, Any]]:
    return [
        {"id": row.pk, "name": row.stored.name, "size": row.stored.size, "media_type": row.stored.media_type}
        for row in found.files
    ]


def _tool(held: Any) -> dict[str, Any]:
    return {
        "tool": str(held.get("tool", "")),
        "name": str(held.get("name", "")),
        "readings": [reading(row) for row in from_file(IntakeReport(imported=held))],
        "missing": {str(row["field"]): str(row["why"]) for row in held.get("missing", ())},
    }


def tool_file(seen: Read) -> dict[str, Any]:
    """What was understood of a tool's file."""
    found = seen.imported
    findings = [
        {"place": place, "title": one.title, "readings": [reading(row) for row in rows]}
        for place, one, rows in seen.choices
    ]
    asked = [{"name": one.name, "asks": one.asks, "choices": dict(one.choices)} for one in found.questions]
    return {
        "file": seen.file.pk, "tool": found.tool, "version": found.version, "name": found.name, "findings": findings,
        "left_out": found.left_out, "questions": asked, "notes": list(found.notes),
    }  # fmt: skip


def preview(report: IntakeReport, program: Program, found: Found | None) -> dict[str, Any]:
    """What would be understood of a valid report."""
    asked = questions.questions_of(report.vuln_class)
    beside = [(one.stored.name, one.inside) for one in found.files] if found else []
    return {
        "readings": [reading(row) for row in understood(report, beside)],
        "unanswered": [one.name for one in asked if not str(report.answers.get(one.name, "")).strip()],
        "files": _files(found) if found else [],
        "answer_by": answer_by(program),
    }
