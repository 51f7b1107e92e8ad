"""The launch checklist as pure rules: each item is missing until it is said or seen, and refusals teach."""

from __future__ import annotations

import pytest

from manyeyes.rules.launch import BY_NAME, ITEMS, Answer, Facts, Kind, judge, wrong_with

READY = Facts(
    policy_in_force=True, systems=1, scope_lines=1, test_sent=True, test_answered=True,
)  # fmt: skip
SAID = {
    item.name: Answer(person="Lena S.", hours=6 if item.kind == Kind.HOURS else None)
    for item in ITEMS
    if item.kind != Kind.FACT
}


def missing(facts: Facts, answers: dict[str, Answer]) -> dict[str, str]:
    return {line.item.name: line.missing for line in judge(facts, answers) if line.state == "missing"}


def test_a_new_program_lacks_everything_and_each_line_says_what() -> None:
    found = missing(Facts(securitytxt_problem="Not over https.", unkept="Nobody reads on Sunday."), {})
    assert set(found) == {item.name for item in ITEMS} - {"finance"}
    assert all(found.values())
    assert found["capacity"] == "Nobody is named, with hours a week."


def test_nothing_is_missing_once_all_is_said_and_seen() -> None:
    assert missing(READY, SAID) == {}
    assert [line.item.name for line in judge(READY, SAID)] == [item.name for item in ITEMS]


@pytest.mark.parametrize("name", [item.name for item in ITEMS if item.kind != Kind.FACT and item.name != "finance"])
def test_each_answer_counts(name: str) -> None:
    assert set(missing(READY, {key: value for key, value in SAID.items() if key != name})) == {name}


@pytest.mark.parametrize(
    ("facts", "name", "words"),
    [
        (Facts(policy_in_force=False), "policy", "No policy is published."),
        (Facts(policy_in_force=True, policy_errors=2), "policy", "The policy has 2 errors of the linter."),
        (Facts(), "scope", "No system is registered."),
        (Facts(systems=1), "scope", "No line says what may be tested."),
        (Facts(), "test_report", "No test report was sent."),
        (Facts(test_sent=True), "test_report", "The test report waits for its answer."),
        (Facts(securitytxt_problem="x"), "securitytxt", "x"),
    ],
)
def test_facts_are_seen_and_not_said(facts: Facts, name: str, words: str) -> None:
    assert missing(facts, SAID)[name] == words


def test_a_warning_may_be_accepted_and_still_warns() -> None:
    warned = Facts(**{**READY.__dict__, "securitytxt_problem": "Nobody can read it."})
    accepted = Answer(applies=False, reason="We only try it out.")
    assert missing(warned, SAID) == {"securitytxt": "Nobody can read it."}
    [line] = [one for one in judge(warned, {**SAID, "securitytxt": accepted}) if one.item.name == "securitytxt"]
    assert (line.state, line.missing) == ("skipped", "Nobody can read it.")
    [mended] = [one for one in judge(READY, {**SAID, "securitytxt": accepted}) if one.item.name == "securitytxt"]
    assert (mended.state, mended.missing) == ("done", "")
    assert wrong_with(BY_NAME["securitytxt"], accepted) == {}
    assert set(wrong_with(BY_NAME["securitytxt"], Answer())) == {"applies"}
    assert set(wrong_with(BY_NAME["scope"], accepted)) == {"applies"}


def test_finance_is_needed_where_there_is_money_only() -> None:
    without = {key: value for key, value in SAID.items() if key != "finance"}
    assert missing(READY, without) == {}
    pays = Facts(**{**READY.__dict__, "pays": True})
    assert missing(pays, without) == {"finance": "Nobody is named."}
    assert "rewards" in missing(pays, {**SAID, "finance": Answer(applies=False, reason="no budget")})["finance"]
    assert missing(pays, SAID) == {}


def test_what_may_be_left_out_is_left_out_with_a_reason() -> None:
    out = Answer(applies=False, reason="We are three people and none is a lawyer.")
    states = {line.item.name: line.state for line in judge(READY, {**SAID, "legal": out})}
    assert states["legal"] == "skipped"
    assert wrong_with(BY_NAME["legal"], out) == {}
    assert set(wrong_with(BY_NAME["legal"], Answer(applies=False, reason=" "))) == {"reason"}
    assert set(wrong_with(BY_NAME["legal"], Answer(applies=False, reason="x" * 501))) == {"reason"}
    assert set(wrong_with(BY_NAME["owner"], out)) == {"applies"}


@pytest.mark.parametrize("hours", [None, 0, 169, 1000])
def test_capacity_is_a_figure(hours: int | None) -> None:
    assert set(wrong_with(BY_NAME["capacity"], Answer(person="Olga B.", hours=hours))) == {"hours"}
    assert wrong_with(BY_NAME["capacity"], Answer(person="Olga B.", hours=4)) == {}
    assert set(wrong_with(BY_NAME["owner"], Answer())) == {"person"}


def test_nobody_stands_in_for_themselves_unless_there_is_nobody_else() -> None:
    alone = {**SAID, "responder": Answer(person="Lena S.", who="1"), "backup": Answer(person="Lena S.", who="1")}
    team = Facts(**{**READY.__dict__, "people": 2})
    assert set(missing(team, alone)) == {"backup"}
    assert missing(team, {**alone, "backup": Answer(person="Lena S.", who="2")}) == {}, "another of the same name"
    assert missing(team, {**alone, "backup": Answer(applies=False, reason="We are few.")}) == {}
    [line] = [one for one in judge(READY, alone) if one.item.name == "backup"]
    assert (line.state, line.missing.split(":")[0]) == ("skipped", "Nobody stands in")
