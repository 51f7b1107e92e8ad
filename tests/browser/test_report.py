"""The report of the command line in a real browser: axe by day and night, wide and narrow, and nothing asked for."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from manyeyes.commands.report import write_report
from tests.browser.test_pages import LOOK, RULES, WIDE
from tests.commands.runs_on_record import finished

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RUNS: dict[str, tuple[str, float, dict[str, Any]]] = {
    "reproduced": ("reproduce", 0.5, {}),
    "not_reproduced": ("reproduce", 0.0, {}),
    "holds": ("verify", 0.0, {"tau": 0.05, "before": (14, 30)}),
    "fails": ("verify", 0.5, {"tau": 0.05}),
    "scored": ("score", 0.5, {}),
    "mapped": ("map", 0.5, {}),
    "compared": ("compare", 0.9, {}),
    "swept": ("sweep", 0.6, {}),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_report_can_be_read_by_everybody(chromium: Any, tmp_path: Path, name: str) -> None:
    question, share, options = RUNS[name]
    file = tmp_path / f"{name}.html"
    write_report(finished(tmp_path / "run", question, share, **options), file)
    found: list[str] = []
    for colours in ("light", "dark"):
        for width in (1280, 390):
            found += [f"{colours} {width}: {one}" for one in _faults(chromium, file, colours, width)]
    assert found == []


def _faults(chromium: Any, file: Path, colours: str, width: int) -> list[str]:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=colours, bypass_csp=True)
    page = context.new_page()
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text))
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else found.append(asked.url))
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate(AXE)
    found += page.evaluate(LOOK, [RULES, False])
    found += page.evaluate(WIDE)
    context.close()
    return found
