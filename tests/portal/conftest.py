"""The cast, its browsers, and one case on every rung, for every test of this room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.people import Cast, make_cast


@pytest.fixture(autouse=True)
def no_second_factor(settings: Any) -> None:
    """The second factor has a test of its own."""
    settings.MANYEYES_REQUIRE_MFA = False


@pytest.fixture
def cast(db: None) -> Cast:
    """The program about Wicket and its people."""
    return make_cast()


@pytest.fixture
def as_(cast: Cast) -> Callable[[str], Client]:
    """The browser of somebody of the cast, signed in; "nobody" is not."""

    def browser(name: str) -> Client:
        client = Client()
        if name != "nobody":
            client.force_login(getattr(cast, name), backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return browser
