"""Policies: a default in plain words, frozen once published."""

from __future__ import annotations

import re

import pytest

from manyeyes.programs import policy
from manyeyes.programs.models import PolicyVersion, Program
from manyeyes.programs.setup import create_program, open_program
from manyeyes.rules.errors import Conflict, Invalid, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return create_program(slug="wicket", name="Wicket program", organisation="Larkfield")


def test_default_policy_is_short_and_holds_the_clauses_ai_research_needs(program: Program) -> None:
    text = "\n".join(body for _, _, body in program.policies.get().sections())
    assert len(text.split()) <= 900
    assert "{" not in text
    assert "Larkfield" in text
    for clause in (
        "usage policy",
        "suspend or ban an account",
        "Hazardous output",
        "another company",
        "Limits",
        "Model updates",
        "train models on your report",
    ):
        assert clause in text, clause
    sentences = re.split(r"[.!?]\s", text)
    assert sum(len(s.split()) for s in sentences) / len(sentences) < 18


def test_published_version_cannot_change_and_the_next_one_takes_over(program: Program) -> None:
    first = policy.publish(program.policies.get())
    assert program.policy == first
    first.safe_harbor = "none"
    with pytest.raises(Conflict, match="published"):
        first.save()
    with pytest.raises(Conflict):
        first.delete()
    second = policy.draft(program, promises="We answer in one day.")
    assert (second.number, second.safe_harbor != "none") == (2, True)
    assert program.policy == PolicyVersion.objects.get(number=1)
    policy.publish(second)
    assert program.policy == second


def test_one_draft_at_a_time_and_no_unknown_section(program: Program) -> None:
    first = program.policies.get()
    changed = policy.draft(program, promises="We answer in one day.")
    assert (changed.pk, changed.promises, changed.safe_harbor) == (first.pk, "We answer in one day.", first.safe_harbor)
    with pytest.raises(Invalid, match="No such section"):
        policy.draft(program, smallprint="x")
    assert program.policies.count() == 1


def test_opening_a_private_program_puts_its_draft_into_force(program: Program) -> None:
    policy.draft(program, promises="We answer in one day.")
    assert not program.takes_reports
    open_program(program)
    assert program.takes_reports
    assert program.policy is not None
    assert program.policy.promises == "We answer in one day."
    open_program(program)
    assert program.policies.count() == 1


def test_policy_without_safe_harbor_is_not_published(program: Program) -> None:
    version = program.policies.get()
    version.safe_harbor = "  "
    version.save()
    with pytest.raises(Invalid) as refused:
        policy.publish(version)
    assert "safe_harbor" in refused.value.fields
    assert not program.takes_reports


def test_drafts_are_absent_for_readers(program: Program) -> None:
    with pytest.raises(NotFound):
        policy.published_version(program, 1)
    policy.publish(program.policies.get())
    assert policy.published_version(program, 1).number == 1
    with pytest.raises(NotFound):
        policy.published_version(program, 2)
