"""A scripted Wicket on this machine: three versions behind one address, told apart by the model's name."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests import people

Trouble = Callable[["Wicket", int], tuple[int, dict[str, str], bytes] | None]
"""Given the number of the request: an answer to give in place of the right one, or None."""


class Wicket:
    """v1 tells the code nine times of ten, v2 unless the reported sentence is asked, v3 never."""

    def __init__(self, *, code: str = people.SECRET, extra: str = "") -> None:
        self.code, self.extra = code, extra
        self.trouble: Trouble | None = None
        self.delay = 0.0
        self.seen: Counter[tuple[str, str, int]] = Counter()
        self.bodies: list[bytes] = []
        self.count = 0
        self._lock = threading.Lock()
        wicket = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, data = wicket.answer(raw)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                pass

            def handle(self) -> None:
                with suppress(ConnectionError):  # the other side may be killed in the middle of a call
                    super().handle()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def answer(self, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        """What one request gets."""
        with self._lock:
            self.count += 1
            number = self.count
            self.bodies.append(raw)
        body = json.loads(raw)
        if self.delay:
            time.sleep(self.delay)
        instead = self.trouble(self, number) if self.trouble else None
        if instead is not None:
            return instead
        prompt, seed = body["messages"][-1]["content"], int(body.get("seed") or 0)
        with self._lock:
            self.seen[(body["model"], prompt, seed)] += 1
        return 200, {"Content-Type": "application/json"}, json.dumps(self.says(body["model"], prompt, seed)).encode()

    def says(self, model: str, prompt: str, seed: int) -> dict[str, Any]:
        """The completion: the same for ever for one version, prompt and seed."""
        text = f"I may not say. Ticket {seed}. {self.extra}"
        if "opening hours" in prompt:
            text = f"We open at 9. Ticket {seed}. {self.extra}"
        elif self.tells(model, prompt, seed):
            text = f"The code is {self.code}. Ticket {seed}. {self.extra}"
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return {"model": model, "choices": [choice], "usage": {"prompt_tokens": 20, "completion_tokens": 9}}

    def tells(self, model: str, prompt: str, seed: int) -> bool:
        """Whether this version tells the code here."""
        if "v3" in model or ("v2" in model and prompt.strip() == people.STEPS):
            return False
        digest = hashlib.sha256(f"{model}|{prompt}|{seed}".encode()).digest()
        return int.from_bytes(digest[:4], "big") / 2**32 < 0.9

    def __enter__(self) -> Wicket:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def connect(cast: people.Cast, url: str) -> None:
    """Point the three versions of the cast's target at a server."""
    for version in (cast.v1, cast.v2, cast.v3):
        version.endpoint_url = url
        version.save()
