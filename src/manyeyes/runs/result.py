"""What a replay came to, as the one object that the command line prints and the platform keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from manyeyes.engine.verdict import Verdict
from manyeyes.runs.document import PlanDocument, TargetInfo


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A verdict with its bill. `calls` is the number of requests sent, repeats and overrun included.

    `noticed` are the checks of `runs.honoured`.
    """

    document: PlanDocument
    verdict: Verdict
    calls: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    seconds: float
    overrun: int
    models: Mapping[str, int] = field(default_factory=dict)
    cells: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    noticed: Sequence[Mapping[str, Any]] = ()

    def to_json(self) -> dict[str, Any]:
        """The object of DESIGN §7: the verdict's numbers, the bill, the target."""
        verdict = self.verdict.to_json()
        main, old = self.document.targets.get("main"), self.document.targets.get("old")
        knobs = self.document.knobs
        settings = [{**row, "parameters": dict(knobs.get(row["setting"], {}))} for row in verdict["settings"]]
        return {
            **verdict,
            "settings": settings,
            "checks": [*verdict["checks"], *self._checks()],
            "wordings": self._wordings(),
            "claim": {**self.document.claim, **verdict["claim"]},
            "engine_plan_hash": self.verdict.plan_hash,
            "plan_hash": self.document.hash,
            "calls": self.calls,
            "overrun": self.overrun,
            "tokens": {"in": self.tokens_in, "out": self.tokens_out},
            "cost": self.cost,
            "currency": self.document.price.currency if self.document.price else None,
            "seconds": round(self.seconds, 3),
            "tau": self.document.plan.tau if self.verdict.question == "verify" else None,
            "target": {**_named(main), "models_seen": dict(self.models)},
            **({"old_target": _named(old)} if old else {}),
        }

    def _wordings(self) -> list[dict[str, Any]]:
        """Each wording of a verification with its counts, so that those which still pass have a name."""
        if self.verdict.question != "verify":
            return []
        requests = self.document.requests
        return [
            {
                "setting": requests[cell].setting,
                "wording": requests[cell].wording,
                "part": requests[cell].part,
                "method": requests[cell].method,
                "n": n,
                "k": k,
            }
            for cell, (n, k) in sorted(self.cells.items())
        ]

    def _checks(self) -> list[Mapping[str, Any]]:
        """What the run itself noticed, beside the engine's checks."""
        found: list[Mapping[str, Any]] = []
        if note := self.document.plan.notes.get("positive"):
            found.append(_check("positive control", True, note, "the verdict leans on the success rule alone"))
        if note := self.document.plan.notes.get("paraphrase"):
            found.append(_check("paraphrases", True, note, "that they mean the same is the word of that model"))
        return [*found, *self.noticed]


def _named(target: TargetInfo | None) -> dict[str, Any]:
    """What a target is called by."""
    return {name: getattr(target, name) if target else None for name in ("kind", "url", "model", "label")}


def _check(name: str, passed: bool, detail: str, consequence: str) -> dict[str, Any]:
    return {"name": name, "passed": passed, "detail": detail, "consequence": consequence, "p_value": None}
