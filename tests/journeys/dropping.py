"""A line between a researcher and a program that loses an answer now and then: what was asked has been done."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Dropping:
    """Hands every request on to the program at `port`; the next answers of `lost` paths never come back."""

    def __init__(self, port: int) -> None:
        self.lost: list[str] = []
        line = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.hand_on(None)

            def do_POST(self) -> None:
                self.hand_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def hand_on(self, body: bytes | None) -> None:
                away = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                kept = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                away.request(self.command, self.path, body, {**kept, "Host": f"127.0.0.1:{port}"})
                answer = away.getresponse()
                data = answer.read()
                away.close()
                if any(self.path.endswith(end) for end in line.lost):
                    line.lost = [end for end in line.lost if not self.path.endswith(end)]
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
