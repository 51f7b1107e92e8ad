"""Opens the target that a plan document names."""

from __future__ import annotations

from manyeyes.plugins.protocols import Target
from manyeyes.plugins.registry import find
from manyeyes.runs.document import TargetInfo


def open_target(
    info: TargetInfo,
    *,
    key: str | None = None,
    connections: int = 8,
    timeout: float = 120.0,
    private_ok: bool = True,
) -> Target:
    """The target, ready to be asked; close it after the run. ValueError, LookupError or TargetError where it cannot be.

    `key` comes from the caller each time: a plan document never holds one. `private_ok` false refuses addresses that
    are not public.
    """
    made: Target = find("targets", info.kind)(
        url=info.url,
        model=info.model,
        key=key,
        connections=connections,
        timeout=timeout,
        private_ok=private_ok,
        **info.options,
    )
    return made
