"""Signing up under fire: hostile addresses, a mail server that is down, repeats, and what an answer tells of others."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.test import Client

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.accounts.people import create_account
from manyeyes.events.models import Delivery
from manyeyes.rules import clock

PASSWORD = "a long enough passphrase"
NO_ADDRESSES = [
    "q@ex.example\u202e", "q@\u202eex.example", f"q@{'ü' * 60}.example", "q@ex\u00adample.example",
    "q@xn--\u200b.example", "q@a\u3002example", "q@stra\u00dfe.example", '"\x01"@ex.example',
]  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits_of_the_house(settings: Any) -> None:
    """As they are where it runs; each test counts from nothing."""
    settings.ACCOUNT_RATE_LIMITS = {"confirm_email": "4/10m/key"}
    cache.clear()


@pytest.fixture
def rhea() -> Person:
    return create_account(email="rhea@larkfield.example", handle="rhea_k", password=PASSWORD)


def sign_up(email: str) -> Any:
    return Client().post("/accounts/signup/", {"email": email, "password1": PASSWORD})


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_no_mail_can_be_sent_to_is_refused_by_its_field_and_leaves_nothing(address: str) -> None:
    for path in ("/accounts/signup/", "/accounts/password/reset/"):
        answer = Client().post(path, {"email": address, "password1": PASSWORD})
        assert answer.status_code == 200
        assert list(answer.context["form"].errors) == ["email"]
    assert not Person.objects.exists()
    assert not EmailAddress.objects.exists()
    assert not mail.outbox


def test_an_address_with_a_domain_of_other_letters_is_taken() -> None:
    assert sign_up("q@münchen.example").status_code == 302
    assert "q@xn--mnchen-3ya.example" in str(mail.outbox[0].message())


def test_a_mail_server_that_is_down_loses_no_code(settings: Any) -> None:
    settings.EMAIL_BACKEND = "nowhere.NoBackend"
    assert sign_up("new@larkfield.example").status_code == 302
    waiting = Delivery.objects.get()
    assert (waiting.sent_at, waiting.note, waiting.words["address"]) == (
        None, "ModuleNotFoundError", "new@larkfield.example",
    )  # fmt: skip
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    events.deliver_due(waiting.due_at + (clock.now() - clock.now().replace(microsecond=0)))
    assert [letter.to for letter in mail.outbox] == [["new@larkfield.example"]]
    waiting.refresh_from_db()
    assert waiting.sealed == "", "what was sent is not kept"


def test_an_address_that_has_an_account_costs_as_much_work_as_one_that_has_none(
    rhea: Person, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    real = Argon2PasswordHasher.encode

    def counting(self: Any, password: str, salt: str) -> str:
        hashed.append(password)
        return str(real(self, password, salt))

    monkeypatch.setattr(Argon2PasswordHasher, "encode", counting)
    for address in ("new@larkfield.example", "rhea@larkfield.example"):
        hashed.clear()
        assert sign_up(address).status_code == 302
        assert hashed == [PASSWORD], address


def test_a_repeated_sign_up_is_answered_like_the_first_and_alike_for_all(rhea: Person) -> None:
    told = {
        address: [(answer.status_code, answer.get("Location")) for answer in (sign_up(address) for _ in range(6))]
        for address in ("new@larkfield.example", "rhea@larkfield.example")
    }
    new, known = told.values()
    assert new == known
    assert new[:4] == [(302, "/accounts/confirm-email/")] * 4
    assert new[4:] == [(429, None)] * 2
    page = sign_up("rhea@larkfield.example").content.decode()
    assert "css/manyeyes.css" in page
    assert "Wait ten minutes" in page


def test_who_closed_the_page_of_the_code_signs_in_and_gets_another(settings: Any) -> None:
    sign_up("new@larkfield.example")
    browser = Client()
    answer = browser.post("/accounts/login/", {"login": "new@larkfield.example", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/confirm-email/")
    assert len(mail.outbox) == 2
    for _ in range(4):
        answer = Client().post("/accounts/login/", {"login": "new@larkfield.example", "password": PASSWORD})
    assert "failed" not in answer.content.decode().lower()
    assert "Wait ten minutes, then try again." in answer.content.decode()
