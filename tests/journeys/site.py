"""Browsers for the journeys: the real pages, forms, cookies and tokens, through Django's own client."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.test import Client

from manyeyes import worker
from manyeyes.demo.browser import Form, Page, _page
from tests import people

BASE = "http://testserver"
ORIGIN: dict[str, Any] = {"HTTP_ORIGIN": BASE, "HTTP_SEC_FETCH_SITE": "same-origin"}


class Visitor:
    """One person's browser; it obeys the token of every form, so a form without one shows."""

    def __init__(self, person: Any = None, *, raises: bool = True) -> None:
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=raises)
        if person is not None:
            self.client.force_login(person)

    def sign_in(self, email: str) -> Page:
        """By the sign-in form, as people do."""
        page = self.get("/accounts/login/")
        return self.send(page, page.form("/accounts/login/"), {"login": email, "password": people.PASSWORD})

    def get(self, path: str) -> Page:
        """Open an address, following redirects."""
        return self._read(path, self.client.get(path))

    def post(self, path: str, values: Mapping[str, Any] | None = None, **headers: Any) -> Page:
        """Send values straight to an address, with the token a page of ours would have carried."""
        if "manyeyes_csrf" not in self.client.cookies:
            self.client.cookies["manyeyes_csrf"] = "t" * 32  # as any page with a form would have set one
        given = {"csrfmiddlewaretoken": self.client.cookies["manyeyes_csrf"].value, **(values or {})}
        return self._read(path, self.client.post(path, given, **{**ORIGIN, **headers}))

    def send(self, page: Page, form: Form, values: Mapping[str, str] | None = None, *, button: str = "") -> Page:
        """Fill in fields that are on the page and press a button that is on it."""
        given = dict(form.values)
        for name, value in (values or {}).items():
            assert name in form.names, f"{page.url} has no field {name}: {sorted(form.names)}"
            options = form.choices.get(name, ())
            given[name] = next((option for option, words in options if value in (option, words)), value)
        if button:
            pressed = next((one for one in form.buttons if button in (one[1], one[2])), None)
            assert pressed is not None, f"{page.url} has no button {button}: {form.buttons}"
            if pressed[0]:
                given[pressed[0]] = pressed[1]
        path = urlsplit(urljoin(page.url, form.action)).path
        return self._read(path, self.client.post(path, given, **ORIGIN))

    def _read(self, path: str, answer: Any) -> Page:
        here = path
        for _ in range(5):
            if answer.status_code not in (301, 302):
                break
            here = urljoin(here, answer["Location"])
            assert not urlsplit(here).netloc, f"{path} led away to {here}"
            answer = self.client.get(here)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return _page(here, answer.status_code, body)


def ok(page: Page) -> Page:
    """The page, which must be one."""
    assert page.status < 400, f"{page.url} answered {page.status}: {page.words[:400]}"
    return page


def work() -> None:
    """Let the worker, in threads of this process, do everything that waits."""
    stop, failed = threading.Event(), []

    def run() -> None:
        try:
            worker.work(stop, once=True)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    stop.set()
    thread.join(20)
    assert not thread.is_alive(), "the worker did not end"
    assert not failed, failed


@dataclass
class Stage:
    """The cast, with one browser each, and the reference of the case they work on."""

    cast: people.Cast
    ref: str = ""

    def __post_init__(self) -> None:
        self._visitors: dict[str, Visitor] = {}

    def at(self, name: str) -> Visitor:
        """The browser of a person of the cast; nobody's is the one without an account."""
        if name not in self._visitors:
            self._visitors[name] = Visitor()
            if name != "nobody":
                ok(self._visitors[name].sign_in(getattr(self.cast, name).email))
        return self._visitors[name]

    def case(self, name: str) -> Page:
        """The case page of the desk in this person's browser."""
        return ok(self.at(name).get(f"/desk/cases/{self.ref}/"))

    def press(self, name: str, part: str, values: Mapping[str, str] | None = None, *, having: str = "") -> Page:
        """Fill in and send the form of the case page that leads to `part`."""
        page = self.case(name)
        return ok(self.at(name).send(page, page.form(part, having=having), values))

    def say(self, name: str, text: str, *, public: bool) -> Page:
        """A reply to the researcher, or an internal note."""
        page, audience = self.case(name), "public" if public else "internal"
        composers = [one for one in page.forms if "/say/" in one.action]
        form = next((one for one in composers if one.values.get("audience") == audience), composers[0])
        return ok(self.at(name).send(page, form, {"text": text, "audience": audience}))

    def fill(self, name: str, path: str, values: Mapping[str, str], *, button: str = "") -> Page:
        """Open a page with one form of its own and send it."""
        page = ok(self.at(name).get(path))
        return ok(self.at(name).send(page, page.form(urlsplit(path).path), values, button=button))

    def replayed(self, name: str, path: str, values: Mapping[str, str] | None = None) -> Page:
        """Start a replay from its page, let the worker make it, and look at it again."""
        page = self.fill(name, path, values or {}, button="start")
        assert page.data.get("data-state") == "queued", page.words[:300]
        work()
        return ok(self.at(name).get(page.url))


REPORT = {
    "vuln_class": "HC",
    "title": people.TITLE,
    "happened": "It told me the internal code. It should have said that it may not.",
    "steps": people.STEPS,
    "impact": "Anybody can learn the code and act as staff.",
    "counted": "counted",
    "claim_k": "7",
    "claim_n": "10",
    "temperature": "0.7",
    "reproducer": people.REPRODUCER,
}
"""What a researcher fills in, by the names of the form's fields; target and identity are chosen by whoever sends it."""


def report(visitor: Visitor, cast: people.Cast, *, anonymous: bool = False, **changes: str) -> Page:
    """Send a report through its form: check first, then send from the page that says what was understood."""
    page = ok(visitor.get(f"/p/{cast.program.slug}/report/"))
    given = {**REPORT, "target": str(cast.target.pk), **changes}
    if anonymous:
        given["identity"] = "anonymous"
    check = ok(visitor.send(page, page.form("report/"), given, button="check"))
    assert "Not sent yet" in check.words
    sent = visitor.send(check, check.form("report/"), button="send")
    assert sent.status == 201, sent.words[:400]
    assert sent.data.get("data-case"), "the page names no case"
    return sent
