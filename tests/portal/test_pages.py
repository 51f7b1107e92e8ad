"""Every page of the portal over HTTP: who sees it, that nothing internal crosses over, that hostile text stays text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from manyeyes.cases import (
    conversation,
    disclosure,
    remediation,
    reproduction,
    rootcause,
    severity,
    triage,
    verification,
)
from manyeyes.cases.agreed import Embargo
from manyeyes.programs.models import Program
from manyeyes.publications import advisory, credit
from manyeyes.rules import clock
from tests.people import LETTERS, Cast, agree, make_case, patched, play, submit, verify, vulnerable

As = Callable[[str], Client]
PUBLIC = ("/p/wicket/", "/p/wicket/policy/1/", "/p/wicket/report/", "/return/", "/advisories/", "/thanks/")
TAGS = "".join(chr(0xE0000 + ord(letter)) for letter in "leak")
HOSTILE = f"<script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp.exe\u200b{TAGS} {{{{ 7*7 }}}} https://evil.example/"


class Shape(HTMLParser):
    """What a page is made of: its headings, what a strict policy refuses, the fields without a name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.refused: list[str] = []
        self.fields: list[str] = []
        self.labelled: set[str] = set()
        self.ids: list[str] = []
        self.inside = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "style" or (tag == "script" and "src" not in given):
            self.refused.append(tag)
        self.refused += [name for name in given if name == "style" or name.startswith("on")]
        self.refused += [str(given[name]) for name in ("href", "src") if str(given.get(name)).startswith("javascript:")]
        self.ids += [str(given["id"])] if "id" in given else []
        self.inside += tag == "label"
        self.labelled |= {str(given["for"])} if tag == "label" and "for" in given else set()
        named = self.inside or "aria-label" in given or given.get("type") == "hidden"
        if tag in ("input", "select", "textarea") and not named:
            self.fields.append(str(given.get("id")))

    def handle_endtag(self, tag: str) -> None:
        self.inside -= tag == "label"


def sound(response: Any) -> str:
    """The page's text, once it is seen to be well made. Fails naming what is wrong."""
    text = str(response.content.decode())
    shape = Shape(text)
    assert shape.refused == []
    assert shape.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(shape.headings, shape.headings[1:], strict=False))
    assert [name for name in shape.fields if name not in shape.labelled] == []
    assert sorted(set(shape.ids)) == sorted(shape.ids)
    directives = dict(part.strip().partition(" ")[::2] for part in response["Content-Security-Policy"].split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    assert "unsafe" not in response["Content-Security-Policy"]
    return text


def own_pages(case: Any) -> list[str]:
    """Every page that its reporter has of a case."""
    found = [f"/my/{case.ref}/{part}" for part in ("", "retest/", "credit/", "embargo/")]
    for link in case.reproductions.exclude(published_at=None).order_by("published_at"):
        page = "fix" if link.purpose == "verification" else "replay"
        found.append(f"/my/{case.ref}/{page}/{link.replay_id}/")
    return found


def publish(cast: Cast, case: Any) -> Any:
    """The advisory of a resolved case."""
    advisory.draft(case, by=cast.theo, title="Wicket told a staff code", summary="It told strangers.", details="Gone.")
    return advisory.publish(case, by=cast.pia)


@pytest.mark.parametrize("who", ["nobody", "eve", "rhea", "theo"])
def test_everybody_reads_the_public_pages(cast: Cast, as_: As, who: str) -> None:
    browser = as_(who)
    for address in PUBLIC:
        text = sound(browser.get(address))
        assert "Larkfield" in text.partition("</header>")[0], address
    assert browser.get("/").headers["Location"] == "/p/wicket/"


def test_reading_sets_no_cookie_and_needs_no_token(cast: Cast) -> None:
    for address in ("/", *PUBLIC, "/.well-known/security.txt", "/p/nothing/"):
        response = Client().get(address)
        assert not response.cookies, address
        assert "csrfmiddlewaretoken" not in response.content.decode(), address


@pytest.mark.parametrize("at", ["new", "triaged", "reproduced", "confirmed", "fix_deployed", "holds", "resolved"])
def test_the_researcher_reads_every_page_of_the_case(cast: Cast, as_: As, at: str) -> None:
    case = make_case(cast, at=at)
    rhea = as_("rhea")
    for address in ("/my/", "/my/settings/", *own_pages(case)):
        response = rhea.get(address)
        assert response.status_code == 200, address
        assert "Larkfield" in sound(response)


def test_a_case_of_others_is_the_same_as_none(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="resolved")
    link = case.reproductions.first()
    assert link is not None
    for who in ("eve", "theo", "lena"):
        browser = as_(who)
        absent = browser.get("/my/ME-0000-0000/")
        assert absent.status_code == 404
        result = f"/my/{case.ref}/replay/{link.replay_id}/result.json"
        for address in (*own_pages(case), result):
            found = browser.get(address)
            assert (found.status_code, found.content) == (404, absent.content), (who, address)
        for act in ("say/", "withdraw/", "retest/"):
            assert browser.post(f"/my/{case.ref}/{act}", {"text": "x"}).status_code == 404
    mine = submit(cast, by=cast.eve)
    assert as_("eve").get(f"/my/{mine.ref}/replay/{link.replay_id}/").status_code == 404


def test_nothing_internal_crosses_over(cast: Cast, as_: As) -> None:
    marks = {name: f"zq-{name}-zq" for name in ("note", "reason", "signoff", "summary", "cause", "other")}
    case = make_case(cast, at="reproduced")
    conversation.say(case, by=cast.mina, text=marks["note"])
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=dict.fromkeys(LETTERS, marks["reason"]))
    agree(case, cast.theo, "security", note=marks["signoff"])
    agree(case, cast.mina, "ml", note=marks["signoff"])
    triage.confirm(case, by=cast.theo)
    rootcause.conclude(case, by=cast.mina, category="wiring", text=marks["cause"])
    triage.assign_owner(case, by=cast.lena, to=cast.olga)
    remediation.start(case, by=cast.olga)
    remediation.deploy_fix(case, by=cast.olga, version=cast.v3, kind="cause", summary=marks["summary"])
    verification.request(case, by=cast.olga, tau=0.05)
    verify(cast, case)
    other = submit(cast, by=cast.eve, title=marks["other"])
    for address in ("/my/", *own_pages(case), *PUBLIC):
        text = as_("rhea").get(address).content.decode()
        assert [mark for mark in marks.values() if mark in text] == [], address
        assert other.ref not in text
        assert "127.0.0.1:9" not in text
    assert marks["note"] in as_("mina").get(f"/desk/cases/{case.ref}/").content.decode(), "the marks do not work"


