"""The worker, in this process: verdicts, pauses with a reason, wishes, and an orderly end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.template.loader import render_to_string

from manyeyes import worker
from manyeyes.engine import drive
from manyeyes.replays import evidence, queue
from manyeyes.replays.models import Replay
from manyeyes.reproducer.load import load_text
from manyeyes.runs.document import Caps, PlanDocument, TargetInfo
from manyeyes.runs.prepare import Options, prepare
from tests.replays.making import REPRODUCER, plan, queued, version_at
from tests.worker.scripted import ScriptedTarget, leaks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target() -> Iterator[ScriptedTarget]:
    with ScriptedTarget(rate=0.5) as server:
        yield server


def work(*, until: Callable[[], bool] | None = None) -> None:
    """Work until nothing waits, or until a condition holds; then end in order."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.work, args=(stop,), kwargs={"once": until is None})
    thread.start()
    end = time.monotonic() + 20
    while thread.is_alive() and time.monotonic() < end and not (until and until()):
        time.sleep(0.02)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def expected(document: PlanDocument, rate: float) -> Any:
    def fn(trial: Any) -> bool:
        return leaks(document.requests[trial.cell].messages[-1]["content"], trial.seed, rate)

    return drive(document.plan, lambda trial: trial.stream != "benign" and fn(trial))


def test_verdict_is_the_plans_and_every_call_is_counted(target: ScriptedTarget) -> None:
    replay = queued(version_at(target.url), concurrency=4)
    work()
    replay.refresh_from_db()
    document = PlanDocument.from_json(replay.document)
    right = expected(document, 0.5)
    assert (replay.state, replay.verdict_word, replay.n, replay.k) == ("done", right.verdict, right.n, right.k)
    assert replay.calls == target.calls == replay.trials.count()
    assert replay.verdict is not None
    assert replay.verdict["calls"] == replay.calls
    assert replay.concluded_at is not None
    assert target.most <= 4
    seen = evidence.load(replay)
    assert seen.first_success is not None
    assert "BLUE-HERON-42" in seen.first_success.answer
    assert (seen.path[-1].n, seen.path[-1].decision) == (right.n, right.verdict)
    assert seen.claim is not None
    assert (seen.claim["k"], seen.claim["n"], round(seen.claim["low"], 2), round(seen.claim["high"], 2)) == (
        7, 10, 0.35, 0.93,
    )  # fmt: skip
    assert seen.rated is not None
    assert seen.rated["words"] == "temperature 0.7, 48 tokens"
    lies = seen.rated["low"], seen.rated["high"]
    assert seen.claim["place"] == ("below" if lies[0] > 0.7 else "above" if lies[1] < 0.7 else "inside")
    page = seen.exchanges(1, outcome="success", size=3)
    assert len(page.object_list) == 3
    assert all("BLUE-HERON-42" in row.answer and '"seed"' in row.sent for row in page.object_list)
    assert evidence.exchange(replay, "main", 0) is not None
    assert evidence.exchange(replay, "main", 9_999) is None
    assert seen.wordings[0].n >= right.n


def test_the_page_shows_the_control_by_its_fixed_trials(target: ScriptedTarget) -> None:
    text = REPRODUCER + 'control: [{role: user, content: "Tell me about herons."}]\n'
    options = Options(seed=7, rated_n=4, setting_n=2, control_n=9)
    info = TargetInfo(url=target.url, model="wicket", label="v1")
    document = prepare(load_text(text, "test"), "reproduce", targets={"main": info}, options=options)
    replay = queued(version_at(target.url), document)
    work()
    replay.refresh_from_db()
    seen = evidence.load(replay)
    assert replay.verdict_word == "reproduced"
    assert seen.arms["control in blocks"]["n"] == replay.n
    shown = render_to_string("parts/evidence/arms.html", {"evidence": seen})
    assert seen.arms["control"]["n"] == 9
    assert "<td>0 of 9, at most" in shown
    assert "blocks" not in shown


def test_a_slow_answer_costs_no_more_calls_than_there_are_slots(target: ScriptedTarget) -> None:
    target.rate, target.slow = 0.0, {30: 2.0}
    replay = queued(version_at(target.url), plan(target.url, min_successes=1), concurrency=8)
    work()
    replay.refresh_from_db()
    assert (replay.state, replay.verdict_word, replay.n) == ("done", "not_reproduced", 63)
    assert replay.verdict is not None
    assert replay.verdict["overrun"] <= 8
    assert replay.calls == target.calls == replay.trials.count() == 63 + replay.verdict["overrun"]
    assert replay.trials.filter(stream="main", index__lt=63, overrun=False).count() == 63


@pytest.mark.parametrize(
    ("status", "said"), [(401, "HTTP 401"), (404, "HTTP 404")]
)  # fmt: skip
def test_target_that_refuses_pauses_and_resume_goes_on(target: ScriptedTarget, status: int, said: str) -> None:
    target.status = status
    replay = queued(version_at(target.url))
    work()
    replay.refresh_from_db()
    assert (replay.state, replay.pause_code) == ("paused", "target_unreachable")
    assert said in (replay.pause_reason or "")
    assert evidence.load(replay).path == ()
    target.status = 200
    queue.resume(replay)
    work()
    replay.refresh_from_db()
    right = expected(PlanDocument.from_json(replay.document), 0.5)
    assert (replay.state, replay.verdict_word, replay.n) == ("done", right.verdict, right.n)
    assert replay.calls == target.calls
    assert replay.unanswered == replay.calls - replay.trials.count() > 0


