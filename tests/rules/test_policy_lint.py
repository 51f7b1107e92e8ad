"""The policy linter: each clause, phrase and contradiction is found where it stands and missed where it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.rules.policy_clauses import CLAUSES
from manyeyes.rules.policy_lint import lint
from manyeyes.rules.policy_phrases import PHRASES

LADDER = (
    {"channels": "Send your report through the form on this page."},
    {"introduction": "This policy covers the systems in the scope."},
    {"safe_harbor": "We will not sue you."},
    {
        "safe_harbor": "We will not sue you. Your research is authorised. We raise no claim for getting around a "
        "protection. Our terms of service are set aside for it. If somebody else takes action, we say publicly that it "
        "was authorised."
    },
    {"disclosure": "You may publish 90 days after your report. We may ask once for an extension of 30 days."},
)


@pytest.mark.parametrize("level", range(6))
def test_maturity_climbs_step_by_step(level: int) -> None:
    sections: dict[str, str] = {}
    for step in LADDER[:level]:
        sections |= step
    assert lint(sections).maturity == level


def test_a_step_left_out_holds_the_level_down() -> None:
    sections = {name: text for step in LADDER if step is not LADDER[1] for name, text in step.items()}
    assert lint(sections).maturity == 1


def test_every_missing_clause_is_named_with_its_mend() -> None:
    found = {finding.code: finding for finding in lint({}).findings}
    for clause in CLAUSES:
        assert found[f"missing.{clause.code}"].mend == clause.mend
    assert "empty" in found
    assert not lint({}).ok


def test_there_are_eleven_clauses_that_classic_templates_lack() -> None:
    assert sum(clause.ai for clause in CLAUSES) == 11


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("discretion", "We decide at our sole discretion."),
        ("prior_consent", "Do not publish without prior written consent."),
        ("prosecution", "Offenders will be prosecuted."),
        ("indemnify", "You indemnify us."),
        ("secrecy", "Reporters sign a non-disclosure agreement."),
        ("identity", "You must provide your full name."),
        ("no_models", "We do not accept jailbreaks."),
        ("legalese", "Notwithstanding the foregoing, we help."),
        ("malicious", "Hackers who report flaws are thanked."),
    ],
)
def test_a_frightening_phrase_is_quoted(code: str, text: str) -> None:
    found = [finding for finding in lint({"rules": text}).findings if finding.code == f"phrase.{code}"]
    assert len(found) == 1
    assert found[0].quote in text
    assert found[0].section == "rules"


def test_every_phrase_has_its_test() -> None:
    assert len(PHRASES) == 9


@pytest.mark.parametrize(
    ("code", "one", "other"),
    [
        ("money", "There is no money and no bounty.", "We pay 500 euros."),
        ("counting", "Tell us how often it works.", "Automated tools are forbidden."),
        ("answer", "A person answers you within 48 hours.", "We respond within 3 business days."),
        ("window", "Speak 90 days after your report.", "Wait 120 days since the report."),
    ],
)
def test_a_contradiction_is_found_and_each_half_alone_is_none(code: str, one: str, other: str) -> None:
    def codes(sections: dict[str, str]) -> set[str]:
        return {finding.code for finding in lint(sections).findings}

    assert f"contradiction.{code}" in codes({"promises": one, "rules": other})
    assert f"contradiction.{code}" not in codes({"promises": one})
    assert f"contradiction.{code}" not in codes({"rules": other})


@pytest.mark.parametrize(
    ("code", "one", "other"),
    [
        ("anonymous", "You may stay anonymous.", "You must give your name."),
        ("ai_prompts", "Safe harbor covers prompts of all kinds, against our rules too.", "Do not use jailbreaks."),
        ("window", "You may publish after 90 days.", "Reports are never published; do not disclose them."),
    ],
)
def test_what_one_section_promises_another_takes_back(code: str, one: str, other: str) -> None:
    assert lint({"promises": one}).clauses[code] == "promises"
    both = lint({"promises": one, "rules": other})
    assert both.clauses[code] == ""
    assert [finding.section for finding in both.findings if finding.code == f"takes_back.{code}"] == ["rules"]


def test_the_same_time_in_other_units_is_no_contradiction() -> None:
    sections = {"promises": "We answer within 2 days.", "introduction": "A person answers you within 48 hours."}
    assert not [finding for finding in lint(sections).findings if finding.code.startswith("contradiction")]


def test_length_and_hard_words_are_told() -> None:
    hard = " ".join(["considerable organisational responsibilities necessitate comprehensive consideration"] * 200)
    codes = {finding.code for finding in lint({"summary": hard}).findings}
    wanted = {"length.words", "length.flesch", "length.grade", "length.mean", "length.summary", "length.sentence"}
    assert wanted <= codes


def test_the_result_is_plain_data() -> None:
    data = lint({"introduction": "We read reports."}).to_json()
    assert data["ok"] is False
    assert data["measured"]["words"] == 3
    assert {"level", "code", "section", "message", "mend", "quote"} == set(data["findings"][0])


@given(st.dictionaries(st.sampled_from(["introduction", "promises", "rules"]), st.text(max_size=300)))
def test_any_text_can_be_read(sections: dict[str, str]) -> None:
    found = lint(sections)
    assert 0 <= found.maturity <= 5