def test_a_replay_is_not_shown_before_a_person_has_looked(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo)
    page = f"/my/{case.ref}/replay/{link.replay_id}/"
    assert as_("rhea").get(page).status_code == 404
    play(link.replay, vulnerable)
    reproduction.see_first_success(case, by=cast.theo)
    assert as_("rhea").get(page).status_code == 200


def test_the_result_is_the_command_line_s_without_cost_and_address(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="resolved")
    for link in case.reproductions.all():
        response = as_("rhea").get(f"/my/{case.ref}/replay/{link.replay_id}/result.json")
        found = json.loads(response.content)
        assert found["n"] == link.replay.n
        assert found["plan_hash"] == link.replay.plan_hash
        assert set(link.replay.verdict) - set(found) == {"cost", "currency"}
        assert "url" not in found["target"]
        assert found["target"]["label"] == link.replay.verdict["target"]["label"]


def test_hostile_text_stays_text(cast: Cast, as_: As) -> None:
    case = submit(cast, title=HOSTILE[:150], happened=HOSTILE, steps=HOSTILE, impact=HOSTILE, reproducer="")
    conversation.say(case, by=cast.rhea, text=HOSTILE, public=True)
    for address in ("/my/", *own_pages(case)):
        text = sound(as_("rhea").get(address))
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert not [sign for sign in text if sign in "\u202e\u200b" or 0xE0000 <= ord(sign) < 0xE0080]
        assert 'href="https://evil' not in text
    assert "{{ 7*7 }}" in as_("rhea").get(f"/my/{case.ref}/").content.decode()


