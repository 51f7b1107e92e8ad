"""Every word of a page goes through gettext: no template holds text of its own, and no form a bare label."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.source import SRC, python_files, tree

TEMPLATES = sorted((SRC / "templates").rglob("*.html"))
NAMES = {"manyeyes", "security.txt", "disclose.io", "SHA-256", "MES 1.0"}
"""What is called the same in every language."""
CODES = {"main_class", "body_class"}
"""Blocks that hold no words: names of classes of the stylesheet."""
WORD = re.compile(r"[^\W\d_]{2}")
GONE = re.compile(
    r"{#.*?#}|<!--.*?-->"
    r"|{%\s*blocktranslate\b.*?%}.*?{%\s*endblocktranslate\s*%}"
    r"|<(code|kbd|script|style)\b.*?</\1>",
    re.DOTALL,
)
TAG = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
SPOKEN = re.compile(r'\b(?:aria-label|placeholder|title|alt)="([^"]*)"')
TOLD = re.compile(r'\b(?:lid|heading|words)="([^"]*)"|\|(?:default|default_if_none|yesno):"([^"]*)"')
"""Words that a tag or a filter is given."""


def bare(source: str) -> list[str]:
    """Text of a template that no translation sees."""
    for name in CODES:
        source = re.sub(r"{%\s*block " + name + r"\s*%}.*?{%\s*endblock\s*%}", "", source, flags=re.DOTALL)
    source = GONE.sub("\0", source)
    told = [one or other for tag in TAG.findall(source) for one, other in TOLD.findall(tag)]
    source = TAG.sub("\0", source)
    spoken = SPOKEN.findall(source)
    pieces = [part for text in (*spoken, re.sub(r"<[^>]*>", "\0", source)) for part in text.split("\0")]
    pieces = [re.sub(r"&#?\w+;", " ", piece).strip(" \n·,.:;()–→") for piece in (*pieces, *told)]
    return [piece for piece in pieces if WORD.search(piece) and piece not in NAMES]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(SRC / "templates")))
def test_a_template_holds_no_words_of_its_own(path: Path) -> None:
    assert bare(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('<p class="big">{% translate "All well" %} · {{ name }}</p>', []),
        ("{% blocktranslate with n=row.n %}{{ n }} of <b>ten</b>{% endblocktranslate %}", []),
        ("<p>All well</p>", ["All well"]),
        ("<p>{{ n }} of {{ k }}</p>", ["of"]),
        ('<a aria-label="Next">→</a>', ["Next"]),
        ('<a aria-label="{% translate "Next" %}">→</a>', []),
        ('{% payload text lid="Steps" %}', ["Steps"]),
        ('{{ x|default:"not said" }}{{ x|default:"–" }}', ["not said"]),
        ("<b>manyeyes</b> <code>gpg --armor</code> 3 &nbsp; %", []),
        ("{% block main_class %}page narrow{% endblock %}", []),
    ],
)
def test_the_look_sees_words_and_nothing_else(source: str, found: list[str]) -> None:
    assert bare(source) == found


FACES = [path for path in python_files() if path.is_relative_to(SRC / "portal") or path.is_relative_to(SRC / "console")]


@pytest.mark.parametrize("path", FACES, ids=lambda path: str(path.relative_to(SRC)))
def test_forms_and_messages_of_a_face_are_translated(path: Path) -> None:
    found = []
    for call in (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)):
        said = [word.value for word in call.keywords if word.arg in ("label", "help_text", "empty_label")]
        if ast.unparse(call.func) in ("messages.success", "messages.info", "messages.error", "messages.warning"):
            said += call.args[1:2]
        if ast.unparse(call.func).endswith(
            (".add_error", "text", "words", "NotAllowed", "Conflict", "ValidationError")
        ):
            said += call.args
        if ast.unparse(call.func) == "Invalid":
            said += [word.value for word in call.keywords]
        found += [f"{one.lineno}: {ast.unparse(one)}" for one in said if _is_words(one)]
    assert found == []


def _is_words(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.Constant) and WORD.search(str(part.value)) for part in node.values)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(re.search(r"[A-Z ].*", node.value))
