"""Looks, before the first trial of a run, whether every trial of the plan can be carried out at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manyeyes.plugins.protocols import EnvironmentFault, Reply, Request
from manyeyes.plugins.registry import UnknownPluginError, find
from manyeyes.runs.blobs import BlobSource, gather
from manyeyes.runs.document import PlanDocument


def look(document: PlanDocument, source: BlobSource | None) -> dict[str, bytes]:
    """The images of the plan by hash. Raises ValueError, which names the field and the mend."""
    for request in document.requests.values():
        if request.turns == "human":
            raise ValueError("turns: the reproducer is a procedure for a person; no machine can carry it out")
        if request.environment is not None:
            _environment(request.environment)
    return gather(document, source)


def _environment(used: Mapping[str, Any]) -> None:
    """That the plugin is there and takes these options; making one touches nothing, its setup would."""
    try:
        find("environments", used["name"])(ask=_nobody, **used["options"])
    except UnknownPluginError as error:
        raise ValueError(f"environment.name: {error}; install the package that has it") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"environment.options: {used['name']} does not take them: {error}") from None


async def _nobody(request: Request) -> Reply:
    raise EnvironmentFault("there is no model before the first trial")
