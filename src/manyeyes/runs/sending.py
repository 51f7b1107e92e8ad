"""Holds what a trial says it sent against its plan: its request, built again as that kind of target builds it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from manyeyes.engine.plan import Stream
from manyeyes.plugins.protocols import Request, TargetError
from manyeyes.plugins.registry import find
from manyeyes.runs.conversation import converse
from manyeyes.runs.document import CellRequest, PlanDocument
from manyeyes.runs.steps import replies
from manyeyes.runs.store import TrialRecord

BUILT = ("openai_chat", "openai_responses", "anthropic_messages")
"""Kinds of targets whose bodies follow from the request alone, and are built without reaching anything."""
ROLES = {Stream.POSITIVE: "positive", Stream.OLD: "old"}
NOWHERE = "http://127.0.0.1"
_BROKEN = (ValueError, KeyError, TypeError, IndexError, AttributeError, LookupError, RecursionError, TargetError)


class Builds(Protocol):
    """A target that says what it would send."""

    def body(self, request: Request) -> bytes:
        """The bytes that stand for a request."""


class Sendings:
    """What the trials of one plan must have sent. `checked` and `unchecked` count the trials that were looked at."""

    def __init__(self, document: PlanDocument) -> None:
        self.document = document
        self.checked = self.unchecked = 0
        self._targets: dict[str, Builds | None] = {}

    def otherwise(self, one: TrialRecord) -> str:
        """What is not as planned in the requests of a trial with texts; empty where all is, or cannot be told."""
        cell = self.document.requests.get(one.cell)
        target = self._target(ROLES.get(Stream(one.stream), "main"))
        if cell is None or target is None or one.origin != "runner" or cell.environment is not None:
            self.unchecked += 1
            return ""
        try:
            planned = list(self._planned(cell, one, target))
        except _BROKEN:
            self.unchecked += 1
            return ""
        self.checked += 1
        said = [str(step.get("sent", "")) for step in one.steps] + [one.sent]
        for place, (wanted, got) in enumerate(zip(planned, said, strict=False), 1):
            if not _same(wanted, got):
                return f"call {place}: the plan has another request to send"
        return "" if len(planned) == len(said) else f"{len(said)} calls; the plan makes {len(planned)} of these answers"

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
        return made

    def _planned(self, cell: CellRequest, one: TrialRecord, target: Builds) -> Iterator[bytes]:
        """The body of each call, given the answers on record; of images only what is kept of them."""
        blobs = dict.fromkeys(cell.images, b"")
        if len(cell.images) and not one.cuts:
            raise ValueError("short images stand in the record as they were sent, and nobody has their bytes here")
        seed = {"per_trial": one.seed, "fixed": self.document.seed}.get(self.document.seeds)
        answers, script = replies(one), converse(cell)
        said = next(script)
        for answer in answers:
            request = Request(
                messages=said,
                params=cell.params,
                tools=cell.tools,
                blobs=blobs,
                seed=seed,
                stream=one.stream,
                index=one.index,
            )
            yield target.body(request)
            try:
                said = script.send(answer)
            except StopIteration:
                return


def _same(wanted: bytes, got: str) -> bool:
    """The same request; the order of its fields means nothing, and a record may leave the name of the model out."""
    if got.encode("utf-8", "replace") == wanted:
        return True
    try:
        planned, found = json.loads(wanted), json.loads(got, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, Mapping) and {"model": planned.get("model"), **found} == {"model": None, **planned}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found
