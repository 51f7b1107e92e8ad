"""Conformance of a target: one ask is one request, what was sent is on record, a fault is never an answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from aiohttp import web

from manyeyes.plugins.conformance.check import Check, require
from manyeyes.plugins.protocols import Reply, Request, Target, TargetError

SECRET = "BLUE-HERON-42"  # noqa: S105 - an invented word that an answer may hold
PROMPT = f"Grüß Gott 🪶, say {SECRET}"
REQUEST = Request(
    messages=({"role": "system", "content": "You are Wicket."}, {"role": "user", "content": PROMPT}),
    params={"temperature": 0, "max_tokens": 5},
    seed=9,
)


@dataclass(frozen=True, kw_only=True)
class TargetCase:
    """A target under test. `make` opens it at a base address, with the keywords `private_ok` and `timeout`.

    `good` gives the body of a good answer with this text, as a server of this kind sends it; leave it out for a target
    that reaches no server, and `make` gets an empty address. `kind` is the media type of a good answer, and `requests`
    how many requests an ask makes. A `local` target need not refuse private addresses.
    """

    make: Callable[..., Target]
    good: Callable[[str], bytes] | None = None
    kind: str = "application/json"
    requests: int = 1
    request: Request = field(default=REQUEST)
    local: bool = False


def checks(case: TargetCase) -> Sequence[Check]:
    """The tests of one target. Raises TypeError where it is no case."""
    if not isinstance(case, TargetCase):
        raise TypeError(f"give a TargetCase, not {type(case).__name__}")
    found = [*_ANYWHERE, *(_AT_A_SERVER if case.good is not None else ())]
    return tuple(
        Check(name, promise, partial(_run, work, case))
        for name, promise, work in found
        if not (case.local and name == "private addresses")
    )


class Scene:
    """A local server that answers as it is told and counts, and the target that asks it."""

    def __init__(self, case: TargetCase) -> None:
        self.case = case
        self.bodies: list[bytes] = []
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = self.well
        self.url = ""

    async def well(self, request: web.Request) -> web.StreamResponse:
        """A good answer."""
        assert self.case.good is not None
        return web.Response(body=self.case.good("It is a heron."), content_type=self.case.kind)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Counts, then answers."""
        self.bodies.append(await request.read())
        return await self.answer(request)

    async def ask(self, **how: Any) -> Reply:
        """One ask of a target opened for it alone."""
        target = self.case.make(self.url, **{"private_ok": True, "timeout": 10.0, **how})
        try:
            return await target.ask(self.case.request)
        finally:
            await target.close()

    async def fault(self, **how: Any) -> TargetError:
        """The fault of one ask, which must not be an answer."""
        try:
            reply = await self.ask(**how)
        except TargetError as error:
            return error
        require(False, f"expected TargetError, got the answer {reply.text[:80]!r}")
        raise AssertionError


@asynccontextmanager
async def _scene(case: TargetCase) -> AsyncIterator[Scene]:
    scene = Scene(case)
    if case.good is None:
        yield scene
        return
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", scene.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    scene.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    try:
        yield scene
    finally:
        await runner.cleanup()


def _run(work: Callable[[Scene], Awaitable[None]], case: TargetCase) -> None:
    async def played() -> None:
        async with _scene(case) as scene:
            await work(scene)

    asyncio.run(asyncio.wait_for(played(), 60))


async def _answers(scene: Scene) -> None:
    reply = await scene.ask()
    require(isinstance(reply, Reply), f"ask gave {type(reply).__name__}, not a Reply")
    require(isinstance(reply.text, str) and bool(reply.text), "the text of a good answer is empty")
    require(isinstance(reply.sent, bytes) and bool(reply.sent), "sent is empty: put the bytes of the request there")
    for name in ("tokens_in", "tokens_out"):
        value = getattr(reply, name)
        require(value is None or (isinstance(value, int) and value >= 0), f"{name} is {value!r}")


async def _protocol(scene: Scene) -> None:
    target = scene.case.make(scene.url, private_ok=True, timeout=10.0)
    require(isinstance(target, Target), "a target needs ask(request) and close()")
    require(getattr(target, "requests_per_ask", 1) == scene.case.requests, "requests_per_ask and the case differ")
    await target.close()


async def _close_twice(scene: Scene) -> None:
    target = scene.case.make(scene.url, private_ok=True, timeout=10.0)
    await target.ask(scene.case.request)
    await target.close()
    await target.close()
    unused = scene.case.make(scene.url, private_ok=True, timeout=10.0)
    await unused.close()


async def _at_once(scene: Scene) -> None:
    target = scene.case.make(scene.url, private_ok=True, timeout=10.0)
    try:
        requests = [replace(scene.case.request, index=index) for index in range(8)]
        replies = await asyncio.gather(*(target.ask(request) for request in requests))
    finally:
        await target.close()
    require(len(replies) == 8 and all(reply.text for reply in replies), "eight asks at once were not all answered")


async def _one_request(scene: Scene) -> None:
    await scene.ask()
    seen, wanted = len(scene.bodies), scene.case.requests
    require(seen == wanted, f"one ask made {seen} requests; the case says {wanted}")


async def _bytes(scene: Scene) -> None:
    reply = await scene.ask()
    require(reply.sent == scene.bodies[-1], f"sent is not what was received: {reply.sent[:80]!r}")
    told = reply.sent.decode("utf-8", "replace")
    seen = PROMPT in told or PROMPT.encode("ascii", "backslashreplace").decode() in told or SECRET in told
    require(seen or scene.case.request is not REQUEST, "the conversation is not in the bytes that were sent")


