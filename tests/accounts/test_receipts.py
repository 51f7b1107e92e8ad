"""Receipts: typed in any tolerable way, proved in the same work whether they exist or not, stored unreadable."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.db import IntegrityError, connection
from django.test import RequestFactory

from manyeyes.accounts import receipts
from manyeyes.accounts.models import Person, Receipt
from manyeyes.rules.errors import Conflict
from tests import marker

DIGITS = "000011112222333344445555"


@pytest.mark.parametrize(
    "typed",
    [
        DIGITS,
        "0000 1111 2222 3333 4444 5555",
        " 0000-1111-2222-3333-4444-5555\n",
        "0000–1111—2222−3333‐4444.5555",
        "００００ １１１１ ２２２２ ３３３３ ４４４４ ５５５５",
        "٠٠٠٠ ١١١١ ٢٢٢٢ ٣٣٣٣ ٤٤٤٤ ٥٥٥٥",
        "0000\u00a01111\u200b2222\u202f333344445555",
    ],
)
def test_what_people_type_is_understood(typed: str) -> None:
    assert receipts.parse(typed) == DIGITS


@pytest.mark.parametrize(
    "typed", ["", DIGITS[:-1], DIGITS + "6", DIGITS[:-1] + "x", "x" * 24, "½" * 24, DIGITS + " " * 300, "0" * 10**6]
)
def test_what_is_no_receipt_is_none(typed: str) -> None:
    assert receipts.parse(typed) is None


@pytest.mark.django_db
def test_a_receipt_leads_back_to_its_person() -> None:
    person, shown = receipts.new_bearer()
    assert re.fullmatch(r"(\d{4} ){5}\d{4}", shown)
    assert receipts.person_for(shown) == person
    assert receipts.person_for(shown.replace(" ", "-")) == person
    assert (person.kind, person.email, person.wants_mail, str(person)) == (
        "receipt", None, False, "Anonymous researcher",
    )  # fmt: skip
    other, other_shown = receipts.new_bearer()
    assert other != person
    assert receipts.person_for(other_shown) == other


@pytest.mark.django_db
def test_one_wrong_digit_anywhere_is_refused() -> None:
    _, shown = receipts.new_bearer()
    digits = shown.replace(" ", "")
    for at in range(24):
        wrong = digits[:at] + str((int(digits[at]) + 1) % 10) + digits[at + 1 :]
        assert receipts.person_for(wrong) is None


@pytest.mark.django_db
def test_hit_miss_and_nonsense_cost_the_same_work(monkeypatch: Any, django_assert_num_queries: Any) -> None:
    person, shown = receipts.new_bearer()
    digits = shown.replace(" ", "")
    hashes: list[str] = []
    true_verify = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, h, s: hashes.append(h.rsplit("$", 2)[0]) or true_verify(self, h, s)
    )
    wrong_secret = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    wrong_place = str((int(digits[0]) + 1) % 10) + digits[1:]
    receipts.person_for(digits)
    hashes.clear()
    for typed in (digits, wrong_secret, wrong_place, "nonsense", ""):
        with django_assert_num_queries(1):
            receipts.person_for(typed)
    assert len(hashes) == 5
    assert len(set(hashes)) == 1  # the same algorithm and the same cost
    Person.objects.filter(pk=person.pk).update(is_active=False)
    assert receipts.person_for(digits) is None
    assert len(hashes) == 6


@pytest.mark.django_db
def test_nothing_stored_or_logged_holds_the_digits(caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    _, shown = receipts.new_bearer()
    receipts.person_for(shown)
    digits = shown.replace(" ", "")
    for part in (digits, shown, digits[6:], digits[6:14]):
        assert marker.find_in_database(part, connection) == []
        assert part not in caplog.text
    row = Receipt.objects.get()
    assert row.secret_hash.startswith("$argon2id$")
    assert digits[:6] not in row.locator
    assert digits not in repr(row) + str(row)


def test_the_default_cost_is_not_the_cost_of_tests(monkeypatch: Any) -> None:
    import manyeyes.settings as defaults

    source = Path(defaults.__file__).read_text(encoding="utf-8")
    memory = re.search(r'"ARGON2_MEMORY_KIB", (\d+)', source)
    assert memory is not None
    assert int(memory[1]) >= 19456  # the least that OWASP names for Argon2id
    assert receipts._hasher_of(int(memory[1])).memory_cost == int(memory[1])
    assert receipts.ROUNDS >= 2


@pytest.mark.django_db
def test_a_taken_place_is_passed_over(monkeypatch: Any) -> None:
    rolls = iter(["1" * 18, "000000", "2" * 18, "000000", "000001"])
    monkeypatch.setattr(receipts, "_roll", lambda count: next(rolls))
    one, shown_one = receipts.new_bearer()
    two, shown_two = receipts.new_bearer()
    assert shown_two.startswith("0000 0122 2222")
    assert receipts.person_for(shown_one) == one
    assert receipts.person_for(shown_two) == two


@pytest.mark.django_db
def test_a_second_receipt_is_refused() -> None:
    person, _ = receipts.new_bearer()
    with pytest.raises(Conflict, match="already"):
        receipts.issue(person)
    with pytest.raises(IntegrityError):
        Receipt.objects.create(person=person, locator="x", secret_hash="y")


@pytest.mark.django_db
def test_signing_in_by_receipt_starts_a_fresh_session() -> None:
    person, shown = receipts.new_bearer()
    request = RequestFactory().post("/return/")
    request.session, request.user = SessionStore(), AnonymousUser()
    request.session["old"] = 1
    request.session.save()
    before = request.session.session_key
    assert receipts.sign_in_receipt(request, "0" * 24) is None
    assert SESSION_KEY not in request.session
    assert receipts.sign_in_receipt(request, shown) == person
    assert request.session[SESSION_KEY] == str(person.pk)
    assert request.session.session_key != before
    assert request.user == person
