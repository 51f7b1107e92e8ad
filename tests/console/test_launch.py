"""The launch page and the page of the key: managers act, others read, refusals name what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from manyeyes import events
from manyeyes.accounts import postkey
from manyeyes.cases import intake
from manyeyes.cases.models import Case
from manyeyes.cli import main
from manyeyes.programs import launch, openpgp
from manyeyes.programs.models import Program
from manyeyes.rules import clock
from manyeyes.rules.launch import ITEMS, Kind
from manyeyes.vault import openpgp as pgp
from manyeyes.vault.models import OpenPGPKey
from tests.gnupg import Gnupg
from tests.people import Cast, make_case

WHY = "We are two people, and none of us is a lawyer."


@pytest.fixture
def lena(as_: Any) -> Client:
    return as_("lena")


@pytest.fixture
def gnupg() -> Iterator[Gnupg]:
    made = Gnupg()
    yield made
    made.close()


@pytest.fixture
def page(cast: Cast) -> str:
    Program.objects.filter(pk=cast.program.pk).update(state="draft")
    return f"/desk/program/{cast.program.slug}/launch/"


def say_all(client: Client, page: str, cast: Cast) -> None:
    for item in ITEMS:
        if (item.kind == Kind.FACT and not item.skippable) or item.name in ("finance", "days_off"):
            continue
        given = {"action": f"say:{item.name}", "person": str(cast.lena.pk), "hours": "6"}
        if item.name == "backup":
            given["person"] = str(cast.theo.pk)
        if item.name == "legal":
            given = {"action": "say:legal", "applies": "on", "reason": WHY}
        if item.name == "securitytxt":
            given = {"action": "say:securitytxt", "applies": "on", "reason": "We only try it out."}
        answer = client.post(page, given)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{page}#{item.name}")


def test_nobody_of_a_team_is_their_own_backup(lena: Client, page: str, cast: Cast) -> None:
    held = {"person": str(cast.lena.pk)}
    assert lena.post(page, {"action": "say:responder", **held}).status_code == 302
    refused = lena.post(page, {"action": "say:backup", **held})
    assert refused.status_code == 422
    assert "The backup is the first responder." in refused.content.decode()
    assert lena.post(page, {"action": "say:backup", "person": str(cast.theo.pk)}).status_code == 302
    assert lena.post(page, {"action": "say:responder", "person": str(cast.theo.pk)}).status_code == 302
    assert "The backup is the first responder." in lena.get(page).content.decode(), "a change of the other line is seen"


def test_alone_one_is_and_it_is_said(lena: Client, page: str, cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    cast.program.memberships.exclude(person=cast.lena).delete()
    for item in ("responder", "backup"):
        assert lena.post(page, {"action": f"say:{item}", "person": str(cast.lena.pk)}).status_code == 302
    assert "Nobody stands in: the first responder is the whole team." in lena.get(page).content.decode()
    main(["check", "--program", cast.program.slug])
    assert "warn  Backup for the first responder: Nobody stands in" in capsys.readouterr().err


def test_a_launch_too_early_is_refused_in_words_alone(lena: Client, page: str, cast: Cast) -> None:
    refused = lena.post(page, {"action": "public"})
    text = refused.content.decode()
    assert refused.status_code == 409
    assert "Owner of the program: Nobody is named." in text
    assert "owner, capacity" not in text


def test_tables_of_an_earlier_version_are_told_in_a_sentence(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def older(*_args: object, **_named: object) -> None:
        raise OperationalError("no such column: programs_program.former_markers")

    monkeypatch.setattr("manyeyes.commands.launch_check.report", older)
    assert main(["check", "--program", cast.program.slug]) == 1
    assert capsys.readouterr().err == "WRONG tables: this program cannot be read. Run manyeyes init.\n"


def test_a_site_that_nobody_else_can_read_is_told_and_may_be_accepted(
    lena: Client, page: str, cast: Cast, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    program, said = ["check", "--program", cast.program.slug], "security.txt: Its address is one of this machine"
    settings.MANYEYES_BASE_URL = "http://localhost:8000"
    assert "Its address is one of this machine" in lena.get(page).content.decode()
    assert main(program) == 1
    assert f"WRONG {said}" in capsys.readouterr().err
    refused = lena.post(page, {"action": "say:securitytxt"})
    assert refused.status_code == 422
    assert "Tick this to go on with it as it is" in refused.content.decode()
    assert lena.post(page, {"action": "say:securitytxt", "applies": "on"}).status_code == 422
    accepted = {"action": "say:securitytxt", "applies": "on", "reason": "We only try it out."}
    assert lena.post(page, accepted).status_code == 302
    told = lena.get(page).content.decode()
    assert "Accepted, because:" in told
    assert "Its address is one of this machine" in told
    main(program)
    found = capsys.readouterr().err
    assert f"warn  {said}" in found
    assert "(accepted, said by Lena S." in found
    settings.MANYEYES_BASE_URL = "https://reports.larkfield.example"
    mended = lena.get(page).content.decode()
    assert "Its address is one of this machine" not in mended
    assert "We only try it out." not in mended


def test_a_launch_from_draft_to_public(lena: Client, page: str, cast: Cast) -> None:
    text = lena.get(page).content.decode()
    assert "are missing before the public may come." in text
    assert lena.post(page, {"action": "test"}).status_code == 409
    assert lena.post(page, {"action": "private"}).status_code == 302
    refused = lena.post(page, {"action": "public"})
    assert refused.status_code == 409
    assert "Engineering time for fixes: Nobody is named, with hours a week." in refused.content.decode()
    say_all(lena, page, cast)
    sent = lena.post(page, {"action": "test"})
    assert sent.status_code == 201
    digits = re.search(r"(\d{4} ){5}\d{4}", sent.content.decode())
    assert digits is not None
    assert digits.group() not in lena.get(page).content.decode()
    case = Case.objects.get()
    stranger = Client()
    assert stranger.post("/return/", {"digits": digits.group()}).status_code == 302
    assert stranger.get(f"/my/{case.ref}/").status_code == 200
    assert b"test report, in no figure" in lena.get(f"/desk/cases/{case.ref}/").content
    assert lena.post(page, {"action": "public"}).status_code == 409
    intake.acknowledge(case, by=cast.theo)
    assert b"All 15 are in order." in lena.get(page).content
    assert lena.post(page, {"action": "public"}).status_code == 302
    assert Client().get(f"/p/{cast.program.slug}/").status_code == 200
    assert "said by Lena S." in lena.get(page).content.decode()
    assert lena.post(page, {"action": f"remove:{case.ref}"}).status_code == 302
    assert not Case.objects.exists()
    assert b"All 15 are in order." in lena.get(page).content
    assert lena.post(page, {"action": "pause"}).status_code == 302
    assert lena.post(page, {"action": "resume"}).status_code == 302


def test_what_was_skipped_stands_there_until_it_is_done(lena: Client, page: str, cast: Cast) -> None:
    """The cast's program was opened past the checklist, as `init --publish` does."""
    Program.objects.filter(pk=cast.program.pk).update(state="public")
    [event] = events.log(f"program:{cast.program.pk}").filter(kind=launch.PAST)
    assert {"owner", "responder", "test_report"} <= set(event.data["skipped"])
    for shown in (lena.get(page), lena.get(f"/desk/program/{cast.program.slug}/")):
        assert "This program was opened past the checklist" in shown.content.decode()
    assert '<a href="#responder">First responder</a>' in lena.get(page).content.decode()
    say_all(lena, page, cast)
    text = lena.get(page).content.decode().partition('id="passed-over"')[2].partition("</section>")[0]
    assert "#responder" not in text
    assert "#test_report" in text
    assert lena.post(page, {"action": "test"}).status_code == 201
    intake.acknowledge(Case.objects.get(), by=cast.theo)
    assert "opened past the checklist" not in lena.get(page).content.decode()
    assert "opened past the checklist" not in lena.get(f"/desk/program/{cast.program.slug}/").content.decode()


