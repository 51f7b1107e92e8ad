"""A published advisory as Markdown, to be mailed, archived or put on another site; it says what the page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from manyeyes.publications import credit
from manyeyes.publications.measures import measures
from manyeyes.publications.models import Advisory
from manyeyes.rules.numerals import THIN

_MARKS = re.compile(r"([\\`*_\[\]<>&|#~])")
_STARTS = re.compile(r"(?m)^([ \t]*)(?:([-+=:])|(\d+)([.)]))")
TESTED = (
    "Rates are shares of trials from a clean state, with 95 % intervals. A fix that holds was tested on a declared set"
    " of wordings; an adaptive attacker was not tested."
)


def markdown(row: Advisory) -> str:
    """The advisory, whole. What people wrote stays text: none of it becomes a link, a heading or HTML."""
    parts = [f"# {plain(row.title)}", *_head(row), plain(row.summary), *_measured(row.facts), *_judged(row.facts)]
    for heading, text in (("What was found and done", row.details), ("What you should do", row.advice)):
        if text:
            parts += [f"## {heading}", plain(text)]
    return "\n\n".join([*parts, TESTED]).replace(THIN, " ") + "\n"


def plain(text: str) -> str:
    r"""Text that Markdown leaves as it is.

    >>> plain("<b> [here](https://x) \n1. *one*")
    '\\<b\\> \\[here\\](https://x) \n1\\. \\*one\\*'
    """
    return _STARTS.sub(
        lambda found: f"{found[1]}\\{found[2]}" if found[2] else f"{found[1]}{found[3]}\\{found[4]}",
        _MARKS.sub(r"\\\1", text.replace("\r\n", "\n")),
    )


def _head(row: Advisory) -> Iterator[str]:
    facts = row.facts
    named = [plain(name) + (f" (<{link}>)" if link else "") for name, link in credit.bylines(row.case)]
    lines = {
        "Advisory": row.case.ref,
        "Published": _day(row.published_at.isoformat()),
        "System": ", ".join(plain(one) for one in [facts.get("target") or row.case.target.name, *facts["versions"]]),
        "Found by": ", ".join(named) or "not named",
        "Reported": _day(facts.get("reported_at")),
        "Confirmed": _day(facts.get("confirmed_at")),
        "Resolved": _day(facts.get("resolved_at")),
    }
    yield "\n".join(f"- {name}: {said}" for name, said in lines.items() if said)


def _measured(facts: dict[str, Any]) -> Iterator[str]:
    if not facts.get("before"):
        return
    yield "## What was measured"
    rows = ["| When | Succeeded | Rate |", "| --- | --- | --- |"]
    for one in measures(facts):
        when = f"{one.when}: {one.what}" if one.what else one.when
        rows.append(f"| {plain(when)} | {one.k} of {one.n} trials | {one.words} |")
    yield "\n".join(rows)
    yield from (plain(fix["sentence"]) for fix in facts.get("fixes", ()))


def _judged(facts: dict[str, Any]) -> Iterator[str]:
    lines = [
        f"- {name}: {'no number' if said['score'] is None else '{} {}'.format(said['score'], said['band'])}"
        for name, said in (("Security", facts.get("security")), ("Safety", facts.get("safety")))
        if said
    ]
    lines += [f"- Vector: `{facts['vector']}`"] if facts.get("vector") else []
    cvss = facts.get("cvss")
    lines += [f"- {cvss['nomenclature']} 4.0: {cvss['score']} {cvss['severity']}, `{cvss['vector']}`"] if cvss else []
    lines += [f"- Cause: {plain(facts['root_cause'])}"] if facts.get("root_cause") else []
    if lines:
        yield "## How bad it is"
        yield "\n".join(lines)
    if facts.get("codes"):
        yield "## In public catalogues"
        yield "\n".join(
            f"- `{row['code']}` {plain(', '.join(filter(None, (row['name'], row['catalogue']))))}"
            for row in facts["codes"]
        )


def _day(moment: str | None) -> str:
    return datetime.fromisoformat(moment).date().isoformat() if moment else ""
