"""Reads server-sent events: the form in which streaming targets send their answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp

from manyeyes.plugins.builtin.targets.wire import MAX_ANSWER, too_large


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The data of each event, as it comes. An event that was not ended by an empty line was cut off and is not given.

    Raises TargetError where the whole passes the limit. Format: WHATWG HTML, section 9.2.
    """
    seen = 0
    begun: list[bytes] = []  # the pieces of a line that has not ended; joined once, however many there are
    data: list[bytes] = []
    async for chunk in response.content.iter_any():
        seen += len(chunk)
        if seen > MAX_ANSWER:
            raise too_large()
        begun.append(chunk)
        if b"\n" not in chunk:
            continue
        *lines, rest = b"".join(begun).split(b"\n")
        begun = [rest]
        for line in lines:
            line = line.rstrip(b"\r")
            if line.startswith(b"data:"):
                data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif not line and data:
                yield b"\n".join(data)
                data = []


def streamed(response: aiohttp.ClientResponse) -> bool:
    """Whether the answer is a stream of events; a server may answer a request for one with a plain document."""
    return response.status == 200 and response.content_type == "text/event-stream"
