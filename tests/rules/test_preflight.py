"""What may be tried on arrival: every reason has a sentence of its own, and the budgets of a day hold to the call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from manyeyes.rules.permits import Permit
from manyeyes.rules.preflight import KIND_WORDS, Budget, Kind, Limits, NotTried, Runnable, Spending, may_try, unfit

SANDBOX = Permit(
    operator="Larkfield", basis="own system", environment="sandbox", granted_by="lena", budget_owner="lena"
)  # fmt: skip
TEXT = Runnable()
ASKED = Spending(calls=12, tokens=600, money=0.5)


def kinds(reasons: list[NotTried]) -> list[Kind]:
    return [one.kind for one in reasons]


def test_text_against_a_permitted_sandbox_is_tried() -> None:
    assert may_try(TEXT, SANDBOX, asked=ASKED) == []
    assert may_try(replace(TEXT, effects="reversible"), SANDBOX, asked=ASKED) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"by_hand": True}, "for a person to follow"),
        ({"images": True}, "only text"),
        ({"environment": True}, "environment around the model"),
        ({"asks": frozenset({"human"})}, "A person has to say"),
        ({"asks": frozenset({"judge"})}, "asks another model"),
        ({"effects": "irreversible"}, "cannot be undone"),
    ],
)
def test_what_no_machine_may_try_is_said(change: dict[str, Any], words: str) -> None:
    found = replace(TEXT, **change)
    assert any(words in one for one in unfit(found))
    reasons = may_try(found, SANDBOX, asked=ASKED)
    assert kinds(reasons) == [Kind.NOT_RUNNABLE]
    assert words in reasons[0].words


def test_hazardous_content_is_never_tried_even_where_the_permit_covers_it() -> None:
    covered = replace(SANDBOX, hazard_classes=("iwp",))
    assert kinds(may_try(replace(TEXT, hazard="iwp"), covered, asked=ASKED)) == [Kind.NOT_RUNNABLE]
    assert Kind.NOT_PERMITTED in kinds(may_try(replace(TEXT, hazard="cse"), covered, asked=ASKED))


def test_no_reproducer_is_all_there_is_to_say() -> None:
    (reason,) = may_try(None, None, asked=Spending())
    assert reason == NotTried(kind=Kind.NOT_RUNNABLE, words="There is no reproducer that a machine could try.")


def test_without_permit_and_outside_a_sandbox_nothing_is_tried() -> None:
    (nobody,) = may_try(TEXT, None, asked=ASKED)
    assert (nobody.kind, "recorded a permit" in nobody.words) == (Kind.NOT_PERMITTED, True)
    for environment, approved in (("staging", ""), ("production", "olga")):
        permit = replace(SANDBOX, environment=environment, approved_by=approved)
        (elsewhere,) = may_try(TEXT, permit, asked=ASKED)
        assert elsewhere.words == f"Reports are tried on arrival in a sandbox only; the permit is for {environment}."


def test_the_permits_own_day_is_a_budget() -> None:
    (over,) = may_try(TEXT, replace(SANDBOX, calls_per_day=20), asked=ASKED, calls_today=9)
    assert (over.kind, "11 are left" in over.words) == (Kind.OVER_BUDGET, True)
    assert may_try(TEXT, replace(SANDBOX, calls_per_day=21), asked=ASKED, calls_today=9) == []


def budget(whose: str = "the program", **limits: Any) -> Budget:
    return Budget(whose=whose, limits=Limits(**limits), taken=Spending(calls=8, tokens=400, money=1.5))


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"calls": 19}, "19 calls a day; 11 are left, and this may take 12"),
        ({"tokens": 999}, "999 tokens a day; 599 are left, and this may take 600"),
        ({"money": 1.9}, "1.90 a day; 0.40 are left, and this may take 0.50"),
        ({"calls": 3}, "3 calls a day; 0 are left"),
    ],
)
def test_a_budget_that_does_not_reach_is_named_with_what_is_left(limits: dict[str, Any], words: str) -> None:
    (over,) = may_try(TEXT, SANDBOX, asked=ASKED, budgets=(budget(**limits),))
    assert over.kind == Kind.OVER_BUDGET
    assert words in over.words
    assert "The budget of the program is" in over.words


def test_a_budget_that_just_reaches_is_enough_and_none_is_no_limit() -> None:
    assert may_try(TEXT, SANDBOX, asked=ASKED, budgets=(budget(calls=20, tokens=1000, money=2.0), budget())) == []


def test_money_without_a_known_price_is_not_guessed() -> None:
    unpriced = replace(ASKED, money=None)
    (over,) = may_try(TEXT, SANDBOX, asked=unpriced, budgets=(budget("one reporter", money=5.0),))
    assert over.words == "The budget of one reporter is in money, and the price of this version is not known."
    assert may_try(TEXT, SANDBOX, asked=unpriced, budgets=(budget(calls=100),)) == []


def test_money_that_nobody_counted_is_none_spent() -> None:
    unknown = Budget(whose="the program", limits=Limits(money=0.6), taken=Spending(money=None))
    assert may_try(TEXT, SANDBOX, asked=ASKED, budgets=(unknown,)) == []
    (over,) = may_try(TEXT, SANDBOX, asked=replace(ASKED, money=0.7), budgets=(unknown,))
    assert "0.60 are left" in over.words


def test_every_kind_has_words() -> None:
    assert set(KIND_WORDS) == set(Kind)
