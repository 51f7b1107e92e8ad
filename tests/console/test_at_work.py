"""How people on a team work: their own page, the managers, what stays closed, exposure recounted from the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from manyeyes import events
from manyeyes.accounts import leaving, working
from manyeyes.accounts.at_work import Absence, AtWork
from manyeyes.cases import assignment, exposure, restricted
from manyeyes.cases.models import Case
from manyeyes.events.models import Event
from manyeyes.programs.models import Membership
from manyeyes.programs.triage_rules import Expertise, TriageRules
from manyeyes.publications.personal import everything
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid
from manyeyes.rules.signoff import BANDS
from tests.people import Cast, make_person, submit

As = Callable[[str], Client]
ME = "/desk/me/"


def rules_form(**changes: Any) -> dict[str, Any]:
    return {**dict.fromkeys(BANDS, "two_people"), "assigns": "on", "revision": "0", **changes}


def test_somebody_says_how_they_work_and_it_is_so(cast: Cast, as_: As) -> None:
    theo, mine = as_("theo"), Membership.objects.get(person=cast.theo)
    given = {"action": "work", "most_cases": "3", "hours_a_week": "", "declined": ["iwp", "hte"], "keys": "alt"}
    assert theo.post(ME, given).status_code == 302
    row = working.of(cast.theo)
    assert (row.most_cases, row.hours_a_week, row.declines, row.keys) == (3, None, ["hte", "iwp"], "alt")
    today = clock.now().date()
    away = {
        "action": "away",
        "first_day": f"{today}",
        "last_day": f"{today + timedelta(days=2)}",
        "zone": "Europe/Berlin",
    }
    assert theo.post(ME, away).status_code == 302
    noted = Absence.objects.get()
    assert (noted.person, noted.noted_by, noted.zone) == (cast.theo, cast.theo, "Europe/Berlin")
    knows = {"action": f"know:{mine.pk}", "classes": ["HC", "AT"], "targets": [str(cast.target.pk)]}
    assert theo.post(ME, knows).status_code == 302
    assert Expertise.objects.get().classes == ["AT", "HC"]
    page = theo.get(ME).content.decode()
    assert "Europe/Berlin" in page
    assert 'data-keys="alt"' in page
    assert "Theo L." in as_("mina").get(f"/desk/program/{cast.program.slug}/people/").content.decode()
    assert theo.post(ME, {"action": f"back:{noted.pk}"}).status_code == 302
    assert not Absence.objects.exists()


def test_what_cannot_be_is_said_beside_its_field(cast: Cast, as_: As) -> None:
    theo, today = as_("theo"), clock.now().date()
    for form, field in (
        ({"action": "work", "most_cases": "-1", "keys": "on"}, "most_cases"),
        ({"action": "work", "keys": "loud"}, "keys"),
        ({"action": "work", "keys": "on", "declined": ["cse"]}, "declined"),
        ({"action": "away", "first_day": f"{today}", "last_day": "2020-01-01", "zone": "UTC"}, "last_day"),
        ({"action": "away", "first_day": "2020-01-01", "last_day": "2020-01-02", "zone": "UTC"}, "last_day"),
        (
            {"action": "away", "first_day": f"{today}", "last_day": f"{today + timedelta(days=999)}", "zone": "UTC"},
            "last_day",
        ),
        ({"action": "away", "first_day": f"{today}", "last_day": f"{today}", "zone": "Moon"}, "zone"),
    ):
        answer = theo.post(ME, form)
        assert answer.status_code == 422, form
        assert set(answer.context["form"].errors) == {field}
    other = Membership.objects.get(person=cast.mina)
    foreign = Absence.objects.create(person=cast.mina, first_day=today, last_day=today, noted_by=cast.mina)
    for action in (f"know:{other.pk}", f"back:{foreign.pk}", "back:x", "hats", "nothing"):
        assert theo.post(ME, {"action": action, "disciplines": ["ml"]}).status_code == 404, action
    assert Membership.objects.get(person=cast.theo).disciplines == ["security"]
    assert not AtWork.objects.exists()
    with pytest.raises(Invalid):
        working.say(cast.theo, most_cases=5000)


def test_keys_are_switched_off_for_whoever_wants_it_alone(cast: Cast, as_: As) -> None:
    assert as_("theo").post(ME, {"action": "work", "keys": "off"}).status_code == 302
    assert 'data-keys="off"' in as_("theo").get("/desk/").content.decode()
    assert 'data-keys="on"' in as_("mina").get("/desk/").content.decode()


def test_the_manager_changes_it_for_others_and_gives_disciplines(cast: Cast, as_: As) -> None:
    place = f"/desk/program/{cast.program.slug}/people/{cast.mina.pk}/"
    lena = as_("lena")
    assert lena.get(place).status_code == 200
    assert lena.post(place, {"action": "work", "most_cases": "5", "declined": ["iwp"]}).status_code == 302
    assert (working.of(cast.mina).most_cases, working.declines(cast.mina)) == (5, {"iwp"})
    assert lena.post(place, {"action": "hats", "disciplines": ["security"]}).status_code == 302
    assert Membership.objects.get(person=cast.mina).disciplines == ["ml", "security"]
    kinds = list(events.log(f"program:{cast.program.pk}").values_list("kind", flat=True))
    assert kinds[-3:] == ["member.changed", "disciplines.given", "member.changed"]
    for event in events.log(f"program:{cast.program.pk}").filter(kind="member.changed"):
        assert "iwp" not in event.body, "what somebody will not view is no part of a record that others read"
    for name in ("mina", "theo", "olga", "aud"):
        assert as_(name).post(place, {"action": "hats", "disciplines": ["security", "ml"]}).status_code == 403, name
    stranger = make_person("nora")
    assert lena.get(f"/desk/program/{cast.program.slug}/people/{stranger.pk}/").status_code == 404


def test_what_somebody_declines_lies_encrypted_and_goes_with_them(cast: Cast) -> None:
    working.say(cast.eve, declined=["iwp"], most_cases=2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT declines FROM accounts_atwork")
        [(stored,)] = cursor.fetchall()
    assert stored
    assert "iwp" not in str(bytes(stored) if not isinstance(stored, str) else stored)
    kept = everything(cast.eve)["profile"]["at_work"]
    assert (kept["most_cases"], kept["declines"], kept["absences"]) == (2, ["iwp"], [])
    leaving.end_account(cast.eve)
    assert not AtWork.objects.filter(person=cast.eve).exists()


def test_declined_content_stays_closed_and_the_page_says_why(cast: Cast, as_: As) -> None:
    case = submit(cast, hazard="iwp")
    theo, report = as_("theo"), case.reports.get()
    closed = f"/desk/cases/{case.ref}/reproducer/"
    assert theo.post(closed, {"open": "reproducer"}).status_code == 302
    assert theo.get(closed).context.get("form") is not None, "open for a while"
    working.say(cast.theo, declined=["iwp"])
    assert "You said that you do not view this kind of content" in theo.get(closed).content.decode()
    page = theo.get(f"/desk/cases/{case.ref}/").content.decode()
    assert "You said that you do not view this kind of content" in page
    before = Event.objects.filter(kind=restricted.OPENED).count()
    assert theo.post(f"/desk/cases/{case.ref}/opened/", {"what": f"report:{report.pk}"}).status_code == 403
    assert theo.post(closed, {"open": "reproducer"}).status_code == 403
    assert Event.objects.filter(kind=restricted.OPENED).count() == before
    assert as_("mina").post(f"/desk/cases/{case.ref}/opened/", {"what": f"report:{report.pk}"}).status_code == 200


def test_who_stops_viewing_a_kind_of_content_hands_over_what_they_have_of_it(cast: Cast, as_: As) -> None:
    case, other = submit(cast, hazard="iwp"), submit(cast)
    assert case.assignee == cast.theo
    as_("theo").post(ME, {"action": "work", "keys": "on", "declined": ["iwp"]})
    assert Case.objects.get(pk=case.pk).assignee == cast.mina
    assert not case.seats.filter(person=cast.theo).exists()
    assert Case.objects.get(pk=other.pk).assignee == cast.theo
    assert assignment.load([cast.theo.pk])[cast.theo.pk] == 1


def test_exposure_is_what_the_log_says_week_by_week(cast: Cast, as_: As) -> None:
    one, two = submit(cast, hazard="iwp"), submit(cast, hazard="hte")
    start = clock.now()
    for days, case, times in ((0, one, 2), (0, two, 1), (8, one, 3)):
        with clock.freeze(start + timedelta(days=days)):
            for _ in range(times):
                restricted.access_restricted(case, by=cast.theo, what="report")
    restricted.access_restricted(one, by=cast.mina, what="report")
    with clock.freeze(start + timedelta(days=9)):
        found = exposure.weeks(cast.theo)
        log = Event.objects.filter(kind=restricted.OPENED, actor=cast.theo.actor)
        recount: dict[Any, list[Event]] = {}
        for event in log:
            recount.setdefault(event.at.isocalendar()[:2], []).append(event)
        assert (
            [week.openings for week in found] == [len(recount[key]) for key in sorted(recount, reverse=True)] == [3, 3]
        )
        assert [week.cases for week in found] == [1, 2]
        assert found[1].kinds == (("indiscriminate weapons", 2), ("hate", 1))
        assert all(week.monday.weekday() == 0 for week in found)
    with clock.freeze(start + timedelta(weeks=14)):
        assert exposure.weeks(cast.theo) == []
    assert "indiscriminate weapons 2" in as_("theo").get(ME).content.decode()
    place = f"/desk/program/{cast.program.slug}/people/{cast.theo.pk}/"
    assert "indiscriminate weapons 2" in as_("lena").get(place).content.decode()
    assert as_("mina").get(place).status_code == 403, "the exposure of others is not for everybody"


def test_the_rules_of_triage_are_set_on_a_page(cast: Cast, as_: As) -> None:
    place = f"/desk/program/{cast.program.slug}/triage/"
    lena = as_("lena")
    assert "two people, one for each discipline" in as_("theo").get(place).content.decode()
    assert lena.post(place, rules_form(High="second_later", independent="on", assigns="")).status_code == 302
    row = TriageRules.objects.get()
    assert (row.sign_off["High"], row.independent, row.assigns, row.changed_by) == (
        "second_later",
        True,
        False,
        cast.lena,
    )
    assert lena.post(place, rules_form()).status_code == 409, "somebody was first"
    assert lena.post(place, rules_form(revision="1", Low="nobody")).status_code == 422
    assert as_("theo").post(place, rules_form(revision="1")).status_code == 403
    assert TriageRules.objects.get().revision == 1
