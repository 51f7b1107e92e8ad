"""Writes the reference pages that follow from the code: `uv run python docs/generate.py` (moves, plugins, commands)."""

from __future__ import annotations

import argparse
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by docs/generate.py from the code. Change the code, then run it again. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def moves() -> str:
    """The table of moves, with who may make them and what they demand."""
    from manyeyes.rules.lifecycle import FACT_WORDS, MOVES, CloseReason, Status
    from manyeyes.rules.words import STATUS_WORDS

    rows = []
    for move in MOVES.values():
        target = "where the question was asked" if move.target is None else STATUS_WORDS[move.target]
        if move.reason is not None:
            target += f": {move.reason.words}"
        demands = [FACT_WORDS[name] for name in (*move.demands, *move.forbids)]
        roles = sorted(role.words for role in move.roles)
        sources = ", ".join(STATUS_WORDS[source] for source in move.sources)
        key = f"`{move.key}`" if move.key else ""
        rows.append([f"`{move.name}`", move.label, sources, target, ", ".join(roles), "; ".join(demands) or "–", key])
    head = ["Move", "Button", "From", "To", "Who", "Needs", "Key"]
    statuses = table(["Stored", "Word"], [[f"`{status}`", STATUS_WORDS[status]] for status in Status])
    reasons = table(["Stored", "Word"], [[f"`{reason}`", reason.words] for reason in CloseReason])
    return "\n\n".join(
        [
            "# Moves", NOTE,
            "Every change of status is one of these. The table is `rules/lifecycle.py`; the door is `cases/moves.py`. "
            "A move whose facts are missing stays visible and says what is missing.",
            table(head, rows), diagram(), "## Statuses", statuses, "## Reasons to close", reasons,
        ]
    )  # fmt: skip


def diagram() -> str:
    """The same moves as a drawing; closing and reopening are left out so that it can be read."""
    from manyeyes.rules.lifecycle import MOVES

    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> new"]
    for move in MOVES.values():
        for source in move.sources if move.name not in ("close", "withdraw", "reopen") else ():
            lines.append(f"    {source} --> {move.target or 'triaged'}: {move.name}")
    return "\n".join([*lines, "    resolved --> [*]", "```"])


def plugins() -> str:
    """Every built-in plugin with the first sentence of its own documentation."""
    from manyeyes.plugins import registry

    parts = ["# Plugins", NOTE, "A stranger's package announces its own under the entry point group of the kind."]
    for kind in registry.BUILTIN:
        rows = [[f"`{name}`", first_sentence(registry.find(kind, name))] for name in registry.BUILTIN[kind]]
        parts += [f"## {kind.capitalize()} (`manyeyes.{kind}`)", table(["Name", "What it does"], rows)]
        parts += [part for name in registry.BUILTIN[kind] for part in _plugin(name, registry.find(kind, name))]
    return "\n\n".join(parts)


def _plugin(name: str, found: object) -> list[str]:
    """What else a plugin says of itself, where it says which options it takes."""
    options = getattr(found, "OPTIONS", None)
    if options is None:
        return []
    text = (inspect.getdoc(found) or "").split("\n\n")
    rows = [
        [f"`{field}`", one.kind, one.words + (" (required)" if one.required else "")] for field, one in options.items()
    ]
    return [f"### `{name}`", " ".join(" ".join(text).split()), table(["Option", "Holds", "What it does"], rows)]


def first_sentence(thing: object) -> str:
    """The first sentence of a docstring, on one line."""
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return text.split(". ")[0].rstrip(".") + "." if text else ""


def commands() -> str:
    """Every command with its arguments, read from the parsers themselves."""
    parts = ["# Commands", NOTE]
    for name, module in command_modules():
        parser = argparse.ArgumentParser(prog=f"manyeyes {name}", add_help=False)
        module.add_arguments(parser)  # type: ignore[attr-defined]
        rows = [[_written(action), action.help or ""] for action in parser._actions]
        text = module.HELP  # type: ignore[attr-defined]
        parts += [f"## `manyeyes {name}`", f"{text[:1].upper()}{text[1:].rstrip('.')}."]
        parts += [table(["Argument", "Meaning"], rows)] if rows else []
    return "\n\n".join(parts)


def command_modules() -> list[tuple[str, object]]:
    """(name as typed, module) of every command."""
    folder = ROOT / "src" / "manyeyes" / "commands"
    found = [import_module(f"manyeyes.commands.{info.name}") for info in pkgutil.iter_modules([str(folder)])]
    named = [(module.__name__.rsplit(".", 1)[1].rstrip("_").replace("_", "-"), module) for module in found]
    return sorted((name, module) for name, module in named if hasattr(module, "HELP"))


def _written(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{str(action.metavar or action.dest).upper()}`"
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return f"`{action.option_strings[-1]}{value}`"


PAGES = {"moves.md": moves, "plugins.md": plugins, "commands.md": commands}


def main() -> int:
    """Write every page."""
    for name, write in PAGES.items():
        (REFERENCE / name).write_text(write() + "\n", encoding="utf-8")
        print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
