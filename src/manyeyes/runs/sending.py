"""Holds what a trial says it sent against its plan: its request, built again as that kind of target builds it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from manyeyes.engine.plan import Stream
from manyeyes.plugins.detection import Whole
from manyeyes.plugins.protocols import Exchange, Request, TargetError
from manyeyes.plugins.registry import find
from manyeyes.runs.conversation import converse
from manyeyes.runs.deciding import heard
from manyeyes.runs.document import CellRequest, PlanDocument, TargetInfo
from manyeyes.runs.played_again import NotPlayableError, played_again
from manyeyes.runs.steps import replies
from manyeyes.runs.store import TrialRecord

BUILT = ("openai_chat", "openai_responses", "anthropic_messages", "http_json")
"""Kinds of targets whose bodies follow from the request alone, and are built without reaching anything."""
ROLES = {Stream.POSITIVE: "positive", Stream.OLD: "old"}
NOWHERE = "http://127.0.0.1"
SESSION = "\ue000session\ue000"
"""Stands for the name of a session, which only the application could know."""
_BROKEN = (
    ValueError, KeyError, TypeError, IndexError, AttributeError, LookupError, RecursionError, TargetError,
    NotPlayableError,
)  # fmt: skip


class Builds(Protocol):
    """A target that says what it would send."""

    def body(self, request: Request) -> bytes:
        """The bytes that stand for a request."""


class _InSession:
    """An application that opens a session for each call, whose name stands for whatever it was."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def body(self, request: Request) -> bytes:
        """The bytes, with a word where the session's name stands."""
        made: bytes = self._inner.body(request, SESSION)
        return made


class Sendings:
    """What the trials of one plan must have sent. `checked` and `unchecked` count the trials that were looked at.

    `asked` and `unasked` count the questions to judges in the same way.
    """

    def __init__(self, document: PlanDocument) -> None:
        self.document = document
        self.checked = self.unchecked = self.asked = self.unasked = 0
        self._targets: dict[str, Builds | None] = {}

    def otherwise(self, one: TrialRecord) -> str:
        """What is not as planned in the requests of a trial with texts; empty where all is, or cannot be told."""
        cell = self.document.requests.get(one.cell)
        target = self._target(ROLES.get(Stream(one.stream), "main"))
        if cell is None or target is None or one.origin != "runner":
            self.unchecked += 1
            return ""
        try:
            planned, seen = self._planned(cell, one, target)
        except _BROKEN:
            self.unchecked += 1
            return ""
        self.checked += 1
        said = [str(step.get("sent", "")) for step in one.steps] + [one.sent]
        for place, (wanted, got) in enumerate(zip(planned, said, strict=False), 1):
            if not _same(wanted, got):
                return f"call {place}: the plan has another request to send"
        if len(planned) != len(said):
            return f"{len(said)} calls; the plan makes {len(planned)} of these answers"
        return seen

    def judges_otherwise(self, one: TrialRecord, exchange: Exchange, rule: Whole) -> str:
        """What is not as the rule asks it in what judges were sent about a trial; empty where all is."""
        for place, (ask, row) in enumerate(heard(rule, exchange, one.judged), 1):
            target, got = self._target(ask.role), str(row.get("sent") or "")
            request = Request(
                messages=ask.messages, params=ask.params, seed=one.seed, stream=one.stream, index=one.index
            )
            try:
                wanted = target.body(request) if target is not None and got else None
            except _BROKEN:
                wanted = None
            if wanted is None:
                self.unasked += 1
                continue
            self.asked += 1
            if not _same(wanted, got):
                return f"question {place}, to the {ask.role}: the success rule has another one to ask of this answer"
        return ""

    def _target(self, role: str) -> Builds | None:
        """What builds the bodies of a role; None where they cannot be known here."""
        if role not in self._targets:
            self._targets[role] = self._made(role)
        return self._targets[role]

    def _made(self, role: str) -> Builds | None:
        info = self.document.targets.get(role)
        if info is None or info.kind not in BUILT:
            return None
        try:
            made: Builds = find("targets", info.kind)(url=NOWHERE, model=info.model, **info.options)
        except _BROKEN:
            return None
        return _InSession(made) if _names_session(info) else made

    def _planned(self, cell: CellRequest, one: TrialRecord, target: Builds) -> tuple[list[bytes], str]:
        """The body of each call, given the answers on record, and what an environment would show otherwise."""
        if len(cell.images) and not one.cuts:
            raise ValueError("short images stand in the record as they were sent, and nobody has their bytes here")
        begins = Request(
            messages=cell.messages,
            params=cell.params,
            tools=cell.tools,
            blobs=dict.fromkeys(cell.images, b""),  # of images only what is kept of them
            seed={"per_trial": one.seed, "fixed": self.document.seed}.get(self.document.seeds),
            stream=one.stream,
            index=one.index,
        )
        if cell.environment is None:
            return [target.body(request) for request in _conversation(cell, one, begins)], ""
        found = played_again(cell, one, begins)
        bodies = [target.body(_as_asked(begins, request)) for request in found.requests]
        same = json.loads(json.dumps(found.seen)) == json.loads(json.dumps(one.observations))
        return bodies, "" if same else "what was seen is not what these answers leave in the environment"


def _conversation(cell: CellRequest, one: TrialRecord, begins: Request) -> Iterator[Request]:
    script = converse(cell)
    said = next(script)
    for answer in replies(one):
        yield replace(begins, messages=said)
        try:
            said = script.send(answer)
        except StopIteration:
            return


def _as_asked(begins: Request, asked: Request) -> Request:
    """What an environment asks, under the settings, seed and images of the trial, as `runs.trial` sends it."""
    params, blobs = {**begins.params, **asked.params}, {**begins.blobs, **asked.blobs}
    return replace(begins, messages=asked.messages, tools=asked.tools, params=params, blobs=blobs)


def _names_session(info: TargetInfo) -> bool:
    session = info.options.get("session")
    return info.kind == "http_json" and isinstance(session, Mapping) and "id" in session


def _same(wanted: bytes, got: str) -> bool:
    """The same request; the order of its fields means nothing, and a record may leave the name of the model out."""
    if got.encode("utf-8", "replace") == wanted:
        return True
    try:
        planned, found = json.loads(wanted), json.loads(got, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return False
    if not isinstance(found, Mapping) or not isinstance(planned, Mapping):
        return False
    return _fits({"model": None, **planned}, {"model": planned.get("model"), **found})


def _fits(planned: Any, found: Any) -> bool:
    """Whether two values are the same, but for the name of a session."""
    if isinstance(planned, Mapping) and isinstance(found, Mapping):
        return planned.keys() == found.keys() and all(_fits(value, found[name]) for name, value in planned.items())
    if isinstance(planned, list) and isinstance(found, list):
        return len(planned) == len(found) and all(map(_fits, planned, found))
    if isinstance(planned, str) and SESSION in planned:
        return isinstance(found, str) and _around(planned.split(SESSION), found)
    return bool(planned == found)


def _around(pieces: list[str], found: str) -> bool:
    """Whether a text begins, goes on and ends with these pieces, with something between any two."""
    first, *middle, last = pieces
    end = len(found) - len(last)
    if not (found.startswith(first) and found.endswith(last)) or end < len(first) + 1:
        return False
    place = len(first) + 1
    for piece in middle:
        at = found.find(piece, place, end)
        if at < 0:
            return False
        place = at + len(piece) + 1
    return place <= end


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found
