"""The one door: every status, move and role; what is written together; two people at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from manyeyes import events
from manyeyes.cases import conversation, triage
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting, moving
from manyeyes.events.models import Delivery, Event
from manyeyes.rules.errors import Conflict, IllegalMove, NotAllowed
from manyeyes.rules.lifecycle import MOVES, Role, Status
from tests.people import Cast, make_case, make_cast, submit

GIVEN = ("reason_given", "fix_version")


def actors(cast: Cast) -> dict[Role, Any]:
    """One person for each role; nobody for the platform."""
    return {
        Role.REPORTER: cast.rhea, Role.SECURITY_TRIAGER: cast.theo, Role.ML_TRIAGER: cast.mina,
        Role.TARGET_OWNER: cast.olga, Role.PROGRAM_MANAGER: cast.lena, Role.FINANCE: cast.finn,
        Role.PUBLISHER: cast.pia, Role.AUDITOR: cast.aud, Role.ADMIN: cast.ada, Role.SYSTEM: None,
    }  # fmt: skip


def attempt(case: Case, status: Status, move: str, by: Any) -> str:
    """What came of a move from this status: the new status, or the name of the refusal. Leaves no trace."""
    with transaction.atomic():
        mark = transaction.savepoint()
        Case.objects.filter(pk=case.pk).update(status=status)
        row = Case.objects.get(pk=case.pk)
        try:
            with moving(row, move, by=by, given=GIVEN):
                pass
            return str(Case.objects.get(pk=case.pk).status)
        except (IllegalMove, NotAllowed) as refused:
            return type(refused).__name__
        finally:
            transaction.savepoint_rollback(mark)


def test_every_status_move_and_role_as_the_table_says(cast: Cast) -> None:
    ready, bare = make_case(cast, at="resolved"), submit(cast)
    for role, by in actors(cast).items():
        for status in Status:
            for move in MOVES.values():
                legal = role in move.roles and status in move.sources
                expected = "NotAllowed" if role not in move.roles else "IllegalMove"
                if legal:
                    expected = str(move.target or Status.NEW)
                assert attempt(ready, status, move.name, by) == expected, (role, status, move.name)
                if legal and set(move.demands) - set(GIVEN):
                    assert attempt(bare, status, move.name, by) == "IllegalMove", (role, status, move.name)


def test_outsiders_move_nothing(cast: Cast) -> None:
    case = make_case(cast, at="resolved")
    for status in Status:
        for name in MOVES:
            assert attempt(case, status, name, cast.eve) == "NotAllowed"


def test_an_answer_leads_back_to_where_the_question_was_asked(cast: Cast) -> None:
    for rung in ("acknowledged", "triaged"):
        case = make_case(cast, at=rung)
        before = case.status
        triage.ask_researcher(case, by=cast.theo, text="Which browser?")
        assert case.status == "needs_info"
        triage.answer(case, by=cast.rhea, text="None, I used the API.")
        assert case.status == before


def test_status_event_and_mail_are_written_together_or_not_at_all(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    before = (Event.objects.count(), Delivery.objects.count())

    def breaks() -> None:
        with moving(case, "accept", by=cast.mina, tell=[cast.rhea]) as row:
            row.assignee = cast.mina
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks()
    assert (Event.objects.count(), Delivery.objects.count()) == before
    fresh = Case.objects.get(pk=case.pk)
    assert (fresh.status, fresh.assignee) == ("new", cast.theo)


def test_the_callers_object_shows_what_was_written(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    title = case.title
    triage.accept(case, by=cast.theo)
    assert (case.status, case.assignee, case.title) == ("triaged", cast.theo, title)
    assert case.changed_by == cast.theo


def test_a_stale_view_is_a_conflict_that_names_who_was_first(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    seen = Case.objects.get(pk=case.pk)
    triage.accept(case, by=cast.mina)
    with pytest.raises(Conflict) as refused:
        triage.accept(seen, by=cast.theo)
    assert "Mina A." in refused.value.message
    with pytest.raises(Conflict):
        triage.close(case, by=cast.theo, reason="spam", words="Spam.", expected_version=seen.version)


@pytest.mark.django_db(transaction=True)
def test_of_two_people_at_once_one_wins_and_the_other_learns_who() -> None:
    cast = make_cast()
    case = make_case(cast, at="acknowledged")
    together, came = threading.Barrier(2), []

    def go(verb: Any) -> None:
        try:
            seen = Case.objects.get(pk=case.pk)
            together.wait(60)
            verb(seen)
            came.append("done")
        except Conflict:
            came.append("conflict")
        finally:
            connection.close()

    verbs = [
        lambda seen: triage.accept(seen, by=cast.theo),
        lambda seen: triage.close(seen, by=cast.mina, reason="informative", words="Known behaviour."),
    ]
    threads = [threading.Thread(target=go, args=(verb,)) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(came) == ["conflict", "done"]
    case.refresh_from_db()
    assert case.version == 2
    assert events.verify_chain(case.subject) is None


def test_nobody_is_mailed_about_their_own_act_and_mails_hold_a_link_only(cast: Cast) -> None:
    case = make_case(cast, at="resolved")
    by_reason: dict[str, set[Any]] = {}
    for mail in Delivery.objects.filter(case_ref=case.ref):
        by_reason.setdefault(mail.reason, set()).add(mail.person_id)
        assert mail.path in (f"/my/{case.ref}/", f"/desk/cases/{case.ref}/")
        assert (mail.path.startswith("/my/")) == (mail.person_id == cast.rhea.pk)
    assert cast.theo.pk not in by_reason["move.accept"]
    assert cast.rhea.pk in by_reason["report.received"], "the receipt of a report is the one mail about one's own act"
    assert cast.rhea.pk not in by_reason["retest.reported"]
    assert by_reason["move.resolve"] == {cast.rhea.pk, cast.olga.pk, cast.mina.pk}
    assert not {cast.finn.pk, cast.eve.pk} & set().union(*by_reason.values())


def test_internal_words_are_mailed_to_the_team_only(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    Delivery.objects.all().delete()
    conversation.say(case, by=cast.mina, text="I doubt it.", public=False)
    assert {mail.person_id for mail in Delivery.objects.all()} == {cast.theo.pk}


def test_an_act_of_another_role_is_refused_and_leaves_nothing(cast: Cast) -> None:
    case = submit(cast)
    before = Event.objects.count()
    with pytest.raises(NotAllowed), acting(case, "assigned", by=cast.eve, allowed={Role.SECURITY_TRIAGER}) as row:
        row.assignee = cast.eve
    assert Event.objects.count() == before
    assert Case.objects.get(pk=case.pk).assignee == cast.theo


def test_no_event_holds_text_of_the_case(cast: Cast) -> None:
    case = make_case(cast, at="resolved", happened="MARKER-7719 happened", steps="say MARKER-7719 twice please")
    conversation.say(case, by=cast.theo, text="MARKER-7719 noted", public=True)
    for event in events.log(case.subject):
        assert "MARKER" not in event.body


def test_events_vouch_for_what_was_said(cast: Cast) -> None:
    case = submit(cast)
    conversation.say(case, by=cast.theo, text="We look into it.", public=True)
    event = events.log(case.subject).get(kind="message.public")
    assert events.matches(event.commitment, case.key, "We look into it.")
    assert not events.matches(event.commitment, case.key, "We do not look into it.")
