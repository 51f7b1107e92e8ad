"""What may be sent, as schemas: nothing beyond the named fields is taken, so that a slip is told."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field, StrictBool, StrictInt, StrictStr

from manyeyes.cases.conversation import LONGEST
from manyeyes.cases.coreporters import HANDLE_LONGEST
from manyeyes.cases.intake_report import (
    BANDS,
    COUNTED,
    MOST_CO_REPORTERS,
    MOST_TRIES,
    OPEN_HAZARDS,
    OWN_LONGEST,
    TITLE_LONGEST,
    IntakeReport,
)
from manyeyes.cases.sketch import SUCCESS
from manyeyes.reproducer.model import CLASSES
from manyeyes.rules.permits import NEVER_BY_MACHINE

Words = Annotated[StrictStr, Field(max_length=LONGEST)]
Line = Annotated[StrictStr, Field(max_length=1_000)]
Said = Annotated[dict[Annotated[str, Field(max_length=60)], Line], Field(max_length=100)]
Count = Annotated[StrictInt, Field(ge=0, le=MOST_TRIES)]


def one_of(words: Any, example: str) -> Any:
    """A text out of a fixed list, which the document names."""
    return Annotated[StrictStr, Field(json_schema_extra={"enum": list(words)}, examples=[example])]


class Asked(Schema):
    """What is sent."""

    model_config = ConfigDict(extra="forbid")


class Beside(Asked):
    """What a report may say beside its eight answers, sent at once or kept in a draft."""

    claim_k: Count | None = None
    claim_n: Count | None = None
    not_counted: StrictBool = False
    contact: Line = ""
    anonymous: StrictBool = False
    expected: Words = ""
    settings: Said = Field(default_factory=dict, examples=[{"temperature": "0.7"}])
    success_text: Annotated[StrictStr, Field(max_length=2_000)] = ""
    success_how: one_of(SUCCESS, "contains") = "contains"  # type: ignore[valid-type]
    conversation: Words = ""
    reproducer: Annotated[StrictStr, Field(max_length=1_000_000)] = Field(default="", description="YAML or JSON.")
    reproducer_name: Annotated[StrictStr, Field(max_length=200)] = ""
    own_ref: Annotated[StrictStr, Field(max_length=100)] = ""
    exploited_now: StrictBool = False
    harmed_now: StrictBool = False
    hazard: one_of(["", *OPEN_HAZARDS], "") = ""  # type: ignore[valid-type]
    csam: StrictBool = Field(default=False, description="Stop: such a report is never taken.")
    counted_how: one_of(COUNTED, "advance") = ""  # type: ignore[valid-type]
    answers: Said = Field(default_factory=dict)
    seen: Said = Field(default_factory=dict, description="Where it was met; app_version: version, or day.")
    plans: Said = Field(default_factory=dict, examples=[{"publish_on": "2027-02-18"}])
    own_band: one_of(["", *BANDS], "High") = Field(default="", description="How severe it is to the researcher.")  # type: ignore[valid-type]
    own_why: Annotated[StrictStr, Field(max_length=OWN_LONGEST)] = Field(default="", description="A vector, or words.")
    co_reporters: Annotated[list[Annotated[StrictStr, Field(max_length=40)]], Field(max_length=MOST_CO_REPORTERS)] = []
    submission_id: UUID | None = None

    @property
    def must_stop(self) -> bool:
        """Whether it says of its material that it may not be sent to anybody."""
        return self.csam or self.hazard in NEVER_BY_MACHINE


class ReportIn(Beside):
    """A report, with the fields of the form. Who sends no token gives a `contact`, or asks to stay `anonymous`.

    Either `claim_k` of `claim_n`, or `not_counted`. `answers` are those to the questions of the class (`/kinds`). The
    same `submission_id` again makes no second case.
    """

    target: UUID = Field(description="One of the targets of the program.")
    vuln_class: one_of(CLASSES, "PI-D") = Field(description="The kind of flaw.")  # type: ignore[valid-type]
    title: Annotated[StrictStr, Field(min_length=1, max_length=TITLE_LONGEST)]
    happened: Annotated[Words, Field(min_length=1)]
    steps: Annotated[Words, Field(min_length=1)] = Field(description="What was sent, exactly; kept as text.")
    impact: Annotated[Words, Field(min_length=1)] = Field(description="Who loses what.")
    draft: Line = Field(default="", description="Id or code of a draft, whose files and tool's finding come along.")

    def report(self, submission: str, imported: Any = None) -> IntakeReport:
        """The answers as the intake takes them; `submission` names the sending where the body does not."""
        given: dict[str, Any] = self.model_dump(exclude={"submission_id", "target", "co_reporters", "draft"})
        if self.submission_id or submission:
            given["submission_id"] = self.submission_id or UUID(submission[:32])
        return IntakeReport(target=str(self.target), co_reporters=tuple(self.co_reporters), imported=imported, **given)


class DraftIn(Beside):
    """The answers of a draft, as far as there are any. They take the place of those it has."""

    target: UUID | None = None
    vuln_class: one_of(["", *CLASSES], "PI-D") = ""  # type: ignore[valid-type]
    title: Annotated[StrictStr, Field(max_length=TITLE_LONGEST)] = ""
    happened: Words = ""
    steps: Words = ""
    impact: Words = ""


class ToolAnswersIn(Asked):
    """Answers to what a tool's file could not tell, by the names of its questions."""

    answers: Said = Field(default_factory=dict)