def test_answers_that_cannot_be_kept_are_refused_beside_their_field(lena: Client, page: str, cast: Cast) -> None:
    answer = lena.post(page, {"action": "say:capacity", "person": str(cast.lena.pk), "hours": "0"})
    assert answer.status_code == 422
    assert "Give the hours a week as a whole number" in answer.content.decode()
    assert lena.post(page, {"action": "say:capacity", "person": str(cast.eve.pk), "hours": "3"}).status_code == 422
    assert lena.post(page, {"action": "say:legal", "applies": "on", "reason": " "}).status_code == 422
    assert lena.post(page, {"action": "say:nothing"}).status_code == 404
    assert lena.post(page, {"action": "remove:ME-0000-0000"}).status_code == 404


def test_others_of_the_team_read_and_do_not_act(page: str, as_: Any, cast: Cast) -> None:
    theo = as_("theo")
    text = theo.get(page).content.decode()
    assert "Record" not in text
    for action in ("private", "public", "say:owner"):
        assert theo.post(page, {"action": action, "person": str(cast.theo.pk)}).status_code == 403
    assert as_("eve").get(page).status_code == 404


@pytest.mark.usefixtures("cast")
def test_hostile_reasons_stay_text(lena: Client, page: str) -> None:
    lena.post(page, {"action": "say:legal", "applies": "on", "reason": "<script>alert(1)</script>\u202e"})
    text = lena.get(page).content.decode()
    assert "<script>alert" not in text
    assert "\u202e" not in text


