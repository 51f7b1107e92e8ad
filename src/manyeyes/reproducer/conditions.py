"""What a value must be: the conditions on JSON values, arguments of tool calls and entries of side channels."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from manyeyes.reproducer.strict import Count, PathText, Regex, Short, Strict, Text, form, misfit

Number = Annotated[int | float, Field(ge=-1e18, le=1e18)]
Plain = bool | int | float | Text


class Condition(Strict):
    """One test of a value. `contains` and `regex` read text as it is, and anything else as its JSON.

    Only `at_least` and `at_most` (numbers) may stand together.
    """

    equals: Plain | None = None
    contains: Text | None = None
    regex: Regex | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    absent: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Condition:
        tests = [name for name in Condition.model_fields if getattr(self, name) is not None]
        if len(tests) > 1 and set(tests) != {"at_least", "at_most"}:
            raise ValueError(f"names several tests at once ({', '.join(tests)}); give one")
        if not tests and type(self) is Condition:
            raise ValueError(f"names no test; give one of {', '.join(Condition.model_fields)}")
        return self


def _value_form(value: object) -> str:
    return "options" if isinstance(value, dict | Condition) else "value"


Wanted = Annotated[Annotated[Plain, Tag("value")] | Annotated[Condition, Tag("options")], Discriminator(_value_form)]
"""A value to be equal to, or a condition."""
Wants = Annotated[dict[PathText, Wanted], Field(min_length=1, max_length=32)]
"""Conditions by name (or path), all of which must hold."""


class JsonPath(Condition):
    """A value in the JSON of the answer; without a test it is enough that something is there."""

    path: PathText


JsonPathField = Annotated[Annotated[PathText, Tag("text")] | Annotated[JsonPath, Tag("options")], Discriminator(form)]


class _Counted(Strict):
    at_least: Count = 1
    at_most: Count | None = None

    @model_validator(mode="after")
    def _possible(self) -> _Counted:
        if self.at_most is not None and self.at_most < self.at_least:
            raise misfit("at_most", f"must not be below at_least = {self.at_least}")
        if self.at_least == 0 and self.at_most is None:
            raise misfit("at_least", "0 is always so; give at_most as well, or put the detector under 'not'")
        return self


class ToolCalled(_Counted):
    """Calls of a tool in the trial, with arguments that fit, after others in this order, so many times."""

    name: Wanted
    arguments: Wants | None = None
    after: Annotated[list[Short], Field(min_length=1, max_length=16)] | None = None

    @model_validator(mode="after")
    def _named(self) -> ToolCalled:
        if not isinstance(self.name, str) and not (
            isinstance(self.name, Condition) and (self.name.contains or self.name.regex)
        ):
            raise misfit("name", "must be text, or {contains: text}, or {regex: expression}")
        return self


ToolCallField = Annotated[Annotated[Short, Tag("text")] | Annotated[ToolCalled, Tag("options")], Discriminator(form)]
ChannelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class SideChannel(_Counted):
    """Entries that an environment saw in one channel (`mailbox`, `canary_url`, `row`, `file`, `http` or its own)."""

    channel: ChannelName
    where: Wants | None = None


SideChannelField = Annotated[
    Annotated[ChannelName, Tag("text")] | Annotated[SideChannel, Tag("options")], Discriminator(form)
]
