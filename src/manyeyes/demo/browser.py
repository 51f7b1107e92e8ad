"""A small browser for the demo: pages, forms and cookies over real HTTP, so that the story is played as by people."""

from __future__ import annotations

import html.parser
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar


class Lost(RuntimeError):  # noqa: N818 -- what happened to the player
    """The page was not what the player expected; the message says where and what stood there."""


@dataclass
class Form:
    """A form as it stands on a page: where it goes, what is filled in, which values its choices and buttons have."""

    action: str
    method: str = "get"
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


class _Reader(html.parser.HTMLParser):
    """Collects forms, data attributes, the heading and the words of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.data: dict[str, str] = {}
        self.words: list[str] = []
        self.links: list[tuple[str, str]] = []
        self._form: Form | None = None
        self._select = self._area = self._option = self._link = self._button = ""
        self._text: list[str] = []
        self._quiet = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.data.update({name: value for name, value in given.items() if name.startswith("data-")})
        if tag in ("script", "style", "svg"):
            self._quiet += 1
        elif tag == "form":
            self._form = Form(action=given.get("action", ""), method=given.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "a":
            self._link, self._text = given.get("href", ""), []
        elif self._form is not None:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        form, name = self._form, given.get("name", "")
        assert form is not None
        if tag == "input" and name:
            form.names.add(name)
            kind = given.get("type", "text")
            if kind in ("radio", "checkbox"):
                form.choices.setdefault(name, []).append((given.get("value", "on"), given.get("value", "on")))
                if "checked" in given:
                    form.values[name] = given.get("value", "on")
            elif kind not in ("submit", "button", "file"):
                form.values[name] = given.get("value", "")
        elif tag == "select":
            self._select = name
            form.names.add(name)
            form.choices.setdefault(name, [])
        elif tag == "option":
            self._option, self._text = given.get("value", ""), []
            if "selected" in given or self._select not in form.values:
                form.values[self._select] = self._option
        elif tag == "textarea":
            self._area, self._text = name, []
            form.names.add(name)
        elif tag == "button":
            self._button, self._text = "yes", []
            form.buttons.append((name, given.get("value", ""), ""))

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._text).split())
        if tag in ("script", "style", "svg"):
            self._quiet -= 1
        elif tag == "a" and self._link:
            self.links.append((self._link, text))
            self._link = ""
        elif self._form is not None:
            if tag == "form":
                self._form = None
            elif tag == "option":
                self._form.choices[self._select].append((self._option, text))
            elif tag == "select":
                self._select = ""
            elif tag == "textarea":
                self._form.values[self._area] = "".join(self._text).removeprefix("\n")
                self._area = ""
            elif tag == "button" and self._button:
                name, value, _ = self._form.buttons[-1]
                self._form.buttons[-1], self._button = (name, value, text), ""

    def handle_data(self, data: str) -> None:
        self._text.append(data)
        if not self._quiet and not self._area:
            self.words.append(data)


@dataclass
class Page:
    """An answer as a person sees it."""

    url: str
    status: int
    text: str
    forms: list[Form]
    data: Mapping[str, str]
    links: list[tuple[str, str]]
    words: str

    def form(self, part: str, *, having: str = "") -> Form:
        """The form whose action contains `part` (and which has the field `having`)."""
        for one in self.forms:
            if part in (one.action or self.url) and (not having or having in one.names):
                return one
        raise Lost(f"{self.url} ({self.status}) has no form for {part}: {self.words[:300]}")


class Browser:
    """One person's browser: it keeps cookies, follows redirects and sends the forms it was shown."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        )

    def get(self, path: str) -> Page:
        """Open an address of the site."""
        return self._load(urllib.request.Request(urllib.parse.urljoin(self.base, path)))  # noqa: S310 -- our own server

    def send(self, page: Page, form: Form, values: Mapping[str, str] | None = None, *, button: str = "") -> Page:
        """Fill in fields that are on the page and press a button (named by its value or its words)."""
        given = dict(form.values)
        for name, value in (values or {}).items():
            if name not in form.names:
                raise Lost(f"{page.url} has no field {name}; it has {', '.join(sorted(form.names))}")
            given[name] = self._chosen(form, name, value)
        pressed = next((one for one in form.buttons if button and button in (one[1], one[2])), None)
        if button and pressed is None:
            raise Lost(f"{page.url} has no button {button}; it has {form.buttons}")
        if pressed is not None and pressed[0]:
            given[pressed[0]] = pressed[1]
        target = urllib.parse.urljoin(page.url, form.action)
        body = urllib.parse.urlencode(given).encode()
        headers = {"Referer": page.url, "Origin": self.base.rstrip("/")}
        return self._load(urllib.request.Request(target, data=body, headers=headers))  # noqa: S310 -- our own server

    @staticmethod
    def _chosen(form: Form, name: str, value: str) -> str:
        for option, words in form.choices.get(name, ()):
            if value in (option, words):
                return option
        return value

    def _load(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=60) as answer:
                return _page(answer.geturl(), answer.status, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _page(request.full_url, error.code, error.read())


def _page(url: str, status: int, body: bytes) -> Page:
    text = body.decode("utf-8", "replace")
    reader = _Reader()
    reader.feed(text)
    words = " ".join(" ".join(reader.words).split())
    return Page(
        url=url, status=status, text=text, forms=reader.forms, data=reader.data, links=reader.links, words=words
    )