def test_the_command_says_the_same(lena: Client, page: str, cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--program", cast.program.slug]) == 1
    said = capsys.readouterr()
    assert "WRONG Owner of the program: Nobody is named." in said.err
    assert "ok    Scope" in said.out
    say_all(lena, page, cast)
    lena.post(page, {"action": "private"})
    lena.post(page, {"action": "test"})
    intake.acknowledge(Case.objects.get(), by=cast.theo)
    assert main(["check", "--program", cast.program.slug]) == 0
    said = capsys.readouterr()
    assert "ok    Engineering time for fixes: Lena S., 6 h a week (said by Lena S., " in said.out
    assert said.err.startswith("warn  security.txt: ")
    assert said.err.count("\n") == 1
    assert main(["check", "--program", "nothing"]) == 2


def test_the_key_is_made_saved_and_taken_out_of_use(lena: Client, as_: Any, cast: Cast) -> None:
    page = f"/desk/program/{cast.program.slug}/key/"
    assert "None yet." in lena.get(page).content.decode()
    assert lena.post(page, {"action": "make"}).status_code == 302
    row = openpgp.key_of(cast.program)
    assert row is not None
    text = lena.get(page).content.decode()
    assert pgp.grouped(row.fingerprint) in text
    assert "PRIVATE KEY" not in text
    assert "_security.larkfield.example. IN TXT" in text
    saved = lena.post(page, {"action": "export"})
    assert saved.content.startswith(b"-----BEGIN PGP PRIVATE KEY BLOCK-----")
    assert saved.headers["Cache-Control"] == "no-store"
    theo = as_("theo")
    assert b"Save the private part" not in theo.get(page).content
    assert theo.post(page, {"action": "export"}).status_code == 403
    assert lena.post(page, {"action": "drop"}).status_code == 302
    assert openpgp.key_of(cast.program) is None


def test_a_key_is_imported_or_refused_in_words(lena: Client, cast: Cast, gnupg: Gnupg) -> None:
    page = f"/desk/program/{cast.program.slug}/key/"
    public = gnupg.make("security@larkfield.example")
    refused = lena.post(page, {"action": "import", "openpgp_key": public})
    assert refused.status_code == 422
    assert "not a private key" in refused.content.decode()
    given = {"action": "import", "openpgp_key": gnupg.private("security@larkfield.example")}
    assert lena.post(page, given).status_code == 302
    row = openpgp.key_of(cast.program)
    assert row is not None
    assert row.fingerprint.upper() == gnupg.fingerprint("security@larkfield.example")


def test_a_mail_that_was_held_is_shown_to_the_manager_and_in_check(
    lena: Client, as_: Any, cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    case = make_case(cast)
    events.deliver_due()
    postkey.give(cast.rhea, text=pgp.generate("rhea").armored)
    OpenPGPKey.objects.filter(subject=cast.rhea.actor).update(expires_at=clock.now() - timedelta(days=1))
    intake.acknowledge(case, by=cast.theo)
    assert events.deliver_due().held == 1
    text = lena.get(f"/desk/program/{cast.program.slug}/key/").content.decode()
    assert "1 mail was not sent" in text
    assert case.ref in text
    assert b"Your OpenPGP key has run out" in as_("rhea").get("/my/").content
    assert b"Your OpenPGP key has run out" not in as_("eve").get("/my/").content
    main(["check"])
    assert f"WRONG mails: 1 not sent, because the reader's key has run out or cannot be used: {case.ref}" in (
        capsys.readouterr().err
    )


def test_a_case_is_followed_and_muted_from_its_page(as_: Any, cast: Cast) -> None:
    case = make_case(cast)
    events.deliver_due()
    aud, rhea = as_("aud"), as_("rhea")
    assert b"Follow" in aud.get(f"/desk/cases/{case.ref}/").content
    assert aud.post(f"/desk/cases/{case.ref}/mail/", {"mail": "follow"}).status_code == 302
    assert b"You follow this case" in aud.get(f"/desk/cases/{case.ref}/").content
    assert rhea.post(f"/my/{case.ref}/mail/", {"mail": "mute"}).status_code == 302
    assert b"You get no mail about this case." in rhea.get(f"/my/{case.ref}/").content
    intake.acknowledge(case, by=cast.theo)
    done = events.deliver_due()
    assert (done.sent, done.skipped) == (1, 1)  # aud follows; rhea muted
    assert rhea.post(f"/my/{case.ref}/mail/", {"mail": ""}).status_code == 302
    assert events.chosen(cast.rhea.pk, case.ref) is None
    assert as_("eve").post(f"/my/{case.ref}/mail/", {"mail": "mute"}).status_code == 404


def test_a_person_gives_their_key_and_removes_it(as_: Any, cast: Cast, gnupg: Gnupg) -> None:
    rhea, page = as_("rhea"), "/my/settings/key/"
    refused = rhea.post(page, {"action": "give", "openpgp_key": gnupg.make("sign@x.example", "ed25519", "sign")})
    assert refused.status_code == 422
    assert "can sign, but nothing can be encrypted" in refused.content.decode()
    assert rhea.post(page, {"action": "give", "openpgp_key": ""}).status_code == 422
    assert rhea.post(page, {"action": "give", "openpgp_key": gnupg.make("rhea@x.example")}).status_code == 302
    text = rhea.get(page).content.decode()
    assert pgp.grouped(gnupg.fingerprint("rhea@x.example")) in text
    assert rhea.post(page, {"action": "remove"}).status_code == 302
    assert rhea.post(page, {"action": "remove"}).status_code == 404
    assert postkey.standing(cast.rhea).key is None
