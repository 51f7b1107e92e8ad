"""The outbox: one neutral mail per person, sent once however many workers try, again after a failure, never content."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connections, transaction

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.events import outbox
from manyeyes.events.models import Delivery
from manyeyes.events.outbox import Sent
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
REF = "ME-7K3F-Q2M4"


@pytest.fixture(autouse=True)
def _nine_o_clock() -> Any:
    with clock.freeze(NOW):
        yield


def person(**facts: Any) -> Person:
    return Person.objects.create_person(**{"email": f"{uuid.uuid4().hex}@example.org", **facts})


def queue(who: Person) -> Delivery:
    return events.queue_mail(who.pk, REF, f"/my/reports/{REF}", reason="new_message")


def broken(*args: Any, **kwargs: Any) -> int:
    raise ConnectionRefusedError("rhea@example.org was refused")


@pytest.mark.django_db
def test_a_mail_says_that_something_is_new_and_nothing_else(settings: Any) -> None:
    settings.MANYEYES_BASE_URL = "https://vdp.larkfield.example"
    who = person(email="rhea@example.org", display_name="Rhea K.")
    queue(who)
    assert events.deliver_due() == Sent(sent=1)
    [sent] = mail.outbox
    assert (sent.subject, sent.to, sent.cc, sent.bcc) == ("[ME-7K3F-Q2M4] news", ["rhea@example.org"], [], [])
    assert f"https://vdp.larkfield.example/my/reports/{REF}\n" in sent.body
    assert "To stop these mails: https://vdp.larkfield.example/my/settings/" in sent.body
    assert "Rhea" not in sent.body
    assert "new_message" not in str(sent.message())
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"
    assert events.deliver_due(NOW + timedelta(days=1)) == Sent()
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_each_recipient_gets_a_mail_of_their_own() -> None:
    people = [person() for _ in range(3)]
    for who in people:
        queue(who)
    assert events.deliver_due() == Sent(sent=3)
    assert sorted(tuple(m.to) for m in mail.outbox) == sorted((who.email,) for who in people)


@pytest.mark.django_db
def test_those_who_get_no_mail_are_passed_over_for_good() -> None:
    cases = {
        "no_address": person(email=None, kind="receipt"),
        "muted": person(wants_mail=False),
        "no_such_person": person(is_active=False),
    }
    rows = {note: queue(who) for note, who in cases.items()}
    stranger = events.queue_mail(uuid.uuid4(), REF, "/x", reason="new_message")
    assert events.deliver_due() == Sent(skipped=4)
    for note, row in rows.items():
        row.refresh_from_db()
        assert (row.note, row.dropped_at, row.sent_at) == (note, NOW, None)
    stranger.refresh_from_db()
    assert stranger.note == "no_such_person"
    assert mail.outbox == []
    assert events.deliver_due(NOW + timedelta(days=9)) == Sent()


@pytest.mark.django_db
def test_a_failure_is_tried_again_later_and_given_up_in_the_end(monkeypatch: Any) -> None:
    row = queue(person())
    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", broken)
        assert events.deliver_due(NOW) == Sent(failed=1)
        row.refresh_from_db()
        assert (row.attempts, row.note, row.due_at) == (1, "ConnectionRefusedError", NOW + timedelta(minutes=1))
        assert events.deliver_due(NOW + timedelta(seconds=59)) == Sent()
        moment, waits = NOW, []
        while row.dropped_at is None:
            waits.append(row.due_at - moment)
            moment = row.due_at
            assert events.deliver_due(moment) == Sent(failed=1)
            row.refresh_from_db()
        assert row.attempts == outbox.MAX_ATTEMPTS
        assert waits == sorted(waits)
        assert max(waits) <= outbox.LONGEST_WAIT
    assert events.deliver_due(moment + timedelta(days=9)) == Sent()


@pytest.mark.django_db
def test_one_bad_mail_does_not_stop_the_others(monkeypatch: Any) -> None:
    bad, good = person(email="bad@example.org"), person()
    true_send = EmailMessage.send
    monkeypatch.setattr(
        EmailMessage, "send", lambda m, *a, **k: broken() if m.to == ["bad@example.org"] else true_send(m, *a, **k)
    )
    queue(bad)
    queue(good)
    assert events.deliver_due() == Sent(sent=1, failed=1)
    monkeypatch.undo()
    assert events.deliver_due(NOW + timedelta(minutes=2)) == Sent(sent=1)
    assert [m.to for m in mail.outbox] == [[good.email], [bad.email]]


@pytest.mark.django_db
def test_a_dead_workers_mail_is_taken_over_when_its_lease_ran_out() -> None:
    row = queue(person())
    Delivery.objects.filter(pk=row.pk).update(lease=uuid.uuid4(), lease_until=NOW + outbox.LEASE, attempts=1)
    assert events.deliver_due(NOW + timedelta(seconds=1)) == Sent()
    assert events.deliver_due(NOW + outbox.LEASE + timedelta(seconds=1)) == Sent(sent=1)
    row.refresh_from_db()
    assert row.attempts == 2


@pytest.mark.django_db
def test_a_worker_that_lost_its_lease_marks_nothing(monkeypatch: Any) -> None:
    row = queue(person())
    other = uuid.uuid4()

    def slow(message: EmailMessage, *args: Any) -> int:
        Delivery.objects.filter(pk=row.pk).update(lease=other)
        return 1

    monkeypatch.setattr(EmailMessage, "send", slow)
    events.deliver_due()
    row.refresh_from_db()
    assert (row.lease, row.sent_at) == (other, None)


@pytest.mark.django_db(transaction=True)
def test_many_workers_send_each_mail_once(monkeypatch: Any) -> None:
    rows = [queue(person()) for _ in range(12)]
    sent: list[str] = []
    monkeypatch.setattr(EmailMessage, "send", lambda message, *a, **k: sent.append(message.to[0]))
    failed: list[BaseException] = []

    def work() -> None:
        try:
            events.deliver_due()
        except BaseException as error:  # shown by the assertion below
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(sent) == len(set(sent)) == len(rows)


@pytest.mark.django_db
def test_a_mail_is_queued_with_what_happened_or_not_at_all() -> None:
    @transaction.atomic
    def lost() -> None:
        queue(person())
        raise RuntimeError

    with pytest.raises(RuntimeError):
        lost()
    assert not Delivery.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ref", "path", "reason", "field"),
    [
        ("ME-1\nBcc: x@y", "/x", "new", "case_ref"),
        ("The bot tells its secret", "/x", "new", "case_ref"),
        (REF, "//evil.example", "new", "path"),
        (REF, "https://evil.example", "new", "path"),
        (REF, "/x?title=secret", "new", "path"),
        (REF, "/x", "It leaks", "reason"),
    ],
)
def test_content_cannot_be_put_into_a_mail(ref: str, path: str, reason: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        events.queue_mail(uuid.uuid4(), ref, path, reason=reason)
    assert set(caught.value.fields) == {field}
