"""A target that misbehaves: the replay rests with the reason on its page, nothing is lost, and it goes on later."""

from __future__ import annotations

import functools
import time
from collections import Counter
from typing import Any

import pytest

from manyeyes.engine import drive
from manyeyes.plugins.builtin.targets.openai_chat import OpenAIChat
from manyeyes.replays import ready
from manyeyes.replays.models import Replay
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.pacing import Pacing
from tests.journeys.site import Stage, ok, report, work
from tests.journeys.wicket import Trouble, Wicket

JSON = {"Content-Type": "application/json"}
GOOD_FIRST = 12
"""So many requests get their right answer before the trouble begins."""


def always(status: int, body: bytes = b'{"error": "no"}', **headers: str) -> Trouble:
    """After the first good answers the same bad one."""

    def trouble(wicket: Wicket, number: int) -> tuple[int, dict[str, str], bytes] | None:
        return (status, {**JSON, **headers}, body) if number > GOOD_FIRST else None

    return trouble


def hangs(wicket: Wicket, number: int) -> None:
    if number > GOOD_FIRST:
        time.sleep(1.0)


TROUBLES: dict[str, tuple[Trouble, str]] = {
    "500": (always(500), "HTTP 500"),
    "429": (always(429), "HTTP 429"),
    "half JSON": (
        always(200, b'{"choices": [{"message": {"role": "assistant", "content": "The co'),
        "not a chat completion",
    ),
    "a page": (always(200, b"<!doctype html><script>alert(1)</script>"), "not a chat completion"),
    "another JSON": (always(200, b'{"choices": []}'), "not a chat completion"),
    "nothing": (always(200, b""), "not a chat completion"),
    "sent elsewhere": (always(302, Location="http://127.0.0.1:1/"), "HTTP 302"),
    "hanging": (hangs, "no answer within"),
}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of milliseconds: how long one waits is no part of what these tests ask."""
    quick = Pacing(retries=1, first=0.01, throttled=0.01)
    monkeypatch.setattr(Pacing, "lasting", staticmethod(lambda seconds: quick))
    monkeypatch.setattr(ready, "find", lambda *_: functools.partial(OpenAIChat, timeout=0.4))


def started(stage: Stage) -> str:
    """A replay that is queued, as the address of its page."""
    stage.ref = report(stage.at("rhea"), stage.cast).data["data-case"]
    stage.say("theo", "I have read it.", public=True)
    stage.press("theo", "/move/accept/")
    return stage.fill("theo", f"/desk/cases/{stage.ref}/replay/", {"seed": "11"}, button="start").url


def uncut(replay: Replay, wicket: Wicket) -> Any:
    """The verdict of the same plan against the same target, driven in one go."""
    document = PlanDocument.from_json(replay.document)

    def fn(trial: Any) -> bool:
        prompt = document.requests[trial.cell].messages[-1]["content"]
        answer = wicket.says("wicket-v1", prompt, trial.seed)["choices"][0]["message"]["content"]
        return wicket.code in answer

    return drive(document.plan, fn)


def accounted(replay: Replay, wicket: Wicket) -> None:
    """Every call is counted, no trial twice, every stored answer is the one its seed gets."""
    rows = list(replay.trials.all())
    assert not [place for place, count in Counter((row.stream, row.index) for row in rows).items() if count > 1]
    main = {row.index for row in rows if row.stream == "main"}
    assert set(range(replay.n or 0)) <= main, "a trial that the verdict leans on is missing"
    # A call is counted before it is sent, so one that was cut off in between is counted and never received.
    assert 0 <= replay.calls - wicket.count <= replay.concurrency
    assert replay.unanswered == replay.calls - sum(row.attempts for row in rows)
    for row in rows:
        assert f"Ticket {row.seed}." in row.said("answer")


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_rests_the_replay_and_recovery_ends_it(stage: Stage, wicket: Wicket, hasty: None, name: str) -> None:
    wicket.trouble, said = TROUBLES[name]
    address = started(stage)
    work()
    replay = Replay.objects.get()
    assert (replay.state, replay.pause_code) == ("paused", "target_unreachable")
    kept = {(row.stream, row.index): row.said("answer") for row in replay.trials.all()}
    assert 0 < len(kept) <= GOOD_FIRST
    page = ok(stage.at("theo").get(address))
    assert page.data["data-state"] == "paused"
    assert "Paused" in page.words
    assert said in page.words, "the page says why"
    assert "<script>alert" not in page.text
    wicket.trouble = None
    ok(stage.at("theo").send(page, page.form("/control/"), button="resume"))
    work()
    replay.refresh_from_db()
    right = uncut(replay, wicket)
    assert (replay.state, replay.verdict_word, replay.n, replay.k) == ("done", right.verdict, right.n, right.k)
    assert kept.items() <= {(row.stream, row.index): row.said("answer") for row in replay.trials.all()}.items()
    accounted(replay, wicket)
    assert ok(stage.at("theo").get(address)).data["data-state"] == "done"


def test_a_target_that_is_not_there(stage: Stage, wicket: Wicket, hasty: None) -> None:
    address = started(stage)
    wicket.__exit__()
    work()
    page = ok(stage.at("theo").get(address))
    assert page.data["data-state"] == "paused"
    assert "no answer" in page.words
    assert Replay.objects.get().trials.count() == 0


def test_429_with_a_time_waits_that_long_and_loses_nothing(stage: Stage, wicket: Wicket, hasty: None) -> None:
    asked: list[float] = []

    def busy(target: Wicket, number: int) -> tuple[int, dict[str, str], bytes] | None:
        if number != GOOD_FIRST:
            if asked and len(asked) == 1:
                asked.append(time.monotonic())
            return None
        asked.append(time.monotonic())
        return 429, {**JSON, "Retry-After": "1"}, b'{"error": "slow down"}'

    wicket.trouble = busy
    started(stage)
    work()
    replay = Replay.objects.get()
    right = uncut(replay, wicket)
    assert (replay.state, replay.verdict_word, replay.n) == ("done", right.verdict, right.n)
    accounted(replay, wicket)
    assert (replay.unanswered, replay.calls - replay.trials.count()) == (0, 1), "the repeat belongs to its trial"
    assert len(asked) == 2


def test_an_answer_of_ten_megabytes_on_one_line(stage: Stage, wicket: Wicket, hasty: None) -> None:
    wicket.trouble = lambda _, number: (200, JSON, b"x" * 10_000_000) if number == 3 else None
    address = started(stage)
    work()
    replay = Replay.objects.get()
    assert replay.state in ("done", "paused")
    if replay.state == "paused":
        page = ok(stage.at("theo").get(address))
        assert len(page.text) < 300_000
        ok(stage.at("theo").send(page, page.form("/control/"), button="resume"))
        work()
        replay.refresh_from_db()
    right = uncut(replay, wicket)
    assert (replay.state, replay.verdict_word, replay.n) == ("done", right.verdict, right.n)
    accounted(replay, wicket)


def test_an_answer_full_of_tricks_stays_text(stage: Stage, wicket: Wicket) -> None:
    wicket.extra = "</pre><script>alert(1)</script>\u202etxt\u202c\U000e0041\x1b[31m\x00"
    address = started(stage)
    work()
    replay = Replay.objects.get()
    assert replay.state == "done"
    page = ok(stage.at("theo").get(address))
    call = ok(stage.at("theo").get(f"{address}calls/main/0/"))
    for one in (page, call):
        assert "<script>alert" not in one.text
        for sign in ("\u202e", "\U000e0041", "\x1b", "\x00"):
            assert sign not in one.text, f"{sign!r} reached the page as itself"
    assert "script" in call.words
    accounted(replay, wicket)
