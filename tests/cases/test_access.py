"""Who sees which case, and that what one may not see cannot be told from what is not there."""

from __future__ import annotations

import time
import uuid
from statistics import median

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from manyeyes.cases import access, assignment, conversation, intake, reproduction, timeline, triage
from manyeyes.cases.models import Reproduction
from manyeyes.programs.setup import create_program
from manyeyes.rules.errors import NotAllowed, NotFound
from manyeyes.rules.lifecycle import Role
from tests.people import REPRODUCER, Cast, make_case, make_report, play, submit, vulnerable


def seen_by(cast: Cast, ref: str) -> set[str]:
    """The names of everybody who can open the case."""
    names = set()
    for name, person in cast.people().items():
        try:
            access.case_for(person, ref)
        except NotFound:
            continue
        names.add(name)
    return names


def test_a_new_case_is_seen_by_its_reporter_and_those_who_work_on_it(cast: Cast) -> None:
    assert seen_by(cast, submit(cast).ref) == {"rhea", "theo", "mina", "olga", "lena", "aud", "ada"}


def test_a_publisher_sees_confirmed_findings(cast: Cast) -> None:
    assert "pia" in seen_by(cast, make_case(cast, at="confirmed").ref)


def test_an_owner_sees_cases_of_their_own_targets_only(cast: Cast) -> None:
    case = submit(cast)
    cast.target.owner = None
    cast.target.save()
    assert "olga" not in seen_by(cast, case.ref)


def test_another_program_is_another_world(cast: Cast) -> None:
    create_program(slug="other", name="Other", organisation="Elsewhere", members={cast.eve: [Role.SECURITY_TRIAGER]})
    assert "eve" not in seen_by(cast, submit(cast).ref)


def test_lists_hold_what_can_be_opened(cast: Cast) -> None:
    refs = {submit(cast).ref, submit(cast, by=cast.eve).ref, make_case(cast, at="confirmed").ref}
    for person in cast.people().values():
        listed = {case.ref for case in access.visible_to(person)}
        opened = set()
        for ref in refs:
            try:
                opened.add(access.case_for(person, ref).ref)
            except NotFound:
                continue
        assert listed == opened


@pytest.mark.parametrize("ref", ["ME-2222-2222", "nonsense", "", "ME-0000-0000", "'; drop table", "\x00"])
def test_absent_and_forbidden_are_one_answer_after_the_same_queries(cast: Cast, ref: str) -> None:
    hidden = submit(cast).ref
    answers = []
    for asked in (hidden, ref):
        with CaptureQueriesContext(connection) as queries, pytest.raises(NotFound) as refused:
            access.case_for(cast.eve, asked)
        answers.append((type(refused.value), refused.value.message, refused.value.args, len(queries)))
    assert answers[0] == answers[1]


def test_absent_and_forbidden_take_the_same_time(cast: Cast) -> None:
    hidden = submit(cast).ref

    def ask(ref: str) -> float:
        began = time.process_time()
        with pytest.raises(NotFound):
            access.case_for(cast.eve, ref)
        return time.process_time() - began

    def apart() -> float:
        """How far the medians are from each other, with each of the two asked first half of the time."""
        times: dict[str, list[float]] = {hidden: [], "ME-2222-2222": []}
        for turn in range(300):
            for ref in sorted(times, reverse=turn % 2 == 0):
                times[ref].append(ask(ref))
        return abs(median(times[hidden]) / median(times["ME-2222-2222"]) - 1)

    # A difference that is in the code is there every time; one that the machine makes is not.
    assert min(apart() for _ in range(4)) < 0.05


def test_a_reference_may_be_typed_carelessly(cast: Cast) -> None:
    case = submit(cast)
    assert access.case_for(cast.rhea, case.ref.lower().replace("-", " ")) == case


