"""Whoever leaves takes what was theirs along: nothing of it opens any more, not even from a copy made before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from manyeyes import events
from manyeyes.accounts import profiles
from manyeyes.accounts.models import Person
from manyeyes.accounts.profiles import Said
from manyeyes.cases import (
    access,
    claiming,
    conversation,
    coreporters,
    drafts,
    duplicates,
    intake,
    personal,
    queue,
    senders,
    triage,
)
from manyeyes.cases.models import Case, Report
from manyeyes.publications import credit, hall
from manyeyes.vault import files, keyring
from manyeyes.vault.fields import EncryptedField
from manyeyes.vault.keyring import Shredded
from manyeyes.vault.models import DataKey, Encrypted, StoredFile
from tests.marker import find_in_database
from tests.people import PASSWORD, Cast, make_case, make_report, submit

MARK = "Zephyrine-Quillfeather"
EVIDENCE = "It told me the internal code"


def proved(person: Any) -> Client:
    """Somebody who signed in and typed their password once more."""
    client = Client()
    client.force_login(person)
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    return client


def rows() -> list[Any]:
    """Every encrypted row as it lies in the database, nothing opened."""
    found = []
    for model in apps.get_models():
        if issubclass(model, Encrypted):
            found += list(model._default_manager.all())
    return found


def opened(copies: list[Any]) -> Iterator[str]:
    """Every text that these rows and their files still give away."""
    keyring.forget()
    for row in copies:
        for field in row._meta.concrete_fields:
            if isinstance(field, EncryptedField):
                try:
                    yield str(getattr(row, field.attname))
                except Shredded:
                    continue
        if isinstance(row, StoredFile):
            try:
                yield b"".join(files.read(row)).decode("utf-8", "replace")
            except (Shredded, FileNotFoundError):
                continue


def marked(cast: Cast) -> tuple[Case, Case]:
    """Rhea has said who she is wherever one can: an open case, and one that she withdrew."""
    Person.objects.filter(pk=cast.rhea.pk).update(display_name=MARK)
    cast.rhea.refresh_from_db()
    profiles.say(cast.rhea, Said(credit_name=MARK, links=[f"https://{MARK.lower()}.example/"]))
    kept = intake.submit(
        cast.program, make_report(cast, contact=f"{MARK}@far.example", own_ref=f"{MARK}-1"), by=cast.rhea
    ).case
    credit.choose(kept, by=cast.rhea, mode="name", name=MARK, link=f"https://{MARK.lower()}.example/")
    gone = intake.submit(
        cast.program,
        make_report(cast, title=MARK, happened=f"I, {MARK}, saw it.", steps=MARK, impact=MARK),
        by=cast.rhea,
        files=[intake.Brought(name=f"{MARK}.txt", chunks=[MARK.encode()])],
    ).case
    conversation.say(gone, by=cast.rhea, text=f"Call me {MARK}.", public=True)
    triage.withdraw(gone, by=cast.rhea)
    file = intake.Brought(name="half.txt", chunks=[MARK.encode()])
    drafts.save(cast.program, {"typed": {"title": MARK}}, by=cast.rhea, brought=[file])
    return kept, gone


def test_nothing_of_the_person_opens_afterwards(cast: Cast) -> None:
    kept, gone = marked(cast)
    before = rows()
    assert sum(MARK in text for text in opened(rows())) > 8, "it is there to be found"
    rhea = proved(cast.rhea)
    page = rhea.get("/my/settings/leave/").content.decode()
    for ref, what in ((kept.ref, "stays, without you"), (gone.ref, "destroyed")):
        assert what in page.partition(ref)[2].partition("</tr>")[0]
    assert rhea.post("/my/settings/leave/", {"sure": "on"}).status_code == 200
    assert find_in_database(MARK, connection) == []
    assert find_in_database("rhea@larkfield.example", connection) == []
    assert [text for text in opened(rows()) if MARK.lower() in text.lower()] == []
    left = [text for text in opened(before) if MARK.lower() in text.lower()]
    assert left == [], "a copy of the rows from before, with the keys of today, tells nothing either"
    assert DataKey.objects.get(pk=gone.key_id).destroyed_at is not None
    assert any(EVIDENCE in text for text in opened(rows())), "what the team works on is still there"
    assert Report.objects.get(case=kept).steps


def test_what_was_destroyed_is_not_there_and_breaks_no_page(cast: Cast, settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    kept, gone = marked(cast)
    proved(cast.rhea).post("/my/settings/leave/", {"sure": "on"})
    theo, lena = Client(), Client()
    theo.force_login(cast.theo)
    lena.force_login(cast.lena)
    for path in ("/desk/", "/desk/?view=closed", f"/desk/?q={gone.ref}", "/thanks/", "/p/wicket/"):
        assert theo.get(path).status_code == 200, path
    assert theo.get(f"/desk/cases/{gone.ref}/").status_code == 404
    assert theo.get(f"/desk/cases/{kept.ref}/").status_code == 200
    assert gone.pk not in {row.pk for row in queue.cases(cast.theo, view="closed")}
    assert events.verify_chain(gone.subject) is None, "the log of acts holds, without a word of it"
    assert [event.kind for event in events.log(gone.subject)][-1] == "reporter.left"
    assert access.visible_to(cast.lena).filter(pk=gone.pk).count() == 0
    assert hall.of_fame(cast.program) == []


@pytest.mark.parametrize("how", ["duplicate", "replayed", "shared", "confirmed", "appealed"])
def test_evidence_stays(cast: Cast, how: str) -> None:
    """A report that others lean on is no report that came to nothing."""
    case = make_case(cast, at={"replayed": "reproduced", "confirmed": "confirmed"}.get(how, "acknowledged"))
    if how == "duplicate":
        duplicates.mark(submit(cast, by=cast.eve), by=cast.theo, of=case)
    if how == "shared":
        coreporters.invite(case, by=cast.rhea, handle="eve_x")
        coreporters.accept(coreporters.waiting_for(cast.eve)[0], by=cast.eve)
    if how == "confirmed":
        assert [fate.goes for fate in personal.fates(cast.rhea)] == [False]
        return
    triage.close(case, by=cast.theo, reason="informative", words="It is as meant.")
    if how == "appealed":
        triage.appeal(case, by=cast.rhea, words="It is not.")
    assert [fate.goes for fate in personal.fates(cast.rhea)] == [False], how
    personal.forget(cast.rhea)
    assert Report.objects.get(case=case).steps


def test_a_name_that_may_stay_outlasts_the_persons_key(cast: Cast) -> None:
    case = make_case(cast, at="resolved")
    credit.choose(case, by=cast.rhea, mode="name", name="Rhea K.")
    proved(cast.rhea).post("/my/settings/leave/", {"sure": "on", "keep_credit": "on"})
    keyring.forget()
    assert credit.bylines(case) == [("Rhea K.", "")]
    assert "Rhea K." in Client().get("/thanks/").content.decode()


def test_reports_of_an_older_version_lose_their_sender_too(cast: Cast) -> None:
    """They hold contact and number themselves, under the key of their case."""
    case = submit(cast, by=cast.rhea)
    row = case.reports.get()
    row.contact, row.own_ref = "old@far.example", "OLD-1"
    super(Report, row).save()
    assert senders.of(row) == senders.Told(contact="old@far.example", own_ref="OLD-1")
    personal.forget(cast.rhea)
    assert senders.of(case.reports.get()) == senders.Told()


def test_the_bearer_of_a_receipt_leaves_the_same_way(cast: Cast) -> None:
    sent = intake.submit(cast.program, make_report(cast, contact=f"{MARK}@far.example"))
    before = rows()
    client = Client()
    client.post("/return/", {"digits": sent.receipt})
    assert client.post("/my/settings/leave/", {"sure": "on"}).status_code == 200
    assert [text for text in opened(before) if MARK in text] == []


def test_a_claimed_report_takes_its_sender_into_the_account(cast: Cast) -> None:
    sent = intake.submit(cast.program, make_report(cast, contact=f"{MARK}@far.example"))
    claiming.claim(sent.case.reporter, by=cast.rhea, end_receipt=True)
    assert senders.of(sent.case.reports.get()).contact == f"{MARK}@far.example"
    before = rows()
    personal.forget(cast.rhea)
    proved(cast.rhea).post("/my/settings/leave/", {"sure": "on"})
    assert [text for text in opened(before) if MARK in text] == []