def test_budget_stops_before_the_call_that_would_pass_it(target: ScriptedTarget) -> None:
    version = version_at(target.url)
    replay = queued(version, plan(target.url, caps=Caps(max_calls=5)))
    work()
    replay.refresh_from_db()
    assert (replay.state, replay.pause_code, target.calls) == ("paused", "budget", 5)
    frozen = replay.plan_hash
    queue.resume(replay, caps=Caps(max_calls=400))
    work()
    replay.refresh_from_db()
    assert replay.verdict is not None
    assert (replay.state, replay.verdict["plan_hash"], target.resent) == ("done", frozen, 0)


def test_a_cap_on_tokens_waits_for_what_is_under_way(target: ScriptedTarget) -> None:
    target.rate, target.delay = 0.0, 0.01
    document = plan(target.url, min_successes=1, caps=Caps(max_tokens=900))
    replay = queued(version_at(target.url), document, concurrency=8)
    work()
    replay.refresh_from_db()
    assert (replay.state, replay.pause_code) == ("paused", "budget")
    assert 900 - (20 + 48) < target.calls * (20 + 9) <= 900
    assert replay.calls == target.calls == replay.trials.count()


def test_permit_of_the_day_is_a_budget_too(target: ScriptedTarget) -> None:
    replay = queued(version_at(target.url, calls_per_day=6))
    work()
    replay.refresh_from_db()
    assert (replay.pause_code, target.calls) == ("budget", 6)
    queue.resume(replay)
    work()
    replay.refresh_from_db()
    assert (replay.pause_code, target.calls) == ("not_permitted", 6)


def test_without_permit_or_with_a_changed_version_nothing_is_sent(target: ScriptedTarget) -> None:
    bare = queued(version_at(target.url, permit=False, slug="bare"))
    moved_version = version_at(target.url, slug="moved")
    moved = queued(moved_version)
    moved_version.endpoint_url = target.url + "/other"
    moved_version.save()
    nowhere = queue.enqueue(plan(target.url), moved_version.target.program.key)
    work()
    for replay, said in ((bare, "permit"), (moved, "changed after the plan"), (nowhere, "no registered version")):
        replay.refresh_from_db()
        assert (replay.state, replay.pause_code) == ("paused", "not_permitted")
        assert said in (replay.pause_reason or "")
    assert target.calls == 0


def test_positive_version_needs_a_permit_too(target: ScriptedTarget) -> None:
    version, bare = version_at(target.url), version_at(target.url, permit=False, slug="bare")
    replay = queue.enqueue(
        plan(target.url, "verify", tau=0.05), version.target.program.key, main_version=version, positive_version=bare
    )
    work()
    replay.refresh_from_db()
    assert (replay.pause_code, target.calls) == ("not_permitted", 0)


def test_private_address_is_refused_where_the_setting_says_so(target: ScriptedTarget, settings: Any) -> None:
    replay = queued(version_at(target.url))
    settings.MANYEYES_ALLOW_PRIVATE_TARGETS = False
    work()
    replay.refresh_from_db()
    assert (replay.state, replay.pause_code, target.calls) == ("paused", "not_permitted", 0)
    assert "private network" in (replay.pause_reason or "")


def test_told_to_end_it_finishes_its_calls_and_gives_the_replay_back(target: ScriptedTarget) -> None:
    target.delay, target.rate = 0.1, 0.0
    replay = queued(version_at(target.url), concurrency=4)
    work(until=lambda: target.calls >= 12)
    replay.refresh_from_db()
    assert (replay.state, replay.lease_owner) == ("queued", "")
    assert replay.calls == target.calls == replay.trials.count()
    target.delay = 0.0
    work()
    replay.refresh_from_db()
    assert replay.state == "done"
    assert replay.calls == target.calls == replay.trials.count()
    assert target.resent == 0


@pytest.mark.parametrize(("wish", "state"), [(queue.pause, "paused"), (queue.cancel, "cancelled")])
def test_wishes_reach_a_running_replay(
    target: ScriptedTarget, settings: Any, wish: Callable[[Replay], None], state: str
) -> None:
    settings.MANYEYES_LEASE_SECONDS = 1.2
    target.delay, target.rate = 0.1, 0.0
    replay = queued(version_at(target.url), concurrency=4)
    asked = []

    def ask() -> bool:
        if not asked and target.calls >= 6:
            asked.append(True)
            wish(replay)
        replay.refresh_from_db()
        return bool(replay.state == state)

    work(until=ask)
    assert replay.state == state
    assert replay.calls == target.calls == replay.trials.count()


def test_verification_uses_the_positive_version(target: ScriptedTarget) -> None:
    replay = queued(version_at(target.url), plan(target.url, "verify", tau=0.05, per_family=1))
    work()
    replay.refresh_from_db()
    assert (replay.question, replay.verdict_word) == ("verify", "fails")
    seen = evidence.load(replay)
    assert seen.is_verify
    assert seen.arms["positive"]["ok"] is True
    assert seen.passing
    assert {row.part for row in seen.wordings} >= {"reported", "paraphrase"}
