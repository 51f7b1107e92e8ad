"""What everybody may read, as schemas: programs, policies, kinds of flaw, advisories."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from ninja import Schema
from pydantic import Field


class TargetOut(Schema):
    """A system that may be tested."""

    id: UUID
    name: str
    description: str
    reached: str = Field(description="How a researcher reaches it.")
    versions: list[str] = Field(description="Versions in service, newest first.")


class ProgramLine(Schema):
    """One program of the site."""

    slug: str
    name: str
    organisation: str
    summary: str
    takes_reports: bool


class MarkerOut(Schema):
    """An earlier word of testers, and until when it is honoured."""

    word: str
    until: datetime


class KeptOut(Schema):
    """How the promise of a first answer was kept for the newest reports from outside."""

    promised_hours: float
    since: datetime | None
    answers_due: int
    in_time: int
    still_late: int = Field(description="Reports that wait longer than promised and wait still.")
    median_hours: float | None


class StopOut(Schema):
    """What to do with material that must never be sent: counsel's words, and whom to call; empty where none are set."""

    text: str
    contact: str


class ProgramOut(ProgramLine):
    """A program with its promises, its systems and the scope that holds now."""

    state: str
    languages: str
    first_response_hours: int
    decision_days: int
    embargo_days: int
    research_marker: str = Field(description="A word to put into calls, so that a tester is not taken for an attacker.")
    former_markers: list[MarkerOut] = Field(description="Earlier words that are still honoured.")
    kept: KeptOut
    stop: StopOut
    policy: int | None = Field(description="Number of the policy in force.")
    targets: list[TargetOut]
    scope: list[dict[str, Any]]
    url: str


class ProgramList(Schema):
    """A page of programs."""

    items: list[ProgramLine]
    next: str | None = Field(description="The cursor of the next page; null at the end.")


class PolicyLine(Schema):
    """One published version."""

    number: int
    published_at: datetime
    in_force: bool


class PolicyList(Schema):
    """A page of versions, newest first."""

    items: list[PolicyLine]
    next: str | None


class SectionOut(Schema):
    """A part of a policy."""

    name: str
    heading: str
    text: str


class PolicyOut(PolicyLine):
    """A published version: it never changes, and every case keeps the one it came under."""

    sections: list[SectionOut]
    scope: list[dict[str, Any]] | None = Field(description="The scope as it stood then; null where it was not kept.")
    url: str


class QuestionOut(Schema):
    """One question of a kind; its answer goes into `answers` under its name."""

    name: str
    label: str
    help: str
    form: str
    choices: dict[str, str]


class KindOut(Schema):
    """A kind of flaw, with what is asked about it."""

    code: str
    name: str
    help: str
    questions: list[QuestionOut]


class KindList(Schema):
    """All kinds."""

    items: list[KindOut]


class AdvisoryLine(Schema):
    """A published finding."""

    slug: str
    title: str
    summary: str
    program: str
    published_at: datetime
    url: str


class AdvisoryList(Schema):
    """A page of advisories, newest first."""

    items: list[AdvisoryLine]
    next: str | None


class AdvisoryOut(AdvisoryLine):
    """An advisory: `facts` is what was measured."""

    details: str
    advice: str
    facts: dict[str, Any]
    credit_name: str
    credit_link: str


class ThanksOut(Schema):
    """A line of thanks, in the order of confirmation; no rank, no money."""

    name: str
    link: str
    confirmed_on: date
    system: str
    advisory: str | None


class ThanksList(Schema):
    """A page of thanks, the newest confirmation first."""

    items: list[ThanksOut]
    next: str | None
