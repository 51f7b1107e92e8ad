"""Looks, before the first trial of a run, whether every trial of the plan can be carried out at all."""

from __future__ import annotations

from manyeyes.plugins.registry import UnknownPluginError, find
from manyeyes.runs.blobs import BlobSource, gather
from manyeyes.runs.document import PlanDocument


def look(document: PlanDocument, source: BlobSource | None) -> dict[str, bytes]:
    """The images of the plan by hash. Raises ValueError, which names the field and the mend."""
    for request in document.requests.values():
        if request.turns == "human":
            raise ValueError("turns: the reproducer is a procedure for a person; no machine can carry it out")
        if request.environment is not None:
            try:
                find("environments", request.environment["name"])
            except UnknownPluginError as error:
                raise ValueError(f"environment.name: {error}; install the package that has it") from None
    return gather(document, source)
