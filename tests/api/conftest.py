"""The cast, and a program of each that calls the API with a token of theirs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from manyeyes.accounts import tokens
from tests.people import Cast, make_cast

V1 = "/api/v1"


@dataclass
class Caller:
    """Calls as one person's program does."""

    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        if self.token:
            self.headers = {**self.headers, "Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"{V1}{path}", headers={**self.headers, **headers})

    def post(self, path: str, given: Any = None, **headers: str) -> Any:
        body = json.dumps({} if given is None else given)
        return self.client.post(
            f"{V1}{path}", body, content_type="application/json", headers={**self.headers, **headers}
        )

    def upload(self, path: str, data: bytes, name: str = "evidence.zip", **headers: str) -> Any:
        file = SimpleUploadedFile(name, data)
        return self.client.post(f"{V1}{path}", {"file": file}, headers={**self.headers, **headers})


@pytest.fixture(autouse=True)
def fresh_limits(settings: Any) -> Iterator[None]:
    """Each test counts its calls from nothing."""
    settings.MANYEYES_REQUIRE_MFA = False
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def cast(db: None) -> Cast:
    """The program about Wicket and its people."""
    return make_cast()


@pytest.fixture
def calls(cast: Cast) -> Callable[..., Caller]:
    """`calls("rhea")`: her program, with every scope unless some are named; "nobody" has no token."""

    def caller(name: str, *scopes: str) -> Caller:
        if name == "nobody":
            return Caller()
        person = getattr(cast, name)
        return Caller(tokens.issue(person, name="tests", scopes=scopes or tuple(tokens.SCOPES), days=1)[1])

    return caller
