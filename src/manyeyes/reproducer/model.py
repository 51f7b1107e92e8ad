"""The reproducer as a typed, frozen value: format `reproducer/1`, validated and resolved to settings and messages."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, Discriminator, Field, GetJsonSchemaHandler, Tag, field_validator, model_validator
from pydantic_core import CoreSchema, PydanticCustomError

from manyeyes.reproducer.detection import Rule, Strict, Text

FORMAT: Final = "reproducer/1"
PLACEHOLDER = "{{wording}}"
MAX_WORDINGS = 64
MAX_SETTINGS = 256
KNOBS = ("temperature", "top_p", "max_tokens", "system")

Role = Literal["system", "user", "assistant", "tool"]
VulnClass = Literal[
    "PI-D", "PI-I", "JB", "GB", "HC", "TD", "MI", "INV", "ME", "PO", "EV", "AT", "DS", "OH", "SC", "XT",
]  # fmt: skip
Effects = Literal["none", "reversible", "irreversible"]
Hazard = Literal["vcr", "src", "cse", "ssh", "iwp", "ipv", "dfm", "ncr", "hte", "prv", "spc", "sxc"]
Seeds = Literal["per_trial", "fixed", "none"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Temperature = Annotated[float, Field(ge=0, le=2)]
TopP = Annotated[float, Field(gt=0, le=1)]
MaxTokens = Annotated[int, Field(ge=1, le=131_072)]
CLASSES: tuple[str, ...] = get_args(VulnClass)


class Message(Strict):
    """One message of a conversation; `{{wording}}` stands for the wording that is tried."""

    role: Role
    content: Text


Conversation = Annotated[list[Message], Field(min_length=1, max_length=64)]


class Wording(Strict):
    """One way to say it. `family` is `reported` for what the researcher wrote, else the family of variants."""

    id: Name
    text: Text
    family: Name = "reported"
    method: Annotated[str, Field(max_length=100)] = ""


class Knobs(Strict):
    """Settings of a model call; what is not named is not sent."""

    temperature: Temperature | None = None
    top_p: TopP | None = None
    max_tokens: MaxTokens | None = None
    system: Name | None = None

    def values(self) -> dict[str, Any]:
        """The named knobs only."""
        return {name: getattr(self, name) for name in KNOBS if getattr(self, name) is not None}


class Setting(Knobs):
    """A full setting with a name of its own."""

    id: Name

    @property
    def deterministic(self) -> bool:
        """Temperature 0 can give one observation of a wording at most."""
        return self.temperature == 0


class _OneOrMany:
    """Lets the published schema say that a single value may stand for a list of one."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) or value is None else [value]


class Grid(Strict):
    """Values of each knob; the settings are their product."""

    temperature: Annotated[list[Temperature], Field(min_length=1), BeforeValidator(_listed), _OneOrMany()] | None = None
    top_p: Annotated[list[TopP], Field(min_length=1), BeforeValidator(_listed), _OneOrMany()] | None = None
    max_tokens: Annotated[list[MaxTokens], Field(min_length=1), BeforeValidator(_listed), _OneOrMany()] | None = None
    system: Annotated[list[Name], Field(min_length=1), BeforeValidator(_listed), _OneOrMany()] | None = None

    def settings(self) -> list[Setting]:
        """The product, in the order the file gives, each with a name made of its values."""
        axes = [[(name, value) for value in getattr(self, name) or (None,)] for name in KNOBS]
        return [_named({k: v for k, v in point if v is not None}) for point in itertools.product(*axes)]


def _named(values: Mapping[str, Any]) -> Setting:
    short = {"temperature": "t", "top_p": "p", "max_tokens": "m", "system": ""}
    parts = [short[name] + (f"{value:g}" if isinstance(value, float) else str(value)) for name, value in values.items()]
    return Setting(id="-".join(parts)[:64] or "default", **values)


class Benign(Strict):
    """A harmless request of the same kind, and how a useful answer to it is recognised."""

    conversation: Conversation
    useful: Rule


class Claim(Strict):
    """What the researcher saw: successes of trials, at which settings."""

    successes: Annotated[int, Field(ge=0, le=1_000_000)]
    trials: Annotated[int, Field(ge=1, le=1_000_000)]
    settings: Knobs | None = None

    @model_validator(mode="after")
    def _possible(self) -> Claim:
        if self.successes > self.trials:
            raise _at("successes", "must not be more than the trials")
        return self


