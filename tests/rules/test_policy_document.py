"""A policy as a document: written, read back, compared word by word, and mended with a template's own words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.rules.policy_clauses import CLAUSES
from manyeyes.rules.policy_contradictions import figures_said
from manyeyes.rules.policy_difference import IN, OUT, between, changes
from manyeyes.rules.policy_document import Document, ScopeLine, terms_text
from manyeyes.rules.policy_lint import lint
from manyeyes.rules.policy_markdown import read
from manyeyes.rules.policy_phrases import PHRASES
from manyeyes.rules.policy_templates import SECTIONS, TEMPLATES, fill
from manyeyes.rules.policy_wording import clause_of, inserted, wording

TERMS = {"first_response_hours": 48, "decision_hours": 240, "embargo_days": 90, "pays": False}
LINE = ScopeLine(
    system="Wicket", text="Acts caused by text it reads", versions="2.3 and later", reached="app, API",
    classes_in=("PI-I", "AT"), classes_out=("EV",), severity_max="Critical", reward="€500 to €15,000",
    calls_per_day=2000, calls_at_once=2, spending="20 EUR a day", marker="header", marker_word="research-7k3fq2",
)  # fmt: skip


def filled(template: str) -> dict[str, str]:
    """A template as a program gets it."""
    return fill(template, organisation="Larkfield", first_response_hours=48, decision_days=10, embargo_days=90)


def document(template: str = "no_bounty", **changed: object) -> Document:
    """A whole policy with one system."""
    values = {
        "organisation": "Larkfield", "program": "Wicket", "number": 2, "texts": filled(template), "scope": [LINE],
        "published_at": datetime(2026, 11, 23, tzinfo=UTC), "terms": {**TERMS, "pays": template == "bounty"},
    }  # fmt: skip
    return Document(**{**values, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_is_rendered_is_read_back_and_lints_clean(template: str) -> None:
    found = read(document(template).markdown())
    assert found.unmatched == ()
    assert {name: text for name, text in found.sections.items() if name != "scope"} == filled(template)
    assert "X-Research: research-7k3fq2" in found.sections["scope"]
    again = lint(found.sections)
    assert (again.maturity, [one.code for one in again.findings]) == (5, [])
    assert again.measured.words == lint(filled(template)).measured.words, "the table is not counted as prose"


def test_money_is_named_only_where_the_policy_pays() -> None:
    assert "€15,000" not in document("no_bounty").markdown()
    assert document("no_bounty").to_json()["scope"][0]["reward"] == ""
    assert "reward: €500 to €15,000" in document("bounty").markdown()
    assert document("bounty").to_json()["scope"][0]["reward"] == "€500 to €15,000"


def test_a_line_survives_as_data() -> None:
    assert ScopeLine.from_json({**LINE.to_json(), "later": "unknown"}) == LINE


def test_a_line_says_how_to_be_known() -> None:
    assert replace(LINE, marker="account").mark == "Put research-7k3fq2 into the name of your test account."
    assert replace(LINE, marker="none").mark == replace(LINE, marker_word="").mark == ""


def test_what_is_out_of_scope_says_no_more_than_that() -> None:
    told = document(scope=[LINE, replace(LINE, in_scope=False), ScopeLine(system="Postern", in_scope=False)]).markdown()
    assert "- Not in scope: Acts caused by text it reads\n- Not in scope: Postern\n" in told


@pytest.mark.parametrize("kept", [{name: value} for name, value in TERMS.items()], ids=list(TERMS))
def test_a_figure_that_was_not_kept_is_not_told(kept: dict[str, object]) -> None:
    assert len(terms_text(kept).splitlines()) == 1
    assert figures_said(kept).count(".") == 1


def test_an_empty_policy_is_its_title_and_its_state() -> None:
    told = document(texts={"rules": "Prove it and stop."}, scope=None, terms=None, published_at=None).markdown()
    assert told == (
        "# Disclosure policy of Larkfield, version 2\n\nDraft, not in force.\n\n"
        f"## {SECTIONS['rules']}\n\nProve it and stop.\n"
    )


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("Authorization", "safe_harbor"), ("3. Guidelines", "rules"), ("Out of Scope", "out_of_scope"),
        ("In scope", "scope"), ("Official Channels", "channels"), ("What you can expect from us", "promises"),
        ("Bounties", "rewards"), ("Coordinated disclosure", "disclosure"), ("**Introduction**", "introduction"),
    ],
)  # fmt: skip
def test_headings_of_others_are_understood(heading: str, section: str) -> None:
    assert read(f"# Our vulnerability disclosure policy\n\n## {heading}\n\nWords.").sections == {section: "Words."}


def test_underlined_headings_and_fences() -> None:
    found = read("Our policy\n==========\n\nSafe harbor\n---\nWe will not sue.\n\n```\n# Rewards\n```\n")
    assert list(found.sections) == ["safe_harbor"]
    assert "# Rewards" in found.sections["safe_harbor"]


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.code)
def test_every_missing_clause_is_mended_by_the_words_of_the_template(template: str, clause: object) -> None:
    whole = filled(template)
    section, words = wording(clause, whole)  # type: ignore[arg-type]
    assert len(words.split()) < 75
    empty = dict.fromkeys(SECTIONS, "")
    assert wording(clause, empty) == ("", "")  # type: ignore[arg-type]
    assert clause_of(clause.code) is clause  # type: ignore[attr-defined]
    mended = lint({**empty, section: inserted("Something else.", words)})
    assert mended.clauses[clause.code] == section  # type: ignore[attr-defined]


def test_words_join_the_list_they_belong_to() -> None:
    assert inserted("- One.\n", "- Two.") == "- One.\n- Two."
    assert inserted("One.", "- Two.") == "One.\n\n- Two."
    assert inserted(" ", "Two.") == "Two."


def test_the_text_must_not_contradict_the_figures() -> None:
    def codes(**changed: object) -> set[str]:
        return {one.code for one in lint(filled("no_bounty"), terms={**TERMS, **changed}, systems=1).findings}

    assert codes() == set()
    assert codes(first_response_hours=72) == {"contradiction.answer"}
    assert codes(first_response_hours=24) == {"contradiction.answer", "figures.days_off"}
    assert codes(decision_hours=480) == {"contradiction.decision"}
    assert codes(embargo_days=60) == {"contradiction.window"}
    assert codes(pays=True) == {"contradiction.money"}


def test_a_policy_without_a_system_protects_nobody() -> None:
    assert {one.code for one in lint(filled("bounty"), systems=0).findings} == {"scope.empty"}


def test_the_next_level_names_what_it_needs() -> None:
    assert [clause.code for clause in lint({"channels": "Send your report through the form."}).next_needs] == ["scope"]
    assert lint(filled("private")).next_needs == ()


def test_a_change_is_told_word_by_word() -> None:
    before, after = document().parts(), document(terms={**TERMS, "embargo_days": 60}).parts()
    after["safe_harbor"] = before["safe_harbor"].replace("will not sue you", "will never sue you")
    found = {one.name: one for one in changes(before, after)}
    assert set(found) == {"safe_harbor", "figures"}
    assert "[-not -]{+never +}" in found["safe_harbor"].text()
    assert "[-90 -]{+60 +}days" in found["figures"].text()
    assert changes(before, {**before, "rewards": ""})[0].kind == "removed"


def test_long_passages_with_nothing_in_common_are_told_one_after_the_other() -> None:
    old, new = (" ".join(f"{word}{i}" for i in range(800)) for word in ("one", "two"))
    assert [(piece.kind, piece.text) for piece in between(old, new)] == [(OUT, old), (IN, new)]
    assert len(between(f"{old} stay", f"{old} go")) == 2, "too long to be looked at word by word"


TEXT = st.text(alphabet="ab \n.", max_size=80)


@given(TEXT, TEXT)
def test_the_pieces_hold_both_texts(old: str, new: str) -> None:
    pieces = between(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind != IN) == old
    assert "".join(piece.text for piece in pieces if piece.kind != OUT) == new
    assert not any(one.kind == other.kind for one, other in pairwise(pieces))


@given(st.text(max_size=300))
def test_any_text_is_read_without_loss_of_sections(text: str) -> None:
    assert set(read(text).sections) <= {*SECTIONS, "scope"}


def test_every_clause_phrase_and_section_is_written_down() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
    for code in (*(clause.code for clause in CLAUSES), *(phrase.code for phrase in PHRASES), *SECTIONS):
        assert f"| `{code}`" in page, code
