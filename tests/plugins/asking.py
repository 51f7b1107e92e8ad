"""Asks one target one thing at a local server, for the tests of targets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from manyeyes.plugins.protocols import Reply, Request, Target
from tests.runs.servers import Answerer, Server, serving


def ask(make: Callable[[str], Target], answerer: Answerer, request: Request) -> tuple[Reply, Server]:
    """The reply to one request, and the server that gave it."""

    async def asked() -> tuple[Reply, Server]:
        async with serving(answerer) as server:
            target = make(server.url)
            try:
                return await target.ask(request), server
            finally:
                await target.close()
                await target.close()

    return asyncio.run(asked())


def answering(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answerer:
    """A server with one JSON answer."""

    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response(data, status=status, headers=headers)

    return answerer


IMAGE = b"\x89PNG\r\n\x1a\nnot really"
SHA = "ab" * 32
TOOL = {"name": "send_mail", "description": "Sends a mail", "parameters": {"type": "object", "properties": {}}}
WHOLE = Request(
    messages=(
        {"role": "system", "content": "You are Wicket."},
        {"role": "user", "content": "Look", "images": [{"sha256": SHA, "media_type": "image/png"}]},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "c1", "name": "send_mail", "arguments": '{"to":"a"}'},
                {"id": "c2", "name": "send_mail", "arguments": "{}"},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "sent"},
        {"role": "tool", "tool_call_id": "c2", "content": "not sent"},
        {"role": "user", "content": "Grüß Gott 🪶"},
    ),
    params={"temperature": 0, "max_tokens": 5, "stop": "END"},
    tools=(TOOL,),
    blobs={SHA: IMAGE},
    seed=9,
)
"""A request with everything: system, image, calls of tools and their results, tools, settings, seed."""
