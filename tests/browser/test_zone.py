"""The time zone of the browser is offered first, and chosen only by its reader."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.site import Site

pytestmark = pytest.mark.browser
FIRST = """() => { const first = document.querySelector('#id_zone optgroup');
  return first.label + ': ' + first.querySelector('option').value; }"""


@pytest.mark.parametrize(
    ("zone", "first"), [("Europe/Berlin", "As this browser says: Europe/Berlin"), ("UTC", "Africa: Africa/Abidjan")]
)
def test_the_browsers_zone_is_offered_first(chromium: Any, site: Site, zone: str, first: str) -> None:
    window = chromium.new_context(base_url=site.base, timezone_id=zone, viewport={"width": 390, "height": 844})
    cookie = {"name": "manyeyes_session", "value": site.people["rhea"]["session"], "url": site.base}
    window.add_cookies([cookie])
    page = window.new_page()
    page.goto("/my/settings/profile/")
    assert page.evaluate(FIRST) == first
    assert page.input_value("#id_zone") == "", "nothing is chosen for anybody"
    if zone != "UTC":
        page.select_option("#id_zone", zone)
        page.get_by_role("button", name="Save profile").click()
        page.goto("/my/settings/profile/")
        assert page.input_value("#id_zone") == zone
        page.select_option("#id_zone", "")
        page.get_by_role("button", name="Save profile").click()
    window.close()
