"""A target that is an application of its own: a JSON template out, a path into the JSON that comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

import orjson

from manyeyes.plugins.builtin.targets import template
from manyeyes.plugins.builtin.targets.saying import count, excerpt, fault_in, name, refuse
from manyeyes.plugins.builtin.targets.wire import Answered, Wire, checked
from manyeyes.plugins.options import Option, OptionsError
from manyeyes.plugins.protocols import Reply, Request, TargetError
from manyeyes.reproducer.jsonpath import Step, find, parse_path

_METHODS = ("POST", "PUT", "PATCH")
_SECRET = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})
_FORBIDDEN = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "content-type"})
_PATHS = ("answer", "finish", "model_path", "tokens_in", "tokens_out", "error")


class HttpJson:
    """Asks any application that takes and gives JSON: a template makes the request, a path finds the answer.

    With `session`, each trial first opens a new session of the application, which is a call of its own and counted as
    one. An application that remembers longer than that is an environment, not a target.
    """

    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "body": Option("object", f"the JSON to send, with placeholders: {template.NAMES}", required=True),
        "answer": Option("text", "the path to the text of the answer, such as $.reply.text", required=True),
        "method": Option("text", "the method (default POST)", choices=_METHODS),
        "headers": Option("object", "headers to send; {{key}} stands for the key"),
        "finish": Option("text", "the path to the reason why the answer ended"),
        "model_path": Option("text", "the path to the model's own name"),
        "tokens_in": Option("text", "the path to the number of tokens read"),
        "tokens_out": Option("text", "the path to the number of tokens written"),
        "error": Option("text", "a path that leads to something only in answers that are errors"),
        "session": Option("object", "opens a session before each trial: {path, body, id: path to what {{session}} is}"),
    }

    def __init__(
        self,
        *,
        url: str,
        body: Mapping[str, Any],
        answer: str,
        model: str = "",
        key: str | None = None,
        timeout: float = 120.0,
        connections: int = 64,
        private_ok: bool = True,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        session: Mapping[str, Any] | None = None,
        **paths: str,
    ) -> None:
        self.check({"body": body, "answer": answer, "headers": headers or {}, "session": session, **paths})
        checked(url)
        self.url, self.model, self._method = url, model, method
        self._template, self._session = dict(body), dict(session or {})
        self._paths: dict[str, tuple[Step, ...]] = {"answer": parse_path(answer)}
        self._paths |= {field: parse_path(path) for field, path in paths.items()}
        self.requests_per_ask = 2 if session else 1
        filled = {field: value.replace("{{key}}", key or "") for field, value in (headers or {}).items()}
        if key and not any("{{key}}" in value for value in (headers or {}).values()):
            filled["Authorization"] = f"Bearer {key}"
        self._wire = Wire(url, headers=filled, timeout=timeout, connections=connections, private_ok=private_ok)

    @staticmethod
    def check(options: Mapping[str, Any]) -> None:
        """Raises OptionsError on a template, a path or a header that cannot be."""
        session = options.get("session") or {}
        _check_template("body", options["body"], session=bool(session))
        for field in _PATHS:
            if field in options:
                _check_path(field, options[field])
        for field, value in (options.get("headers") or {}).items():
            _check_header(field, value)
        if session:
            _check_session(session)

    def body(self, request: Request, session: str | None = None) -> bytes:
        """The bytes that stand for a request."""
        if any(len(message) > 2 for message in request.messages) and not template.uses(self._template, "messages"):
            raise TargetError("body: tools and images need {{messages}} in the template", retryable=False)
        return orjson.dumps(template.fill(self._template, template.scope(request, model=self.model, session=session)))

    async def ask(self, request: Request) -> Reply:
        """The answer, after a new session where there is one. Raises TargetError where there is none."""
        session = await self._opened(request) if self._session else None
        body = self.body(request, session)
        answered = await self._wire.send(body, method=self._method)
        if not 200 <= answered.status < 300:
            refuse(*answered)
        return self._reply(answered, body)

    async def close(self) -> None:
        """Closes the connections."""
        await self._wire.close()

    async def _opened(self, request: Request) -> str | None:
        known = template.scope(request, model=self.model)
        body = orjson.dumps(template.fill(self._session.get("body", {}), known))
        url = urljoin(self.url, self._session["path"])
        answered = await self._wire.send(body, url=url)
        if not 200 <= answered.status < 300:
            refuse(*answered)
        if "id" not in self._session:
            return None
        return str(_one(_parsed(answered), parse_path(self._session["id"]), "the id of the session", answered.raw))

    def _reply(self, answered: Answered, body: bytes) -> Reply:
        data, raw = _parsed(answered), answered.raw
        if "error" in self._paths and any(find(self._paths["error"], data)):
            fault_in(find(self._paths["error"], data)[0], raw)
        text = _one(data, self._paths["answer"], "the answer", raw)
        found = {field: next(iter(find(path, data)), None) for field, path in self._paths.items()}
        return Reply(
            text=text if isinstance(text, str) else orjson.dumps(text).decode(),
            sent=body,
            finish_reason=name(found.get("finish")),
            status=answered.status,
            tokens_in=count(found.get("tokens_in")),
            tokens_out=count(found.get("tokens_out")),
            model=name(found.get("model_path")),
        )


def _parsed(answered: Answered) -> Any:
    try:
        return orjson.loads(answered.raw)
    except orjson.JSONDecodeError:
        raise TargetError(f"HTTP {answered.status}, but no JSON{excerpt(answered.raw)}", status=200) from None


def _one(data: Any, path: tuple[Step, ...], what: str, raw: bytes) -> Any:
    found = find(path, data)
    if not found or found[0] is None:
        raise TargetError(f"HTTP 200, but {what} is not where the path says{excerpt(raw)}", status=200)
    return found[0]


def _check_template(field: str, found: Any, *, session: bool) -> None:
    if not isinstance(found, Mapping):
        raise OptionsError(field, "give a JSON object with placeholders such as {{prompt}}")
    try:
        template.check(found, session=session)
    except ValueError as error:
        raise OptionsError(field, str(error)) from None


def _check_path(field: str, path: Any) -> None:
    try:
        parse_path(path)
    except (ValueError, TypeError, AttributeError) as error:
        raise OptionsError(field, str(error)) from None


def _check_header(field: str, value: Any) -> None:
    where = f"headers.{field}"
    if not isinstance(value, str) or not value.isprintable() or not field.isprintable() or ":" in field:
        raise OptionsError(where, "give a name and a text on one line")
    if field.lower() in _FORBIDDEN:
        raise OptionsError(where, "this header is set by the program; leave it out")
    if field.lower() in _SECRET and "{{key}}" not in value:
        raise OptionsError(where, "write {{key}} and name the variable that holds the key; a plan never holds one")


def _check_session(session: Any) -> None:
    if (
        not isinstance(session, Mapping)
        or not isinstance(session.get("path"), str)
        or set(session) - {"path", "body", "id"}
    ):
        raise OptionsError("session", "give {path, body, id}: a path on the same server, what to send, where the id is")
    if not session["path"].startswith("/") or session["path"].startswith("//") or urlsplit(session["path"]).netloc:
        raise OptionsError("session.path", "give a path that begins with one /, on the same server")
    _check_template("session.body", session.get("body", {}), session=False)
    if "id" in session:
        _check_path("session.id", session["id"])
