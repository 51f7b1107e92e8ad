"""The settings of a model call in a reproducer: single values, full settings, and grids of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, GetJsonSchemaHandler, Tag
from pydantic_core import CoreSchema

from manyeyes.reproducer.strict import Strict

MAX_SETTINGS = 256
KNOBS = ("temperature", "top_p", "max_tokens", "system")

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Temperature = Annotated[float, Field(ge=0, le=2)]
TopP = Annotated[float, Field(gt=0, le=1)]
MaxTokens = Annotated[int, Field(ge=1, le=131_072)]


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
        return [named({k: v for k, v in point if v is not None}) for point in itertools.product(*axes)]


def named(values: Mapping[str, Any]) -> Setting:
    short = {"temperature": "t", "top_p": "p", "max_tokens": "m", "system": ""}
    parts = [short[name] + (f"{value:g}" if isinstance(value, float) else str(value)) for name, value in values.items()]
    return Setting(id="-".join(parts)[:64] or "default", **values)


def _settings_form(value: Any) -> str:
    return "list" if isinstance(value, list) else "grid"


SettingsList = Annotated[list[Setting], Field(min_length=1, max_length=MAX_SETTINGS), Tag("list")]
Settings = Annotated[SettingsList | Annotated[Grid, Tag("grid")], Discriminator(_settings_form)]


def combinations(grid: Grid) -> int:
    """How many settings a grid makes, counted without making them."""
    total = 1
    for name in KNOBS:
        total *= len(getattr(grid, name) or (1,))
    return total
