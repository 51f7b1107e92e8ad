"""The queue: what each case waits for, the filters, and what a list costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.test.utils import CaptureQueriesContext

from manyeyes.cases import queue, reproduction, severity, triage
from manyeyes.replays import queue as replays
from manyeyes.rules import clock
from tests.people import LETTERS, REASONS, Cast, agree, make_case, submit


@pytest.mark.parametrize(
    ("rung", "group", "todo"),
    [
        ("new", "answer", "a first answer"),
        ("acknowledged", "team", "a decision to take it into work"),
        ("triaged", "team", "a replay"),
        ("reproduced", "team", "a severity rating"),
        ("rated", "team", "security sign-off and ML sign-off"),
        ("signed", "team", "confirmation"),
        ("confirmed", "team", "an owner for the fix"),
        ("remediating", "wait", "the fix"),
        ("fix_deployed", "team", "a verification of the fix"),
        ("retesting", "wait", "the verification"),
        ("holds", "wait", "the researcher's retest"),
        ("agreed", "team", "resolution"),
        ("resolved", "ended", "nothing"),
    ],
)
def test_each_row_says_what_it_waits_for(cast: Cast, rung: str, group: str, todo: str) -> None:
    case = make_case(cast, at=rung)
    view = "ended" if rung == "resolved" else "all"
    [row] = queue.rows(queue.cases(cast.theo, view=view))
    assert (row.case.pk, row.group, row.todo) == (case.pk, group, todo)


def test_the_filters_hold_what_they_say(cast: Cast) -> None:
    fresh = submit(cast)
    rated = make_case(cast, at="rated")
    agree(rated, cast.theo, "security")
    asked = make_case(cast, at="triaged")
    triage.ask_researcher(asked, by=cast.theo, text="Which version?")

    def held(viewer: object, view: str) -> set[str]:
        return {case.ref for case in queue.cases(viewer, view=view)}

    assert held(cast.theo, "unanswered") == {fresh.ref}
    assert held(cast.theo, "needs_me") == set()
    assert held(cast.mina, "needs_me") == {rated.ref}
    assert held(cast.theo, "mine") == {fresh.ref, rated.ref, asked.ref}
    assert held(cast.theo, "waiting") == {asked.ref}
    assert held(cast.theo, "all") == {fresh.ref, rated.ref, asked.ref}
    assert held(cast.eve, "all") == set()
    assert held(cast.rhea, "all") == set(), "a researcher has no desk"
    assert queue.counts(cast.theo)["all"] == 3


def test_late_cases_are_found_when_their_promise_has_passed(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        case = submit(cast)
        clock.advance(timedelta(hours=47, minutes=59))
        assert not queue.cases(cast.theo, view="late").exists()
        clock.advance(timedelta(minutes=2))
        [row] = queue.rows(queue.cases(cast.theo, view="late"))
        assert row.case.pk == case.pk
        assert row.clock is not None
        assert row.clock.late


def test_a_finished_replay_puts_the_case_into_its_list(cast: Cast) -> None:
    case = make_case(cast, at="holds")
    assert [row.case.pk for row in queue.rows(queue.cases(cast.theo, view="replay_finished"))] == [case.pk]
    [row] = queue.rows(queue.cases(cast.theo))
    assert row.replay is not None
    assert row.replay.purpose == "verification"
    assert row.claim == (7, 10)
    assert row.score is not None
    assert row.score.sec_band == "Critical"


def test_a_list_costs_the_same_number_of_queries_however_long_it_is(cast: Cast) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            for row in queue.rows(queue.cases(cast.theo)[:50]):
                assert row.case.title
        return len(asked)

    make_case(cast, at="holds")
    submit(cast)
    few = cost()
    for rung in ("new", "triaged", "rated", "remediating", "holds"):
        make_case(cast, at=rung)
    assert cost() == few


def test_a_new_rating_asks_both_disciplines_again(cast: Cast) -> None:
    case = make_case(cast, at="signed")
    assert not queue.cases(cast.mina, view="needs_me").exists()
    severity.rate(
        case, by=cast.mina, letters={**LETTERS, "DX": "M"}, reasons=REASONS, why="It tells less than we thought."
    )
    assert queue.cases(cast.mina, view="needs_me").get() == case


def test_a_desk_pages_through_its_rows_and_counts_every_view(cast: Cast) -> None:
    refs = [submit(cast).ref for _ in range(5)]
    desk = queue.desk(cast.theo, view="nonsense")
    pages = Paginator(desk.rows, 2)
    assert pages.num_pages == 3
    assert [row.case.ref for page in pages for row in page] == refs, "the oldest promise ends first"
    assert desk.rows[0].case.ref == refs[0]
    assert {name: count for name, _, count in desk.tabs}["unanswered"] == 5
    assert desk.next_due == desk.rows[0].case.due_at


def test_a_desk_is_searched_by_what_lies_in_the_clear(cast: Cast) -> None:
    case, other = submit(cast), submit(cast, by=cast.eve)
    for text in (case.ref[:7].lower(), case.ref[3:].lower().replace("-", " "), case.ref[-4:], "rhea_k"):
        assert [row.case.ref for row in queue.desk(cast.theo, search=text).rows] == [case.ref]
    assert len(queue.desk(cast.theo, search="wick\x00et").rows) == 2
    assert [row.case.ref for row in queue.desk(cast.theo, search="eve").rows] == [other.ref]
    assert len(queue.desk(cast.theo, search="hc").rows) == 2
    assert len(queue.desk(cast.theo, search="assistant tells").rows) == 0, "titles are encrypted"


def test_a_cancelled_replay_asks_for_another(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo)
    [row] = queue.rows(queue.cases(cast.theo))
    assert (row.group, row.todo) == ("wait", "the replay")
    replays.cancel(link.replay)
    [row] = queue.rows(queue.cases(cast.theo))
    assert (row.group, row.todo) == ("team", "a replay")
