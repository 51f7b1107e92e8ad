"""The real settings, and requests that carry `X-Poison` fail with everything they sent in the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from manyeyes.settings import *  # noqa: F403
from manyeyes.settings import MIDDLEWARE as REAL


class Poison:
    """Fails as a careless line of code would: the text of a report in the message, in locals and in a chained error."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> None:
        if "X-Poison" not in request.headers:
            return
        everything = dict(request.POST.items())
        try:
            raise KeyError(str(everything))
        except KeyError as error:
            raise ValueError(f"cannot use {everything}") from error


MIDDLEWARE = [*REAL, "tests.journeys.poisoned.Poison"]
