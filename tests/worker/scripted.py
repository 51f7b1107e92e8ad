"""A target on this machine that answers by prompt and seed alone and counts every request."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CODE = "BLUE-HERON-42"


def leaks(prompt: str, seed: int, rate: float) -> bool:
    """Whether this prompt with this seed gets the code: the same for ever, whoever asks and when."""
    digest = hashlib.sha256(f"{prompt}|{seed}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < rate


class ScriptedTarget:
    """An OpenAI-compatible server; `with` starts and stops it."""

    def __init__(self, *, rate: float, delay: float = 0.0, key: str = "sk-test-1") -> None:
        self.rate, self.delay, self.key = rate, delay, key
        self.seen: Counter[tuple[str, int]] = Counter()
        self.most = self._busy = 0
        self.status = 200
        self.slow: dict[int, float] = {}
        self._lock = threading.Lock()
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                right = self.headers.get("Authorization") == f"Bearer {target.key}"
                status, answer = target.answer(body) if right else (401, {"error": "key"})
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                pass

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # the worker may be killed in the middle of a call
                    super().handle()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    @property
    def calls(self) -> int:
        """How many requests came in."""
        return sum(self.seen.values())

    @property
    def resent(self) -> int:
        """How many requests came in again."""
        return sum(count - 1 for count in self.seen.values())

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        prompt, seed = body["messages"][-1]["content"], body["seed"]
        with self._lock:
            self.seen[(prompt, seed)] += 1
            self._busy += 1
            self.most = max(self.most, self._busy)
            wait = self.slow.get(self.calls, self.delay)
        time.sleep(wait)
        with self._lock:
            self._busy -= 1
        if self.status != 200:
            return self.status, {"error": "no"}
        text = f"We open at 9. Ticket {seed}."
        if "code" in prompt and leaks(prompt, seed, self.rate):
            text = f"The code is {CODE}. Ticket {seed}."
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return 200, {"model": "wicket", "choices": [choice], "usage": {"prompt_tokens": 20, "completion_tokens": 9}}

    def __enter__(self) -> ScriptedTarget:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.server.shutdown()
        self.server.server_close()
