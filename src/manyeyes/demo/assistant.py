"""Serves Wicket over an OpenAI-compatible chat endpoint on loopback, one call of the model per request."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import os
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from manyeyes.demo.children import Child, announce, die_with_parent
from manyeyes.demo.model_server import MODEL_NAME, SLOTS, read_json
from manyeyes.demo.wicket import VERSIONS, WITHHELD, Version

DEFAULT_TOKENS = 48
MAX_TOKENS = 128
MODEL_TIMEOUT = 120.0


class Assistant:
    """The assistant's request handlers and counters. Keeps no message and no answer."""

    def __init__(self, model_url: str, counter_url: str) -> None:
        self.model_url = model_url
        self.counter_url = counter_url
        self.received: Counter[str] = Counter()
        self.called: Counter[str] = Counter()
        self._serial = itertools.count()
        self._session: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        """The web application with all routes."""
        app = web.Application(client_max_size=256 * 1024)
        app.router.add_post("/v1/chat/completions", self.complete)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/stats", self.stats)
        app.router.add_get("/health", self.health)
        app.cleanup_ctx.append(self._connected)
        return app

    async def _connected(self, _app: web.Application) -> Any:
        connector = aiohttp.TCPConnector(limit=SLOTS)
        timeout = aiohttp.ClientTimeout(total=MODEL_TIMEOUT)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
            self._session = session
            yield

    async def health(self, _request: web.Request) -> web.Response:
        """Alive."""
        return _json({"status": "ok"})

    async def models(self, _request: web.Request) -> web.Response:
        """The deployed versions, in the shape of OpenAI's list of models."""
        return _json({"object": "list", "data": [{"id": name, "object": "model"} for name in VERSIONS]})

    async def stats(self, _request: web.Request) -> web.Response:
        """Requests received and model calls made, per version, and the model server's own count."""
        served = None
        if self.counter_url:
            served = (await asyncio.to_thread(read_json, self.counter_url))["requests"]
        return _json(
            {
                "requests": dict(self.received),
                "model_calls": dict(self.called),
                "requests_total": self.received.total(),
                "model_calls_total": self.called.total(),
                "model_server_requests": served,
            }
        )

    async def complete(self, request: web.Request) -> web.Response:
        """Answer one chat request as the version its `model` field names."""
        try:
            ask = orjson.loads(await request.read())
            version, messages = _checked(ask)
            sampling = _sampling(ask)
        except orjson.JSONDecodeError:
            return _problem(400, "The body is not valid JSON.")
        except ValueError as problem:
            return _problem(400, str(problem))
        self.received[version.name] += 1
        draw_seed = sampling.get("seed", next(self._serial))
        if version.constant is not None:
            return _json(_completion(version, version.constant, "stop", {}))
        message = messages[-1]["content"]
        system = {"role": "system", "content": version.prompt(message, draw_seed)}
        try:
            raw = await self._ask_model(version, {**sampling, "messages": [system, *messages]})
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError, KeyError, IndexError):
            return _problem(502, "The language model behind the assistant did not answer.")
        choice = raw["choices"][0]
        answer, finish = choice["message"].get("content") or "", choice.get("finish_reason") or "stop"
        if version.withhold(message, answer, draw_seed):
            answer, finish = WITHHELD, "content_filter"
        return _json(_completion(version, answer, finish, raw.get("usage") or {}))

    async def _ask_model(self, version: Version, body: Mapping[str, Any]) -> dict[str, Any]:
        if self._session is None or not self.model_url:
            raise aiohttp.ClientConnectionError("no model server")
        self.called[version.name] += 1
        url = f"{self.model_url}/v1/chat/completions"
        headers = {"Content-Type": "application/json"}
        async with self._session.post(url, data=orjson.dumps(body), headers=headers) as reply:
            reply.raise_for_status()
            found: dict[str, Any] = orjson.loads(await reply.read())
        found["choices"][0]["message"]  # a reply without an answer is an error, not an empty answer
        return found


