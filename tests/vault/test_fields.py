"""Encrypted fields: plain python values outside, ciphertext bound to its place inside, no way around."""

from __future__ import annotations

import gc
import logging
import traceback
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Value

from manyeyes.vault import keyring
from manyeyes.vault.fields import EncryptedJSON, EncryptedText, Sealed
from manyeyes.vault.models import DataKey
from manyeyes.vault.sealing import Tampered
from tests import marker

SECRET = "the-secret-marker-0815"


def stored(row: Any, column: str) -> bytes | None:
    """The bytes in the database, as a thief would see them."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {row._meta.db_table} WHERE id = %s", [_db_id(row)])
        value = cursor.fetchone()[0]
    return None if value is None else bytes(value)


def plant(row: Any, column: str, blob: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s", [blob, _db_id(row)])


def _db_id(row: Any) -> Any:
    return row._meta.pk.get_db_prep_value(row.pk, connection)


def test_values_come_back_as_they_were(letter_type: Any, key: DataKey) -> None:
    facts = {"a": [1, 2.5, None, True], "ü": {"b": "ψ\ud800"}}
    row = letter_type.objects.create(key=key, body="Grüße\0\ud800", facts=facts, raw=b"\0\xff", other="")
    again = letter_type.objects.get(pk=row.pk)
    assert (again.body, again.facts, again.raw, again.other) == ("Grüße\0\ud800", facts, b"\0\xff", "")
    again = letter_type.objects.get(pk=letter_type.objects.create(key=key).pk)
    assert (again.body, again.facts, again.raw, again.other) == ("", {}, None, None)
    assert letter_type.objects.filter(raw__isnull=True).count() == 1


def test_the_database_holds_only_ciphertext(letter_type: Any, key: DataKey) -> None:
    row = letter_type.objects.create(key=key, body=SECRET, facts={"x": SECRET}, raw=SECRET.encode(), clear=SECRET)
    assert SECRET.encode() not in b"".join(stored(row, c) or b"" for c in ("body", "facts", "raw"))
    assert marker.find_in_database(SECRET, connection) != []  # the scan is alive: it sees the clear field
    row.clear = ""
    row.save()
    assert marker.find_in_database(SECRET, connection) == []


def test_every_save_uses_a_fresh_nonce(letter_type: Any, key: DataKey) -> None:
    row = letter_type.objects.create(key=key, body="same")
    seen = set()
    for _ in range(5):
        row.save()
        seen.add(stored(row, "body"))
    assert len(seen) == 5


@pytest.mark.parametrize("column", ["body", "facts"])
def test_every_changed_byte_is_detected(letter_type: Any, key: DataKey, column: str) -> None:
    row = letter_type.objects.create(key=key, body="x", facts=[1])
    good = stored(row, column)
    assert good is not None
    for at in range(len(good)):
        plant(row, column, good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(Tampered):
            getattr(letter_type.objects.get(pk=row.pk), column)
    plant(row, column, good[:-1])
    with pytest.raises(Tampered):
        getattr(letter_type.objects.get(pk=row.pk), column)
    plant(row, column, good)
    assert getattr(letter_type.objects.get(pk=row.pk), column)


def test_ciphertext_moved_to_another_row_field_or_key_is_detected(letter_type: Any, key: DataKey) -> None:
    one = letter_type.objects.create(key=key, body="one", other="two")
    two = letter_type.objects.create(key=key, body="three", other="four")
    plant(two, "body", stored(one, "body") or b"")  # another row, same field and key
    plant(one, "other", stored(one, "body") or b"")  # another field, same row and key
    with pytest.raises(Tampered):
        _ = letter_type.objects.get(pk=two.pk).body
    with pytest.raises(Tampered):
        _ = letter_type.objects.get(pk=one.pk).other
    assert letter_type.objects.get(pk=one.pk).body == "one"
    letter_type.objects.filter(pk=one.pk).update(key=keyring.new_key("case"))  # same row and field, another key
    with pytest.raises(Tampered, match=r"Letter .* body"):
        _ = letter_type.objects.get(pk=one.pk).body


def test_one_data_key_in_anothers_place_is_detected(letter_type: Any, key: DataKey) -> None:
    other = keyring.new_key("case")
    row = letter_type.objects.create(key=key, body="x")
    DataKey.objects.filter(pk=key.pk).update(wrapped=DataKey.objects.get(pk=other.pk).wrapped)
    keyring.forget()
    with pytest.raises(Tampered):
        _ = letter_type.objects.get(pk=row.pk).body


def test_decryption_waits_for_the_first_reading(letter_type: Any, key: DataKey, monkeypatch: Any) -> None:
    row = letter_type.objects.create(key=key, body="x", other="y")
    opened: list[str] = []
    true_open = EncryptedText.open
    monkeypatch.setattr(EncryptedText, "open", lambda f, *a: opened.append(f.name) or true_open(f, *a))
    again = letter_type.objects.get(pk=row.pk)
    assert opened == []
    assert (again.body, again.body) == ("x", "x")
    assert opened == ["body"]


def test_partial_loading_and_partial_saving(letter_type: Any, key: DataKey, django_assert_num_queries: Any) -> None:
    row = letter_type.objects.create(key=key, body="x", other="y")
    before = stored(row, "other")
    part = letter_type.objects.defer("body").get(pk=row.pk)
    with django_assert_num_queries(2):  # the column, and which key it is sealed under
        assert part.body == "x"
    part = letter_type.objects.only("clear").get(pk=row.pk)
    assert part.other == "y"
    row.body, row.other = "new", "not stored"
    row.save(update_fields=["body"])
    assert stored(row, "other") == before
    row.refresh_from_db()
    assert (row.body, row.other) == ("new", "y")
    row.other = "z"
    row.refresh_from_db(fields=["other"])
    assert row.other == "y"


def test_bulk_create_encrypts(letter_type: Any, key: DataKey) -> None:
    letter_type.objects.bulk_create([letter_type(key=key, body=f"n{i}", facts={"i": i}) for i in range(5)])
    rows = letter_type.objects.filter(key=key)
    assert {(row.body, row.facts["i"]) for row in rows} == {(f"n{i}", i) for i in range(5)}


def test_lists_open_each_key_once(letter_type: Any, django_assert_num_queries: Any) -> None:
    keys = [keyring.new_key("case") for _ in range(6)]
    letter_type.objects.bulk_create([letter_type(key=k, body="x") for k in keys])
    keyring.forget()
    with django_assert_num_queries(2):
        rows = list(letter_type.objects.all())
        keyring.warm(row.key_id for row in rows)
        assert [row.body for row in rows] == ["x"] * 6


@pytest.mark.parametrize("how", ["update", "bulk_update", "expression"])
def test_ways_around_the_row_are_closed(letter_type: Any, key: DataKey, how: str) -> None:
    row = letter_type.objects.create(key=key, body="x")

    def around() -> None:
        if how == "update":
            letter_type.objects.filter(pk=row.pk).update(body=SECRET)
        elif how == "bulk_update":
            row.body = SECRET
            letter_type.objects.bulk_update([row], ["body"])
        else:
            row.body = Value(SECRET)

    with pytest.raises(TypeError) as caught, transaction.atomic():
        around()
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert letter_type.objects.get(pk=row.pk).body == "x"


@pytest.mark.parametrize(
    "lookup", [{"body": "x"}, {"body__contains": "x"}, {"facts__a": 1}, {"raw__in": [b"x"]}, {"body__gt": "a"}]
)
def test_searching_is_refused(letter_type: Any, lookup: dict[str, Any]) -> None:
    with pytest.raises(FieldError, match="encrypted"):
        letter_type.objects.filter(**lookup)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("body", 7), ("body", b"x"), ("body", ["x"]),
        ("facts", object()), ("facts", {"x": b"x"}), ("facts", float("nan")), ("facts", {1, 2}),
        ("raw", "x"), ("raw", 7),
    ],
)  # fmt: skip
def test_values_of_a_wrong_type_are_refused_by_name(letter_type: Any, key: DataKey, name: str, value: Any) -> None:
    row = letter_type(key=key)
    with pytest.raises(TypeError, match=f"^{name}: takes"):
        setattr(row, name, value)
    with pytest.raises(TypeError, match=f"^{name}: takes"):
        letter_type(key=key, **{name: value})


def test_json_changed_in_place_is_stored_and_checked(letter_type: Any, key: DataKey) -> None:
    row = letter_type.objects.create(key=key, facts={"a": 1})
    row.facts["b"] = 2
    row.save()
    assert letter_type.objects.get(pk=row.pk).facts == {"a": 1, "b": 2}
    row.facts["c"] = object()
    with pytest.raises(TypeError, match=r"^facts: takes"):
        row.save()


def test_missing_values_and_missing_keys(letter_type: Any, key: DataKey) -> None:
    with pytest.raises(ValueError, match=r"^key: .* needs a data key"), transaction.atomic():
        letter_type(body="x").save()
    with pytest.raises(IntegrityError), transaction.atomic():
        letter_type(key=key, body=None).save()


def test_a_row_moves_to_another_key_as_a_whole(letter_type: Any, key: DataKey) -> None:
    row = letter_type.objects.create(key=key, body="x", other="y", facts={"a": 1})
    loaded = letter_type.objects.get(pk=row.pk)
    loaded.key = keyring.new_key("case")
    with pytest.raises(ValueError, match="another key"):
        loaded.save(update_fields=["key", "body"])
    loaded.save()
    keyring.shred(key)
    again = letter_type.objects.get(pk=row.pk)
    assert (again.body, again.other, again.facts) == ("x", "y", {"a": 1})
    part = letter_type.objects.only("clear").get(pk=row.pk)
    part.key = keyring.new_key("case")
    with pytest.raises(ValueError, match="another key"):
        part.save()


def test_a_copy_under_a_new_id_is_sealed_anew(letter_type: Any, key: DataKey) -> None:
    row = letter_type.objects.create(key=key, body="x")
    copy = letter_type.objects.get(pk=row.pk)
    copy.pk = letter_type().pk
    copy._state.adding = True
    copy.save()
    assert letter_type.objects.get(pk=copy.pk).body == "x"
    assert letter_type.objects.get(pk=row.pk).body == "x"


def test_shredding_takes_the_content_and_leaves_the_row(letter_type: Any, key: DataKey) -> None:
    row = letter_type.objects.create(key=key, body=SECRET, clear="open")
    keyring.shred(key)
    again = letter_type.objects.get(pk=row.pk)
    with pytest.raises(keyring.Shredded, match="destroyed"):
        _ = again.body
    before = stored(row, "body")
    again.clear = "closed"
    again.save()  # a shredded case can still change its status
    assert letter_type.objects.get(pk=row.pk).clear == "closed"
    assert stored(row, "body") == before
    again.body = "new"
    with pytest.raises(keyring.Shredded):
        again.save()


def test_the_value_shows_nowhere_by_accident(letter_type: Any, key: DataKey, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    row = letter_type.objects.create(key=key, body=SECRET, facts={"x": SECRET})
    fresh = letter_type.objects.get(pk=row.pk)
    assert SECRET not in repr(row) + str(row) + repr(fresh) + repr(fresh.__dict__)
    with pytest.raises(TypeError, match="dumpdata"):
        serializers.serialize("json", [row])
    assert SECRET not in caplog.text
    assert not any(SECRET in str(query) for query in connection.queries_log)
    assert SECRET not in repr([item for item in gc.get_objects() if issubclass(type(item), Sealed)])


def test_options_that_need_readable_columns_are_refused() -> None:
    for option in ({"unique": True}, {"db_index": True}, {"choices": [("a", "A")]}, {"max_length": 5}):
        with pytest.raises(TypeError, match="only ciphertext"):
            EncryptedText(**option)


def test_migrations_can_write_the_field_down() -> None:
    _, path, args, kwargs = EncryptedJSON(default=dict, null=True).deconstruct()
    assert (path, args, kwargs) == ("manyeyes.vault.fields.EncryptedJSON", [], {"default": dict, "null": True})
    assert isinstance(EncryptedJSON(), models.BinaryField)
