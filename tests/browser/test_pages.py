"""Every page, looked at by a machine: axe by day and night, wide and narrow; focus, headings, reflow, no errors."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
from django.urls import get_resolver

from tests.browser.conftest import Open
from tests.browser.eyes import Eyes
from tests.browser.pages import ELSEWHERE, KNOWN, PLAIN, places
from tests.browser.site import Site
from tests.house.access_matrix import PACKAGES, names

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOK = """async ([tags, colours]) => { const only = colours ? { type: 'rule', values: ['color-contrast'] }
    : { type: 'tag', values: tags };
  const found = await axe.run(document, { runOnly: only, resultTypes: ['violations'] });
  return found.violations.map((v) => v.id + ': ' + v.nodes.slice(0, 4).map((n) =>
    n.target.join(' ') + ' ' + n.html.slice(0, 160) + (n.any[0] ? ' | ' + n.any[0].message : '')).join(' ;; ')); }"""
# Everything a person can reach by Tab shows that it has the focus: an outline of 2 px, its own or its label's.
FOCUS = """() => { const all = [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')];
  const bad = []; for (const e of all) { if (!e.getClientRects().length || e.disabled) continue;
    e.focus({ preventScroll: true, focusVisible: true }); if (document.activeElement !== e) continue;
    const ring = (x) => { const s = getComputedStyle(x);
      return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2; };
    const label = e.closest('label'); if (!ring(e) && !(label && ring(label))) bad.push(e.outerHTML.slice(0, 160)); }
  return bad; }"""
WIDE = """() => { const limit = document.documentElement.clientWidth; if (document.documentElement.scrollWidth <= limit)
  return []; const out = (e) => e.getBoundingClientRect().right > limit + 1 && !e.closest('.scroll, pre');
  return [...document.querySelectorAll('body *')].filter(out).slice(0, 5).map((e) => e.outerHTML.slice(0, 140))
    .concat('page ' + document.documentElement.scrollWidth); }"""


def test_every_address_has_its_page_here() -> None:
    ours = {name for name in names(get_resolver().url_patterns) if not name.startswith(PACKAGES)}
    assert ours - {place.name for place in places(KNOWN).values()} == ELSEWHERE | PLAIN


@pytest.mark.parametrize("name", places(KNOWN))
def test_page(eyes: Open, site: Site, name: str) -> None:
    place = places(site)[name]
    window = eyes(place.who)
    if place.status != 200:
        window.expect(f"status of {place.status}")
    window.go(place.path, place.status)
    assert faults(window) == []


def faults(window: Eyes) -> list[str]:
    """What is wrong with the page in this window."""
    found = _order(window.page)
    window.page.evaluate(AXE)  # a script tag would be stopped by the policy
    found += [f"wide: {one}" for one in window.page.evaluate(LOOK, [RULES, False])]
    found += [f"no focus ring: {one}" for one in window.page.evaluate(FOCUS)]
    window.page.emulate_media(color_scheme="dark")
    found += [f"dark: {one}" for one in window.page.evaluate(LOOK, [RULES, True])]
    window.page.set_viewport_size({"width": 390, "height": 844})
    found += [f"narrow, dark: {one}" for one in window.page.evaluate(LOOK, [RULES, True])]
    window.page.emulate_media(color_scheme="light")
    found += [f"narrow: {one}" for one in window.page.evaluate(LOOK, [RULES, False])]
    for width in (390, 320):
        window.page.set_viewport_size({"width": width, "height": 844})
        found += [f"wider than {width} px: {one}" for one in window.page.evaluate(WIDE)]
    return found


def _order(page: Any) -> list[str]:
    """One first heading, a title, and a focus that begins in the content or a first Tab stop that leads there."""
    found = []
    if page.locator("h1").count() != 1:
        found.append(f"{page.locator('h1').count()} first headings")
    if not page.title().strip(" ·"):
        found.append("no title")
    if page.evaluate("document.activeElement.matches('#main [autofocus]')"):
        return found
    page.keyboard.press("Tab")
    if page.evaluate("document.activeElement.getAttribute('href')") == "#main":
        page.keyboard.press("Enter")
    if page.evaluate("document.activeElement.id") != "main":
        found.append("the first Tab stop does not lead to the content")
    return found


SPOIL = {
    "image-alt": "const i = new Image(); i.src = '/static/mark.svg'; m.append(i)",
    "color-contrast": "m.querySelector('h1').style.color = '#c8c8c8'",
    "no focus ring": "m.querySelector('a').style.outline = 'none'",
    "wider than 390": "const d = document.createElement('hr'); d.style.width = '600px'; m.append(d)",
    "2 first headings": "m.append(m.querySelector('h1').cloneNode(true))",
    "does not lead to the content": "document.querySelector('.skip').remove()",
}


@pytest.mark.parametrize("fault", SPOIL)
def test_the_look_sees_a_spoiled_page(eyes: Open, fault: str) -> None:
    window = eyes()
    window.go("/p/wicket/")
    window.page.evaluate("() => { const m = document.querySelector('main'); " + SPOIL[fault] + " }")
    assert fault in " ".join(faults(window))


def test_a_script_or_style_in_the_page_is_heard(eyes: Open) -> None:
    window = eyes()
    window.go("/p/wicket/")
    window.page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = '1'; document.body.append(s);"
        " document.body.setAttribute('style', 'color: red') }"
    )
    window.page.wait_for_timeout(200)
    heard = " ".join(window.problems)
    assert "CSP script-src-elem inline" in heard
    assert "CSP style-src-attr inline" in heard
    window.problems.clear()
