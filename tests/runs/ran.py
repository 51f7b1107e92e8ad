"""One whole run against one local server, and what both sides counted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from manyeyes.plugins.protocols import Target
from manyeyes.reproducer.load import load_text
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.driver import BudgetStop, TargetUnreachable, run
from manyeyes.runs.pacing import Pacing
from manyeyes.runs.prepare import Options, prepare
from manyeyes.runs.reach import open_target
from manyeyes.runs.result import RunResult
from manyeyes.runs.store import FileStore
from tests.reproducer.examples import EXAMPLE
from tests.runs.servers import Answerer, Server, serving

QUICK = Pacing(retries=4, first=0.01, most=0.02, throttled=0.01, drain=5.0)


def plan(question: str = "reproduce", *, text: str = EXAMPLE, **changes: Any) -> PlanDocument:
    usual = {"seed": 7, "use_control": False, "benign_n": 0, "rated_n": 6, "setting_n": 2, "min_successes": 3}
    info = {"main": TargetInfo(url="http://127.0.0.1:9", model="m")}
    return prepare(load_text(text), question, targets=info, options=Options(**{**usual, **changes}))


class Ran:
    """What came of a run: its result or what stopped it, the server's view, and what is on record."""

    def __init__(self, end: RunResult | Exception, server: Server, place: Path) -> None:
        self.end, self.server = end, server
        stored = FileStore(place).load()
        self.calls, self.trials = stored.calls, stored.trials

    @property
    def result(self) -> RunResult:
        assert isinstance(self.end, RunResult), self.end
        return self.end

    @property
    def counted(self) -> tuple[str, int, int]:
        verdict = self.result.verdict
        return verdict.verdict, verdict.n, verdict.k


def ran(answerer: Answerer, document: PlanDocument, place: Path, *, info: TargetInfo | None = None, **how: Any) -> Ran:
    timeout = how.pop("timeout", 20.0)

    async def work() -> Ran:
        async with serving(answerer) as server:
            way = info or TargetInfo()
            found = TargetInfo(kind=way.kind, url=f"{server.url}{way.url}", model="m", options=way.options)
            target: Target = open_target(found, key="k-1", connections=16, timeout=timeout)
            store = FileStore(place)
            try:
                end: RunResult | Exception = await run(
                    document, store, {"main": target}, **{"pacing": QUICK, "concurrency": 8, **how}
                )
            except (TargetUnreachable, BudgetStop) as stop:
                end = stop
            finally:
                store.close()
                await target.close()
            return Ran(end, server, place)

    return asyncio.run(asyncio.wait_for(work(), 90))
