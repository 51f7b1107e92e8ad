"""Plays the story through the web pages as the people of the cast: nothing here touches the database."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from manyeyes.demo import story
from manyeyes.demo.browser import Browser, Lost, Page
from manyeyes.demo.story import Player

CALL_CAP = 330
PATIENCE = 600.0
Say = Callable[[str], None]


TRIED = re.compile(r'id="arrival".*?(/desk/replays/[0-9a-f-]{36}/)', re.S)
"""Where the case page leads to the trials that were made when the report came."""


@dataclass
class Stage:
    """One line of the table: what was done, what it came to, how long it took."""

    name: str
    verdict: str
    seconds: float
    result: dict[str, Any] | None = None


@dataclass
class Show:
    """Where the story is played: the site, who may sign in with which password, what has happened so far."""

    base: str
    passwords: dict[str, str]
    assistant_url: str
    seed: int
    say: Say
    calls: int = 0
    stages: list[Stage] = field(default_factory=list)
    browsers: dict[str, Browser] = field(default_factory=dict)
    ref: str = ""
    pages: dict[str, str] = field(default_factory=dict)

    def browser(self, player: Player) -> Browser:
        """The person's own browser, signed in the first time it is used."""
        if player.key not in self.browsers:
            browser = Browser(self.base)
            page = browser.get("/accounts/login/")
            given = {"login": player.email, "password": self.passwords[player.key]}
            landed = browser.send(page, page.form("/accounts/login/"), given)
            if landed.status != 200 or "/accounts/login" in landed.url:
                raise Lost(f"{player.name} could not sign in: {landed.words[:300]}")
            self.browsers[player.key] = browser
        return self.browsers[player.key]

    def at_case(self, player: Player) -> tuple[Browser, Page]:
        """The case page in this person's browser."""
        browser = self.browser(player)
        return browser, _ok(browser.get(f"/desk/cases/{self.ref}/"))

    def did(self, name: str, verdict: str, since: float, result: dict[str, Any] | None = None) -> None:
        """Note a stage and tell the terminal."""
        self.stages.append(Stage(name=name, verdict=verdict, seconds=time.monotonic() - since, result=result))
        self.say(f"{name}: {verdict}")


def _ok(page: Page) -> Page:
    if page.status >= 400:
        raise Lost(f"{page.url} answered {page.status}: {page.words[:400]}")
    return page


def play(show: Show) -> None:
    """The whole path, from the policy to the published advisory."""
    report(show)
    answer(show)
    reproduce(show)
    judge(show)
    first_fix(show)
    second_fix(show)
    agree(show)
    publish(show)


def report(show: Show) -> None:
    """The researcher reads the policy and sends the report."""
    start = time.monotonic()
    browser = show.browser(story.RESEARCHER)
    _ok(browser.get(f"/p/{story.PROGRAM_SLUG}/"))
    page = _ok(browser.get(f"/p/{story.PROGRAM_SLUG}/report/"))
    form = page.form("report/")
    given = {**story.REPORT, "target": story.TARGET_NAME, "counted": "counted", "reproducer": story.reproducer_text()}
    given["target"] = form.choices["target"][0][0]
    check = _ok(browser.send(page, form, given, button="check"))
    done = _ok(browser.send(check, check.form("report/"), button="send"))
    show.ref = done.data.get("data-case", "")
    if not show.ref:
        raise Lost(f"no reference on the page after sending: {done.words[:300]}")
    show.pages["my_case"] = f"/my/{show.ref}/"
    show.did("Report", f"received as {show.ref}, encrypted", start)


def answer(show: Show) -> None:
    """A person answers, takes the case into work; ML asks, the researcher answers."""
    start = time.monotonic()
    speak(show, story.SECURITY_TRIAGER, story.ACKNOWLEDGEMENT)
    move(show, story.SECURITY_TRIAGER, "accept")
    move(show, story.ML_TRIAGER, "ask_researcher", {"words": story.ML_QUESTION})
    browser = show.browser(story.RESEARCHER)
    page = _ok(browser.get(f"/my/{show.ref}/"))
    _ok(browser.send(page, page.form("/say/"), {"text": story.RESEARCHER_ANSWER}))
    show.did("First answer and triage", "taken into work", start)


