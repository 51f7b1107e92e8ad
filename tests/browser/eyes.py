"""One person's browser window: moves by keyboard, and remembers everything that went wrong on the way."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.browser.site import Site

TELL_VIOLATIONS = """document.addEventListener('securitypolicyviolation', (event) =>
  console.error('CSP ' + event.violatedDirective + ' ' + event.blockedURI));"""
# What has the focus, as a person would say it: its label, else its words.
FOCUSED = """() => { const e = document.activeElement; if (!e || e === document.body) return null;
  const label = e.labels && e.labels.length ? e.labels[0].innerText : '';
  return { tag: e.tagName.toLowerCase(), name: e.getAttribute('name') || '', value: e.value || '', type: e.type || '',
    href: e.getAttribute('href') || '', id: e.id,
    words: (e.getAttribute('aria-label') || label || e.innerText || '').trim().replace(/\\s+/g, ' ') }; }"""


class Eyes:
    """A window with cookies of its own. `as_` is nobody, or a person of the cast who has signed in before."""

    def __init__(self, browser: Any, site: Site, as_: str, *, width: int = 1280, script: bool = True) -> None:
        self.site = site
        self.problems: list[str] = []
        self.expected: tuple[str, ...] = ()
        self.context = browser.new_context(
            base_url=site.base,
            viewport={"width": width, "height": 900},
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        self.context.set_default_timeout(15_000)
        if as_ != "nobody":
            cookie = {"name": "manyeyes_session", "value": site.people[as_]["session"], "url": site.base}
            self.context.add_cookies([cookie])
        if script:
            self.context.add_init_script(TELL_VIOLATIONS)
        self.page = self.context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))
        self.context.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning") and not any(word in message.text for word in self.expected):
            self.problems.append(f"{self.page.url}: {message.text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.site.base, "data:", "blob:")):
            self.problems.append(f"{self.page.url} asked for {request.url}")

    def expect(self, *words: str) -> None:
        """From here on, console lines with one of these words are no surprise (a refusal that the test provokes)."""
        self.expected += words

    def go(self, path: str, status: int = 200) -> None:
        """Type an address."""
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == status, f"{path} answered {answer.status}: {self.words()[:500]}"

    def words(self) -> str:
        """Everything that can be read."""
        return str(self.page.inner_text("body"))

    @property
    def path(self) -> str:
        """Where the window is."""
        return urlsplit(self.page.url).path

    def focused(self) -> dict[str, str]:
        """What has the focus."""
        return dict(self.page.evaluate(FOCUSED) or {})

    def tab_to(self, *, limit: int = 150, **wanted: str) -> None:
        """Press Tab until the thing with these properties has the focus (words: how they begin)."""
        for _ in range(limit):
            self.page.keyboard.press("Tab")
            here = self.focused()
            if here and all(here[name].startswith(value) for name, value in wanted.items()):
                return
        raise AssertionError(f"{limit} times Tab on {self.path} did not reach {wanted}")

    def fill(self, name: str, text: str, *, paste: bool = False) -> None:
        """Go to a field and type."""
        self.tab_to(name=name)
        if paste:
            self.page.keyboard.insert_text(text)
        else:
            self.page.keyboard.type(text)

    def press(self, key: str) -> None:
        """One key, where the focus is."""
        self.page.keyboard.press(key)

    def press_and_wait(self, key: str) -> None:
        """One key that leads to another page (or the same one anew)."""
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def close(self) -> list[str]:
        """Shut the window; what went wrong in it."""
        self.context.close()
        return self.problems
