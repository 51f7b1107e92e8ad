"""What a success looked like: the whole trial as plain text, inert."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from manyeyes.commands.report.markup import inert, section
from manyeyes.commands.report.reading import Reading
from manyeyes.runs.steps import exchange_of
from manyeyes.runs.store import TrialRecord

Row = Mapping[str, Any]


def looked(reading: Reading) -> str:
    """What was asked, and what the first success looked like."""
    first = reading.first_success
    if first is None:
        return ""
    request = reading.document.requests[first.cell]
    turns = _turns(reading, first)
    body = "".join(
        f'<div class="turn"><span class="r">{escape(role)}</span><pre dir="auto">{text}</pre></div>'
        for role, text in turns
    )
    lid = (
        f"<span>Transcript, plain text, not rendered. <b>It worked.</b></span>"
        f"<span>{inert(reading.where(request.setting))}, seed {first.seed}</span>"
    )
    sweep = reading.document.plan.sweep
    titles = {item.key: item.title or item.key for item in sweep.items} if sweep else {}
    which = inert(titles[request.part]) if request.part in titles else f"trial {first.index + 1}"
    words = f'<p class="small soft">The first success: {which}.</p>'
    box = f'<div class="payload" role="group" aria-label="Transcript"><div class="lid">{lid}</div>{body}</div>'
    return section("looked", "What it looked like", words + box)


def _turns(reading: Reading, first: TrialRecord) -> list[tuple[str, str]]:
    """Who said what, as markup: the whole trial, or what was planned of it where the target's words are left out."""
    request = reading.document.requests[first.cell]
    if not reading.texts or not (first.answer or first.sent or first.tool_calls):
        planned = [(str(message["role"]), inert(str(message.get("content", "")))) for message in request.messages]
        return [*planned, ("answer", '<span class="quiet">left out of this report</span>')]
    exchange = exchange_of(request, first)
    turns = [(str(message["role"]), _said(message)) for message in exchange.messages]
    calls = [{"name": call.name, "arguments": call.arguments} for call in exchange.reply.tool_calls]
    return [*turns, ("answer", _said({"content": exchange.reply.text, "tool_calls": calls}))]


def _said(message: Row) -> str:
    """A message with the tools it calls and the images it carries."""
    parts = [str(message.get("content") or "")]
    parts += [f"calls {call['name']}({call['arguments']})" for call in message.get("tool_calls", ())]
    parts += [f"(image {str(image['sha256'])[:12]})" for image in message.get("images", ())]
    return inert("\n".join(part for part in parts if part) or "(empty)")
