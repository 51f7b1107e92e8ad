"""A target behind an OpenAI-compatible chat completions address."""

from __future__ import annotations

import email.utils
import ipaddress
import os
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from manyeyes.plugins.protocols import Reply, Request, TargetError
from manyeyes.rules.addresses import public

MAX_ANSWER = 8 * 1024 * 1024
MOST_TOKENS = 1_000_000_000
"""A target that says a call took more than this is not believed."""
_BLOCKED = frozenset({"content_filter", "ResponsibleAIPolicyViolation", "content_policy_violation"})
_LATER = frozenset({408, 409, 425})


def endpoint(url: str) -> str:
    """The address of chat completions that a base address stands for.

    >>> endpoint("http://127.0.0.1:8080")
    'http://127.0.0.1:8080/v1/chat/completions'
    >>> endpoint("https://models.example/openai/v1/")
    'https://models.example/openai/v1/chat/completions'
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"target address {url!r} must begin with http:// or https:// and name a computer")
    if parts.username or parts.password:
        raise ValueError("a target address must not hold a password; name an environment variable with the key")
    path = parts.path.rstrip("/")
    if not path.endswith("/chat/completions"):
        path = f"{path or '/v1'}/chat/completions"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


class OpenAIChat:
    """Sends one request per `ask`, on one of as many kept-open connections as the run has slots.

    No redirect is followed, no proxy of the environment used, and the key is sent to this address only. With
    `private_ok` false, addresses that are not public are refused when the name is resolved, which is when it counts.
    """

    def __init__(
        self,
        *,
        url: str,
        model: str,
        key: str | None = None,
        timeout: float = 120.0,
        connections: int = 64,
        private_ok: bool = True,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.url = endpoint(url)
        self.model = model
        self._extra = dict(extra or {})
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=min(timeout, 15.0))
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._connections = connections
        self._private_ok = private_ok
        self._session: aiohttp.ClientSession | None = None
        if not private_ok:
            _refuse_private(urlsplit(self.url).hostname or "")

    def body(self, request: Request) -> bytes:
        """The bytes that stand for a request: what is not named in the settings is not sent."""
        data: dict[str, Any] = {
            **({"model": self.model} if self.model else {}),
            "messages": list(request.messages),
            **request.params,
            **self._extra,
        }
        if request.seed is not None:
            data["seed"] = request.seed
        return orjson.dumps(data)

    async def ask(self, request: Request) -> Reply:
        """The answer. Raises TargetError where there is none."""
        body = self.body(request)
        if self._session is None:
            self._session = self._open()
        try:
            async with self._session.post(self.url, data=body, allow_redirects=False) as response:
                raw = await _limited(response)
                return _reply(response.status, response.headers, raw, body)
        except TimeoutError:
            raise TargetError(f"no answer within {self._timeout.total:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise TargetError(f"no answer: {_plain(error)}") from None

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        resolver = None if self._private_ok else _PublicResolver()
        connector = aiohttp.TCPConnector(limit=self._connections, resolver=resolver, ttl_dns_cache=300)
        return aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            headers=self._headers,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )


class _PublicResolver(AbstractResolver):
    """Resolves a name to public addresses only; the connection is made to the very address that was checked."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for row in found:
            _refuse_private(row["host"])
        return found

    async def close(self) -> None:
        await self._inner.close()


def _refuse_private(host: str) -> None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return
    if not public(address):
        raise TargetError(
            f"{host} is not a public address, and this installation allows public ones only", retryable=False
        )


def _plain(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate of {error.host}:{error.port} is not trusted: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect to {error.host}:{error.port}: {_reason(error.os_error)}"
    return str(error) or type(error).__name__


def _reason(cause: OSError) -> str:
    """Why there is no connection; the number of an SSL error is none of the system's."""
    if not isinstance(cause, ssl.SSLError) and (cause.errno or 0) > 0:
        return os.strerror(cause.errno or 0)
    return cause.strerror or str(cause)


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    raw = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        raw += chunk
        if len(raw) > MAX_ANSWER:
            raise TargetError(f"the answer is larger than {MAX_ANSWER // 1024 // 1024} MB", retryable=False)
    return bytes(raw)


def _reply(status: int, headers: Mapping[str, str], raw: bytes, body: bytes) -> Reply:
    if status == 200:
        return _answer(raw, body)
    said = _excerpt(raw)
    if status == 400 and _is_block(raw):
        return Reply(text="", sent=body, finish_reason="content_filter", status=status)
    if status in (429, 503):
        after = retry_after(headers.get("Retry-After"))
        raise TargetError(
            f"asked for fewer calls (HTTP {status}){said}", throttled=True, retry_after=after, status=status
        )
    if status >= 500 or status in _LATER:
        after = retry_after(headers.get("Retry-After"))
        raise TargetError(f"answered HTTP {status}{said}", retry_after=after, status=status)
    if 300 <= status < 400:
        raise TargetError(f"answered HTTP {status}; redirects are not followed", retryable=False, status=status)
    raise TargetError(f"refused the request: HTTP {status}{said}", retryable=False, status=status)


def _answer(raw: bytes, body: bytes) -> Reply:
    try:
        data = orjson.loads(raw)
        choice = data["choices"][0]
        message = choice["message"]
        text = _text(message)
        usage = data.get("usage") or {}
        finish = choice.get("finish_reason")
        return Reply(
            text=text,
            sent=body,
            finish_reason="refusal" if message.get("refusal") else _name(finish),
            status=200,
            tokens_in=_count(usage.get("prompt_tokens")),
            tokens_out=_count(usage.get("completion_tokens")),
            model=_name(data.get("model")),
            fingerprint=_name(data.get("system_fingerprint")),
        )
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, AttributeError):
        raise TargetError(f"HTTP 200, but not a chat completion{_excerpt(raw)}", status=200) from None


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if content is None:
        content = message.get("refusal") or ""
    if isinstance(content, list):
        content = "".join(part.get("text") or "" for part in content)
    if not isinstance(content, str):
        raise TypeError("content is no text")
    return content


def _is_block(raw: bytes) -> bool:
    """Whether a 400 is the target's own filter refusing the prompt, which is an outcome and not a fault."""
    try:
        error = orjson.loads(raw)["error"]
        return bool({error.get("code"), (error.get("innererror") or {}).get("code")} & _BLOCKED)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return False


def _name(value: Any) -> str | None:
    return printable(value[:200]) if isinstance(value, str) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS else None


def _excerpt(raw: bytes) -> str:
    said = printable(" ".join(raw[:2_000].decode("utf-8", "replace").split())[:200])
    return f": {said}" if said else ""


def printable(said: str) -> str:
    """What a target says of itself, fit for a terminal and a log: nothing that moves a cursor or turns text around.

    >>> printable("bad \x1b[31mkey")
    'bad \ufffd[31mkey'
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in said)


def retry_after(value: str | None, *, now: float | None = None) -> float | None:
    """The seconds a Retry-After header asks for, given as seconds or as a date; None where it says nothing usable.

    >>> retry_after("7"), retry_after("Thu, 01 Jan 1970 00:01:00 GMT", now=50.0), retry_after("soon")
    (7.0, 10.0, None)
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(value).timestamp()
        except (ValueError, TypeError, OverflowError):
            return None
        seconds = moment - (time.time() if now is None else now)
    return max(0.0, seconds) if seconds == seconds and seconds != float("inf") else None
