"""A severity rubric as data: metrics, levels, weights, bands and words, read from a file and checked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from manyeyes.rules.errors import Invalid

FORMAT = "rubric/1"
BAND_NAMES = ("Critical", "High", "Medium", "Low")
RELIABILITY_NAMES = ("R5", "R4", "R3", "R2", "R1")
NO_HARM = "-"
"""The letter of a safety factor where there is no harmful content to judge."""
OF_VECTOR = ("OB", "RB")
OF_CVSS = ("AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA", "CR", "IR", "AR", "AU", "RE")
OF_AIVSS = ("LC", "CP", "AP", "SR", "EX", "PT", "CA", "TD")
TAKEN = frozenset((*OF_VECTOR, *OF_CVSS, *OF_AIVSS))
"""Letters that mean something else in a vector which may stand beside this one."""
LONGEST_FILE = 64_000


class Group(StrEnum):
    """How the weight of a metric enters the scores."""

    SECURITY = "security"
    SAFETY = "safety"
    SAFETY_FACTOR = "safety factor"
    VICTIM = "victim"
    EXPOSURE = "exposure"
    PERSISTENCE = "persistence"
    SPREAD = "spread"


IMPACTS = frozenset({Group.SECURITY, Group.SAFETY})
ADDED = frozenset({Group.PERSISTENCE, Group.SPREAD})
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Weight = Annotated[Decimal, Field(ge=0, le=10, max_digits=4, decimal_places=2)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Option(_Part):
    """One level of a metric: its letter, its weight, and the words that help to choose it."""

    letter: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]$")]
    weight: Weight
    words: Words


class Metric(_Part):
    """One question. Letters in `plain` are where a rating begins (the first) or take nothing for granted."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    name: Words
    question: Words
    group: Group
    plain: Annotated[tuple[str, ...], Field(min_length=1)]
    levels: Annotated[tuple[Option, ...], Field(min_length=2, max_length=9)]

    def option(self, letter: str) -> Option:
        """The level with this letter. Raises KeyError."""
        return {option.letter: option for option in self.levels}[letter]


class Reliability(_Part):
    """A band of the measured rate at the retry budget, with its factor."""

    band: str
    least: Annotated[float, Field(ge=0, lt=1)]
    factor: Annotated[Decimal, Field(gt=0, le=1, max_digits=3, decimal_places=2)]
    words: Words


class Cut(_Part):
    """The score from which a band begins."""

    band: str
    least: Annotated[Decimal, Field(gt=0, le=10, max_digits=3, decimal_places=1)]


class Rubric(_Part):
    """A whole rubric. A published one never changes; a change makes a new version.

    `second_impact` is added once where a second security impact weighs `serious` or more. `most_tries` is what an
    unlimited retry budget counts as, and the largest that can be written. `curve` names the budgets shown beside.
    """

    manyeyes: Literal["rubric/1"]
    version: Annotated[str, StringConstraints(pattern=r"^MES:\d{1,2}\.\d{1,2}(\+[A-Za-z0-9_-]{1,40}\.\d{1,4})?$")]
    based_on: str | None = None
    note: Annotated[str, StringConstraints(max_length=400)] = ""
    metrics: Annotated[tuple[Metric, ...], Field(min_length=2, max_length=20)]
    second_impact: Annotated[Decimal, Field(ge=0, le=2, max_digits=3, decimal_places=2)]
    serious: Weight
    reliability: tuple[Reliability, ...]
    cuts: tuple[Cut, ...]
    most_tries: Annotated[int, Field(ge=1, le=999)]
    curve: Annotated[tuple[int, ...], Field(min_length=1, max_length=12)]

    @cached_property
    def by_code(self) -> dict[str, Metric]:
        """The metrics by their two letters."""
        return {metric.code: metric for metric in self.metrics}

    @cached_property
    def start(self) -> dict[str, str]:
        """The letters of a vector before anybody has judged anything."""
        return {metric.code: metric.plain[0] for metric in self.metrics}

    def of(self, group: Group) -> tuple[Metric, ...]:
        """The metrics of a group, in the order of the vector."""
        return tuple(metric for metric in self.metrics if metric.group == group)

    def is_plain(self, code: str, letter: str) -> bool:
        """Whether the letter's own definition is reason enough; for others a person says what makes it so."""
        return letter in self.by_code[code].plain

    def as_data(self) -> dict[str, Any]:
        """What a file of it holds."""
        data: dict[str, Any] = json.loads(json.dumps(self.model_dump(), default=_number))
        return data


def _number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)


def text_of(rubric: Rubric) -> str:
    """The rubric as the text of a file, which `read_text` reads again."""
    return json.dumps(rubric.as_data(), indent=2, ensure_ascii=False) + "\n"


@lru_cache(maxsize=64)
def read_text(text: str) -> Rubric:
    """A rubric from JSON. Raises Invalid (`rubric`) with everything that is wrong and where."""
    if len(text) > LONGEST_FILE:
        raise Invalid(rubric=f"The file is longer than {LONGEST_FILE} characters.")
    try:
        data = json.loads(text)
    except ValueError as error:
        raise Invalid(rubric=f"This is no JSON: {error}.") from error
    return read(data)


