"""Mails signed and encrypted: the real gpg and Sequoia open them; what cannot be encrypted is not sent, and says so."""

from __future__ import annotations

import email
import uuid
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail import get_connection

from manyeyes import events
from manyeyes.accounts import postkey
from manyeyes.accounts.models import Person
from manyeyes.events.models import Delivery
from manyeyes.events.outbox import Sent
from manyeyes.programs import openpgp as program_key
from manyeyes.programs.models import Program
from manyeyes.programs.setup import create_program
from manyeyes.rules import clock
from manyeyes.rules.errors import NotFound
from manyeyes.rules.lifecycle import Role
from manyeyes.vault import keyring, openpgp, postkeys
from manyeyes.vault.models import OpenPGPKey
from tests.gnupg import Gnupg
from tests.people import make_person

pytestmark = pytest.mark.django_db
REF = "ME-7K3F-Q2M4"
LINK = f"/my/{REF}/"


@pytest.fixture(scope="module")
def gnupg() -> Iterator[Gnupg]:
    made = Gnupg()
    yield made
    made.close()


@pytest.fixture
def program() -> Program:
    lena = make_person("lena", "Lena S.")
    made = create_program(
        slug="wicket", name="Wicket", organisation="Larkfield", contact_email="security@larkfield.example",
        members={lena: [Role.PROGRAM_MANAGER]},
    )  # fmt: skip
    program_key.make_key(made, by=lena)
    return made


@pytest.fixture
def rhea() -> Person:
    return make_person("rhea", handle="rhea_k")


def queue(who: Person, program: Program | None = None, ref: str = REF) -> Delivery:
    sender = program_key.subject(program) if program else ""
    return events.queue_mail(who.pk, ref, f"/my/{ref}/", reason="new_message", sender=sender)


def sent(settings: Any, tmp_path: Path) -> Message:
    """The one mail of a round, as the bytes that go over the wire."""
    mail.outbox.clear()
    assert events.deliver_due() == Sent(sent=1)
    [letter] = mail.outbox
    wire = letter.message().as_bytes(linesep="\r\n")  # what the SMTP backend sends
    assert wire == letter.message().as_bytes(linesep="\r\n")
    (tmp_path / "mail").mkdir(exist_ok=True)
    held = get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=str(tmp_path / "mail"))
    held.send_messages([letter])
    assert b"BEGIN PGP" in next((tmp_path / "mail").iterdir()).read_bytes() or not letter.made
    return email.message_from_bytes(wire)


def signed_part(whole: Message) -> tuple[bytes, str]:
    """(the bytes that the signature covers, the signature), cut out of the wire as a mail program does."""
    wire, border = whole.as_bytes(policy=email.policy.compat32.clone(linesep="\r\n")), whole.get_boundary()
    covered = wire.split(f"--{border}\r\n".encode())[1].removesuffix(b"\r\n")
    signature = whole.get_payload()[1]
    assert signature.get_content_type() == "application/pgp-signature"
    return covered, signature.get_payload()


def test_a_mail_is_signed_with_the_programs_key(
    program: Program, rhea: Person, gnupg: Gnupg, settings: Any, tmp_path: Path
) -> None:
    gnupg.run("--import", given=program_key.public_key(program).encode())
    queue(rhea, program)
    whole = sent(settings, tmp_path)
    assert whole.get_content_type() == "multipart/signed"
    assert whole.get_param("protocol") == "application/pgp-signature"
    assert whole.get_param("micalg") == "pgp-sha512"
    assert (whole["Subject"], whole["To"]) == (f"[{REF}] news", "rhea@larkfield.example")
    covered, signature = signed_part(whole)
    assert LINK.encode() in covered.replace(b"=\r\n", b"")
    assert gnupg.verify(covered, signature)[0]
    assert not gnupg.verify(covered.replace(b"new", b"old"), signature)[0]


@pytest.mark.parametrize("kind", ["future-default", "rsa3072"])
def test_a_mail_to_a_key_of_gnupg_opens_there(
    program: Program, rhea: Person, gnupg: Gnupg, settings: Any, tmp_path: Path, kind: str
) -> None:
    who = f"{kind}-{uuid.uuid4().hex[:6]}@larkfield.example"
    gnupg.run("--import", given=program_key.public_key(program).encode())
    public = gnupg.make(who, kind, "default" if kind == "future-default" else "sign,encrypt")
    postkey.give(rhea, text=public)
    queue(rhea, program)
    whole = sent(settings, tmp_path)
    assert (whole.get_content_type(), whole["Subject"]) == ("multipart/encrypted", f"[{REF}] news")
    version, sealed = whole.get_payload()
    assert (version.get_content_type(), version.get_payload().strip()) == ("application/pgp-encrypted", "Version: 1")
    assert LINK not in whole.as_string()
    text, said = gnupg.read(sealed.get_payload())
    assert LINK in email.message_from_bytes(text).get_payload(decode=True).decode()
    assert "GOODSIG" in said


