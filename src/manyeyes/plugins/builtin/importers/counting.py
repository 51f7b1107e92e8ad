"""Counts outcomes by finding and setting, keeping errors, undetermined and repeated answers out of the trials."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from manyeyes.plugins.builtin.importers.scrub import clean, storable
from manyeyes.plugins.imported import Tally
from manyeyes.rules.readings import UNKNOWN, Source, better

Outcome = Literal["yes", "no", "undetermined", "error"]
"""What came of one trial; `yes` is what the tool counted (a hit, a pass, a correct answer)."""

MOST_TRACES = 20
MOST_STOPS = 12
NUMBERS: Final = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "max_new_tokens": "max_tokens",
    "seed": "seed",
    "top_k": "top_k",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "n": "n",
}
"""Names of settings in the tools' own configurations, and what we call them."""
WHOLE = {"max_tokens", "seed", "top_k", "n"}


def settings_of(*configs: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that some configurations name; an earlier one wins. Anything that is no number stays unknown."""
    found: dict[str, Any] = {}
    for config in configs:
        for name, ours in NUMBERS.items():
            value = config.get(name)
            if ours in found or isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= 2**63:
                continue
            if ours in WHOLE and value != int(value):
                continue
            found[ours] = int(value) if ours in WHOLE else float(value)
        stop = config.get("stop", config.get("stop_seqs"))
        if "stop" not in found and isinstance(stop, list) and stop and all(isinstance(word, str) for word in stop):
            found["stop"] = [clean(word, 50) for word in stop[:16]]
    return found


@dataclass
class Counting:
    """What is counted at one setting of one finding."""

    setting: dict[str, Any] = field(default_factory=dict)
    source: Source = UNKNOWN
    label: str = ""
    target: str = ""
    yes: int = 0
    no: int = 0
    errors: int = 0
    undetermined: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome, *, drop: str = "", stop: str = "", source: Source | None = None) -> bool:
        """Count one trial; with `drop`, the reason why it is no independent trial, it is kept apart.

        True where the trial counts and the tool said yes. `source` is where this trial's settings are known from: of
        all trials the weakest holds.
        """
        if source is not None:
            fresh = not (self.yes + self.no + self.errors + self.undetermined)
            worse = self.source if better(source, self.source) == source else source
            self.source = source if fresh else worse
        if drop:
            self.dropped[drop] += 1
            return False
        if stop and (stop in self.stops or len(self.stops) < MOST_STOPS):
            self.stops[clean(stop, 60)] += 1
        self.yes += outcome == "yes"
        self.no += outcome == "no"
        self.errors += outcome == "error"
        self.undetermined += outcome == "undetermined"
        return outcome == "yes"

    def tally(self, attack_passes: bool | None) -> Tally:
        """The counts; `attack_passes` says whether a yes means that the attack landed, None that nobody said."""
        successes = {True: self.yes, False: self.no, None: None}[attack_passes]
        return Tally(
            setting=dict(self.setting),
            source=self.source if self.setting else UNKNOWN,
            label=clean(self.label, 100),
            target=clean(self.target, 200),
            trials=self.yes + self.no,
            successes=successes,
            passed=self.yes if attack_passes is not True else None,
            errors=self.errors,
            undetermined=self.undetermined,
            dropped=dict(self.dropped),
            stops=dict(self.stops),
        )


@dataclass
class Gathered:
    """One finding while it is read: what is sent, an answer of each kind, and the counts per setting."""

    title: str
    messages: Sequence[Mapping[str, Any]]
    counts: dict[str, Counting] = field(default_factory=dict)
    traces: list[str] = field(default_factory=list)
    samples: dict[Outcome, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def at(self, setting: Mapping[str, Any], *, label: str = "", target: str = "") -> Counting:
        """Where trials at a setting are counted."""
        key = json.dumps([setting, label, target], sort_keys=True)
        return self.counts.setdefault(key, Counting(dict(setting), label=label, target=target))

    def saw(self, outcome: Outcome, answer: str, trace: str = "") -> None:
        """Keep the first answer of each kind, and where to find the first trials again."""
        if answer.strip():
            self.samples.setdefault(outcome, answer)
        if trace and len(self.traces) < MOST_TRACES:
            self.traces.append(clean(trace, 100))

    def tallies(self, attack_passes: bool | None) -> tuple[Tally, ...]:
        """The counts of every setting, in the order of the file."""
        return tuple(counting.tally(attack_passes) for counting in self.counts.values())

    @property
    def yes(self) -> int:
        """All trials the tool said yes to."""
        return sum(counting.yes for counting in self.counts.values())


def fingerprint(*parts: Any) -> str:
    """What tells two findings apart."""
    return storable(json.dumps(parts, sort_keys=True, default=str))
