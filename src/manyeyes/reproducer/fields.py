"""The fields of the reproducer format `reproducer/1`, each checked by itself."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import Field, field_validator, model_validator

from manyeyes.reproducer.conversation import (
    MAX_STEPS,
    Attachment,
    Conversation,
    Document,
    EnvironmentUse,
    Message,
    Tool,
    ToolResult,
    Turns,
    at,
)
from manyeyes.reproducer.detection import Rule
from manyeyes.reproducer.settings import Grid, Knobs, Name, Settings
from manyeyes.reproducer.strict import Strict, Text

FORMAT: Final = "reproducer/1"
MAX_WORDINGS = 64
MAX_RESULTS = 64

VulnClass = Literal[
    "PI-D", "PI-I", "JB", "GB", "HC", "TD", "MI", "INV", "ME", "PO", "EV", "AT", "DS", "OH", "SC", "XT",
]  # fmt: skip
Effects = Literal["none", "reversible", "irreversible"]
Hazard = Literal["vcr", "src", "cse", "ssh", "iwp", "ipv", "dfm", "ncr", "hte", "prv", "spc", "sxc"]
Seeds = Literal["per_trial", "fixed", "none"]
CLASSES: tuple[str, ...] = get_args(VulnClass)


GO_ON: Final = "Go on."
"""What the assistant is written to have said between the turns of one wording."""


class Wording(Strict):
    """One way to say it. `family` is `reported` for what the researcher wrote, else the family of variants.

    `turns` are said before it by the same user, one message each; the assistant's `Go on.` stands between them.
    """

    id: Name
    text: Text
    turns: Annotated[list[Text], Field(max_length=16)] = []
    family: Name = "reported"
    method: Annotated[str, Field(max_length=100)] = ""


class Benign(Strict):
    """A harmless request of the same kind, and how a useful answer to it is recognised.

    Its own `tool_results` take the place of the file's; without any, those of the file that hold no wording count.
    """

    conversation: Conversation
    useful: Rule
    tool_results: Annotated[list[ToolResult], Field(max_length=MAX_RESULTS)] | None = None


class Claim(Strict):
    """What the researcher saw: successes of trials, at which settings."""

    successes: Annotated[int, Field(ge=0, le=1_000_000)]
    trials: Annotated[int, Field(ge=1, le=1_000_000)]
    settings: Knobs | None = None

    @model_validator(mode="after")
    def _possible(self) -> Claim:
        if self.successes > self.trials:
            raise at("successes", "must not be more than the trials")
        return self


class Source(Strict):
    """Where the reproducer comes from; `fields` says for single fields what they were taken from."""

    tool: Annotated[str, Field(min_length=1, max_length=100)] = "hand"
    version: Annotated[str, Field(max_length=100)] | None = None
    note: Annotated[str, Field(max_length=2_000)] | None = None
    fields: dict[str, Literal["sent bytes", "run config", "researcher", "unknown"]] | None = None


class Fields(Strict):
    """What stands in a file; whether it hangs together is looked at by `Reproducer`."""

    manyeyes: Literal["reproducer/1"] = FORMAT
    title: Annotated[str, Field(min_length=1, max_length=200)]
    vuln_class: Annotated[VulnClass, Field(alias="class")]
    turns: Turns = "frozen"
    conversation: Annotated[list[Message], Field(max_length=64)] = []
    procedure: Text | None = None
    tools: Annotated[list[Tool], Field(max_length=64)] = []
    tool_results: Annotated[list[ToolResult], Field(max_length=MAX_RESULTS)] = []
    max_steps: Annotated[int, Field(ge=1, le=MAX_STEPS)] = 8
    documents: Annotated[list[Document], Field(max_length=64)] = []
    attachments: Annotated[dict[Name, Attachment], Field(max_length=32)] = {}
    environment: EnvironmentUse | None = None
    wordings: Annotated[list[Wording], Field(max_length=MAX_WORDINGS)] = []
    systems: Annotated[dict[Name, Text], Field(max_length=32)] = {}
    settings: Settings = Grid()
    rated: Knobs | None = None
    seeds: Seeds = "per_trial"
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    success: Rule
    example: Text | None = None
    control: Conversation | None = None
    benign: Benign | None = None
    claim: Claim | None = None
    retry_budget: Annotated[int, Field(ge=1, le=10_000)] = 1
    effects: Effects = "none"
    hazard: Hazard | None = None
    source: Source | None = None

    @field_validator("title")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.strip() or "\n" in value:
            raise ValueError("must be one line of text")
        return value.strip()
