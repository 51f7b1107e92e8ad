"""What a report answers: from a file, from the reproducer, and, where somebody sits at a terminal, by asking."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from manyeyes.commands.questions import UsageError
from manyeyes.reproducer.model import Reproducer

NEEDED = {
    "title": "A title, one line",
    "happened": "What happened, and what should have happened",
    "steps": "What you sent, exactly",
    "impact": "Who loses what",
}
"""The answers in words that a report cannot do without, and how they are asked for."""
LARGEST = 1_000_000
NUMBERS = ("claim_k", "claim_n")
FLAGS = ("not_counted", "anonymous", "exploited_now", "harmed_now", "csam")
GROUPS = ("settings", "answers", "seen", "plans")
TEXTS = (
    "title", "happened", "steps", "impact", "expected", "contact", "own_ref", "success_text", "success_how",
    "conversation", "hazard", "counted_how", "own_band", "own_why", "vuln_class", "system",
)  # fmt: skip


def add_answers(parser: argparse.ArgumentParser) -> None:
    """Where the answers come from."""
    group = parser.add_argument_group("report")
    group.add_argument("--answers", metavar="FILE", help="answers as YAML or JSON: title, happened, steps, impact, …")
    group.add_argument("--system", metavar="NAME", help="which system of the program (needed where it has several)")
    group.add_argument("--contact", metavar="TEXT", help="how to reach you, where you send no token")
    group.add_argument("--anonymous", action="store_true", help="leave no name: a receipt leads back to the report")


def answers_of(args: argparse.Namespace, reproducer: Reproducer) -> dict[str, Any]:
    """The fields of the report, without target and names. Raises UsageError naming what is missing or wrong."""
    given = {**_of_reproducer(reproducer), **_of_file(args.answers)}
    if args.contact:
        given["contact"] = args.contact
    if args.anonymous:
        given |= {"anonymous": True, "contact": ""}
    for name, asked in NEEDED.items():
        if not str(given.get(name, "")).strip():
            given[name] = _asked(name, asked)
    if given.get("claim_n") is None:
        given |= {"not_counted": True, "claim_k": None, "claim_n": None}
    return given


def _of_reproducer(reproducer: Reproducer) -> dict[str, Any]:
    """What the file itself says: title, kind, the prompt that was sent, and the claimed count."""
    wordings = reproducer.wording_list()
    said = [message.content for message in reproducer.conversation if message.role == "user"]
    found: dict[str, Any] = {
        "title": reproducer.title,
        "vuln_class": reproducer.vuln_class,
        "steps": wordings[0].text if wordings else "\n".join(said),
    }
    claim = reproducer.claim
    if claim is not None:
        found |= {"claim_k": claim.successes, "claim_n": claim.trials}
    return found


def _of_file(name: str | None) -> dict[str, Any]:
    if not name:
        return {}
    try:
        text = Path(name).read_text(encoding="utf-8")
        data = yaml.safe_load(text) if len(text) <= LARGEST else None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--answers: {name} cannot be read ({getattr(error, 'strerror', None) or error})") from None
    except yaml.YAMLError:
        raise UsageError(f"--answers: {name} is neither YAML nor JSON") from None
    if not isinstance(data, Mapping):
        raise UsageError(f"--answers: {name} must hold fields such as “title: …”")
    return {str(field): _fit(str(field), value) for field, value in data.items()}


def _fit(field: str, value: Any) -> Any:
    """A value as the API takes it. Raises UsageError naming the field."""
    if field in NUMBERS and isinstance(value, int) and not isinstance(value, bool):
        return value
    if field in FLAGS and isinstance(value, bool):
        return value
    if field in GROUPS and isinstance(value, Mapping):
        return {str(name): str(said) for name, said in value.items()}
    if field == "co_reporters" and isinstance(value, list):
        return [str(one) for one in value]
    if field in TEXTS and isinstance(value, str | int | float):
        return str(value)
    known = ", ".join((*TEXTS, *NUMBERS, *FLAGS, *GROUPS, "co_reporters"))
    raise UsageError(f"--answers: {field} is no answer, or of another kind. Known: {known}")


def _asked(name: str, asked: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError(f"{name}: say it in the file of --answers ({asked[0].lower()}{asked[1:]})")
    print(f"{asked} (end with an empty line):", file=sys.stderr)
    lines: list[str] = []
    while line := input("> "):
        lines.append(line)
    if not lines:
        raise UsageError(f"{name}: this cannot be left out")
    return "\n".join(lines)
