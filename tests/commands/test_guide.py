"""The commands in the guides can be typed as they stand, and their reproducer loads."""

from __future__ import annotations

import argparse
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from manyeyes.cli import COMMANDS, module_name
from manyeyes.reproducer.load import load_text

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/guides/measuring.md", "docs/guides/researcher.md", "docs/guides/judges.md")
ONLY_DATABASE = {"demo", "init", "serve", "worker", "check"}


def typed() -> list[str]:
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
            found += [line.removeprefix("uv run ") for line in block.splitlines() if "manyeyes" in line.split("#")[0]]
        found += re.findall(r"`(manyeyes [a-z-]+ [^`]*)`", text)
    return [line for line in found if line.startswith("manyeyes ") and line.split()[1] not in ONLY_DATABASE]


def test_there_is_something_to_look_at() -> None:
    assert len(typed()) > 15
    assert {line.split()[1] for line in typed()} >= {"plan", "replay", "map", "verify", "compare", "sweep", "bundle"}


@pytest.mark.parametrize("line", sorted(set(typed())))
def test_a_command_of_the_guides_can_be_typed(line: str) -> None:
    words = [word for word in shlex.split(line, comments=True)[1:] if word != "…"]
    assert words[0] in COMMANDS
    module = import_module(f"manyeyes.commands.{module_name(words[0])}")
    parser = argparse.ArgumentParser(prog=words[0])
    module.add_arguments(parser)
    if parses(parser, words[1:]) or parses(parser, [*words[1:], "x"]):  # a sentence may leave out the last value
        return
    pytest.fail(f"{line}: is refused")


def parses(parser: argparse.ArgumentParser, words: list[str]) -> bool:
    try:
        parser.parse_args(words)
    except SystemExit:
        return False
    return True


def test_the_reproducer_of_the_guide_loads() -> None:
    page = (ROOT / "docs/guides/measuring.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    found = load_text(block)
    assert len(found.setting_list()) == 4
    assert found.rated_setting().values()["temperature"] == 1.0
