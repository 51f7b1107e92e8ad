"""Every address that allauth brings along keeps its row too, for every viewer, by GET and by POST."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.cache import cache
from django.db import transaction
from django.test import Client, TestCase, override_settings
from django.urls import get_resolver, reverse

from tests import people
from tests.house.access_accounts import ROWS
from tests.house.access_matrix import PACKAGES, VIEWERS, names
from tests.house.test_access import GROUPS, word

PASSKEY = {"name": "a key of rhea", "credential": {}}
"""Enough of one for the pages that name it; those that would use it are tried without."""


def test_every_address_of_the_packages_has_its_row() -> None:
    theirs = [name for name in names(get_resolver().url_patterns) if name.startswith(PACKAGES)]
    assert sorted(theirs) == sorted(ROWS)


@override_settings(MANYEYES_REQUIRE_MFA=False)
class TestAccess(TestCase):
    """One stage for all rows; every request is undone."""

    cast: people.Cast

    @classmethod
    def setUpTestData(cls) -> None:
        cls.cast = people.make_cast()
        RecoveryCodes.activate(cls.cast.rhea)

    def browser(self, viewer: str) -> Client:
        """Somebody who gave their password moments ago."""
        client = Client(raise_request_exception=False)
        if viewer != "nobody":
            person: Any = getattr(self.cast, viewer)
            client.force_login(person)
            session = client.session
            given = {"method": "password", "at": time.time(), "reauthenticated": True}
            session[AUTHENTICATION_METHODS_SESSION_KEY] = [given]
            session["account_authentication_methods_user"] = str(person.pk)
            session.save()
        return client

    def answer(self, viewer: str, name: str, method: str) -> str:
        """What this viewer is told there; "x" where the method is not taken."""
        cache.clear()  # the limits count apart from this
        with transaction.atomic():
            known: dict[str, Any] = {"uidb36": "1", "key": "a-key-that-never-was"}
            if "pk" in GROUPS[name]:
                kept = Authenticator(user=self.cast.rhea, type=Authenticator.Type.WEBAUTHN, data=PASSKEY)
                kept.save()
                known["pk"] = kept.pk
            path = reverse(name, kwargs={group: known[group] for group in GROUPS[name]})
            told = word(getattr(self.browser(viewer), method)(path))
            transaction.set_rollback(True)
        return {"405": "x"}.get(told, told)

    def test_every_viewer_gets_the_answer_of_the_matrix(self) -> None:
        wrong = {}
        for name, row in ROWS.items():
            for method, expected in zip(("get", "post"), row, strict=True):
                told = [self.answer(viewer, name, method) for viewer in VIEWERS]
                if told != expected.split():
                    wrong[f"{method} {name}"] = " ".join(told)
        assert wrong == {}, "\n".join(f"{n:40} {t}" for n, t in wrong.items())
