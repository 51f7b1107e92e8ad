"""Sends requests of HTTP targets: kept-open connections, limits, no redirect, no proxy, no private address."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from manyeyes.plugins.protocols import TargetError
from manyeyes.rules.addresses import public

MAX_ANSWER = 8 * 1024 * 1024
_KEYS = frozenset(
    {"key", "api_key", "api-key", "apikey", "access_token", "auth_token", "token", "sig", "signature", "code",
     "subscription-key", "password", "secret"}
)  # fmt: skip


class Answered(NamedTuple):
    """An answer as it came: its body whole, within the limit."""

    status: int
    headers: Mapping[str, str]
    raw: bytes


def address(url: str, ending: str) -> str:
    """The address that a base address stands for, where the last part of the path is known (`ending`).

    Raises ValueError.

    >>> address("http://127.0.0.1:8080", "/messages")
    'http://127.0.0.1:8080/v1/messages'
    >>> address("https://models.example/team/v1/", "/messages")
    'https://models.example/team/v1/messages'
    """
    parts = checked(url)
    path = parts.path.rstrip("/")
    if ending and not path.endswith(ending):
        path = f"{path or '/v1'}{ending}"
    return urlunsplit((parts.scheme, parts.netloc, path or "/", parts.query, ""))


def checked(url: str) -> SplitResult:
    """The parts of a target's address. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a target address must begin with http:// or https:// and name a computer")
    if parts.username or parts.password:
        raise ValueError("a target address must not hold a password; name an environment variable with the key")
    if held := _KEYS.intersection(name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError(
            f"a target address must not hold a key ({sorted(held)[0]}=…), since it is stored and shown with every "
            "result; name an environment variable with the key"
        )
    return parts


class Wire:
    """One pool of as many kept-open connections as a run has slots, to one address.

    No redirect is followed, no proxy of the environment used, no request sent twice, and the headers (with the key) go
    to this address only. With `private_ok` false, addresses that are not public are refused when the name is resolved,
    which is when it counts.
    """

    def __init__(
        self, url: str, *, headers: Mapping[str, str], timeout: float, connections: int, private_ok: bool
    ) -> None:
        self.url = url
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", **headers}
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=min(timeout, 15.0))
        self._connections = connections
        self._private_ok = private_ok
        self._session: aiohttp.ClientSession | None = None
        if not private_ok:
            _refuse_private(urlsplit(url).hostname or "")

    async def send(self, body: bytes | None, *, method: str = "POST", url: str | None = None) -> Answered:
        """Exactly one request and its whole answer, whatever its status. Raises TargetError where none came.

        `url` is another address of the same origin.
        """
        session = self._session or self._open()
        try:
            async with session.request(method, url or self.url, data=body, allow_redirects=False) as response:
                return Answered(response.status, response.headers, await whole(response))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise self._fault(error) from None

    @asynccontextmanager
    async def sent(
        self, body: bytes | None, *, method: str = "POST", url: str | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The same, with the answer still coming in; reading it may raise too, and becomes a TargetError here."""
        session = self._session or self._open()
        try:
            async with session.request(method, url or self.url, data=body, allow_redirects=False) as response:
                yield response
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise self._fault(error) from None

    def _fault(self, error: Exception) -> TargetError:
        if isinstance(error, TimeoutError):
            return TargetError(f"no answer within {self._timeout.total:g} s")
        return TargetError(f"no answer: {_plain(error)}")

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        resolver = None if self._private_ok else _PublicResolver()
        connector = aiohttp.TCPConnector(limit=self._connections, resolver=resolver, ttl_dns_cache=300)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            headers=self._headers,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        # aiohttp sends a GET or PUT again by itself when a connection breaks; a call is never made twice unnoticed
        self._session._retry_connection = False
        return self._session


async def whole(response: aiohttp.ClientResponse) -> bytes:
    """The body. Raises TargetError where it passes the limit."""
    length = response.content_length
    if length is not None and length <= MAX_ANSWER and "Content-Encoding" not in response.headers:
        return await response.read()
    raw = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        raw += chunk
        if len(raw) > MAX_ANSWER:
            raise too_large()
    return bytes(raw)


def too_large() -> TargetError:
    """The fault of an answer that passes the limit."""
    return TargetError(f"the answer is larger than {MAX_ANSWER // 1024 // 1024} MB", retryable=False)


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
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return
    if not public(found):
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
