"""Where a run keeps its plan, its trials and its verdict: the promise of a store, and the one in files."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import orjson

from manyeyes.runs.document import DocumentError, PlanDocument
from manyeyes.runs.kept import Identities, Identity
from manyeyes.runs.labels import Label, LabelError, first_words, read_labels

__all__ = ["FileStore", "Identity", "Store", "StoreError", "Stored", "TrialRecord"]


BATCH = 100
PAUSE = 0.5
"""Trials and seconds that may pass before a file is synced."""


class StoreError(Exception):
    """A store that cannot be used: it holds another plan, or cannot be read."""


WIDER = ("steps", "tool_calls", "observations", "cuts", "voids")
"""The fields of a record that only trials of several calls, with images or in an environment have."""


@dataclass(kw_only=True, slots=True)
class TrialRecord:
    """One trial as it happened. `outcome` None: answered, but a person must still say what it was.

    `sent` is the body of the last request, byte for byte but for images (`cuts` says where they stood); `attempts`
    counts the requests this trial took. `judged` is what judges said of it (see `runs.deciding`); `by` is who labelled
    it, where its outcome is a person's word. A trial of several calls has those before the last in `steps` (see
    `runs.steps`); `voids` counts the times an environment failed before it could be made.
    """

    stream: str
    index: int
    cell: str
    seed: int
    outcome: str | None
    origin: str = "runner"
    digest: str | None = None
    sent: str = ""
    answer: str = ""
    finish_reason: str | None = None
    http_status: int | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    ms: int = 0
    started_at: str = ""
    attempts: int = 1
    model: str | None = None
    fingerprint: str | None = None
    overrun: bool = False
    judged: list[Mapping[str, Any]] = field(default_factory=list)
    by: str | None = None
    steps: Sequence[Mapping[str, Any]] = ()
    tool_calls: Sequence[Mapping[str, Any]] = ()
    observations: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    cuts: Sequence[Sequence[Any]] = ()
    voids: int = 0

    def to_json(self) -> dict[str, Any]:
        """The record as plain data; what most trials have not is left out where it is empty."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) or name not in WIDER}

    @property
    def identity(self) -> Identity:
        """What tells this trial from every other of the replay."""
        return self.stream, self.index


@dataclass(kw_only=True)
class Stored:
    """What a store holds: the frozen plan (None: nothing yet), the requests sent so far, the trials, the verdict.

    `held` are trials that were answered and must still be judged; they are no trials yet, and count nowhere.
    `trials` stays empty where they were handed over one by one. `labels` are people's words on them, in the order they
    came; the first one of a trial without an outcome is its outcome.
    """

    document: PlanDocument | None = None
    calls: int = 0
    trials: list[TrialRecord] = field(default_factory=list)
    result: Mapping[str, Any] | None = None
    held: Sequence[TrialRecord] = ()
    labels: Sequence[Label] = ()


class Store(Protocol):
    """Keeps one replay. Called from one writer thread at a time, never concurrently.

    `calls` is the number of requests sent since the beginning, *including those about to be sent*: the driver sends
    only after `save` returned, so that a crash cannot hide a call. It never goes down. A store whose `save` takes
    microseconds and waits for nothing may say so with a class attribute `quick = True`; it is then called from the
    event loop, and never while another thread is in it. A store may also have `hold(record)`, which keeps an answer
    whose judge could not be reached, and gives it back in `held` until the trial itself is saved.
    """

    def load(self) -> Stored:
        """All there is. Raises StoreError."""

    def recall(self, take: Callable[[TrialRecord], None]) -> Stored:
        """All there is, with the trials handed to `take` one by one, so that no more than one need be held."""

    def freeze(self, document: PlanDocument) -> None:
        """Keeps the plan, before the first trial. Raises StoreError where another plan is kept already."""

    def save(self, *, calls: int, trials: Sequence[TrialRecord]) -> None:
        """Keeps the number of calls, and trials for good; a trial that is there already stays as it was."""

    def finish(self, result: Mapping[str, Any], *, overrun: Sequence[Identity]) -> None:
        """Keeps the result, and marks trials that came after the verdict's boundary."""