class Source(Strict):
    """Where the reproducer comes from; `fields` says for single fields what they were taken from."""

    tool: Annotated[str, Field(min_length=1, max_length=100)] = "hand"
    version: Annotated[str, Field(max_length=100)] | None = None
    note: Annotated[str, Field(max_length=2_000)] | None = None
    fields: dict[str, Literal["sent bytes", "run config", "researcher", "unknown"]] | None = None


def _settings_form(value: Any) -> str:
    return "list" if isinstance(value, list) else "grid"


SettingsList = Annotated[list[Setting], Field(min_length=1, max_length=MAX_SETTINGS), Tag("list")]
Settings = Annotated[SettingsList | Annotated[Grid, Tag("grid")], Discriminator(_settings_form)]


class Reproducer(Strict):
    """A finding that can be tried again."""

    manyeyes: Literal["reproducer/1"] = FORMAT
    title: Annotated[str, Field(min_length=1, max_length=200)]
    vuln_class: Annotated[VulnClass, Field(alias="class")]
    conversation: Conversation
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

    @model_validator(mode="after")
    def _hangs_together(self) -> Reproducer:
        used = any(PLACEHOLDER in message.content for message in self.conversation)
        if self.wordings and not used:
            raise _at("conversation", f"must say {PLACEHOLDER} in one message, since there are wordings")
        if used and not self.wordings:
            raise _at("wordings", f"must list at least one, since the conversation says {PLACEHOLDER}")
        if not any(message.role == "user" for message in self.conversation):
            raise _at("conversation", "must have a message with role user")
        if isinstance(self.settings, Grid):
            sizes = (len(getattr(self.settings, name) or (1,)) for name in KNOBS)
            if (product := _product(sizes)) > MAX_SETTINGS:
                raise _at("settings", f"make {product} combinations; at most {MAX_SETTINGS} are allowed")
        _unique("wordings", [wording.id for wording in self.wordings])
        _unique("settings", [setting.id for setting in self._listed()])
        for setting in (*self._listed(), *([self.rated] if self.rated else [])):
            if setting.system and setting.system not in self.systems:
                raise _at("systems", f"must hold the system prompt {setting.system!r} that the settings name")
        if self.seeds == "fixed" and self.seed is None:
            raise _at("seed", "is required, since seeds is 'fixed'")
        return self

    def _listed(self) -> list[Setting]:
        return self.settings.settings() if isinstance(self.settings, Grid) else self.settings

    def setting_list(self) -> tuple[Setting, ...]:
        """Every setting to be tried, the rated one included."""
        listed = tuple(self._listed())
        rated = self.rated_setting()
        return listed if rated in listed else (rated, *listed)

    def rated_setting(self) -> Setting:
        """The setting the finding is rated at: the named one, else the claimed one, else the first."""
        listed = self._listed()
        for wish in (self.rated, self.claim.settings if self.claim else None):
            if wish is None or not wish.values():
                continue
            match = [setting for setting in listed if wish.values().items() <= setting.values().items()]
            if match:
                return match[0]
            if wish is self.rated:
                return _named(wish.values())
        return listed[0]

    def wording_list(self) -> tuple[Wording, ...]:
        """What was reported, as wordings: the listed ones, else the last user message."""
        if self.wordings:
            return tuple(self.wordings)
        return (Wording(id="reported", text=self.conversation[self._last_user()].content),)

    def messages(self, setting: Setting, wording: Wording) -> list[dict[str, str]]:
        """What is sent for one cell: the conversation with the wording in its place and the setting's system prompt."""
        rows = [
            {"role": str(message.role), "content": message.content.replace(PLACEHOLDER, wording.text)}
            for message in self.conversation
        ]
        if not self.wordings:
            rows[self._last_user()]["content"] = wording.text
        return self.with_system(setting, rows)

    def with_system(self, setting: Setting, rows: list[dict[str, str]]) -> list[dict[str, str]]:
        """The messages under the setting's system prompt, which takes the place of one the conversation begins with."""
        if setting.system is None:
            return rows
        rest = rows[1:] if rows and rows[0]["role"] == "system" else rows
        return [{"role": "system", "content": self.systems[setting.system]}, *rest]

    def _last_user(self) -> int:
        return max(place for place, message in enumerate(self.conversation) if message.role == "user")

    def to_json(self) -> dict[str, Any]:
        """The reproducer as plain data, the way it stands in a file."""
        data: dict[str, Any] = self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
        return {"manyeyes": FORMAT, **data}

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON, in hex."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _product(sizes: Any) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total


def _unique(field: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _at(field, f"have the same id twice: {', '.join(twice)}")


def _at(field: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("field", "{said}", {"field": field, "said": message})
