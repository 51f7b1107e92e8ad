"""Whether a target ever gives two different answers to one request: a cache, or sampling that is off, never does."""

from __future__ import annotations

from manyeyes.engine.verdict import Check

REPEATS = 8
"""From this many repeats of requests on, without any variety, a target is taken to answer each request only once."""


class Variety:
    """Answers by request, pooled over all requests of a run.

    One request that always gets one text proves little: a plain refusal may be worded the same each time. That no
    request at all ever got two different texts is what a cache looks like, and then each request was tried once.
    """

    def __init__(self) -> None:
        self._texts: dict[str, set[str]] = {}
        self._counts: dict[str, int] = {}
        self.known = True

    def add(self, key: str, digest: str | None, *, once: bool = False) -> None:
        """Count one answer; `once` for a request that is declared to have one answer only, which proves nothing."""
        if once:
            return
        if digest is None:
            self.known = False
            return
        self._texts.setdefault(key, set()).add(digest)
        self._counts[key] = self._counts.get(key, 0) + 1

    def distinct(self, key: str) -> int | None:
        """How many different texts one request got (None: not known)."""
        return len(self._texts.get(key, ())) or None

    @property
    def constant(self) -> list[str]:
        """Requests tried twice or more that got one text every time."""
        return [key for key, count in self._counts.items() if count > 1 and len(self._texts[key]) == 1]

    @property
    def stuck(self) -> bool:
        """Whether many repeats never brought a second text to any request."""
        return self.never(REPEATS)

    def never(self, least: int) -> bool:
        """Whether so many repeats or more never brought a second text to any request."""
        repeats = sum(self._counts.values()) - len(self._counts)
        return self.known and repeats >= least and all(len(texts) == 1 for texts in self._texts.values())

    def check(self, consequence: str) -> Check:
        """The honesty check, with what follows when it fails."""
        if not self.known:
            return Check(name="distinct answers", passed=True, detail="not available: some answers have no digest")
        tried = sum(count > 1 for count in self._counts.values())
        detail = f"{len(self.constant)} of {tried} requests that were tried again gave one constant answer"
        return Check(name="distinct answers", passed=not self.stuck, detail=detail, consequence=consequence)
