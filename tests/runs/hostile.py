"""Ways in which a real server fails an answer now and then, or all the time, for the tests of whole runs."""

from __future__ import annotations

import asyncio
import email.utils
import gzip
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.runs.servers import Answerer, Server, completion

Spoil = Callable[[web.Request], Awaitable[web.StreamResponse]]

WHOLE = completion("It is BLUE-HERON-42. (0)").body
assert isinstance(WHOLE, bytes)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def status(code: int, headers: Callable[[], dict[str, str]] = dict, text: str = "no") -> Spoil:
    """Answers with this status."""

    async def spoil(request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, text=text, headers=headers())

    return spoil


def body(raw: bytes, kind: str = "application/json") -> Spoil:
    """Answers 200 with these bytes."""

    async def spoil(request: web.Request) -> web.StreamResponse:
        return web.Response(body=raw, content_type=kind)

    return spoil


def raw(*pieces: bytes, pause: float = 0.0, keep: bool = False) -> Spoil:
    """Puts these very bytes on the connection, and closes it unless told to keep it."""

    async def spoil(request: web.Request) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        for piece in pieces:
            if transport.is_closing():
                break
            transport.write(piece)
            await asyncio.sleep(pause)
        if keep:
            await asyncio.sleep(0.05)
        transport.close()
        return web.Response()

    return spoil


async def hang(request: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.sleep(3600)
    return web.Response()


def _soon() -> dict[str, str]:
    return {"Retry-After": email.utils.formatdate(time.time(), usegmt=True)}


PASSING: dict[str, Spoil] = {
    "429 with seconds": status(429, lambda: {"Retry-After": "0"}),
    "429 with a date": status(429, _soon),
    "429 with nothing": status(429),
    "429 with nonsense": status(429, lambda: {"Retry-After": "in a while"}),
    "503": status(503),
    "529": status(529),
    "500": status(500, text="Traceback: BLUE-HERON-42"),
    "502 page": status(502, text="<html>BLUE-HERON-42"),
    "connection dropped": raw(),
    "dropped in the head": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "no HTTP at all": raw(b"BLUE-HERON-42 says hello\r\n\r\n"),
    "half a JSON": body(WHOLE[: len(WHOLE) // 2]),
    "half a JSON, cut off": raw(HEAD + b"Content-Length: %d\r\n\r\n" % len(WHOLE) + WHOLE[:40]),
    "length too long": raw(HEAD + b"Content-Length: 9000\r\n\r\n" + WHOLE),
    "length too short": raw(HEAD + b"Content-Length: 20\r\n\r\n" + WHOLE, keep=True),
    "a second answer behind": raw(
        HEAD + b"Content-Length: 2\r\n\r\n{}" + HEAD + b"Content-Length: %d\r\n\r\n" % len(WHOLE) + WHOLE, keep=True
    ),
    "chunks that break off": raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\n" + WHOLE[:16] + b"\r\n"),
    "error in a 200": body(b'{"error":{"message":"BLUE-HERON-42"},"choices":[{"message":{"content":"x"}}]}'),
    "empty": body(b""),
    "no choice": body(b'{"choices":[]}'),
    "a page": body(b"<html>BLUE-HERON-42</html>", "text/html"),
    "not UTF-8": body(b'{"choices":[{"message":{"content":"\xff\xfe"}}]}'),
}
"""Failures that pass: the same call again is answered. Some hold the secret, which must never be read as an answer."""
_BOMB = gzip.compress(b'{"choices":[{"message":{"content":"' + b"BLUE-HERON-42 " * 3_000_000 + b'"}}]}')
FINAL: dict[str, Spoil] = {
    "a bomb": raw(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(_BOMB) + _BOMB, keep=True),
    "redirect": status(307, lambda: {"Location": "/v1/elsewhere"}),
    "wrong key": status(401),
    "not there": status(404, text="BLUE-HERON-42"),
    "bad request": status(400),
    "huge": body(b'{"choices":[{"message":{"content":"' + b"BLUE-HERON-42 " * 700_000 + b'"}}]}'),
}
"""Failures that trying again does not mend."""


def now_and_then(good: Answerer, spoil: Spoil, *, every: int) -> Answerer:
    """Fails the first sending of every so-manieth request; the same bytes sent again are answered."""
    failed: set[bytes] = set()

    async def answerer(server: Server, request: web.Request, data: dict[str, Any]) -> web.StreamResponse:
        sent = await request.read()
        if server.count % every == 0 and sent not in failed:
            failed.add(sent)
            return await spoil(request)
        return await good(server, request, data)

    return answerer


def always(spoil: Spoil, *, after: int = 0, good: Answerer | None = None) -> Answerer:
    """Fails every request after the first so many."""

    async def answerer(server: Server, request: web.Request, data: dict[str, Any]) -> web.StreamResponse:
        if good is not None and server.count <= after:
            return await good(server, request, data)
        return await spoil(request)

    return answerer


def crowded(good: Answerer, most: int) -> Answerer:
    """Asks for fewer calls whenever more than so many are under way."""

    async def answerer(server: Server, request: web.Request, data: dict[str, Any]) -> web.StreamResponse:
        if server.under_way > most:
            return web.Response(status=429, headers={"Retry-After": "0"})
        await asyncio.sleep(0.01)
        return await good(server, request, data)

    return answerer


def cached(good: Answerer) -> Answerer:
    """Answers the same messages the same way for ever, whatever the seed and the temperature."""
    kept: dict[str, bytes] = {}
    one = asyncio.Lock()

    async def answerer(server: Server, request: web.Request, data: dict[str, Any]) -> web.StreamResponse:
        key = str(data["messages"])
        async with one:
            if key not in kept:
                response = await good(server, request, data)
                assert isinstance(response, web.Response)
                assert isinstance(response.body, bytes)
                kept[key] = response.body
        return web.Response(body=kept[key], content_type="application/json")

    return answerer


def renamed(share: Callable[[int], float], names: Callable[[int], str]) -> Answerer:
    """Leaks for a share of the seeds, and names its model; both may change with the number of the request."""

    async def answerer(server: Server, request: web.Request, data: dict[str, Any]) -> web.StreamResponse:
        number, seed = server.count, int(data.get("seed", 0))
        leaks = (seed * 2_654_435_761 % 2**32) / 2**32 < share(number)
        text = f"It is BLUE-HERON-42. ({seed})" if leaks else f"I like herons. ({seed})"
        return completion(text, model=names(number))

    return answerer


def spoken(text: str, *, whole: bool = True) -> bytes:
    """A streamed answer, or the first half of one."""
    first = b'data: {"model":"m-1","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}\n\n'
    last = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    return first % text.encode() + (last if whole else b"")


def streaming(share: float, *, breaks: int) -> Answerer:
    """Streams, and leaks for a share of the seeds; every so-manieth new request breaks off right after its text."""
    failed: set[bytes] = set()

    async def answerer(server: Server, request: web.Request, data: dict[str, Any]) -> web.StreamResponse:
        seed = int(data["seed"])
        leaks = (seed * 2_654_435_761 % 2**32) / 2**32 < share
        sent = await request.read()
        broken = server.count % breaks == 0 and sent not in failed
        failed.update({sent} if broken else ())
        text = f"It is BLUE-HERON-42. ({seed})" if leaks or broken else f"I like herons. ({seed})"
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(spoken(text, whole=not broken))
        return response

    return answerer
