"""From a request on a case to its finding: the real worker, a scripted target, one mail per person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core import mail

from manyeyes import events, worker
from manyeyes.cases import reproduction
from manyeyes.replays import manual, queue
from manyeyes.replays.models import Replay
from manyeyes.reproducer.load import load_text
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.prepare import Options, prepare
from tests.people import make_case, make_cast
from tests.replays.making import REPRODUCER, queued, version_at
from tests.worker.scripted import ScriptedTarget
from tests.worker.test_worker import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target() -> Iterator[ScriptedTarget]:
    with ScriptedTarget(rate=0.9) as server:
        yield server


def test_case_hears_of_the_verdict_once(target: ScriptedTarget) -> None:
    cast = make_cast()
    cast.v1.endpoint_url, cast.v1.api_key = target.url, target.key
    cast.v1.save()
    case = make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo, version=cast.v1)
    events.deliver_due()
    mail.outbox.clear()
    work()
    replay = Replay.objects.get(pk=link.replay_id)
    assert (replay.state, replay.verdict_word) == ("done", "reproduced"), replay.pause_reason
    link.refresh_from_db()
    assert (link.verdict, link.published_at) == ("reproduced", None)
    concluded = link.concluded_at
    Replay.objects.update(concluded_at=None)  # as if the worker had died between the two
    worker.conclude(replay)
    link.refresh_from_db()
    replay.refresh_from_db()
    assert (link.concluded_at, replay.concluded_at is None) == (concluded, False)
    told = [address for message in mail.outbox for address in message.to]
    assert told.count(cast.theo.email) == 1
    assert cast.rhea.email not in told, "a person looks at the first success before the researcher reads of it"
    for message in mail.outbox:
        assert "BLUE-HERON" not in message.body + message.subject


def test_answers_that_only_a_person_can_decide_park_the_replay(target: ScriptedTarget) -> None:
    text = REPRODUCER.replace('success: {canary: "BLUE-HERON-42"}', 'success: {human: "Did it tell the code?"}')
    options = Options(min_successes=3, rated_n=2, setting_n=1, seed=7, benign_n=0)
    info = TargetInfo(url=target.url, model="wicket", label="v1")
    document = prepare(load_text(text, "test"), "reproduce", targets={"main": info}, options=options)
    replay = queued(version_at(target.url), document)
    for _ in range(40):
        work()
        replay.refresh_from_db()
        if replay.state == "done":
            break
        assert replay.state == "awaiting_label"
        waiting = manual.open_labels(replay)
        assert waiting
        for trial in waiting:
            said = "success" if "BLUE-HERON-42" in trial.said("answer") else "failure"
            manual.label(replay, stream=trial.stream, index=trial.index, outcome=said, by=None)
        assert replay.state == "queued", "it goes on when the last one is labelled"
    assert (replay.state, replay.verdict_word) == ("done", "reproduced")
    assert replay.calls == target.calls == replay.trials.count()
    assert queue.claim("w") is None
