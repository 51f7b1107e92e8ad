"""What every part of a reproducer has in common: strict frozen models, and the kinds of text in them."""

from __future__ import annotations

from typing import Annotated, Any

import re2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from manyeyes.reproducer.jsonpath import parse_path

MAX_TEXT = 200_000


class Strict(BaseModel):
    """Every part of a reproducer: unknown fields are refused, nothing is converted silently, nothing changes later."""

    # Most parts are only ever read within a whole reproducer, so a validator of their own waits for its first use.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


def _linear_time(value: str) -> str:
    quiet = re2.Options()
    quiet.log_errors = False
    try:
        re2.compile(value, quiet)
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise ValueError(f"is not an expression RE2 can read: {said}") from None
    return value


def _readable_path(value: str) -> str:
    parse_path(value)
    return value


def misfit(field: str, message: str) -> PydanticCustomError:
    """What is wrong with one field of a mapping, found by looking at several; raise it in a validator."""
    return PydanticCustomError("field", "{said}", {"field": field, "said": message})


def form(value: Any) -> str:
    """Which of the two ways to write a detector's argument this is: one text, or a mapping of options."""
    return "options" if isinstance(value, dict | BaseModel) else "text"


Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Short = Annotated[str, Field(min_length=1, max_length=2_000)]
Regex = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_linear_time)]
PathText = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_readable_path)]
Count = Annotated[int, Field(ge=0, le=10_000)]
