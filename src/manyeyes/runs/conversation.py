"""The conversation of one trial without any calls: gives what to send, takes the replies, ends in an exchange."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from manyeyes.plugins.builtin.detectors.conditions import AllWanted, UnreadableError, read_json
from manyeyes.plugins.protocols import Exchange, Message, Reply, ToolCall
from manyeyes.runs.document import CellRequest

NO_RESULT = "This tool gave no result."
"""What a tool answers to a call that none of the results in the reproducer fits."""


def converse(cell: CellRequest) -> Generator[Sequence[Message], Reply, Exchange]:
    """Yields the messages of each call in turn, is sent the reply, and returns the whole exchange.

    What to send follows from the cell and the replies alone, so that a stored trial can be gone through again. The
    first messages are the very object of the cell where they can be, for targets that keep what they made of it.
    """
    transcript: Sequence[Message] = ()
    replies: list[Reply] = []
    for turn in _turns(cell):
        transcript = [*transcript, *_said(cell, replies[-1]), *turn] if replies else turn
        for step in range(cell.max_steps):
            if step:
                transcript = [*transcript, *_said(cell, replies[-1])]
            replies.append((yield transcript))
            if not (replies[-1].tool_calls and cell.tool_results):
                break
    return Exchange(
        messages=transcript,
        reply=replies[-1],
        replies=tuple(replies),
        tool_calls=tuple(call for reply in replies for call in reply.tool_calls),
    )


def _turns(cell: CellRequest) -> list[tuple[Message, ...]]:
    """What is said before each live answer."""
    if cell.turns != "fixed":
        return [cell.messages]
    turns: list[tuple[Message, ...]] = [()]
    for message in cell.messages:
        if message["role"] == "assistant":
            turns.append(())
        else:
            turns[-1] = (*turns[-1], message)
    return [turn for turn in turns if turn]


def _said(cell: CellRequest, reply: Reply) -> list[Message]:
    """A live answer as messages: what the model said, and what the tools it called answered."""
    said: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if not reply.tool_calls:
        return [said]
    said["tool_calls"] = [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in reply.tool_calls]
    answers = [
        {"role": "tool", "content": tool_result(cell.tool_results, call), "tool_call_id": call.id}
        for call in reply.tool_calls
    ]
    return [said, *answers]


def tool_result(results: Sequence[Mapping[str, Any]], call: ToolCall) -> str:
    """What a tool answers to a call: the first result that fits it.

    >>> rows = [{"tool": "find", "content": "Mina A.", "when": {"id": 7}}, {"tool": "find", "content": "nobody"}]
    >>> tool_result(rows, ToolCall(id="1", name="find", arguments='{"id": 7}'))
    'Mina A.'
    >>> tool_result(rows, ToolCall(id="2", name="find", arguments='{"id": '))
    'nobody'
    >>> tool_result(rows, ToolCall(id="3", name="send"))
    'This tool gave no result.'
    """
    for row in results:
        if row["tool"] == call.name and (not row.get("when") or _fits(row["when"], call.arguments)):
            return str(row["content"])
    return NO_RESULT


def _fits(when: Mapping[str, Any], arguments: str) -> bool:
    try:
        data = read_json(arguments)
        return isinstance(data, dict) and AllWanted(when).hold(data)
    except (ValueError, UnreadableError):
        return False
