"""The record after the whole path: chains hold, tampering is found by the command, figures equal a recount."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Model, QuerySet

from manyeyes import events
from manyeyes.cases import conversation, intake
from manyeyes.cases.models import Case
from manyeyes.commands import check
from manyeyes.events.models import Event, Head
from manyeyes.publications.figures import first_responses
from manyeyes.replays.models import Replay
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict
from tests import people
from tests.journeys.site import Stage, Visitor, ok, report
from tests.journeys.test_path import publish, to_confirmed, to_resolved


def problems(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What `manyeyes check` has to say about the chains."""
    capsys.readouterr()
    check.run(argparse.Namespace(quiet=True, program=""))
    return [line for line in capsys.readouterr().err.splitlines() if "event chains" in line]


def test_the_whole_path_is_on_record_and_the_chain_holds(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    rhea = stage.at("rhea")
    stage.ref = report(rhea, stage.cast).data["data-case"]
    to_confirmed(stage, rhea)
    to_resolved(stage, rhea)
    publish(stage, rhea, mode="handle")
    case = Case.objects.get(ref=stage.ref)
    rows = list(events.log(case.subject))
    kinds = [row.kind for row in rows]
    expected = [
        "report.received", "message.public", "move.accept", "move.ask_researcher", "move.answer", "replay.requested",
        "replay.concluded", "first_success.seen", "move.confirm", "move.start_fix", "move.deploy_fix",
        "move.request_verification", "move.fix_refuted", "move.deploy_fix", "move.request_verification",
        "move.resolve", "credit.chosen", "advisory.published",
    ]  # fmt: skip
    places, start = [], 0
    for kind in expected:
        assert kind in kinds[start:], f"{kind} is missing after {kinds[:start]}"
        start = kinds.index(kind, start) + 1
        places.append(start)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert events.verify_chain(case.subject) is None
    assert problems(capsys) == []
    machine = {row.kind for row in rows if row.actor == "system"}
    ours = {"replay.concluded", "move.fix_refuted", "verification.concluded", "assigned.by_rule", "preflight.not_tried"}
    assert machine <= ours, machine
    assert not any(row.human for row in rows if row.actor == "system")
    _counts_equal(stage, case, rhea)


def _counts_equal(stage: Stage, case: Case, rhea: Visitor) -> None:
    """What pages count is what the record holds."""
    shown = ok(rhea.get(f"/my/{case.ref}/")).text.count('<article class="message"')
    told = events.log(case.subject).filter(public=True, kind__in=("report.received", "message.public", "move.answer",
                                                                  "move.ask_researcher"))  # fmt: skip
    assert shown == told.count()
    for replay in Replay.objects.all():
        page = ok(stage.at("theo").get(f"/desk/replays/{replay.pk}/"))
        assert replay.calls == replay.trials.count()
        assert re.search(rf"\b{replay.n}\b", page.words)
        main = list(replay.trials.filter(stream="main").order_by("index"))[: replay.n or 0]
        assert len(main) == replay.n
        assert sum(row.outcome == "success" for row in main) == replay.k


def changed(subject: str) -> dict[str, Callable[[], Any]]:
    """The ways in which somebody with the database in hand would change history."""
    log: QuerySet[Event] = QuerySet(Event).filter(subject=subject).order_by("seq")  # one that lets itself be changed
    second, last = log[1], log.reverse()[0]

    def remove(which: str, value: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM events_event WHERE subject = %s AND {which}", [subject, value])
        return 0

    return {
        "kind": lambda: log.filter(pk=second.pk).update(kind="spam"),
        "time": lambda: log.filter(pk=second.pk).update(at=second.at - timedelta(hours=30)),
        "actor": lambda: log.filter(pk=second.pk).update(actor=f"person:{UUID(int=0)}"),
        "human": lambda: log.filter(pk=second.pk).update(human=not second.human),
        "public": lambda: log.filter(pk=second.pk).update(public=not second.public),
        "body": lambda: log.filter(pk=second.pk).update(body='{"n":1}'),
        "commitment": lambda: log.filter(pk=second.pk).update(commitment="00:00"),
        "one removed": lambda: remove("seq = %s", second.seq),
        "the last removed": lambda: remove("seq = %s", last.seq),
        "the last removed with its head": lambda: (
            remove("seq = %s", last.seq) or Head.objects.filter(subject=subject).update(seq=last.seq - 1)
        ),
        "all removed": lambda: remove("seq > %s", 0),
        "the head removed": lambda: Head.objects.filter(subject=subject).delete(),
    }


TAMPERED = (
    "kind", "time", "actor", "human", "public", "body", "commitment", "one removed", "the last removed",
    "the last removed with its head", "all removed", "the head removed",
)  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_found(cast: people.Cast, capsys: pytest.CaptureFixture[str], how: str) -> None:
    case, other = people.make_case(cast, at="confirmed"), people.make_case(cast, at="triaged")
    assert problems(capsys) == []
    changed(case.subject)[how]()
    found = problems(capsys)
    assert len(found) == 1, found
    assert case.subject in found[0]
    assert other.subject not in found[0]


def test_an_event_moved_to_another_case_is_found_in_both(cast: people.Cast, capsys: pytest.CaptureFixture[str]) -> None:
    case, other = people.make_case(cast, at="confirmed"), people.make_case(cast, at="triaged")
    last = events.log(case.subject).reverse()[0]
    QuerySet(Event).filter(pk=last.pk).update(subject=other.subject, seq=events.log(other.subject).count() + 1)
    found = problems(capsys)
    assert all(any(subject in line for line in found) for subject in (case.subject, other.subject)), found


def test_a_changed_report_no_longer_matches_its_first_event(cast: people.Cast) -> None:
    case = people.make_case(cast, at="triaged")
    assert intake.report_is_as_sent(case)
    row = case.reports.get()
    row.happened = "Something else."
    with pytest.raises(Conflict):
        row.save()
    Model.save(row)  # as somebody would who goes around us
    assert not intake.report_is_as_sent(Case.objects.get(pk=case.pk))


@pytest.fixture
def hours() -> Any:
    """Moves the clock forward from now."""
    start = clock.now() - timedelta(hours=100)

    def at(hour: float) -> Any:
        return clock.freeze(start + timedelta(hours=hour))

    return at


def test_first_answers_on_the_page_equal_a_recount_of_the_log(cast: people.Cast, hours: Any) -> None:
    """Reports answered after 3, 20 and 60 hours, one not at all; the answers of the machine count for nothing."""
    cast.program.first_response_hours = 48
    cast.program.save()
    cases = []
    for answered in (3.0, 20.0, 60.0, None):
        with hours(0):
            case = people.submit(cast, title=f"After {answered}")
            conversation.say(case, by=cast.rhea, text="One thing more.", public=True)
            conversation.say(case, by=cast.theo, text="A note inside.", public=False)
        if answered is not None:
            with hours(answered):
                conversation.say(case, by=cast.theo, text="I have read it.", public=True)
        cases.append(case)
    recounted = []
    for case in cases:
        log = list(events.log(case.subject))
        answers = [row for row in log if row.human and row.public and row.actor == cast.theo.actor]
        recounted += [(answers[0].at - log[0].at) / timedelta(hours=1)] if answers else []
    figures = first_responses(cast.program)
    assert [round(hour) for hour in figures.hours] == [3, 20, 60]
    assert list(figures.hours) == sorted(recounted)
    assert (figures.reports, figures.count, figures.in_time, figures.late, figures.waiting) == (4, 3, 2, 2, 0)
    page = ok(Visitor().get(f"/p/{cast.program.slug}/"))
    assert re.search(r"\b2 of (the )?(last )?(3|4)\b", page.words), page.words
    assert "20" in page.words
