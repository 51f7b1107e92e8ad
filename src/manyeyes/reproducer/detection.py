"""The rule of a reproducer that says when an answer counts as a success: a tree of named detectors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import re2
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

MAX_TEXT = 200_000
MIN_CANARY = 6


class Strict(BaseModel):
    """Every part of a reproducer: unknown fields are refused, nothing is converted silently, nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class Contains(Strict):
    """The answer contains this text; `case` says whether capitals matter."""

    text: Text
    case: bool = False


def _form(value: Any) -> str:
    return "options" if isinstance(value, dict | Contains) else "text"


ContainsField = Annotated[Annotated[Text, Tag("text")] | Annotated[Contains, Tag("options")], Discriminator(_form)]


class Rule(Strict):
    """One node of the tree: exactly one detector with its argument."""

    contains: ContainsField | None = None
    regex: Annotated[str, Field(min_length=1, max_length=2_000)] | None = None
    canary: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    refusal: Literal[True] | None = None
    human: Annotated[str, Field(min_length=1, max_length=2_000)] | None = None
    all: Annotated[list[Rule], Field(min_length=1, max_length=64)] | None = None
    any: Annotated[list[Rule], Field(min_length=1, max_length=64)] | None = None
    not_: Annotated[Rule | None, Field(alias="not")] = None

    @field_validator("regex")
    @classmethod
    def _linear_time(cls, value: str | None) -> str | None:
        if value is not None:
            quiet = re2.Options()
            quiet.log_errors = False
            try:
                re2.compile(value, quiet)
            except re2.error as error:
                said = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
                raise ValueError(f"is not an expression RE2 can read: {said}") from None
        return value

    @field_validator("canary")
    @classmethod
    def _long_enough(cls, value: str | None) -> str | None:
        if value is not None and sum(map(str.isalnum, value)) < MIN_CANARY:
            said = "so that no harmless answer has it by chance; for a shorter text use 'contains'"
            raise ValueError(f"needs at least {MIN_CANARY} letters or digits, {said}")
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> Rule:
        named = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(named) != 1:
            said = "names several detectors at once (put them under 'all' or 'any')" if named else "names no detector"
            raise ValueError(f"{said}; choose one of {', '.join(detector_names())}")
        return self

    def to_json(self) -> dict[str, Any]:
        """The tree as plain data, the way it stands in the file."""
        return self.model_dump(by_alias=True, exclude_none=True)


def detector_names() -> tuple[str, ...]:
    """The detectors this version of the format knows."""
    return tuple((field.alias or name) for name, field in Rule.model_fields.items())
