"""The calls as ninja knows them: what is read from a request, and how each refusal is answered."""

from __future__ import annotations

from typing import Any

import orjson
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from manyeyes.api import doing, drafting, own, person, public, sending, together
from manyeyes.api.unfit import sentence
from manyeyes.http import problem, refusal, too_large
from manyeyes.rules.errors import Refused

NAMED = 50
"""Problems that are named at a time; a body may hold a hundred thousand."""
UNREAD = (
    "The body cannot be read as JSON at line {line}, column {column}. Send UTF-8, no NaN or Infinity, whole characters "
    "(no lone half such as \\ud800), and at most about 1,000 brackets one in another."
)


class Strict(Parser):
    """JSON as the standard has it: no NaN, no half characters, bounded depth."""

    def parse_body(self, request: HttpRequest) -> Any:
        """What was sent."""
        return orjson.loads(request.body)


api = NinjaAPI(
    title="manyeyes", version="1", docs_url=None, openapi_url=None, urls_namespace="api", parser=Strict(),
    description="Everything a researcher can do in a disclosure program. Refusals are problems of RFC 9457.",
    servers=[{"url": "/"}],
)  # fmt: skip
for room in (public, sending, drafting, own, doing, together, person):
    api.add_router("", room.router)


@api.exception_handler(Refused)
def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    """What a stage function refused."""
    return refusal(error)


@api.exception_handler(AuthenticationError)
def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    """No token, a wrong one, one that ended: the same answer for all."""
    answer = problem(401)
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(ValidationError)
def unfit(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What does not fit the schema, field by field; nothing of it is repeated."""
    fields = {}
    for row in error.errors[:NAMED]:
        place = [str(part) for part in row["loc"] if part not in ("body", "query", "path", "header", "form", "file")]
        fields[".".join(place[1:] if place[:1] == ["body"] else place)[:200] or "body"] = sentence(row)
    return problem(404) if all(row["loc"][:1] == ("path",) for row in error.errors) else problem(422, fields=fields)


@api.exception_handler(HttpError)
def broken(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Broken JSON, and where: a half character, NaN, brackets beyond any depth or bytes that are no UTF-8 among it."""
    cause = error.__cause__
    if not isinstance(cause, orjson.JSONDecodeError):
        return problem(400)
    return problem(400, UNREAD.format(line=cause.lineno, column=cause.colno))


for kind in (RequestDataTooBig, BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError):

    @api.exception_handler(kind)
    def unreadable(request: HttpRequest, error: Exception) -> HttpResponse:
        """A request that cannot be read to its end."""
        return too_large(request) if isinstance(error, RequestDataTooBig) else problem(400)
