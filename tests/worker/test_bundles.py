"""A bundle that a researcher sent is scored by the worker, beside the replays and never in their way."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from manyeyes.cases import bundles, bundles_queue
from manyeyes.cases.models import SentBundle
from manyeyes.rules import clock
from manyeyes.runs.bundle import bundled
from tests.people import make_cast, submit
from tests.runs.test_bundle import KEY, evidence, sometimes
from tests.worker.test_worker import work

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_worker_scores_what_waits_and_what_a_killed_one_left(tmp_path: Path) -> None:
    cast = make_cast()
    held = evidence("reproduce", sometimes, tmp_path)
    for case in (submit(cast), submit(cast)):
        bundles.receive(case, by=cast.rhea, chunks=[bundled(held, KEY)], name="evidence.zip")
    assert bundles_queue.claim("a worker that was killed") is not None
    SentBundle.objects.filter(state="scoring").update(lease_until=clock.now() - timedelta(seconds=1))
    work()
    rows = list(SentBundle.objects.order_by("attempts"))
    assert [(row.state, row.scored, row.attempts) for row in rows] == [("done", True, 1), ("done", True, 2)]
    assert all(row.found["identical"] for row in rows)