def speak(show: Show, player: Player, text: str, *, public: bool = True) -> None:
    """A reply to the researcher, or an internal note."""
    browser, page = show.at_case(player)
    audience = "public" if public else "internal"
    form = next((one for one in page.forms if "/say/" in one.action and one.values.get("audience") == audience), None)
    _ok(browser.send(page, form or page.form("/say/"), {"text": text, "audience": audience}))


def move(show: Show, player: Player, name: str, values: dict[str, str] | None = None) -> None:
    """A move of the table, by its button or, where words are needed, by its own page."""
    browser, page = show.at_case(player)
    if values is not None:
        page = _ok(browser.get(f"/desk/cases/{show.ref}/move/{name}/"))
    _ok(browser.send(page, page.form(f"/move/{name}/"), values))


def run(show: Show, player: Player, address: str, values: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Start a replay from its page and watch until it ends; the replay's address and its result."""
    browser = show.browser(player)
    page = _ok(browser.get(address))
    given = {**values, "max_calls": str(CALL_CAP - show.calls - len(story.RETEST_QUESTIONS)), "seed": str(show.seed)}
    page = _ok(browser.send(page, page.form(address), given, button="start"))
    watched, last = page.url, ""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        state = page.data.get("data-state", "")
        if state == "done":
            answer = browser.get(_result_address(watched))
            if answer.status != 404:  # until the case has taken up the verdict
                result = json.loads(_ok(answer).text)
                show.calls += int(result["calls"])
                return watched, result
        elif state not in ("queued", "running"):
            raise Lost(f"the replay is {state or 'nowhere'}: {page.words[:400]}")
        line = page.data.get("data-progress", "")
        if line and line != last:
            show.say(f"  {line}")
            last = line
        time.sleep(2)
        page = _ok(browser.get(watched))
    raise Lost(f"the replay did not end within {PATIENCE:.0f} s")


def _result_address(watched: str) -> str:
    return f"/desk/replays/{watched.rstrip('/').rsplit('/', 1)[1]}/result.json"


def tried_on_arrival(show: Show) -> None:
    """Wait for the platform's own try of the report, and count its calls."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        browser, page = show.at_case(story.SECURITY_TRIAGER)
        found = TRIED.search(page.text)
        answer = browser.get(_result_address(found[1])) if found else None
        if answer is not None and answer.status == 200:
            result = json.loads(answer.text)
            show.calls += int(result["calls"])
            show.say(f"  tried on arrival: {result['k']} of {result['n']}")
            return
        time.sleep(1)
    raise Lost("the report was not tried on arrival")


def reproduce(show: Show) -> None:
    """Security replays the exploit on the deployed version and looks at the first success."""
    tried_on_arrival(show)
    start = time.monotonic()
    address, result = run(show, story.SECURITY_TRIAGER, f"/desk/cases/{show.ref}/replay/", {})
    show.pages["replay"] = address
    show.did("Reproduction on v1", result["verdict"], start, result)
    browser = show.browser(story.SECURITY_TRIAGER)
    page = _ok(browser.get(address))
    _ok(browser.send(page, page.form("/control/"), button="seen"))
    speak(show, story.ML_TRIAGER, story.NOTE_AFTER_REPRODUCTION, public=False)


def judge(show: Show) -> None:
    """The rating with its reasons, and the word of both disciplines; then the finding is confirmed."""
    start = time.monotonic()
    browser = show.browser(story.SECURITY_TRIAGER)
    address = f"/desk/cases/{show.ref}/severity/"
    page = _ok(browser.get(address))
    given = {**story.RATING_LETTERS, **{f"why_{code}": why for code, why in story.RATING_REASONS.items()}}
    _ok(browser.send(page, page.form("/severity/"), given))
    for player, saw in (
        (story.SECURITY_TRIAGER, {"path": story.SECURITY_PATH, "note": story.SECURITY_NOTE}),
        (story.ML_TRIAGER, {"mechanism": story.ML_MECHANISM, "property": "prompt", "note": story.ML_NOTE}),
    ):
        own, page = show.at_case(player)
        _ok(own.send(page, page.form("/signoff/"), {"agrees": "yes", **saw}))
    _, page = show.at_case(story.SECURITY_TRIAGER)
    rating = page.data.get("data-rating", "rated")
    move(show, story.SECURITY_TRIAGER, "confirm")
    show.did("Severity, two sign-offs", rating, start)


def deploy(show: Show, version: str, kind: str, summary: str) -> None:
    """The owner records which version carries the fix."""
    browser = show.browser(story.TARGET_OWNER)
    page = _ok(browser.get(f"/desk/cases/{show.ref}/fix/"))
    _ok(browser.send(page, page.form("/fix/"), {"version": version, "kind": kind, "summary": summary}))


def verify(show: Show, name: str) -> dict[str, Any]:
    """The owner asks whether the fix holds."""
    start = time.monotonic()
    address, result = run(show, story.TARGET_OWNER, f"/desk/cases/{show.ref}/verify/", {"tau": "0.05"})
    show.pages[name] = address
    show.did(f"Verification of {name}", result["verdict"], start, result)
    return result


def first_fix(show: Show) -> None:
    """The owner ships a filter for the reported sentence; the verification exposes it."""
    browser, page = show.at_case(story.PROGRAM_MANAGER)
    owner = page.form("/assign/", having="person")
    _ok(browser.send(page, owner, {"person": story.TARGET_OWNER.name}))
    move(show, story.TARGET_OWNER, "start_fix")
    deploy(show, story.SYMPTOM_PATCH, "symptom", story.SYMPTOM_SUMMARY)
    speak(show, story.TARGET_OWNER, story.SYMPTOM_MESSAGE)
    verify(show, "v2")
    speak(show, story.SECURITY_TRIAGER, story.REFUTED_NOTE)


def second_fix(show: Show) -> None:
    """The cause is named and mended; the verification says whether it holds."""
    browser, page = show.at_case(story.ML_TRIAGER)
    cause = {"category": story.ROOT_CAUSE_CATEGORY, "text": story.ROOT_CAUSE}
    _ok(browser.send(page, page.form("/cause/"), cause))
    deploy(show, story.ROOT_FIX, "cause", story.ROOT_SUMMARY)
    speak(show, story.TARGET_OWNER, story.ROOT_MESSAGE)
    verify(show, "v3")


def ask(show: Show, question: str, index: int) -> str:
    """What anybody can do: put a question to the assistant as it is deployed now."""
    body = {
        "model": story.ROOT_FIX, "messages": [{"role": "user", "content": question}],
        "temperature": 0.7, "max_tokens": 28, "seed": show.seed * 1000 + index,
    }  # fmt: skip
    request = urllib.request.Request(  # noqa: S310 -- the demo's own server
        show.assistant_url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        show.calls += 1
        return str(json.load(answer)["choices"][0]["message"]["content"])


def agree(show: Show) -> None:
    """The researcher tries again, says so, and the case is resolved."""
    start = time.monotonic()
    exchanges = [(question, ask(show, question, index)) for index, question in enumerate(story.RETEST_QUESTIONS)]
    worked = sum(story.SECRET.lower() in text.lower() for _, text in exchanges)
    browser = show.browser(story.RESEARCHER)
    page = _ok(browser.get(f"/my/{show.ref}/retest/"))
    given = {
        "claim_k": str(worked), "claim_n": str(len(exchanges)), "transcript": story.retest_transcript(exchanges),
    }  # fmt: skip
    _ok(browser.send(page, page.form("/retest/"), given))
    move(show, story.SECURITY_TRIAGER, "resolve")
    show.did("Researcher's own retest", f"{worked} of {len(exchanges)}; resolved by both sides", start)


def publish(show: Show) -> None:
    """Credit as the researcher chose, then the advisory."""
    start = time.monotonic()
    browser = show.browser(story.RESEARCHER)
    page = _ok(browser.get(f"/my/{show.ref}/credit/"))
    _ok(browser.send(page, page.form("/credit/"), {"mode": story.CREDIT_MODE}))
    manager = show.browser(story.PROGRAM_MANAGER)
    page = _ok(manager.get(f"/desk/cases/{show.ref}/advisory/"))
    given = {
        "title": story.ADVISORY_TITLE, "summary": story.ADVISORY_SUMMARY,
        "details": story.ADVISORY_DETAILS, "advice": story.ADVISORY_ADVICE,
    }  # fmt: skip
    done = _ok(manager.send(page, page.form("/advisory/"), given, button="publish"))
    if "/advisories/" not in done.url:
        raise Lost(f"the advisory was not published: {done.words[:300]}")
    show.pages["advisory"] = done.url
    show.did("Credit and advisory", "published", start)
