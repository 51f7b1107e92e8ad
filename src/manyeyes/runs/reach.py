"""Opens the target that a plan document names."""

from __future__ import annotations

from pathlib import Path

from manyeyes.plugins.builtin.targets.recording import Recorder
from manyeyes.plugins.options import check_options
from manyeyes.plugins.protocols import Target
from manyeyes.plugins.registry import find
from manyeyes.runs.descriptors import make_room
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.keyless import keyless


def open_target(
    info: TargetInfo,
    *,
    key: str | None = None,
    connections: int = 8,
    timeout: float = 120.0,
    private_ok: bool = True,
    local_ok: bool = True,
    record: Path | None = None,
) -> Target:
    """The target, ready to be asked; close it after the run. ValueError, LookupError or TargetError where it cannot be.

    `key` comes from the caller each time: a plan document never holds one. `private_ok` false refuses addresses that
    are not public, `local_ok` false the targets that run or read something on this computer. `record` names a file to
    which every answer is added, for the target `recording`. Nothing is written where the target cannot be opened.
    """
    options = check_options(info.kind, url=info.url, model=info.model, options=info.options, local_ok=local_ok)
    make_room(connections)
    opened = find("targets", info.kind)(
        url=info.url,
        model=info.model,
        key=key,
        connections=connections,
        timeout=timeout,
        private_ok=private_ok,
        **options,
    )
    made = keyless(opened, key)
    if record is None:
        return made
    try:
        return Recorder(made, record)
    except OSError as error:
        raise ValueError(f"record: {record} cannot be written: {error.strerror or error}") from None
