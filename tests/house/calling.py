"""Calls an address of the API as somebody of the cast: with a token of theirs, never with a cookie."""

from __future__ import annotations

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from manyeyes.accounts import tokens
from tests.house.access_matrix import Row
from tests.people import Cast


def call(cast: Cast, viewer: str, path: str, row: Row, secret: str) -> HttpResponse:
    """The answer to this viewer, who has a token with every scope unless they are nobody; `secret` is of a link."""
    client = Client(raise_request_exception=False)
    headers: dict[str, str] = {}
    if viewer != "nobody":
        person: Any = getattr(cast, viewer)
        client.force_login(person)  # a session must change nothing
        _, text = tokens.issue(person, name="matrix", scopes=list(tokens.SCOPES), days=1)
        headers["Authorization"] = f"Bearer {text}"
    given: dict[str, Any] = {**row.form}
    if "file" in given:
        file = SimpleUploadedFile("recording.txt", str(given["file"]).encode())
        return client.post(path, {"file": file}, headers=headers)  # type: ignore[return-value]
    if row.method == "get":
        return client.get(path, headers=headers)  # type: ignore[return-value]
    if "target" in given:
        given["target"] = str(cast.target.pk)
    if "link" in given:
        given["link"] = secret
    return client.post(path, json.dumps(given), content_type="application/json", headers=headers)  # type: ignore[return-value]
