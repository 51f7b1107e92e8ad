"""What is answered, as schemas: the researcher's view of everything, in the words of the pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from manyeyes.api.told_drafts import ReadingOut


class Problem(Schema):
    """A refusal (RFC 9457). `fields` says for each field what is wrong and its mend; `missing` what a move needs."""

    type: str = Field(examples=["urn:manyeyes:problem:invalid"])
    title: str
    status: int
    detail: str
    fields: dict[str, str] | None = None
    missing: list[str] | None = None


class Received(Schema):
    """A report has arrived. `receipt` is shown here and never again; null for the holder of a token.

    `again`: the same report was here before. Its earlier receipt, if any, does not work any more.
    """

    ref: str
    receipt: str | None
    again: bool
    answer_by: datetime = Field(description="When a person will have answered.")
    url: str


class TokenOut(Schema):
    """A token, shown once."""

    token: str
    scopes: list[str]
    expires_at: datetime


class Me(Schema):
    """Who a token stands for, and what it may do."""

    name: str
    kind: str
    scopes: list[str]
    expires_at: datetime


class Done(Schema):
    """What was asked for is done; the case stands like this now."""

    ref: str
    status: str
    version: int
    id: UUID | None = Field(default=None, description="Of what was added, where something was.")


class ClockOut(Schema):
    """One promise of the program."""

    name: str
    label: str
    due: datetime
    done_at: datetime | None
    stopped_at: datetime | None = Field(description="The case ended before the promise was due.")
    paused_since: datetime | None
    pause: str = Field(description="Why it stands still: `researcher` while your answer is waited for.")
    late: bool
    counted: str = Field(description="Which time counts, in words.")


class MoveOut(Schema):
    """A move that is open to the caller; with `missing` it would be refused."""

    name: str
    label: str
    ready: bool
    missing: list[str]


class EmbargoOut(Schema):
    """A date before which neither side publishes."""

    id: UUID
    until: datetime
    proposed_by_me: bool
    agreed: bool


class CreditOut(Schema):
    """How the reporter wants to be named."""

    mode: str
    name: str
    link: str
    share: int | None


class CaseLine(Schema):
    """A case in a list."""

    ref: str
    title: str
    status: str
    status_words: str
    close_reason: str
    program: str
    target: str
    created_at: datetime
    changed_at: datetime
    url: str


class CaseList(Schema):
    """A page of own cases, newest first."""

    items: list[CaseLine]
    next: str | None


class CaseOut(CaseLine):
    """One's own case: where it stands, what is promised, what one may do."""

    vuln_class: str
    target_version: str
    policy: int | None
    version: int = Field(description="Grows with every change of status.")
    acknowledged_at: datetime | None
    confirmed_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None
    public_at: datetime | None
    severity: dict[str, Any] | None
    clocks: list[ClockOut]
    moves: list[MoveOut]
    embargo: EmbargoOut | None
    proposal: EmbargoOut | None
    credit: CreditOut | None
    advisory: str | None
    appeal_waits: bool = Field(description="The appeal waits for a person who did not close the case.")
    mail: Literal["usual", "mute", "follow"]
    bundles: list[BundleOut]


class Difference(Schema):
    """Something that a bundle says and its outcomes do not give."""

    what: str
    on_record: str = Field(description="What the file says.")
    found: str = Field(description="What was found when it was scored again.")


class BundleOut(Schema):
    """An own measurement, scored again after it came. It decides nothing; `found` says what it came to.

    Until `state` is `done` it is being scored, and `found` holds the claim of the report alone.
    """

    id: UUID
    at: datetime
    file: UUID
    state: Literal["waiting", "scoring", "done"]
    scored: bool = Field(description="False before it is done, and where it could not be; `found.why` says why.")
    again: bool = Field(default=False, description="The very same file was here before.")
    problems: list[str] = Field(description="What is wrong with the file itself: its signature, its hashes, its form.")
    differences: list[Difference] = Field(description="The first of `differing`, each with both values.")
    differing: int = Field(description="How many things differ.")
    found: dict[str, Any]


class ReportOut(Schema):
    """What was sent, as it was sent."""

    title: str
    vuln_class: str
    happened: str
    expected: str
    steps: str
    impact: str
    claim_k: int | None
    claim_n: int | None
    settings: dict[str, str]
    answers: dict[str, str]
    seen: dict[str, str]
    plans: dict[str, str]
    claim_biased: bool = Field(description="The count is the best of several series, and part of no rate.")
    exploited_now: bool
    harmed_now: bool
    hazard: str
    readings: list[ReadingOut] = Field(description="What was understood when it came.")
    own_ref: str
    sent_at: datetime
    files: list[FileOut]
    reproducers: list[ReproducerOut]


class FileOut(Schema):
    """A file of the case."""

    id: UUID
    name: str
    size: int
    media_type: str
    sha256: str


class ReproducerOut(Schema):
    """One version of the reproducer."""

    id: UUID
    at: datetime
    name: str
    source: str
    text: str


class RetestOut(Schema):
    """What a researcher's own try of a fix came to."""

    k: int
    n: int
    agrees: bool


class EarlierOut(Schema):
    """How words read until their author changed them."""

    until: datetime
    text: str


class EntryOut(Schema):
    """Something that happened and that both sides see."""

    message: UUID | None = Field(description="Of the words, where there are some.")
    mendable: bool = Field(description="They are the caller's own, and may still be changed.")
    edits: int = Field(description="How often they were changed.")
    earlier: list[EarlierOut]

    at: datetime
    kind: str
    who: str
    side: str
    words: str
    text: str | None
    before: str
    after: str
    sentence: str
    file: FileOut | None
    retest: RetestOut | None
    replay: UUID | None
    bundle: UUID | None


class Timeline(Schema):
    """A page of the timeline, oldest first."""

    items: list[EntryOut]
    next: str | None


class ReplayLine(Schema):
    """A concluded replay, and which version of the system it tried."""

    id: UUID
    purpose: str
    version: str
    verdict: str
    sentence: str
    concluded_at: datetime
    url: str


class ReplayList(Schema):
    """The replays of a case that are published to its researcher."""

    items: list[ReplayLine]
    next: str | None


class ReplayOut(ReplayLine):
    """A replay with its result: every number the team sees, without cost and without the address that was called."""

    result: dict[str, Any]


CaseOut.model_rebuild()
ReportOut.model_rebuild()
