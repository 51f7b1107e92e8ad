"""The ways in which the platform says no; `http.py` maps each of them to one answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Refused(Exception):  # noqa: N818 -- a refusal is an answer, not a fault
    """Something was not done; the message is one sentence that a person may read."""

    def __init__(self, message: str = "This is not possible.") -> None:
        super().__init__(message)
        self.message = message


class IllegalMove(Refused):
    """A move that the case is not ready for; `missing` names the facts it still needs."""

    def __init__(self, message: str, *, missing: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.missing = list(missing)


class NotAllowed(Refused):
    """The person may see the thing, but this act belongs to another role."""


class NotFound(Refused):
    """There is no such thing, or the viewer may not know of it; the two are never told apart."""

    def __init__(self, message: str = "There is nothing here.") -> None:
        super().__init__(message)


class Conflict(Refused):
    """Somebody else changed the thing meanwhile, or it exists already."""


class Stale(Conflict):
    """A case changed after the form was made: `seen` is the version the person looked at, `now` the one that stands."""

    def __init__(self, message: str, *, seen: int, now: int) -> None:
        super().__init__(message)
        self.seen = seen
        self.now = now


class Invalid(Refused):
    """Input that cannot be used; `fields` says for each field what is wrong and how to mend it."""

    def __init__(self, fields: Mapping[str, str] | None = None, **named: str) -> None:
        self.fields: dict[str, str] = {**(fields or {}), **named}
        super().__init__(" ".join(f"{name}: {message}" for name, message in self.fields.items()) or "Invalid input.")


class EmbargoInForce(Refused):
    """Publication before the agreed date."""
