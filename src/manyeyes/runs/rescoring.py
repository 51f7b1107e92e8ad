"""Scores a stranger's evidence bundle again in a process of its own, within limits; nor is its answer believed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

WALL = 40.0
LOOK = 0.5
"""Seconds between two looks at whether the caller is to end."""
MEMORY = 1_500_000_000
CPU = 30
LARGEST_ANSWER = 200_000
SLOTS = threading.BoundedSemaphore(2)
"""Bundles scored at the same time by this process; the others wait."""
LONGEST = 300
MOST = 20
NUMBERS = ("n", "k", "asr", "low", "high", "confidence", "rated_n", "rated_k", "rated_low", "rated_high")
TEXTS = ("signer", "question", "verdict", "rescored", "plan_hash", "title", "model", "label", "reproducer_hash")
TOO_LONG = "It takes too long to score again here."
FAILED = "The process that scores it again ended without an answer."


class NotScored(Exception):  # noqa: N818 -- an answer that a person reads
    """The bundle could not be scored again; the message says why, and may quote the bundle."""


class Stopped(Exception):  # noqa: N818 -- an answer to the caller's own wish
    """It was broken off because the caller is to end; nothing was found out."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What scoring again came to. `by_machine`: anything that was sent or said could be checked.

    `texts` and `numbers` are the named facts of TEXTS and NUMBERS that are known; the numbers are counted here. The
    `differences` are the first of `differing`.
    """

    intact: bool
    identical: bool
    trials: int
    with_text: int
    judged_again: int
    by_machine: bool
    texts: Mapping[str, str]
    numbers: Mapping[str, float]
    problems: tuple[str, ...]
    differing: int
    differences: tuple[tuple[str, str, str], ...]


def score_again(chunks: Iterable[bytes], *, largest: int, stop: Callable[[], bool] = lambda: False) -> Scored:
    """Signature, hashes, plan, outcomes and answers of a bundle, looked at again. Raises NotScored.

    `largest` is the number of bytes that are read. Nothing is fetched, and the plan cannot make it run for long. Where
    `stop` says so meanwhile, the process is ended and Stopped raised.
    """
    if not SLOTS.acquire(timeout=WALL):
        raise NotScored("Too many bundles were being scored at that moment.")
    try:
        with _nameless() as file:
            for piece in chunks:
                file.write(piece)
            file.flush()
            file.seek(0)
            return _believed(_asked(file, largest, stop))
    finally:
        SLOTS.release()


def _nameless() -> BinaryIO:
    """A file without a name, in memory where the system can: no disk sees the plaintext."""
    has = hasattr(os, "memfd_create")
    file: Any = os.fdopen(os.memfd_create("bundle"), "w+b") if has else tempfile.TemporaryFile()  # noqa: SIM115
    return file  # type: ignore[no-any-return]


def _asked(file: BinaryIO, largest: int, stop: Callable[[], bool]) -> bytes:
    asked = json.dumps({"memory": MEMORY, "cpu": CPU, "largest": largest})
    with subprocess.Popen(  # noqa: S603 -- our own module, no shell, no word of the bundle
        [sys.executable, "-I", "-m", "manyeyes.runs.rescoring_child", asked],
        stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, close_fds=True, env={}, cwd=os.sep,
        start_new_session=True,
    ) as child:  # fmt: skip
        try:
            said = _said(child, stop)
        except BaseException:
            child.kill()
            raise
    if child.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise NotScored(TOO_LONG)
    if child.returncode or len(said) > LARGEST_ANSWER:
        raise NotScored(FAILED)
    return said


def _said(child: subprocess.Popen[bytes], stop: Callable[[], bool]) -> bytes:
    """What the child writes until it ends, which it must within WALL."""
    until = time.monotonic() + WALL
    while True:
        left = until - time.monotonic()
        try:
            return child.communicate(timeout=max(0.0, min(LOOK, left)))[0]
        except subprocess.TimeoutExpired:
            if stop():
                raise Stopped from None
            if left <= LOOK:
                raise NotScored(TOO_LONG) from None


def _believed(raw: bytes) -> Scored:
    """The answer of the other process, which read hostile data, taken as hostile itself."""
    try:
        data = json.loads(raw)
        if "refused" in data:
            raise NotScored(_text(data["refused"]))
        found = data["scored"]
        differences = tuple((_text(a), _text(b), _text(c)) for a, b, c in found["differences"][:MOST])
        return Scored(
            intact=found["intact"] is True,
            identical=found["identical"] is True,
            trials=_count(found["trials"]),
            with_text=_count(found["with_text"]),
            judged_again=_count(found["judged_again"]),
            by_machine=found["by_machine"] is True,
            texts={name: _text(found["texts"][name]) for name in TEXTS if found["texts"].get(name)},
            numbers={name: _number(found["numbers"][name]) for name in NUMBERS if name in found["numbers"]},
            problems=tuple(_text(one) for one in found["problems"][:MOST]),
            differing=_count(found["differing"]),
            differences=differences,
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotScored(FAILED) from None


def _text(value: Any) -> str:
    """Text that can be stored: a text, short, without NUL and lone surrogates. Raises TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    said = value.encode("utf-8", "replace").decode().replace("\x00", "\\0")
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**12:
        raise TypeError("a count was expected")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise TypeError("a number was expected")
    return value
