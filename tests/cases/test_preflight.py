"""Tried on arrival: what starts and what does not and why; and that a count of ours decides nothing for anybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from manyeyes import events
from manyeyes.cases import clocks, facts, intake, lists, preflight, reproducers, reproduction, timeline, triage
from manyeyes.cases.arrived import Preflight
from manyeyes.cases.models import Case, Reproduction
from manyeyes.events.models import Delivery
from manyeyes.programs.models import TargetVersion
from manyeyes.programs.permitted import Permit
from manyeyes.programs.preflight import set_rules
from manyeyes.programs.targets import grant
from manyeyes.replays import queue
from manyeyes.replays.models import Replay
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.runs.document import PlanDocument
from tests.people import REPRODUCER, Cast, make_report, play, submit, vulnerable

pytestmark = pytest.mark.django_db


def row_of(case: Case) -> Preflight:
    return Preflight.objects.filter(case=case).order_by("-at")[0]


def decided(case: Case) -> Preflight:
    while preflight.decide_next():
        pass
    return row_of(case)


def kinds_on_record(case: Case) -> list[str]:
    return [event.kind for event in events.log(case.subject)]


def test_a_text_against_the_sandbox_is_tried_a_few_times_at_its_rated_setting(cast: Cast) -> None:
    case = submit(cast)
    assert row_of(case).state == "waiting"
    row = decided(case)
    assert (row.state, row.calls) == ("running", 16)  # a few are set aside for calls that fail
    assert row.reproduction is not None
    replay = row.reproduction.replay
    document = PlanDocument.from_json(replay.document)
    assert (replay.question, replay.main_version, replay.requested_by) == ("score", cast.v1, None)
    assert [fixed.n for fixed in document.plan.score] == [12]
    assert document.caps.max_calls == 16
    play(replay, vulnerable)
    row.refresh_from_db()
    assert (row.state, row.n, row.calls) == ("tried", 12, 12)
    assert row.k is not None
    assert row.k >= 6
    shown = preflight.tried([case])[case.pk]
    assert (shown.worked, shown.k, shown.n) == (True, row.k, 12)
    assert shown.words.startswith(f"{row.k} of 12 (")
    assert kinds_on_record(case) == ["report.received", "assigned.by_rule", "preflight.started", "preflight.tried"]


def test_it_decides_nothing_answers_nobody_and_stays_inside(cast: Cast) -> None:
    case = submit(cast)
    mails, before = Delivery.objects.count(), [one.due for one in clocks.clocks(case)]
    play(decided(case).reproduction.replay, vulnerable)  # type: ignore[union-attr]
    case.refresh_from_db()
    assert (case.status, case.acknowledged_at, case.first_success_seen_at) == ("new", None, None)
    first = next(one for one in clocks.clocks(case) if one.name == "first_answer")
    assert (first.done_at, first.running) == (None, True)
    assert [one.due for one in clocks.clocks(case)] == before
    assert not facts.facts_of(case).reproduced
    assert Delivery.objects.count() == mails
    assert [entry.kind for entry in timeline.entries(case, cast.rhea)] == ["report.received"]
    assert preflight.told(case) is None
    assert Reproduction.objects.get(case=case).published_at is None


def test_only_where_the_program_says_so_does_the_researcher_read_the_count(cast: Cast) -> None:
    set_rules(cast.program, by=cast.lena, tells_researcher=True)
    case = submit(cast)
    play(decided(case).reproduction.replay, vulnerable)  # type: ignore[union-attr]
    told = preflight.told(case)
    assert told is not None
    assert (told.n, told.replay_id, told.reasons) == (12, None, ())
    (_, entry) = timeline.entries(case, cast.rhea)
    assert set(entry.data) == {"k", "n"}
    refused = submit(cast, reproducer="")
    assert preflight.told(refused) is None


REFUSED: dict[str, tuple[Callable[[Cast], Any], dict[str, Any], str, str]] = {
    "no permit": (lambda cast: Permit.objects.all().delete(), {}, "not_permitted", "Nobody has recorded a permit"),
    "staging": (
        lambda cast: grant(cast.target, by=cast.lena, operator="L", basis="own", environment="staging"),
        {}, "not_permitted", "in a sandbox only; the permit is for staging",
    ),
    "production without approval": (
        lambda cast: grant(cast.target, by=cast.lena, operator="L", basis="own", environment="production"),
        {}, "not_permitted", "nobody has approved attacks on it",
    ),
    "over the permit's day": (
        lambda cast: Permit.objects.update(calls_per_day=11),
        {}, "over_budget", "allows 11 calls a day; 11 are left and 16 are asked for",
    ),
    "over the program's day": (
        lambda cast: set_rules(cast.program, by=cast.lena, calls_per_day=11),
        {}, "over_budget", "The budget of the program is 11 calls a day",
    ),
    "over the reporter's day": (
        lambda cast: set_rules(cast.program, by=cast.lena, calls_per_reporter=3),
        {}, "over_budget", "The budget of one reporter is 3 calls a day",
    ),
    "a forbidden hazard class": (
        lambda cast: None, {"reproducer": REPRODUCER + "hazard: iwp\n"}, "not_runnable", "never tried without a person",
    ),
    "effects that stay": (
        lambda cast: None, {"reproducer": REPRODUCER.replace("effects: none", "effects: irreversible")},
        "not_runnable", "cannot be undone",
    ),
    "a person has to judge": (
        lambda cast: None, {"reproducer": REPRODUCER.replace('{canary: "BLUE-HERON-42"}', '{human: "Is it there?"}')},
        "not_runnable", "A person has to say",
    ),
    "no reproducer": (lambda cast: None, {"reproducer": ""}, "not_runnable", "no reproducer that a machine could try"),
    "switched off": (lambda cast: set_rules(cast.program, by=cast.lena, on=False), {}, "off", "does not try reports"),
    "no API": (
        lambda cast: type(cast.target).objects.update(access="manual"), {}, "not_permitted", "has no API",
    ),
    "no version": (
        lambda cast: TargetVersion.objects.update(endpoint_url=""), {}, "not_permitted", "registered with an address",
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_may_not_be_tried_does_not_start_and_says_why(cast: Cast, why: str) -> None:
    arrange, changes, kind, words = REFUSED[why]
    arrange(cast)
    case = submit(cast, **changes)
    row = decided(case)
    assert not Replay.objects.exists()
    assert (row.state, row.reproduction, row.calls) == ("not_tried", None, 0)
    assert kind in row.kinds
    assert any(words in one for one in row.reasons)
    assert preflight.tried([case])[case.pk].words.startswith("not tried: ")
    if why != "no reproducer":  # nothing was asked for, so there is nothing to put on record
        last = events.log(case.subject).last()
        assert last is not None
        assert (last.kind, last.public, last.human, kind in last.data["why"]) == (
            "preflight.not_tried", False, False, True,
        )  # fmt: skip
    case.refresh_from_db()
    assert case.status == "new"


def test_a_day_takes_no_more_than_its_budget_and_the_next_day_begins_anew(cast: Cast) -> None:
    set_rules(cast.program, by=cast.lena, calls_per_day=34, calls_per_reporter=None)
    with clock.freeze(clock.now().replace(hour=9)):
        rows = [decided(submit(cast)) for _ in range(3)]
        assert [row.state for row in rows] == ["running", "running", "not_tried"]
        for row in rows[:2]:
            assert row.reproduction is not None
            play(row.reproduction.replay, vulnerable)
        assert decided(submit(cast)).kinds == ["over_budget"]
    with clock.freeze(clock.now().replace(hour=9) + timedelta(days=1)):
        assert decided(submit(cast)).state == "running"


def test_a_flood_without_accounts_leaves_half_of_the_day_to_people_with_one(cast: Cast) -> None:
    set_rules(cast.program, by=cast.lena, calls_per_day=64)
    anonymous = [intake.submit(cast.program, make_report(cast, anonymous=True), by=None).case for _ in range(4)]
    states = [decided(case).state for case in anonymous]
    assert states == ["running", "running", "not_tried", "not_tried"]
    assert "reports without an account is 32 calls" in " ".join(row_of(anonymous[2]).reasons)
    assert decided(submit(cast)).state == "running"


def test_tokens_and_money_are_set_aside_counted_and_capped(cast: Cast) -> None:
    TargetVersion.objects.update(price_in=100.0, price_out=1000.0, currency="EUR")
    set_rules(cast.program, by=cast.lena, tokens_per_day=2_000, money_per_day=1.0)
    row = decided(submit(cast))
    assert row.state == "running"
    assert 48 * 12 < row.tokens < 1_000
    assert 0.5 < row.money < 1.0
    assert row.reproduction is not None
    caps = PlanDocument.from_json(row.reproduction.replay.document).caps
    assert (caps.max_calls, caps.max_tokens, caps.max_cost) == (16, row.tokens, row.money)
    assert decided(submit(cast)).kinds == ["over_budget"]  # what is set aside counts
    play(row.reproduction.replay, vulnerable)
    row.refresh_from_db()
    assert (row.tokens, round(row.money, 4)) == (12 * 32, round(12 * (20 * 100 + 12 * 1000) / 1e6, 4))
    assert decided(submit(cast)).state == "running"  # what was taken counts from then on


def test_a_budget_in_money_needs_a_price(cast: Cast) -> None:
    set_rules(cast.program, by=cast.lena, money_per_reporter=5.0)
    assert "price of this version is not known" in decided(submit(cast)).reasons[0]


def test_what_people_decided_meanwhile_is_not_tried(cast: Cast) -> None:
    case = submit(cast)
    triage.withdraw(case, by=cast.rhea)
    row = decided(case)
    assert (row.kinds, Replay.objects.count()) == (["moot"], 0)


def test_deciding_twice_queues_one_replay(cast: Cast) -> None:
    case = submit(cast)
    stale = row_of(case)
    preflight.decide(row_of(case))
    again = preflight.decide(stale)
    assert (again.state, Replay.objects.count()) == ("running", 1)
    assert kinds_on_record(case).count("preflight.started") == 1


def test_concluding_twice_counts_once(cast: Cast) -> None:
    case = submit(cast)
    replay = play(decided(case).reproduction.replay, vulnerable)  # type: ignore[union-attr]
    preflight.conclude(replay)
    assert kinds_on_record(case).count("preflight.tried") == 1


def test_a_fault_of_ours_leaves_the_report_to_people_and_holds_up_nobody(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = submit(cast)
    with monkeypatch.context() as broken:
        broken.setattr(preflight.tryout, "planned", lambda *a: 1 / 0)
        for _ in range(preflight.MOST_TRIES):
            assert preflight.decide_next()
        assert not preflight.decide_next()
    row = row_of(case)
    assert (row.state, row.kinds) == ("not_tried", ["failed"])
    assert "ZeroDivisionError" in row.reasons[0]
    assert decided(submit(cast)).state == "running"


def test_a_replay_that_stops_is_told_and_may_still_come_to_its_end(cast: Cast) -> None:
    case = submit(cast)
    row = decided(case)
    assert row.reproduction is not None
    queue.pause(row.reproduction.replay)
    preflight.settle_stopped()
    preflight.settle_stopped()
    row.refresh_from_db()
    assert (row.state, row.calls, row.reasons) == ("stopped", 0, ["Somebody of the team paused it."])
    assert kinds_on_record(case).count("preflight.stopped") == 1
    assert preflight.tried([case])[case.pk].words == "stopped before its end"
    queue.resume(row.reproduction.replay)
    play(row.reproduction.replay, vulnerable)
    row.refresh_from_db()
    assert (row.state, row.n, row.reasons) == ("tried", 12, [])


def test_what_came_in_a_flood_waits_behind_the_rest_and_people_come_before_both(cast: Cast) -> None:
    late, early = submit(cast), submit(cast)
    Case.objects.filter(pk=late.pk).update(deferred_at=clock.now())
    assert preflight.decide_next()
    assert (row_of(early).state, row_of(late).state) == ("running", "waiting")
    asked = reproduction.request(late, by=cast.theo, version=cast.v1)
    lease = queue.claim("tests")
    assert lease is not None
    assert lease.replay_id == asked.replay_id


def test_a_better_reproducer_of_the_researcher_is_tried_too_and_the_newest_counts(cast: Cast) -> None:
    case = submit(cast, reproducer="")
    assert decided(case).kinds == ["not_runnable"]
    reproducers.attach_reproducer(case, by=cast.rhea, text=REPRODUCER)
    assert decided(case).state == "running"
    assert preflight.tried([case])[case.pk].state == "running"
    reproducers.attach_reproducer(case, by=cast.theo, text=REPRODUCER)
    assert Preflight.objects.filter(case=case).count() == 2


def test_the_queue_sorts_by_what_was_seen_and_narrows_to_it(cast: Cast) -> None:
    never, often, waiting, nothing = submit(cast), submit(cast), submit(cast), submit(cast, reproducer="")
    play(_decide_only(never), lambda trial, part: False)
    play(_decide_only(often), vulnerable)
    every = Case.objects.filter(program=cast.program)
    assert lists.cases(cast.theo, sort="tried")[0] == often
    found = {
        name: {case.pk for case in lists.cases(cast.theo, facets=lists.Facets(arrival=name))}
        for name in preflight.FACETS
    }
    assert lists.cases(cast.theo, facets=lists.Facets(arrival="nonsense")).count() == every.count()
    assert found["worked"] == {often.pk}
    assert found["did_not"] == {never.pk}
    assert found["not_tried"] == {nothing.pk}
    assert found["waits"] == {waiting.pk}
    assert preflight.tried([never])[never.pk].worked is False


def _decide_only(case: Case) -> Replay:
    row = preflight.decide(row_of(case))
    assert row.reproduction is not None
    return row.reproduction.replay


def test_the_facts_of_many_cases_cost_one_query(cast: Cast) -> None:
    cases = [submit(cast) for _ in range(4)]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert len(preflight.tried(cases)) == 4
    assert len(asked) == 1


def test_rules_are_changed_by_the_manager_and_checked(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        set_rules(cast.program, by=cast.theo, on=False)
    with pytest.raises(Invalid) as wrong:
        set_rules(cast.program, by=cast.lena, trials=31, calls_per_day=-1, colour="red")
    assert set(wrong.value.fields) == {"trials", "calls_per_day", "colour"}
    row = set_rules(cast.program, by=cast.lena, trials=5, calls_per_day=None)
    assert (row.trials, row.calls_per_day, row.changed_by) == (5, None, cast.lena)
    assert events.log(f"program:{cast.program.pk}").filter(kind="preflight.rules_set").count() == 1
    assert decided(submit(cast)).calls == 5 + 4
