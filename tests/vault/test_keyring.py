"""Keys: the master key file and its refusals, wrapping, rotation that survives a crash, shredding, the cache."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from manyeyes.rules.errors import Refused
from manyeyes.vault import keyring, masterkey, tokens
from manyeyes.vault.models import DataKey
from manyeyes.vault.sealing import Tampered, seal, unseal


@pytest.fixture
def own_master(tmp_path: Path, settings: Any) -> Path:
    settings.MANYEYES_MASTER_KEY_FILE = tmp_path / "conf" / "master.key"
    return keyring.create_master()


def test_the_master_key_is_made_private_and_never_overwritten(own_master: Path) -> None:
    assert stat.S_IMODE(own_master.stat().st_mode) == 0o600
    assert stat.S_IMODE(own_master.parent.stat().st_mode) == 0o700
    assert [len(key) for key in masterkey.masters()] == [32]
    before = own_master.read_bytes()
    with pytest.raises(keyring.MasterKeyError, match="never overwritten"):
        keyring.create_master()
    assert own_master.read_bytes() == before
    assert os.listdir(own_master.parent) == ["master.key"]


def test_a_missing_key_says_what_to_do(tmp_path: Path, settings: Any) -> None:
    settings.MANYEYES_MASTER_KEY_FILE = tmp_path / "absent"
    with pytest.raises(keyring.MasterKeyError, match=r"MANYEYES_MASTER_KEY_FILE: .*manyeyes init"):
        keyring.require_master()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_others_may_read_is_refused(own_master: Path, mode: int) -> None:
    keyring.require_master()
    own_master.chmod(mode)
    with pytest.raises(keyring.MasterKeyError, match="chmod 600"):
        keyring.require_master()


def test_a_key_inside_the_data_directory_is_refused(tmp_path: Path, settings: Any) -> None:
    settings.MANYEYES_DATA_DIR = tmp_path / "data"
    settings.MANYEYES_MASTER_KEY_FILE = tmp_path / "data" / "conf" / "master.key"
    with pytest.raises(keyring.MasterKeyError, match="inside the data directory"):
        keyring.create_master()
    assert not (tmp_path / "data").exists()
    place = tmp_path / "data" / "conf" / "master.key"
    place.parent.mkdir(parents=True)
    place.write_text("ab" * 32)
    place.chmod(0o600)
    link = tmp_path / "link.key"
    link.symlink_to(place)
    for path in (place, link):
        settings.MANYEYES_MASTER_KEY_FILE = path
        with pytest.raises(keyring.MasterKeyError, match="inside the data directory"):
            keyring.require_master()


@pytest.mark.parametrize("content", ["", "xyz", "ab" * 31, "ab" * 33, "ü" * 64])
def test_a_broken_key_is_refused_without_being_shown(own_master: Path, content: str) -> None:
    own_master.write_text(content)
    with pytest.raises(keyring.MasterKeyError, match="64 hexadecimal") as caught:
        keyring.require_master()
    assert not content or content not in str(caught.value)


def test_sealing_refuses_what_it_did_not_make() -> None:
    secret = os.urandom(32)
    assert unseal(secret, seal(secret, b"", b"here"), b"here") == b""
    for blob in (b"", b"\x01", seal(secret, b"x", b"there"), b"\x02" + seal(secret, b"x", b"here")[1:]):
        with pytest.raises(Tampered):
            unseal(secret, blob, b"here")


@pytest.mark.django_db
def test_keys_differ_and_are_stored_wrapped() -> None:
    one, two = keyring.new_key("case"), keyring.new_key("program")
    secrets = {keyring.opened(key.pk).secret for key in (one, two)}
    assert len(secrets) == 2
    for row in DataKey.objects.all():
        assert not any(secret in bytes(row.wrapped or b"") for secret in secrets)
    assert "…" in repr(keyring.opened(one.pk))
    with pytest.raises(ValueError, match="purpose"):
        keyring.new_key("root")


@pytest.fixture
def own_ring(own_master: Path, db: None) -> Path:
    """A master key of the test's own, with no root key yet."""
    DataKey.objects.filter(pk=keyring.ROOT_ID).delete()
    keyring.forget()
    return own_master


def test_the_wrong_master_key_is_named(own_ring: Path) -> None:
    key = keyring.new_key("case")
    own_ring.write_text("cd" * 32)
    keyring.forget()
    with pytest.raises(Tampered, match="not the master key"):
        keyring.opened(key.pk)


def test_rotation_keeps_every_key_and_needs_only_the_new_master(own_ring: Path) -> None:
    keys = [keyring.new_key("case") for _ in range(3)]
    gone = keyring.new_key("case")
    keyring.shred(gone)
    token = tokens.keyed("search", "word")
    before = [keyring.opened(key.pk) for key in keys]
    old = masterkey.masters()[0]
    wrapped = set(map(bytes, DataKey.objects.filter(destroyed_at=None).values_list("wrapped", flat=True)))
    assert keyring.rotate() == DataKey.objects.filter(destroyed_at=None).count() >= 4
    assert old not in masterkey.masters()
    assert len(masterkey.masters()) == 1
    keyring.forget()
    assert [keyring.opened(key.pk) for key in keys] == before
    assert tokens.keyed("search", "word") == token
    after = set(map(bytes, DataKey.objects.filter(destroyed_at=None).values_list("wrapped", flat=True)))
    assert not wrapped & after
    with pytest.raises(keyring.Shredded):
        keyring.opened(gone.pk)


