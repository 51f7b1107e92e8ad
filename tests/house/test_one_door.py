"""The status of a case is written in one place, and some words are not ours."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import SRC, name, python_files, tree

DOOR = "cases/moves.py"
BANNED_WORD = "certified"


def writes_of_status(module: ast.Module) -> Iterator[int]:
    """Lines that assign `….status`, or hand a status to `update()` or `setattr()`."""
    for node in ast.walk(module):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = [leaf for target in node.targets for leaf in ast.walk(target) if isinstance(leaf, ast.expr)]
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(leaf, ast.Attribute) and leaf.attr == "status" for leaf in targets):
            yield node.lineno
        if isinstance(node, ast.Call) and _hands_over_status(node):
            yield node.lineno


def _hands_over_status(call: ast.Call) -> bool:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called in ("update", "aupdate"):
        return any(keyword.arg == "status" for keyword in call.keywords)
    constants = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
    return called == "setattr" and "status" in constants


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("case.status = 'new'", 1),
        ("a, case.status = 1, 2", 1),
        ("case.status: str = 'new'", 1),
        ("rows.update(status='new')", 1),
        ("setattr(case, 'status', 'new')", 1),
        ("status = case.status", 0),
        ("rows.filter(status='new')", 0),
    ],
)
def test_the_search_finds_every_way_of_writing(text: str, found: int) -> None:
    assert len(list(writes_of_status(ast.parse(text)))) == found


def test_only_the_door_writes_status() -> None:
    rooms = ("cases", "publications", "portal", "console", "replays", "demo", "commands", "accounts", "programs")
    written = {
        name(path): lines
        for path in python_files()
        if name(path).split("/")[0] in rooms or path.parent == SRC
        for lines in [list(writes_of_status(tree(path)))]
        if lines
    }
    assert set(written) == {DOOR}, written


def senders(module: ast.Module) -> Iterator[str]:
    """What a module takes from Django to send mails with."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("django.core.mail"):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.startswith("django.core.mail"))


def test_only_the_outbox_sends_mail() -> None:
    found = {name(path): set(senders(tree(path))) for path in python_files() if any(senders(tree(path)))}
    # The second asks only whether a mail to an address can be written at all.
    assert found == {
        "events/letters.py": {"EmailMessage", "SafeMIMEMultipart"}, "accounts/mailable.py": {"EmailMessage"},
    }  # fmt: skip


def said(text: str) -> Iterator[tuple[int, str]]:
    """Everything of a module but its comments."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            yield token.start[0], token.string


def test_we_claim_no_provable_bound() -> None:
    found = []
    for path in python_files():
        text = path.read_text(encoding="utf-8")
        found += [f"{name(path)}:{line}" for line, word in said(text) if BANNED_WORD in word.lower()]
    for folder in ("templates", "static"):
        for page in (SRC / folder).rglob("*"):
            if page.suffix in {".html", ".txt", ".js", ".css", ".svg"} and "vendor" not in page.parts:
                found += [name(page)] if BANNED_WORD in page.read_text(encoding="utf-8").lower() else []
    assert found == []


def test_comments_may_quote_the_word_but_strings_may_not() -> None:
    quoted = "# certified\n"
    assert BANNED_WORD not in "".join(word for _, word in said(quoted))
    assert BANNED_WORD in "".join(word for _, word in said("x = 'certified'\n"))


def test_templates_are_found_where_they_are_looked_for() -> None:
    assert list(Path(SRC / "templates").rglob("*.html"))
