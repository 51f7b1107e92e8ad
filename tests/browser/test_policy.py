"""The editor of the policy in a browser: the linter reads along; without scripts a button does; keyboard alone."""

from __future__ import annotations

from tests.browser.conftest import Open

EDITOR = "/desk/program/wicket/policy/"
SUMMARY = "We reserve the right to decide at our sole discretion."


def test_the_linter_reads_along_and_stores_nothing(eyes: Open) -> None:
    window = eyes("lena")
    window.go(EDITOR)
    before = window.page.input_value("[name=summary]")
    window.tab_to(name="summary")
    window.press("Control+A")
    window.page.keyboard.insert_text("You must provide your full legal name.")
    window.page.wait_for_selector("#lint >> text=shuts out people who must stay anonymous")
    assert window.focused()["name"] == "summary", "the panel changes beside the hand that types"
    assert window.page.input_value("[name=summary]").startswith("You must")
    window.go(EDITOR)
    assert window.page.input_value("[name=summary]") == before


def test_without_scripts_a_button_looks_again(eyes: Open) -> None:
    window = eyes("lena", script=False)
    window.go(EDITOR)
    window.page.fill("[name=summary]", SUMMARY)
    window.page.click("button[value=look]")
    assert "sole discretion" in window.page.inner_text("#lint")
    assert window.page.input_value("[name=summary]") == SUMMARY


def test_a_missing_clause_is_put_in_by_keyboard(eyes: Open) -> None:
    window = eyes("lena", width=390)
    window.go(EDITOR)
    window.tab_to(value="insert:circumvention", limit=200)
    window.press_and_wait("Enter")
    assert "Where the law forbids getting around a protection" in window.page.input_value("[name=safe_harbor]")
    assert window.page.url.endswith("#id_safe_harbor")
