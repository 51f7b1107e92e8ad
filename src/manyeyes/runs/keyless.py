"""Keeps the key of a target out of everything it says back, which is stored, shown and handed on."""

from __future__ import annotations

from dataclasses import replace

from manyeyes.plugins.protocols import Reply, Request, Target, TargetError, ToolCall

SHORTEST = 8
"""A shorter key is not looked for: it could be part of any answer."""
INSTEAD = "[the key]"


class Keyless:
    """Passes requests on; a server that repeats the key it was given, in an answer or an error, has it taken out."""

    def __init__(self, target: Target, key: str) -> None:
        self.target, self._key = target, key
        self.requests_per_ask: int = getattr(target, "requests_per_ask", 1)

    async def ask(self, request: Request) -> Reply:
        """The other target's answer without the key. Raises its TargetError, without the key too."""
        try:
            reply = await self.target.ask(request)
        except TargetError as error:
            error.args = (self._without(str(error)),)
            raise
        said = (reply.text, reply.model, reply.fingerprint, reply.finish_reason, *map(str, reply.tool_calls))
        if not any(self._key in text for text in said if text):
            return reply
        return replace(
            reply,
            text=self._without(reply.text),
            model=reply.model and self._without(reply.model),
            fingerprint=reply.fingerprint and self._without(reply.fingerprint),
            finish_reason=reply.finish_reason and self._without(reply.finish_reason),
            tool_calls=tuple(
                ToolCall(id=self._without(one.id), name=self._without(one.name), arguments=self._without(one.arguments))
                for one in reply.tool_calls
            ),
        )

    async def close(self) -> None:
        """Closes the other target."""
        await self.target.close()

    def _without(self, text: str) -> str:
        return text.replace(self._key, INSTEAD)


def keyless(target: Target, key: str | None) -> Target:
    """The target, with its key kept out of what it says."""
    return Keyless(target, key) if key and len(key) >= SHORTEST else target
