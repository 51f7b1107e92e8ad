"""Counts what a run spends, and refuses the call that would pass a cap before it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from manyeyes.rules.numerals import many
from manyeyes.runs.document import Caps
from manyeyes.runs.price import Price

UNLIMITED_ANSWER = 4_096
"""Tokens set aside for an answer where the settings name no max_tokens."""
IMAGE = 50_000
"""Tokens set aside for an image: more than any known model counts for one."""


class BudgetStop(Exception):  # noqa: N818 - a state of the run, not a fault
    """A cap would be passed by the next call; nothing is lost, and a run with a higher cap goes on from here."""


class TightError(BudgetStop):
    """The call cannot be made now; once those under way have said what they took, it may be."""


class Reserve(NamedTuple):
    """Tokens set aside for one call under way."""

    tokens_in: int
    tokens_out: int
    live: bool = False
    role: str = ""


@dataclass
class _Purse:
    """Tokens of all calls that have one price: spent, and set aside."""

    price: Price | None
    tokens_in: int = 0
    tokens_out: int = 0
    held_in: int = 0
    held_out: int = 0

    def cost(self, more: Reserve | None = None, *, held: bool = False) -> float:
        """Money for what was spent; with `held` also for what is set aside, and for one more call."""
        if self.price is None:
            return 0.0
        into, out = self.tokens_in, self.tokens_out
        if held:
            into, out = into + self.held_in, out + self.held_out
        if more is not None:
            into, out = into + more.tokens_in, out + more.tokens_out
        return self.price.cost(into, out)


class Meter:
    """Calls, tokens and money of one replay, all its runs together.

    A call sets aside the most it can cost: for the prompt what this cell's prompts took so far (before that, one token
    a byte), for the answer `max_tokens`. So the caps hold even with every slot busy. `prices` are those of roles that
    cost otherwise than the target, such as a judge.
    """

    def __init__(
        self, caps: Caps, price: Price | None, *, calls: int = 0, prices: Mapping[str, Price] | None = None
    ) -> None:
        if price is None and (caps.max_cost is not None or prices):
            raise ValueError("max_cost: needs a price per token; give one, or cap calls or tokens instead")
        self.caps, self.price, self.calls = caps, price, calls
        self._main = _Purse(price)
        self._others = {role: _Purse(one) for role, one in (prices or {}).items()}
        self._purses = (self._main, *self._others.values())
        self._prompts: dict[str, int] = {}
        self._under_way = 0

    @property
    def tokens_in(self) -> int:
        """Tokens sent so far, to all roles."""
        return sum(purse.tokens_in for purse in self._purses)

    @property
    def tokens_out(self) -> int:
        """Tokens answered so far, by all roles."""
        return sum(purse.tokens_out for purse in self._purses)

    @property
    def cost(self) -> float | None:
        """Money spent so far, where the price is known."""
        return None if self.price is None else sum(purse.cost() for purse in self._purses)

    def _purse(self, role: str) -> _Purse:
        return self._others.get(role, self._main)

    def reserve(
        self,
        cell: str,
        messages: Sequence[Mapping[str, Any]],
        params: Mapping[str, Any],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        live: bool = False,
        requests: int = 1,
        role: str = "",
    ) -> Reserve:
        """Counts a call (of one or more requests) to a role and sets its tokens aside.

        Raises BudgetStop at a cap, and TightError where calls under way hold what it needs. `live`: the prompt holds
        live answers, so that other prompts of the cell say nothing of its length.
        """
        prompt = None if live else self._prompts.get(cell)
        if prompt is None:
            prompt = _prompt(messages, tools)
        held = Reserve(prompt, _answer(params), live, role)
        if self.caps.max_calls is not None and self.calls + requests > self.caps.max_calls:
            raise BudgetStop(f"the cap of {many(self.caps.max_calls, 'call')} is reached")
        if said := self._over(held):
            raise (TightError if self._under_way else BudgetStop)(said)
        self.calls += requests
        self._under_way += 1
        purse = self._purse(role)
        purse.held_in += held.tokens_in
        purse.held_out += held.tokens_out
        return held

    def recall(
        self,
        messages: Sequence[Mapping[str, Any]],
        params: Mapping[str, Any],
        *,
        tokens_in: int | None,
        tokens_out: int | None,
        calls: int = 1,
        role: str = "",
    ) -> None:
        """Counts the tokens of calls of an earlier run; what its target did not say is held against the caps."""
        purse = self._purse(role)
        purse.held_in += _prompt(messages) * calls if tokens_in is None else 0
        purse.held_out += _answer(params) * calls if tokens_out is None else 0
        purse.tokens_in += tokens_in or 0
        purse.tokens_out += tokens_out or 0

    def _over(self, held: Reserve) -> str:
        caps = self.caps
        if caps.max_tokens is not None:
            spent = self.tokens_in + self.tokens_out
            aside = sum(purse.held_in + purse.held_out for purse in self._purses)
            if spent + aside + held.tokens_in + held.tokens_out > caps.max_tokens:
                return f"the next call could pass the cap of {caps.max_tokens} tokens ({spent} spent)"
        if caps.max_cost is not None and self.price is not None and self._could_cost(held) > caps.max_cost:
            unit = self.price.currency
            return f"the next call could pass the cap of {caps.max_cost:g} {unit} ({self.cost:.4f} spent)"
        return ""

    def _could_cost(self, held: Reserve) -> float:
        """Money for everything, were this call made too and every call under way as dear as it may be."""
        asked = self._purse(held.role)
        return sum(purse.cost(held if purse is asked else None, held=True) for purse in self._purses)

    def settle(
        self, held: Reserve, *, cell: str = "", tokens_in: int | None = None, tokens_out: int | None = None
    ) -> None:
        """Puts what a call took in the place of what was set aside.

        A target that answers (`cell` is named) without saying what it took keeps what was set aside against the caps.
        """
        self._under_way -= 1
        purse = self._purse(held.role)
        if not cell or tokens_in is not None:
            purse.held_in -= held.tokens_in
        if not cell or tokens_out is not None:
            purse.held_out -= held.tokens_out
        purse.tokens_in += tokens_in or 0
        purse.tokens_out += tokens_out or 0
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
