"""What is answered about reports that are not sent yet, as schemas."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ninja import Schema
from pydantic import Field


class ReadingOut(Schema):
    """One thing that was understood, and where it comes from; what nobody stated is `unknown` and stays so."""

    name: str
    value: str
    source: str
    note: str


class DraftFileOut(Schema):
    """A file that lies with a draft."""

    id: UUID
    name: str
    size: int
    media_type: str


class DraftLine(Schema):
    """A draft in a list."""

    id: UUID
    program: str
    title: str
    saved_at: datetime
    until: datetime = Field(description="When it is thrown away.")


class DraftList(Schema):
    """One's drafts, the newest first."""

    items: list[DraftLine]
    next: str | None


class AnswersOut(Schema):
    """What is answered so far, by the names of a report."""

    target: UUID | None
    vuln_class: str
    title: str
    happened: str
    steps: str
    impact: str
    claim_k: int | None
    claim_n: int | None
    not_counted: bool
    contact: str
    anonymous: bool
    expected: str
    settings: dict[str, str]
    success_text: str
    success_how: str
    conversation: str
    reproducer: str
    reproducer_name: str
    own_ref: str
    exploited_now: bool
    harmed_now: bool
    hazard: str
    counted_how: str
    own_band: str
    own_why: str
    answers: dict[str, str]
    seen: dict[str, str]
    plans: dict[str, str]
    co_reporters: list[str]
    submission_id: UUID | None = Field(description="Send the report under this id: a resend never doubles.")


class ToolOut(Schema):
    """The finding of a tool's file that was taken over, as it was understood."""

    tool: str
    name: str
    readings: list[ReadingOut]
    missing: dict[str, str] = Field(description="What a reproducer needs and the file does not tell, and why.")


class DraftOut(DraftLine):
    """A draft, whole. `code` opens it for whoever has no account, is shown once and kept nowhere; else empty."""

    code: str
    answers: AnswersOut
    files: list[DraftFileOut]
    tool: ToolOut | None


class FindingOut(Schema):
    """One finding of a tool's file."""

    place: int
    title: str
    readings: list[ReadingOut]


class QuestionOfFile(Schema):
    """Something the file cannot tell and that is not guessed: `choices` are answers and what each means."""

    name: str
    asks: str
    choices: dict[str, str]


class ToolFileOut(Schema):
    """What was understood of a tool's file: its findings, those with the most successes first, and what is open."""

    file: UUID
    tool: str
    version: str
    name: str
    findings: list[FindingOut]
    left_out: int = Field(description="Further findings, with fewer successes, that are not listed.")
    questions: list[QuestionOfFile]
    notes: list[str]


class PreviewOut(Schema):
    """What would be understood if the report were sent now. Nothing of it is kept."""

    readings: list[ReadingOut]
    unanswered: list[str] = Field(description="Questions of the kind that nobody has to answer, by name.")
    files: list[DraftFileOut]
    answer_by: datetime
