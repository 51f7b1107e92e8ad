"""A case sleeps in one person's lists until a morning, and wakes by itself when it is late or something is new."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from manyeyes.cases import conversation, queue, sleeping, triage
from manyeyes.cases.models import Case
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotAllowed
from tests.people import Cast, make_case


def seen(viewer: Any, view: str = "all") -> set[str]:
    """The references in a view; the number beside it must say the same."""
    found = {case.ref for case in queue.cases(viewer, view=view)}
    assert queue.counts(viewer)[view] == len(found)
    return found


def in_days(days: int) -> Any:
    """A day from now."""
    return (clock.now() + timedelta(days=days)).date()


def asleep(cast: Cast) -> Case:
    """A triaged case that Theo let sleep for two days."""
    case = make_case(cast, at="triaged")
    sleeping.sleep(case, by=cast.theo, until=in_days(2))
    return case


def test_it_is_out_of_ones_own_lists_only(cast: Cast) -> None:
    case = asleep(cast)
    assert case.ref not in seen(cast.theo)
    assert case.ref in seen(cast.theo, "asleep")
    assert case.ref in seen(cast.mina), "for nobody else does it change"
    assert [row.ref for row in queue.cases(cast.theo, search=case.ref)] == [case.ref], "a search finds everything"
    sleeping.wake(case, by=cast.theo)
    assert case.ref in seen(cast.theo)


def test_it_wakes_in_the_morning(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    case = asleep(cast)
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert case.ref in seen(cast.theo)
    assert seen(cast.theo, "asleep") == set()


@pytest.mark.parametrize("what", ["word", "move", "late"])
def test_it_wakes_sooner_when_something_is_new(cast: Cast, what: str) -> None:
    case = asleep(cast)
    if what == "word":
        conversation.say(case, by=cast.rhea, text="It works again.", public=True)
    if what == "move":
        triage.ask_researcher(case, by=cast.mina, text="Which version?")
    if what == "late":
        Case.objects.filter(pk=case.pk).update(due_at=clock.now() - timedelta(minutes=1))
    assert case.ref in seen(cast.theo)
    assert sleeping.until(case, cast.theo) is None


def test_ones_own_acts_wake_nothing(cast: Cast) -> None:
    case = asleep(cast)
    conversation.say(case, by=cast.theo, text="I look at it on Monday.")
    triage.ask_researcher(case, by=cast.theo, text="Which version?")
    assert case.ref not in seen(cast.theo)


def test_only_a_day_ahead_and_only_who_works_on_it(cast: Cast) -> None:
    case = make_case(cast)
    for days in (-1, 0, 200):
        with pytest.raises(Invalid):
            sleeping.sleep(case, by=cast.theo, until=in_days(days))
    with pytest.raises(NotAllowed):
        sleeping.sleep(case, by=cast.rhea, until=in_days(2))


def test_the_ticked_cases_are_done_at_once(cast: Cast, settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    cases = [make_case(cast, at="acknowledged") for _ in range(3)]
    refs = [case.ref for case in cases[:2]]
    lena = Client()
    lena.force_login(cast.lena)
    assert 'name="case"' in lena.get("/desk/").content.decode()
    sent = lena.post("/desk/selected/", {"case": refs, "what": "assign", "view": "all"})
    assert (sent.status_code, sent["Location"]) == (302, "/desk/?view=all")
    assert seen(cast.lena, "mine") == set(refs)
    for wrong in (
        {"case": refs, "what": "sleep"},
        {"case": refs, "what": "sleep", "until": "never"},
        {"what": "assign"},
    ):
        assert lena.post("/desk/selected/", wrong).status_code == 422, wrong
    assert lena.post("/desk/selected/", {"case": refs, "what": "sleep", "until": in_days(2)}).status_code == 302
    assert seen(cast.lena) == {cases[2].ref}
    page = lena.get("/desk/?view=asleep").content.decode()
    assert "Wake" in page
    assert lena.post("/desk/selected/", {"case": refs[:1], "what": "wake"}).status_code == 302
    assert seen(cast.lena, "asleep") == {refs[1]}
    assert "Sleeps in your lists until" in lena.get(f"/desk/cases/{refs[1]}/").content.decode()
    rhea = Client()
    rhea.force_login(cast.rhea)
    assert rhea.post("/desk/selected/", {"case": refs, "what": "assign"}).status_code == 404
    aud = Client()
    aud.force_login(cast.aud)
    aud.post("/desk/selected/", {"case": [cases[2].ref], "what": "assign"})
    cases[2].refresh_from_db()
    assert cases[2].assignee == cast.theo, "an auditor takes no case"
