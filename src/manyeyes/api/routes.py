"""How an address is declared: its scope, its answers and every way in which it may refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from ninja import File, Path, Query, Router
from ninja.files import UploadedFile
from pydantic import Field

from manyeyes.api import told
from manyeyes.api.holders import Token
from manyeyes.api.paging import MOST, USUAL

View = TypeVar("View", bound=Callable[..., Any])

ALWAYS = (400, 404, 405, 429, 500, 503)
WITH_TOKEN = (401, 403)
SENDING = (409, 413, 415, 422)

Limit = Annotated[int, Query(USUAL, ge=1, le=MOST, description="How many rows a page has.")]
Cursor = Annotated[
    str | None, Query(None, max_length=400, description="Where the page begins, as the page before said.")
]
Search = Annotated[str, Query("", max_length=100, description="A reference, or one's own number for the report.")]
Number = Annotated[int, Path(le=2**31 - 1)]
Upload = Annotated[UploadedFile, File(...)]
Reference = Annotated[str, Field(max_length=40, examples=["ME-7K3F-Q2M4"])]

KEEPS_NO_ANSWER = "x-answer-is-not-kept"
"""Marks an address whose answer holds something shown once: a resend does its work again, and finds it done."""


def responses(shape: Any, *more: int, status: int = 200) -> dict[int, Any]:
    """What an address may answer."""
    return {status: shape, **dict.fromkeys(sorted({*ALWAYS, *more}), told.Problem)}


def reading(
    router: Router,
    path: str,
    shape: Any,
    *,
    scope: str = "",
    name: str,
    more: tuple[int, ...] = (),
    auth: Token | None = None,
) -> Callable[[View], View]:
    """Declares an address that only reads; with a `scope` it needs a token that has it, or what `auth` asks for."""
    door = auth or (Token(scope) if scope else None)
    refusals = (*more, *(WITH_TOKEN if door else ()))
    declared: Callable[[View], View] = router.get(
        path, response=responses(shape, *refusals), auth=door, url_name=name, operation_id=name
    )
    return declared


def acting(
    router: Router,
    path: str,
    shape: Any,
    *,
    scope: str,
    name: str,
    status: int = 200,
    keeps: bool = True,
    auth: Token | None = None,
) -> Callable[[View], View]:
    """Declares an address that does something."""
    door = auth or (Token(scope) if scope else None)
    declared: Callable[[View], View] = router.post(
        path, response=responses(shape, *SENDING, *(WITH_TOKEN if door else ()), status=status), auth=door,
        url_name=name, operation_id=name, openapi_extra={} if keeps else {KEEPS_NO_ANSWER: True},
    )  # fmt: skip
    return declared
