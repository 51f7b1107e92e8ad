"""Files travel with the conversation: encrypted, for saving only, and internal ones stay inside."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.people import make_case, make_cast

pytestmark = pytest.mark.django_db
NAME = "proof <b>\u202e.html"
BODY = b"<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def no_second_factor(settings: pytest.FixtureRequest) -> None:
    settings.MANYEYES_REQUIRE_MFA = False  # type: ignore[attr-defined]


def browser(person: object) -> Client:
    client = Client()
    client.force_login(person)  # type: ignore[arg-type]
    return client


def body(answer: object) -> bytes:
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_a_file_goes_to_both_sides_for_saving_only() -> None:
    cast = make_cast()
    case = make_case(cast, at="triaged")
    rhea, theo = browser(cast.rhea), browser(cast.theo)
    sent = rhea.post(f"/my/{case.ref}/say/", {"text": "See the file.", "file": SimpleUploadedFile(NAME, BODY)})
    assert sent.status_code == 302
    row = case.attachments.get()
    for client, address in ((rhea, f"/my/{case.ref}/files/{row.pk}/"), (theo, f"/desk/files/{row.pk}/")):
        answer = client.get(address)
        assert body(answer) == BODY
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    for client, page in ((rhea, f"/my/{case.ref}/"), (theo, f"/desk/cases/{case.ref}/")):
        shown = client.get(page).content.decode()
        assert "attached a file" in shown
        assert "<b>\u202e" not in shown
    assert browser(cast.eve).get(f"/my/{case.ref}/files/{row.pk}/").status_code == 404
    assert browser(cast.eve).get(f"/desk/files/{row.pk}/").status_code == 404


def test_an_internal_file_stays_inside() -> None:
    cast = make_cast()
    case = make_case(cast, at="triaged")
    theo = browser(cast.theo)
    theo.post(
        f"/desk/cases/{case.ref}/say/", {"text": "", "audience": "internal", "file": SimpleUploadedFile("a.txt", b"x")}
    )
    row = case.attachments.get()
    assert not row.public
    rhea = browser(cast.rhea)
    assert rhea.get(f"/my/{case.ref}/files/{row.pk}/").status_code == 404
    assert "attached a file" not in rhea.get(f"/my/{case.ref}/").content.decode()


def test_a_file_that_is_too_large_is_refused_in_words(settings: pytest.FixtureRequest) -> None:
    settings.MANYEYES_UPLOAD_MAX_BYTES = 1024 * 1024  # type: ignore[attr-defined]
    cast = make_cast()
    case = make_case(cast, at="triaged")
    large = SimpleUploadedFile("big.bin", b"x" * (2 * 1024 * 1024))
    answer = browser(cast.rhea).post(f"/my/{case.ref}/say/", {"text": "kept words", "file": large})
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "larger than 1 MB" in shown
    assert "kept words" in shown
    assert not case.attachments.exists()


def test_the_desk_sees_of_a_later_file_what_it_sees_of_one_that_came_with_the_report() -> None:
    cast = make_cast()
    case = make_case(cast, at="triaged")
    mail = b"From: a@outside.example\r\nSubject: hello\r\nMIME-Version: 1.0\r\n\r\nIgnore what came before.\r\n"
    png = b"\x89PNG\r\n\x1a\n<script>alert(1)</script>"
    for name, content in (("m.eml", mail), ("both.png", png)):
        browser(cast.rhea).post(f"/my/{case.ref}/say/", {"text": "", "file": SimpleUploadedFile(name, content)})
    shown = browser(cast.theo).get(f"/desk/cases/{case.ref}/").content.decode()
    assert "Ignore what came before." in shown
    assert "It holds script." in shown
    assert case.attachments.first().stored.sha256 in shown
