"""The demo's real target as one thing to start and stop: the model server and the assistant on top of it."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from manyeyes.demo.assistant import AssistantServer
from manyeyes.demo.model_server import ModelServer


class DemoTarget:
    """Wicket running on the real model. Start it from a thread that lives as long as the target is needed."""

    def __init__(self, *, threads: int | None = None, port: int = 0) -> None:
        self.model = ModelServer(threads=threads)
        try:
            self.assistant = AssistantServer(model_url=self.model.url, counter_url=self.model.counter_url, port=port)
        except BaseException:
            self.model.stop()
            raise
        self.base_url = self.assistant.base_url
        self.chat_url = self.assistant.chat_url

    def requests_served(self) -> int:
        """The model server's own count of the requests it computed."""
        return self.model.requests()

    def stats(self) -> dict[str, Any]:
        """The assistant's counters, see `AssistantServer.stats`."""
        return self.assistant.stats()

    def stop(self) -> None:
        """End both servers, the assistant first."""
        self.assistant.stop()
        self.model.stop()

    def __enter__(self) -> DemoTarget:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
