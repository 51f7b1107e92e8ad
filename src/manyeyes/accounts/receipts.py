"""Receipts: twenty-four digits with which somebody who left no name returns to their report."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from django.conf import settings
from django.contrib.auth import login
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from manyeyes.accounts.models import Person, Receipt
from manyeyes.rules.errors import Conflict
from manyeyes.vault import tokens

DIGITS = 24
LOCATING = 6
ROUNDS = 3
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@dataclass(frozen=True, kw_only=True, repr=False)
class Secret:
    """The digits that prove a receipt, and their slow hash."""

    digits: str
    hashed: str


def fresh_secret() -> Secret:
    """A secret for a receipt, slow to make: before a transaction begins, for others wait while one is open."""
    digits = _roll(DIGITS - LOCATING)
    return Secret(digits=digits, hashed=_hasher().hash(digits))


def issue(person: Person, secret: Secret | None = None) -> str:
    """Make the receipt of `person` and return its digits, in six groups of four. They are shown once and kept nowhere.

    Raises Conflict if the person has a receipt: it cannot be shown again, and a second one is not made.
    """
    if Receipt.objects.filter(person=person).exists():
        raise Conflict("This person has a receipt already. It cannot be shown again.")
    proof = secret or fresh_secret()
    for _ in range(50):
        digits = _roll(LOCATING) + proof.digits
        try:
            with transaction.atomic():
                Receipt.objects.create(person=person, locator=_locator(digits), secret_hash=proof.hashed)
        except IntegrityError:  # the six digits are taken
            if Receipt.objects.filter(person=person).exists():
                raise Conflict("This person has a receipt already. It cannot be shown again.") from None
            continue
        return " ".join(digits[at : at + 4] for at in range(0, DIGITS, 4))
    raise Conflict("No free receipt was found. Try again.")


def new_bearer(secret: Secret | None = None) -> tuple[Person, str]:
    """A new anonymous person and the digits of their receipt."""
    proof = secret or fresh_secret()
    with transaction.atomic():
        person = Person.objects.create_person(kind=Person.Kind.RECEIPT, wants_mail=False)
        return person, issue(person, proof)


def parse(typed: str) -> str | None:
    """The twenty-four digits in what somebody typed: any script's digits, with spaces and dashes; else None.

    >>> parse("0000-1111 2222 3333 4444 5555")
    '000011112222333344445555'
    >>> parse("12 34") is None
    True
    """
    if len(typed) > 200:
        return None
    plain = re.sub(r"[\s\u00ad\u200b\u2060.,_·\-\u2010-\u2015\u2212\ufeff]", "", unicodedata.normalize("NFKC", typed))
    if len(plain) != DIGITS or not all(unicodedata.category(sign) == "Nd" for sign in plain):
        return None
    return "".join(str(unicodedata.digit(sign)) for sign in plain)


def person_for(typed: str) -> Person | None:
    """Whose receipt this is; None for any other digits, after the same work, so that time tells nothing."""
    digits = parse(typed)
    sought = digits or "x" * DIGITS
    receipt = Receipt.objects.select_related("person").filter(locator=_locator(sought)).first()
    proved = _proves(receipt.secret_hash if receipt else _nobody(), sought[LOCATING:])
    if receipt is None or digits is None or not proved or not receipt.person.is_active:
        return None
    return receipt.person


def sign_in_receipt(request: HttpRequest, typed: str) -> Person | None:
    """Sign the bearer of these digits in; None, and nobody signed in, if they are no receipt."""
    person = person_for(typed)
    if person is not None:
        sign_in_bearer(request, person)
    return person


def sign_in_bearer(request: HttpRequest, person: Person) -> None:
    """Sign somebody in who has just proved, or been given, their receipt."""
    login(request, person, backend=BACKEND)
    request.session.set_expiry(0)  # until the browser closes: on a shared computer nothing leads back to them


def _roll(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


def _locator(digits: str) -> str:
    return tokens.keyed("receipt", digits[:LOCATING])


def _proves(secret_hash: str, secret: str) -> bool:
    try:
        return _hasher().verify(secret_hash, secret)
    except (VerificationError, InvalidHashError):
        return False


def _hasher() -> PasswordHasher:
    return _hasher_of(int(settings.MANYEYES_ARGON2_MEMORY_KIB))


@cache
def _hasher_of(memory: int) -> PasswordHasher:
    return PasswordHasher(time_cost=ROUNDS, memory_cost=memory, parallelism=1)


def _nobody() -> str:
    return _nobody_of(int(settings.MANYEYES_ARGON2_MEMORY_KIB))


@cache
def _nobody_of(memory: int) -> str:
    """A hash that no receipt matches, made with the same cost as the real ones."""
    return _hasher_of(memory).hash(secrets.token_hex(16))
