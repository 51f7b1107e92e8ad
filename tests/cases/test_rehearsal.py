"""Draft, private, public: the checklist holds a launch back by name, and the test report counts nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.cases import conversation, intake, rehearsal
from manyeyes.cases.models import Case, Message
from manyeyes.programs import access, launch, policy
from manyeyes.programs.models import LaunchAnswer, Program
from manyeyes.programs.setup import create_program
from manyeyes.programs.targets import add_target
from manyeyes.publications import figures
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotAllowed, NotFound
from manyeyes.rules.launch import ITEMS, Kind
from manyeyes.rules.lifecycle import Role
from manyeyes.vault.models import DataKey
from tests.people import make_person

pytestmark = pytest.mark.django_db
WHY = "We are two people, and none of us is a lawyer."


@pytest.fixture
def lena() -> Any:
    return make_person("lena", "Lena S.")


@pytest.fixture
def program(lena: Any) -> Program:
    return create_program(
        slug="wicket", name="Wicket", organisation="Larkfield",
        members={lena: [Role.PROGRAM_MANAGER, Role.SECURITY_TRIAGER, Role.ML_TRIAGER]},
    )  # fmt: skip


def prepare(program: Program, lena: Any) -> None:
    policy.publish(policy.draft(program), by=lena)
    add_target(program, name="Wicket", access="manual", in_scope="The assistant")


def say_all(program: Program, lena: Any) -> None:
    for item in ITEMS:
        if item.name in ("legal", "finance", "backup", "securitytxt"):
            launch.say(program, item=item.name, by=lena, applies=False, reason=WHY)
        elif item.kind != Kind.FACT:
            launch.say(program, item=item.name, by=lena, person=lena, hours=6 if item.kind == Kind.HOURS else None)


def answered(program: Program, lena: Any) -> Case:
    case = rehearsal.send(program, by=lena).case
    intake.acknowledge(case, by=lena)
    rehearsal.settle(program)
    return case


def named_in(refusal: str) -> list[str]:
    """The items that a refusal names as missing."""
    return [item.name for item in ITEMS if f"{item.title}: " in refusal]


def test_from_draft_to_public(program: Program, lena: Any) -> None:
    assert (program.state, program.takes_reports) == ("draft", False)
    with pytest.raises(IllegalMove) as refused:
        launch.make_private(program, by=lena)
    assert named_in(refused.value.message) == ["policy", "scope"]
    with pytest.raises(IllegalMove, match="draft takes no reports"):
        rehearsal.send(program, by=lena)
    prepare(program, lena)
    launch.make_private(program, by=lena)
    assert program.takes_reports
    assert not access.visible_to(None).exists()
    with pytest.raises(IllegalMove) as refused:
        launch.go_public(program, by=lena)
    assert named_in(refused.value.message) == [
        item.name for item in ITEMS if item.name not in ("finance", "days_off", "policy", "scope")
    ]
    assert "Engineering time for fixes: Nobody is named, with hours a week." in refused.value.message
    say_all(program, lena)
    with pytest.raises(IllegalMove, match="No test report was sent"):
        launch.go_public(program, by=lena)
    case = rehearsal.send(program, by=lena).case
    with pytest.raises(IllegalMove, match="waits for its answer"):
        launch.go_public(program, by=lena)
    intake.acknowledge(case, by=lena)
    rehearsal.settle(program)
    launch.go_public(program, by=lena)
    assert program.state == "public"
    assert list(access.visible_to(None)) == [program]
    launch.pause(program, by=lena)
    assert not program.takes_reports
    with pytest.raises(Conflict):
        launch.pause(program, by=lena)
    launch.resume(program, by=lena)
    moves = [one.data["after"] for one in events.log(f"program:{program.pk}") if one.kind == "program.moved"]
    assert moves == ["private", "public", "paused", "public"]
    assert events.verify_chain(f"program:{program.pk}") is None


def test_who_said_what_and_when_is_on_record(program: Program, lena: Any) -> None:
    olga = make_person("olga", "Olga B.")
    launch.say(program, item="capacity", by=lena, person=lena, hours=6)
    launch.say(program, item="legal", by=lena, applies=False, reason=WHY)
    lines = {row.name: row for row in launch.standing(program).lines}
    assert lines["capacity"].answer is not None
    assert (lines["capacity"].answer.hours, lines["capacity"].answer.by) == (6, lena)
    assert lines["legal"].answer is not None
    assert (lines["legal"].line.state, lines["legal"].answer.reason) == ("skipped", WHY)
    said = [one.data for one in events.log(f"program:{program.pk}") if one.kind == "launch.said"]
    assert said[0] == {"item": "capacity", "applies": True, "person": str(lena.pk), "hours": 6}
    assert WHY not in str(said)
    launch.say(program, item="owner", by=lena, person=lena)
    assert launch.standing(program).several == (("Lena S.", 2),)
    with pytest.raises(Invalid):
        launch.say(program, item="owner", by=lena, person=olga)
    with pytest.raises(NotAllowed):
        launch.say(program, item="owner", by=olga, person=lena)
    with pytest.raises(NotFound):
        launch.say(program, item="policy", by=lena, person=lena)
    assert LaunchAnswer.objects.count() == 3


def test_a_policy_with_errors_and_a_site_without_https_hold_it_back(program: Program, lena: Any, settings: Any) -> None:
    prepare(program, lena)
    settings.MANYEYES_BASE_URL = "http://vdp.larkfield.example"
    missing = {row.name: row.line.missing for row in launch.standing(program).missing}
    assert "https" in missing["securitytxt"]
    settings.MANYEYES_BASE_URL = "https://vdp.larkfield.example"
    assert "securitytxt" not in {row.name for row in launch.standing(program).missing}
    policy.publish(policy.draft(program, safe_harbor="We may think about it."), by=lena)
    assert "errors of the linter" in {row.name: row.line.missing for row in launch.standing(program).missing}["policy"]


def test_a_test_report_is_in_no_figure(program: Program, lena: Any) -> None:
    prepare(program, lena)
    launch.make_private(program, by=lena)
    case = answered(program, lena)
    assert case.test
    assert figures.first_responses(program).reports == 0
    assert rehearsal.of(program) == [case]


def test_a_test_report_is_removed_on_request_and_stays_answered(program: Program, lena: Any) -> None:
    prepare(program, lena)
    launch.make_private(program, by=lena)
    case = answered(program, lena)
    conversation.say(case, by=lena, text="A word.", public=True)
    key, subject = case.key_id, case.subject
    with pytest.raises(NotAllowed):
        rehearsal.remove(case, by=make_person("eve"))
    rehearsal.remove(case, by=lena)
    assert not Case.objects.exists()
    assert not Person.objects.filter(kind="receipt").exists()
    assert not Message.objects.exists()
    assert DataKey.objects.get(pk=key).destroyed_at is not None
    assert events.verify_chain(subject) is None
    rehearsal.settle(program)
    assert program.test_answered_at is not None
    assert "test_report" not in {row.name for row in launch.standing(program).missing}


def test_a_real_case_is_never_removed(program: Program, lena: Any) -> None:
    prepare(program, lena)
    launch.make_private(program, by=lena)
    case = rehearsal.send(program, by=lena).case
    Case.objects.filter(pk=case.pk).update(test=False)
    case.test = False
    with pytest.raises(NotFound):
        rehearsal.remove(case, by=lena)
    assert Case.objects.filter(pk=case.pk).exists()