async def _no_retry(scene: Scene) -> None:
    for code in (500, 429, 503):
        scene.bodies.clear()
        scene.answer = _status(code, {"Retry-After": "0"})
        await scene.fault()
        require(len(scene.bodies) == 1, f"after HTTP {code} it sent {len(scene.bodies)} requests; the driver repeats")


async def _classified(scene: Scene) -> None:
    for code, retryable, throttled in ((429, True, True), (503, True, True), (500, True, False), (401, False, False)):
        scene.answer = _status(code, {"Retry-After": "7"} if throttled else {})
        error = await scene.fault()
        require(error.retryable is retryable, f"HTTP {code}: retryable is {error.retryable}")
        require(error.throttled is throttled, f"HTTP {code}: throttled is {error.throttled}")
        require(
            not throttled or error.retry_after == 7.0, f"HTTP {code}: Retry-After 7 was read as {error.retry_after}"
        )


async def _broken(scene: Scene) -> None:
    assert scene.case.good is not None
    whole = scene.case.good(f"It is {SECRET}.")
    for what, raw in (("half an answer", whole[: len(whole) // 2]), ("nothing", b""), ("a page", b"<html>no</html>")):
        scene.answer = _body(raw, scene.case.kind)
        error = await scene.fault()
        require(error.retryable, f"{what}: retryable is False, though the same call may work later")


async def _dropped(scene: Scene) -> None:
    async def drop(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.close()
        return web.Response()

    scene.answer = drop
    error = await scene.fault()
    require(error.retryable, "a dropped connection is not retryable")
    require(len(scene.bodies) == 1, f"a dropped connection was followed by {len(scene.bodies) - 1} more requests")


async def _no_redirect(scene: Scene) -> None:
    scene.answer = _status(307, {"Location": f"{scene.url}/elsewhere"})
    error = await scene.fault()
    require(len(scene.bodies) == 1, "a redirect was followed")
    require(not error.retryable, "a redirect is retryable, though it will come again")


async def _no_proxy(scene: Scene) -> None:
    names = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: "" if name.lower() == "no_proxy" else "http://127.0.0.1:9" for name in names})
    try:
        await scene.ask()
    except TargetError as error:
        require(False, f"with a proxy in the environment it did not reach the server itself: {error}")
    except ValueError:
        pass  # refused when it is opened, which is as good
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


async def _timeout(scene: Scene) -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    scene.answer = hang
    error = await scene.fault(timeout=0.5)
    require(error.retryable, "a call that took too long is not retryable")


async def _cancelled(scene: Scene) -> None:
    began = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        began.set()
        await asyncio.sleep(30)
        return web.Response()

    scene.answer = hang
    target = scene.case.make(scene.url, private_ok=True, timeout=25.0)
    try:
        task = asyncio.create_task(target.ask(scene.case.request))
        await asyncio.wait_for(began.wait(), 20)
        task.cancel()
        try:
            await asyncio.wait_for(task, 10)
        except asyncio.CancelledError:
            pass
        except TimeoutError:
            require(False, "an ask that was cancelled went on")
        except Exception as error:
            require(False, f"an ask that was cancelled raised {type(error).__name__}")
        else:
            require(False, "an ask that was cancelled gave an answer")
        scene.answer = scene.well
        require(bool((await target.ask(scene.case.request)).text), "after a cancelled ask the target does not answer")
    finally:
        await target.close()


async def _private(scene: Scene) -> None:
    try:
        await scene.ask(private_ok=False)
    except TargetError as error:
        require(not error.retryable, "the refusal of a private address is retryable")
    except ValueError:
        pass  # refused when it is opened, which is as good
    else:
        require(False, "with private_ok false it reached an address of this machine")
    require(scene.bodies == [], "with private_ok false something was sent")


def _status(code: int, headers: dict[str, str]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, text="no", headers=headers)

    return answer


def _body(raw: bytes, kind: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=raw, content_type=kind)

    return answer


_Found = tuple[str, str, Callable[[Scene], Awaitable[None]]]
_ANYWHERE: tuple[_Found, ...] = (
    ("protocol", "it has what a target has", _protocol),
    ("answers", "a good answer becomes a reply, with the bytes that were sent", _answers),
    ("asks at once", "it can be asked eight things at once", _at_once),
    ("close", "it can be closed twice, and without having been asked", _close_twice),
)
_AT_A_SERVER: tuple[_Found, ...] = (
    ("one request", "one ask is as many requests as it says", _one_request),
    ("bytes sent", "the bytes on record are those that the server received", _bytes),
    ("no repeats", "it never sends again by itself", _no_retry),
    ("faults", "it tells faults that pass from those that stay, and when to slow down", _classified),
    ("broken answers", "what is no whole answer is a fault", _broken),
    ("dropped connection", "a dropped connection is a fault, and nothing is sent again", _dropped),
    ("redirects", "it follows no redirect", _no_redirect),
    ("proxies", "it goes through no proxy that the environment names", _no_proxy),
    ("time-out", "it gives up after its time-out", _timeout),
    ("cancelling", "it can be cancelled, and asked again after", _cancelled),
    ("private addresses", "it refuses private addresses where it must", _private),
)