@pytest.mark.parametrize("crash", ["wrapping", "last"])
def test_a_rotation_cut_short_loses_nothing_and_can_be_repeated(own_ring: Path, monkeypatch: Any, crash: str) -> None:
    keys = [keyring.new_key("case") for _ in range(3)]
    before = [keyring.opened(key.pk) for key in keys]
    old = masterkey.masters()[0]
    true_replace, calls = masterkey.replace, []

    def replace(kept: list[bytes]) -> None:
        calls.append(len(kept))
        if crash == "last" and len(kept) == 1:
            raise KeyboardInterrupt
        true_replace(kept)

    def broken(row: DataKey) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(masterkey, "replace", replace)
        if crash == "wrapping":
            patch.setattr(keyring, "_secret_of", broken)
        with pytest.raises(KeyboardInterrupt):
            keyring.rotate()
    keyring.forget()
    assert [keyring.opened(key.pk) for key in keys] == before
    keyring.rotate()
    keyring.forget()
    assert [keyring.opened(key.pk) for key in keys] == before
    assert old not in masterkey.masters()
    assert len(masterkey.masters()) == 1


@pytest.mark.django_db
def test_shredding_destroys_the_wrapped_bytes() -> None:
    key = keyring.new_key("case")
    keyring.opened(key.pk)
    keyring.shred(key)
    row = DataKey.objects.get(pk=key.pk)
    assert (row.wrapped, row.wrapped_by) == (None, "")
    assert row.destroyed_at is not None
    with pytest.raises(keyring.Shredded):
        keyring.opened(key.pk)
    keyring.warm([key.pk])  # passes it over
    at = row.destroyed_at
    keyring.shred(key)
    assert DataKey.objects.get(pk=key.pk).destroyed_at == at


@pytest.mark.django_db
def test_the_root_key_is_one_and_stays() -> None:
    assert tokens.keyed("a", "x") == tokens.keyed("a", "x")
    with pytest.raises(Refused, match="root"):
        keyring.shred(DataKey.objects.get(pk=keyring.ROOT_ID))
    assert DataKey.objects.filter(purpose="root").count() == 1


@pytest.mark.django_db
def test_the_cache_is_bounded_and_forgets(monkeypatch: Any, django_assert_num_queries: Any) -> None:
    monkeypatch.setattr(keyring, "CACHE_SIZE", 3)
    keys = [keyring.new_key("case") for _ in range(6)]
    for key in keys:
        keyring.opened(key.pk)
    assert len(keyring._cache) == 3
    with django_assert_num_queries(0):
        keyring.opened(keys[-1].pk)
    with django_assert_num_queries(1):
        keyring.opened(keys[0].pk)
    monkeypatch.setattr(keyring, "CACHE_SECONDS", 0.0)
    with django_assert_num_queries(1):
        keyring.opened(keys[0].pk)


@pytest.mark.django_db(transaction=True)
def test_many_threads_agree_on_the_root_key() -> None:
    from django.db import connections

    DataKey.objects.filter(pk=keyring.ROOT_ID).delete()
    keyring.forget()
    names: set[str] = set()

    def ask() -> None:
        try:
            names.add(tokens.keyed("a", "x"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 1
    assert DataKey.objects.filter(purpose="root").count() == 1


@pytest.mark.django_db
def test_tokens_differ_by_purpose_and_text() -> None:
    names = [tokens.keyed(p, t) for p, t in (("a", "x"), ("b", "x"), ("a", "y"), ("a", "\ud800"))]
    assert len(set(names)) == 4
    assert all(len(name) == 64 for name in names)
    assert tokens.fleeting("10.0.0.1") == tokens.fleeting("10.0.0.1") != tokens.fleeting("10.0.0.2")


@pytest.mark.django_db
def test_sealed_text_opens_for_its_purpose_only() -> None:
    sealed = tokens.seal_text("mfa", "JBSWY3DP")
    assert "JBSWY3DP" not in sealed
    assert tokens.open_text("mfa", sealed) == "JBSWY3DP"
    for purpose, text in (("other", sealed), ("mfa", "JBSWY3DP"), ("mfa", sealed[:-4]), ("mfa", "ü")):
        with pytest.raises(Tampered):
            tokens.open_text(purpose, text)


@pytest.mark.django_db(transaction=True)
def test_a_shredded_key_is_gone_from_the_database_files() -> None:
    key = keyring.new_key("case")
    wrapped = bytes(DataKey.objects.get(pk=key.pk).wrapped or b"")
    base = Path(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's files are not ours to read")

    def held() -> bool:
        return any(wrapped in file.read_bytes() for file in base.parent.glob(base.name + "*"))

    assert held()
    keyring.shred(key)
    assert not held()


@pytest.mark.django_db(transaction=True)
def test_a_root_key_that_was_rolled_back_is_forgotten() -> None:
    DataKey.objects.filter(pk=keyring.ROOT_ID).delete()
    keyring.forget()
    names = []

    @transaction.atomic
    def lost() -> None:
        names.extend(tokens.keyed("a", "x") for _ in range(3))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        lost()
    assert len(set(names)) == 1
    after = tokens.keyed("a", "x")
    keyring.forget()
    assert tokens.keyed("a", "x") == after != names[0]
    with CaptureQueriesContext(connection) as queries:
        assert {tokens.keyed("a", "x") for _ in range(3)} == {after}
    assert len(queries) == 0  # settled, so cached again


@pytest.mark.django_db
def test_migrate_makes_the_root_key() -> None:
    assert DataKey.objects.filter(pk=keyring.ROOT_ID).exists()
