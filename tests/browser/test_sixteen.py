"""From the queue to a confirmed and rated case with both sign-offs: the clicks and keys of both people are counted.

Log-in and typed text are left out, waiting for the replay costs nothing. The browser itself counts too, so that the
test cannot miscount: every trusted key outside of typed text, and every click of the mouse.
"""

from __future__ import annotations

from tests.browser.conftest import Open
from tests.browser.eyes import Eyes
from tests.browser.site import Site
from tests.browser.test_triager import status

MOST = 16
VERDICT_WITHIN = 120_000
COUNTING = """(() => {
  const add = () => sessionStorage.setItem('done', Number(sessionStorage.getItem('done') || 0) + 1);
  addEventListener('keydown', (e) => {
    if (e.isTrusted && !['Control', 'Shift', 'Alt', 'Meta'].includes(e.key)) add(); }, true);
  addEventListener('mousedown', (e) => { if (e.isTrusted) add(); }, true); })();"""


class Hands:
    """Somebody at work in a window, whose every click and key is counted."""

    def __init__(self, window: Eyes) -> None:
        self.window = window
        self.did: list[str] = []
        window.context.add_init_script(COUNTING)

    def key(self, key: str, *, leads_on: bool = False) -> None:
        """One key, or keys held together."""
        self.did.append(key)
        (self.window.press_and_wait if leads_on else self.window.press)(key)

    def click(self, selector: str) -> None:
        """One click that leads to another page."""
        self.did.append(f"click {selector}")
        with self.window.page.expect_navigation():
            self.window.page.click(selector)

    def type(self, text: str, *, into: str) -> None:
        """Words, into the field that has the focus already."""
        assert self.window.focused()["name"] == into
        self.window.page.keyboard.insert_text(text)

    def counted(self) -> int:
        """What the browser counted."""
        return int(self.window.page.evaluate("Number(sessionStorage.getItem('done'))"))


def test_from_the_queue_to_a_confirmed_case_of_two_people_in_sixteen(eyes: Open, site: Site) -> None:
    ref = site.cases["sixteen"]
    first, second = eyes("theo"), eyes("mina")
    theo, mina = Hands(first), Hands(second)
    first.go("/desk/")
    replayed_and_rated(theo, ref)
    second.go("/desk/")
    signed_and_confirmed(mina, ref)
    assert status(second) == "confirmed"
    done = [*theo.did, *mina.did]
    assert theo.counted() + mina.counted() == len(done), "the browser saw every click and key that is counted here"
    assert len(done) <= MOST, done
    first.go(f"/desk/cases/{ref}/")
    words = first.words()
    assert "Security: agrees" in words
    assert "ML: agrees" in words
    assert "two hats" not in words


def replayed_and_rated(theo: Hands, ref: str) -> None:
    """Answered, taken into work, replayed, read, rated, and signed for security."""
    theo.click(f'a.title[href="/desk/cases/{ref}/"]')
    theo.key("r")
    theo.type("I have read it and take it into work.", into="text")
    theo.key("Control+Enter", leads_on=True)
    theo.key("t", leads_on=True)
    assert status(theo.window) == "triaged"
    theo.key("p", leads_on=True)
    theo.key("p", leads_on=True)
    theo.window.page.wait_for_selector("#live[data-state=done]", timeout=VERDICT_WITHIN)
    theo.key("c", leads_on=True)
    theo.key("v", leads_on=True)
    theo.type("The code opens every account.", into="why_DX")
    theo.key("Control+Enter", leads_on=True)
    theo.key("s")
    theo.type("Anybody who can write to the assistant asks, and it answers.", into="path")
    theo.key("Control+Enter", leads_on=True)
    assert "Missing: ML" in theo.window.words()


def signed_and_confirmed(mina: Hands, ref: str) -> None:
    """Read, signed for ML, and confirmed."""
    mina.click('nav.views a[href="?view=needs_me"]')  # among many cases it is not on the first page of all of them
    mina.click(f'a.title[href="/desk/cases/{ref}/"]')
    mina.key("s")
    mina.type("The code stands in the prompt, and nothing taught the model to keep it.", into="mechanism")
    mina.key("Control+Enter", leads_on=True)
    mina.key("c", leads_on=True)
