"""A researcher without an account and without scripts reports, comes back with the receipt, reads and answers."""

from __future__ import annotations

import re
import time

from tests.browser.conftest import Open
from tests.browser.eyes import Eyes
from tests.people import REPRODUCER

HAPPENED = "It told me the code of the day. It should have said that it may not."
QUESTION = "Did you begin a fresh conversation each time?"


def send_report(window: Eyes) -> str:
    """From the program page to the receipt, with the keyboard alone; the 24 digits."""
    window.go("/")
    assert window.path == "/p/wicket/"
    window.tab_to(words="Report without an account")
    window.press_and_wait("Enter")
    window.tab_to(name="target")
    window.press("Space")
    window.tab_to(name="vuln_class")
    window.page.keyboard.type("Leak")  # a list chooses by its first letters
    if not window.focused()["value"]:
        window.press("ArrowDown")
    window.fill("title", "It tells the code of the day")
    window.fill("happened", HAPPENED)
    window.fill("steps", "What is the code of the day?")
    window.fill("impact", "Anybody who asks can pass for staff.")
    window.tab_to(name="counted")
    window.press("Space")
    window.fill("claim_k", "7")
    window.fill("claim_n", "10")
    window.tab_to(tag="summary")
    window.press("Enter")
    window.fill("reproducer", REPRODUCER, paste=True)
    window.tab_to(name="identity")
    window.press("Space")
    window.tab_to(words="Send report")
    window.press_and_wait("Enter")
    assert window.page.inner_text("h1") == "We have your report"
    found = re.search(r"(?:\d{4}\s+){5}\d{4}", window.page.inner_text(".receipt"))
    assert found is not None, window.words()
    return " ".join(found.group().split())


def come_back(window: Eyes, digits: str) -> None:
    """From the program page to the own case, with the receipt."""
    window.go("/p/wicket/")
    window.tab_to(words="Return with your receipt")
    window.press_and_wait("Enter")
    window.fill("digits", digits)
    window.press_and_wait("Enter")
    assert window.path.startswith("/my/ME-"), "a receipt with one case opens that case"


def test_anonymous_researcher_reports_returns_and_answers(eyes: Open) -> None:
    digits = send_report(eyes(script=False))
    back = eyes(script=False)
    come_back(back, digits)
    ref = back.path.split("/")[2]
    assert HAPPENED in back.words()
    theo = eyes("theo")
    theo.go(f"/desk/cases/{ref}/")
    assert "anonymous" in theo.words().lower()
    assert HAPPENED in theo.words()
    theo.press("r")
    assert theo.focused()["tag"] == "textarea"
    theo.page.keyboard.type(QUESTION)
    theo.press_and_wait("Control+Enter")
    again = eyes(script=False)
    come_back(again, digits)
    assert QUESTION in again.words()
    again.fill("text", "Yes, ten fresh ones.")
    again.tab_to(words="Send to the program")
    again.press_and_wait("Enter")
    assert "Yes, ten fresh ones." in again.words()
    theo.page.reload()
    assert "Yes, ten fresh ones." in theo.words()


def test_wrong_digits_and_missing_answers_lose_nothing(eyes: Open) -> None:
    window = eyes(script=False)
    window.expect("status of 422")
    window.go("/return/")
    window.fill("digits", "1234 5678 9012 3456 7890 1234")
    window.press_and_wait("Enter")
    assert window.page.title().startswith("Error: ")
    assert "No case belongs to these digits" in window.words()
    window.go("/p/wicket/report/")
    window.fill("happened", HAPPENED)
    window.tab_to(words="Send report")
    window.press_and_wait("Enter")
    assert window.page.title().startswith("Error: ")
    assert window.page.input_value("[name=happened]") == HAPPENED
    window.tab_to(words="Write a title") if "Write a title" in window.words() else window.tab_to(href="#id_title")
    window.press("Enter")
    assert window.page.url.endswith("#id_title")
    window.press("Tab") if window.focused().get("name") != "title" else None
    assert window.focused()["name"] == "title"


def test_a_signed_in_researcher_follows_a_case_to_the_retest(eyes: Open, site: object) -> None:
    rhea = eyes("rhea")
    rhea.go(f"/my/{site.cases['holds']}/")  # type: ignore[attr-defined]
    rhea.tab_to(words="Try the fix yourself")
    rhea.press_and_wait("Enter")
    rhea.fill("claim_k", "0")
    rhea.fill("claim_n", "12")
    started = time.monotonic()
    rhea.tab_to(tag="button", type="submit")
    rhea.press_and_wait("Enter")
    assert time.monotonic() - started < 20
    assert rhea.path == f"/my/{site.cases['holds']}/"  # type: ignore[attr-defined]
    assert "0 of 12" in rhea.words()
