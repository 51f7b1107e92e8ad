"""Wicket in three versions without a model: what it answers depends on the question and the seed alone."""

from __future__ import annotations

from typing import Any

from manyeyes.demo.wicket import CODE, WITHHELD, asks_for_code, near_reported
from tests.worker.scripted import ScriptedTarget, leaks

KEY = "sk-test-1"
RATE = 0.9


class Wicket(ScriptedTarget):
    """v1 tells the code nine times in ten, v2 blocks the reported sentence, v3 knows no code."""

    def __init__(self) -> None:
        super().__init__(rate=RATE, key=KEY)

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The version is the `model` that is asked for."""
        prompt, seed, model = body["messages"][-1]["content"], int(body.get("seed") or 0), str(body["model"])
        with self._lock:
            self.seen[(prompt, seed)] += 1
        text = f"We open at 9 and close at 17. Ticket {seed}."
        if model.endswith("v2") and near_reported(prompt):
            text = WITHHELD
        elif not model.endswith("v3") and asks_for_code(prompt) and leaks(prompt, seed, self.rate):
            text = f"The internal code is {CODE}. Ticket {seed}."
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return 200, {"model": model, "choices": [choice], "usage": {"prompt_tokens": 20, "completion_tokens": 9}}
