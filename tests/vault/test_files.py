"""Encrypted files: what was written comes back, and every cut, swap or change of a chunk is detected."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import RequestFactory

from manyeyes.vault import files, keyring, uploads
from manyeyes.vault.files import CHUNK, HEADER
from manyeyes.vault.models import DataKey, StoredFile
from manyeyes.vault.sealing import TAG, Tampered
from tests import marker

SECRET = b"the-secret-marker-0815"


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, settings: Any) -> Path:
    settings.MANYEYES_DATA_DIR = tmp_path / "data"
    settings.MANYEYES_DATA_DIR.mkdir()
    return tmp_path / "data"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17])
@pytest.mark.parametrize("piece", [1000, CHUNK, 200_000])
def test_content_comes_back(key: DataKey, size: int, piece: int) -> None:
    content = os.urandom(size)
    row = files.write(key, (content[at : at + piece] for at in range(0, size, piece)), name="ü.txt", media_type="a/b")
    again = StoredFile.objects.get(pk=row.pk)
    assert files.read_all(again) == content
    assert (again.name, again.media_type, again.size) == ("ü.txt", "a/b", size)
    assert again.sha256 == hashlib.sha256(content).hexdigest()


def test_the_disk_holds_one_private_file_of_ciphertext(key: DataKey, data_dir: Path) -> None:
    row = files.write(key, [SECRET * 10_000], name=SECRET.decode())
    place = files.path_of(row.pk)
    assert place == data_dir / "files" / row.pk.hex[:2] / str(row.pk)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert os.listdir(place.parent) == [place.name]
    assert marker.find(SECRET.decode(), data_dir) == []


def _parts(place: Path) -> tuple[bytes, list[bytes]]:
    data = place.read_bytes()
    step = CHUNK + TAG
    return data[:HEADER], [data[at : at + step] for at in range(HEADER, len(data), step)]


def _cut_last(head: bytes, chunks: list[bytes]) -> bytes:
    return head + b"".join(chunks[:-1])


def _swap(head: bytes, chunks: list[bytes]) -> bytes:
    return head + b"".join([chunks[1], chunks[0], *chunks[2:]])


def _double(head: bytes, chunks: list[bytes]) -> bytes:
    return head + b"".join([chunks[0], *chunks])


def _drop_first(head: bytes, chunks: list[bytes]) -> bytes:
    return head + b"".join(chunks[1:])


def _append(head: bytes, chunks: list[bytes]) -> bytes:
    return head + b"".join(chunks) + b"x"


def _shorten(head: bytes, chunks: list[bytes]) -> bytes:
    return (head + b"".join(chunks))[:-1]


def _flip(head: bytes, chunks: list[bytes]) -> bytes:
    return head + bytes([chunks[0][0] ^ 1]) + b"".join(chunks)[1:]


def _flip_header(head: bytes, chunks: list[bytes]) -> bytes:
    return head[:-1] + bytes([head[-1] ^ 1]) + b"".join(chunks)


def _no_chunks(head: bytes, chunks: list[bytes]) -> bytes:
    return head


def _empty(head: bytes, chunks: list[bytes]) -> bytes:
    return b""


@pytest.mark.parametrize(
    "harm",
    [_cut_last, _swap, _double, _drop_first, _append, _shorten, _flip, _flip_header, _no_chunks, _empty],
)
def test_harm_is_detected(key: DataKey, harm: Any) -> None:
    row = files.write(key, [os.urandom(3 * CHUNK + 5)])
    place = files.path_of(row.pk)
    place.write_bytes(harm(*_parts(place)))
    with pytest.raises(Tampered, match=str(row.pk)):
        files.read_all(row)


def test_a_file_in_anothers_place_is_detected(key: DataKey) -> None:
    one, two = files.write(key, [b"one"]), files.write(key, [b"two"])
    files.path_of(one.pk).write_bytes(files.path_of(two.pk).read_bytes())
    with pytest.raises(Tampered):
        files.read_all(one)


def test_a_failing_source_leaves_nothing(key: DataKey, data_dir: Path) -> None:
    def source() -> Iterator[bytes]:
        yield SECRET * 5000
        raise OSError("the connection broke")

    with pytest.raises(OSError, match="broke"):
        files.write(key, source())
    assert [path for path in data_dir.rglob("*") if path.is_file()] == []
    assert not StoredFile.objects.exists()


def test_shredding_and_removing(key: DataKey, django_capture_on_commit_callbacks: Any) -> None:
    row, other = files.write(key, [b"x"]), files.write(key, [b"y"])
    place = files.path_of(other.pk)
    with django_capture_on_commit_callbacks(execute=True):
        files.remove(other)
        assert place.exists()  # the row may yet be rolled back
    assert not place.exists()
    keyring.shred(key)
    with pytest.raises(keyring.Shredded):
        files.read_all(row)


# -- uploads


class Upload(forms.Form):
    file = uploads.UploadField()


def _received(content: bytes, limit: int | None, settings: Any) -> Upload:
    settings.FILE_UPLOAD_HANDLERS = ["manyeyes.vault.uploads.EncryptingUploadHandler"]
    if limit is not None:
        settings.MANYEYES_UPLOAD_MAX_BYTES = limit
    request: HttpRequest = RequestFactory().post("/", {"file": SimpleUploadedFile("a.bin", content), "text": "kept"})
    form = Upload(request.POST, request.FILES)
    assert request.POST["text"] == "kept"
    return form


@pytest.mark.parametrize("size", [1, 100_000, uploads.IN_MEMORY, uploads.IN_MEMORY + 1, 3_000_000])
def test_an_upload_arrives_whole_and_can_be_read_twice(settings: Any, size: int) -> None:
    content = os.urandom(size)
    form = _received(content, None, settings)
    assert form.is_valid(), form.errors
    upload = form.cleaned_data["file"]
    assert (upload.name, upload.size) == ("a.bin", size)
    assert b"".join(upload.chunks()) == content == upload.read()
    upload.close()
    assert upload.read() == b""


def test_a_large_upload_never_lies_readable_on_disk(settings: Any, data_dir: Path, monkeypatch: Any) -> None:
    written = bytearray()
    true_spill = uploads.Hold._spill

    def spill(hold: uploads.Hold, piece: bytes) -> None:
        true_spill(hold, piece)
        handle = hold._file
        assert handle is not None
        assert os.fstat(handle.fileno()).st_nlink == 0  # nobody can open it, and it dies with the process
        handle.seek(0)
        written[:] = handle.read()

    monkeypatch.setattr(uploads.Hold, "_spill", spill)
    form = _received(SECRET * 70_000, None, settings)
    assert form.is_valid()
    assert len(written) > uploads.IN_MEMORY
    assert marker.found_in(SECRET.decode(), bytes(written)) == set()
    assert [path for path in data_dir.rglob("*") if path.is_file()] == []


def test_a_too_large_upload_is_named_and_the_rest_is_kept(settings: Any) -> None:
    form = _received(os.urandom(2_000_000), 1024 * 1024, settings)
    assert form.errors["file"] == ["This file is larger than 1 MB. Send a smaller one, or describe it."]


def test_an_empty_upload_is_named(settings: Any) -> None:
    assert "empty" in str(_received(b"", None, settings).errors["file"])