def _checked(ask: Any) -> tuple[Version, list[dict[str, str]]]:
    if not isinstance(ask, dict):
        raise ValueError("The body must be a JSON object.")
    version = VERSIONS.get(str(ask.get("model")))
    if version is None:
        raise ValueError(f"`model` must be one of: {', '.join(VERSIONS)}.")
    messages = ask.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ValueError("`messages` must be a list with at least one message.")
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            raise ValueError(
                f"`messages[{place}].role` must be user or assistant: the assistant brings its own prompt."
            )
        if not isinstance(message.get("content"), str):
            raise ValueError(f"`messages[{place}].content` must be a text.")
    if messages[-1]["role"] != "user":
        raise ValueError("The last message must be the user's.")
    return version, [{"role": message["role"], "content": message["content"]} for message in messages]


def _sampling(ask: Mapping[str, Any]) -> dict[str, Any]:
    """The sampling settings a client may choose, passed on as they are. Raises ValueError naming a wrong one."""
    limit = ask.get("max_tokens", ask.get("max_completion_tokens"))
    limit = DEFAULT_TOKENS if limit is None else limit
    if type(limit) is not int or limit < 1:
        raise ValueError("`max_tokens` must be a whole number of at least 1.")
    chosen: dict[str, Any] = {"max_tokens": min(limit, MAX_TOKENS)}
    for name in ("temperature", "top_p"):
        if ask.get(name) is not None:
            if type(ask[name]) not in (int, float) or ask[name] < 0:
                raise ValueError(f"`{name}` must be a number of at least 0.")
            chosen[name] = ask[name]
    if ask.get("seed") is not None:
        if type(ask["seed"]) is not int:
            raise ValueError("`seed` must be a whole number.")
        chosen["seed"] = ask["seed"] % 2**31
    return chosen


def fingerprint(version: Version) -> str:
    """Names what answered: the version with its prompts and the model. Changes whenever one of them does."""
    seen = [version.name, MODEL_NAME, version.constant or ""]
    seen += [version.prompt(message, seed) for message in ("hello", "code") for seed in range(8)]
    return f"{version.name}-{hashlib.sha256(chr(0).join(seen).encode()).hexdigest()[:10]}"


FINGERPRINTS = {name: fingerprint(version) for name, version in VERSIONS.items()}


def _completion(version: Version, answer: str, finish: str, usage: Mapping[str, Any]) -> dict[str, Any]:
    counted = {name: int(usage.get(name, 0)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    return {
        "id": f"chatcmpl-{secrets.token_hex(8)}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": version.name,
        "system_fingerprint": FINGERPRINTS[version.name],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": finish}],
        "usage": counted,
    }


def _json(content: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json")


def _problem(status: int, message: str) -> web.Response:
    return _json({"error": {"message": message, "type": "invalid_request_error", "code": status}}, status)


class AssistantServer:
    """The assistant as its parent sees it. `chat_url` is what a target version is registered with."""

    def __init__(self, *, model_url: str = "", counter_url: str = "", port: int = 0) -> None:
        arguments = ["--port", str(port), "--model-url", model_url, "--counter-url", counter_url]
        self.child = Child("manyeyes.demo.assistant", arguments)
        self.url: str = self.child.facts["url"]
        self.base_url = f"{self.url}/v1"
        self.chat_url = f"{self.base_url}/chat/completions"

    def stats(self) -> dict[str, Any]:
        """Counters: requests per version, model calls per version, and the model server's own count."""
        return read_json(f"{self.url}/stats")

    def stop(self) -> None:
        """End the assistant."""
        self.child.stop()


async def _serve(assistant: Assistant, port: int) -> None:
    # No access log: it would be one more place where traces of a report stay.
    runner = web.AppRunner(assistant.application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, bound = runner.addresses[0][:2]
    announce(url=f"http://{host}:{bound}")
    await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the assistant until the parent ends."""
    parser = argparse.ArgumentParser(prog="python -m manyeyes.demo.assistant", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (0: any free one)")
    parser.add_argument("--model-url", default="", help="where the model server listens")
    parser.add_argument("--counter-url", default="", help="where the model server counts its requests")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="process to end with")
    options = parser.parse_args(arguments)
    die_with_parent(options.parent)
    try:
        asyncio.run(_serve(Assistant(options.model_url, options.counter_url), options.port))
    except OSError as problem:
        announce(error=f"The assistant could not listen on port {options.port}: {problem.strerror or problem}")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
