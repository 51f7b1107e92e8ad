"""Corners of the law: an appeal against a close, what a check says, a result without an address."""

from __future__ import annotations

from manyeyes.rules.sentences import check_sentence
from manyeyes.rules.visibility import result_for_researcher
from tests.rules.test_deadlines import hour, running, the, word


def test_an_appeal_is_answered_by_a_person_who_decides_it() -> None:
    log = [word(1, "move.close"), word(5, "appealed", by_team=False)]
    assert the("appeal", log[:1], 9) is None
    open_ = running("appeal", log, 9)
    assert (open_.running, open_.late, open_.done_at) == (True, False, None)
    assert open_.due > hour(5)
    assert running("appeal", log, 500).late
    assert running("appeal", [*log, word(20)], 500).done_at is None, "a word beside it decides nothing"
    answered = running("appeal", [*log, word(6, by_team=False), word(20, "appeal.upheld")], 500)
    assert (answered.done_at, answered.late) == (hour(20), False)
    again = running("appeal", [*log, word(20, "move.reopen"), word(30, "appealed", by_team=False)], 31)
    assert again.done_at is None


def test_a_check_that_is_a_test_says_how_likely() -> None:
    check = {"name": "cache", "detail": "equal answers looked at", "passed": True, "p_value": 0.4}
    assert check_sentence(check) == "Equal answers looked at: no more than by chance (p = 0.40)."
    failed = {**check, "passed": False, "p_value": 0.0008}
    assert check_sentence(failed) == "Equal answers looked at: more than by chance (p < 0.01)."
    scored = {**failed, "name": "halves, scored", "detail": "both halves"}
    assert check_sentence(scored) == "Both halves: they differ by more than chance (p < 0.01)."
    assert check_sentence({**check, "detail": "not available: no digest", "p_value": None}).startswith("Not looked at")
    assert check_sentence({"name": "one version", "detail": "the target named m-1 (3)", "passed": True}) == (
        "The target named m-1 (3)."
    )


def test_a_result_without_a_target_stays_without_one() -> None:
    assert result_for_researcher({"n": 3, "target": None, "cost": 1.0}) == {"n": 3, "target": None}
