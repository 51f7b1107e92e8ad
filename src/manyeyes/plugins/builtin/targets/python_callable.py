"""A target that is a Python function on this computer."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from typing import Any, ClassVar

import orjson

from manyeyes.plugins.builtin.targets.saying import printable
from manyeyes.plugins.options import Option, OptionsError
from manyeyes.plugins.protocols import Reply, Request, TargetError


class PythonCallable:
    """Calls a Python function of yours with the request; it may be `async`, and gives text or a Reply.

    It runs in this process, so only the person at the keyboard can choose it: no reproducer, no registered target.
    """

    LOCAL: ClassVar[bool] = True
    ADDRESS: ClassVar[bool] = False
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "function": Option("text", "the function, as module:function; it takes one Request", required=True),
        "folder": Option("text", "where to look for the module first, such as . for here"),
    }

    def __init__(
        self,
        *,
        function: str | Callable[[Request], Any],
        folder: str = "",
        url: str = "",
        model: str = "",
        key: str | None = None,
        timeout: float = 120.0,
        connections: int = 8,
        private_ok: bool = True,
    ) -> None:
        self._function = _found(function, folder) if isinstance(function, str) else function
        self._timeout = timeout
        self._threads: ThreadPoolExecutor | None = None
        self._connections = connections

    async def ask(self, request: Request) -> Reply:
        """What the function says. Raises TargetError where it raises, and passes on a TargetError of its own."""
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._called(request)
        except TargetError:
            raise
        except TimeoutError:
            raise TargetError(f"no answer within {self._timeout:g} s") from None
        except Exception as error:
            said = printable(f"{type(error).__name__}: {error}"[:200])
            raise TargetError(f"the function raised {said}", retryable=isinstance(error, OSError)) from None
        if isinstance(found, Reply):
            return found if found.sent else Reply(**{**found.__dict__, "sent": as_bytes(request)})
        if isinstance(found, str):
            return Reply(text=found, sent=as_bytes(request), finish_reason="stop")
        raise TargetError(f"the function gave {type(found).__name__}; it must give text or a Reply", retryable=False)

    async def close(self) -> None:
        """Lets go of the threads."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None

    async def _called(self, request: Request) -> Any:
        if inspect.iscoroutinefunction(self._function):
            return await self._function(request)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._connections, thread_name_prefix="manyeyes-target")
        found = await asyncio.get_running_loop().run_in_executor(self._threads, partial(self._function, request))
        return await found if inspect.isawaitable(found) else found


def as_bytes(request: Request) -> bytes:
    """What stands for a request in the record of a target that sends nothing."""
    data = {"messages": list(request.messages), **request.params}
    data |= {"tools": list(request.tools)} if request.tools else {}
    return orjson.dumps(data if request.seed is None else {**data, "seed": request.seed})


def _found(path: str, folder: str) -> Callable[[Request], Any]:
    module, colon, attribute = path.partition(":")
    if not (module and colon and attribute):
        raise OptionsError("function", "write it as module:function")
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise OptionsError("function", f"{path} cannot be loaded: {error}") from None
    if not callable(found):
        raise OptionsError("function", f"{path} is no function")
    return found  # type: ignore[no-any-return]
