"""The rule of a reproducer that says when an answer counts as a success: a tree of named detectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from manyeyes.reproducer.conditions import (
    Condition,
    JsonPath,
    JsonPathField,
    SideChannel,
    SideChannelField,
    ToolCalled,
    ToolCallField,
)
from manyeyes.reproducer.judging import Judge, JudgeField, Scale
from manyeyes.reproducer.measures import Format, FormatField, Length, Similar
from manyeyes.reproducer.strict import MAX_TEXT, Regex, Short, Strict, Text, form, misfit

__all__ = ["MAX_TEXT", "MIN_CANARY", "PARTS", "Contains", "Rule", "Strict", "Text", "detector_names"]

MIN_CANARY = 6


class Contains(Strict):
    """The answer contains this text; `case` says whether capitals matter."""

    text: Text
    case: bool = False


ContainsField = Annotated[Annotated[Text, Tag("text")] | Annotated[Contains, Tag("options")], Discriminator(form)]


class Plugin(Strict):
    """A detector of an installed package, by its announced name, with whatever argument it takes."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    argument: Any = None


class AtLeast(Strict):
    """At least so many of these rules say success."""

    count: Annotated[int, Field(ge=1, le=64)]
    of: Annotated[list[Rule], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _enough(self) -> AtLeast:
        if self.count > len(self.of):
            raise misfit("count", f"{self.count} of {len(self.of)} rules can never be reached")
        return self


class Confirm(Strict):
    """A rule whose every success (and every doubt) is decided by a second one, such as a person."""

    rule: Rule
    by: Rule


class Rule(Strict):
    """One node of the tree: exactly one detector with its argument."""

    contains: ContainsField | None = None
    regex: Regex | None = None
    canary: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    refusal: Literal[True] | None = None
    human: Short | None = None
    all: Annotated[list[Rule], Field(min_length=1, max_length=64)] | None = None
    any: Annotated[list[Rule], Field(min_length=1, max_length=64)] | None = None
    not_: Annotated[Rule | None, Field(alias="not")] = None
    json_path: JsonPathField | None = None
    tool_call: ToolCallField | None = None
    side_channel: SideChannelField | None = None
    similarity: Similar | None = None
    length: Length | None = None
    format: FormatField | None = None
    judge: JudgeField | None = None
    confirm: Confirm | None = None
    at_least: AtLeast | None = None
    any_reply: Rule | None = None
    plugin: Plugin | None = None

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

    def below(self) -> Iterator[Rule]:
        """This node and every node below it."""
        yield self
        several = (*(self.all or ()), *(self.any or ()), *(self.at_least.of if self.at_least else ()))
        pair = (self.confirm.rule, self.confirm.by) if self.confirm else ()
        for child in (*several, *pair, self.not_, self.any_reply):
            if child is not None:
                yield from child.below()


PARTS = (Rule, Contains, Plugin, AtLeast, Confirm, Condition, JsonPath, ToolCalled, SideChannel, Similar, Length,
         Format, Judge, Scale)  # fmt: skip
"""Every mapping that may stand in a rule, for those who list the fields of the format."""


def detector_names() -> tuple[str, ...]:
    """The detectors this version of the format knows."""
    return tuple((field.alias or name) for name, field in Rule.model_fields.items())
