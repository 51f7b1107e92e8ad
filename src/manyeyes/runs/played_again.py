"""Plays a trial in an environment again, offline: the same answers, and so the same requests and the same traces."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

from manyeyes.plugins.protocols import EnvironmentFault, Observations, Reply, Request
from manyeyes.plugins.registry import find
from manyeyes.runs.document import CellRequest
from manyeyes.runs.steps import replies
from manyeyes.runs.store import TrialRecord

OFFLINE = ("mail_agent",)
"""Environments of our own that can be played here."""


class NotPlayableError(Exception):
    """An environment that cannot be played here: it needs more than the model's answers, or takes them otherwise."""


@dataclass
class Played:
    """What the environment asked, each as its target would be sent it, and what could be seen afterwards."""

    requests: list[Request] = field(default_factory=list)
    seen: Observations = field(default_factory=dict)


def played_again(cell: CellRequest, one: TrialRecord, request: Request) -> Played:
    """The trial once more, with the answers on record in the place of the model; `request` is what begins it.

    Only for environments that say `offline = True`: given the same answers they ask the same, and reach nothing.
    Raises NotPlayableError.
    """
    assert cell.environment is not None
    found, answers = Played(), iter(replies(one))

    async def ask(asked: Request) -> Reply:
        found.requests.append(asked)
        answer = next(answers, None)
        if answer is None:
            raise EnvironmentFault("asks the model once more than it answered")
        return answer

    try:
        made = find("environments", cell.environment["name"])
        if vars(made).get("offline") is not True:  # nobody says it for those who build on a class
            raise NotPlayableError("it says nothing of being played offline")
        environment = made(ask=ask, **cell.environment["options"])
        for part in _parts(environment, cell, request):
            _at_once(part)
        found.seen = _at_once(environment.observe())
    except NotPlayableError:
        raise
    except Exception as error:
        raise NotPlayableError(f"{type(error).__name__}: {error}"[:200]) from None
    return found


def _parts(environment: Any, cell: CellRequest, request: Request) -> Iterator[Coroutine[Any, Any, Any]]:
    yield environment.setup()
    yield environment.reset()
    if cell.environment and cell.environment["plant"]:
        yield environment.plant(cell.environment["plant"])
    yield environment.trigger(request)


def _at_once(part: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it, where it waits for nothing but the model."""
    try:
        part.send(None)
    except StopIteration as stop:
        return stop.value
    part.close()
    raise NotPlayableError("it waits for something else than the model")
