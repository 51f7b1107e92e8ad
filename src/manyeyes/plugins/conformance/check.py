"""What every conformance test is: a name, a promise of the protocol, and something to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class NotConformingError(AssertionError):
    """A plugin does not keep a promise of its protocol; the message says which, and what was seen."""


@dataclass(frozen=True)
class Check:
    """One test. Calling it returns nothing where the promise is kept, and raises NotConformingError where it is not.

    With pytest: `@pytest.mark.parametrize("check", checks(CASE), ids=str)` on a function that calls `check()`.
    """

    name: str
    promise: str
    run: Callable[[], None]

    def __call__(self) -> None:
        self.run()

    def __str__(self) -> str:
        return self.name


def require(kept: bool, said: str) -> None:
    """Raises NotConformingError with what was seen, unless the promise was kept."""
    if not kept:
        raise NotConformingError(said)
