"""Keeps every call of a trial in its record, images by hash, and gives back the very bytes that were sent."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from manyeyes.plugins.protocols import Exchange, Reply, ToolCall
from manyeyes.runs.conversation import converse
from manyeyes.runs.document import CellRequest
from manyeyes.runs.store import TrialRecord

SHORT = 256
"""Images whose base64 is no longer than this stay in the record as they were sent."""
_SAID = ("finish_reason", "tokens_in", "tokens_out", "model", "fingerprint")


@dataclass(frozen=True, kw_only=True)
class Called:
    """One call that was answered, and the milliseconds it took."""

    reply: Reply
    ms: int


def kept(calls: Sequence[Called], blobs: Mapping[str, bytes]) -> dict[str, Any]:
    """The fields of a trial's record that say what was sent and answered.

    The record itself is the last call; `steps` are those before it, in order. Tokens are those of the whole trial, and
    unknown where one call's are.
    """
    last = calls[-1].reply
    text, cuts = cut(last.sent.decode(), blobs)
    found: dict[str, Any] = {"sent": text, "answer": last.text, "http_status": last.status}
    found |= {name: getattr(last, name) for name in _SAID}
    if cuts:
        found["cuts"] = cuts
    if last.tool_calls:
        found["tool_calls"] = _rows(last.tool_calls)
    if len(calls) > 1:
        found["steps"] = [_step(call, blobs) for call in calls[:-1]]
        found["tokens_in"] = _sum([call.reply.tokens_in for call in calls])
        found["tokens_out"] = _sum([call.reply.tokens_out for call in calls])
        found["ms"] = sum(call.ms for call in calls)
    else:
        found["ms"] = calls[-1].ms
    return found


def _step(call: Called, blobs: Mapping[str, bytes]) -> dict[str, Any]:
    reply = call.reply
    text, cuts = cut(reply.sent.decode(), blobs)
    row: dict[str, Any] = {"sent": text, "answer": reply.text, "ms": call.ms, "http_status": reply.status}
    row |= {name: getattr(reply, name) for name in _SAID}
    row |= {"cuts": cuts, "tool_calls": _rows(reply.tool_calls)}
    return {name: value for name, value in row.items() if value is not None and value != []}


def _rows(calls: Sequence[ToolCall]) -> list[dict[str, str]]:
    return [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in calls]


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def cut(text: str, blobs: Mapping[str, bytes]) -> tuple[str, list[list[Any]]]:
    """The text without the base64 of any image, and where each stood: `[position in what is left, SHA-256]`."""
    if not blobs:
        return text, []
    found: list[tuple[int, int, str]] = []
    for sha256, data in blobs.items():
        code = base64.b64encode(data).decode()
        start = text.find(code) if len(code) > SHORT else -1
        while start >= 0:
            found.append((start, start + len(code), sha256))
            start = text.find(code, start + len(code))
    left: list[str] = []
    cuts: list[list[Any]] = []
    end = length = 0
    # Of images that overlap (one may begin as another does) the longest is cut, and the rest stays.
    for start, stop, sha256 in sorted(found, key=lambda row: (row[0], -row[1])):
        if start >= end:
            left.append(text[end:start])
            length += start - end
            cuts.append([length, sha256])
            end = stop
    return "".join([*left, text[end:]]), cuts


def uncut(text: str, cuts: Sequence[Sequence[Any]], blobs: Mapping[str, bytes]) -> str:
    """The text that `cut` was given. Raises KeyError where an image is not at hand."""
    parts: list[str] = []
    at = 0
    for place, sha256 in cuts:
        parts += [text[at:place], base64.b64encode(blobs[sha256]).decode()]
        at = place
    return "".join([*parts, text[at:]])


def shown(text: str, cuts: Sequence[Sequence[Any]]) -> str:
    """The text for a reader, with a word where each image stood.

    >>> shown('{"url": "data:image/png;base64,"}', [[30, "ab" * 32]])
    '{"url": "data:image/png;base64,(image abababababab)"}'
    """
    parts: list[str] = []
    at = 0
    for place, sha256 in cuts:
        parts += [text[at:place], f"(image {sha256[:12]})"]
        at = place
    return "".join([*parts, text[at:]])


def sent_bytes(record: TrialRecord, blobs: Mapping[str, bytes] | None = None) -> list[bytes]:
    """The body of every call of the trial in order, byte for byte. Raises KeyError where an image is not at hand."""
    rows = [(step["sent"], step.get("cuts", ())) for step in record.steps] + [(record.sent, record.cuts)]
    return [uncut(text, cuts, blobs or {}).encode() for text, cuts in rows]


def replies(record: TrialRecord) -> tuple[Reply, ...]:
    """Every answer of the trial in order, without the bytes that were sent for it."""
    last = {name: getattr(record, name) for name in ("answer", "tool_calls", "http_status", *_SAID)}
    return tuple(_reply(row) for row in (*record.steps, last))


def _reply(row: Mapping[str, Any]) -> Reply:
    said: dict[str, Any] = {name: row.get(name) for name in _SAID}
    return Reply(
        text=row["answer"],
        status=row.get("http_status"),
        tool_calls=tuple(ToolCall(**call) for call in row.get("tool_calls", ())),
        **said,
    )


def exchange_of(cell: CellRequest, record: TrialRecord) -> Exchange:
    """What a detector looked at when the trial was made, from its record: for scoring stored answers again."""
    answers = replies(record)
    if cell.environment is not None:
        return seen_exchange(cell, answers, record.observations)
    script = converse(cell)
    next(script)
    for answer in answers:
        try:
            script.send(answer)
        except StopIteration as stop:
            found: Exchange = stop.value
            return found
    # The record of a person or an importer may hold fewer answers than the script asks for.
    return Exchange(messages=cell.messages, reply=answers[-1], replies=answers, tool_calls=_calls(answers))


def seen_exchange(
    cell: CellRequest, answers: Sequence[Reply], seen: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Exchange:
    """The exchange of a trial in an environment: what was asked of it, what the model answered, what was seen."""
    return Exchange(
        messages=cell.messages,
        reply=answers[-1],
        replies=tuple(answers),
        tool_calls=_calls(answers),
        observations=seen,
    )


def digest(exchange: Exchange) -> str:
    """The SHA-256 of all that the model said and called, in hex: equal for answers that are the same observation."""
    said = exchange.reply.text
    if len(exchange.replies) > 1 or exchange.tool_calls:
        rows = [[reply.text, *((call.name, call.arguments) for call in reply.tool_calls)] for reply in exchange.replies]
        said = json.dumps(rows)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _calls(answers: Sequence[Reply]) -> tuple[ToolCall, ...]:
    return tuple(call for answer in answers for call in answer.tool_calls)
