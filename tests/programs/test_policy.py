"""Policies: a default in plain words, frozen once published."""

from __future__ import annotations

import re

import pytest

from manyeyes import events
from manyeyes.accounts.people import create_account
from manyeyes.programs import policy, scope
from manyeyes.programs.models import PolicyVersion, Program
from manyeyes.programs.setup import create_program, open_program
from manyeyes.rules.errors import Conflict, Invalid, NotFound
from manyeyes.rules.policy_templates import TEMPLATES

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return create_program(slug="wicket", name="Wicket program", organisation="Larkfield")


def test_default_policy_is_short_and_holds_the_clauses_ai_research_needs(program: Program) -> None:
    text = "\n".join(body for _, _, body in program.policies.get().sections())
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


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_program_has_a_policy_of_four_minutes_as_its_readers_get_it(program: Program, template: str) -> None:
    scope.save_line(program, None, text="The Larkfield assistant", versions="2.3 and later", calls_per_day=100)
    terms = {**policy.terms_of(program), "pays": template == "bounty"}
    found = policy.linted(policy.default_text(program, template), terms, program)
    assert (found.measured.words <= 900, found.measured.flesch >= 45, found.measured.grade <= 11) == (True, True, True)
    assert (found.maturity, found.findings) == (5, ())


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


def lines(program: Program) -> list[str]:
    return [line.name for line in scope.in_force(program, program.policy)]


def test_a_published_version_keeps_the_scope_and_the_promises_as_they_stood(program: Program) -> None:
    scope.save_line(program, None, text="Wicket", versions="2.3 and later", calls_per_day=100)
    first = policy.publish(program.policies.get())
    digest = policy.digest(first)
    row = program.scope.get()
    scope.save_line(program, row, text="Heron", versions="")
    assert scope.unpublished(program, program.policy)
    assert lines(program) == ["Wicket"], "researchers rely on what was published"
    program.first_response_hours = 12
    program.save()
    again = PolicyVersion.objects.get(pk=first.pk)
    assert (policy.digest(again), again.terms["first_response_hours"]) == (digest, 48)
    later = policy.draft(program)
    later.terms = {**later.terms, "first_response_hours": 24}
    later.save()
    second = policy.publish(later)
    assert lines(program) == ["Heron"]
    assert Program.objects.get().first_response_hours == 24, "the promise of the policy is the promise of the program"
    found = {change.name: change.text() for change in policy.differences(again, second)}
    assert "[-Wicket" in found["scope"]
    assert "[-48 -]{+24 +}" in found["figures"]
    assert events.log(f"program:{program.pk}").filter(kind="policy.published").count() == 2


def test_a_version_from_before_scope_and_figures_were_kept_reads_as_it_did(program: Program) -> None:
    scope.save_line(program, None, text="Wicket")
    policy.publish(program.policies.get())
    PolicyVersion.objects.filter(program=program).update(scope=None, terms={}, summary="", channels="", rewards="")
    old = PolicyVersion.objects.get(program=program)
    assert [name for name, _, _ in old.sections()] == [
        "introduction", "promises", "rules", "out_of_scope", "safe_harbor", "ai_research", "disclosure",
    ]  # fmt: skip
    assert (policy.document(old).scope, lines(program)) == (None, ["Wicket"])
    second = policy.publish(policy.draft(program, rewards="None."))
    assert [change.name for change in policy.differences(old, second)] == ["rewards"], "what was not kept is not told"


def test_publishing_a_draft_that_was_changed_since_it_was_read_is_refused(program: Program) -> None:
    person = create_account(email="lena@larkfield.example", display_name="Lena S.", handle="lena", password="x" * 20)
    now = policy.editing(program)
    row = policy.save_draft(program, by=person, number=1, revision=0, texts=now.texts, terms=now.terms)
    with pytest.raises(Conflict):
        policy.save_draft(program, by=person, number=1, revision=0, texts=now.texts, terms=now.terms)
    with pytest.raises(Conflict):
        policy.publish(row, revision=0)
    assert policy.publish(row, revision=1).published_at is not None
    with pytest.raises(Conflict):
        policy.save_draft(program, by=person, number=1, revision=1, texts=now.texts, terms=now.terms)


@pytest.mark.parametrize(
    ("name", "value"),
    [("text", ""), ("text", "a\nb"), ("text", "x" * 301), ("calls_per_day", 0), ("severity_max", "Awful"),
     ("marker", "tattoo"), ("classes_in", ["XX"]), ("classes_out", ["JB"])],
)  # fmt: skip
def test_a_line_that_cannot_be_used_is_refused_by_its_field(program: Program, name: str, value: object) -> None:
    good = {"text": "Wicket", "classes_in": ["JB"]}
    with pytest.raises(Invalid) as refused:
        scope.save_line(program, None, **{**good, name: value})
    assert set(refused.value.fields) == {name}
    assert not program.scope.exists()


def test_every_program_has_a_marker_of_its_own(program: Program) -> None:
    other = create_program(slug="mole", name="Mole", organisation="Mole", template="bounty")
    assert program.research_marker != other.research_marker
    assert policy.editing(other).terms["pays"] is True
    with pytest.raises(Invalid, match="No such template"):
        create_program(slug="newt", name="Newt", organisation="Newt", template="none")
