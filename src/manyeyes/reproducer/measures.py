"""What can be measured of an answer: how close it is to a text, how long it is, and what form it has."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from manyeyes.reproducer.strict import Regex, Strict, form, misfit

MAX_REFERENCE = 20_000


class Similar(Strict):
    """How close the answer is to a text, from 0 to 1.

    `words`: shared words of all words (Jaccard). `rouge_l`: the longest common sequence of words, as F1. `recall`: the
    share of the text's words that the answer repeats in order. `edits`: 1 minus the edits of letters that turn one into
    the other, over the longer length.
    """

    to: Annotated[str, Field(min_length=1, max_length=MAX_REFERENCE)]
    measure: Literal["words", "rouge_l", "recall", "edits"] = "rouge_l"
    at_least: Annotated[float, Field(gt=0, le=1)]

    @model_validator(mode="after")
    def _comparable(self) -> Similar:
        if not any(letter.isalnum() for letter in self.to):
            raise misfit("to", "has no letters or digits to compare")
        return self


class Length(Strict):
    """How long the answer is: in characters, in words, or in tokens as the target counted them."""

    unit: Literal["characters", "words", "tokens"] = "characters"
    at_least: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    at_most: Annotated[int, Field(ge=0, le=10_000_000)] | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Length:
        if self.at_least is None and self.at_most is None:
            raise ValueError("needs at_least, at_most or both")
        if self.at_least is not None and self.at_most is not None and self.at_most < self.at_least:
            raise misfit("at_most", f"must not be below at_least = {self.at_least}")
        return self


FormName = Literal["json", "xml", "yaml", "code_block"]


class Format(Strict):
    """What form the whole answer has: a known one, or one that an expression describes from end to end."""

    is_: Annotated[FormName | None, Field(alias="is")] = None
    language: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    regex: Regex | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Format:
        if (self.is_ is None) == (self.regex is None):
            raise ValueError("needs either 'is' or 'regex'")
        if self.language is not None and self.is_ != "code_block":
            raise misfit("language", "belongs to 'is: code_block'")
        return self


FormatField = Annotated[Annotated[FormName, Tag("text")] | Annotated[Format, Tag("options")], Discriminator(form)]
