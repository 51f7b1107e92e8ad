"""A target at any other provider, through the optional library any-llm (see docs/adr/0002)."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from importlib import import_module
from typing import Any, ClassVar

import orjson

from manyeyes.plugins.builtin.targets.openai_chat import answer_of, chat_body
from manyeyes.plugins.builtin.targets.saying import printable, retry_after
from manyeyes.plugins.options import Option, OptionsError
from manyeyes.plugins.protocols import Reply, Request, TargetError

PACKAGE = "any-llm-sdk"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_FEWER = frozenset({429, 503, 529})
_WATCHED = ("any_llm.providers.openai", "any_llm.providers.anthropic")
_WRONG = frozenset({"InvalidRequestError", "UnsupportedParameterError", "MissingApiKeyError", "TypeError"})
_sent: ContextVar[list[bytes] | None] = ContextVar("sent", default=None)


class OtherProvider:
    """Asks a provider that the optional package any-llm-sdk knows, such as gemini, mistral, cohere or bedrock.

    Slower than the other targets, so take those where they fit. Recorded are the bytes sent where the provider's
    library can be watched (all that build on those of OpenAI or Anthropic), else what was handed to it. Its repeats are
    turned off; a provider where they cannot be is refused. It opens its own connections, so it is refused where
    addresses must be public, and where the environment names a proxy.
    """

    LOCAL: ClassVar[bool] = True
    ADDRESS: ClassVar[bool | None] = None
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "provider": Option("text", "the provider's name in any-llm, such as gemini", required=True),
        "seed": Option("flag", "send the seed of each trial (default yes; some providers take none)"),
        "extra": Option("object", "further arguments of the call"),
    }

    def __init__(
        self,
        *,
        provider: str,
        model: str,
        url: str = "",
        key: str | None = None,
        timeout: float = 120.0,
        connections: int = 8,
        private_ok: bool = True,
        seed: bool = True,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        if importlib.util.find_spec("any_llm") is None:
            raise OptionsError("kind", f"any_llm needs the package {PACKAGE}: install it with `pip install {PACKAGE}`")
        if not private_ok:
            raise OptionsError("kind", "any_llm opens connections of its own, which cannot be held to public addresses")
        if proxy := next((name for name in os.environ if name.lower() in _PROXIES and os.environ[name]), None):
            raise OptionsError("kind", f"any_llm would go through the proxy of the environment; unset {proxy}")
        self.model, self._timeout, self._seed, self._extra = model, timeout, seed, dict(extra or {})
        self._client, self._http = _opened(provider, key, url or None, timeout)

    async def ask(self, request: Request) -> Reply:
        """The answer. Raises TargetError where there is none."""
        handed = chat_body(request if self._seed else replace(request, seed=None), model=self.model)
        seen: list[bytes] = []
        token = _sent.set(seen)
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._client.acompletion(**{**orjson.loads(handed), **self._extra})
        except TimeoutError:
            raise TargetError(f"no answer within {self._timeout:g} s") from None
        except Exception as error:
            if type(error).__name__ == "ContentFilterError":  # the provider's own filter: an outcome, not a fault
                return Reply(text="", sent=seen[-1] if seen else handed, finish_reason="content_filter", status=400)
            raise _fault(error) from None
        finally:
            _sent.reset(token)
        return answer_of(found.model_dump_json().encode(), seen[-1] if seen else handed)

    async def close(self) -> None:
        """Closes the connections that can be closed from here."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None


def _opened(provider: str, key: str | None, url: str | None, timeout: float) -> tuple[Any, Any]:
    """The library's client, and the connections under it where they are ours."""
    library = import_module("any_llm")
    errors = import_module("any_llm.exceptions")

    try:
        made: Any = library.AnyLLM.get_provider_class(provider)
        own = any(
            base.__module__.startswith(("any_llm.providers.openai", "any_llm.providers.anthropic"))
            for base in made.__mro__
        )
        http = _watched(timeout) if own else None
        more = {"http_client": http} if http else {}
        client = library.AnyLLM.create(
            provider, api_key=key, api_base=url, max_retries=0, unified_exceptions=True, **more
        )
    except (errors.AnyLLMError, ImportError, ValueError, TypeError) as error:
        raise OptionsError("provider", printable(f"{provider} cannot be used: {error}"[:300])) from None
    return client, http


def _watched(timeout: float) -> Any:
    """Connections without redirects and proxies, that tell which bytes were sent."""
    httpx = import_module("httpx")

    async def note(request: Any) -> None:
        if (seen := _sent.get()) is not None:
            seen.append(request.content)

    return httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=timeout, event_hooks={"request": [note]})


def _fault(error: Exception) -> TargetError:
    """What an exception of the library means for the run; what it cannot say may work later."""
    status = getattr(error, "status_code", None)
    said = printable(f"{type(error).__name__}: {error}"[:300])
    fewer = status in _FEWER or type(error).__name__ == "RateLimitError"
    final = status is not None and 300 <= status < 500 and status not in (408, 409, 425) and not fewer
    wrong = final or (status is None and type(error).__name__ in _WRONG)
    return TargetError(
        said,
        retryable=not wrong,
        throttled=fewer,
        retry_after=retry_after(getattr(error, "retry_after", None)),
        status=status,
    )