class FileStore:
    """A replay in a directory: `plan.json`, `trials.jsonl` (append only), `verdict.json`."""

    quick = True

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        made = not self.directory.exists()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if made:  # a folder that somebody else made may be shared on purpose; every file here is private by itself
            os.chmod(self.directory, 0o700)
        self._calls = 0
        self._known = Identities()
        self._file: int | None = None
        self._held: int | None = None
        self._unsynced, self._synced = 0, float("-inf")
        self._beside: Executor | None = None
        self._syncing: Future[None] | None = None

    def load(self) -> Stored:
        """All there is; a last line that a crash cut short is dropped, and its trial will be sent again."""
        trials: list[TrialRecord] = []
        stored = self.recall(trials.append)
        stored.trials = trials
        return stored

    def ended(self) -> Stored:
        """The plan and the result alone, without the trials."""
        result = self._read("verdict.json")
        return Stored(document=self._document(), result=result and result["result"])

    def recall(self, take: Callable[[TrialRecord], None]) -> Stored:
        """All there is, line by line."""
        stored = Stored(document=self._document(), labels=self._labels())
        words = first_words(stored.labels)
        overrun: set[Identity] = set()
        self._known = Identities()
        if result := self._read("verdict.json"):
            stored.result = result["result"]
            overrun = {(stream, index) for stream, index in result["overrun"]}
        held: dict[Identity, TrialRecord] = {}
        for row in self._rows():
            stored.calls = max(stored.calls, row.get("calls", 0))
            if "answered" in row:
                record = TrialRecord(**row["answered"])
                held[record.identity] = record
            if "trial" in row:
                record = TrialRecord(**row["trial"])
                held.pop(record.identity, None)
                if self._known.add(record.identity):
                    record.overrun = record.overrun or record.identity in overrun
                    if record.outcome is None and (label := words.get(record.identity)):
                        record.outcome, record.by = label.outcome, label.by
                    take(record)
        self._calls, stored.held = stored.calls, tuple(held.values())
        return stored

    def freeze(self, document: PlanDocument) -> None:
        """Writes `plan.json` once; raises StoreError where it holds another plan.

        A plan that goes on from the one it holds (`PlanDocument.resumed`) takes its place; the old plan and its verdict
        stay beside it, under the first letters of the old plan's hash.
        """
        self._lock()
        kept = self._document()
        longer = kept is not None and document.goes_on_from(kept)
        if kept is not None and kept.hash != document.hash and not longer:
            raise StoreError(
                f"{self.directory} holds another plan ({kept.hash[:12]}, not {document.hash[:12]}): "
                "a plan is frozen before its first trial. Use another directory."
            )
        if kept is None and next(self._rows(), None) is not None:
            raise StoreError(f"{self.directory} holds trials of a plan that is gone. Use another directory.")
        if kept is not None and longer:
            self._put_by(kept)
        if kept is None or longer:
            self._write("plan.json", document.to_json())

    def _put_by(self, kept: PlanDocument) -> None:
        """Moves the verdict of a plan aside and copies the plan, so that at no moment trials lie there without one."""
        self._write(f"plan-{kept.hash[:12]}.json", kept.to_json())
        if (verdict := self.directory / "verdict.json").exists():
            os.replace(verdict, self.directory / f"verdict-{kept.hash[:12]}.json")

    def save(self, *, calls: int, trials: Sequence[TrialRecord]) -> None:
        """Appends. What is appended survives the process at once, and a power cut once it is synced: every 100 trials,
        or with the next ones after half a second, and before the verdict.
        """
        lines = []
        if calls > self._calls:
            self._calls = calls
            lines.append(orjson.dumps({"calls": calls}))
        for record in trials:
            if self._known.add(record.identity):
                lines.append(orjson.dumps({"trial": record.to_json()}))
        if lines:
            self._append(b"\n".join(lines) + b"\n")
            self._unsynced += len(trials)
            if self._unsynced >= BATCH or (trials and time.monotonic() - self._synced >= PAUSE):
                self._sync()

    def hold(self, record: TrialRecord) -> None:
        """Appends an answer without an outcome; the trial itself takes its place later."""
        self._append(orjson.dumps({"answered": record.to_json()}) + b"\n")

    def finish(self, result: Mapping[str, Any], *, overrun: Sequence[Identity]) -> None:
        """Writes `verdict.json`, when all that it rests on is on disk."""
        if self._syncing is not None:
            self._syncing.result()
        if self._file is not None:
            os.fsync(self._file)
        self._unsynced = 0
        self._write("verdict.json", {"result": dict(result), "overrun": [list(identity) for identity in overrun]})

    def _lock(self) -> None:
        if self._held is None:
            self._held = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(self._held)
                self._held = None
                raise StoreError(f"{self.directory} is in use by another run") from None

    def close(self) -> None:
        """Lets go of the files."""
        if self._beside is not None:
            self._beside.shutdown()
        if self._unsynced and self._file is not None:
            os.fsync(self._file)
        for handle in (self._file, self._held):
            if handle is not None:
                os.close(handle)
        self._file = self._held = self._beside = self._syncing = None
        self._unsynced = 0

    def _labels(self) -> Sequence[Label]:
        try:
            return read_labels(self.directory)
        except LabelError as error:
            raise StoreError(f"{self.directory}: {error}") from None

    def _document(self) -> PlanDocument | None:
        data = self._read("plan.json")
        try:
            return PlanDocument.from_json(data) if data is not None else None
        except DocumentError as error:
            raise StoreError(f"{self.directory / 'plan.json'}: {error}") from None

    def _read(self, name: str) -> Any:
        path = self.directory / name
        try:
            return json.loads(path.read_bytes()) if path.exists() else None
        except ValueError as error:
            raise StoreError(f"{path} cannot be read: {error}") from None

    def _rows(self) -> Iterator[dict[str, Any]]:
        path = self.directory / "trials.jsonl"
        if not path.exists():
            return
        with path.open("rb") as file:
            read = 0
            for line in file:
                if not line.endswith(b"\n"):
                    # A crash in the middle of a write: nothing was promised about this line, so it may go. Without the
                    # lock it may be a line that another run is writing just now: that stays.
                    if self._held is not None:
                        os.truncate(path, read)
                    return
                read += len(line)
                try:
                    if line != b"\n":
                        yield orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise StoreError(f"{path} cannot be read: {error}") from None

    def _append(self, data: bytes) -> None:
        if self._file is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self._file = os.open(self.directory / "trials.jsonl", flags, 0o600)
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]

    def _sync(self) -> None:
        """Syncs beside the run: a disk that is slow just now holds up no call. Raises what went wrong the last time."""
        if self._syncing is not None:
            if not self._syncing.done():
                return  # due again with the next ones
            self._syncing.result()
        self._unsynced, self._synced = 0, time.monotonic()
        if self._beside is None:
            self._beside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="manyeyes-sync")
        assert self._file is not None
        self._syncing = self._beside.submit(os.fsync, self._file)

    def _write(self, name: str, data: Any) -> None:
        """Replaces a file as a whole, so that no reader and no crash sees half of it."""
        draft = self.directory / f".{name}.draft"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(json.dumps(data, indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self.directory / name)
