"""Makes the cells of a plan from one reproducer, and keeps the request that each of them stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from manyeyes.engine.plan import Cell
from manyeyes.reproducer.detection import Rule
from manyeyes.reproducer.model import Message, Reproducer, Setting, Wording
from manyeyes.runs.document import CellRequest


class PrepareError(ValueError):
    """A plan that cannot be made from this reproducer; the message names the field and the mend."""


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

    def key(self, setting: Setting, wording: Wording) -> str:
        """What the cell of a setting and a wording is called in the plan."""
        return f"{self.prefix}{setting.id}/{wording.id}"

    def exploit(self, setting: Setting, wording: Wording, *, weight: float = 1.0) -> Cell:
        """The exploit at a setting, in a wording."""
        key = self.key(setting, wording)
        self.requests[key] = CellRequest(
            messages=tuple(self.reproducer.messages(setting, wording)),
            params=_params(setting),
            detector=f"{self.prefix}success",
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
        rows = [{"role": str(message.role), "content": message.content} for message in conversation]
        self.requests[key] = CellRequest(
            messages=tuple(self.reproducer.with_system(self.rated, rows)),
            params=_params(self.rated),
            detector=self.prefix + detector,
            setting=self.prefix + self.rated.id,
            wording=name,
            part=name,
        )
        return Cell(key=key, setting=self.prefix + self.rated.id, wording=name, part=name)

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
