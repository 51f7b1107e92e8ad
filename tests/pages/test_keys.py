"""Single keys in a real browser: they act in lists and on buttons, never in a field, and every one has its button."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

SCRIPT = Path(__file__).resolve().parents[2] / "src/manyeyes/static/js/keys.js"
CHROMIUM = shutil.which("chromium")
PAGE = """<body>
<table data-list><tr data-row><td><a href="#1">one</a></td></tr><tr data-row><td><a href="#2">two</a></td></tr>
</table><button data-key="t">Take</button><button data-key="c" aria-disabled="true">Confirm</button>
<a data-go="q" href="#queue">Queue</a>
<input id="line"><form method="post"><textarea id="note"></textarea></form></body>"""
COUNT = """window.done = [];
document.addEventListener('click', e => window.done.push(e.target.textContent));
document.forms[0].addEventListener('submit', e => { e.preventDefault(); window.done.push('sent') })"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        found = browser.new_page()
        found.set_content(PAGE)
        found.evaluate(COUNT)
        found.add_script_tag(path=SCRIPT)
        yield found
        browser.close()


def test_keys_walk_press_go_and_send(page: Page) -> None:
    for key, focused in (("j", "one"), ("j", "two"), ("j", "two"), ("k", "one")):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.textContent") == focused
    page.keyboard.press("t")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.focus("#note")
    page.keyboard.press("Control+Enter")
    assert page.evaluate("window.done") == ["Take", "Queue", "sent"]


def test_keys_leave_fields_and_refused_moves_alone(page: Page) -> None:
    page.keyboard.press("c")
    page.keyboard.press("Control+t")
    page.focus("#line")
    page.keyboard.type("tcj")
    assert page.input_value("#line") == "tcj"
    assert page.evaluate("window.done") == []
