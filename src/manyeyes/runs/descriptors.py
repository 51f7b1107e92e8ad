"""Sees to it that a process may hold as many connections open as a run has slots."""

from __future__ import annotations

try:
    import resource
except ImportError:  # not a Unix: there is no such limit to lift
    resource = None  # type: ignore[assignment]

SPARE = 64
"""Open files for everything but connections."""


def make_room(connections: int) -> None:
    """Lifts the soft limit on open files as far as this takes; ValueError where the hard one is too low.

    Twice the connections where that can be had: a run may keep those to two targets open.
    """
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    least, wanted = connections + SPARE, 2 * connections + SPARE
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if wanted < least:
        most = max(1, wanted - SPARE)
        raise ValueError(
            f"concurrency: {connections} calls at once need {least} open files, and this process may have {wanted}; "
            f"give at most --concurrency {most}, or raise the limit (ulimit -Hn)"
        )
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
