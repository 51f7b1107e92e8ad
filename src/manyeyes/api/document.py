"""The OpenAPI document: what ninja reads off the code, with the problems, examples and headers it cannot know."""

from __future__ import annotations

import functools
from typing import Any

from ninja import NinjaAPI

from manyeyes.api.door import RESEND
from manyeyes.api.routes import KEEPS_NO_ANSWER

WORDS = {
    400: "It makes no sense: broken JSON, a broken form.",
    401: "No working token came along.",
    403: "The token lacks the scope, or the act belongs to somebody else.",
    404: "There is nothing here, or it is not yours: the two are never told apart.",
    405: "The address takes another method; `Allow` names them.",
    409: "Not possible as things stand.",
    413: "Too large.",
    415: "Another kind of content is needed.",
    422: "Something in it cannot be used; `fields` says what and how to mend it.",
    423: "An agreed date lies ahead.",
    429: "Too many calls this hour; `Retry-After` says when to go on.",
    500: "The failure is ours.",
    503: "Too much at once; `Retry-After` says when to send the same again.",
}
KINDS = {400: "bad-request", 401: "unauthenticated", 403: "not-allowed", 404: "absent", 409: "conflict",
         422: "invalid"}  # fmt: skip


@functools.cache
def document(api: NinjaAPI) -> dict[str, Any]:
    """The whole document, made once."""
    found: dict[str, Any] = dict(api.get_openapi_schema(path_prefix="/api/v1"))
    found["components"].setdefault("securitySchemes", {})["Token"] = {
        "type": "http", "scheme": "bearer", "description": "A token of yours, or one that a receipt was exchanged for.",
    }  # fmt: skip
    for item in found["paths"].values():
        for method, operation in item.items():
            _finished(method, operation)
    found["components"]["securitySchemes"].pop("TokenOrNobody", None)
    return found


def _finished(method: str, operation: dict[str, Any]) -> None:
    kept = not operation.pop(KEEPS_NO_ANSWER, False)
    names = {name for row in operation.get("security", ()) for name in row}
    if "TokenOrNobody" in names:
        operation["security"] = [{"Token": []}, {}]
    if method == "post":
        operation["parameters"] = [*operation.get("parameters", []), _resend(kept)]
    for row in operation.get("parameters", []):
        row.pop("examples", None)  # of the schema; a parameter's own would have another form
    operation["responses"] = {str(status): row for status, row in operation["responses"].items()}
    for status, row in operation["responses"].items():
        if int(status) >= 400:
            _refusal(int(status), row)
    if operation["operationId"] == "file":
        octets = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        operation["responses"]["200"]["content"] = octets


def _refusal(status: int, row: dict[str, Any]) -> None:
    row["description"] = WORDS[status]
    example = {"type": f"urn:manyeyes:problem:{KINDS.get(status, 'refused')}", "title": WORDS[status],
               "status": status, "detail": WORDS[status]}  # fmt: skip
    if status == 422:
        example["fields"] = {"title": "Please fill this in."}
    schema = {"$ref": "#/components/schemas/Problem"}
    row["content"] = {"application/problem+json": {"schema": schema, "example": example}}
    if status == 429:
        row["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds."}}
    if status == 401:
        row["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}


def _resend(kept: bool) -> dict[str, Any]:
    if kept:
        said = "The same key with the same content within a day gets the same answer, and nothing is done twice."
    else:
        said = "The same key with the same content does nothing twice; what is shown once is made anew."
    return {
        "in": "header", "name": RESEND, "required": False, "description": f"{said} Other content is refused (422).",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    }  # fmt: skip
