"""Alarms before and after a broken promise: who hears, in which order, each step once, whatever dies in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from manyeyes import events
from manyeyes.accounts.at_work import Absence
from manyeyes.cases import alarms, assignment, conversation, queue, remediation, timeline, triage
from manyeyes.cases.clocks import clocks
from manyeyes.cases.models import Case
from manyeyes.events.models import Delivery
from manyeyes.programs import launch
from manyeyes.programs.setup import add_member
from manyeyes.programs.triage_rules import TriageRules
from manyeyes.rules import clock
from manyeyes.rules.deadlines import Clock
from manyeyes.rules.errors import IllegalMove, Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role
from manyeyes.rules.readings import Reading
from tests.people import Cast, make_case

HOUR = timedelta(hours=1)


def heard(cast: Cast) -> dict[str, int]:
    """How many alarms wait for or went to each of the cast."""
    rows = Delivery.objects.filter(reason__in=("clock.alarm", "exploited", "harmed"))
    found = {name: rows.filter(person_id=who.pk).count() for name, who in cast.people().items() if who.pk}
    return {name: count for name, count in found.items() if count}


def steps(case: Case) -> list[tuple[str, int]]:
    rows = events.log(case.subject).filter(kind=alarms.RUNG)
    return [(row.data["clock"], row.data["step"]) for row in rows]


@contextmanager
def stage(cast: Cast, rung: str = "new", **changes: Any) -> Iterator[Case]:
    """A case of this moment that nobody was named for, and a clock that moves only when told; earlier mails are out."""
    TriageRules.objects.get_or_create(program=cast.program, defaults={"assigns": False})
    with clock.freeze(clock.now()):
        case = make_case(cast, at=rung, **changes)
        Delivery.objects.all().delete()
        yield case


def a_clock(case: Case, name: str) -> Clock:
    return next(one for one in clocks(case) if one.name == name)


def sent() -> None:
    Delivery.objects.update(sent_at=clock.now(), attempts=1)


def test_the_steps_go_up_to_the_backup_the_manager_and_the_admin(cast: Cast) -> None:
    with stage(cast) as case:
        launch.say(cast.program, item="backup", by=cast.lena, person=cast.pia)
        assignment.give(case, by=cast.mina, to=cast.theo, note="Yours.")
        sent()
        rungs = []
        for hours in (35, 1, 12, 12, 12, 30):
            clock.advance(hours * HOUR)
            rung = alarms.ring()
            case.refresh_from_db()
            rungs.append((rung, steps(case)[-1:], heard(cast)))
            sent()
            Delivery.objects.all().delete()
    assert rungs == [
        (0, [], {}),
        (1, [("first_answer", 0)], {"theo": 1}),
        (1, [("first_answer", 1)], {"theo": 1, "pia": 1}),
        (1, [("first_answer", 2)], {"theo": 1, "pia": 1, "lena": 1}),
        (1, [("first_answer", 3)], {"theo": 1, "pia": 1, "lena": 1, "ada": 1}),
        (0, [("first_answer", 3)], {}),
    ]


def test_whoever_acts_silences_it(cast: Cast) -> None:
    with stage(cast) as case:
        clock.advance(40 * HOUR)
        assert alarms.ring() == 1
        conversation.say(case, by=cast.theo, text="I have read it.", public=True)
        clock.advance(40 * HOUR)
        assert alarms.ring() == 0
        triage.ask_researcher(case, by=cast.theo, text="Which version?")
        assert case.alarm_at is None, "the researcher is waited for"
        clock.advance(900 * HOUR)
        assert alarms.ring() == 0


def test_steps_that_were_missed_are_not_caught_up(cast: Cast) -> None:
    with stage(cast) as case:
        clock.advance(100 * HOUR)
        assert alarms.ring() == 1
        assert steps(case) == [("first_answer", 3)]
        assert heard(cast)["ada"] == 1


def test_two_workers_at_once_ring_once(cast: Cast) -> None:
    with stage(cast):
        clock.advance(40 * HOUR)
        # Both have read the list before either has taken the lock.
        [mine], [theirs] = list(Case.objects.all()), list(Case.objects.all())
        assert (alarms.ring_case(mine), alarms.ring_case(theirs)) == (1, 0)
        assert heard(cast)["theo"] == 1


def test_a_worker_that_dies_within_a_step_leaves_nothing_half_done(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with stage(cast) as case:
        clock.advance(40 * HOUR)
        real, calls = events.queue_alarm, []

        def dies(*args: Any, **options: Any) -> Any:
            calls.append(args)
            if len(calls) == 2:
                raise SystemExit  # what is left of a kill in the middle: the transaction is never committed
            return real(*args, **options)

        monkeypatch.setattr(events, "queue_alarm", dies)
        with pytest.raises(SystemExit):
            alarms.ring()
        assert (steps(case), heard(cast)) == ([], {})
        monkeypatch.setattr(events, "queue_alarm", real)
        assert alarms.ring() == 1
        assert heard(cast) == {"theo": 1, "mina": 1, "lena": 1}


def test_while_everybody_is_away_the_next_ones_up_hear_at_once(cast: Cast) -> None:
    with stage(cast) as case:
        assignment.give(case, by=cast.mina, to=cast.theo, note="Yours.")
        sent()
        today = clock.now().date()
        days = {"first_day": today - timedelta(days=1), "last_day": today + timedelta(days=9)}
        Absence.objects.create(person=cast.theo, noted_by=cast.lena, **days)
        Delivery.objects.all().delete()
        clock.advance(40 * HOUR)
        alarms.ring()
        assert heard(cast) == {"theo": 1, "lena": 1}


def test_the_backup_of_a_seat_comes_before_the_one_of_the_launch(cast: Cast) -> None:
    with stage(cast) as case:
        launch.say(cast.program, item="backup", by=cast.lena, person=cast.pia)
        case.seats.create(discipline="security", person=cast.theo, backup=cast.mina, key=case.key)
        assert alarms.backups(case) == [cast.mina]
        case.seats.all().delete()
        assert alarms.backups(case) == [cast.pia]


def test_who_reported_it_hears_no_alarm_about_it(cast: Cast) -> None:
    with stage(cast, by=cast.theo):
        clock.advance(40 * HOUR)
        alarms.ring()
        assert heard(cast) == {"mina": 1, "lena": 1}


def test_a_hundred_late_cases_are_one_mail(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        first, second = make_case(cast, at="new"), make_case(cast, at="new")
        Delivery.objects.all().delete()
        clock.advance(40 * HOUR)
        assert alarms.ring() == 2
        [mail] = Delivery.objects.filter(person_id=cast.theo.pk)
        assert (mail.case_ref, mail.path) == ("", "/desk/")
        assert len(steps(first) + steps(second)) == 2
        events.deliver_due()
        mail.refresh_from_db()
        assert mail.sent_at is not None


def test_the_mail_about_several_cases_says_nothing_of_them(cast: Cast, mailoutbox: list[Any]) -> None:
    with clock.freeze(clock.now()):
        cases = [make_case(cast, at="new"), make_case(cast, at="new")]
        Delivery.objects.all().delete()
        clock.advance(40 * HOUR)
        alarms.ring()
        events.deliver_due()
    [letter] = [mail for mail in mailoutbox if mail.to == [cast.theo.email]]
    assert letter.subject == "News on your desk"
    assert "/desk/" in letter.body
    assert not any(case.ref in letter.body + letter.subject for case in cases)


def test_the_word_to_the_researcher_is_reminded_of_and_they_are_sent_nothing(cast: Cast) -> None:
    with stage(cast, rung="acknowledged") as case:
        triage.accept(case, by=cast.theo)
        sent()
        clock.advance(125 * HOUR)
        assert alarms.ring() == 0
        clock.advance(1 * HOUR)
        assert alarms.ring() == 1
        assert steps(case) == [("next_word", 0)]
        assert heard(cast) == {"theo": 1}
        assert [one for one in timeline.entries(case, cast.rhea) if one.kind == alarms.RUNG] == []
        conversation.say(case, by=cast.theo, text="We are still at it.", public=True)
        clock.advance(126 * HOUR)
        alarms.ring()
        assert steps(case)[-1] == ("next_word", 0), "a new run of the clock rings anew"


def test_exploited_now_knocks_at_once_and_starts_the_mitigation(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        case = make_case(cast, at="new", exploited_now=True)
        assert heard(cast) == {"theo": 1, "mina": 1, "lena": 1, "olga": 1}
        assert a_clock(case, "mitigation").due == clock.now() + 72 * HOUR
        assert case.acknowledged_at is None, "the researcher's own word is no answer"
        remediation.mitigated(case, by=cast.olga, words="The tool is switched off.")
        assert a_clock(case, "mitigation").done_at == clock.now()


def test_exploited_now_stands_on_top_of_the_list_until_it_is_mitigated(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        late = make_case(cast, at="new")
        clock.advance(60 * HOUR)
        new = make_case(cast, at="acknowledged", exploited_now=True)
        assert list(queue.cases(cast.theo)) == [new, late]
        assert list(queue.cases(cast.theo, view="late")) == [late]
        clock.advance(80 * HOUR)
        assert list(queue.cases(cast.theo, view="late")) == [new, late]
        remediation.mitigated(new, by=cast.olga, words="The tool is switched off.")
        assert list(queue.cases(cast.theo)) == [late, new]


def test_exploited_now_waits_in_no_tray(cast: Cast, settings: Any) -> None:
    settings.MANYEYES_PROGRAM_REPORTS_PER_HOUR = 0
    with clock.freeze(clock.now()):
        assert make_case(cast, at="new").deferred_at is not None
        Delivery.objects.all().delete()
        assert make_case(cast, at="new", exploited_now=True).deferred_at is None
        assert heard(cast)["theo"] == 1


def test_harm_in_the_real_world_knocks_at_once_waits_in_no_tray_and_stands_on_top_until_answered(
    cast: Cast, settings: Any
) -> None:
    settings.MANYEYES_PROGRAM_REPORTS_PER_HOUR = 1
    with clock.freeze(clock.now()):
        before = make_case(cast, at="new")
        clock.advance(HOUR / 2)
        Delivery.objects.all().delete()
        harmed = make_case(cast, at="new", harmed_now=True)
        assert heard(cast) == {"theo": 1, "mina": 1, "lena": 1, "olga": 1}
        assert harmed.deferred_at is None
        assert list(queue.cases(cast.theo)) == [harmed, before]
        assert all(row.note == "The team is called at once." for row in _gates_of(harmed))
        conversation.say(harmed, by=cast.theo, text="I have read it.", public=True)
        assert list(queue.cases(cast.theo)) == [before, harmed]


def _gates_of(case: Case) -> list[Reading]:
    found = [Reading(**row) for row in case.reports.get().readings or [] if row["name"] == "Harm"]
    assert found
    return found


def test_a_reopened_case_owes_its_mitigation_anew(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        case = make_case(cast, at="acknowledged", exploited_now=True)
        remediation.mitigated(case, by=cast.olga, words="The tool is switched off.")
        clock.advance(HOUR)
        triage.close(case, by=cast.theo, reason="informative", words="Nothing of ours.")
        clock.advance(HOUR)
        triage.reopen(case, by=cast.theo, words="It is ours after all.")
        assert (case.mitigated_at, a_clock(case, "mitigation").started_at) == (None, clock.now())


def test_the_kind_of_fix_is_said_by_the_team_once_it_is_confirmed(cast: Cast) -> None:
    with stage(cast, rung="confirmed") as case:
        before = a_clock(case, "fix")
        with pytest.raises(NotAllowed):
            remediation.say_kind(case, by=cast.rhea, kind="retrain")
        with pytest.raises(Invalid):
            remediation.say_kind(case, by=cast.olga, kind="wishing")
        remediation.say_kind(case, by=cast.olga, kind="retrain")
        after = a_clock(case, "fix")
        assert (after.due - after.started_at, after.started_at) == (timedelta(days=120), before.started_at)
        [entry] = [one for one in timeline.entries(case, cast.rhea) if one.kind == "fix.kind"]
        assert entry.data["fix"] == "retrain"
        assert case.status == "confirmed"
    new = make_case(cast, at="triaged")
    with pytest.raises(IllegalMove):
        remediation.say_kind(new, by=cast.olga, kind="prompt")


def test_a_case_that_waits_for_its_alarm_is_found_without_reading_the_others(cast: Cast) -> None:
    with stage(cast) as case:
        assert case.alarm_at == a_clock(case, "first_answer").warn_at
        add_member(cast.program, cast.theo, [Role.SECURITY_TRIAGER])
        triage.close(case, by=cast.theo, reason="spam", words="Nothing in it.")
        assert case.alarm_at is None
