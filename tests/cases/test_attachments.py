"""Files: kept encrypted, typed by content, limited, and shown to whom they belong."""

from __future__ import annotations

import pytest

from manyeyes.cases import access, attachments, timeline
from manyeyes.rules.errors import Invalid, NotAllowed, NotFound
from manyeyes.vault import files
from manyeyes.vault.models import StoredFile
from tests.people import Cast, submit


def test_a_file_comes_back_as_it_was_sent_and_lies_encrypted(cast: Cast) -> None:
    case = submit(cast)
    row = attachments.attach(case, by=cast.rhea, chunks=[b"MARKER-", b"5512 transcript"], name="C:\\x\\note.html")
    found = access.attachment_for(cast.theo, row.pk)
    assert b"".join(attachments.content(found)) == b"MARKER-5512 transcript"
    assert (found.stored.name, found.stored.media_type, found.stored.size) == ("note.html", "text/plain", 22)
    assert b"MARKER" not in files.path_of(row.stored_id).read_bytes()
    assert timeline.entries(case, cast.theo)[-1].item == row


def test_internal_files_do_not_exist_for_the_researcher(cast: Cast) -> None:
    case = submit(cast)
    row = attachments.attach(case, by=cast.theo, chunks=[b"x"], name="inside.txt", public=False)
    assert access.attachment_for(cast.mina, row.pk)
    for viewer in (cast.rhea, cast.eve, cast.nobody):
        with pytest.raises(NotFound):
            access.attachment_for(viewer, row.pk)
    with pytest.raises(NotAllowed):
        attachments.attach(case, by=cast.rhea, chunks=[b"x"], name="a.txt", public=False)


def test_a_refused_file_leaves_nothing_behind(cast: Cast) -> None:
    case = submit(cast)
    for by, chunks, name in (
        (cast.rhea, [b"x" * 1024 * 1024] * 26, "big.bin"),
        (cast.rhea, [], "empty.txt"),
        (cast.rhea, [b"x"], "nul\x00.txt"),
        (cast.eve, [b"x"], "stranger.txt"),
    ):
        with pytest.raises((Invalid, NotAllowed)):
            attachments.attach(case, by=by, chunks=chunks, name=name)
    assert not StoredFile.objects.exists()


@pytest.mark.parametrize(
    ("first", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"<svg onload=alert(1)>", "image/svg+xml"),
        (b"\x00\x01", "application/octet-stream"),
        (b"\xff\xfe\xfd", "application/octet-stream"),
        ("Grüße".encode() * 2000, "text/plain"),
    ],
)
def test_the_type_is_read_off_the_content(first: bytes, media_type: str) -> None:
    assert attachments.type_of(first) == media_type
