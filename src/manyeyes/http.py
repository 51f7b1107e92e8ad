"""What all faces share of HTTP: refusals turned into answers, pages of lists, rate limits, logs without content."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import RequestDataTooBig
from django.core.paginator import Page, Paginator
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from manyeyes.accounts import postkey, working
from manyeyes.accounts.models import Person
from manyeyes.accounts.visitors import network
from manyeyes.programs.access import programs_of, visible_to
from manyeyes.rules import errors
from manyeyes.vault import tokens

PAGE_SIZE = 25
DRAINED = 1_000_000_000
"""So much of a refused body is read and forgotten; whoever sends more finds the connection closed."""
THEMES = ("auto", "light", "dark")
TRY_AGAIN = 5
"""Seconds after which whoever met a busy database may send the same again."""

STATUS_OF: tuple[tuple[type[errors.Refused], int], ...] = (
    (errors.NotFound, 404),
    (errors.NotAllowed, 403),  # only for those who may see the thing: to others it is NotFound
    (errors.Conflict, 409),
    (errors.Invalid, 422),
    (errors.EmbargoInForce, 423),
    (errors.IllegalMove, 409),
    (errors.Refused, 409),
)


MACHINES = "/api/"
"""Below this path programs call, and every refusal is a problem of RFC 9457 in place of a page."""
PROBLEMS: dict[int, tuple[str, str]] = {
    400: ("bad-request", "The request makes no sense."),
    401: ("unauthenticated", "A working token is needed."),
    403: ("not-allowed", "This act belongs to somebody else."),
    404: ("absent", "There is nothing here."),
    405: ("method-not-allowed", "This address takes another method."),
    409: ("conflict", "This is not possible as things stand."),
    413: ("too-large", "The request is too large."),
    414: ("address-too-long", "The address is too long."),
    415: ("unsupported-media-type", "This kind of content is not taken here."),
    422: ("invalid", "Something in the request cannot be used."),
    423: ("embargo", "An agreed date lies ahead."),
    429: ("too-many-requests", "Too many requests. Wait a while."),
    431: ("headers-too-large", "The headers of the request are too large."),
    500: ("failure", "The failure is ours. Nothing was changed; try again later."),
    503: ("busy", "Too much at once. Wait a few seconds and send the same again."),
}


def problem(status: int, detail: str = "", **more: Any) -> JsonResponse:
    """A refusal as programs read it (RFC 9457); it repeats nothing of what was sent."""
    kind, title = PROBLEMS[status]
    body = {"type": f"urn:manyeyes:problem:{kind}", "title": title, "status": status, "detail": detail or title, **more}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def refusal(error: errors.Refused) -> JsonResponse:
    """The same for what a stage function refused, with what is wrong field by field, or what is missing."""
    status = status_of(error)
    if isinstance(error, errors.NotFound):
        return problem(404)  # the same bytes, whatever was not found
    if isinstance(error, errors.Invalid):
        return problem(status, fields=error.fields)
    if isinstance(error, errors.IllegalMove):
        return problem(status, error.message, missing=error.missing)
    return problem(status, error.message)


def status_of(error: errors.Refused) -> int:
    """The status that answers a refusal."""
    return next(code for kind, code in STATUS_OF if isinstance(error, kind))


def by_machine(request: HttpRequest) -> bool:
    """Whether a program is calling, which can do nothing with a page."""
    return request.path.startswith(MACHINES)


class RefusalMiddleware:
    """Answers every `rules.errors.Refused` that a view lets through, the same way on every face."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        drain(request)
        # Pages hold what only their reader may see: no shared cache, no history copy.
        response.headers.setdefault(
            "Cache-Control",
            "no-store" if by_machine(request) or request.user.is_authenticated else "private, no-cache",
        )
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, RequestDataTooBig):
            return too_large(request)
        if database_busy(exception):
            return busy(request)
        if not isinstance(exception, errors.Refused):
            return None
        if by_machine(request):
            return refusal(exception)
        status = status_of(exception)
        if status == 404:
            return not_found(request)
        return render(request, "errors/refused.html", {"error": exception}, status=status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The one page for what is absent and for what the reader may not know of: the same bytes for both."""
    return problem(404) if by_machine(request) else render(request, "errors/404.html", status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The page for a request that was refused before any case was looked at."""
    return problem(403) if by_machine(request) else render(request, "errors/403.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form that came without its token (a cookie blocked, or a page kept open too long)."""
    return render(request, "errors/403.html", {"form_expired": True}, status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The page for a request that makes no sense (too large, unknown host, broken encoding)."""
    if isinstance(exception, RequestDataTooBig):
        return too_large(request)
    if database_busy(exception):
        return busy(request)
    return problem(400) if by_machine(request) else render(request, "errors/400.html", status=400)


def too_large(request: HttpRequest, field: str = "") -> HttpResponse:
    """The page for more text than one form may hold; what was typed is still in the sender's browser.

    `field` names the answer that went beyond, where that is known.
    """
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1_000_000
    if by_machine(request):
        return problem(413, f"The text of a request may hold {most} MB. Send what is longer as a file.")
    return render(request, "errors/too_large.html", {"most": most, "field": field}, status=413)


def drain(request: HttpRequest) -> None:
    """Read what is left of a body that nobody read: a browser that is still sending does not look for an answer."""
    if request.method not in ("POST", "PUT", "PATCH", "DELETE"):
        return
    left = DRAINED
    with contextlib.suppress(OSError, AttributeError):
        while left > 0 and (piece := request._stream.read(65_536)):
            left -= len(piece)


def database_busy(error: BaseException | None) -> bool:
    """Whether the database stayed locked or could not be reached, here or beneath: the same may do a moment later."""
    while error is not None and not (isinstance(error, OperationalError | InterfaceError) and error.__cause__):
        error = error.__context__  # a session that could not be stored tells it by another name
    if error is None:
        return False
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    state = getattr(cause, "sqlstate", None)  # PostgreSQL says none where the connection itself was lost
    return state is None or state[:2] in ("08", "40", "53", "57") or state == "55P03"


def busy(request: HttpRequest) -> HttpResponse:
    """The page for a moment of too much at once: whoever sends the same again does nothing twice."""
    answer = problem(503) if by_machine(request) else render(request, "errors/busy.html", status=503)
    answer.headers["Retry-After"] = str(TRY_AGAIN)
    return answer


def too_many(request: HttpRequest) -> HttpResponse:
    """The page for tries or mails beyond their limit; allauth counts those at its doors."""
    return problem(429) if by_machine(request) else render(request, "errors/429.html", status=429)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for our own failure; it repeats nothing of what was sent."""
    if database_busy(sys.exc_info()[1]):  # outside of any view, as when a session is stored
        return busy(request)
    return problem(500) if by_machine(request) else render(request, "errors/500.html", status=500)


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What every page knows: the theme and keys its reader chose, and whether they have a console to go to."""
    theme = request.COOKIES.get("manyeyes_theme", "auto")
    on_team = SimpleLazyObject(lambda: programs_of(getattr(request, "user", None)).exists())
    mail_trouble = SimpleLazyObject(lambda: postkey.standing(request.user))  # type: ignore[arg-type]
    keys = SimpleLazyObject(lambda: working.keys_of(getattr(request, "user", None)))
    listed = SimpleLazyObject(lambda: visible_to(None).exists())
    return {
        "theme": theme if theme in THEMES else "auto", "on_team": on_team, "mail_trouble": mail_trouble, "keys": keys,
        "has_securitytxt": listed,
    }  # fmt: skip


def as_download(chunks: Iterator[bytes], name: str) -> StreamingHttpResponse:
    """A file that somebody sent, for saving only: no type a browser would render, and nothing may run in it."""
    answer = StreamingHttpResponse(chunks, content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@csrf_exempt  # a token would set a cookie on every page, for a switch of colours
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or automatic in a cookie, so that the server can say it before any script runs."""
    if not from_this_site(request):
        return forbidden(request)
    theme = request.POST.get("theme", "auto")
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    response = HttpResponseRedirect(back)
    response.set_cookie(
        "manyeyes_theme", theme if theme in THEMES else "auto", max_age=31536000, samesite="Lax", httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip
    return response


def paged(request: HttpRequest, rows: Any, size: int = PAGE_SIZE) -> Page[Any]:
    """The page of `rows` that `?page=` asks for; out of range gives the nearest one."""
    return Paginator(rows, size).get_page(request.GET.get("page"))


class LongPaginator(Paginator):  # type: ignore[type-arg]
    """Pages through a list that is counted only so far: beyond, a page knows whether another one follows."""

    def __init__(self, rows: Any, size: int, *, counted: int) -> None:
        super().__init__(rows, size)
        self.counted = counted

    @property
    def open_ended(self) -> bool:
        """Whether there are as many as were counted, or more."""
        return bool(self.count >= self.counted)

    def get_page(self, number: Any) -> Page[Any]:
        """The page asked for; out of range gives the nearest one, and in a long list the first."""
        if not self.open_ended:
            return super().get_page(number)
        place = int(number) if str(number or "").isdecimal() and len(str(number)) < 7 else 1
        place = max(place, 1)
        found = list(self.object_list[(place - 1) * self.per_page : place * self.per_page + 1])
        if not found and place > 1:
            return self.get_page(1)
        self.__dict__["num_pages"] = place + (len(found) > self.per_page)
        return Page(found[: self.per_page], place, self)


def paged_far(request: HttpRequest, rows: Any, *, counted: int) -> Page[Any]:
    """As `paged`, for a list whose length is told up to `counted` only."""
    return LongPaginator(rows, PAGE_SIZE, counted=counted).get_page(request.GET.get("page"))


def caller(request: HttpRequest) -> str:
    """A name for who is calling that is forgotten at the end of the day; the address itself is kept nowhere."""
    return tokens.fleeting(network(request))


def within_limit(request: HttpRequest, action: str, per_hour: int, *, account: Any = None) -> bool:
    """Whether this caller may do `action` once more this hour; counts the attempt. Limits are per serving process.

    An `account` is counted by itself, wherever it calls from; everybody else by their network.
    """
    who = caller(request) if account is None else f"account:{account.pk}"
    key = f"limit:{action}:{who}:{int(time.time() // 3600)}"
    cache.add(key, 0, timeout=3700)
    try:
        return int(cache.incr(key)) <= per_hour
    except ValueError:  # a full cache dropped it between these two lines
        return True


def reports_within(request: HttpRequest, sender: Any = None) -> bool:
    """Whether a report is within what one sender sends in an hour; those beyond wait in a tray, none is refused."""
    account = sender if getattr(sender, "kind", "") == Person.Kind.ACCOUNT else None
    return within_limit(request, "report", settings.MANYEYES_REPORTS_PER_HOUR, account=account)


def may_try(request: HttpRequest, action: str, *, times: int = 1) -> bool:
    """As `within_limit`, `times` as often an hour as the setting says of one network."""
    return within_limit(request, action, settings.MANYEYES_TRIES_PER_HOUR * times)


def from_this_site(request: HttpRequest) -> bool:
    """Whether a form was sent from our own page, told without cookies: by Fetch Metadata and Origin headers.

    The report form must work for people who take no cookies before they have sent anything; a client that sends
    neither header is no browser and carries no one's session by accident.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin == f"{request.scheme}://{request.get_host()}"


__all__ = [
    "Http404",
    "RefusalMiddleware",
    "caller",
    "from_this_site",
    "may_try",
    "paged",
    "problem",
    "refusal",
    "reports_within",
    "within_limit",
]
