"""A target that is a language model in a file on this computer (GGUF), run by llama.cpp in this very process."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import orjson

from manyeyes.plugins.builtin.targets.openai_chat import answer_of, chat_body
from manyeyes.plugins.builtin.targets.saying import printable, refuse
from manyeyes.plugins.options import Option, OptionsError
from manyeyes.plugins.protocols import Reply, Request, TargetError

PACKAGE = "xllamacpp"


class LocalGguf:
    """Runs a model file (GGUF) on this computer with llama.cpp; needs the optional package xllamacpp.

    The bytes handed to llama.cpp are those on record. It is loaded at the first call. Its own listener on loopback
    demands a key that nobody knows.
    """

    LOCAL: ClassVar[bool] = True
    ADDRESS: ClassVar[bool] = False
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "file": Option("text", "the model file, ending in .gguf", required=True),
        "context": Option("whole", "tokens each conversation may take (default 4096)"),
        "threads": Option("whole", "threads to compute with (default: all cores but one)"),
        "slots": Option("whole", "conversations computed at once (default 2)"),
    }

    def __init__(
        self,
        *,
        file: str,
        context: int = 4_096,
        threads: int = 0,
        slots: int = 2,
        url: str = "",
        model: str = "",
        key: str | None = None,
        timeout: float = 120.0,
        connections: int = 2,
        private_ok: bool = True,
    ) -> None:
        self._path = _checked(file)
        for field, value in (("context", context), ("slots", slots), ("threads", threads)):
            if value < (field != "threads"):
                raise OptionsError(field, "give a number above 0")
        self.model = model or self._path.stem
        self._context, self._slots, self._timeout = context, min(slots, max(1, connections)), timeout
        self._threads = threads or max(1, (os.cpu_count() or 1) - 1)
        self._pool: ThreadPoolExecutor | None = None
        self._loading = asyncio.Lock()
        self._server: Any = None

    async def ask(self, request: Request) -> Reply:
        """The answer. Raises TargetError where there is none."""
        body = chat_body(request, model=self.model)
        try:
            async with asyncio.timeout(self._timeout):
                server = await self._loaded()
                raw = await asyncio.get_running_loop().run_in_executor(self._pool, _asked, server, body)
        except TimeoutError:
            raise TargetError(f"no answer within {self._timeout:g} s") from None
        except RuntimeError as error:  # what the C++ side raises
            raise TargetError(f"the model cannot be run: {printable(str(error)[:200])}", retryable=False) from None
        if (status := _status(raw)) != 200:
            refuse(status, {}, raw)
        return answer_of(raw, body)

    async def close(self) -> None:
        """Ends the model; an answer being computed is waited for."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(partial(pool.shutdown, wait=True, cancel_futures=True))
        self._server = None

    async def _loaded(self) -> Any:
        async with self._loading:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._slots, thread_name_prefix="manyeyes-gguf")
            if self._server is None:
                self._server = await asyncio.get_running_loop().run_in_executor(self._pool, self._load)
            return self._server

    def _load(self) -> Any:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(self._path)
        params.model_alias = {self.model}  # else every answer would tell the path of the file
        params.hostnames = ["127.0.0.1"]
        params.api_keys = [secrets.token_urlsafe(32)]
        params.n_parallel = self._slots
        params.n_ctx = self._slots * self._context  # n_ctx is the total over all slots
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._threads
        params.offline = True
        params.ui = False
        params.endpoint_slots = False  # it would show prompts
        params.cache_ram_mib = 0
        params.verbosity = 0
        return xllamacpp.Server(params)


def _asked(server: Any, body: bytes) -> bytes:
    """One answer; the interpreter is free for others while it is computed."""
    found: list[bytes] = []

    def take(answer: bytes) -> bool:
        found.append(answer)
        return False

    server.handle_chat_completions(body, take)
    return b"".join(found)


def _status(raw: bytes) -> int:
    """The status that llama.cpp would have answered with over HTTP."""
    try:
        data = orjson.loads(raw)
        code = data["error"]["code"] if "error" in data else 200
        return code if isinstance(code, int) and 200 <= code < 600 else 500
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return 500


def _checked(file: str) -> Path:
    path = Path(file).expanduser()
    if path.suffix != ".gguf" or not path.is_file():
        raise OptionsError("file", f"{file}: there is no model file ending in .gguf here")
    with path.open("rb") as opened:
        if opened.read(4) != b"GGUF":
            raise OptionsError("file", f"{file}: does not begin as a GGUF file does; download it again")
    if importlib.util.find_spec(PACKAGE) is None:
        raise OptionsError("kind", f"gguf needs the package {PACKAGE}: install it with `pip install {PACKAGE}`")
    return path
