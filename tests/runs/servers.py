"""Real local servers that speak as models do, well or badly, for tests of the driver and of targets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Answerer = Callable[["Server", web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


class Server:
    """Counts every request it receives and keeps the bytes."""

    def __init__(self, answerer: Answerer) -> None:
        self.answerer = answerer
        self.count = 0
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self.under_way = 0
        self.most_under_way = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.count += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            raw = await request.read()
            self.bodies.append(raw)
            self.paths.append(request.path)
            self.headers.append(dict(request.headers))
            return await self.answerer(self, request, json.loads(raw) if raw else {})
        finally:
            self.under_way -= 1


@asynccontextmanager
async def serving(answerer: Answerer) -> AsyncIterator[Server]:
    """A server on a free port of this machine, while the block lasts."""
    server = Server(answerer)
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    try:
        yield server
    finally:
        await runner.cleanup()


def completion(text: str, *, finish: str = "stop", model: str = "m-1") -> web.Response:
    """A good answer."""
    return web.json_response(
        {
            "model": model,
            "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7},
        }
    )


def says(text: str) -> Answerer:
    """A server with one thing to say (and the seed, so that answers differ)."""

    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(0)
        return completion(f"{text} {body.get('seed')}")

    return answerer


def by_seed(share: float, *, secret: str = "BLUE-HERON-42", delay: float = 0.0) -> Answerer:
    """Leaks for the same share of seeds in every run: a target keyed by trial."""

    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(delay)
        seed = int(body.get("seed", 0))
        leaks = (seed * 2_654_435_761 % 2**32) / 2**32 < share
        return completion(f"It is {secret}. ({seed})" if leaks else f"I like herons. ({seed})")

    return answerer
