"""The door of every address: how often one may call, what may be sent, and that a resend does nothing twice."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError

from manyeyes.accounts import resends
from manyeyes.accounts import tokens as held
from manyeyes.accounts.models import ApiToken
from manyeyes.http import caller, problem, refusal, too_large
from manyeyes.rules.errors import Invalid, Refused
from manyeyes.vault import tokens

View = Callable[..., HttpResponse]
JSON, FORM = "application/json", "multipart/form-data"
RESEND = "Idempotency-Key"
HOUR = 3600


def guarded(view: View, methods: frozenset[str], *, brings_file: bool, keeps_answer: bool) -> View:
    """The view behind its door. `keeps_answer` false where the answer holds something that is kept nowhere."""

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            found = _stopped(request, methods, brings_file)
            if found is None:
                found = _answered(request, lambda: view(request, *args, **kwargs), keeps_answer)
        except Refused as error:
            found = refusal(error)
        except RequestDataTooBig:
            found = too_large(request)
        except (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError):
            found = problem(400)
        found.headers["Cache-Control"] = "no-store"
        return found

    answer.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie is looked at, so none can be misused
    return answer


def _stopped(request: HttpRequest, methods: frozenset[str], brings_file: bool) -> HttpResponse | None:
    """What is answered before the view is asked, or None."""
    if not within(request):
        found: HttpResponse = problem(429)
        found.headers["Retry-After"] = str(HOUR - int(time.time()) % HOUR)
        return found
    if request.method == "HEAD" and "GET" in methods:
        request.method = "GET"  # the server leaves the body away
    if request.method not in methods:
        found = HttpResponse(status=204) if request.method == "OPTIONS" else problem(405)
        found.headers["Allow"] = ", ".join(sorted({*methods, "OPTIONS", *({"HEAD"} if "GET" in methods else ())}))
        return found
    something = str(request.META.get("CONTENT_LENGTH") or "0") != "0"
    if request.method == "POST" and something and request.content_type != (FORM if brings_file else JSON):
        return problem(415, f"Send {FORM if brings_file else JSON}.")
    return None


def _ended(request: HttpRequest) -> bool:
    return "Authorization" in request.headers and _token(request) is None


def _token(request: HttpRequest) -> ApiToken | None:
    text = request.headers.get("Authorization", "")
    return held.found(text.partition(" ")[2].strip()) if text else None


def within(request: HttpRequest) -> bool:
    """Whether this caller, or this token wherever it is, may call once more this hour; counts the call."""
    token = _token(request)
    who = str(token.pk) if token else caller(request)
    key = f"limit:api:{who}:{int(time.time() // HOUR)}"
    cache.add(key, 0, timeout=HOUR + 100)
    try:
        return int(cache.incr(key)) <= settings.MANYEYES_API_CALLS_PER_HOUR
    except ValueError:  # a full cache dropped it between these two lines
        return True


def _answered(request: HttpRequest, work: Callable[[], HttpResponse], keeps_answer: bool) -> HttpResponse:
    key = request.headers.get(RESEND, "")
    if request.method != "POST" or not key or _ended(request):
        return work()  # a token that ended gets no answer of before either
    if len(key) > resends.LONGEST or not key.isprintable():
        raise Invalid({RESEND: f"At most {resends.LONGEST} printable characters."})
    if not keeps_answer:
        slot = resends.known(_who(request), key, _content(request))
        answer = work()
        if answer.status_code >= 400:
            resends.forget(slot)
        return answer
    made: list[HttpResponse] = []

    def worked() -> resends.Answered:
        made.append(work())
        return made[0].status_code, made[0].content

    (status, body), again = resends.once(_who(request), key, _content(request), worked)
    if not again:
        return made[0]
    return HttpResponse(body, status=status, content_type=JSON, headers={"Idempotent-Replay": "true"})


def _who(request: HttpRequest) -> str:
    """The token, else the network a stranger calls from; as part of a keyed name, held nowhere else."""
    return request.headers.get("Authorization") or caller(request)


def sending_of(request: HttpRequest) -> str:
    """A secret name, 64 hexadecimal digits, for what a request with an idempotency key makes; else empty."""
    key = request.headers.get(RESEND, "")
    return tokens.keyed("api-submission", f"{_who(request)}\0{key}") if key else ""


def _content(request: HttpRequest) -> str:
    """A digest of what was sent, and where to."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\0".encode())
    if request.content_type != FORM:
        digest.update(request.body)
        return digest.hexdigest()
    for name, value in sorted(request.POST.items()):
        digest.update(f"{name}\0{value}\0".encode("utf-8", "surrogatepass"))
    uploads: Any = request.FILES
    for name, upload in sorted(uploads.items()):
        digest.update(f"{name}\0{upload.name}\0".encode("utf-8", "surrogatepass"))
        for piece in upload.chunks():
            digest.update(piece)
    return digest.hexdigest()
