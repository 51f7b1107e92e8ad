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
<table data-list><tr data-row><td><input type="checkbox" id="t1"><a href="#1">one</a></td></tr>
<tr data-row><td><input type="checkbox" id="t2"><a href="#2">two</a></td></tr></table>
<input type="date" id="until" data-key="z" data-picks>
<details id="more"><summary data-key="m">More</summary><input id="in"></details>
<button data-key="t">Take</button><button data-key="c" aria-disabled="true">Confirm</button>
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


def ticked(page: Page) -> list[str]:
    """The rows that are selected."""
    return list(page.eval_on_selector_all(":checked", "all => all.map(one => one.id)"))


def test_x_selects_and_z_takes_what_is_selected_or_the_row_one_is_on(page: Page) -> None:
    page.keyboard.press("x")
    assert ticked(page) == [], "no row is current yet"
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    assert ticked(page) == ["t1", "t2"]
    page.keyboard.press("x")
    assert ticked(page) == ["t1"]
    page.keyboard.press("z")
    assert page.evaluate("document.activeElement.id") == "until"
    assert ticked(page) == ["t1"], "what was selected stands"
    page.keyboard.press("Escape")
    page.uncheck("#t1")
    page.keyboard.press("j")  # a tick in focus is no field to type in
    page.keyboard.press("z")
    assert ticked(page) == ["t2"], "nothing was selected, so it takes the row one is on"


def test_a_key_that_unfolds_leads_into_the_field(page: Page) -> None:
    page.keyboard.press("m")
    assert page.evaluate("document.activeElement.id") == "in"


def test_keys_leave_fields_and_refused_moves_alone(page: Page) -> None:
    page.keyboard.press("c")
    page.keyboard.press("Control+t")
    page.focus("#line")
    page.keyboard.type("tcj")
    assert page.input_value("#line") == "tcj"
    assert page.evaluate("window.done") == []
