"""Makes the cells of a plan from one reproducer, and keeps the request that each of them stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from manyeyes.engine.plan import Cell
from manyeyes.reproducer.detection import Rule
from manyeyes.reproducer.model import Message, Reproducer, Setting, Wording
from manyeyes.reproducer.placing import texts
from manyeyes.rules.permits import NEVER_BY_MACHINE
from manyeyes.runs.document import CellRequest


class PrepareError(ValueError):
    """A plan that cannot be made from this reproducer; the message names the field and the mend."""


def refuse_machine(reproducer: Reproducer, kind: str) -> None:
    """Raises PrepareError where only a person may carry this out, and a target of this kind is a machine."""
    if kind == "manual":
        return
    if reproducer.hazard in NEVER_BY_MACHINE:
        raise PrepareError("hazard: material of this class is never replayed, varied or judged by machine")
    if reproducer.turns == "human":
        raise PrepareError("turns: 'human' means that a person follows the procedure; make the trials by hand")


MOST_TEXT = 32_000_000
"""Characters that all requests of a plan may hold: the plan names each of them in full, and is kept as one document."""


class Cells:
    """The cells of one reproducer. `prefix` keeps several reproducers apart in one plan: keys, settings, detectors.

    Making a cell also makes its entry in `requests`, so `requests` and `detectors()` are what a plan document needs.
    """

    def __init__(self, reproducer: Reproducer, *, prefix: str = "") -> None:
        self.reproducer, self.prefix = reproducer, f"{prefix}/" if prefix else ""
        self.rated = reproducer.rated_setting()
        self.settings = reproducer.setting_list()
        self.reported = reproducer.wording_list()
        self.requests: dict[str, CellRequest] = {}
        self._written = 0

    def key(self, setting: Setting, wording: Wording) -> str:
        """What the cell of a setting and a wording is called in the plan."""
        return f"{self.prefix}{setting.id}/{wording.id}"

    def exploit(self, setting: Setting, wording: Wording, *, weight: float = 1.0) -> Cell:
        """The exploit at a setting, in a wording."""
        key = self.key(setting, wording)
        messages = tuple(self.reproducer.messages(setting, wording))
        self._write(messages)
        outside = self.reproducer.wordings and not any(wording.text in message["content"] for message in messages)
        self.requests[key] = CellRequest(
            messages=messages,
            params=_params(setting),
            detector=f"{self.prefix}success",
            procedure=self.reproducer.steps(wording),
            placed=wording.text if outside else "",
            tool_results=tuple(self.reproducer.results(wording)),
            environment=self._environment(self.reproducer.planted(wording)),
            **self._way(),
            setting=self.prefix + setting.id,
            wording=wording.id,
            part=wording.family,
            method=wording.method,
        )
        return Cell(
            key=key,
            setting=self.prefix + setting.id,
            wording=wording.id,
            part=wording.family,
            weight=weight,
            deterministic=setting.deterministic,
        )

    def _write(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Counts what a plan will hold. Raises PrepareError where that is too much."""
        self._written += sum(map(len, texts(messages)))
        if self._written > MOST_TEXT:
            raise PrepareError(
                f"settings and wordings: all together the requests have more than {MOST_TEXT:,} characters; "
                "take fewer settings, or shorter texts"
            )

    def mixture(self, wordings: Sequence[Wording], *, settings: Sequence[Setting] | None = None) -> tuple[Cell, ...]:
        """The exploit in all these wordings at these settings (None: the rated one), every family of equal weight."""
        sizes: dict[str, int] = {}
        for wording in wordings:
            sizes[wording.family] = sizes.get(wording.family, 0) + 1
        return tuple(
            self.exploit(setting, wording, weight=1 / sizes[wording.family])
            for setting in ((self.rated,) if settings is None else settings)
            for wording in wordings
        )

    def beside(self, name: str, conversation: Iterable[Message], *, detector: str) -> Cell:
        """A conversation beside the exploit (`control`, `benign`), at the rated setting. Raises PrepareError."""
        key = f"{self.prefix}{self.rated.id}/{name}"
        if key in self.requests:
            raise PrepareError(f"wordings: the id {name!r} is taken by the {name} conversation; choose another")
        self.requests[key] = CellRequest(
            messages=tuple(self.reproducer.beside(self.rated, conversation)),
            params=_params(self.rated),
            detector=self.prefix + detector,
            tool_results=tuple(self.reproducer.results(None)),
            environment=self._environment({}),
            **self._way(),
            setting=self.prefix + self.rated.id,
            wording=name,
            part=name,
        )
        return Cell(key=key, setting=self.prefix + self.rated.id, wording=name, part=name)

    def _way(self) -> dict[str, Any]:
        """How a trial is carried out, the same for the exploit and for what stands beside it."""
        found = self.reproducer
        tools = tuple(tool.model_dump() for tool in found.tools)
        return {"turns": found.turns, "tools": tools, "max_steps": found.max_steps}

    def _environment(self, plant: Mapping[str, Any]) -> dict[str, Any] | None:
        used = self.reproducer.environment
        return None if used is None else {"name": used.name, "options": used.options, "plant": dict(plant)}

    def detectors(self) -> dict[str, Mapping[str, Any]]:
        """The rules that the requests name: `success`, and `useful` where there is a benign request."""
        rules: dict[str, Rule] = {"success": self.reproducer.success}
        if self.reproducer.benign is not None:
            rules["useful"] = self.reproducer.benign.useful
        return {self.prefix + name: rule.to_json() for name, rule in rules.items()}

    def knobs(self) -> dict[str, Mapping[str, Any]]:
        """What each setting names, by the setting's name in the plan."""
        return {self.prefix + setting.id: setting.values() for setting in self.settings}


def _params(setting: Setting) -> dict[str, Any]:
    """What is sent: every named knob but the system prompt, which is a message."""
    return {name: value for name, value in setting.values().items() if name != "system"}