class FindingIn(ToolAnswersIn):
    """The finding of a tool's file that is reported, by its place in the list."""

    finding: Annotated[StrictInt, Field(ge=0, le=200)]


class ReproducerIn(Asked):
    """A reproducer (`docs/reference/reproducer.md`) to attach; the newest is used, the older ones stay on record."""

    text: Annotated[StrictStr, Field(min_length=1, max_length=1_000_000)]
    name: Annotated[StrictStr, Field(max_length=200)] = ""


class WordsIn(Asked):
    """Something said to the team."""

    text: Annotated[Words, Field(min_length=1, examples=["It still works with temperature 1.2."])]


class MendIn(WordsIn):
    """How the own words are to read now. `seen` is the number of earlier changes one knows of."""

    seen: Annotated[StrictInt, Field(ge=0, le=100)] | None = None


class MailIn(Asked):
    """Whether mail about this case comes: as usual, or not at all."""

    mail: Literal["usual", "mute"]


class HandleIn(Asked):
    """Somebody who reports this too, by their handle."""

    handle: Annotated[StrictStr, Field(min_length=1, max_length=HANDLE_LONGEST, examples=["theo_r"])]


class LinkIn(Asked):
    """The last part of an invitation's link, or the whole of it."""

    link: Annotated[StrictStr, Field(min_length=1, max_length=400)]


class ClaimIn(Asked):
    """A receipt to take into one's account; with `ends` its digits open nothing afterwards."""

    digits: Annotated[StrictStr, Field(min_length=1, max_length=200, examples=["0000 1111 2222 3333 4444 5555"])]
    ends: StrictBool = True


class ProfileIn(Asked):
    """What one says about oneself; what is left out stays as it is."""

    handle: Annotated[StrictStr, Field(max_length=40)] | None = None
    display_name: Annotated[StrictStr, Field(max_length=80)] | None = None
    wants_mail: StrictBool | None = None
    credit_name: Annotated[StrictStr, Field(max_length=80)] | None = None
    links: Annotated[list[Annotated[StrictStr, Field(max_length=300)]], Field(max_length=5)] | None = None
    language: Annotated[StrictStr, Field(max_length=12)] | None = None
    zone: Annotated[StrictStr, Field(max_length=60)] | None = None


class LeaveIn(Asked):
    """The end of the account. `sure` true says that one has read what goes and what stays; it cannot be undone."""

    sure: StrictBool
    keep_credit: StrictBool = Field(default=False, description="Leave the name where one is thanked in public.")


class KeyIn(Asked):
    """An OpenPGP public key, in ASCII armor."""

    openpgp_key: Annotated[StrictStr, Field(min_length=1, max_length=100_000)]


class RetestIn(Asked):
    """The own try after the fix: it worked `k` times of `n`. Who does not agree that it is fixed sends it back."""

    k: Count
    n: Annotated[Count, Field(ge=1)]
    agrees: StrictBool
    transcript: Annotated[StrictStr, Field(max_length=200_000)] = ""


class CreditIn(Asked):
    """How to be named in public."""

    mode: Literal["name", "handle", "anonymous", "none", "later"]
    name: Annotated[StrictStr, Field(max_length=80)] = ""
    link: Annotated[StrictStr, Field(max_length=300)] = Field(default="", examples=["https://rhea.example"])
    share: Annotated[StrictInt, Field(ge=0, le=100)] | None = None


class DateIn(Asked):
    """A date, up to ten years ahead, before which neither side publishes; it binds once the other side agrees."""

    until: date = Field(examples=["2031-03-01"])


class AgreementIn(Asked):
    """The proposal that was read and is accepted, by its id."""

    proposal: UUID


class ReceiptIn(Asked):
    """The 24 digits of a receipt, with or without spaces."""

    digits: Annotated[StrictStr, Field(min_length=1, max_length=200, examples=["0000 1111 2222 3333 4444 5555"])]
