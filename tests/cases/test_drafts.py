"""Drafts and files on their way: kept under the key of the program, moved under that of the case, gone when sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from manyeyes.cases import arrival, drafts, intake, keeping
from manyeyes.cases.keeping import Brought
from manyeyes.cases.models import Attachment, Case, Draft, DraftFile
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid, NotFound
from manyeyes.vault import files
from manyeyes.vault.models import StoredFile
from tests.people import Cast, make_report

A_FILE = Brought(name="a.txt", chunks=[b"a ", b"file"])


def test_a_draft_moves_under_the_key_of_its_case(cast: Cast) -> None:
    found = drafts.save(cast.program, {"typed": {"title": "x"}}, brought=[A_FILE])
    assert found.files[0].stored.key_id == cast.program.key_id
    sent = intake.submit(cast.program, make_report(cast, anonymous=True), draft=found.draft, files=[A_FILE])
    rows = Attachment.objects.filter(case=sent.case)
    assert {row.stored.key_id for row in rows} == {sent.case.key_id}
    assert [files.read_all(row.stored) for row in rows] == [b"a file"] * 2
    assert not Draft.objects.exists()
    assert StoredFile.objects.count() == 2
    assert intake.report_is_as_sent(sent.case)


def test_a_changed_answer_or_file_is_noticed(cast: Cast) -> None:
    case = intake.submit(cast.program, make_report(cast, answers={"live": "yes"}), by=cast.rhea, files=[A_FILE]).case
    assert intake.report_is_as_sent(case)
    row = case.attachments.get()
    stored, row.stored.sha256 = row.stored.sha256, "0" * 64
    row.stored.save()
    assert not intake.report_is_as_sent(Case.objects.get(pk=case.pk))
    row.stored.sha256 = stored
    row.stored.save()
    assert intake.report_is_as_sent(Case.objects.get(pk=case.pk))


def test_what_is_refused_leaves_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid):
        intake.submit(cast.program, make_report(cast), by=cast.rhea, files=[A_FILE, Brought(name="b", chunks=[])])
    assert not StoredFile.objects.exists()

    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the database is gone")

    monkeypatch.setattr(arrival.events, "record", fails)
    found = drafts.save(cast.program, {}, brought=[A_FILE])
    with pytest.raises(RuntimeError):
        intake.submit(cast.program, make_report(cast), by=cast.rhea, files=[A_FILE], draft=found.draft)
    assert not Case.objects.exists()
    assert [row.stored.name for row in DraftFile.objects.all()] == ["a.txt"], "the draft is as it was"
    assert StoredFile.objects.count() == 1


def test_a_code_finds_its_own_draft_and_no_other(cast: Cast) -> None:
    mine, other = drafts.save(cast.program, {"typed": {"title": "mine"}}), drafts.save(cast.program, {})
    assert mine.code != other.code
    assert mine.code not in repr(Draft.objects.get(pk=mine.draft.pk).__dict__)
    again = drafts.find(cast.program, f" {mine.code.lower()} ")
    assert again is not None
    assert again.draft.answers == {"typed": {"title": "mine"}}
    for word in ("", "x", str(mine.draft.pk), mine.code[:-1], mine.code[::-1]):
        assert drafts.find(cast.program, word) is None
    with pytest.raises(Conflict):
        drafts.wanted(cast.program, "gone")


def test_a_draft_of_an_account_is_its_own(cast: Cast) -> None:
    found = drafts.save(cast.program, {}, by=cast.rhea)
    assert found.code == ""
    assert drafts.own(cast.rhea, found.draft.pk) == found.draft
    for viewer in (cast.eve, cast.theo, cast.nobody, None):
        assert drafts.find(cast.program, found.token, by=viewer) is None
        with pytest.raises(NotFound):
            drafts.own(viewer, found.draft.pk)
    assert drafts.of(cast.eve) == []


def test_fourteen_days_and_their_end(cast: Cast) -> None:
    old, young = drafts.save(cast.program, {}, brought=[A_FILE]), drafts.save(cast.program, {})
    Draft.objects.filter(pk=old.draft.pk).update(saved_at=clock.now() - timedelta(days=14))
    Draft.objects.filter(pk=young.draft.pk).update(saved_at=clock.now() - timedelta(days=13, hours=23))
    assert drafts.find(cast.program, old.code) is None
    place = files.path_of(old.files[0].stored.pk)
    assert place.exists()
    assert drafts.sweep() == 1
    assert [row.pk for row in Draft.objects.all()] == [young.draft.pk]
    assert not StoredFile.objects.exists()


def test_bounds(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    found = drafts.save(cast.program, {}, brought=[A_FILE] * drafts.MOST_FILES)
    with pytest.raises(Invalid):
        drafts.save(cast.program, {}, token=found.token, brought=[A_FILE])
    with pytest.raises(Invalid):
        intake.submit(cast.program, make_report(cast), by=cast.rhea, draft=found.draft, files=[A_FILE])
    monkeypatch.setattr(drafts, "MOST_BYTES", 5)
    with pytest.raises(Invalid, match="no room"):
        drafts.save(cast.program, {}, brought=[A_FILE])
    assert drafts.save(cast.program, {"typed": {}}).draft.pk, "words are kept all the same"
    monkeypatch.setattr(drafts, "MOST_OF_ONE", 1)
    drafts.save(cast.program, {}, by=cast.rhea)
    with pytest.raises(Invalid):
        drafts.save(cast.program, {}, by=cast.rhea)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\x\\y.txt", "y.txt"), ("a\r\nB: c.txt", "a B: c.txt"), ("  a  b ", "a b")],
)
def test_names_keep_their_last_part_on_one_line(name: str, kept: str) -> None:
    assert keeping.clean_name(name) == (kept, [])
    for bad in ("x\x00", "\ud800"):
        with pytest.raises(Invalid) as caught:
            keeping.clean_name(bad)
        assert list(caught.value.fields) == ["file"]


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/", "C:\\x\\"])
def test_a_file_without_a_name_gets_one_and_it_is_said(name: str) -> None:
    kept, said = keeping.clean_name(name)
    assert (kept, len(said)) == ("unnamed-file", 1)


def test_counts_that_are_no_rate_and_the_tray(cast: Cast, settings: Any) -> None:
    settings.MANYEYES_PROGRAM_REPORTS_PER_HOUR = 1
    first = intake.submit(cast.program, make_report(cast, counted_how="best"), by=cast.rhea).case
    second = intake.submit(cast.program, make_report(cast), by=cast.rhea).case
    assert (first.deferred_at, second.deferred_at) == (None, second.created_at)
    assert first.reports.get().claim_biased
    with pytest.raises(Invalid) as refused:
        intake.submit(cast.program, make_report(cast, csam=True, submission_id=uuid4()), by=cast.rhea)
    assert list(refused.value.fields) == ["csam"]
    assert Case.objects.count() == 2
