"""Speaks to a program's API over HTTP: JSON and one file at a time, problems turned into sentences; nothing else."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from manyeyes.commands.questions import UsageError
from manyeyes.plugins.builtin.targets.saying import printable

TIMEOUT = 120.0
LARGEST = 4_000_000
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


PATIENCE = 20
"""Seconds that are waited without a word where the site says when to go on."""
TRIES = 4
MENDS = {
    401: "Make another token under {base}/my/tokens/ and put it into the variable that --token-env names.",
    403: "Make a token that may under {base}/my/tokens/, and run the same command again.",
    413: "Shorten the answers; a measurement becomes smaller with --no-texts.",
    429: "Wait {wait} and run the same command again: nothing is sent twice.",
}
"""What helps against a refusal, where the site cannot know how we were called."""


class Refusal(Exception):  # noqa: N818 -- an answer that a person reads
    """What the program answered in place of what was asked; `fields` says what to mend, `mend` what else helps."""

    def __init__(self, status: int, detail: str, fields: Mapping[str, str], mend: str = "") -> None:
        lines = [f"{printable(name)}: {printable(said)}" for name, said in fields.items()]
        super().__init__("\n".join([f"{printable(detail)} ({status})", *lines, *([mend] if mend else [])]))
        self.code, self.fields = status, dict(fields)


class Lost(Exception):  # noqa: N818 -- an answer that a person reads
    """No answer came: what was sent may have arrived, and is sent again under the same name."""


def _scheme_of(address: str) -> str:
    """How a site is spoken to whose scheme was left out: a server on this very machine seldom has a certificate."""
    return "http" if urlsplit(f"//{address}").hostname in LOCAL else "https"


class _Stays(urllib.request.HTTPRedirectHandler):
    """Follows nowhere: a token and a report go to the address that was typed, or not at all."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Api:
    """The API below an address. Raises UsageError for an address that would send a report readable to others."""

    def __init__(self, address: str, token: str = "") -> None:
        parts = urlsplit(address if "//" in address else f"{_scheme_of(address)}://{address}")
        host = parts.hostname or ""
        if parts.scheme not in ("https", "http") or not host:
            raise UsageError(f"--to: {address} is no address of a site; write it like https://reports.example")
        if parts.scheme == "http" and host not in LOCAL and not host.endswith(".onion"):
            raise UsageError("--to: over http everybody on the way could read the report; use https")
        self.base = f"{parts.scheme}://{parts.netloc}"
        self.token = token
        context = urllib.request.HTTPSHandler(context=ssl.create_default_context())
        ways: list[urllib.request.BaseHandler] = [_Stays(), context]
        ways += [urllib.request.ProxyHandler({})] if host in LOCAL else []
        self._open = urllib.request.build_opener(*ways).open

    def get(self, path: str) -> dict[str, Any]:
        """What is there. Raises Refusal and Lost."""
        return self._call(urllib.request.Request(f"{self.base}/api/v1{path}"))  # noqa: S310 -- the scheme was checked

    def post(self, path: str, data: Mapping[str, Any], *, resend: str = "") -> dict[str, Any]:
        """What sending this came to. The same `resend` again does nothing twice."""
        body = json.dumps(data).encode()
        return self._send(path, body, "application/json", resend)

    def upload(self, path: str, data: bytes, *, name: str, resend: str = "") -> dict[str, Any]:
        """What sending this file came to."""
        edge = f"manyeyes-{uuid.uuid4().hex}"
        head = (
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{_quoted(name)}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + data + f"\r\n--{edge}--\r\n".encode()
        return self._send(path, body, f"multipart/form-data; boundary={edge}", resend)

    def _send(self, path: str, body: bytes, kind: str, resend: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.base}/api/v1{path}", data=body, method="POST")  # noqa: S310
        request.add_header("Content-Type", kind)
        if resend:
            request.add_header("Idempotency-Key", resend)
        return self._call(request)

    def _call(self, request: urllib.request.Request) -> dict[str, Any]:
        if self.token:
            request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        request.add_header("Accept", "application/json")
        for tries_left in reversed(range(TRIES)):
            try:
                return self._once(request)
            except urllib.error.HTTPError as error:
                pause = _pause(error)
                if error.code not in (429, 503) or pause is None or pause > PATIENCE or not tries_left:
                    raise self._refusal(error, pause) from None
                error.close()
                time.sleep(pause)
        raise AssertionError("the last try answers or raises")

    def _once(self, request: urllib.request.Request) -> dict[str, Any]:
        try:
            with self._open(request, timeout=TIMEOUT) as answer:
                found = _object(answer.read(LARGEST))
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException) as error:
            said = getattr(error, "reason", None) or error
            raise Lost(f"{self.base} did not answer: {said}") from None
        if found is None:
            raise UsageError(f"--to: {self.base} answers, but not as a program of manyeyes does")
        return found

    def _refusal(self, error: urllib.error.HTTPError, pause: int | None) -> Exception:
        if error.code in (301, 302, 303, 307, 308):
            return UsageError("--to: the site leads on to another address; give that one")
        try:
            found = _object(error.read(LARGEST)) or {}
        except (OSError, http.client.HTTPException):
            found = {}
        if error.code >= 500:
            return Lost(str(found.get("detail") or f"the site failed ({error.code})"))
        fields = found.get("fields")
        named = {str(name): str(said) for name, said in fields.items()} if isinstance(fields, dict) else {}
        mend = MENDS.get(error.code, "").format(base=self.base, wait=_long(pause))
        return Refusal(error.code, str(found.get("detail") or error.reason), named, mend)


def _pause(error: urllib.error.HTTPError) -> int | None:
    """Seconds after which the site wants to be asked again; None where it does not say."""
    said = str(error.headers.get("Retry-After", "")).strip()
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 7 else None


def _long(seconds: int | None) -> str:
    if seconds is None:
        return "a while"
    return f"{seconds} seconds" if seconds < 90 else f"{-(-seconds // 60)} minutes"


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _quoted(name: str) -> str:
    """A name that cannot end the line it stands on."""
    return "".join(sign if sign.isprintable() and sign not in '"\\' else "_" for sign in name) or "file"
