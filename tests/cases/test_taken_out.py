"""Labels that people gave on a page reach the tools that measure judges: from the desk to a calibration."""

from __future__ import annotations

import asyncio
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from manyeyes.cases import reproduction, steering, taken_out
from manyeyes.cases.models import Reproduction
from manyeyes.engine.plan import Feed
from manyeyes.engine.replay import replay as engine_replay
from manyeyes.events.models import Event
from manyeyes.replays import queue
from manyeyes.replays.models import Replay
from manyeyes.replays.store import DatabaseStore
from manyeyes.rules.errors import NotAllowed
from manyeyes.runs.calibration import calibrate_again
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.rejudge import rejudge
from manyeyes.runs.store import FileStore, Stored, TrialRecord
from tests.people import REPRODUCER, Cast, make_case
from tests.runs.judged import JUDGED, LEAK, judging

pytestmark = pytest.mark.django_db
HUMAN = REPRODUCER.replace('{canary: "BLUE-HERON-42"}', '{human: "Does it give the code away?"}')
WAITING = 24


def waiting(cast: Cast) -> Reproduction:
    """A replay whose first answers wait for a person."""
    case = make_case(cast, at="triaged", reproducer=HUMAN)
    link = reproduction.request(case, by=cast.theo, version=cast.v1)
    document = PlanDocument.from_json(link.replay.document)
    lease = queue.claim("tests")
    assert lease is not None
    run = engine_replay(document.plan)
    next(run)
    trials = run.send(Feed(answers=[], room=WAITING)).trials
    rows = [
        TrialRecord(
            stream=str(trial.stream), index=trial.index, cell=trial.cell, seed=trial.seed, outcome=None,
            answer=LEAK if number % 2 else "I like herons", digest=str(number),
        )
        for number, trial in enumerate(trials)
    ]  # fmt: skip
    DatabaseStore(lease).save(calls=len(rows), trials=rows)
    queue.park(lease, code="awaiting_label", reason="", state=Replay.State.AWAITING_LABEL)
    return Reproduction.objects.select_related("case", "replay").get(pk=link.pk)


def labelled(link: Reproduction, by: Any) -> None:
    for row in link.replay.trials.order_by("stream", "index"):
        word = "success" if row.said("answer") == LEAK else "failure"
        steering.label(link, by=by, stream=row.stream, index=row.index, outcome=word)


def unpacked(data: bytes, place: Path) -> Stored:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(place)
    (folder,) = place.iterdir()
    store = FileStore(folder)
    try:
        return store.load()
    finally:
        store.close()


def test_labels_of_a_page_measure_a_judge(cast: Cast, tmp_path: Path) -> None:
    link = waiting(cast)
    labelled(link, cast.mina)
    run = unpacked(taken_out.take_out(link, by=cast.mina), tmp_path)
    assert {label.by for label in run.labels} == {"Mina A."}
    info = {"judge": TargetInfo(kind="scripted", model="judge")}
    second = asyncio.run(rejudge(run, JUDGED, targets={"judge": judging(1, 0)}))
    found = calibrate_again(run, second, info)
    assert (found.found, found.successes, found.called, found.failures) == (12, 12, 0, 12)
    assert found.people == ("Mina A.",)


@pytest.mark.parametrize("who", ["aud", "pia", "finn", "rhea"])
def test_who_may_not_steer_takes_nothing_out(cast: Cast, who: str) -> None:
    with pytest.raises(NotAllowed):
        taken_out.take_out(waiting(cast), by=getattr(cast, who))


def test_the_page_gives_it_and_leaves_a_trace_that_the_researcher_does_not_see(
    cast: Cast, settings: Any, tmp_path: Path
) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    link = waiting(cast)
    browser = Client()
    browser.force_login(cast.theo, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = f"/desk/replays/{link.replay_id}/folder/"
    assert address in browser.get(f"/desk/replays/{link.replay_id}/").content.decode()
    assert browser.get(address).status_code == 405
    given = browser.post(address)
    assert given["Content-Disposition"] == f'attachment; filename="{link.case.ref}-{str(link.replay_id)[:8]}.zip"'
    assert len(unpacked(given.getvalue(), tmp_path).trials) == WAITING
    event = Event.objects.filter(subject=link.case.subject, kind="replay.taken_out").get()
    assert not event.public
