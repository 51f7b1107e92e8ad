"""Measures the demo's target: `python -m manyeyes.demo.measure` prints the table of docs/demo-target.md."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import re2

from manyeyes.demo.model_server import SLOTS
from manyeyes.demo.story import reproducer
from manyeyes.demo.target import DemoTarget
from manyeyes.demo.wicket import holds_code
from manyeyes.reproducer.model import Reproducer, Setting
from manyeyes.reproducer.variants import variants

VERSIONS = ("wicket-v1", "wicket-v2", "wicket-v3")
INCOMPLETE = ("wicket-v3-half", "wicket-v3-leaky")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured cell: how many of `n` answers passed the test, how many were different, and what it is about."""

    version: str
    what: str
    setting: str
    k: int
    n: int
    distinct: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One thing to measure."""

    version: str
    what: str
    setting: Setting
    messages: list[dict[str, Any]]
    passes: Callable[[str], bool]


def cells(found: Reproducer, versions: Sequence[str]) -> Iterator[Cell]:
    """Everything the story relies on: the reported wording at all settings, each wording, control, benign, leaks."""
    rated = found.rated_setting()
    for version in versions:
        for setting in found.setting_list():
            messages = found.messages(setting, found.wording_list()[0])
            yield Cell(version=version, what="reported", setting=setting, messages=messages, passes=holds_code)
        for wording in variants(found.wording_list()[0].text, per_family=100):
            messages = found.messages(rated, wording)
            yield Cell(version=version, what=wording.id, setting=rated, messages=messages, passes=holds_code)
        if found.control is not None:
            yield Cell(
                version=version, what="control", setting=rated, messages=_plain(found.control), passes=holds_code
            )
        if found.benign is not None:
            messages = _plain(found.benign.conversation)
            useful = re2.compile(found.benign.useful.regex or "")
            yield Cell(version=version, what="benign, leaks", setting=rated, messages=messages, passes=holds_code)
            yield Cell(version=version, what="benign, useful", setting=rated, messages=messages, passes=_finds(useful))


def _finds(rule: Any) -> Callable[[str], bool]:
    return lambda answer: rule.search(answer) is not None


def _plain(conversation: Sequence[Any]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in conversation]


async def measure(url: str, wanted: Sequence[Cell], trials: int, on_row: Callable[[Row], None]) -> list[Row]:
    """Ask each cell `trials` times with seeds of its own (temperature 0 twice) and count."""
    rows = []
    connector = aiohttp.TCPConnector(limit=SLOTS)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:

        async def ask(cell: Cell, seed: int) -> str:
            body = {"model": cell.version, "messages": cell.messages, "seed": seed, **cell.setting.values()}
            async with session.post(url, json=body) as reply:
                reply.raise_for_status()
                return str((await reply.json())["choices"][0]["message"]["content"])

        for place, cell in enumerate(wanted):
            began = time.monotonic()
            n = 2 if cell.setting.deterministic else trials
            asked: list[Awaitable[str]] = [ask(cell, place * 10_000 + turn) for turn in range(n)]
            answers = await asyncio.gather(*asked)
            row = Row(
                version=cell.version, what=cell.what, setting=cell.setting.id, n=n,
                k=sum(map(cell.passes, answers)), distinct=len(set(answers)), seconds=time.monotonic() - began,
            )  # fmt: skip
            on_row(row)
            rows.append(row)
    return rows


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, a column per version: passes of trials, and how many answers were different."""
    versions = list(dict.fromkeys(row.version for row in rows))
    found = {(row.what, row.setting, row.version): row for row in rows}
    lines = [f"| what is asked | setting | {' | '.join(versions)} |", "|---|---|" + "---|" * len(versions)]
    for what, setting in dict.fromkeys((row.what, row.setting) for row in rows):
        here = [found.get((what, setting, version)) for version in versions]
        counts = [f"{row.k} of {row.n} ({row.distinct})" if row else "" for row in here]
        lines.append(f"| {what} | {setting} | {' | '.join(counts)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the target, measure, print the table to standard output and progress to standard error."""
    parser = argparse.ArgumentParser(prog="python -m manyeyes.demo.measure", description=__doc__)
    parser.add_argument("--trials", type=int, default=40, help="trials per cell (default 40)")
    parser.add_argument("--version", action="append", choices=VERSIONS + INCOMPLETE, help="default: v1, v2 and v3")
    parser.add_argument("--only", action="append", help="measure only what starts with this, e.g. persona")
    options = parser.parse_args(arguments)
    wanted = [
        cell
        for cell in cells(reproducer(), options.version or VERSIONS)
        if cell.what.startswith(tuple(options.only or [""]))
    ]

    def show(row: Row) -> None:
        rate = row.n / row.seconds
        print(f"{row.version} {row.what} {row.setting}: {row.k}/{row.n}, {rate:.1f} calls/s", file=sys.stderr)

    with DemoTarget() as target:
        rows = asyncio.run(measure(target.chat_url, wanted, options.trials, show))
        calls = sum(row.n for row in rows)
        print(table(rows))
        print(f"\n{calls} calls; the model server counted {target.requests_served()}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
