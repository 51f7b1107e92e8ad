"""What the judges of a plan will be asked, before any is: calls, tokens and money beside those of the target."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from manyeyes.engine.plan import Cell
from manyeyes.plugins.builtin.detectors.judge import MAX_SHOWN
from manyeyes.plugins.detection import build, children
from manyeyes.plugins.protocols import Ask, Exchange, Reply
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.estimate import ANSWER

LETTERS = 4
"""Letters that are taken for one token."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question that a rule puts to a model. `second`: only where the rule before it saw a success, or doubts."""

    role: str
    into: float
    out: float
    times: int
    second: bool


@dataclass(frozen=True, kw_only=True)
class Bill:
    """Calls of judges, and what they take. `cost` is None where no price is known."""

    calls: float = 0.0
    tokens_in: float = 0.0
    tokens_out: float = 0.0
    cost: float | None = None

    @property
    def tokens(self) -> float:
        """Tokens both ways."""
        return self.tokens_in + self.tokens_out


def bill(document: PlanDocument, *, exploit: float, benign: float = 0.0, second: float = 1.0) -> Bill:
    """What so many trials of the exploit (or its controls) and of harmless requests have the judges do.

    `second` is the share of answers that get a second look. Estimates: four letters a token, answers as long as they
    may be.
    """
    found = Bill(cost=None if document.price is None else 0.0)
    sides = [(document.plan.cells, exploit)]
    if document.plan.benign is not None:
        sides.append((document.plan.benign.cells, benign))
    for cells, trials in sides:
        for cell in cells if trials else ():
            found = _more(document, found, cell, trials / len(cells), second)
    return found


def looked_twice(document: PlanDocument, rate: float) -> float:
    """The share of answers that get a second look at a true success rate, as the labels have it (none: no errors)."""
    judge = document.plan.judge
    if judge is None or not judge.successes:
        return rate
    false = judge.called / judge.failures if judge.failures else 0.0
    return rate * judge.found / judge.successes + (1 - rate) * false


def roles_asked(document: PlanDocument) -> list[str]:
    """The models that the plan's rules ask, by role."""
    cells = (*document.plan.cells, *(document.plan.benign.cells if document.plan.benign else ()))
    return sorted({one.role for cell in cells for one in asked(document, cell)})


def asked(document: PlanDocument, cell: Cell) -> list[Asked]:
    """The questions that the rule of a cell puts to models, each with its tokens."""
    request = document.requests[cell.key]
    letters = min(LETTERS * int(request.params.get("max_tokens", ANSWER)), MAX_SHOWN // 2)
    exchange = Exchange(messages=request.messages, reply=Reply(text="a" * letters))
    found = []
    for rule, second, times in _leaves(document.detectors[request.detector], lives=request.calls[0]):
        (name,) = rule
        ask = build(rule).decide(exchange) if name in ("judge", "plugin") else None
        if isinstance(ask, Ask) and ask.role != "human":
            into = sum(len(str(message["content"])) / LETTERS + 4 for message in ask.messages)
            out = float(ask.params.get("max_tokens", ANSWER))
            found.append(Asked(role=ask.role, into=into, out=out, times=times, second=second))
    return found


def _leaves(
    rule: Mapping[str, Any], *, lives: int, second: bool = False, times: int = 1
) -> Iterator[tuple[Mapping[str, Any], bool, int]]:
    ((name, argument),) = rule.items()
    below: Collection[Mapping[str, Any]] = children(name, argument)
    if not below:
        yield rule, second, times
    for child in below:
        later = second or (name == "confirm" and child is argument["by"])
        yield from _leaves(child, lives=lives, second=later, times=times * (lives if name == "any_reply" else 1))


def _more(document: PlanDocument, so_far: Bill, cell: Cell, trials: float, second: float) -> Bill:
    calls, into, out, cost = so_far.calls, so_far.tokens_in, so_far.tokens_out, so_far.cost
    for one in asked(document, cell):
        count = trials * one.times * (second if one.second else 1.0)
        calls, into, out = calls + count, into + count * one.into, out + count * one.out
        price = document.prices.get(one.role, document.price)
        if price is not None and cost is not None:
            cost += price.cost(round(count * one.into), round(count * one.out))
    return Bill(calls=calls, tokens_in=into, tokens_out=out, cost=cost)
