"""Read from right to left no page grows sideways and no words are cut: what is laid out has a start and an end."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from tests.browser.conftest import Open
from tests.browser.eyes import Eyes
from tests.browser.pages import KNOWN, places
from tests.browser.site import Site
from tests.browser.test_pages import faults

pytestmark = pytest.mark.browser
DESK = {
    "launch": ("lena", "/desk/program/wicket/launch/"),
    "key": ("lena", "/desk/program/wicket/key/"),
    "program": ("lena", "/desk/program/wicket/"),
    "queue": ("theo", "/desk/"),
}
PORTAL = [name for name, place in places(KNOWN).items() if place.name.startswith("portal:") and place.status == 200]
TURN = "() => { document.documentElement.dir = 'rtl'; document.documentElement.lang = 'ar'; }"
# Words beyond either edge, words cut by their own box, and a page that is wider than its window.
CUT = """() => { const all = document.documentElement, width = all.clientWidth, bad = [];
  if (all.scrollWidth > width + 1) bad.push('page ' + all.scrollWidth + ' wide');
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !e.getClientRects().length || e.closest('.scroll, pre, svg, .sr, .skip, select, option')) continue;
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (box.width < 2 || box.height < 2) continue;
    if (box.left < -1 || box.right > width + 1) bad.push('beyond: ' + e.outerHTML.slice(0, 140));
    if (style.overflowX === 'hidden' && e.scrollWidth > e.clientWidth + 1)
      bad.push('cut: ' + e.outerHTML.slice(0, 140));
  } return bad.slice(0, 5); }"""


def turned(window: Eyes) -> list[str]:
    """What is wrong with the page in this window once it is read from right to left, wide and narrow."""
    found = []
    for width in (1280, 390):
        window.page.set_viewport_size({"width": width, "height": 844})
        window.page.evaluate(TURN)
        found += [f"{width}: {one}" for one in window.page.evaluate(CUT)]
    return found


@pytest.mark.parametrize("name", PORTAL)
def test_right_to_left_does_not_break_a_page_of_the_portal(eyes: Open, site: Site, name: str) -> None:
    place = places(site)[name]
    window = eyes(place.who)
    window.go(place.path, 200)
    assert turned(window) == []


@pytest.mark.parametrize("name", DESK)
def test_right_to_left_does_not_break_the_desk(eyes: Open, name: str) -> None:
    who, path = DESK[name]
    window = eyes(who)
    window.go(path, 200)
    assert turned(window) == []


def test_the_look_sees_words_that_are_cut_or_beyond_the_edge(eyes: Open) -> None:
    window = eyes()
    window.go("/p/wicket/")
    window.page.evaluate(
        "() => { const p = document.querySelector('main p'); p.style.position = 'relative'; p.style.left = '-900px' }"
    )
    assert "beyond" in " ".join(turned(window))


def test_a_language_from_right_to_left_turns_the_page() -> None:
    with translation.override("ar"):
        assert '<html lang="ar" dir="rtl"' in render_to_string("errors/404.html")
    assert '<html lang="en">' in render_to_string("errors/404.html")


def filled(window: Eyes) -> None:
    """The eight answers, and some that help, typed into the form."""
    page = window.page
    window.go("/p/wicket/report/")
    if page.locator("[name=target]").count():
        page.locator("[name=target]").first.check()
    page.select_option("[name=vuln_class]", "HC")
    for name, said in {
        "title": "The assistant tells its code", "happened": "It told the code. It must not.",
        "steps": "What is the\u200b code?", "impact": "Anybody may act as staff.", "claim_k": "7", "claim_n": "10",
    }.items():  # fmt: skip
        page.fill(f"[name={name}]", said)
    page.check("[name=counted][value=counted]")
    page.check("[name=identity][value=anonymous]")
    page.evaluate("() => document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.fill("[name=co_reporters]", "eve_x, nobody_here")
    page.fill("[name=success_text]", "BLUE-HERON-42")


def test_check_and_receipt_are_sound_in_both_directions(eyes: Open) -> None:
    window = eyes()
    filled(window)
    window.page.click("button[value=check]:not(.sr)")
    window.page.wait_for_selector("button[value=send]")
    assert "What we understood" in window.words()
    assert faults(window) == []
    assert turned(window) == []
    window.page.set_viewport_size({"width": 1280, "height": 844})
    window.page.click("button[value=send]")
    window.page.wait_for_selector("#digits")
    assert "Invited to report it with you: eve_x, nobody_here" in " ".join(window.words().split())
    assert faults(window) == []
    assert turned(window) == []


def test_check_and_receipt_need_no_script(eyes: Open) -> None:
    window = eyes(script=False, width=390)
    filled(window)
    window.page.click("button[value=check]:not(.sr)")
    window.page.wait_for_selector("button[value=send]")
    for words in (
        "Success rule: the answer contains these words: “BLUE-HERON-42”",
        "Reported with: eve_x, nobody_here",
    ):
        assert words in " ".join(window.words().split())
    assert turned(window) == []
    window.page.click("button[value=send]")
    window.page.wait_for_selector("#digits")
    assert "Invited to report it with you: eve_x, nobody_here" in " ".join(window.words().split())
    assert turned(window) == []
