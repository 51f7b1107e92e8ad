"""Answers what the web server cannot read as a request, so that nobody meets a page that is not ours."""

from __future__ import annotations

import contextlib
from typing import Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import ThreadWorker

LONGEST_LINE = 8190
"""Bytes of a request's first line: method, address, version. More than browsers and tools make of our addresses."""
HEAD = 64
"""Bytes that are kept of a line that is too long, to see who asks."""
ANSWERS: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.LimitRequestLine, 414, "URI Too Long"),
    (errors.LimitRequestHeaders, 431, "Request Header Fields Too Large"),
    (errors.InvalidRequestLine, 400, "Bad Request"),
    (errors.InvalidHeader, 400, "Bad Request"),
    (errors.InvalidHeaderName, 400, "Bad Request"),
)
GUARD = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; frame-ancestors 'none'"


class FirstLine(Request):  # type: ignore[misc]
    """A request that remembers how its first line began, where the whole of it is too long."""

    def read_line(self, unreader: Any, buf: Any, limit: int = 0) -> tuple[bytes, bytearray]:
        """The line, as always."""
        try:
            found: tuple[bytes, bytearray] = super().read_line(unreader, buf, limit)
        except errors.LimitRequestLine as error:
            error.began = bytes(buf[:HEAD])
            raise
        return found


class Threads(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's worker with threads; its own refusals look like ours and repeat nothing of what was sent."""

    def init_process(self) -> None:
        """Remember first lines from here on."""
        RequestParser.mesg_class = FirstLine
        super().init_process()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer it where it is a request that cannot be read; the rest as always."""
        found = next(((code, words) for kind, code, words in ANSWERS if isinstance(exc, kind)), None)
        if found is None:
            super().handle_error(req, client, addr, exc)
            return
        code, words = found
        self.log.warning("Invalid request")  # neither from whom nor what
        with contextlib.suppress(OSError):
            util.write_nonblock(client, answer(code, words, machine=b" /api/" in getattr(exc, "began", b"")))


def answer(code: int, words: str, *, machine: bool) -> bytes:
    """The whole answer: a problem of RFC 9457 for programs, else a page."""
    body, kind = (_problem(code), "application/problem+json") if machine else (_page(code), "text/html; charset=utf-8")
    lines = [
        f"HTTP/1.1 {code} {words}", "Connection: close", f"Content-Type: {kind}", f"Content-Length: {len(body)}",
        "Cache-Control: no-store", "X-Content-Type-Options: nosniff", f"Content-Security-Policy: {GUARD}",
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode() + body


def _problem(code: int) -> bytes:
    from manyeyes.http import problem

    return bytes(problem(code).content)


def _page(code: int) -> bytes:
    from django.template.loader import render_to_string

    return render_to_string("errors/unreadable.html", {"theme": "auto", "code": code}).encode()
