"""A model server for the benches: chat completions of 1.5 KB from a bare protocol, with a latency, counting requests.

Run: python bench/server.py [--latency SECONDS] [--port N]. It prints its address and answers until its input closes.
About 3 of 10 answers hold the secret BLUE-HERON-42, and no two are alike. GET /count tells the requests answered,
GET /first when the first one came (by the monotonic clock of this machine), and forgets it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
import time

SECRET = "BLUE-HERON-42"
_FILL = "Herons stand still for a long time and then move very fast indeed. " * 14
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-ratelimit-limit-requests: 100000\r\n"
    b"x-ratelimit-remaining-requests: 99999\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n"
)
_BODY = (
    '{"id":"chatcmpl-%08d","object":"chat.completion","created":1790000000,"model":"bench-1","choices":[{"index":0,'
    '"message":{"role":"assistant","content":"%s","refusal":null},"logprobs":null,"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":38,"completion_tokens":210,"total_tokens":248,"prompt_tokens_details":'
    '{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}},'
    '"service_tier":"default","system_fingerprint":"fp_bench"}'
)


class Tally:
    """The requests answered so far."""

    def __init__(self, latency: float) -> None:
        self.latency, self.count = latency, 0
        self.first: float | None = None

    def answer(self) -> bytes:
        """The next answer, whole."""
        if self.first is None:
            self.first = time.monotonic()
        self.count += 1
        leaks = (self.count * 2_654_435_761) % 2**32 < 0.3 * 2**32
        said = f"Ticket {self.count:08d}. {f'It is {SECRET}. ' if leaks else 'I cannot say that. '}{_FILL}"
        body = (_BODY % (self.count, said)).encode()
        return _HEAD % len(body) + body


class Wire(asyncio.Protocol):
    """One connection: reads requests by their Content-Length, answers each in turn."""

    def __init__(self, tally: Tally) -> None:
        self.tally, self.buffer = tally, b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            length, chunked = _length(head), b"transfer-encoding: chunked" in head
            stop = self.buffer.find(b"0\r\n\r\n", end + 4) + 5 if chunked else end + 4 + length
            if stop < end + 4 or len(self.buffer) < stop:
                return
            self.buffer = self.buffer[stop:]
            self._respond(head)

    def _respond(self, head: bytes) -> None:
        if head.startswith(b"post"):
            answer = self.tally.answer()
            if self.tally.latency:
                asyncio.get_running_loop().call_later(self.tally.latency, self._send, answer)
            else:
                self._send(answer)
            return
        said = b'{"object":"list","data":[{"id":"bench-1","object":"model"}]}'
        if head.startswith(b"get /count"):
            said = str(self.tally.count).encode()
        elif head.startswith(b"get /first"):
            said, self.tally.first = str(self.tally.first or 0.0).encode(), None
        self._send(_HEAD % len(said) + said)

    def _send(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)


def _length(head: bytes) -> int:
    at = head.find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def _serve(port: int, latency: float) -> None:
    loop = asyncio.get_running_loop()
    tally = Tally(latency)
    server = await loop.create_server(lambda: Wire(tally), "127.0.0.1", port, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    over = asyncio.Event()

    def until_closed() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=until_closed, daemon=True).start()
    await over.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(_serve(given.port, given.latency))