def test_a_mail_to_a_key_of_sequoia_opens_there(program: Program, rhea: Person, settings: Any, tmp_path: Path) -> None:
    from pysequoia import Tsk, decrypt

    tsk = Tsk.generate(user_id="rhea")
    postkey.give(rhea, text=str(tsk.extract_certificate()))
    queue(rhea, program)
    sealed = sent(settings, tmp_path).get_payload()[1].get_payload()
    opened = decrypt(sealed.encode(), tsk.decryptor()).bytes
    assert opened is not None
    assert LINK in email.message_from_bytes(opened).get_payload(decode=True).decode()


def test_what_cannot_be_encrypted_is_not_sent_and_waits_for_another_key(
    program: Program, rhea: Person, caplog: pytest.LogCaptureFixture
) -> None:
    postkey.give(rhea, text=openpgp.generate("rhea").armored)
    OpenPGPKey.objects.filter(subject=rhea.actor).update(expires_at=clock.now() - timedelta(minutes=1))
    row = queue(rhea, program)
    assert events.deliver_due() == Sent(held=1)
    assert events.deliver_due() == Sent()
    assert mail.outbox == []
    row.refresh_from_db()
    assert (row.note, row.sent_at) == ("key_expired", None)
    standing = postkey.standing(rhea)
    assert (standing.trouble, standing.held) == ("expired", 1)
    assert [one.pk for one in events.held([REF])] == [row.pk]
    [told] = events.log(rhea.actor).filter(kind="mail.held")
    assert told.data == {"why": "expired", "delivery": str(row.pk)}
    assert "a mail could not be encrypted and was not sent: key expired" in caplog.text
    assert rhea.email not in caplog.text
    assert events.held(["ME-0000-0000"]) == []
    postkey.give(rhea, text=openpgp.generate("rhea").armored)
    assert events.deliver_due() == Sent(sent=1)
    assert events.deliver_due() == Sent()
    assert [letter.message().get_content_type() for letter in mail.outbox] == ["multipart/encrypted"]
    assert mail.outbox[0].extra_headers["Message-ID"] == f"<{row.pk}@manyeyes>"


def test_a_key_that_is_broken_later_holds_the_mail_too(program: Program, rhea: Person) -> None:
    postkeys.keep(rhea.actor, openpgp.Found(fingerprint="00", armored="rubbish", expires_at=None))
    queue(rhea, program)
    assert events.deliver_due() == Sent(held=1)
    assert mail.outbox == []
    assert postkey.standing(rhea).trouble == "unreadable"


def test_a_shredded_key_never_lets_a_mail_out_in_the_clear(program: Program, rhea: Person) -> None:
    row = postkey.give(rhea, text=openpgp.generate("rhea").armored)
    keyring.shred(row.key)
    queue(rhea, program)
    assert events.deliver_due() == Sent(held=1)
    assert mail.outbox == []
    assert postkey.standing(rhea).trouble == "unreadable"


def test_a_program_whose_key_does_not_sign_still_tells_people_and_says_so(program: Program, rhea: Person) -> None:
    OpenPGPKey.objects.filter(subject=program_key.subject(program)).update(expires_at=clock.now() - timedelta(days=1))
    queue(rhea, program)
    assert events.deliver_due() == Sent(sent=1)
    assert mail.outbox[0].message().get_content_type() == "text/plain"
    key = program_key.key_of(program)
    assert key is not None
    assert postkeys.trouble_of(key) == "expired"


def test_who_removes_their_key_gets_plain_mail_again(program: Program, rhea: Person) -> None:
    postkey.give(rhea, text=openpgp.generate("rhea").armored)
    postkey.remove(rhea)
    with pytest.raises(NotFound):
        postkey.remove(rhea)
    queue(rhea, program)
    assert events.deliver_due() == Sent(sent=1)
    assert mail.outbox[0].message().get_content_type() == "multipart/signed"


def test_a_case_can_be_muted_and_heard_again(rhea: Person) -> None:
    events.choose(rhea.pk, REF, False)
    row = queue(rhea)
    queue(rhea, ref="ME-0000-0001")
    assert events.deliver_due() == Sent(sent=1, skipped=1)
    row.refresh_from_db()
    assert row.note == "muted_case"
    events.choose(rhea.pk, REF, None)
    queue(rhea)
    assert events.deliver_due() == Sent(sent=1)
    events.choose(rhea.pk, REF, True)
    assert events.followers(REF) == [rhea.pk]
    assert events.chosen(rhea.pk, REF) is True
