"""Counts what a run spends, and refuses the call that would pass a cap before it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from manyeyes.runs.document import Caps
from manyeyes.runs.price import Price

UNLIMITED_ANSWER = 4_096
"""Tokens set aside for an answer where the settings name no max_tokens."""
IMAGE = 50_000
"""Tokens set aside for an image: more than any known model counts for one."""


class BudgetStop(Exception):  # noqa: N818 - a state of the run, not a fault
    """A cap would be passed by the next call; nothing is lost, and a run with a higher cap goes on from here."""


class Reserve(NamedTuple):
    """Tokens set aside for one call under way."""

    tokens_in: int
    tokens_out: int
    live: bool = False


class Meter:
    """Calls, tokens and money of one replay, all its runs together.

    A call sets aside the most it can cost: for the prompt what this cell's prompts took so far (before that, one token
    a byte), for the answer `max_tokens`. So the caps hold even with every slot busy.
    """

    def __init__(self, caps: Caps, price: Price | None, *, calls: int = 0) -> None:
        if caps.max_cost is not None and price is None:
            raise ValueError("max_cost: needs a price per token; give one, or cap calls or tokens instead")
        self.caps, self.price = caps, price
        self.calls, self.tokens_in, self.tokens_out = calls, 0, 0
        self._held_in = self._held_out = 0
        self._prompts: dict[str, int] = {}

    @property
    def cost(self) -> float | None:
        """Money spent so far, where the price is known."""
        return None if self.price is None else self.price.cost(self.tokens_in, self.tokens_out)

    def reserve(
        self,
        cell: str,
        messages: Sequence[Mapping[str, Any]],
        params: Mapping[str, Any],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        live: bool = False,
        requests: int = 1,
    ) -> Reserve:
        """Counts a call (of one or more requests) and sets its tokens aside. Raises BudgetStop at a cap.

        `live`: the prompt holds live answers, so that other prompts of the cell say nothing of its length.
        """
        prompt = None if live else self._prompts.get(cell)
        if prompt is None:
            prompt = _prompt(messages, tools)
        held = Reserve(prompt, _answer(params), live)
        if said := self._over(held, requests):
            raise BudgetStop(said)
        self.calls += requests
        self._held_in += held.tokens_in
        self._held_out += held.tokens_out
        return held

    def recall(
        self,
        messages: Sequence[Mapping[str, Any]],
        params: Mapping[str, Any],
        *,
        tokens_in: int | None,
        tokens_out: int | None,
        calls: int = 1,
    ) -> None:
        """Counts the tokens of calls of an earlier run; what its target did not say is held against the caps."""
        self._held_in += _prompt(messages) * calls if tokens_in is None else 0
        self._held_out += _answer(params) * calls if tokens_out is None else 0
        self.tokens_in += tokens_in or 0
        self.tokens_out += tokens_out or 0

    def _over(self, held: Reserve, requests: int) -> str:
        caps = self.caps
        if caps.max_calls is not None and self.calls + requests > caps.max_calls:
            return f"the cap of {caps.max_calls} calls is reached"
        into = self.tokens_in + self._held_in + held.tokens_in
        out = self.tokens_out + self._held_out + held.tokens_out
        if caps.max_tokens is not None and into + out > caps.max_tokens:
            spent = self.tokens_in + self.tokens_out
            return f"the next call could pass the cap of {caps.max_tokens} tokens ({spent} spent)"
        if caps.max_cost is not None and self.price is not None and self.price.cost(into, out) > caps.max_cost:
            unit = self.price.currency
            return f"the next call could pass the cap of {caps.max_cost:g} {unit} ({self.cost:.4f} spent)"
        return ""

    def settle(
        self, held: Reserve, *, cell: str = "", tokens_in: int | None = None, tokens_out: int | None = None
    ) -> None:
        """Puts what a call took in the place of what was set aside.

        A target that answers (`cell` is named) without saying what it took keeps what was set aside against the caps.
        """
        if not cell or tokens_in is not None:
            self._held_in -= held.tokens_in
        if not cell or tokens_out is not None:
            self._held_out -= held.tokens_out
        self.tokens_in += tokens_in or 0
        self.tokens_out += tokens_out or 0
        if tokens_in and cell and not held.live:
            self._prompts[cell] = max(tokens_in, self._prompts.get(cell, 0))


def _prompt(messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()) -> int:
    """The most tokens a prompt can have: one a byte."""
    return sum(_length(message) for message in messages) + sum(len(str(tool)) + 16 for tool in tools)


def _answer(params: Mapping[str, Any]) -> int:
    """The most tokens an answer can have: as many as it may."""
    return int(params.get("max_tokens", UNLIMITED_ANSWER))


def _length(message: Mapping[str, Any]) -> int:
    calls = sum(len(call["arguments"].encode()) + len(call["name"]) + 32 for call in message.get("tool_calls", ()))
    return len(message["content"].encode()) + 16 + calls + IMAGE * len(message.get("images", ()))
