"""What a hostile researcher, a stranger's website and a colleague without the right try at the pages."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.cases import access, attachments, disclosure, reproduction, severity, triage
from manyeyes.cases.models import Case, SignOff
from manyeyes.publications import advisory, credit
from manyeyes.replays.models import Replay
from manyeyes.rules.errors import Invalid, NotFound
from tests import people
from tests.journeys.site import BASE, ORIGIN, REPORT, Visitor, ok, report

TRICKS = (
    "<script>alert('x')</script>", '"><img src=x onerror=alert(1)>', "{{ settings.SECRET_KEY }}{% debug %}",
    "![x](https://evil.example/x.png)", "[go](javascript:alert(1))", "</textarea><svg onload=alert(1)>",
    "\u202egpj.exe\u202c", "\u2066\u2069\u200b\u200d\ufeff", "\U000e0041\U000e0042", "\x1b[31m\x07\x08",
    "a\r\nBcc: all@evil.example\r\n\r\nX-Header: 1",
)  # fmt: skip
HOSTILE = " ".join(TRICKS)
SIGNS = ("\u202e", "\u202c", "\u2066", "\u2069", "\u200b", "\ufeff", "\U000e0041", "\x1b", "\x07", "\x08")
ELEMENTS = (
    "<script>alert", "<img src=x", "<svg onload", "https://evil.example/x.png\"", "href=\"javascript:", "<iframe",
)  # fmt: skip
BAD_LINKS = (
    "javascript:alert(1)", "http://a.example", "https://a.example\r\nX: 1", "data:text/html,x", "//a.example",
    "https://a.example/\" onclick=\"alert(1)", "https://" + "a" * 400 + ".example",
)  # fmt: skip
AWAY = ("https://evil.example/", "//evil.example/", "/\\evil.example/", "\\\\evil.example", "javascript:alert(1)",
        "http:///evil.example", "///evil.example", "/\t/evil.example", " https://evil.example",
        "https:evil.example")  # fmt: skip


def harmless(text: str) -> list[str]:
    """What of the tricks reached a page as more than text; inputs keep the characters, as they must."""
    shown = re.sub(r"<textarea.*?</textarea>|<input[^>]*>", "", text, flags=re.S)
    return [sign for sign in SIGNS if sign in shown] + [piece for piece in ELEMENTS if piece in text]


def test_the_check_for_tricks_sees_them() -> None:
    assert harmless(HOSTILE) != []
    assert all(harmless(sign) for sign in SIGNS)


def test_tricks_stay_text_on_every_page(cast: people.Cast) -> None:
    visitor = Visitor(cast.rhea)
    tricked: dict[str, Any] = dict.fromkeys(("happened", "steps", "impact", "own_ref"), HOSTILE)
    tricked["title"] = HOSTILE[:180]
    tricked["own_ref"] = HOSTILE[:90]
    checked = ok(visitor.get(f"/p/{cast.program.slug}/report/"))
    given = {**REPORT, **tricked, "target": str(cast.target.pk)}
    shown = ok(visitor.send(checked, checked.form("report/"), given, button="check"))
    assert harmless(shown.text) == []
    ref = report(visitor, cast, **tricked).data["data-case"]
    page = ok(visitor.get(f"/my/{ref}/"))
    ok(visitor.send(page, page.form("/say/"), {"text": HOSTILE}))
    bad = visitor.send(page, page.form("/say/"), {"text": HOSTILE * 1_000})
    assert bad.status == 422
    assert harmless(bad.text) == []
    theo = Visitor(cast.theo)
    for who, path in (
        (visitor, "/my/"), (visitor, f"/my/{ref}/"), (theo, "/desk/"), (theo, f"/desk/cases/{ref}/"),
        (theo, f"/desk/cases/{ref}/move/close/"), (theo, f"/desk/cases/{ref}/severity/"),
        (theo, "/desk/?q=%3Cscript%3Ealert('x')%3C/script%3E&view=%3Cscript%3Ealert"),
    ):  # fmt: skip
        seen = ok(who.get(path))
        assert harmless(seen.text) == [], path
    assert "alert(" in ok(theo.get(f"/desk/cases/{ref}/")).words, "it is shown, as text"
    for message in mail.outbox:
        assert "evil" not in str(message.message())


def test_names_and_links_of_a_credit(cast: people.Cast) -> None:
    case = people.make_case(cast, at="resolved")
    visitor = Visitor(cast.rhea)
    path = f"/my/{case.ref}/credit/"
    for link in BAD_LINKS:
        page = ok(visitor.get(path))
        told = visitor.send(page, page.form("/credit/"), {"mode": "name", "name": "Rhea", "link": link})
        assert told.status == 422, link
    page = ok(visitor.get(path))
    ok(
        visitor.send(
            page, page.form("/credit/"), {"mode": "name", "name": HOSTILE[:79], "link": "https://rhea.example/"}
        )
    )
    plain = " ".join(trick for trick in TRICKS if not any(sign in trick for sign in SIGNS))
    advisory.draft(case, by=cast.pia, title="A title", summary="A summary", details=plain, advice=plain)
    done = advisory.publish(case, by=cast.pia)
    for public in ("/thanks/", f"/advisories/{done.slug}/", "/advisories/"):
        told = ok(Visitor().get(public))
        assert harmless(told.text) == [], public
        assert "rhea_k" not in told.text
    anchor = re.search(r"<a [^>]*https://rhea\.example/[^>]*>", ok(Visitor().get("/thanks/")).text)
    assert anchor is not None
    assert "nofollow" in anchor.group()
    with pytest.raises(Invalid):
        credit.choose(case, by=cast.rhea, mode="name", name="a\x00b")


def test_every_answer_carries_its_guards(cast: people.Cast) -> None:
    case = people.make_case(cast, at="resolved")
    for who, path in (
        (cast.rhea, f"/my/{case.ref}/"), (cast.theo, f"/desk/cases/{case.ref}/"), (None, "/"), (None, "/nowhere"),
        (None, f"/p/{cast.program.slug}/report/"), (None, "/accounts/login/"), (cast.eve, f"/my/{case.ref}/"),
    ):  # fmt: skip
        client = Client()
        if who is not None:
            client.force_login(who)
        answer = client.get(path)
        policy = answer["Content-Security-Policy"]
        for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert part in policy, path
        assert "unsafe" not in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert "no-store" in answer["Cache-Control"] if who is not None else True
        assert " style=" not in answer.content.decode()
        assert not re.search(r"<[^>]+ on[a-z]+=", answer.content.decode())


# ---- requests that come from elsewhere ----

FOREIGN: tuple[dict[str, Any], ...] = (
    {"HTTP_ORIGIN": "https://evil.example"},
    {"HTTP_ORIGIN": "null"},
    {"HTTP_ORIGIN": "https://testserver"},
    {"HTTP_ORIGIN": "http://testserver.evil.example"},
    {"HTTP_SEC_FETCH_SITE": "cross-site"},
    {"HTTP_SEC_FETCH_SITE": "same-site", "HTTP_ORIGIN": BASE},
)


@pytest.mark.parametrize("headers", FOREIGN)
def test_the_open_forms_take_nothing_from_elsewhere(cast: people.Cast, headers: dict[str, Any]) -> None:
    given = {**REPORT, "target": str(cast.target.pk), "identity": "anonymous", "action": "send"}
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.rhea)
    assert client.post(f"/p/{cast.program.slug}/report/", given, **headers).status_code == 403
    assert client.post("/return/", {"digits": "1" * 24}, **headers).status_code == 403
    assert Case.objects.count() == 0
    assert client.post(f"/p/{cast.program.slug}/report/", given, **ORIGIN).status_code == 201


def test_every_other_form_needs_its_token(cast: people.Cast) -> None:
    from tests.journeys.test_absence import POSTS, _parts

    case = people.make_case(cast, at="resolved")
    parts, before = _parts(case), events.log(case.subject).count()
    for person in (cast.rhea, cast.theo):
        for pattern, form in POSTS.items():
            client = Client(enforce_csrf_checks=True)
            client.force_login(person)
            for headers in ({}, ORIGIN):
                answer = client.post(pattern.format(**parts), form, **headers)
                assert answer.status_code == 403, (pattern, headers, answer.status_code)
    for path in ("/accounts/login/", "/accounts/logout/", "/accounts/signup/", "/accounts/email/"):
        client = Client(enforce_csrf_checks=True)
        client.force_login(cast.rhea)
        assert client.post(path, {"login": "x"}).status_code == 403, path
    assert events.log(case.subject).count() == before


def test_nothing_is_done_by_looking(cast: people.Cast) -> None:
    """GET and HEAD on the address of an act change nothing; only forms do."""
    from tests.journeys.test_absence import POSTS, _parts

    case = people.make_case(cast, at="resolved")
    parts, before = _parts(case), (events.log(case.subject).count(), Replay.objects.count())
    for person in (cast.rhea, cast.theo):
        client = Client()
        client.force_login(person)
        for pattern, form in POSTS.items():
            for method in ("get", "head", "put", "options"):
                sent = form if method in ("get", "head") else "x"
                answer = getattr(client, method)(pattern.format(**parts), sent)
                assert answer.status_code in (200, 302, 403, 404, 405), (method, pattern, answer.status_code)
    assert (events.log(case.subject).count(), Replay.objects.count()) == before


@pytest.mark.parametrize("away", AWAY)
def test_no_way_leads_off_the_site(cast: people.Cast, away: str) -> None:
    theme = Client().post("/theme/", {"theme": "dark", "next": away})
    assert theme["Location"] == "/", away
    login = Client().post("/accounts/login/", {"login": cast.rhea.email, "password": people.PASSWORD, "next": away})
    assert login.status_code == 302
    assert "evil" not in login["Location"]
    asked = Client().post(f"/accounts/login/?next={away}", {"login": cast.rhea.email, "password": people.PASSWORD})
    assert "evil" not in asked["Location"]
    client = Client()
    client.force_login(cast.rhea)
    assert "evil" not in client.post("/accounts/logout/", {"next": away})["Location"]
    assert "evil" not in Client().get("/my/", {"next": away})["Location"].split("next=")[0]


def test_a_forged_host_gets_nowhere(cast: people.Cast, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    for host in ("evil.example", "testserver.evil.example", "testserver@evil.example", "testserver:80@evil"):
        answer = Client(raise_request_exception=False).get(f"/p/{cast.program.slug}/report/", HTTP_HOST=host)
        assert answer.status_code == 400, host
        assert b"evil" not in answer.content


# ---- addresses ----

STRANGE = (
    "..", "../..", "..%2f..%2fetc%2fpasswd", "%00", "ME-%00", "ME-7K3F-Q2M4%0d%0aX:1", "ＭＥ-７Ｋ３Ｆ-Ｑ２Ｍ４",
    "ME-7K3F-Q2M4" * 400, "\u202eME-7K3F", "ßßßßßßßß", "%ff%fe", "' OR 1=1 --", "*", "%25", "me", "-",
    "𝟘𝟙𝟚𝟛", "%F0%9F%92%A9",
)  # fmt: skip


@pytest.mark.parametrize("ref", STRANGE)
def test_strange_references_are_absent(cast: people.Cast, ref: str) -> None:
    for person in (cast.rhea, cast.theo):
        visitor = Visitor(person, raises=False)
        for pattern in ("/my/{}/", "/my/{}/retest/", "/desk/cases/{}/", "/desk/cases/{}/replay/"):
            answer = visitor.client.get(pattern.format(ref))
            assert answer.status_code in (302, 404), (pattern, answer.status_code)
    for pattern in ("/p/{}/", "/p/{}/report/", "/advisories/{}/"):
        assert Visitor(raises=False).client.get(pattern.format(ref)).status_code in (302, 404), pattern


@pytest.mark.parametrize(
    "number", ["0", "-1", "99999999999999999999999999", "1.5", "x", "", "%00", "١", "1e9", "' or 1"]
)
def test_strange_numbers_are_pages_or_absent(cast: people.Cast, number: str) -> None:
    case = people.make_case(cast, at="reproduced")
    replay = case.reproductions.get().replay_id
    rhea, theo = Visitor(cast.rhea, raises=False).client, Visitor(cast.theo, raises=False).client
    for client, path in (
        (rhea, "/my/?page={}"), (theo, "/desk/?page={}"), (rhea, "/thanks/?page={}"), (rhea, "/advisories/?page={}"),
        (theo, f"/desk/replays/{replay}/?page={{}}"), (theo, f"/desk/replays/{replay}/?outcome={{}}&wording={{}}"),
        (rhea, f"/my/{case.ref}/replay/{replay}/?page={{}}"),
    ):  # fmt: skip
        assert client.get(path.replace("{}", number)).status_code == 200, path
    for client, path in (
        (theo, f"/desk/replays/{replay}/calls/main/9{{}}/"), (theo, f"/desk/replays/{replay}/calls/{{}}/0/"),
        (rhea, f"/p/{cast.program.slug}/policy/{{}}/"),
    ):  # fmt: skip
        answer = client.get(path.replace("{}", number))
        assert answer.status_code in (301, 302, 404), (path, answer.status_code)


def test_ids_in_forms_that_are_no_ids(cast: people.Cast) -> None:
    """A choice that the page never offered is refused in words, not by a failure of ours."""
    case = people.make_case(cast, at="signed")
    for value in ("x", "\x00", "' OR 1", str(uuid.uuid4()), "9" * 60, "<script>"):
        for name, path, form in (
            ("lena", f"/desk/program/{cast.program.slug}/version/", {"label": "v9", "target": value}),
            ("lena", f"/desk/program/{cast.program.slug}/permit/",
             {"operator": "o", "basis": "b", "environment": "sandbox", "calls_per_day": "5", "target": value}),
            ("theo", f"/desk/cases/{case.ref}/assign/", {"what": "owner", "person": value}),
            ("theo", f"/desk/cases/{case.ref}/signoff/", {"discipline": "security", "agrees": "yes", "rating": value}),
            ("theo", f"/desk/cases/{case.ref}/same/duplicate/", {"of": value, "words": "w"}),
            ("theo", f"/desk/cases/{case.ref}/same/merge/", {"of": value, "version": value}),
            ("theo", f"/desk/cases/{case.ref}/split/", {"title": "t", "vuln_class": value, "version": value}),
            ("theo", "/desk/families/", {"case": case.ref, "more": value, "name": value}),
            ("theo", f"/desk/cases/{case.ref}/move/confirm/", {"version": value}),
            ("olga", f"/desk/cases/{case.ref}/fix/", {"version": value, "kind": "cause", "summary": "s"}),
            ("theo", f"/desk/cases/{case.ref}/cause/", {"category": value, "text": "t"}),
            ("theo", f"/desk/cases/{case.ref}/replay/", {"replay": value, "action": "start", "seed": value}),
        ):  # fmt: skip
            answer = Visitor(getattr(cast, name), raises=False).post(path, form)
            assert answer.status < 500, (path, value)


# ---- what belongs to others ----


def other_program(cast: people.Cast) -> Any:
    """A whole other program with a triager of its own and a case."""
    from manyeyes.programs.setup import create_program
    from manyeyes.programs.targets import add_target
    from manyeyes.rules.lifecycle import Role

    otto = people.make_person("otto", "Otto K.")
    program = create_program(
        slug="mole", name="Mole", organisation="Mole", contact_email="", public=True,
        members={otto: [Role.SECURITY_TRIAGER, Role.ML_TRIAGER, Role.PROGRAM_MANAGER, Role.ADMIN]},
    )  # fmt: skip
    add_target(program, name="Mole", access="manual", owner=otto, in_scope="Mole")
    return otto


def test_a_triager_of_another_program_gets_nothing_done(cast: people.Cast) -> None:
    otto = Visitor(other_program(cast))
    case = people.make_case(cast, at="signed")
    before = events.log(case.subject).count()
    rating = str(case.ratings.get().pk)
    for path, form in {
        f"/desk/cases/{case.ref}/move/confirm/": {},
        f"/desk/cases/{case.ref}/signoff/": {"discipline": "security", "agrees": "no", "rating": rating},
        f"/desk/cases/{case.ref}/say/": {"text": "hello", "audience": "public"},
        f"/desk/program/{cast.program.slug}/target/": {"name": "x", "access": "none"},
        f"/desk/program/{cast.program.slug}/policy/": {},
        f"/desk/replays/{case.reproductions.get().replay_id}/control/": {"action": "cancel"},
    }.items():
        assert otto.post(path, form).status == 404, path
    queue = ok(otto.get("/desk/"))
    assert case.ref not in queue.text
    found = [link for link, _ in ok(otto.get(f"/desk/?q={case.ref}")).links if "/cases/" in link]
    assert found == [], "a search tells nothing either"
    assert [link for link, _ in ok(Visitor(cast.theo).get(f"/desk/?q={case.ref}")).links if case.ref in link]
    assert otto.get(f"/desk/program/{cast.program.slug}/").status == 404
    assert events.log(case.subject).count() == before


def test_a_foreign_target_cannot_be_slipped_into_a_report_or_a_program(cast: people.Cast) -> None:
    from manyeyes.programs.models import Program

    otto = other_program(cast)
    foreign = Program.objects.get(slug="mole").targets.get()
    told = Visitor().post(
        f"/p/{cast.program.slug}/report/",
        {**REPORT, "target": str(foreign.pk), "identity": "anonymous", "action": "send"},
    )
    assert told.status == 422
    path = "/desk/program/mole/permit/"
    permit = {
        "operator": "o",
        "basis": "b",
        "environment": "sandbox",
        "calls_per_day": "5",
        "target": str(cast.target.pk),
    }
    assert Visitor(otto).post(path, permit).status == 422
    assert cast.target.permits.count() == 1
    assert foreign.permits.count() == 0


def test_a_rating_of_another_case_cannot_be_signed(cast: people.Cast) -> None:
    mine, other = people.make_case(cast, at="rated"), people.make_case(cast, at="rated")
    theo = Visitor(cast.theo)
    foreign = str(other.ratings.get().pk)
    told = theo.post(f"/desk/cases/{mine.ref}/signoff/", {"discipline": "security", "agrees": "yes", "rating": foreign})
    assert not SignOff.objects.filter(case=other).exists()
    signed = SignOff.objects.filter(case=mine)
    assert told.status >= 400 or [row.rating_id for row in signed] == [mine.ratings.get().pk]


def test_a_rating_that_was_replaced_is_not_signed_unseen(cast: people.Cast) -> None:
    case = people.make_case(cast, at="rated")
    seen = str(case.ratings.get().pk)
    severity.rate(case, by=cast.mina, letters={**people.LETTERS, "DX": "N"}, reasons=people.REASONS, why="Less.")
    told = Visitor(cast.theo).post(
        f"/desk/cases/{case.ref}/signoff/",
        {**people.SEEN["security"], "discipline": "security", "agrees": "yes", "rating": seen},
    )
    newest = case.ratings.order_by("-at").first()
    assert told.status == 409 or not SignOff.objects.filter(rating=newest).exists()


def test_nobody_signs_for_the_other_discipline_or_moves_what_is_not_theirs(cast: people.Cast) -> None:
    case = people.make_case(cast, at="rated")
    for name, discipline in (("theo", "ml"), ("mina", "security"), ("olga", "security"), ("theo", "manager")):
        told = Visitor(getattr(cast, name)).post(
            f"/desk/cases/{case.ref}/signoff/", {"discipline": discipline, "agrees": "yes", "note": "n"}
        )
        assert told.status in (403, 409, 422), (name, discipline)
    assert SignOff.objects.count() == 0
    for name, move in (("olga", "confirm"), ("aud", "close"), ("pia", "close"), ("olga", "close"), ("ada", "close")):
        told = Visitor(getattr(cast, name)).post(
            f"/desk/cases/{case.ref}/move/{move}/", {"reason": "spam", "words": "x"}
        )
        assert told.status in (403, 404, 409), (name, move)
    for move in ("accept", "confirm", "close", "resolve", "withdraw", "answer"):
        assert Visitor(cast.rhea).post(f"/desk/cases/{case.ref}/move/{move}/", {"words": "x"}).status == 404
    assert Visitor(cast.theo).post(f"/desk/cases/{case.ref}/move/withdraw/").status == 404
    assert Case.objects.get(pk=case.pk).status == "triaged"


def test_files_of_others(cast: people.Cast) -> None:
    case = people.make_case(cast, at="triaged")
    shared = attachments.attach(case, by=cast.rhea, chunks=[b"for both"], name="../../etc/passwd")
    inside = attachments.attach(case, by=cast.theo, chunks=[b"for the team"], name="n.txt", public=False)
    assert b"".join(attachments.content(access.attachment_for(cast.rhea, shared.pk))) == b"for both"
    assert ".." not in (shared.stored.name or "")
    for person, row in ((cast.rhea, inside), (cast.eve, shared), (cast.eve, inside), (cast.finn, shared),
                        (other_program(cast), shared), (cast.nobody, shared)):  # fmt: skip
        with pytest.raises(NotFound):
            access.attachment_for(person, row.pk)


def test_a_staff_member_who_reports_sees_the_outside_only_as_reporter(cast: people.Cast) -> None:
    """Whoever reports to a program they are no member of gets no desk by being on somebody else's team."""
    otto = other_program(cast)
    case = people.submit(cast, by=otto)
    assert Visitor(otto).get(f"/my/{case.ref}/").status == 200
    assert Visitor(otto).get(f"/desk/cases/{case.ref}/").status == 404
    assert Visitor(otto).post(f"/desk/cases/{case.ref}/acknowledge/").status == 404


