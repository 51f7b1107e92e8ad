"""Mails about an account go the way of all others: encrypted and signed where there are keys, or not sent at all."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.test import Client

from manyeyes import events
from manyeyes.accounts import leaving, postkey
from manyeyes.accounts.models import Person
from manyeyes.accounts.people import create_account
from manyeyes.events import letters
from manyeyes.events.models import Delivery
from manyeyes.programs import openpgp as program_key
from manyeyes.programs.setup import create_program
from manyeyes.rules import clock
from manyeyes.rules.lifecycle import Role
from manyeyes.vault import openpgp
from manyeyes.vault.models import OpenPGPKey
from tests import marker
from tests.gnupg import Gnupg
from tests.people import make_person

PASSWORD = "a long enough passphrase"
ADDRESS = "rhea@larkfield.example"

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def gnupg() -> Iterator[Gnupg]:
    made = Gnupg()
    made.make(ADDRESS)
    yield made
    made.close()


@pytest.fixture
def rhea() -> Person:
    return create_account(email=ADDRESS, handle="rhea_k", password=PASSWORD)


@pytest.fixture
def signing(gnupg: Gnupg) -> None:
    """A program whose key signs."""
    lena = make_person("lena", "Lena S.")
    made = create_program(
        slug="wicket", name="Wicket", organisation="Larkfield", members={lena: [Role.PROGRAM_MANAGER]}
    )
    program_key.make_key(made, by=lena)
    gnupg.run("--import", given=program_key.public_key(made).encode())


def ask_for_reset() -> str:
    """The one mail that follows, as it goes over the wire."""
    mail.outbox.clear()
    assert Client().post("/accounts/password/reset/", {"email": ADDRESS}).status_code == 302
    [letter] = mail.outbox
    return letter.message().as_bytes(linesep="\r\n").decode()


def test_without_keys_a_mail_is_plain_and_its_words_are_kept_no_longer_than_needed(rhea: Person) -> None:
    told = ask_for_reset()
    link = re.search(r"/accounts/password/reset/key/\S+", told)
    assert link is not None
    assert f"To: {ADDRESS}" in told
    row = Delivery.objects.get()
    assert (row.sealed, row.case_ref, row.reason) == ("", "", "account.password_reset_key")
    assert marker.find_in_database(link[0], connection) == []


def test_the_link_of_a_reset_is_encrypted_to_the_key_of_its_owner_and_works(
    rhea: Person, signing: None, gnupg: Gnupg
) -> None:
    postkey.give(rhea, text=gnupg.public(ADDRESS))
    wire = ask_for_reset()
    assert "multipart/encrypted" in wire
    assert "reset" not in wire.lower()
    sealed = email.message_from_string(wire).get_payload()[1].get_payload()  # type: ignore[index, union-attr]
    opened, said = gnupg.read(str(sealed))
    assert "GOODSIG" in said
    words = email.message_from_bytes(opened).get_payload(decode=True).decode()  # type: ignore[union-attr]
    link = re.search(r"/accounts/password/reset/key/\S+", words)
    assert link is not None
    browser = Client()
    form = browser.get(link[0], follow=True)
    new = "quite another passphrase"
    done = browser.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert done.status_code == 302
    rhea.refresh_from_db()
    assert rhea.check_password(new)


def test_the_answer_comes_before_the_mail_is_made(rhea: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real = letters.letter

    def making(*given: Any, **more: Any) -> Any:
        order.append("mail")
        return real(*given, **more)

    def answered(handler: Any, request: Any) -> Any:
        answer = in_full(handler, request)
        order.append("answer")
        return answer

    in_full = BaseHandler.get_response
    monkeypatch.setattr(letters, "letter", making)
    monkeypatch.setattr(BaseHandler, "get_response", answered)
    assert Client().post("/accounts/password/reset/", {"email": ADDRESS}).status_code == 302
    assert order == ["answer", "mail"]
    assert len(mail.outbox) == 1


def test_a_mail_to_somebody_without_a_key_is_signed(rhea: Person, signing: None, gnupg: Gnupg) -> None:
    wire = ask_for_reset()
    assert "multipart/signed" in wire
    assert "/accounts/password/reset/key/" in wire.replace("=\r\n", "")


def test_an_address_that_somebody_else_claims_is_not_encrypted_to_their_key(rhea: Person, gnupg: Gnupg) -> None:
    postkey.give(rhea, text=gnupg.public(ADDRESS))
    rhea.emailaddress_set.create(email="victim@larkfield.example", verified=False)
    Client().post("/accounts/signup/", {"email": "victim@larkfield.example", "password1": PASSWORD})
    assert "BEGIN PGP" not in mail.outbox[0].message().as_string()


def test_with_a_key_that_has_run_out_nothing_is_sent_and_it_is_said(rhea: Person, caplog: Any) -> None:
    postkey.give(rhea, text=openpgp.generate("rhea").armored)
    OpenPGPKey.objects.filter(subject=rhea.actor).update(expires_at=clock.now() - timedelta(minutes=1))
    answer = Client().post("/accounts/password/reset/", {"email": ADDRESS}, follow=True)
    assert mail.outbox == []
    assert [row.note for row in events.held()] == ["key_expired"]
    assert "key expired" in caplog.text
    assert ADDRESS not in caplog.text
    assert postkey.standing(rhea).held == 1
    assert "OpenPGP key" in answer.content.decode(), "everybody is told what a silent mailbox may mean"
    leaving.end_account(rhea)
    assert not Delivery.objects.exists()
