"""Turns a detector's decision into an outcome: asks the judges it needs, keeps what they said, stops at a person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.protocols import Ask, Detector, Exchange, Reply

PERSON = "human"
Judged = Mapping[str, Any]
"""One answer of a judge as it is stored: role, version, word, answer, model, what was sent, what it took."""

Asker = Callable[[Ask], Awaitable[tuple[Reply, int, int]]]
"""Puts a question to the target of its role: the reply, the number of calls it took, the last one's milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What one trial came to. `outcome` None: a person must say, and `question` is what to ask."""

    outcome: Outcome | None
    judged: tuple[Judged, ...] = ()
    question: str = ""


async def decide(detector: Detector, exchange: Exchange, asker: Asker, *, heard: list[Judged] | None = None) -> Decided:
    """The outcome of a trial, with every judge's answer on the way to it.

    `heard` are answers on record, which are not asked for again; every new one is added to it as soon as it comes, so
    that none is lost where a later judge cannot be reached.
    """
    judged: list[Judged] = []
    heard = [] if heard is None else heard
    left = list(heard)
    found = detector.decide(exchange)
    while isinstance(found, Ask):
        if found.role == PERSON:
            return Decided(outcome=None, judged=tuple(judged), question=found.question)
        row = _answered(found, left)
        if row is None:
            reply, attempts, ms = await asker(found)
            row = _kept(found, reply, attempts, ms)
            heard.append(row)
        else:
            reply = _reply(row)
        judged.append(row)
        found = Outcome.UNDECIDED if found.read is None else found.read(reply)
    return Decided(outcome=found, judged=tuple(judged))


def recalled(detector: Detector, exchange: Exchange, judged: Sequence[Judged]) -> Outcome | Ask:
    """What the rule makes of a trial and the judges' answers on record; the first question they do not answer.

    An answer only counts for the version and role of the judge that gave it.
    """
    left = list(judged)
    found = detector.decide(exchange)
    while isinstance(found, Ask) and found.role != PERSON:
        row = _answered(found, left)
        if row is None:
            return found
        reply = _reply(row)
        found = Outcome.UNDECIDED if found.read is None else found.read(reply)
    return found


def heard(detector: Detector, exchange: Exchange, judged: Sequence[Judged]) -> Iterator[tuple[Ask, Judged]]:
    """Each question that the rule puts to a model, with the answer on record to it, as far as there are answers."""
    left = list(judged)
    found = detector.decide(exchange)
    while isinstance(found, Ask) and found.role != PERSON:
        row = _answered(found, left)
        if row is None:
            return
        yield found, row
        found = Outcome.UNDECIDED if found.read is None else found.read(_reply(row))


def _answered(ask: Ask, left: list[Judged]) -> Judged | None:
    """The first answer on record to this judge's question, taken out of the list."""
    row = next((one for one in left if (one["role"], one["version"]) == (ask.role, ask.version)), None)
    if row is not None:
        left.remove(row)
    return row


def _reply(row: Judged) -> Reply:
    return Reply(text=str(row["answer"]), model=row.get("model"), finish_reason=row.get("finish_reason"))


def _kept(ask: Ask, reply: Reply, attempts: int, ms: int) -> Judged:
    word = None if ask.word is None else str(ask.word(reply))
    return {
        "role": ask.role,
        "version": ask.version,
        "word": word,
        "answer": reply.text,
        "finish_reason": reply.finish_reason,
        "model": reply.model,
        "fingerprint": reply.fingerprint,
        "sent": reply.sent.decode("utf-8", "replace"),
        "tokens_in": reply.tokens_in,
        "tokens_out": reply.tokens_out,
        "attempts": attempts,
        "ms": ms,
    }
