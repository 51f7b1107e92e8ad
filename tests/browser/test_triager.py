"""A triager signs in and goes from the queue to the verdict, the rating and the confirmed finding: keys only."""

from __future__ import annotations

from datetime import timedelta

from manyeyes.rules import clock
from tests.browser.conftest import Open
from tests.browser.eyes import Eyes
from tests.browser.site import Site
from tests.browser.test_sign_in import sign_in

VERDICT_WITHIN = 90_000


def walk_to(window: Eyes, ref: str) -> None:
    """Down the queue, row by row, to the case; open it."""
    for _ in range(40):
        window.press("j")
        if ref in window.focused()["href"]:
            window.press_and_wait("Enter")
            return
    raise AssertionError(f"{ref} is not in the queue: {window.words()[:800]}")


def test_from_the_queue_to_a_confirmed_finding(eyes: Open, site: Site) -> None:
    theo, ref = eyes(), site.cases["new"]
    sign_in(theo, "theo", to="/desk/")
    walk_to(theo, ref)
    assert theo.path == f"/desk/cases/{ref}/"
    answer_and_accept(theo)
    replay_until_reproduced(theo)
    theo.press_and_wait("c")  # read, and it is a success
    assert "A person has read it" in theo.words()
    rate(theo)
    sign(theo)
    assert "Missing: ML" in theo.words()
    theo.press("c")  # refused: the button says what is missing and does nothing
    assert status(theo) == "triaged"
    mina = eyes("mina")
    mina.go(f"/desk/cases/{ref}/")
    sign(mina)
    theo.page.reload()
    theo.press_and_wait("c")
    assert status(theo) == "confirmed", theo.words()[:1500]


def status(window: Eyes) -> str:
    """Where the case on this page stands."""
    return str(window.page.get_attribute("[data-status]", "data-status"))


def answer_and_accept(window: Eyes) -> None:
    """The first human answer, then into work."""
    window.press("r")
    window.page.keyboard.type("I have read it and take it into work.")
    window.press_and_wait("Control+Enter")
    assert "I have read it and take it into work." in window.words()
    window.press_and_wait("t")
    assert status(window) == "triaged"


def replay_until_reproduced(window: Eyes) -> None:
    """The proposed plan, started; the page renews itself until the verdict stands there."""
    window.press_and_wait("p")
    assert window.path.endswith("/replay/")
    window.press_and_wait("p")
    assert window.path.startswith("/desk/replays/")
    window.page.wait_for_selector("#live[data-state=done]", timeout=VERDICT_WITHIN)
    assert "Reproduced" in window.words()
    assert window.page.locator("[role=img]").count() >= 2
    assert window.site.target.calls > 50


def rate(window: Eyes) -> None:
    """Letters and reasons are proposed from the kind of flaw and the measured rate; the triager puts one in words."""
    window.press_and_wait("v")
    empty = window.page.eval_on_selector_all("[name^=why_]", "all => all.filter(e => !e.value).map(e => e.name)")
    assert empty == ["why_DX"], "what raises the score waits for words of a person"
    window.page.fill("[name=why_DX]", "The code opens every account.")
    window.press_and_wait("Control+Enter")
    assert window.path.startswith("/desk/cases/"), window.words()[:1500]


def sign(window: Eyes) -> None:
    """The word of one's own discipline."""
    window.press("s")
    assert window.focused()["name"] in ("path", "mechanism")
    window.page.keyboard.type("Anybody asks for the code, and it stands in the prompt.")
    window.press_and_wait("Control+Enter")


def test_select_and_sleep_by_keys(eyes: Open, site: Site) -> None:
    lena, ref = eyes("lena"), site.cases["triaged"]
    lena.go("/desk/")
    for _ in range(40):
        lena.press("j")
        if ref in lena.focused()["href"]:
            break
    lena.press("x")
    assert lena.page.eval_on_selector_all("[name=case]:checked", "all => all.map(one => one.value)") == [ref]
    lena.press("z")
    day = (clock.now() + timedelta(days=3)).date()
    lena.page.fill("#sleep-until", f"{day}")
    lena.press_and_wait("Control+Enter")
    assert f"{ref} sleeps until" in lena.words()
    lena.go("/desk/?view=asleep")
    assert ref in lena.words()
    walk_to(lena, ref)
    assert "Sleeps in your lists until" in lena.words()
    lena.press_and_wait("z")
    assert f"{ref} is awake" in lena.words()
    walk_to(lena, ref)
    lena.press("z")
    focus = lena.page.evaluate("document.activeElement.id")
    assert focus == "sleep-until", "the key unfolds the form and leads into it"


def test_the_other_discipline_is_asked_by_a_key(eyes: Open, site: Site) -> None:
    theo = eyes("theo")
    theo.go(f"/desk/cases/{site.cases['rated']}/")
    theo.press_and_wait("m")
    assert "They are told." in theo.words()
