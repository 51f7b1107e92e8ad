"""Every move, setting, plugin and command is documented, and the generated pages are those of the code."""

from __future__ import annotations

import ast
import importlib.util
import re
from types import ModuleType

import pytest

from manyeyes.plugins import registry
from manyeyes.rules.lifecycle import MOVES, CloseReason, Status
from tests.house.source import REFERENCE, ROOT, SRC, python_files, reference, tree


def generator() -> ModuleType:
    """docs/generate.py, which is a script and not a module of ours."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = generator()


@pytest.mark.parametrize("page", GENERATOR.PAGES)
def test_generated_pages_are_up_to_date(page: str) -> None:
    written = (REFERENCE / page).read_text(encoding="utf-8")
    assert written == GENERATOR.PAGES[page]() + "\n", f"{page} is out of date; run: python docs/generate.py"


def test_every_move_status_and_reason_is_documented() -> None:
    text = reference()
    for name in (*MOVES, *Status, *CloseReason):
        assert f"`{name}`" in text, name


def test_every_plugin_is_documented_with_what_it_does() -> None:
    text = reference()
    for kind, names in registry.BUILTIN.items():
        for name in names:
            assert re.search(rf"\| `{name}` \| \S", text), f"{kind}: {name}"


def test_every_command_is_documented() -> None:
    text = reference()
    names = {path.stem for path in (SRC / "commands").glob("*.py") if path.stem != "__init__"}
    documented = {name for name, _ in GENERATOR.command_modules()}
    assert documented <= {stem.rstrip("_").replace("_", "-") for stem in names}
    assert documented
    for name in documented:
        assert f"## `manyeyes {name}`" in text


def switches() -> set[str]:
    """Every switch that settings.py reads: by env(), flag() or number(), or as MANYEYES_… from the environment."""
    found = set()
    for node in ast.walk(tree(SRC / "settings.py")):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called, first = ast.unparse(node.func), str(node.args[0].value)
            if called in ("env", "flag", "number"):
                found.add(f"MANYEYES_{first}")
            elif called == "os.environ.get" and first.startswith("MANYEYES_"):
                found.add(first)
    return found


def test_every_switch_is_documented_and_every_documented_one_exists() -> None:
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(MANYEYES_[A-Z0-9_]+)`", page, flags=re.MULTILINE))
    assert documented == switches()


def test_every_secret_has_a_documented_file_twin() -> None:
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    (secrets,) = [
        ast.literal_eval(node.value)
        for node in tree(SRC / "settings.py").body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SECRETS"
    ]
    assert set(re.findall(r"`MANYEYES_([A-Z_]+)` \(`_FILE`\)", page)) == secrets


def test_no_code_looks_for_a_setting_that_settings_does_not_make() -> None:
    named = re.compile(r"settings(?:\.|, \")(MANYEYES_[A-Z0-9_]+)")
    made = {
        ast.unparse(target)
        for node in tree(SRC / "settings.py").body
        if isinstance(node, ast.Assign)
        for target in node.targets
    }
    asked = {
        (path.relative_to(SRC).as_posix(), found)
        for path in python_files()
        for found in named.findall(path.read_text(encoding="utf-8"))
    }
    assert {(file, found) for file, found in asked if found not in made} == set()


def test_the_plan_of_the_house_names_files_that_exist() -> None:
    plan = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]*(?:\.py|\.md)?)`", plan))
    assert len(named) > 30
    assert {path for path in named if not (SRC / path).exists() and not (ROOT / path).exists()} == set()