# ---- two people at once ----


def test_who_comes_second_is_told_and_undoes_nothing(cast: people.Cast) -> None:
    case = people.make_case(cast, at="acknowledged")
    theo, mina = Visitor(cast.theo), Visitor(cast.mina)
    page = ok(theo.get(f"/desk/cases/{case.ref}/"))
    closing = ok(mina.get(f"/desk/cases/{case.ref}/move/close/"))
    accept = page.form("/move/accept/")
    assert accept.values.get("version") == str(case.version), "the page carries the version it was made from"
    ok(theo.send(page, accept))
    told = mina.send(closing, closing.form("/move/close/"), {"reason": "spam", "words": "Nothing in it."})
    assert told.status == 409
    assert "Theo L." in told.words
    assert Case.objects.get(pk=case.pk).status == "triaged"
    again = theo.send(page, accept)
    assert again.status == 409, "a second press of the same button"
    assert events.log(case.subject).filter(kind="move.accept").count() == 1


def test_a_case_that_was_withdrawn_meanwhile(cast: people.Cast) -> None:
    case = people.make_case(cast, at="acknowledged")
    theo, rhea = Visitor(cast.theo), Visitor(cast.rhea)
    page = ok(theo.get(f"/desk/cases/{case.ref}/"))
    mine = ok(rhea.get(f"/my/{case.ref}/"))
    ok(rhea.send(mine, mine.form("/withdraw/")))
    assert theo.send(page, page.form("/move/accept/")).status == 409
    assert rhea.send(mine, mine.form("/withdraw/")).status == 409
    row = Case.objects.get(pk=case.pk)
    assert (row.status, row.close_reason) == ("closed", "withdrawn")