def test_the_researcher_reads_nothing_internal(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    conversation.say(case, by=cast.theo, text="Between us.", public=False)
    assignment.give(case, by=cast.theo, to=cast.mina, note="You know it better.")
    outside = timeline.entries(case, cast.rhea)
    assert all(entry.public for entry in outside)
    assert not {entry.kind for entry in outside} & {"message.internal", "rated", "assigned", "signed_off"}
    assert {"message.internal", "rated", "assigned"} <= {entry.kind for entry in timeline.entries(case, cast.theo)}
    for entry in outside:
        assert "assignee" not in entry.data
        assert getattr(entry.item, "text", None) != "Between us."


def test_the_researcher_writes_no_internal_notes(cast: Cast) -> None:
    case = submit(cast)
    with pytest.raises(NotAllowed):
        conversation.say(case, by=cast.rhea, text="Hello team", public=False)
    conversation.say(case, by=cast.rhea, text="Hello", public=True)
    assert case.acknowledged_at is None


def test_a_reproduction_is_shown_to_the_researcher_after_a_person_looked(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo)
    for viewer in (cast.rhea, cast.eve):
        with pytest.raises(NotFound):
            access.reproduction_for(viewer, link.replay_id)
    play(link.replay, vulnerable)
    with pytest.raises(NotFound):
        access.reproduction_for(cast.rhea, link.replay_id)
    assert "reproduced" not in {entry.data.get("verdict") for entry in timeline.entries(case, cast.rhea)}
    reproduction.see_first_success(case, by=cast.mina)
    assert access.reproduction_for(cast.rhea, link.replay_id).verdict == "reproduced"
    [said] = [entry for entry in timeline.entries(case, cast.rhea) if entry.sentence]
    assert said.sentence.startswith("Reproduced:")
    with pytest.raises(NotFound):
        access.reproduction_for(cast.eve, link.replay_id)
    with pytest.raises(NotFound):
        access.reproduction_for(cast.theo, uuid.uuid4())


def test_the_bearer_of_a_receipt_sees_their_case_and_no_other(cast: Cast) -> None:
    sent = intake.submit(cast.program, make_report(cast, anonymous=True))
    submit(cast)
    assert [case.pk for case in access.visible_to(sent.case.reporter)] == [sent.case.pk]


def test_staff_names_are_cut_for_the_researcher(cast: Cast) -> None:
    cast.theo.display_name = "Theodor van Lindt"
    cast.theo.save()
    case = make_case(cast, at="triaged")
    assert {entry.who for entry in timeline.entries(case, cast.rhea)} == {"rhea_k", "Theodor L."}
    assert "Theodor van Lindt" in {entry.who for entry in timeline.entries(case, cast.mina)}


def test_the_timeline_costs_the_same_however_long_it_is(cast: Cast) -> None:
    case = make_case(cast, at="triaged")

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            timeline.entries(case, cast.theo)
        return len(asked)

    cost()
    few = cost()
    for number in range(5):
        conversation.say(case, by=cast.mina, text=f"Note {number}", public=bool(number % 2))
    assert Reproduction.objects.count() == 0
    assert cost() == few


def test_who_left_the_program_sees_its_cases_no_more_also_as_owner_of_a_fix(cast: Cast) -> None:
    case = make_case(cast, at="remediating")
    assert case.owner == cast.olga
    cast.program.memberships.filter(person=cast.olga).delete()
    assert "olga" not in seen_by(cast, case.ref)
    assert access.roles_in(cast.olga, case) == frozenset()
    with pytest.raises(NotAllowed):
        conversation.say(case, by=cast.olga, text="I am still here.", public=False)


def test_a_publisher_reads_nothing_internal_of_their_own_report_before_it_is_confirmed(cast: Cast) -> None:
    case = submit(cast, by=cast.pia)
    conversation.say(case, by=cast.theo, text="Between us.", public=False)
    assert not access.sees_inside(cast.pia, case)
    assert "message.internal" not in {entry.kind for entry in timeline.entries(case, cast.pia)}


def test_a_publisher_still_sees_a_confirmed_finding_that_was_closed(cast: Cast) -> None:
    case = make_case(cast, at="confirmed")
    triage.close(case, by=cast.theo, reason="accepted_risk", words="We live with it.")
    assert "pia" in seen_by(cast, case.ref)


@pytest.mark.parametrize("who", ["aud", "finn", "eve", "ada"])
def test_a_reproducer_is_attached_by_those_at_work_and_the_researcher_only(cast: Cast, who: str) -> None:
    case = submit(cast)
    with pytest.raises(NotAllowed):
        intake.attach_reproducer(case, by=getattr(cast, who), text=REPRODUCER)
    assert case.reproducers.count() == 1


def test_an_unread_verdict_is_no_part_of_what_the_researcher_is_given(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    play(reproduction.request(case, by=cast.theo).replay, vulnerable)
    asked = next(entry for entry in timeline.entries(case, cast.rhea) if entry.kind == "replay.requested")
    assert asked.item is None
    reproduction.see_first_success(case, by=cast.mina)
    asked = next(entry for entry in timeline.entries(case, cast.rhea) if entry.kind == "replay.requested")
    assert asked.item.verdict == "reproduced"
