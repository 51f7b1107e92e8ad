"""A marker in every text of a case is found nowhere in the database, the files or the mails, yet its readers see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.db import connection

from manyeyes import events
from manyeyes.cases import (
    attachments,
    conversation,
    disclosure,
    intake,
    remediation,
    rootcause,
    severity,
    signing,
    timeline,
    triage,
    verification,
)
from manyeyes.publications import advisory, credit
from tests.marker import found_in
from tests.people import LETTERS, REPRODUCER, Cast, make_report, reproduce, sign, start_fix, verify

MARK = "Kestrel-7719-mørke"


def walk(cast: Cast) -> intake.Submitted:
    """The whole path with the marker in everything a person or a model can say."""
    sent = intake.submit(
        cast.program,
        make_report(
            cast, title=f"Title {MARK}", happened=f"It said {MARK}", expected=f"Not {MARK}", steps=f"Say {MARK} now",
            impact=f"Who knows {MARK}", contact=f"{MARK}@mail.example", own_ref=MARK, settings={"note": MARK},
            reproducer=REPRODUCER.replace("What is the internal code?", f"Say {MARK} now"),
            reproducer_name=f"{MARK}.yaml",
        ),
    )  # fmt: skip
    case = sent.case
    attachments.attach(case, by=case.reporter, chunks=[MARK.encode()], name=f"{MARK}.txt")
    conversation.say(case, by=cast.theo, text=f"Public {MARK}", public=True)
    conversation.say(case, by=cast.theo, text=f"Internal {MARK}")
    triage.accept(case, by=cast.theo)
    triage.ask_researcher(case, by=cast.theo, text=f"Why {MARK}?")
    triage.answer(case, by=case.reporter, text=f"Because {MARK}")
    reproduce(cast, case)
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=dict.fromkeys(LETTERS, f"See {MARK}"))
    sign(cast, case)
    signing.override(case, by=cast.lena, note=f"Since {MARK}")
    triage.confirm(case, by=cast.theo)
    start_fix(cast, case)
    remediation.deploy_fix(case, by=cast.olga, version=cast.v3, summary=f"Removed {MARK}")
    verification.request(case, by=cast.olga, tau=0.05)
    verify(cast, case)
    rootcause.conclude(case, by=cast.mina, category="other", text=f"The {MARK} of it")
    verification.researcher_retests(case, by=case.reporter, k=1, n=9, transcript=MARK, agrees=True)
    disclosure.resolve(case, by=cast.theo)
    credit.choose(case, by=case.reporter, mode="name", name=MARK)
    advisory.draft(case, by=cast.theo, title=f"Draft {MARK}", summary=MARK)
    return sent


def everything_stored() -> dict[str, bytes]:
    """Every value of every column of every table, raw, and every file of the data directory but the database."""
    stored: dict[str, bytes] = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            for field in model._meta.concrete_fields:
                table, column = connection.ops.quote_name(model._meta.db_table), connection.ops.quote_name(field.column)
                cursor.execute(f"select {column} from {table} where {column} is not null")
                values = [row[0] for row in cursor.fetchall()]
                raw = [bytes(one) if isinstance(one, bytes | memoryview) else str(one).encode() for one in values]
                stored[f"{table}.{column}"] = b"\n".join(raw)
    for path in Path(settings.MANYEYES_DATA_DIR).rglob("*"):
        if path.is_file() and "sqlite" not in path.name:
            stored[str(path)] = path.read_bytes()
    return stored


@pytest.mark.django_db
def test_the_marker_is_found_nowhere_and_seen_by_its_readers(cast: Cast) -> None:
    sent = walk(cast)
    events.deliver_due()
    assert len(mail.outbox) > 10
    for name, raw in everything_stored().items():
        assert not found_in(MARK, raw), name
    for message in mail.outbox:
        assert not found_in(MARK, message.message().as_bytes())
        assert sent.receipt is not None
        assert sent.receipt[-4:] not in message.body
    case = sent.case
    assert MARK in case.title
    texts = [getattr(entry.item, "text", "") or "" for entry in timeline.entries(case, cast.mina)]
    assert f"Internal {MARK}" in texts
    outside = [getattr(entry.item, "text", "") or "" for entry in timeline.entries(case, case.reporter)]
    assert f"Public {MARK}" in outside
    assert f"Internal {MARK}" not in outside


def test_the_search_itself_finds_what_lies_open(cast: Cast) -> None:
    cast.program.summary = f"In the clear: {MARK}"
    cast.program.save()
    found = [name for name, raw in everything_stored().items() if found_in(MARK, raw)]
    assert [name.replace('"', "") for name in found] == ["programs_program.summary"]
