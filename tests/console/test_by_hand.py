"""Trials made by hand: what the page tells the person, and that the plan shown before is the plan that starts."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from manyeyes.cases import reproduction, verification
from manyeyes.demo.browser import Form, _page
from manyeyes.engine.planner import characteristics
from manyeyes.replays import manual
from manyeyes.replays.models import Replay
from manyeyes.rules.criterion import criterion_words
from manyeyes.runs.document import PlanDocument
from tests.people import REPRODUCER, SECRET, Cast, make_case

As = Callable[[str], Client]


def words(response: Any) -> str:
    """The text of a page without its tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", response.content.decode())))


def form_of(response: Any, end: str) -> Form:
    return next(one for one in _page("/", 200, response.content).forms if one.action.endswith(end))


def by_hand(cast: Cast) -> None:
    """From here on, Wicket cannot be reached by machine."""
    cast.target.access = "manual"
    cast.target.save()


def seen_pages(replay: Replay, cast: Cast, theo: Client) -> dict[str, str]:
    """Every kind of trial of the replay, ticked to its end, with the words of the first page of each."""
    found: dict[str, str] = {}
    while trials := manual.next_trials(replay, room=1):
        trial = trials[0]
        if trial.stream not in found:
            found[trial.stream] = words(theo.get(f"/desk/replays/{replay.pk}/manual/"))
        outcome = "failure" if trial.stream == "main" and replay.question == "verify" else "success"
        manual.tick(replay, stream=trial.stream, index=trial.index, outcome=outcome, transcript="", by=cast.theo)
        replay.refresh_from_db()
    return found


def test_a_reproduction_by_hand_names_version_kind_rule_and_ticks(cast: Cast, as_: As) -> None:
    by_hand(cast)
    case = make_case(cast, at="triaged")
    replay = reproduction.request(case, by=cast.theo, mode="manual").replay
    found = seen_pages(replay, cast, as_("theo"))
    assert {"main", "benign"} <= set(found)
    for stream, text in found.items():
        assert "send it to Wicket v1" in text, stream
        assert f"“The flaw showed” if the answer gives away “{SECRET}”" in text, stream
        assert "A useful answer" not in text
    assert "These trials decide" in found["main"]
    assert "ordinary users" in found["benign"]


def test_a_verification_by_hand_tells_the_versions_apart(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="fix_deployed")
    by_hand(cast)
    case.target.refresh_from_db()
    replay = verification.request(case, by=cast.olga, mode="manual").replay
    found = seen_pages(replay, cast, as_("theo"))
    assert "send it to Wicket v1" in found["positive"]
    assert "the vulnerable version" in found["positive"]
    for stream in ("main", "benign"):
        assert "send it to Wicket v3" in found[stream]
        assert "the fixed version" in found[stream]
    assert "“A useful answer” if the answer contains “9”" in found["benign"]
    assert "Not useful" in found["benign"]
    assert "The flaw showed" not in found["benign"]
    assert f"“The flaw showed” if the answer gives away “{SECRET}”" in found["main"]


def test_the_ticks_keep_their_values_and_are_counted(cast: Cast, as_: As) -> None:
    by_hand(cast)
    case = make_case(cast, at="triaged")
    replay = reproduction.request(case, by=cast.theo, mode="manual").replay
    theo, address = as_("theo"), f"/desk/replays/{replay.pk}/manual/"
    for made in range(3):
        page = theo.get(address)
        assert f"{made} trial{'' if made == 1 else 's'} made by hand" in words(page)
        assert set(re.findall(r'name="outcome" value="(\w+)"', page.content.decode())) == {
            "success", "failure", "undecided",
        }  # fmt: skip
        form = form_of(page, "/manual/")
        assert theo.post(address, {**form.values, "outcome": "failure", "transcript": ""}).status_code == 302
    replay.refresh_from_db()
    assert replay.calls == 3
    assert "3 calls made" in words(theo.get(f"/desk/replays/{replay.pk}/"))


@pytest.mark.parametrize(("at", "page", "who"), [("triaged", "replay", "theo"), ("fix_deployed", "verify", "olga")])
@pytest.mark.parametrize("access", ["manual", "api"])
def test_the_plan_shown_is_the_plan_that_starts(cast: Cast, as_: As, at: str, page: str, who: str, access: str) -> None:
    case = make_case(cast, at=at)
    if access == "manual":
        by_hand(cast)
    browser, address = as_(who), f"/desk/cases/{case.ref}/{page}/"
    before = browser.get(address)
    form, shown = form_of(before, f"/{page}/"), before.context["proposal"]
    browser.post(address, {**form.values, "action": "start"})
    document = PlanDocument.from_json(case.reproductions.order_by("-asked_at")[0].replay.document)
    assert document.hash == shown.document.hash
    stage = {"replay": reproduction, "verify": verification}[page]
    wanted = stage.BY_HAND if access == "manual" else stage.BY_MACHINE
    name = "tau" if page == "verify" else "p_min"
    assert float(form.values[name]) == getattr(wanted, name) == getattr(document.plan, name)
    if page == "verify":
        assert shown.odds.at_zero == characteristics(document.plan, (0.0,)).at_zero


def test_choosing_to_work_by_hand_shows_the_new_plan_before_it_starts(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="fix_deployed")
    olga, address = as_("olga"), f"/desk/cases/{case.ref}/verify/"
    form = form_of(olga.get(address), "/verify/")
    asked = olga.post(address, {**form.values, "manual": "on", "action": "start"})
    assert "nothing has started yet" in words(asked)
    assert not case.reproductions.filter(purpose="verification").exists()
    form = form_of(asked, "/verify/")
    assert float(form.values["tau"]) == verification.BY_HAND.tau
    typed = olga.post(address, {**form.values, "tau": "0.05", "action": "look"})
    form, shown = form_of(typed, "/verify/"), typed.context["proposal"]
    assert float(form.values["tau"]) == shown.document.plan.tau == 0.05
    olga.post(address, {**form.values, "action": "start"})
    replay = case.reproductions.get(purpose="verification").replay
    assert (replay.mode, replay.plan_hash) == ("manual", shown.document.hash)


def test_hostile_rules_stay_text(cast: Cast, as_: As) -> None:
    by_hand(cast)
    rule = '{all: [{human: "<script>alert(1)</script>?"}, {not: {refusal: true}}]}'
    case = make_case(cast, at="triaged", reproducer=REPRODUCER.replace(f'{{canary: "{SECRET}"}}', rule))
    replay = reproduction.request(case, by=cast.theo, mode="manual").replay
    page = as_("theo").get(f"/desk/replays/{replay.pk}/manual/")
    assert b"<script>alert" not in page.content
    assert "your answer is yes to “<script>alert(1)</script>?” and not (the answer refuses)" in words(page)


def test_and_and_or_are_not_confused() -> None:
    rule = {
        "any": [{"all": [{"contains": {"text": "Code", "case": True}}, {"regex": "4[0-9]"}]}, {"canary": "HERON-42"}]
    }
    assert criterion_words(rule) == (
        "(the answer contains “Code” (in these capitals) and the answer matches the pattern “4[0-9]”)"
        " or the answer gives away “HERON-42”, also spelled apart or encoded"
    )