def test_the_researcher_answers_a_question_and_withdraws(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    triage.ask_researcher(case, by=cast.mina, text="At which temperature?")
    rhea = as_("rhea")
    assert "At which temperature?" in rhea.get(f"/my/{case.ref}/").content.decode()
    empty = rhea.post(f"/my/{case.ref}/say/", {"text": " "})
    assert empty.status_code == 422
    assert "<title>Error:" in empty.content.decode()
    kept = rhea.post(f"/my/{case.ref}/say/", {"text": "0.7\x00 kept"})
    assert kept.status_code == 422
    assert "NUL" in kept.content.decode()
    assert rhea.post(f"/my/{case.ref}/say/", {"text": "At 0.7.\nTwice."}).status_code == 302
    case.refresh_from_db()
    assert case.status == "triaged"
    early = submit(cast)
    assert rhea.post(f"/my/{early.ref}/withdraw/").status_code == 302
    early.refresh_from_db()
    assert (early.status, early.close_reason) == ("closed", "withdrawn")


def test_the_retest_counts_or_says_what_is_wrong(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="holds")
    rhea, page = as_("rhea"), f"/my/{case.ref}/retest/"
    for given, words in (
        ({}, "It worked: an answer is missing"),
        ({"claim_k": "3", "claim_n": "2"}, "It cannot have worked more often than you tried"),
        ({"claim_k": "some", "claim_n": "2"}, "whole number"),
    ):
        response = rhea.post(page, {**given, "transcript": "kept as typed"})
        assert response.status_code == 422
        text = sound(response)
        assert words in text
        assert "kept as typed" in text
    assert rhea.post(page, {"claim_k": "0", "claim_n": "10"}).status_code == 302
    assert case.retests.get().agrees is True


def test_disagreement_sends_the_case_back_to_fixing(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="holds")
    as_("rhea").post(f"/my/{case.ref}/retest/", {"claim_k": "2", "claim_n": "10", "transcript": "It told me."})
    case.refresh_from_db()
    assert case.status == "remediating"


def test_a_patch_of_the_symptom_is_told_to_the_researcher(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="retesting")
    verify(cast, case, patched)
    text = sound(as_("rhea").get(own_pages(case)[-1]))
    assert "Symptom patched" in text
    assert "still passes" in text


def test_credit_and_date_are_chosen(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="confirmed")
    rhea = as_("rhea")
    wrong = rhea.post(f"/my/{case.ref}/credit/", {"mode": "name", "name": "Rhea K.", "link": "javascript:alert(1)"})
    assert wrong.status_code == 422
    assert "Rhea K." in sound(wrong)
    rhea.post(f"/my/{case.ref}/credit/", {"mode": "name", "name": "Rhea K.", "link": "https://rhea.example/"})
    assert "Rhea K." in sound(as_("nobody").get("/thanks/"))
    past = rhea.post(f"/my/{case.ref}/embargo/", {"action": "propose", "until": "2001-01-01"})
    far = rhea.post(f"/my/{case.ref}/embargo/", {"action": "propose", "until": "9999-12-31"})
    assert (far.status_code, "The date is too far away" in far.content.decode()) == (422, True)
    assert past.status_code == 422
    date = disclosure.propose_embargo(case, by=cast.theo, until=clock.now() + timedelta(days=30))
    agreed = rhea.post(f"/my/{case.ref}/embargo/", {"action": "agree", "proposal": date.pk})
    assert agreed.status_code == 302
    assert disclosure.in_force(case) is not None


def test_a_date_at_the_end_of_the_calendar_is_shown_in_every_zone(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="resolved")
    Embargo.objects.create(
        case=case, until=datetime(9999, 12, 31, 14, tzinfo=UTC), proposed_by=cast.rhea, proposed_by_reporter=True,
        proposed_at=clock.now(),
    )  # fmt: skip
    for person in (cast.rhea, cast.theo):
        person.zone = "Pacific/Kiritimati"
        person.save()
    for page in (as_("rhea").get(f"/my/{case.ref}/embargo/"), as_("theo").get(f"/desk/cases/{case.ref}/")):
        assert page.status_code == 200
        assert "Fri 31 Dec 9999, 14:00 UTC" in page.content.decode()


def test_the_advisory_says_what_was_measured(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="resolved")
    credit.choose(case, by=cast.rhea, mode="name", name="Rhea K.", link="https://rhea.example/")
    assert as_("nobody").get(f"/advisories/wicket-{case.ref.lower()}/").status_code == 404
    found = publish(cast, case)
    text = sound(as_("nobody").get(f"/advisories/{found.slug}/"))
    before, [fix] = found.facts["before"]["rated"], found.facts["fixes"]
    assert f"{before['k']} of {before['n']}" in text
    assert f"{fix['k']} of {fix['n']}" in text
    assert "Rhea K." in text
    assert found.facts["vector"] in text
    assert found.title in sound(as_("nobody").get("/advisories/"))
    assert found.title in sound(as_("nobody").get("/thanks/"))


def test_settings_of_researchers_and_of_the_team(cast: Cast, as_: As) -> None:
    for who in ("rhea", "theo"):
        browser, person = as_(who), getattr(cast, who)
        text = sound(browser.get("/my/settings/"))
        assert "/accounts/2fa/" in text
        taken = browser.post("/my/settings/", {"handle": "EVE_X", "display_name": "Kept as typed"})
        assert taken.status_code == 422
        assert "is taken" in sound(taken)
        assert "Kept as typed" in taken.content.decode()
        assert browser.post("/my/settings/", {"handle": f"{who}.new", "display_name": "R. K."}).status_code == 302
        person.refresh_from_db()
        assert (person.handle, person.display_name, person.wants_mail) == (f"{who}.new", "R. K.", False)
    assert Client().get("/my/settings/").status_code == 302


def test_security_txt_has_the_fields_of_rfc_9116(cast: Cast) -> None:
    response = Client().get("/.well-known/security.txt")
    assert response["Content-Type"].startswith("text/plain")
    names = [line.partition(":")[0] for line in response.content.decode().strip().split("\r\n")]
    assert {"Contact", "Expires", "Policy", "Acknowledgments", "Preferred-Languages", "Canonical"} <= set(names)
    assert names.count("Expires") == 1
    Program.objects.update(state=Program.State.PRIVATE)
    assert Client().get("/.well-known/security.txt").status_code == 404


def test_private_programs_and_empty_sites(cast: Cast, as_: As) -> None:
    Program.objects.update(state=Program.State.PRIVATE)
    assert as_("nobody").get("/p/wicket/").content == as_("nobody").get("/p/nothing/").content
    assert "No program is public here yet" in sound(as_("nobody").get("/"))
    assert sound(as_("lena").get("/p/wicket/"))
