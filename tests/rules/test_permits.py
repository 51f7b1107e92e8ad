"""Permits: each missing basis is refused by name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from manyeyes.rules import clock
from manyeyes.rules.permits import (
    HAZARDS,
    Effects,
    Environment,
    Permit,
    Refusal,
    kinds,
    may_approve,
    may_judge,
    may_replay,
)

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
GOOD = Permit(
    operator="Larkfield", basis="own system", environment="sandbox", granted_by="lena", budget_owner="lena",
    calls_per_day=100,
)  # fmt: skip


def only(reasons: list[Refusal]) -> str:
    (reason,) = reasons
    return reason


def test_a_complete_permit_lets_a_harmless_replay_run() -> None:
    assert may_replay(GOOD, "none", "", calls=100) == []


def test_no_basis_no_replay() -> None:
    assert "recorded a permit" in only(may_replay(None))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"operator": " "}, "who operates"),
        ({"basis": ""}, "on what basis"),
        ({"granted_by": ""}, "who granted"),
        ({"budget_owner": " "}, "who answers for the cost"),
        ({"environment": "moon"}, "no environment 'moon'"),
        ({"until": NOW}, "ran out on 23 Nov 2026"),
    ],
)
def test_each_gap_is_named(change: dict[str, object], words: str) -> None:
    assert words in only(may_replay(replace(GOOD, **change), at=NOW))  # type: ignore[arg-type]


def test_a_permit_that_still_runs_counts() -> None:
    with clock.freeze(NOW):
        assert may_replay(replace(GOOD, until=NOW + timedelta(seconds=1))) == []


def test_child_abuse_material_is_never_touched_by_a_machine() -> None:
    covered = replace(GOOD, hazard_classes=tuple(HAZARDS))
    assert "never replayed" in only(may_replay(covered, hazard="cse"))
    assert len(may_replay(None, hazard="cse")) == 2


def test_hazards_must_be_covered_and_known() -> None:
    assert "indiscriminate weapons" in only(may_replay(GOOD, hazard="iwp"))
    assert may_replay(replace(GOOD, hazard_classes=("iwp",)), hazard="iwp") == []
    assert "no hazard class 'xyz'" in only(may_replay(GOOD, hazard="xyz"))


@pytest.mark.parametrize("environment", Environment)
@pytest.mark.parametrize("effects", Effects)
def test_effects_decide_where_it_may_run(environment: Environment, effects: Effects) -> None:
    allowed = {
        "none": {"sandbox", "staging", "production"},
        "reversible": {"sandbox", "staging"},
        "irreversible": {"sandbox"},
    }
    reasons = may_replay(replace(GOOD, environment=environment, approved_by="olga"), effects)
    assert (reasons == []) == (environment in allowed[effects])


def test_unknown_effects_are_refused() -> None:
    assert "no effect 'some'" in only(may_replay(GOOD, "some"))


def test_the_daily_budget_holds() -> None:
    assert may_replay(GOOD, calls=40, calls_today=60) == []
    assert "40 are left and 41 are asked for" in only(may_replay(GOOD, calls=41, calls_today=60))
    assert "0 are left" in only(may_replay(GOOD, calls=1, calls_today=600))


def test_what_is_reset_before_each_trial_is_not_in_production() -> None:
    assert may_replay(GOOD, resets=True) == []
    production = replace(GOOD, environment="production", approved_by="olga")
    assert may_replay(production) == []
    assert "reset before each trial" in only(may_replay(production, resets=True))


def test_production_needs_an_approval() -> None:
    refused = may_replay(replace(GOOD, environment="production"))
    assert "nobody has approved attacks on it" in only(refused)
    assert kinds(refused) == ["production"]
    assert may_replay(replace(GOOD, environment="staging")) == []


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ({"is_owner": True, "is_admin": False, "granted": False}, ""),
        ({"is_owner": False, "is_admin": True, "granted": False}, ""),
        ({"is_owner": False, "is_admin": False, "granted": False}, "approved by the owner of the target or an admin"),
        ({"is_owner": True, "is_admin": True, "granted": True}, "somebody else approves it"),
    ],
)
def test_who_approves_is_somebody_else_who_answers_for_it(who: dict[str, bool], words: str) -> None:
    assert words in may_approve(**who)
    assert bool(may_approve(**who)) == bool(words)


def test_each_refusal_has_a_kind() -> None:
    bad = replace(GOOD, environment="production", calls_per_day=0)
    refused = may_replay(bad, "irreversible", "iwp", calls=1)
    assert kinds(refused) == ["production", "hazard", "effects", "budget"]
    assert kinds(may_replay(None, hazard="cse")) == ["hazard", "permit"]
    assert kinds(["There is no reproducer yet."]) == []


def test_a_judge_is_shown_only_what_it_is_allowed_by_name() -> None:
    assert may_judge((), "") == []
    assert may_judge(("iwp",), "iwp") == []
    assert kinds(may_judge(None)) == ["judge"]
    assert "not allowed for the hazard class hate" in only(may_judge(("iwp",), "hte"))
    assert "never replayed, varied or judged" in only(may_judge(tuple(HAZARDS), "cse"))
