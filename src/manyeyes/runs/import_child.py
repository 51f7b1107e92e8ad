"""The process that reads a hostile file: it limits itself, reads standard input, and writes one JSON object."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import sysconfig
from collections.abc import Mapping
from typing import Any, BinaryIO

from manyeyes.plugins import registry
from manyeyes.plugins.builtin.importers.scrub import clean
from manyeyes.plugins.builtin.importers.upload import Content
from manyeyes.plugins.imported import Finding, Imported, Importer, ImportRefused, Limits

FORBIDDEN = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.kill", "os.remove",
    "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate", "os.putenv", "pty.",
    "sqlite3.enable_load_extension", "sqlite3.load_extension", "urllib.", "ftplib.", "smtplib.", "shutil.", "ctypes.",
)  # fmt: skip
SPARE = 4_000
"""Bytes of an answer that are kept for what stands beside the findings."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


def confine(limits: Limits) -> None:
    """Caps memory, time, files and processes of this process; nothing of the file was read before."""
    with contextlib.suppress(ImportError):
        import resource

        for name, value in (
            ("RLIMIT_AS", limits.memory),
            ("RLIMIT_CPU", limits.cpu),
            ("RLIMIT_FSIZE", 0),
            ("RLIMIT_NOFILE", 16),
            ("RLIMIT_NPROC", 0),
            ("RLIMIT_CORE", 0),
        ):
            with contextlib.suppress(ValueError, OSError, AttributeError):
                hard = resource.getrlimit(getattr(resource, name))[1]
                most = value if hard == resource.RLIM_INFINITY else min(value, hard)
                resource.setrlimit(getattr(resource, name), (most, most))
    with contextlib.suppress(OSError, AttributeError):
        # Where the system allows it, a network of our own that has nothing in it (Python 3.12 and later).
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)  # type: ignore[attr-defined,unused-ignore]
    sys.addaudithook(_guard())


def _guard() -> Any:
    """An audit hook: no network, no process, no database but one in memory, no file outside the installation."""
    roots = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values(), *filter(None, sys.path)}
    allowed = tuple(os.path.realpath(root) + os.sep for root in roots)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and not _readable(args, allowed):
            raise PermissionError("no file may be opened here")
        if event == "sqlite3.connect" and args and args[0] != ":memory:":
            raise PermissionError("no database may be opened here")
        if event.startswith(FORBIDDEN):
            raise PermissionError(f"{event} is not allowed here")

    return hook


def _readable(args: tuple[Any, ...], allowed: tuple[str, ...]) -> bool:
    path, _, flags = (*args, None, None, 0)[:3]
    if isinstance(flags, int) and flags & WRITING:
        return False
    if isinstance(path, int):
        return path <= 2
    return os.path.realpath(os.fsdecode(path)).startswith(allowed)


def importers(name: str | None) -> dict[str, Importer]:
    """The importers to try, by name. Raises ImportRefused for a name that is none."""
    wanted = (name,) if name else registry.names("importers")
    try:
        return {one: registry.find("importers", one)() for one in wanted}
    except registry.UnknownPluginError as error:
        raise ImportRefused("unknown_format", f"--format: {error}.") from None


def understand(
    file: BinaryIO, known: Mapping[str, Importer], *, answers: Mapping[str, str], limits: Limits
) -> Imported:
    """What the file says, read by the first importer that recognises it. Raises ImportRefused."""
    upload = Content(file, limits=limits)
    if upload.head[:1] == b"\0":
        raise ImportRefused("unknown_format", "The file begins with NUL bytes; it is no result file.")
    for importer in known.values():
        if importer.recognises(upload):
            found = importer.read(upload, answers)
            return _fitting(found, limits)
    raise ImportRefused(
        "unknown_format", f"This is not a file of a tool we read ({', '.join(known)}), whatever its name says."
    )


def _fitting(found: Imported, limits: Limits) -> Imported:
    """The findings with the most successes, as many as an answer may hold. Raises ImportRefused where none fits."""
    kept: list[Finding] = []
    left = limits.answer - SPARE
    for finding in sorted(found.findings, key=lambda row: -(row.hits or 0))[: limits.findings]:
        left -= len(json.dumps(dataclasses.asdict(finding)))
        if left < 0:
            break
        kept.append(finding)
    if found.findings and not kept:
        raise ImportRefused("too_large", "What was read is too much for one import; send a smaller file.")
    return dataclasses.replace(found, findings=tuple(kept), left_out=len(found.findings) - len(kept))


def main() -> int:
    """Reads standard input as told by the first argument and writes one object to standard output."""
    asked = json.loads(sys.argv[1])
    limits = Limits(**asked["limits"])
    try:
        known = importers(asked["format"])
        confine(limits)
        with os.fdopen(0, "rb", closefd=False) as file:
            found = understand(file, known, answers=asked["answers"], limits=limits)
        text = json.dumps({"imported": dataclasses.asdict(found)}, allow_nan=False)
    except ImportRefused as refused:
        text = json.dumps({"refused": {"kind": refused.kind, "message": refused.message}})
    except MemoryError:
        text = json.dumps({"refused": {"kind": "memory", "message": "The file needs too much memory to read."}})
    except Exception as error:
        # The last net: an importer that stumbles says so, and no word of the file reaches a log.
        message = f"The file could not be read ({clean(type(error).__name__, 60)}); please tell us about it."
        text = json.dumps({"refused": {"kind": "failed", "message": message}})
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
