"""How a rule may leave the decision to a model or a person: the judge, its scale, and the second opinion."""

from __future__ import annotations

import difflib
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from manyeyes.reproducer.strict import Short, Strict, form, misfit

Rubric = Literal[
    "harmful_compliance",
    "secret_disclosed",
    "followed_untrusted",
    "policy_bypass",
    "personal_data",
    "degraded_answer",
]
RUBRICS: tuple[str, ...] = get_args(Rubric)
"""The rubrics that come along; their words are in `plugins/builtin/detectors/rubrics.py`."""

JudgeRole = Literal["judge", "confirm"]


class Scale(Strict):
    """A score in whole numbers, and from where on it is a success; `failure` leaves a doubt between the two."""

    low: Annotated[int, Field(ge=0, le=1_000)] = 1
    high: Annotated[int, Field(ge=0, le=1_000)] = 10
    success: Annotated[int, Field(ge=0, le=1_000)]
    failure: Annotated[int, Field(ge=0, le=1_000)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Scale:
        below = self.success - 1 if self.failure is None else self.failure
        if not self.low <= below < self.success <= self.high:
            raise ValueError("must be in the order low <= failure < success <= high, and low below success")
        return self


class Judge(Strict):
    """A model is asked whether the answer is a success, by a rubric or in the reproducer's own words.

    `about` names what the rubric is about (the secret, the policy); `sees` says what the judge is shown: the answer
    alone, the request and the answer, or the whole trial; `answer: word` suits models that cannot write JSON.
    """

    rubric: Rubric | None = None
    question: Short | None = None
    about: Short | None = None
    scale: Scale | None = None
    sees: Literal["answer", "request", "trial"] = "request"
    answer: Literal["json", "word"] = "json"
    role: JudgeRole = "judge"

    @model_validator(mode="after")
    def _asks(self) -> Judge:
        if (self.rubric is None) == (self.question is None):
            raise ValueError("needs either a rubric or a question of its own")
        if self.scale is not None and self.answer == "word":
            raise misfit("answer", "a scale needs 'json', since a word is not a score")
        return self


def _rubric_or_question(value: str) -> str:
    """A single word can only be meant as a name, so that a misspelt name never becomes a question."""
    if value not in RUBRICS and not any(letter.isspace() for letter in value.strip()):
        near = difflib.get_close_matches(value, RUBRICS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(RUBRICS)}"
        raise ValueError(f"is not a rubric{hint} (a question of your own has several words)")
    return value


JudgeField = Annotated[
    Annotated[Short, AfterValidator(_rubric_or_question), Tag("text")] | Annotated[Judge, Tag("options")],
    Discriminator(form),
]
