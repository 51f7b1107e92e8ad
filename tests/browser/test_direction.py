"""Read from right to left no page grows sideways: what is laid out has a start and an end, not a left and a right."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Open
from tests.browser.site import Site

pytestmark = pytest.mark.browser
PAGES = {
    "launch": ("lena", "/desk/program/wicket/launch/"),
    "key": ("lena", "/desk/program/wicket/key/"),
    "program": ("lena", "/desk/program/wicket/"),
    "settings-key": ("theo", "/my/settings/key/"),
    "public": ("nobody", "/p/wicket/"),
    "my": ("rhea", "/my/"),
    "queue": ("theo", "/desk/"),
}
GROWN = """() => { document.documentElement.dir = 'rtl';
  const all = document.documentElement; return all.scrollWidth - all.clientWidth; }"""


@pytest.mark.parametrize("name", PAGES)
def test_right_to_left_does_not_break_the_page(eyes: Open, site: Site, name: str) -> None:
    who, path = PAGES[name]
    window = eyes(who)
    window.go(path, 200)
    assert window.page.evaluate(GROWN) <= 1
    window.page.set_viewport_size({"width": 390, "height": 800})
    assert window.page.evaluate(GROWN) <= 1
