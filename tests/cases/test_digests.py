"""The mail of the morning: only when something needs its reader, once a day, a link and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from manyeyes import events
from manyeyes.cases import assignment, conversation, digests, severity
from manyeyes.cases.models import Case
from manyeyes.events.models import Delivery
from manyeyes.programs.triage_rules import TriageRules
from manyeyes.rules import clock
from tests.people import LETTERS, REASONS, Cast, make_case

MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def morning(cast: Cast) -> Iterator[None]:
    TriageRules.objects.get_or_create(program=cast.program, defaults={"assigns": False})
    with clock.freeze(MONDAY):
        yield


def told() -> list[Any]:
    return list(Delivery.objects.filter(reason="digest").values_list("person_id", flat=True))


def groups(person: Any) -> dict[str, list[Case]]:
    return {group.name: list(group.cases) for group in digests.today(person)}


def quiet(cast: Cast, rung: str = "acknowledged") -> Case:
    """A case with Theo whose next promise ends in days."""
    case = make_case(cast, at=rung)
    assignment.give(case, by=cast.mina, to=cast.theo)
    return case


def test_nobody_is_written_to_while_nothing_needs_them(cast: Cast) -> None:
    quiet(cast)
    assert digests.send() == 0
    assert groups(cast.theo) == {}


def test_what_ends_within_a_day_is_told_to_whoever_holds_it_once_that_day(cast: Cast) -> None:
    case = make_case(cast, at="new")
    assignment.give(case, by=cast.mina, to=cast.theo)
    clock.advance(DAY)
    assert groups(cast.theo) == {"today": [case]}
    assert (digests.send(), told()) == (1, [cast.theo.pk])
    assert digests.send() == 0, "the next round of the worker"
    clock.advance(2 * DAY)
    assert groups(cast.theo) == {"late": [case]}
    assert digests.send() == 1, "what is late is said each morning"
    conversation.say(case, by=cast.theo, text="I have read it.", public=True)
    clock.advance(DAY)
    assert digests.send() == 0, "what was done is silent"


def test_what_nobody_holds_needs_those_who_could_be_first(cast: Cast) -> None:
    make_case(cast, at="new")
    clock.advance(DAY)
    digests.send()
    assert set(told()) == {cast.theo.pk, cast.mina.pk, cast.lena.pk}


def test_what_is_known_already_is_not_said_again(cast: Cast) -> None:
    case = quiet(cast, "reproduced")
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS)
    assert groups(cast.mina) == {"sign": [case]}
    digests.send()
    assert cast.mina.pk in told()
    Delivery.objects.all().delete()
    clock.advance(DAY)
    digests.send()
    assert cast.mina.pk not in told()


def test_on_a_weekend_only_what_cannot_wait_is_said(cast: Cast) -> None:
    clock.advance(4 * DAY)
    case = quiet(cast, "reproduced")
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS)
    clock.advance(DAY)
    assert clock.now().weekday() == 5
    assert groups(cast.mina) == {"sign": [case]}
    assert digests.send() == 0
    clock.advance(2 * DAY)
    assert digests.send() > 0


def test_it_goes_out_in_the_morning_of_its_reader(cast: Cast) -> None:
    make_case(cast, at="new")
    assignment.give(Case.objects.get(), by=cast.mina, to=cast.theo)
    cast.theo.zone = "Asia/Kolkata"  # half past seven in London is one o'clock there
    cast.theo.save()
    clock.advance(DAY)
    assert digests.send() == 0
    clock.advance(timedelta(hours=18, minutes=31))
    assert digests.send() == 1


def test_who_wants_no_mail_gets_none(cast: Cast) -> None:
    make_case(cast, at="new")
    for person in (cast.theo, cast.mina, cast.lena):
        person.wants_mail = False
        person.save()
    clock.advance(DAY)
    assert digests.send() == 0


def test_a_worker_that_dies_between_record_and_mail_leaves_neither(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case(cast, at="new")
    assignment.give(case, by=cast.mina, to=cast.theo)
    clock.advance(DAY)
    real = events.queue_digest

    def dies(*args: Any) -> Any:
        raise SystemExit

    monkeypatch.setattr(events, "queue_digest", dies)
    with pytest.raises(SystemExit):
        digests.send()
    assert not events.log(cast.theo.actor).filter(kind=digests.SENT).exists()
    monkeypatch.setattr(events, "queue_digest", real)
    assert digests.send() == 1


def test_the_mail_holds_a_link_and_nothing_of_a_case(cast: Cast, mailoutbox: list[Any], settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    case = make_case(cast, at="new")
    assignment.give(case, by=cast.mina, to=cast.theo)
    Delivery.objects.all().delete()
    clock.advance(DAY)
    digests.send()
    events.deliver_due()
    [letter] = mailoutbox
    assert "/desk/today/" in letter.body
    assert case.ref not in letter.body + letter.subject
    client = Client()
    client.force_login(cast.theo)
    page = client.get("/desk/today/").content.decode()
    assert case.ref in page
    assert "A promise ends within a day" in page
    client.force_login(cast.aud)
    assert "Nothing needs you today." in client.get("/desk/today/").content.decode()