def read(data: Mapping[str, Any]) -> Rubric:
    """A rubric from plain data. Raises Invalid (`rubric`) with everything that is wrong and where."""
    try:
        rubric = Rubric.model_validate(data)
    except ValidationError as error:
        raise Invalid(rubric=" ".join(_shape(error))) from error
    problems = [*_metric_problems(rubric), *_band_problems(rubric)]
    if problems:
        raise Invalid(rubric=" ".join(problems))
    return rubric


def _shape(error: ValidationError) -> Iterator[str]:
    for one in error.errors():
        place = ".".join(str(part) for part in one["loc"]) or "the file"
        yield f"{place}: {one['msg'][:1].lower()}{one['msg'][1:]}."


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _metric_problems(rubric: Rubric) -> Iterator[str]:
    for code in _twice(metric.code for metric in rubric.metrics):
        yield f"{code} is defined twice."
    if not rubric.of(Group.SECURITY):
        yield "There is no metric of the group security."
    if len(rubric.of(Group.SAFETY)) != 1:
        yield "There must be exactly one metric of the group safety."
    for metric in rubric.metrics:
        yield from (f"{metric.code}: {problem}" for problem in _level_problems(metric))


def _level_problems(metric: Metric) -> Iterator[str]:
    letters = [option.letter for option in metric.levels]
    weights = {option.letter: option.weight for option in metric.levels}
    first = metric.plain[0]
    if metric.code in TAKEN:
        yield "these letters mean something else in a vector that may stand beside this one."
    for letter in _twice(letters):
        yield f"the letter {letter} is used twice."
    for letter in metric.plain:
        if letter not in letters:
            yield f"plain names {letter}, which is none of its letters."
    if metric.group in IMPACTS | ADDED and weights.get(first, 0) != 0:
        yield f"a rating begins at {first}, which must weigh 0."
    if metric.group in ADDED and max(weights.values()) > 2:
        yield "what is added may weigh 2 at most."
    if metric.group not in IMPACTS | ADDED and not all(0 < weight <= 1 for weight in weights.values()):
        yield "a factor is above 0 and at most 1."
    if (metric.group == Group.SAFETY_FACTOR) != (NO_HARM in letters):
        yield f"the letter {NO_HARM} belongs to the safety factors, and each of them has it."
    elif metric.group == Group.SAFETY_FACTOR and len(letters) < 3:
        yield f"beside {NO_HARM} it needs two letters to choose from."


def _band_problems(rubric: Rubric) -> Iterator[str]:
    if tuple(row.band for row in rubric.reliability) != RELIABILITY_NAMES:
        yield f"reliability: the bands are {', '.join(RELIABILITY_NAMES)}, in this order."
    elif rubric.reliability[-1].least != 0:
        yield "reliability: R1 begins at 0."
    elif not _falling([row.least for row in rubric.reliability], strictly=True):
        yield "reliability: each band begins below the one before."
    if not _falling([row.factor for row in rubric.reliability], strictly=False):
        yield "reliability: the factor of a rarer band is never larger."
    if tuple(cut.band for cut in rubric.cuts) != BAND_NAMES:
        yield f"cuts: the bands are {', '.join(BAND_NAMES)}, in this order."
    elif not _falling([cut.least for cut in rubric.cuts], strictly=True):
        yield "cuts: each band begins below the one before."
    if list(rubric.curve) != sorted(set(rubric.curve)) or rubric.curve[0] < 1 or rubric.curve[-1] > rubric.most_tries:
        yield f"curve: numbers of tries that grow, from 1 to {rubric.most_tries}."


def _falling(values: list[Any], *, strictly: bool) -> bool:
    return all(before > after if strictly else before >= after for before, after in pairwise(values))


def difference(before: Rubric, after: Rubric) -> list[tuple[str, str, str]]:
    """(where, how it was, how it is) of everything that changed; empty where only the version's name did."""
    old, new = dict(_flat(before)), dict(_flat(after))
    places = list(dict.fromkeys([*old, *new]))
    return [(place, old.get(place, "–"), new.get(place, "–")) for place in places if old.get(place) != new.get(place)]


def _flat(rubric: Rubric) -> Iterator[tuple[str, str]]:
    for metric in rubric.metrics:
        yield metric.code, f"{metric.name}: {metric.question} ({metric.group}; begins at {' '.join(metric.plain)})"
        for option in metric.levels:
            yield f"{metric.code}:{option.letter}", f"{_number(option.weight)}: {option.words}"
    yield "order", "/".join(metric.code for metric in rubric.metrics)
    yield "second impact", f"+ {_number(rubric.second_impact)} from {_number(rubric.serious)}"
    for row in rubric.reliability:
        yield row.band, f"from {row.least:g}, × {_number(row.factor)}: {row.words}"
    for cut in rubric.cuts:
        yield cut.band, f"from {_number(cut.least)}"
    yield "most tries", str(rubric.most_tries)
    yield "curve", ", ".join(str(tries) for tries in rubric.curve)


def schema_text() -> str:
    """What `docs/reference/rubric.schema.json` holds."""
    schema = Rubric.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = f"urn:manyeyes:{FORMAT.replace('/', ':')}"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
