"""Targets that need no model: scripted answers, a recording played again, and the wrapper that makes one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import orjson

from manyeyes.plugins.builtin.targets.python_callable import as_bytes
from manyeyes.plugins.options import Option, OptionsError
from manyeyes.plugins.protocols import Reply, Request, Target, TargetError, ToolCall

Script = Callable[[Request], str | Reply]
FORMAT = "manyeyes.recording/1"


class Scripted:
    """Answers what is written down beforehand: a function of the request, or a list of texts in turn by index.

    The function may raise TargetError. Counts its calls.
    """

    ADDRESS: ClassVar[bool] = False
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "answers": Option(
            "list", "the texts to answer; trial number i gets text i, from the first again", required=True
        ),
    }

    def __init__(self, script: Script | None = None, *, answers: Sequence[str] = (), **_: Any) -> None:
        if script is None and not (answers and all(isinstance(text, str) for text in answers)):
            raise OptionsError("answers", "give at least one text, and nothing but texts")
        self._script = script or (lambda request: answers[request.index % len(answers)])
        self.calls = 0

    async def ask(self, request: Request) -> Reply:
        """The scripted answer."""
        self.calls += 1
        found = self._script(request)
        return found if isinstance(found, Reply) else Reply(text=found, sent=as_bytes(request), status=200)

    async def close(self) -> None:
        """Nothing to let go of."""


class Recording:
    """Answers each trial with what was recorded for it: its stream, its index, and the very same request.

    Made from replies by stream and index, or from a file that `Recorder` wrote.
    """

    LOCAL: ClassVar[bool] = True
    ADDRESS: ClassVar[bool] = False
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "file": Option("text", "the recording, one exchange a line (JSON Lines)", required=True),
    }

    def __init__(
        self, replies: Mapping[tuple[str, int], Reply] | None = None, *, file: str | Path | None = None, **_: Any
    ) -> None:
        self._replies = dict(replies or {})
        self._exact = read_recording(Path(file)) if file is not None else {}

    async def ask(self, request: Request) -> Reply:
        """The recorded answer. Raises TargetError where none is recorded."""
        place = (request.stream, request.index)
        reply = self._exact.get((*place, digest(request))) or self._replies.get(place)
        if reply is None:
            known = any(key[:2] == place for key in self._exact)
            why = ", only with another request: the plan or the seed is not that of the recording" if known else ""
            raise TargetError(f"the recording holds no trial {request.stream} {request.index}{why}", retryable=False)
        return reply

    async def close(self) -> None:
        """Nothing to let go of."""


class Recorder:
    """Passes every request on to another target, and writes each answer to a file that only its owner can read.

    Calls without an answer are not recorded. A file that exists already is added to; a last line without its end, which
    a computer that stopped left behind, is cut off first.
    """

    def __init__(self, target: Target, file: str | Path) -> None:
        self.target = target
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _cut_torn_line(descriptor)
        self._file: BinaryIO | None = os.fdopen(descriptor, "ab", buffering=0)
        self.requests_per_ask: int = getattr(target, "requests_per_ask", 1)

    async def ask(self, request: Request) -> Reply:
        """The other target's answer."""
        reply = await self.target.ask(request)
        said = {field: value for field, value in asdict(reply).items() if value not in (None, ()) and field != "sent"}
        row = {
            "format": FORMAT,
            "stream": request.stream,
            "index": request.index,
            "request": digest(request),
            "sent": reply.sent.decode("utf-8", "replace"),
            "reply": said,
        }
        if self._file is not None:
            self._file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        return reply

    async def close(self) -> None:
        """Closes the file and the other target."""
        if self._file is not None:
            self._file.close()
            self._file = None
        await self.target.close()


def digest(request: Request) -> str:
    """SHA-256 of a request in normal form, the same whatever the target; in hex."""
    data = {
        "messages": list(request.messages),
        "params": dict(request.params),
        "tools": list(request.tools),
        "seed": request.seed,
    }
    return hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _cut_torn_line(descriptor: int) -> None:
    end = os.lseek(descriptor, 0, os.SEEK_END)
    kept = end
    while kept > 0:
        start = max(0, kept - 65_536)
        found = os.pread(descriptor, kept - start, start).rfind(b"\n")
        if found >= 0:
            kept = start + found + 1
            break
        kept = start
    if kept != end:
        os.ftruncate(descriptor, kept)


def read_recording(path: Path) -> dict[tuple[str, int, str], Reply]:
    """The replies of a recording by stream, index and request. Raises OptionsError, naming the line.

    A last line without its end is what a computer that stopped left behind, and is passed over.
    """
    found: dict[tuple[str, int, str], Reply] = {}
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    key, reply = _row(line, number)
                    found[key] = reply
    except OSError as error:
        raise OptionsError("file", f"{path}: {error.strerror or error}") from None
    return found


def _row(line: bytes, number: int) -> tuple[tuple[str, int, str], Reply]:
    try:
        row = orjson.loads(line)
        if row["format"] != FORMAT:
            raise ValueError(row["format"])
        said = dict(row["reply"])
        said["tool_calls"] = tuple(ToolCall(**call) for call in said.get("tool_calls", ()))
        reply = Reply(**said, sent=row["sent"].encode())
        if not isinstance(reply.text, str):
            raise TypeError("text")
        return (str(row["stream"]), int(row["index"]), str(row["request"])), reply
    except (ValueError, KeyError, TypeError, AttributeError):
        raise OptionsError("file", f"line {number} is no exchange of the format {FORMAT}") from None
