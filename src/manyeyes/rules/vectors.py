"""The MES vector as text: reading, checking and writing it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from manyeyes.rules import mes
from manyeyes.rules.errors import Invalid
from manyeyes.rules.rubric import NO_HARM, Group, Rubric


@dataclass(frozen=True, kw_only=True)
class Vector:
    """A parsed vector; `observed` counts a fixed-n run (None: not measured), `retry_budget` None is unlimited.

    `rubric` is the version it is written under, and the only one under which it may be scored.
    """

    letters: Mapping[str, str]
    observed: tuple[int, int] | None = None
    retry_budget: int | None = 1
    rubric: Rubric = field(default=mes.STANDARD, repr=False)

    def __str__(self) -> str:
        rows = [f"{metric.code}:{self.letters[metric.code]}" for metric in self.rubric.metrics]
        seen = "X" if self.observed is None else f"{self.observed[0]}of{self.observed[1]}"
        budget = "U" if self.retry_budget is None else str(self.retry_budget)
        return "/".join([self.rubric.version, *rows, f"OB:{seen}", f"RB:{budget}"])

    @property
    def tries(self) -> int:
        """How many tries the attacker gets, an unlimited budget counted as the largest."""
        return self.rubric.most_tries if self.retry_budget is None else self.retry_budget


def parse(text: str, rubric: Rubric = mes.STANDARD) -> Vector:
    """Read a vector; the order of the metrics is free. Raises Invalid with everything that is wrong."""
    head, *pairs = text.strip().split("/")
    if head != rubric.version:
        raise Invalid(vector=f"The vector begins with {head[:60]!r}; it must begin with {rubric.version}.")
    found: dict[str, str] = {}
    problems = []
    for pair in pairs:
        code, _, letter = pair.partition(":")
        if code not in {*rubric.by_code, "OB", "RB"}:
            problems.append(f"There is no metric {code[:20]!r}.")
        elif code in found:
            problems.append(f"{code} is given twice.")
        else:
            found[code] = letter
    observed, wrong_count = _observed(found.pop("OB", ""))
    budget, wrong_budget = _budget(found.pop("RB", ""), rubric.most_tries)
    problems += [*_wrong_letters(found, rubric), *wrong_count, *wrong_budget]
    if problems:
        raise Invalid(vector=" ".join(problems))
    return Vector(letters=found, observed=observed, retry_budget=budget, rubric=rubric)


def build(
    letters: Mapping[str, str],
    *,
    observed: tuple[int, int] | None,
    retry_budget: int | None = 1,
    rubric: Rubric = mes.STANDARD,
) -> Vector:
    """A checked vector from the letters of a form and the count of a fixed-n run. Raises Invalid."""
    seen = "X" if observed is None else f"{observed[0]}of{observed[1]}"
    budget = "U" if retry_budget is None else str(retry_budget)
    rows = [f"{code}:{letter}" for code, letter in letters.items()]
    return parse("/".join([rubric.version, *rows, f"OB:{seen}", f"RB:{budget}"]), rubric)


def _wrong_letters(found: Mapping[str, str], rubric: Rubric) -> list[str]:
    problems = []
    for metric in rubric.metrics:
        allowed = [option.letter for option in metric.levels]
        if metric.code not in found:
            problems.append(f"{metric.code} ({metric.name.lower()}) is missing.")
        elif found[metric.code] not in allowed:
            problems.append(f"{metric.code}:{found[metric.code][:20]} is not one of {', '.join(allowed)}.")
    (harm,) = rubric.of(Group.SAFETY)
    harmful = found.get(harm.code) != harm.plain[0]
    for code in (factor.code for factor in rubric.of(Group.SAFETY_FACTOR)):
        if found.get(harm.code) and found.get(code) and (found[code] == NO_HARM) == harmful:
            must = "be rated" if harmful else f"be {NO_HARM}"
            problems.append(f"{code} must {must}, because {harm.code} is {found[harm.code]}.")
    return problems


def _observed(text: str) -> tuple[tuple[int, int] | None, list[str]]:
    if text == "X":
        return None, []
    match = re.fullmatch(r"(\d{1,6})of(\d{1,6})", text, re.ASCII)
    if match is None:
        return None, ["OB must be a count such as 29of30, or X where nothing was measured."]
    k, n = int(match[1]), int(match[2])
    if n == 0 or k > n:
        return None, [f"OB:{k}of{n} cannot be: the successes must be at most the trials, and at least one trial made."]
    return (k, n), []


def _budget(text: str, most: int) -> tuple[int | None, list[str]]:
    if text == "U":
        return None, []
    if re.fullmatch(r"\d{1,3}", text, re.ASCII) and 1 <= int(text) <= most:
        return int(text), []
    return None, [f"RB must be a number of tries from 1 to {most}, or U where there is no limit."]
