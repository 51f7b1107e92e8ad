"""What is answered about people, as schemas: who reports with one, invitations, one's own profile and data."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema
from pydantic import Field


class CoReporterOut(Schema):
    """Somebody who was named as a further reporter; until they accept they see nothing."""

    id: UUID
    name: str = Field(description="The handle as it was typed; their name once they accepted; empty for a link.")
    invited_at: datetime
    accepted_at: datetime | None
    may_end: bool = Field(description="Whether the caller may take it back, or leave.")


class CoReporterList(Schema):
    """Who was named and has neither declined nor left."""

    items: list[CoReporterOut]


class LinkOut(Schema):
    """An invitation by link, shown once: whoever opens it first may accept, once."""

    link: str


class InvitationOut(Schema):
    """Somebody names the caller as a further reporter. Nothing of the case is told before the answer is yes."""

    id: UUID
    program: str
    organisation: str
    invited_by: str
    invited_at: datetime


class InvitationList(Schema):
    """Invitations that wait for the caller's answer."""

    items: list[InvitationOut]


class Joined(Schema):
    """The case is the caller's too. `receipt` is shown once, to whoever has no account; else null."""

    ref: str
    receipt: str | None
    url: str


class Refused(Schema):
    """The invitation is declined."""

    id: UUID


class Claimed(Schema):
    """The cases that belong to the account from now on."""

    refs: list[str]


class KeyOut(Schema):
    """The OpenPGP key that mail is encrypted to. `trouble` is one word where it cannot be used any more."""

    fingerprint: str
    trouble: str
    held: int = Field(description="Mails that wait for a key that works.")


class ProfileOut(Schema):
    """What one says about oneself."""

    email: str | None
    handle: str
    display_name: str
    wants_mail: bool
    credit_name: str
    links: list[str]
    language: str
    zone: str
    openpgp: KeyOut | None


class ExportOut(Schema):
    """Everything that is kept of the caller."""

    profile: dict[str, Any]
    reports: list[dict[str, Any]]
    drafts: list[dict[str, Any]]
    invited_to: list[dict[str, Any]]
    credits: list[dict[str, Any]]


class FateOut(Schema):
    """What becomes of a report when its sender leaves, and why."""

    ref: str
    goes: bool = Field(description="Whether it is destroyed; otherwise it stays, without who sent it.")
    why: str


class LeavingOut(Schema):
    """What goes and what stays. `why_not` is empty where the account may end now."""

    why_not: str
    reports: list[FateOut]


class Left(Schema):
    """The account has ended, and this token with it."""

    left: bool
