"""A triager puts cases together by keys: into a family from the queue, and closed as a duplicate from the case."""

from __future__ import annotations

from tests.browser.conftest import Open
from tests.browser.site import Site


def test_from_a_case_to_its_family_and_back_by_keys(eyes: Open, site: Site) -> None:
    theo = eyes("theo")
    theo.go(f"/desk/cases/{site.cases['kin_lead']}/")
    theo.press_and_wait("f")
    assert theo.path == f"/desk/families/{site.pages['family']}/"
    for said in ("Codes out of the calendar", "Calendar text reaches the prompt", "Both come through the calendar",
                 "within 7 days of the first: named"):  # fmt: skip
        assert said in theo.words(), said
    theo.press("j")
    theo.press_and_wait("Enter")
    assert theo.path == f"/desk/cases/{site.cases['kin_lead']}/"


def test_a_duplicate_takes_a_key_a_number_and_a_confirmation(eyes: Open, site: Site) -> None:
    theo, ref = eyes("theo"), site.cases["kin_new"]
    theo.go(f"/desk/cases/{ref}/")
    theo.press_and_wait("d")
    assert theo.path == f"/desk/cases/{ref}/same/duplicate/"
    theo.page.fill("#id_of", site.cases["kin_lead"])
    theo.press_and_wait("Enter")
    assert "same flaw as an earlier report" in theo.words()
    assert "you may appeal once" in theo.words()
    theo.press_and_wait("Control+Enter")
    assert theo.path == f"/desk/cases/{ref}/"
    assert theo.page.get_attribute("[data-status]", "data-status") == "closed"
    assert site.cases["kin_lead"] in theo.words()
