"""Pages of lists by cursor: nothing is skipped or shown twice when rows are added meanwhile."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from manyeyes.rules.errors import Invalid

MOST = 100
USUAL = 25


def newest_first(rows: QuerySet[Any], *, field: str, cursor: str | None, limit: int) -> tuple[list[Any], str | None]:
    """The next rows by a moment, newest first, and where the page after them begins."""
    if cursor:
        moment, row_id = _moment_and_id(cursor)
        rows = rows.filter(Q(**{f"{field}__lt": moment}) | Q(**{field: moment, "pk__lt": row_id}))
    found = list(rows.order_by(f"-{field}", "-pk")[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], _written([getattr(last, field).isoformat(), str(last.pk)])


def in_order(rows: Sequence[Any], *, cursor: str | None, limit: int) -> tuple[list[Any], str | None]:
    """The next of a list that only grows at its end."""
    start = _place(cursor) if cursor else 0
    end = start + limit
    return list(rows[start:end]), _written([end]) if end < len(rows) else None


def _written(place: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def _read(cursor: str) -> list[Any]:
    try:
        place = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if isinstance(place, list):
            return place
    except (ValueError, binascii.Error):
        pass
    raise _unknown()


def _moment_and_id(cursor: str) -> tuple[datetime, UUID]:
    try:
        moment, row_id = _read(cursor)
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(row_id)
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise _unknown() from None


def _place(cursor: str) -> int:
    found = _read(cursor)
    if len(found) == 1 and isinstance(found[0], int) and not isinstance(found[0], bool) and 0 <= found[0] < 2**31:
        return found[0]
    raise _unknown()


def _unknown() -> Invalid:
    return Invalid(cursor=_("This is no cursor of this list. Begin without one."))
