"""Two workers at the same moment, each on a connection of its own: every step and every mail of the morning once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from manyeyes import events
from manyeyes.cases import alarms, digests
from manyeyes.events.models import Delivery
from manyeyes.rules import clock
from tests.people import make_case, make_cast

pytestmark = pytest.mark.django_db(transaction=True)


def both(act: Callable[[], int]) -> list[int]:
    """What came of the act for each of two workers that begin together."""
    together, came = threading.Barrier(2), []

    def go() -> None:
        try:
            together.wait(60)
            came.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(came)


def test_each_step_rings_once_and_no_reader_gets_a_mail_for_each_case() -> None:
    cast = make_cast()
    with clock.freeze(clock.now()):
        cases = [make_case(cast, at="new") for _ in range(3)]
        Delivery.objects.all().delete()
        clock.advance(timedelta(hours=40))
        assert sum(both(alarms.ring)) == 3
    for case in cases:
        assert events.log(case.subject).filter(kind=alarms.RUNG).count() == 1
        assert events.verify_chain(case.subject) is None
    mails = Counter(Delivery.objects.filter(reason="clock.alarm").values_list("person_id", flat=True))
    # Two workers that hold two cases at the same moment do not see each other's mail; three cases are never three.
    assert 1 <= max(mails.values()) <= 2


def test_the_mail_of_the_morning_goes_out_once() -> None:
    cast = make_cast()
    with clock.freeze(clock.now().replace(hour=7, minute=30)):
        make_case(cast, at="new")
        clock.advance(timedelta(days=1))
        came = both(digests.send)
    mails = list(Delivery.objects.filter(reason="digest").values_list("person_id", flat=True))
    assert sum(came) == len(mails) == len(set(mails)) > 0
