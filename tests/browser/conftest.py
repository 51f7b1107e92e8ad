"""Debian's Chromium on the real site. Everything here ends with the package: Playwright keeps a loop running."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.eyes import Eyes
from tests.browser.site import Site, running

playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
Open = Callable[..., Eyes]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.process)


@pytest.fixture(scope="package")
def chromium() -> Iterator[object]:
    """The browser, started once."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(chromium: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site, started once; the browser comes first, so that its absence costs nothing."""
    with running(tmp_path_factory.mktemp("site")) as up:
        yield up


@pytest.fixture
def eyes(chromium: object, site: Site) -> Iterator[Open]:
    """Opens a window as somebody; at the end no window may have seen an error, a violation or a foreign address."""
    opened: list[Eyes] = []

    def look(as_: str = "nobody", **options: object) -> Eyes:
        one = Eyes(chromium, site, as_, **options)
        opened.append(one)
        return one

    yield look
    problems = [problem for one in opened for problem in one.close()]
    assert problems == []
