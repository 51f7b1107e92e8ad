"""Hazardous content: no page holds a byte of it until it is opened, and each opening is on record with who and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from manyeyes import events
from manyeyes.cases import attachments, intake, restricted, verification
from manyeyes.cases.clocks import clocks
from manyeyes.cases.intake import Brought
from manyeyes.cases.models import Case
from manyeyes.events.models import Delivery
from manyeyes.programs.models import Permit
from tests.console.test_pages import addresses
from tests.people import REPRODUCER, STEPS, Cast, make_case, make_report

As = Callable[[str], Client]
MARK = "quokka-7391"
TEXTS: dict[str, Any] = {
    **{name: f"{MARK} {name}" for name in ("happened", "expected", "steps", "impact")},
    "conversation": f"user: {MARK} conversation", "answers": {"leaked": f"{MARK} answer"},
    "seen": {"surface": f"{MARK} surface"}, "success_text": f"{MARK} rule", "hazard": "iwp",
    "reproducer": REPRODUCER.replace(STEPS, f"{MARK} wording"),
}  # fmt: skip


def hazardous(cast: Cast, at: str = "agreed") -> Case:
    """A case on a rung, its marker in every text and file of the researcher's, and in what was measured."""
    Permit.objects.update(hazard_classes=["iwp"])
    case = make_case(cast, at=at, **TEXTS)
    attachments.attach(case, by=cast.rhea, chunks=[f"{MARK} later".encode()], name=f"{MARK}-later.txt")
    case.refresh_from_db()
    return case


def opened(case: Case) -> list[tuple[str, str]]:
    """(what, actor) of every opening on record."""
    return [(row.data["what"], row.actor) for row in events.log(case.subject).filter(kind=restricted.OPENED)]


def test_no_page_holds_a_byte_of_it_before_it_is_opened(cast: Cast, as_: As) -> None:
    case = hazardous(cast)
    more = [f"/desk/cases/{case.ref}/{part}/" for part in ("opened", "respond", "appeal", "hold")]
    for link in case.reproductions.all():
        more += [f"/desk/replays/{link.replay_id}/{part}" for part in ("result.json", "longer/", "folder/", "manual/")]
    for who in ("theo", "mina", "olga", "lena", "pia", "aud", "ada"):
        for address in ["/desk/", f"/desk/files/{case.attachments.get().pk}/", *more, *addresses(case)]:
            page = as_(who).get(address, follow=True)
            assert page.status_code in (200, 403, 404, 405, 409), (who, address)
            assert MARK.encode() not in page.content, (who, address)
    assert opened(case) == []


@pytest.mark.parametrize("what", ["report", "reproducer"])
def test_opening_shows_it_and_says_who_and_when(cast: Cast, as_: As, what: str) -> None:
    case, theo = hazardous(cast, at="new"), as_("theo")
    row = (case.reports if what == "report" else case.reproducers).get()
    page = theo.post(f"/desk/cases/{case.ref}/opened/", {"what": f"{what}:{row.pk}"})
    words = ("happened", "expected", "steps", "impact", "answer", "surface") if what == "report" else ("wording",)
    assert page.status_code == 200
    for word in words:
        assert f"{MARK} {word}" in page.content.decode(), word
    assert page.headers["Cache-Control"] == "no-store"
    assert opened(case) == [(what, cast.theo.actor)]
    theo.post(f"/desk/cases/{case.ref}/opened/", {"what": f"{what}:{row.pk}"})
    assert len(opened(case)) == 2, "each opening counts"
    assert MARK.encode() not in theo.get(f"/desk/cases/{case.ref}/").content, "the case page stays closed"


def test_a_file_is_handed_out_by_a_form_alone_and_each_time_on_record(cast: Cast, as_: As) -> None:
    report = make_report(cast, hazard="iwp")
    case = intake.submit(
        cast.program, report, by=cast.rhea, files=[Brought(name=f"{MARK}.txt", chunks=[MARK.encode()])]
    ).case
    theo, file = as_("theo"), case.attachments.get()
    closed = theo.get(f"/desk/files/{file.pk}/")
    assert MARK.encode() not in closed.content
    for times in (1, 2):
        answer = theo.post(f"/desk/files/{file.pk}/", {"open": "file"})
        assert b"".join(answer.streaming_content) == MARK.encode()  # type: ignore[attr-defined]
        assert opened(case) == [("file", cast.theo.actor)] * times


