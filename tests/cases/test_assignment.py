"""Assignment in the database: on arrival, by hand with a note, when somebody is silent or will not view the content."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from manyeyes import events
from manyeyes.accounts import working
from manyeyes.cases import assignment, conversation, intake, people, restricted, timeline, triage
from manyeyes.cases.models import Case
from manyeyes.cases.seats import Seat
from manyeyes.events.models import Delivery
from manyeyes.programs.models import Membership
from manyeyes.programs.setup import add_member, create_program
from manyeyes.programs.targets import add_target
from manyeyes.programs.triaging import know, set_rules
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role
from manyeyes.rules.signoff import BANDS
from tests.people import REPRODUCER, Cast, make_case, make_person, make_report, submit


def seat(case: Case, discipline: str) -> Seat:
    """Who has the word for a discipline now."""
    return Seat.objects.select_related("person", "backup").get(case=case, discipline=discipline)


def join(cast: Cast, name: str, *roles: Role) -> Any:
    """One more member of the team."""
    person = make_person(name, name.capitalize())
    add_member(cast.program, person, roles)
    return person


def go_away(person: Any, by: Any, days: int = 3) -> None:
    """Away from today on."""
    today = clock.now().date()
    working.note_absence(person, by=by, first_day=today, last_day=today + timedelta(days=days), zone="UTC")


def test_a_report_names_one_for_each_discipline_with_a_backup_and_tells_them_alone(cast: Cast) -> None:
    Delivery.objects.all().delete()
    case = submit(cast)
    assert (seat(case, "security").person, seat(case, "security").backup) == (cast.theo, cast.lena)
    assert (seat(case, "ml").person, seat(case, "ml").backup) == (cast.mina, cast.lena)
    assert case.assignee == cast.theo
    assert seat(case, "ml").reasons == [
        "Mina A. takes it for ML: 0 open cases.", "Lena S. stands in, for nobody else here speaks for ML.",
    ]  # fmt: skip
    act = events.log(case.subject).get(kind="assigned.by_rule")
    assert (act.actor, act.public, act.human) == ("system", False, False)
    told = set(Delivery.objects.filter(case_ref=case.ref).values_list("person_id", flat=True))
    assert told == {cast.rhea.pk, cast.theo.pk, cast.mina.pk}
    assert events.verify_chain(case.subject) is None
    assert set(people.team(case)) == {cast.theo, cast.mina}


def test_a_program_may_assign_by_hand_alone(cast: Cast) -> None:
    set_rules(
        cast.program,
        by=cast.lena,
        sign_off=dict.fromkeys(BANDS, "two_hats"),
        independent=False,
        assigns=False,
        revision=0,
    )
    case = submit(cast)
    assert (case.assignee, Seat.objects.count()) == (None, 0)
    Delivery.objects.all().delete()
    case = submit(cast, title="Another")
    assert cast.lena.pk in set(Delivery.objects.values_list("person_id", flat=True)), "everybody who can answer is told"


def test_what_came_in_a_flood_is_assigned_when_it_is_taken_into_work(cast: Cast) -> None:
    case = intake.submit(cast.program, make_report(cast), by=cast.rhea, deferred=True).case
    assert Seat.objects.count() == 0
    conversation.say(case, by=cast.mina, text="I have read it.", public=True)
    triage.accept(Case.objects.get(pk=case.pk), by=cast.mina)
    assert seat(case, "security").person == cast.theo
    assert Case.objects.get(pk=case.pk).assignee == cast.mina


def test_load_capacity_expertise_and_absence_decide(cast: Cast) -> None:
    first = submit(cast)
    nora = join(cast, "nora", Role.SECURITY_TRIAGER)
    assert seat(submit(cast), "security").person == nora, "Theo has a case already"
    know(Membership.objects.get(person=cast.theo), classes=["HC"], targets=[str(cast.target.pk)])
    assert seat(submit(cast), "security").person == cast.theo, "knowing it comes before having time"
    working.say(cast.theo, most_cases=2)
    assert seat(submit(cast), "security").person == nora, "nobody is overloaded while somebody has room"
    go_away(nora, cast.lena)
    crowded = seat(submit(cast), "security")
    assert (crowded.person, crowded.backup) == (cast.theo, cast.lena)
    assert "Everybody able is at their capacity." in (crowded.reasons or [])
    assert "Nora is away." in (crowded.reasons or [])
    triage.close(Case.objects.get(pk=first.pk), by=cast.mina, reason="spam", words="No report.")
    assert assignment.load([cast.theo.pk])[cast.theo.pk] == 2, "what is closed weighs nothing"


def test_absences_end_with_the_day_in_their_zone(cast: Cast) -> None:
    with clock.freeze(datetime(2027, 2, 1, tzinfo=UTC)):
        working.note_absence(
            cast.theo, by=cast.theo, first_day=date(2027, 3, 1), last_day=date(2027, 3, 2), zone="Asia/Tokyo"
        )
    for at, away in (
        (datetime(2027, 2, 28, 14, 59, tzinfo=UTC), False), (datetime(2027, 2, 28, 15, 0, tzinfo=UTC), True),
        (datetime(2027, 3, 2, 14, 59, tzinfo=UTC), True), (datetime(2027, 3, 2, 15, 0, tzinfo=UTC), False),
    ):  # fmt: skip
        assert bool(working.away([cast.theo.pk], at=at)) is away, at


def test_who_reported_it_or_does_not_view_it_gets_it_nowhere(cast: Cast) -> None:
    own = submit(cast, by=cast.theo)
    assert seat(own, "security").person is None
    assert "Theo L. reported it." in (seat(own, "security").reasons or [])
    assert own.assignee == cast.mina
    with pytest.raises(NotAllowed):
        assignment.give(own, by=cast.lena, to=cast.theo, note="Yours.")
    working.say(cast.mina, declined=["iwp"])
    case = submit(cast, hazard="iwp")
    assert (seat(case, "ml").person, case.assignee) == (None, cast.theo)
    assert seat(case, "security").backup == cast.lena
    with pytest.raises(Invalid):
        assignment.take(case, by=cast.mina)
    assert cast.mina not in [one.person for one in assignment.choices(case)]


def test_a_case_that_turns_out_hazardous_leaves_whoever_does_not_view_it(cast: Cast) -> None:
    working.say(cast.theo, declined=["iwp"])
    nora = join(cast, "nora", Role.SECURITY_TRIAGER)
    know(Membership.objects.get(person=cast.theo), classes=["HC"], targets=[])
    case = submit(cast)
    assert case.assignee == cast.theo
    restricted.restrict(case, by=cast.mina, hazard="iwp")
    assert seat(case, "security").person == nora
    assert Case.objects.get(pk=case.pk).assignee in (nora, cast.mina)
    assert not restricted.may_open(cast.theo, case)
    with pytest.raises(NotAllowed) as refused:
        restricted.access_restricted(case, by=cast.theo, what="report")
    assert "do not view" in refused.value.message
    assert not events.log(case.subject).filter(kind=restricted.OPENED).exists()
    assert restricted.may_open(nora, case)


def test_a_reproducer_that_declares_a_hazard_does_the_same(cast: Cast) -> None:
    working.say(cast.theo, declined=["iwp"])
    case = submit(cast)
    assert case.assignee == cast.theo
    intake.attach_reproducer(case, by=cast.rhea, text=REPRODUCER + "hazard: iwp\n")
    now = Case.objects.get(pk=case.pk)
    assert (now.hazard, now.assignee, seat(case, "security").person) == ("iwp", cast.mina, None)


@pytest.mark.django_db
def test_one_person_runs_a_program_with_both_hats() -> None:
    ada = make_person("ada", "Ada T.")
    program = create_program(
        slug="solo", name="Solo", organisation="Larkfield", public=True,
        members={ada: [Role.PROGRAM_MANAGER, Role.SECURITY_TRIAGER, Role.ML_TRIAGER, Role.ADMIN]},
    )  # fmt: skip
    target = add_target(program, name="Solo", access="none", owner=None, in_scope="Solo")
    rhea = make_person("rhea", handle="rhea_k")
    whole = Cast(program=program, target=target, **dict.fromkeys(("v1", "v2", "v3")), **dict.fromkeys(  # type: ignore[arg-type]
        ("theo", "mina", "olga", "lena", "finn", "pia", "aud", "ada", "eve"), ada), rhea=rhea)  # fmt: skip
    case = submit(whole)
    assert (seat(case, "security").person, seat(case, "ml").person) == (ada, ada)
    assert (seat(case, "ml").backup, case.assignee) == (None, ada)
    assert assignment.backup_for(case) is None


def test_giving_a_case_needs_a_note_for_whoever_comes_next(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    nora = join(cast, "nora", Role.SECURITY_TRIAGER)
    with pytest.raises(Invalid) as refused:
        assignment.give(case, by=cast.theo, to=nora, discipline="security")
    assert set(refused.value.fields) == {"note"}
    Delivery.objects.all().delete()
    assignment.give(case, by=cast.theo, to=nora, discipline="security", note="The code changes daily: ask Olga.")
    assert (seat(case, "security").person, seat(case, "security").backup) == (nora, cast.theo)
    assert seat(case, "security").reasons is None
    assert case.assignee == nora, "the lead goes along"
    word = case.messages.get(purpose="hand_over")
    assert (word.public, word.text) == (False, "The code changes daily: ask Olga.")
    assert nora.pk in set(Delivery.objects.values_list("person_id", flat=True))
    assert cast.rhea.pk not in set(Delivery.objects.values_list("person_id", flat=True))
    for wrong in ({"to": cast.olga}, {"to": cast.mina, "discipline": "security"}, {"to": nora, "discipline": "law"}):
        with pytest.raises(Invalid):
            assignment.give(case, by=cast.lena, **{"note": "Take it.", **wrong})  # type: ignore[arg-type]
    go_away(cast.theo, cast.lena)
    with pytest.raises(Invalid):
        assignment.give(case, by=cast.lena, to=cast.theo, note="Back to you.")
    with pytest.raises(NotAllowed):
        assignment.give(case, by=cast.aud, to=cast.lena, note="Take it.")


def test_two_who_give_it_at_once_are_told_apart(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    seen = Case.objects.get(pk=case.pk)
    assignment.give(case, by=cast.theo, to=cast.lena, note="I leave.")
    with pytest.raises(Conflict) as late:
        assignment.give(seen, by=cast.mina, to=cast.mina)
    assert "Theo L." in late.value.message
    with pytest.raises(Conflict):
        triage.close(seen, by=cast.mina, reason="spam", words="Spam.")


def test_taking_a_case_takes_ones_own_seat_alone(cast: Cast) -> None:
    nora = join(cast, "nora", Role.ML_TRIAGER)
    case = submit(cast)
    taken_from = seat(case, "ml").person
    assignment.take(case, by=nora)
    assert taken_from == cast.mina
    assert (case.assignee, seat(case, "ml").person, seat(case, "security").person) == (nora, nora, cast.theo)


def test_the_backup_hears_of_silence_and_never_somebody_away(cast: Cast) -> None:
    nora = join(cast, "nora", Role.SECURITY_TRIAGER)
    case = submit(cast)
    assert case.assignee == nora, "Nora comes before Theo"
    assert assignment.backup_for(case) == cast.theo
    assert assignment.backup_for(case, "ml") == cast.lena
    go_away(cast.theo, cast.lena)
    assert assignment.backup_for(case) == cast.lena
    go_away(cast.lena, cast.lena)
    assert assignment.backup_for(case) == cast.mina
    go_away(cast.mina, cast.lena)
    assert assignment.backup_for(case) is None


def test_nothing_of_it_is_told_outside(cast: Cast) -> None:
    case = submit(cast)
    assignment.give(case, by=cast.theo, to=cast.lena, note="I leave.")
    kinds = {entry.kind for entry in timeline.entries(case, cast.rhea)}
    assert not {kind for kind in kinds if kind.startswith("assigned")}
    told = [entry for entry in timeline.entries(case, cast.mina) if entry.kind.startswith("assigned")]
    assert [entry.mentioned for entry in told] == [("Theo L.", "Mina A."), ("Lena S.",)]
