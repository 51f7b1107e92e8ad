"""Every way in which a schema of ours refuses is said in our own words, with the field and the mend."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from manyeyes.api import asked, routes
from manyeyes.api.unfit import SENTENCES, sentence
from tests.api.conftest import Caller
from tests.api.test_researcher import report
from tests.people import Cast

Calls = Callable[..., Caller]
SHAPES = [one for _, one in inspect.getmembers(asked, inspect.isclass) if issubclass(one, asked.Asked)]
WRONG: list[Any] = [
    None, True, -1, 10**12, 10**40, 1.5, "", "x" * 2_000_000, "Wicket", "2031-13-41", "2031-03-01T10:00:00Z", "12", [],
    [1] * 300, ["x" * 3_000], {}, {"a": 1}, {"a" * 100: "b"}, {str(n): "" for n in range(300)},
]  # fmt: skip
PYDANTICS = re.compile(r"[Ii]nput|valid string|valid UUID|validation|permitted")


def refusals() -> Iterator[Any]:
    """What every field of every schema says to every wrong value; and of what is no object."""
    for shape in SHAPES:
        for given in [None, 3, "x", *WRONG[-7:], {"no_such_field": 1}]:
            yield from of(shape, given)
        for name in shape.model_fields:
            for value in WRONG:
                yield from of(shape, {name: value})
    for kind in (routes.Limit, routes.Cursor, routes.Search, routes.Number):
        for value in WRONG:
            yield from of(kind, value)


def of(shape: Any, given: Any) -> Iterator[Any]:
    try:
        TypeAdapter(shape).validate_python(given)
    except ValidationError as error:
        yield from error.errors()


def test_every_kind_of_refusal_has_a_sentence_of_ours() -> None:
    found = {row["type"]: sentence(row) for row in refusals()}
    assert {"uuid_parsing", "string_too_long", "missing", "extra_forbidden", "literal_error"} <= set(found)
    assert set(found) - set(SENTENCES) == set()
    assert [said for said in found.values() if PYDANTICS.search(said) or "%(" in said] == []


def test_what_is_not_known_yet_is_not_said_in_their_words_either() -> None:
    assert "cannot be used here" in sentence(
        {"type": "new_in_pydantic", "loc": ("body", "x"), "msg": "Input should be"}
    )


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"target": "Wicket"}, "target", "lists them under `targets`"),
        ({"title": None}, "title", "Send this as a text."),
        ({"title": "x" * 201}, "title", "At most 200 characters are possible."),
        ({"claim_k": "7"}, "claim_k", "whole number, without quotes"),
        ({"claim_k": -1}, "claim_k", "at least 0"),
        ({"prose": "x"}, "prose", "no field of this name"),
        ({"not_counted": "yes"}, "not_counted", "true or false"),
        ({"target": "00000000-0000-4000-8000-000000000000"}, "target", "Choose one of the systems of this program."),
    ],
)
def test_a_report_that_does_not_fit(cast: Cast, calls: Calls, change: dict[str, Any], field: str, words: str) -> None:
    told = calls("rhea").post(f"/programs/{cast.program.slug}/reports", {**report(cast), **change})
    assert told.status_code == 422
    assert words in told.json()["fields"][field]
