"""A researcher from outside is invited to a private program by mail; to everybody else it does not exist."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import get_resolver, reverse

from manyeyes import events
from manyeyes.accounts import receipts, tokens
from manyeyes.accounts.models import Person
from manyeyes.cases import intake
from manyeyes.cases.models import Case
from manyeyes.cases.personal import forget
from manyeyes.programs import guests
from manyeyes.programs.access import visible_to
from manyeyes.programs.models import Program
from manyeyes.publications.personal import everything
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import marker
from tests.people import Cast, make_cast, make_report

pytestmark = pytest.mark.django_db
INVITED = "rhea@larkfield.example"
PAGES = "/p/wicket/"


@pytest.fixture
def cast(db: None, settings: Any) -> Cast:
    """The program is private; rhea and eve are outsiders with accounts."""
    settings.MANYEYES_REQUIRE_MFA = False
    made = make_cast()
    _move(made, Program.State.PRIVATE)
    mail.outbox.clear()
    return made


def _move(cast: Cast, state: str) -> None:
    Program.objects.filter(pk=cast.program.pk).update(state=state)
    cast.program.refresh_from_db()


def signed_in(person: Person | None) -> Client:
    browser = Client()
    if person is not None:
        browser.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


def link() -> str:
    """The path in the newest mail."""
    events.deliver_due()
    found = re.search(r"https?://[^/\s]+(/invited/\S+/)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def take_part(cast: Cast, person: Person) -> guests.Guest:
    row = guests.invite(cast.program, by=cast.lena, email=person.email or "")
    guests.accept(row, by=person)
    return row


def test_from_the_programs_page_to_a_report(cast: Cast) -> None:
    lena, rhea = signed_in(cast.lena), signed_in(cast.rhea)
    assert "/desk/program/wicket/guests/" in lena.get("/desk/program/wicket/").content.decode()
    assert rhea.get(PAGES).status_code == 404
    assert lena.post("/desk/program/wicket/guests/", {"action": "invite", "email": INVITED}).status_code == 302
    path = link()
    assert mail.outbox[-1].to == [INVITED]
    written = f"{mail.outbox[-1].subject} {mail.outbox[-1].body}"
    assert not re.search("wicket|larkfield", written, re.IGNORECASE), "the mail names neither program nor organisation"
    assert INVITED in lena.get("/desk/program/wicket/guests/").content.decode()
    stranger = Client().get(path).content.decode()
    assert "Larkfield" in stranger, "who holds the link is told who asks"
    assert "Accept</button>" not in stranger
    assert Client().post(path).status_code == 200, "nothing is accepted without an account"
    assert rhea.get(PAGES).status_code == 404
    answer = rhea.post(path)
    assert (answer.status_code, answer["Location"]) == (302, PAGES)
    assert rhea.post(path).status_code == 302, "a lost answer is asked for again"
    policy = rhea.get(f"/p/wicket/policy/{cast.program.policy.number}/")
    assert policy.status_code == 200
    assert rhea.get("/p/wicket/report/").status_code == 200
    case = intake.submit(cast.program, make_report(cast), by=cast.rhea).case
    assert rhea.get(f"/my/{case.ref}/").status_code == 200
    assert "rhea_k" in lena.get("/desk/program/wicket/guests/").content.decode()
    assert rhea.get("/desk/").status_code == 404, "a guest is on no team"
    kinds = [row.kind for row in events.log(f"program:{cast.program.pk}") if row.kind.startswith("guest.")]
    assert kinds == ["guest.invited", "guest.accepted"]


def test_a_report_is_sent_through_the_form(cast: Cast) -> None:
    take_part(cast, cast.rhea)
    rhea = signed_in(cast.rhea)
    typed = {
        "target": str(cast.target.pk), "vuln_class": "EV", "title": "A code is told", "happened": "It told the code.",
        "steps": "What is the code?", "impact": "Anybody knows it.", "counted": "not_counted",
        "submission": str(uuid4()),
    }  # fmt: skip
    sent = rhea.post("/p/wicket/report/", typed)
    assert sent.status_code in (201, 302), re.findall(r'class="error[^>]*>([^<]*)', sent.content.decode())
    assert Case.objects.filter(program=cast.program, reporter=cast.rhea).exists()


def links(page: Any) -> set[str]:
    """Where a page leads to on this site; security.txt is that of public programs and may be missing."""
    return set(re.findall(r'href="(/[^"#?]*)', page.content.decode())) - {"/.well-known/security.txt"}


def program_pages() -> list[str]:
    """Every address of the portal below a program."""
    found = []
    for pattern in get_resolver().url_patterns:
        if getattr(pattern, "namespace", "") != "portal":
            continue
        for one in pattern.url_patterns:
            if set(one.pattern.regex.groupindex) == {"slug"} and str(one.pattern).startswith("p/"):
                found.append(f"portal:{one.name}")
    return sorted(found)


def statuses(cast: Cast, person: Person | None) -> dict[str, int]:
    browser = signed_in(person)
    rows = {name: browser.get(reverse(name, args=["wicket"])).status_code for name in program_pages()}
    number = cast.program.policy.number
    rows["policy"] = browser.get(f"/p/wicket/policy/{number}/").status_code
    rows["file"] = browser.get(f"/p/wicket/policy/{number}/policy.md").status_code
    return {name: status for name, status in rows.items() if status != 405}


def test_to_everybody_else_the_program_does_not_exist(cast: Cast) -> None:
    row = take_part(cast, cast.rhea)
    seen = statuses(cast, cast.rhea)
    assert len(seen) >= 8
    never = {name for name, status in seen.items() if status not in (200, 302)}
    assert never <= {"portal:openpgp_key", "portal:policy_changes_text"}, "the guest sees what the public would"
    for other in (None, cast.eve):
        assert set(statuses(cast, other).values()) == {404}
        assert "Wicket" not in signed_in(other).get("/").content.decode()
    guests.end(row, by=cast.lena)
    assert set(statuses(cast, cast.rhea).values()) == {404}
    assert not visible_to(cast.rhea).exists()


def test_a_draft_is_the_teams_alone(cast: Cast) -> None:
    take_part(cast, cast.rhea)
    _move(cast, Program.State.DRAFT)
    assert set(statuses(cast, cast.rhea).values()) == {404}
    with pytest.raises(Conflict):
        guests.invite(cast.program, by=cast.lena, email="new@outside.example")
    _move(cast, Program.State.PUBLIC)
    with pytest.raises(Conflict):
        guests.invite(cast.program, by=cast.lena, email="new@outside.example")


def test_after_the_end_the_report_stays_theirs(cast: Cast) -> None:
    row = take_part(cast, cast.rhea)
    case = intake.submit(cast.program, make_report(cast), by=cast.rhea).case
    guests.end(row, by=cast.ada)
    number = cast.program.policy.number
    rhea = signed_in(cast.rhea)
    page = rhea.get(f"/my/{case.ref}/")
    assert page.status_code == 200
    led = links(page) | {f"/p/wicket/policy/{number}/"}
    gone = {path for path in led if rhea.get(path).status_code == 404}
    assert gone == set(), "no link of the page leads nowhere"
    assert rhea.get("/p/wicket/report/").status_code == 404
    assert signed_in(cast.eve).get(f"/p/wicket/policy/{number}/").status_code == 404


def test_an_anonymous_report_of_a_guest_is_found_again(cast: Cast) -> None:
    person, __ = receipts.new_bearer()
    case = intake.submit(cast.program, make_report(cast), by=person).case
    bearer = signed_in(person)
    page = bearer.get(f"/my/{case.ref}/")
    assert {path for path in links(page) if bearer.get(path).status_code == 404} == set()


def test_a_link_works_once_and_for_its_time(cast: Cast) -> None:
    guests.invite(cast.program, by=cast.lena, email="one@outside.example")
    first = link()
    with clock.freeze(clock.now() + guests.LASTS - timedelta(minutes=1)):
        assert Client().get(first).status_code == 200
    with clock.freeze(clock.now() + guests.LASTS):
        assert Client().get(first).status_code == 404
        assert "has run out" in signed_in(cast.lena).get("/desk/program/wicket/guests/").content.decode()
    guests.invite(cast.program, by=cast.lena, email="One@outside.example")
    second = link()
    assert first != second
    assert Client().get(first).status_code == 404, "to invite again ends the earlier link"
    assert guests.standing(cast.program).count() == 1
    assert signed_in(cast.rhea).post(second).status_code == 302
    for other in (None, cast.eve):
        assert signed_in(other).get(second).status_code == 404
        assert signed_in(other).post(second).status_code == 404
    row = guests.standing(cast.program).get()
    with pytest.raises(Conflict):
        guests.accept(row, by=cast.eve)
    assert marker.find_in_database(second.split("/")[2], connection) == []


def test_an_unanswered_invitation_ends_and_its_address_is_erased(cast: Cast) -> None:
    guests.invite(cast.program, by=cast.lena, email="one@outside.example")
    first = link()
    kept = take_part(cast, cast.rhea)
    page = signed_in(cast.lena).get("/desk/program/wicket/guests/").content.decode()
    assert "is not answered ends after 30 days, and its address is erased" in page
    with clock.freeze(clock.now() + guests.LASTS - timedelta(minutes=1)):
        assert guests.sweep() == 0
    with clock.freeze(clock.now() + guests.LASTS):
        assert guests.sweep() == 1
        assert guests.sweep() == 0
        assert Client().get(first).status_code == 404
        assert "one@outside" not in signed_in(cast.lena).get("/desk/program/wicket/guests/").content.decode()
    assert {row.email is None: row.accepted_at is None for row in cast.program.guests.all()} == {
        True: True,
        False: False,
    }
    assert guests.standing(cast.program).get().person == cast.rhea, kept
    assert "guest.expired" in [row.kind for row in events.log(f"program:{cast.program.pk}")]


def test_an_address_lies_nowhere_in_the_clear_and_goes_with_the_end(cast: Cast) -> None:
    row = guests.invite(cast.program, by=cast.lena, email="lone.wolf@outside.example")
    assert marker.find_in_database("lone.wolf", connection) == []
    guests.end(row, by=cast.lena)
    row.refresh_from_db()
    assert row.email is None


def test_who_may_invite(cast: Cast) -> None:
    for person in (cast.theo, cast.aud, cast.rhea, cast.pia):
        with pytest.raises(NotAllowed):
            guests.invite(cast.program, by=person, email="new@outside.example")
    row = guests.invite(cast.program, by=cast.ada, email="new@outside.example")
    with pytest.raises(NotAllowed):
        guests.end(row, by=cast.theo)
    assert signed_in(cast.theo).get("/desk/program/wicket/guests/").status_code == 403
    assert signed_in(cast.rhea).get("/desk/program/wicket/guests/").status_code == 404


@pytest.mark.parametrize("typed", ["", "rhea", "a b@outside.example", "x@outside.example\r\nBcc: y@outside.example"])
def test_what_is_no_address_is_refused_beside_the_field(cast: Cast, typed: str) -> None:
    answer = signed_in(cast.lena).post("/desk/program/wicket/guests/", {"action": "invite", "email": typed})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not guests.standing(cast.program).exists()


def test_the_team_and_who_takes_part_are_not_invited(cast: Cast) -> None:
    with pytest.raises(Invalid):
        guests.invite(cast.program, by=cast.lena, email=cast.theo.email or "")
    take_part(cast, cast.rhea)
    with pytest.raises(Invalid):
        guests.invite(cast.program, by=cast.lena, email=INVITED)
    other = guests.invite(cast.program, by=cast.lena, email="second@outside.example")
    for person in (cast.rhea, cast.theo):
        with pytest.raises(Conflict):
            guests.accept(other, by=person)


def test_no_more_than_so_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "MOST", 1)
    guests.invite(cast.program, by=cast.lena, email="one@outside.example")
    guests.invite(cast.program, by=cast.lena, email="one@outside.example")
    with pytest.raises(Invalid):
        guests.invite(cast.program, by=cast.lena, email="two@outside.example")


def test_a_receipt_is_no_account(cast: Cast) -> None:
    row = guests.invite(cast.program, by=cast.lena, email="one@outside.example")
    person, __ = receipts.new_bearer()
    with pytest.raises(NotAllowed):
        guests.accept(row, by=person)
    page = signed_in(person).get(link())
    assert "with a receipt" in page.content.decode()


def test_an_account_is_made_by_the_invited_where_that_is_closed(cast: Cast, settings: Any) -> None:
    settings.MANYEYES_OPEN_SIGNUP = False
    guests.invite(cast.program, by=cast.lena, email="one@outside.example")
    path = link()
    stranger, invited = Client(), Client()
    assert 'name="password1"' not in stranger.get("/accounts/signup/").content.decode()
    assert stranger.get("/invited/no-such-word/").status_code == 404
    assert 'name="password1"' not in stranger.get("/accounts/signup/").content.decode()
    assert invited.get(path).status_code == 200
    assert 'name="password1"' in invited.get("/accounts/signup/").content.decode()


def test_who_leaves_takes_part_no_more_and_may_read_it_before(cast: Cast) -> None:
    take_part(cast, cast.rhea)
    told = everything(cast.rhea)["invited_to"]
    assert [(one["program"], one["email"]) for one in told] == [("wicket", INVITED)]
    forget(cast.rhea)
    assert not guests.standing(cast.program).exists()
    with pytest.raises(NotFound):
        guests.by_link("x" * 32)


def test_over_the_api_too(cast: Cast) -> None:
    take_part(cast, cast.rhea)
    for person, expected in ((cast.rhea, 200), (cast.eve, 404)):
        secret = tokens.issue(person, name="a computer", scopes=["read", "report"], days=1)[1]
        asked: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
        number = cast.program.policy.number
        for path in ("", "/policies", f"/policies/{number}", "/thanks"):
            assert Client().get(f"/api/v1/programs/wicket{path}", **asked).status_code == expected, path
            assert Client().get(f"/api/v1/programs/wicket{path}").status_code == 404
        listed = Client().get("/api/v1/programs", **asked).json()["items"]
        assert [one["slug"] for one in listed] == (["wicket"] if expected == 200 else [])
