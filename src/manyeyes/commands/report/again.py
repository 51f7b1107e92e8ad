"""The command that makes the same trials again, as somebody would type it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from manyeyes.commands.reaching import OPENAI
from manyeyes.commands.report.reading import Reading
from manyeyes.runs.document import TargetInfo

COMMANDS = {"reproduce": "replay", "score": "replay --score-only", "map": "map", "compare": "compare", "sweep": "sweep"}
USUAL = "finding.poc.yaml"
MANUAL = "manual"


def command(reading: Reading, *, file: str = "") -> str:
    """The command line; `file` is what the run read, where that is known."""
    plan, question = reading.document.plan, str(reading.result["question"])
    named = file or ("findings/" if question == "sweep" else USUAL)
    words = ["manyeyes", *COMMANDS.get(question, question).split(), shlex.quote(named)]
    words += _reached(reading)
    if question == "verify":
        words += ["--tau", f"{plan.tau:g}"]
    if question == "reproduce":
        words += ["--p0", f"{plan.p0:g}", "--p-min", f"{plan.p_min:g}"]
    words += ["--cap", str(plan.cap)] if question in ("reproduce", "verify") else []
    return " ".join([*words, "--seed", str(plan.seed)])


def _reached(reading: Reading) -> list[str]:
    """The options that say what was asked; a key is named by nobody."""
    targets, told = reading.document.targets, reading.result["target"]
    main = targets.get("main", TargetInfo())
    if main.kind == MANUAL:
        return ["--manual"]
    words = [*_said("--target", told["url"]), *_said("--model", told["model"])]
    if main.kind != OPENAI:
        words += ["--target-kind", shlex.quote(main.kind)]
    for name, value in sorted(main.options.items()):
        words += ["--target-option", shlex.quote(f"{name}={_typed(value)}")]
    if old := targets.get("old"):
        words += _said("--old", old.model if old.url == told["url"] else old.url)
    if positive := targets.get("positive"):
        words += _said("--positive", "" if positive.url == told["url"] else positive.url)
        words += _said("--positive-model", "" if positive.model == told["model"] else positive.model)
    for role in ("judge", "confirm"):
        if judge := targets.get(role):
            words += [*_said("--judge" if role == "judge" else "--confirm-url", judge.url)]
            words += _said(f"--{role}-model", judge.model)
    return [*words, *_confirmed(reading)]


def _confirmed(reading: Reading) -> Iterator[str]:
    if "confirm" in reading.document.targets:
        yield from ("--confirm", "target")


def _said(option: str, value: str | None) -> list[str]:
    return [option, shlex.quote(str(value))] if value else []


def _typed(value: Any) -> str:
    """The value of an option as a command line gives it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value)
