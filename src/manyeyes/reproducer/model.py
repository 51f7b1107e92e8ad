"""The reproducer as a typed, frozen value: format `reproducer/1`, validated and resolved to settings and messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ConfigDict, model_validator

from manyeyes.reproducer.conversation import Message, ToolResult
from manyeyes.reproducer.fields import (
    CLASSES,
    FORMAT,
    GO_ON,
    Benign,
    Claim,
    Effects,
    Fields,
    Hazard,
    Source,
    Wording,
)
from manyeyes.reproducer.hanging import hangs_together, user_says
from manyeyes.reproducer.placing import PLACEHOLDER, Placing, documents_in
from manyeyes.reproducer.settings import KNOBS, Grid, Knobs, Setting, named

__all__ = [
    "CLASSES", "FORMAT", "KNOBS", "PLACEHOLDER", "Benign", "Claim", "Effects", "Grid", "Hazard", "Knobs", "Message",
    "Reproducer", "Setting", "Source", "Wording",
]  # fmt: skip


class Reproducer(Fields):
    """A finding that can be tried again."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"turns": {"const": "human"}}, "required": ["turns"]},
            "then": {"required": ["procedure"]},
            "else": {"required": ["conversation"]},
        }
    )

    @model_validator(mode="after")
    def _hangs_together(self) -> Reproducer:
        hangs_together(self)
        return self

    def _listed(self) -> list[Setting]:
        return self.settings.settings() if isinstance(self.settings, Grid) else self.settings

    def setting_list(self) -> tuple[Setting, ...]:
        """Every setting to be tried, the rated one included."""
        listed = tuple(self._listed())
        rated = self.rated_setting()
        return listed if rated in listed else (rated, *listed)

    def rated_setting(self) -> Setting:
        """The setting the finding is rated at: the named one, else the claimed one, else the first."""
        listed = self._listed()
        for wish in (self.rated, self.claim.settings if self.claim else None):
            if wish is None or not wish.values():
                continue
            match = [setting for setting in listed if wish.values().items() <= setting.values().items()]
            if match:
                return match[0]
            if wish is self.rated:
                return named(wish.values())
        return listed[0]

    def wording_list(self) -> tuple[Wording, ...]:
        """What was reported, as wordings: the listed ones, else the last user message (by hand: else the procedure)."""
        if self.wordings:
            return tuple(self.wordings)
        if (place := self._last_user()) is None:
            return (Wording(id="reported", text=self._placing(None).text(self.procedure or "")),)
        said = self._placing(None).text(self.conversation[place].content)
        return (Wording(id="reported", text=said or "(no text)"),)

    def messages(self, setting: Setting, wording: Wording) -> list[dict[str, Any]]:
        """What is sent for one cell: the conversation with everything in its place and the setting's system prompt."""
        placing = self._placing(wording)
        rows = [placing.message(message, self.attachments) for message in self.conversation]
        place = self._last_user()
        if not self.wordings and place is not None and self.conversation[place].content:
            rows[place]["content"] = wording.text
        if wording.turns and (at := user_says(self)) is not None:
            rows[at:at] = [
                {"role": role, "content": text}
                for turn in wording.turns
                for role, text in (("user", turn), ("assistant", GO_ON))
            ]
        return self.with_system(setting, rows)

    @property
    def can_vary(self) -> bool:
        """Whether another wording changes what is sent: not where all there is to say is an image or a procedure."""
        place = self._last_user()
        return bool(self.wordings) or (place is not None and bool(self.conversation[place].content))

    @property
    def takes_turns(self) -> bool:
        """Whether the wording is said by the user, so that a part of it can be said in a message before."""
        return user_says(self) is not None

    def beside(self, setting: Setting, conversation: Iterable[Message]) -> list[dict[str, Any]]:
        """What is sent for a conversation beside the exploit, such as the control: no wording is placed in it."""
        placing = self._placing(None)
        return self.with_system(setting, [placing.message(message, self.attachments) for message in conversation])

    def with_system(self, setting: Setting, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The messages under the setting's system prompt, which takes the place of one the conversation begins with."""
        if setting.system is None:
            return rows
        rest = rows[1:] if rows and rows[0]["role"] == "system" else rows
        return [{"role": "system", "content": self.systems[setting.system]}, *rest]

    def results(self, wording: Wording | None) -> list[dict[str, Any]]:
        """What the tools answer, everything in its place. None: for a harmless conversation, without any wording."""
        rows: Sequence[ToolResult] = self.tool_results
        if wording is None:
            rows = [row for row in self.tool_results if not self._holds_wording(row.content)]
            rows = rows if self.benign is None or self.benign.tool_results is None else self.benign.tool_results
        placing = self._placing(wording)
        return [
            row.model_dump(by_alias=True, exclude_none=True) | {"content": placing.text(row.content)} for row in rows
        ]

    def planted(self, wording: Wording) -> dict[str, Any]:
        """What is planted in the environment, everything in its place."""
        found: dict[str, Any] = self._placing(wording).data(self.environment.plant) if self.environment else {}
        return found

    def steps(self, wording: Wording) -> str:
        """The procedure for a person, everything in its place; empty where there is none."""
        return self._placing(wording).text(self.procedure or "")

    def _placing(self, wording: Wording | None) -> Placing:
        """Without wordings in the file nothing but documents is placed: a wording then is a whole message."""
        return Placing(self.documents, wording.text if wording is not None and self.wordings else None)

    def _holds_wording(self, text: str) -> bool:
        named = set(documents_in(text))
        return PLACEHOLDER in text or any(PLACEHOLDER in one.content for one in self.documents if one.id in named)

    def _last_user(self) -> int | None:
        places = [place for place, message in enumerate(self.conversation) if message.role == "user"]
        return places[-1] if places else None

    def to_json(self) -> dict[str, Any]:
        """The reproducer as plain data, the way it stands in a file."""
        data: dict[str, Any] = self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
        return {"manyeyes": FORMAT, **data}

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON, in hex."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
