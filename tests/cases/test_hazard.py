"""A hazard class that the target's permit does not cover keeps the worker away, before anything is queued."""

from __future__ import annotations

import pytest

from manyeyes.cases import reproduction
from tests.people import REPRODUCER, make_case, make_cast


@pytest.mark.parametrize(
    ("hazard", "said"),
    [
        ("", []),
        ("hazard: iwp\n", ["The permit does not cover the hazard class indiscriminate weapons."]),
        ("hazard: cse\n", ["never replayed, varied or judged by machine"]),
    ],
)
def test_the_hazard_class_is_asked_about(db: None, hazard: str, said: list[str]) -> None:
    case = make_case(make_cast(), at="triaged", reproducer=f"{REPRODUCER.rstrip()}\n{hazard}")
    problems = " ".join(reproduction.propose(case).problems)
    assert all(words in problems for words in said)
    assert bool(problems) == bool(said)
