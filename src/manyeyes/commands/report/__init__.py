"""The report of a finished run: one file to read, with nothing to load and nothing that runs."""

from __future__ import annotations

import os
from datetime import datetime
from html import escape
from pathlib import Path

from manyeyes.charts.icons import mark
from manyeyes.charts.inert import terminal
from manyeyes.commands.report import sections
from manyeyes.commands.report.again import command
from manyeyes.commands.report.exchange import looked
from manyeyes.commands.report.markup import inert, section
from manyeyes.commands.report.reading import Reading, read
from manyeyes.commands.report.sheet import sheet_for
from manyeyes.rules.words import headline, time_words
from manyeyes.runs.bundle import Evidence

POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; base-uri 'none'; form-action 'none'"
"""Whatever a hostile text may try: nothing loads, nothing runs, nothing is sent."""
ORDER = (
    sections.items, sections.comparison, sections.parts, sections.settings, sections.growth, looked,
    sections.arms, sections.trust,
)  # fmt: skip


def write_report(evidence: Evidence, file: Path, *, texts: bool = True, again: str = "") -> None:
    """Writes the report as a whole or not at all; `again` is the command that made the run. Raises OSError."""
    draft = file.with_name(f".{file.name}.draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(report(evidence, texts=texts, again=again))
    os.replace(draft, file)


def report(evidence: Evidence, *, texts: bool = True, source: str = "", again: str = "") -> str:
    """The page. With `texts` false, nothing that the target said is in it.

    `again` is the command that made the run; without it the plan tells most of it, and `source` the file that was read.
    """
    reading = read(evidence, texts=texts)
    body = _body(reading, again or command(reading, file=source))
    headed = f"{headline(reading.result, plan=reading.document.plan.to_json())}: {reading.document.title}"
    title = escape(terminal(headed))  # the bar of a window shows no boxes
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>\n{sheet_for(body)}\n</style>\n</head>\n{body}\n</html>\n"
    )


def _body(reading: Reading, again: str) -> str:
    ended = time_words(datetime.fromisoformat(reading.ended)) if reading.ended else ""
    crumbs = "".join(
        f"<span>{one}</span>" for one in ("Replay report", escape(ended), f"plan {reading.document.hash[:12]}") if one
    )
    title = f'<p class="report-title">{inert(reading.document.title)}</p>' if reading.document.title else ""
    parts = "".join(write(reading) for write in ORDER)
    return (
        f'<body>\n<header class="top"><div class="in"><span class="brand">{mark()} manyeyes</span></div></header>\n'
        f'<main class="evidence"><div class="stack s"><p class="crumbs">{crumbs}</p>{title}'
        f"{sections.head(reading)}</div>{parts}{_again(again)}</main>\n"
        '<footer class="foot"><div class="in"><span>Times are UTC. This file holds everything it shows: nothing is '
        "loaded, nothing runs.</span><span>Made by manyeyes, open source</span></div></footer>\n</body>"
    )


def _again(typed: str) -> str:
    words = (
        '<p class="soft measure">The seed fixes order, wordings and seeds of every trial. With the same file and seed, '
        "the same trials are made again; a model that draws its answers by chance may still answer otherwise.</p>"
    )
    said = f'{words}<div class="commands stack s"><pre class="machine">{inert(typed)}</pre></div>'
    return section("again", "Get it again", said)