def test_a_page_of_many_parts_stays_open_to_whoever_opened_it(
    cast: Cast, as_: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, theo = hazardous(cast, at="reproduced"), as_("theo")
    address = f"/desk/replays/{case.reproductions.get().replay_id}/"
    page = theo.post(address, {"open": "replay"}, follow=True)
    assert "What it looked like" in page.content.decode()
    assert theo.get(f"{address}calls/main/0/").status_code == 200
    assert "Transcript" in theo.get(f"{address}calls/main/0/").content.decode()
    assert opened(case) == [("replay", cast.theo.actor)]
    assert "Transcript" not in as_("mina").get(f"{address}calls/main/0/").content.decode(), "open to theo alone"
    monkeypatch.setattr("manyeyes.console.closed.time.time", lambda: 4_000_000_000.0)
    assert "Transcript" not in theo.get(f"{address}calls/main/0/").content.decode(), "and for a while"


def test_plans_and_the_reproducer_work_once_opened(cast: Cast, as_: As) -> None:
    case, theo = hazardous(cast, at="triaged"), as_("theo")
    for part, what in (("replay/", "plan"), ("reproducer/", "reproducer")):
        address = f"/desk/cases/{case.ref}/{part}"
        assert f"{MARK} wording" in theo.post(address, {"open": what}, follow=True).content.decode()
    assert [what for what, _ in opened(case)] == ["plan", "reproducer"]


@pytest.mark.parametrize("who", ["pia", "aud", "ada"])
def test_whoever_lacks_the_right_opens_nothing(cast: Cast, as_: As, who: str) -> None:
    case, browser = hazardous(cast), as_(who)
    row, file, link = case.reports.get(), case.attachments.first(), case.reproductions.first()
    assert file is not None
    assert link is not None
    for address, form in (
        (f"/desk/cases/{case.ref}/opened/", {"what": f"report:{row.pk}"}),
        (f"/desk/files/{file.pk}/", {"open": "file"}),
        (f"/desk/replays/{link.replay_id}/", {"open": "replay"}),
    ):
        answer = browser.post(address, form)
        assert answer.status_code == 403, address
        assert MARK.encode() not in answer.content
    assert opened(case) == []


@pytest.mark.parametrize(("who", "sees"), [("lena", True), ("aud", True), ("ada", True), ("theo", False)])
def test_the_manager_sees_who_opened_it(cast: Cast, as_: As, who: str, sees: bool) -> None:
    case = hazardous(cast, at="new")
    restricted.access_restricted(case, by=cast.mina, what="report", item=case.reports.get().pk)
    page = as_(who).get(f"/desk/cases/{case.ref}/").content.decode()
    assert ("Who opened it" in page) is sees
    assert ("<b>Mina A.</b> the report" in page) is sees
    assert restricted.OPENED not in as_("rhea").get(f"/my/{case.ref}/").content.decode()


def test_an_opening_tells_nobody_and_stops_no_clock(cast: Cast) -> None:
    case = hazardous(cast, at="new")
    running, mails = [(one.name, one.done_at) for one in clocks(case)], Delivery.objects.count()
    restricted.access_restricted(case, by=cast.theo, what="report", item=case.reports.get().pk)
    assert [(one.name, one.done_at) for one in clocks(case)] == running
    assert Delivery.objects.count() == mails


def test_a_reproducer_that_declares_a_hazard_closes_the_case(cast: Cast, as_: As) -> None:
    case = make_case(cast, steps=f"{MARK} steps")
    intake.attach_reproducer(case, by=cast.theo, text=f"{REPRODUCER.rstrip()}\nhazard: iwp\n")
    case.refresh_from_db()
    assert case.hazard == "iwp"
    assert MARK.encode() not in as_("theo").get(f"/desk/cases/{case.ref}/").content
    verdictless = make_case(cast, steps=f"{MARK} steps")
    assert MARK.encode() in as_("theo").get(f"/desk/cases/{verdictless.ref}/").content, "nothing else is closed"


def test_a_triager_closes_a_case_and_the_manager_opens_it_again(cast: Cast, as_: As) -> None:
    case, where = make_case(cast, steps=f"{MARK} steps"), "/desk/cases/{}/fact/"
    address = f"/desk/cases/{case.ref}/"
    assert MARK.encode() in as_("theo").get(address).content
    as_("theo").post(where.format(case.ref), {"what": "hazard", "hazard": "iwp"})
    assert MARK.encode() not in as_("mina").get(address).content
    for who, hazard, status in (("theo", "", 403), ("aud", "ssh", 403), ("theo", "cse", 422), ("theo", "?", 422)):
        assert as_(who).post(where.format(case.ref), {"what": "hazard", "hazard": hazard}).status_code == status
    assert MARK.encode() not in as_("mina").get(address).content
    as_("lena").post(where.format(case.ref), {"what": "hazard", "hazard": ""})
    assert MARK.encode() in as_("mina").get(address).content
    kinds = [row.kind for row in events.log(case.subject)]
    assert kinds.count("restricted.set") == 2


def test_the_transcript_of_a_retest_is_closed_too(cast: Cast, as_: As) -> None:
    case = hazardous(cast, at="holds")
    verification.researcher_retests(case, by=cast.rhea, k=3, n=10, agrees=False, transcript=f"{MARK} retest")
    theo, row = as_("theo"), case.retests.get()
    assert MARK.encode() not in theo.get(f"/desk/cases/{case.ref}/").content
    page = theo.post(f"/desk/cases/{case.ref}/opened/", {"what": f"retest:{row.pk}"})
    assert f"{MARK} retest" in page.content.decode()


def test_nothing_of_another_case_is_opened(cast: Cast, as_: As) -> None:
    case, other = hazardous(cast, at="new"), hazardous(cast, at="new")
    for what in (f"report:{other.reports.get().pk}", "report:", "secret:1", ""):
        assert as_("theo").post(f"/desk/cases/{case.ref}/opened/", {"what": what}).status_code == 404
    assert opened(case) == opened(other) == []