def test_one_replay_however_often_start_is_pressed(cast: people.Cast) -> None:
    case = people.make_case(cast, at="triaged")
    theo = Visitor(cast.theo)
    page = ok(theo.get(f"/desk/cases/{case.ref}/replay/"))
    form = page.form("/replay/")
    ok(theo.send(page, form, button="start"))
    theo.send(page, form, button="start")
    assert case.reproductions.count() == 1


def test_an_embargo_binds_the_advisory(cast: people.Cast) -> None:
    case = people.make_case(cast, at="resolved")
    until = datetime.now(UTC) + timedelta(days=20)
    disclosure.propose_embargo(case, by=cast.rhea, until=until)
    disclosure.agree(case, by=cast.theo)
    given = {"title": "T", "summary": "S", "details": "D", "advice": "A", "action": "publish"}
    told = Visitor(cast.pia).post(f"/desk/cases/{case.ref}/advisory/", given)
    assert told.status == 423
    assert Visitor().get(f"/advisories/{cast.program.slug}-{case.ref.lower()}/").status == 404
    assert Visitor(cast.rhea).post(f"/my/{case.ref}/embargo/", {"action": "end"}).status in (200, 422)
    assert disclosure.in_force(case) is not None


def test_an_unfinished_replay_of_others_is_not_steered_by_the_reporter(cast: people.Cast) -> None:
    case = people.make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo)
    for name in ("rhea", "eve"):
        for action in ("cancel", "pause", "resume", "seen"):
            path = f"/desk/replays/{link.replay_id}/control/"
            assert Visitor(getattr(cast, name)).post(path, {"action": action}).status == 404
    for name in ("aud", "pia", "ada"):
        told = Visitor(getattr(cast, name)).post(f"/desk/replays/{link.replay_id}/control/", {"action": "cancel"})
        assert told.status in (403, 404), name
    assert Replay.objects.get(pk=link.replay_id).state == "queued"


def test_signing_in_tells_nobody_who_has_an_account(cast: people.Cast) -> None:
    known = Client().post("/accounts/login/", {"login": cast.rhea.email, "password": "wrong password here"})
    unknown = Client().post("/accounts/login/", {"login": "nobody@nowhere.example", "password": "wrong password here"})
    strip = re.compile(rb'(csrfmiddlewaretoken" value=")[^"]+|value="[^"@]+@[^"]+"')
    assert known.status_code == unknown.status_code == 200
    assert strip.sub(b"", known.content) == strip.sub(b"", unknown.content)


def test_a_closed_account_is_out_at_once(cast: people.Cast) -> None:
    case = people.make_case(cast, at="triaged")
    theo = Visitor(cast.theo)
    ok(theo.get(f"/desk/cases/{case.ref}/"))
    Person.objects.filter(pk=cast.theo.pk).update(is_active=False)
    assert theo.client.get(f"/desk/cases/{case.ref}/").status_code == 302
    triage.ask_researcher(case, by=cast.mina, text="Another question?")
