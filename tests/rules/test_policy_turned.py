"""A promise that is turned round is found, whatever the template; a promise in other words still counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.rules.policy_clauses import CLAUSES
from manyeyes.rules.policy_lint import Lint, lint
from manyeyes.rules.policy_sentences import LONGEST, statements
from manyeyes.rules.policy_templates import TEMPLATES, fill
from manyeyes.rules.policy_wording import clause_of, wording
from tests.rules.policy_turned import ADDED, HARMLESS, HONEST, TURNED, TURNED_AGAIN

ALL_TURNED = (*TURNED, *TURNED_AGAIN)
NEGATIONS = (
    (r"\b(will|do|does|can|may|is|are|was) not\b", r"\1"),
    (r"\bnever\b", "always"),
    (r"\b(will|may|can)\b(?! not)", r"\1 not"),
    (r"\b(we|you|safe harbor|a person) (?=(?:regard|set|covers|tell|restore|answers)\b)", r"\1 never "),
)

NOT_BY_RULE = {"ai_hazard", "ai_machine_reports", "ai_others", "ai_updates", "decision", "extension", "third_party"}
"""Clauses whose words hold such a verb beside the promise, so that turning it does not turn the promise."""


def filled(template: str) -> dict[str, str]:
    """A template as a program gets it."""
    return fill(template, organisation="Larkfield", first_response_hours=48, decision_days=10, embargo_days=90)


def errors(found: Lint) -> set[str]:
    """The codes of the errors."""
    return {one.code for one in found.findings if one.level == "error"}


def with_one_more(sentence: str) -> Mapping[str, str]:
    """A policy in order, with one sentence more."""
    policy = filled("no_bounty")
    return {**policy, "rules": f"{policy['rules']}\n\n{sentence}"}


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize(("code", "words", "instead"), ALL_TURNED, ids=[f"{row[0]}: {row[2]}" for row in ALL_TURNED])
def test_a_promise_turned_round_is_an_error_and_costs_its_level(
    template: str, code: str, words: str, instead: str
) -> None:
    policy = filled(template)
    assert any(words in text for text in policy.values()), "the template no longer says this"
    found = lint({name: text.replace(words, instead) for name, text in policy.items()})
    assert f"takes_back.{code}" in errors(found)
    assert not found.ok
    assert found.clauses[code] == ""
    clause = clause_of(code)
    assert clause is not None
    assert found.maturity < (clause.maturity or 5)
    assert clause in found.next_needs or found.maturity < (clause.maturity or 5) - 1


def test_every_clause_is_turned_round_in_five_ways() -> None:
    assert {code for code, _words, _instead in ALL_TURNED} == {clause.code for clause in CLAUSES}
    assert min(Counter(code for code, _words, _instead in ALL_TURNED).values()) >= 5
    assert {code for code, _text in HONEST} == {clause.code for clause in CLAUSES}


@pytest.mark.parametrize(("code", "sentence"), ADDED)
def test_one_sentence_more_spoils_a_policy_that_is_in_order(code: str, sentence: str) -> None:
    found = lint(with_one_more(sentence))
    assert code in {one.code for one in found.findings}
    assert errors(found)
    assert not code.startswith("takes_back") or found.maturity < 5


@pytest.mark.parametrize(("code", "sentence"), HONEST)
def test_an_honest_clause_counts_in_other_words(code: str, sentence: str) -> None:
    found = lint({"rules": sentence})
    assert found.clauses[code] == "rules"
    assert not found.taken_back


@pytest.mark.parametrize("sentence", HARMLESS)
def test_what_honest_policies_say_beside_takes_nothing_back(sentence: str) -> None:
    found = lint(with_one_more(sentence))
    assert (found.maturity, errors(found)) == (5, set())


def negated() -> list[tuple[str, str, str]]:
    """(clause, section, the template's words for it with every verb of one kind negated or freed of its negation)."""
    found = []
    for clause in CLAUSES:
        section, words = wording(clause, filled("no_bounty"))
        turned = {re.sub(pattern, instead, words, flags=re.IGNORECASE) for pattern, instead in NEGATIONS} - {words}
        found += [(clause.code, section, text) for text in sorted(turned) if clause.code not in NOT_BY_RULE]
    return found


@pytest.mark.parametrize(("code", "section", "text"), negated())
def test_a_promise_negated_by_rule_no_longer_counts(code: str, section: str, text: str) -> None:
    assert lint({section: text}).clauses[code] == ""


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("authorised", "We can only authorise tests of what we run."),
        ("authorised", "Your research counts."),
        ("no_suit", "You will not sue us."),
        ("terms", "Our terms of service are long."),
        ("third_party", "Somebody else may take action."),
        ("ai_training", "We train our staff."),
        ("ai_accounts", "You need an account."),
        ("window", "We do not disclose anything for 90 days."),
        ("anonymous", "Anonymous reports exist."),
    ],
)
def test_words_about_a_thing_are_no_promise_of_it(code: str, sentence: str) -> None:
    assert lint({"safe_harbor": sentence}).clauses[code] == ""


def test_a_policy_that_takes_all_back_protects_nobody() -> None:
    found = lint(with_one_more("Nothing in this policy is binding on us."))
    assert found.maturity == 2
    assert "no_suit" not in found.taken_back


def test_what_no_level_names_keeps_a_policy_from_the_fifth() -> None:
    found = lint(with_one_more("We train models on your report."))
    assert found.maturity == 4
    assert [clause.code for clause in found.next_needs] == ["ai_training"]


def test_a_finding_quotes_the_sentence_as_it_stands() -> None:
    found = lint(with_one_more("**Money.** We **won’t** hesitate to sue you."))
    [one] = [one for one in found.findings if one.code == "takes_back.no_suit"]
    assert one.quote == "Money. We won’t hesitate to sue you."
    assert one.message == f"Takes back: no legal action. It says “{one.quote}”"


def test_a_text_without_an_end_is_read_in_pieces() -> None:
    pieces = list(statements("we sue " * 1000))
    assert all(len(one.plain) <= LONGEST for one in pieces)
    assert len(pieces) == 6
    assert lint({"rules": "," * 100_000 + "we may sue you"}).findings


@given(st.lists(st.sampled_from([sentence for _code, sentence in HONEST]), min_size=1, max_size=6))
def test_honest_sentences_together_take_nothing_back(sentences: list[str]) -> None:
    assert not lint({"rules": " ".join(sentences)}).taken_back
