"""Events: a chain that cannot be changed, cut or forked unseen, and that cannot hold text."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction

from manyeyes import events
from manyeyes.events.models import AppendOnly, Event, Head
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid
from manyeyes.vault import keyring
from manyeyes.vault.models import DataKey

SUBJECT = f"case:{uuid.UUID(int=7)}"
ACTOR = f"person:{uuid.UUID(int=8)}"
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 -- what must be refused


class Status(StrEnum):
    NEW = "new"


def filled(count: int = 5, subject: str = SUBJECT) -> list[Event]:
    return [events.record(subject, "status.changed", actor=ACTOR, place=i) for i in range(count)]


def forge(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        assert cursor.rowcount >= 1


@pytest.mark.django_db
def test_events_come_back_in_order_with_what_they_said() -> None:
    at = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)
    person = uuid.uuid4()
    event = events.record(
        SUBJECT, "report.received", actor="system", public=True, human=True, at=at,
        status=Status.NEW, person=person, n=3, rate=0.25, none=None, yes=True, when=at, ids=[1, "a"], by={"x": 2},
    )  # fmt: skip
    filled(2)
    rows = list(events.log(SUBJECT))
    assert [row.seq for row in rows] == [1, 2, 3]
    assert (rows[0].at, rows[0].public, rows[0].human, rows[0].actor) == (at, True, True, "system")
    assert rows[0].data == event.data == {
        "status": "new", "person": str(person), "n": 3, "rate": 0.25, "none": None, "yes": True,
        "when": at.isoformat(), "ids": [1, "a"], "by": {"x": 2},
    }  # fmt: skip
    assert events.verify_chain(SUBJECT) is None
    assert events.verify_chain("case:absent") is None


@pytest.mark.django_db
def test_the_clock_is_the_houses() -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    with clock.freeze(moment):
        assert filled(1)[0].at == moment


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "other"), ("actor", "system"), ("body", '{"place":9}'), ("commitment", "x"), ("prev", "0" * 64),
        ("mac", "0" * 64), ("human", True), ("public", True), ("at", datetime(2020, 1, 1, tzinfo=UTC)), ("seq", 40),
        ("subject", "case:other"),
    ],
)  # fmt: skip
def test_any_changed_column_breaks_the_chain_there(column: str, value: Any) -> None:
    rows = filled()
    adapted = Event._meta.get_field(column).get_db_prep_value(value, connection)
    key = Event._meta.pk.get_db_prep_value(rows[2].pk, connection)
    forge(f"UPDATE events_event SET {column} = %s WHERE id = %s", adapted, key)
    assert events.verify_chain(SUBJECT) == 3


@pytest.mark.django_db
@pytest.mark.parametrize("seq", [1, 3, 5])
def test_a_removed_event_is_missed(seq: int) -> None:
    filled()
    forge("DELETE FROM events_event WHERE subject = %s AND seq = %s", SUBJECT, seq)
    assert events.verify_chain(SUBJECT) == seq


@pytest.mark.django_db
def test_cutting_chain_and_head_together_shows_against_an_exported_head() -> None:
    rows = filled()
    filled(2, "case:other")
    export = events.heads()
    assert events.broken_since(export) == []
    forge("DELETE FROM events_event WHERE subject = %s AND seq > 3", SUBJECT)
    assert events.verify_chain(SUBJECT) == 4
    forge("UPDATE events_head SET seq = 3, mac = %s WHERE subject = %s", rows[2].mac, SUBJECT)
    assert events.verify_chain(SUBJECT) is None  # from inside nothing is missing
    assert events.broken_since(export) == [SUBJECT]
    filled(4)
    assert events.broken_since(export) == [SUBJECT]  # nor does growing again cover it


@pytest.mark.django_db
def test_a_removed_head_is_missed() -> None:
    filled()
    forge("DELETE FROM events_head WHERE subject = %s", SUBJECT)
    assert events.verify_chain(SUBJECT) == 1


@pytest.mark.django_db
def test_an_export_that_was_changed_or_is_anothers_is_refused() -> None:
    filled()
    export = events.heads()
    changed = {**export, "heads": [[SUBJECT, 4, export["heads"][0][2]]]}
    for document in (changed, {}, {**export, "signature": "zz"}, {**export, "public_key": "00" * 32}):
        with pytest.raises(Invalid, match="heads"):
            events.broken_since(document)


@pytest.mark.django_db
def test_events_are_only_ever_added() -> None:
    row = filled(1)[0]
    row.kind = "other"
    for act in (
        row.save, row.delete, Event.objects.all().delete, Event.objects.filter(pk=row.pk).delete,
        lambda: Event.objects.update(kind="x"), lambda: Event.objects.get(pk=row.pk).save(),
    ):  # fmt: skip
        with pytest.raises(AppendOnly):
            act()
    assert events.verify_chain(SUBJECT) is None


@pytest.mark.django_db
def test_the_database_itself_refuses_a_fork() -> None:
    row = filled(2)[1]
    copy = Event(**{field.attname: getattr(row, field.attname) for field in Event._meta.concrete_fields})
    copy.pk = uuid.uuid4()
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save()


@pytest.mark.django_db
def test_what_is_rolled_back_leaves_no_gap() -> None:
    filled(1)

    @transaction.atomic
    def lost() -> None:
        events.record(SUBJECT, "lost", actor="system")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        lost()
    assert filled(1)[0].seq == 2
    assert events.verify_chain(SUBJECT) is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value",
    ["two words", "a\nb", "ä", "x" * 161, b"x", object(), float("nan"), [["deep"]], {"a": {"b": 1}}, ["no text"],
     {"no text": 1}, list(range(50)), "<b>", NAIVE],
)  # fmt: skip
def test_text_and_large_things_are_refused_by_name(value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        events.record(SUBJECT, "kind", actor="system", note=value)
    assert set(caught.value.fields) == {"note"}
    assert not Event.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("subject", "kind", "actor", "field"),
    [
        ("a b", "kind", "system", "subject"),
        (SUBJECT, "Not a kind", "system", "kind"),
        (SUBJECT, "kind", "Rhea <rhea@example.org>", "actor"),
    ],
)
def test_names_must_be_names(subject: str, kind: str, actor: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        events.record(subject, kind, actor=actor)
    assert set(caught.value.fields) == {field}


@pytest.mark.django_db
def test_too_much_data_is_refused() -> None:
    with pytest.raises(Invalid, match="at most"):
        events.record(SUBJECT, "kind", actor="system", **{f"n{i}": "x" * 150 for i in range(20)})


@pytest.mark.django_db
def test_commitments_prove_a_text_until_its_key_is_shredded() -> None:
    key, other = keyring.new_key("case"), keyring.new_key("case")
    promise = events.commit(key, "the report")
    events.record(SUBJECT, "report.received", actor="system", commitment=promise)
    assert events.matches(promise, key, "the report")
    assert not events.matches(promise, key, "the Report")
    assert not events.matches(promise, other, "the report")
    assert events.commit(key, "the report") != promise  # salted: equal texts do not show
    keyring.shred(key)
    with pytest.raises(keyring.Shredded):
        events.matches(promise, key, "the report")
    assert events.verify_chain(SUBJECT) is None


@pytest.mark.django_db(transaction=True)
def test_many_writers_make_one_chain() -> None:
    writers, each = 6, 10
    failed: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(each):
                events.record(SUBJECT, "written", actor="system")
        except BaseException as error:  # shown by the assertion below
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [row.seq for row in events.log(SUBJECT)] == list(range(1, writers * each + 1))
    assert events.verify_chain(SUBJECT) is None
    assert Head.objects.get(pk=SUBJECT).seq == writers * each


@pytest.fixture
def own_ring(settings: Any, tmp_path: Any, db: None) -> Iterator[None]:
    settings.MANYEYES_MASTER_KEY_FILE = tmp_path / "conf" / "master.key"
    keyring.create_master()
    DataKey.objects.filter(pk=keyring.ROOT_ID).delete()
    keyring.forget()
    yield
    keyring.forget()


def test_a_chain_does_not_depend_on_the_master_key_file_staying_the_same(own_ring: None) -> None:
    filled()
    keyring.rotate()
    keyring.forget()
    assert events.verify_chain(SUBJECT) is None
    assert timedelta() < clock.now() - events.log(SUBJECT)[0].at
