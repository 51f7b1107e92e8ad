"""The plan document: everything a replay is going to do, frozen and hashed before the first trial."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from manyeyes.engine.plan import Plan
from manyeyes.engine.resume import open_at, resumed
from manyeyes.rules.numerals import many
from manyeyes.runs.price import Price

FORMAT = "manyeyes.plan/1"
MOST_CALLS = 200
"""Calls of the model that one trial in an environment may make."""


class DocumentError(ValueError):
    """A plan document that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class CellRequest:
    """What a cell means: how its trials are carried out, and the detector that decides.

    `messages` are in normal form (see `plugins.protocols.Message`), with everything in its place and images by hash.
    `turns` is `frozen` (one live answer after the last message), `fixed` (each assistant message stands for a live
    answer) or `human` (a person follows `procedure`). Calls of `tools` get the first of `tool_results` that fits, up to
    `max_steps` calls of the model for one turn. `environment` has name, options and plant. `placed` is the text of the
    wording where no message holds it: it stands in a tool result, in what is planted, or in the procedure.
    """

    messages: tuple[Mapping[str, Any], ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    detector: str = "success"
    setting: str = ""
    wording: str = ""
    part: str = "reported"
    method: str = ""
    turns: str = "frozen"
    procedure: str = ""
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_results: tuple[Mapping[str, Any], ...] = ()
    max_steps: int = 8
    environment: Mapping[str, Any] | None = None
    placed: str = ""

    def to_json(self) -> dict[str, Any]:
        """The request as plain data. What the first version had not is left out where unused: old plans keep a hash."""
        data = asdict(self)
        return {name: value for name, value in data.items() if name not in _WIDER or value != _WIDER[name]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CellRequest:
        """The request that `to_json` described. Raises KeyError or TypeError on foreign data."""
        rows = {name: tuple(data.get(name, ())) for name in ("messages", "tools", "tool_results")}
        return cls(**{**data, **rows})

    @property
    def calls(self) -> tuple[int, int]:
        """How many calls of the model one trial takes: at least, and at most.

        >>> rows = tuple({"role": role, "content": "x"} for role in ("user", "assistant", "user"))
        >>> CellRequest(messages=rows).calls, CellRequest(messages=rows, turns="fixed").calls
        ((1, 1), (2, 2))
        """
        if self.environment is not None:
            return 1, MOST_CALLS
        lives = sum(message["role"] == "assistant" for message in self.messages) if self.turns == "fixed" else 0
        return lives + 1, (lives + 1) * (self.max_steps if self.tool_results else 1)

    @property
    def asked(self) -> str:
        """The text that this cell tries: its wording, else what the user says last."""
        said = [message["content"] for message in self.messages if message["role"] == "user"]
        return self.placed or (said[-1] if said else self.procedure)

    @property
    def images(self) -> frozenset[str]:
        """The hashes of the images in the messages."""
        return frozenset(image["sha256"] for message in self.messages for image in message.get("images", ()))


_WIDER: Mapping[str, Any] = {
    "turns": "frozen",
    "procedure": "",
    "tools": (),
    "tool_results": (),
    "max_steps": 8,
    "environment": None,
    "placed": "",
}


@dataclass(frozen=True, kw_only=True)
class TargetInfo:
    """How a target is reached, for the role `main` or `positive`. Never holds a key."""

    kind: str = "openai_chat"
    url: str = ""
    model: str = ""
    label: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Caps:
    """Limits on spending that no run passes (None: no limit)."""

    max_calls: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None


@dataclass(frozen=True, kw_only=True)
class PlanDocument:
    """A plan of the engine together with what it means outside.

    `caps` can stop a run but never change its verdict, so they may be raised on resume and are not part of `hash`.
    `price` is that of the target, `prices` hold those of roles that cost otherwise.
    """

    plan: Plan
    requests: Mapping[str, CellRequest]
    detectors: Mapping[str, Mapping[str, Any]]
    detector_versions: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, TargetInfo] = field(default_factory=dict)
    caps: Caps = Caps()
    price: Price | None = None
    seeds: str = "per_trial"
    seed: int | None = None
    effects: str = "none"
    hazard: str = ""
    title: str = ""
    reproducer_hash: str = ""
    knobs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    claim: Mapping[str, Any] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The document as plain data; `from_json` is its inverse."""
        data = {name: value for name, value in self.__dict__.items() if name != "plan"}
        data |= {"format": FORMAT, "plan": self.plan.to_json(), "caps": asdict(self.caps)}
        data["price"] = asdict(self.price) if self.price else None
        if self.prices:
            data["prices"] = {role: asdict(price) for role, price in self.prices.items()}
        else:
            del data["prices"]  # the first version had none: old plans keep their hash
        data["requests"] = {key: request.to_json() for key, request in self.requests.items()}
        data["targets"] = {role: asdict(target) for role, target in self.targets.items()}
        return json.loads(json.dumps(data))  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PlanDocument:
        """The document that `to_json` described. Raises DocumentError on foreign data."""
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise DocumentError(f"not a plan document of format {FORMAT}")
        values = {name: value for name, value in data.items() if name != "format"}
        try:
            values["plan"] = Plan.from_json(values["plan"])
            values["caps"] = Caps(**values["caps"])
            values["price"] = Price(**values["price"]) if values["price"] else None
            values["prices"] = {role: Price(**row) for role, row in values.get("prices", {}).items()}
            values["targets"] = {role: TargetInfo(**row) for role, row in values["targets"].items()}
            rows = values["requests"].items()
            values["requests"] = {key: CellRequest.from_json(row) for key, row in rows}
            return cls(**values)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DocumentError(f"plan document cannot be read: {error!r}") from None

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON of everything but the caps, in hex."""
        data = self.to_json()
        del data["caps"]
        text = json.dumps(data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def calls_per_trial(self) -> tuple[int, int]:
        """Calls that one trial of this plan takes, at least and at most; a trial by hand is one, however long."""
        main = self.targets.get("main")
        if main is not None and main.kind == "manual":
            return 1, 1
        found = [self.requests[cell.key].calls for cell in self.plan.cells if cell.key in self.requests] or [(1, 1)]
        return max(least for least, _ in found), max(most for _, most in found)

    @property
    def played_in(self) -> tuple[str, ...]:
        """The environments that trials are played in, each with its options as JSON; none for plain conversations."""
        used = [request.environment for request in self.requests.values() if request.environment is not None]
        # As ASCII: options come from a stranger's file and stand on pages as they are.
        rows = [f"{one['name']} {json.dumps(one['options'], sort_keys=True)}" for one in used]
        return tuple(dict.fromkeys(row.removesuffix(" {}") for row in rows))

    def with_caps(self, caps: Caps) -> PlanDocument:
        """The same plan under other limits on spending."""
        return replace(self, caps=caps)

    def resumed(self, *, cap: int) -> PlanDocument:
        """The document that goes on from this one with a larger cap (see `engine.resume`). Raises ValueError."""
        return replace(self, plan=resumed(self.plan, cap=cap))

    def gone_on(self, result: Mapping[str, Any] | None, *, cap: int) -> PlanDocument:
        """The document that goes on from this one after its result. ValueError, with the mend, where it may not."""
        if result is None:
            raise ValueError("the run has not ended yet; go on with it as it is, under the cap that it has")
        if not open_at(str(self.plan.question), str(result["verdict"]), int(result["n"])):
            raise ValueError(f"the run ended with an answer ({result['verdict']}) that a larger cap does not change")
        if cap <= self.plan.cap:
            raise ValueError(
                f"cap: the run ended within {many(self.plan.cap, 'trial')}; give more than that, not {cap}"
            )
        return self.resumed(cap=cap)

    def goes_on_from(self, kept: PlanDocument) -> bool:
        """Whether this is `kept` with a larger cap and nothing else, so that it may take over its trials."""
        if self.plan.resumes != kept.plan.hash or self.plan.cap < kept.plan.cap:
            return False
        return self.hash == kept.resumed(cap=self.plan.cap).hash
