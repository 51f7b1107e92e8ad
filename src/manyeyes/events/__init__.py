"""What happened (`chain`: append-only, authenticated) and who is to be told of it (`outbox`)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manyeyes.events.chain import broken_since, commit, heads, log, matches, record, verify_chain
    from manyeyes.events.outbox import (
        choose,
        chosen,
        deliver_due,
        followers,
        forget_account_mail,
        held,
        held_of,
        mail_account,
        queue_alarm,
        queue_digest,
        queue_mail,
        send_held,
    )

__all__ = [
    "broken_since",
    "choose",
    "chosen",
    "commit",
    "deliver_due",
    "followers",
    "forget_account_mail",
    "heads",
    "held",
    "held_of",
    "log",
    "mail_account",
    "matches",
    "queue_alarm",
    "queue_digest",
    "queue_mail",
    "record",
    "send_held",
    "verify_chain",
]

_CHAIN = {"broken_since", "commit", "heads", "log", "matches", "record", "verify_chain"}
_HOME = {name: "chain" if name in _CHAIN else "outbox" for name in __all__}


def __getattr__(name: str) -> Any:
    # On first use, not on import: Django imports this package before its models may be loaded.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
