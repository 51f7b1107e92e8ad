"""Who shares in credit and reward: the rule in words, the standing of each report, the parts of a reward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from manyeyes.rules.sharing import DEFAULTS, Rule, Sent, Standing, percents, read, sentences, standings, wrong_with

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def sent(case: str, days: float, person: str = "", *, leads: bool = False, **terms: Any) -> Sent:
    """A report of the flaw, so many days after noon, by a person of its own unless one is named."""
    return Sent(case=case, person=person or case, at=NOON + timedelta(days=days), rule=read(terms), leads=leads)


def test_within_the_days_all_share_and_later_nobody_does() -> None:
    rows = [sent("a", 0, leads=True), sent("b", 7), sent("c", 7.001), sent("d", 0.5)]
    expected = {"a": Standing.FIRST, "b": Standing.SHARES, "c": Standing.LATE, "d": Standing.SHARES}
    for order in permutations(rows):
        assert standings(order) == expected, "the order in which they are read decides nothing"


def test_each_goes_by_the_rule_it_came_under() -> None:
    rows = [sent("a", 0), sent("b", 2, share_credit="none"), sent("c", 20, share_days=30), sent("d", 2, share_days=1)]
    assert standings(rows) == {
        "a": Standing.FIRST, "b": Standing.UNNAMED, "c": Standing.SHARES, "d": Standing.LATE,
    }  # fmt: skip


def test_the_first_report_counts_wherever_the_work_is_done() -> None:
    assert standings([sent("early", 0), sent("lead", 9, leads=True)]) == {
        "early": Standing.FIRST, "lead": Standing.LATE,
    }  # fmt: skip


def test_whoever_sent_several_is_counted_once_and_from_their_first() -> None:
    twice = [sent("a", 0, "rhea"), sent("b", 1, "eve"), sent("c", 12, "eve"), sent("d", 13, "rhea")]
    assert standings(twice) == {
        "a": Standing.FIRST, "b": Standing.SHARES, "c": Standing.OWN, "d": Standing.OWN,
    }  # fmt: skip
    with_the_lead = [sent("a", 0, "rhea"), sent("lead", 12, "rhea", leads=True)]
    assert standings(with_the_lead) == {"a": Standing.OWN, "lead": Standing.FIRST}


def test_what_a_standing_means() -> None:
    assert {one for one in Standing if one.credited} == {Standing.FIRST, Standing.SHARES}
    assert {one for one in Standing if one.in_time} == {Standing.FIRST, Standing.SHARES, Standing.UNNAMED}


@pytest.mark.parametrize("rule", list(Rule))
def test_the_parts_of_a_reward_come_to_all_of_it(rule: Rule) -> None:
    for n in range(1, 30):
        parts = percents(rule, n)
        assert len(parts) == n
        assert sum(parts) == 100
        assert list(parts) == sorted(parts, reverse=True), "nobody gets more than who came before"
    assert percents(Rule.EQUAL, 4) == (25, 25, 25, 25)


def test_the_rule_reads_as_a_sentence_of_the_promises() -> None:
    assert sentences({}) == [], "a version that kept no rule promised none"
    [said] = sentences({**DEFAULTS, "share_days": 1})
    assert said == "Reports of the same flaw within 1 day of the first are named side by side"
    [paid] = sentences({**DEFAULTS, "share_credit": "order", "share_reward": "order", "pays": True})
    assert paid == (
        "Reports of the same flaw within 7 days of the first are named in the order in which they came; "
        "of the reward each of those within 7 days gets half of what the one before gets"
    )
    assert read({"share_credit": "none"}).words == "of several reports of the same flaw only the first is named"
    assert read({"pays": True}).words.endswith("; the reward goes to the first")


def test_a_rule_that_cannot_be_kept_is_refused_field_by_field() -> None:
    assert wrong_with({}) == {}
    assert set(wrong_with({"share_days": "7", "share_credit": "lots", "share_reward": ""})) == set(DEFAULTS)
    assert set(wrong_with({"share_days": 91})) == {"share_days"}
