"""Small slips at the report form: each is named with its mend, and nothing that was typed or chosen is lost."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from manyeyes.cases.models import Attachment, Case, Report
from manyeyes.rules import clock
from tests.people import REPRODUCER, Cast
from tests.portal.test_intake import EML, upload
from tests.portal.test_pages import sound
from tests.portal.test_report import PAGE, answers, typed

SAMPLES = Path(__file__).parents[1] / "samples"
HIDES = EML.replace(b"Assistant:", b"Assistant\xe2\x80\x8b\xe2\x80\x8b:").replace(
    b"Content-Type: text/plain\r\n", b"Content-Type: text/plain; charset=utf-8\r\n"
)


@pytest.fixture(autouse=True)
def no_limits_before() -> None:
    """The limits count per process; each test starts at zero."""
    cache.clear()


def read_file(name: str, raw: bytes) -> dict[str, str]:
    """The form as a tool's file fills it in."""
    return typed(Client().post(PAGE, {"action": "read", "toolfile": upload(name, raw)}))


def reading(name: str) -> dict[str, str]:
    """What the report that arrived says of itself."""
    return next(row for row in Report.objects.get().readings if row["name"].startswith(name))


@pytest.mark.parametrize("answered", [True, False])
def test_who_did_not_count_may_leave_that_to_the_file(cast: Cast, answered: bool) -> None:
    """The file's count goes along as the file's word; it becomes no claim of somebody who says they did not count."""
    raw = (SAMPLES / "promptfoo.results.json").read_bytes()
    read = Client().post(PAGE, {"action": "read", "toolfile": upload("promptfoo.results.json", raw)})
    asks, blocked = re.findall(r'name="(answer_\w+)" value="(\w+)"', read.content.decode())[-1]
    given = {name: value for name, value in answers(cast).items() if name not in ("claim_k", "claim_n", "submission")}
    asked = {asks: blocked} if answered else {}
    form = {**typed(read), **given, **asked, "counted": "not_counted"}
    checked = Client().post(PAGE, {**form, "action": "check"})
    assert checked.status_code == 200, sound(checked)
    sent = Client().post(PAGE, {**typed(checked), "action": "send"})
    assert sent.status_code == 201, sound(sent)
    report = Report.objects.get()
    assert (report.claim_k, report.claim_n) == (None, None)
    if answered:
        assert re.match(r"[23] of 12\b", reading("How often")["value"])
        assert reading("How often")["source"] == "counted", "by us, in the file"


def test_a_count_of_ones_own_beside_not_counted_is_still_named(cast: Cast) -> None:
    told = Client().post(PAGE, answers(cast, counted="not_counted"))
    assert told.status_code == 422
    assert "not both" in sound(told)


def test_what_an_own_file_filled_in_stays_the_files_word(cast: Cast) -> None:
    filled = read_file("x.poc.yaml", REPRODUCER.encode())
    rest = {name: answers(cast)[name] for name in ("target", "happened", "impact", "identity")}
    again = Client().post(PAGE, {**filled, **rest, "impact": "", "action": "send"})  # the form, filled in once more
    assert again.status_code == 422
    assert Client().post(PAGE, {**typed(again), "impact": "Staff.", "action": "send"}).status_code == 201
    for name in ("How often", "Kind"):
        assert reading(name)["source"].startswith("from your file"), name


@pytest.mark.parametrize(("change", "name"), [({"claim_k": "6"}, "How often"), ({"vuln_class": "PI-I"}, "Kind")])
def test_what_was_changed_by_hand_is_ones_own_word(cast: Cast, change: dict[str, str], name: str) -> None:
    filled = read_file("x.poc.yaml", REPRODUCER.encode())
    rest = {one: answers(cast)[one] for one in ("target", "happened", "impact", "identity")}
    assert Client().post(PAGE, {**filled, **rest, **change, "action": "send"}).status_code == 201
    assert reading(name)["source"] == "you said"


@pytest.mark.parametrize(("field", "label"), [("happened", "What happened"), ("reproducer", "A reproducer, pasted")])
def test_too_much_text_names_the_answer_and_the_mend(cast: Cast, settings: Any, field: str, label: str) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000
    told = Client().post(PAGE, answers(cast, **{field: "long" * 6_000}))
    assert told.status_code == 413
    assert label in sound(told)
    assert "attach that under Files" in sound(told)
    assert "longlong" not in sound(told)


@pytest.mark.parametrize("action", ["send", "save", "check"])
def test_of_too_many_files_the_first_ten_are_kept_and_the_rest_is_named(cast: Cast, action: str) -> None:
    browser = Client()
    came = [upload(f"file-{place}.txt", f"number {place}".encode()) for place in range(12)]
    told = browser.post(PAGE, {**answers(cast), "files": came, "action": action})
    assert told.status_code == 422
    words = sound(told)
    assert "file-10.txt, file-11.txt" in words
    assert typed(told)["title"] == answers(cast)["title"]
    assert [name for name in (f"file-{place}.txt" for place in range(10)) if name not in words] == []
    more = browser.post(PAGE, {**typed(told), "files": [upload("one-more.txt", b"x")], "action": action})
    assert more.status_code == 422
    assert "one-more.txt" in sound(more)
    assert browser.post(PAGE, {**typed(told), "action": "send"}).status_code == 201
    assert sorted(row.stored.name for row in Attachment.objects.all()) == [f"file-{place}.txt" for place in range(10)]


def test_what_a_mail_hides_is_counted(cast: Cast) -> None:
    checked = Client().post(PAGE, {**answers(cast), "files": [upload("invite.eml", HIDES)], "action": "check"})
    assert "2 invisible characters, 1 direction control in invite.eml" in sound(checked)
    assert Client().post(PAGE, {**typed(checked), "action": "send"}).status_code == 201
    found = [row["value"] for row in Report.objects.get().readings if row["name"] == "Hidden characters"]
    assert found == ["none", "2 invisible characters, 1 direction control in invite.eml"]


@pytest.mark.parametrize(
    ("days", "taken"), [(0, True), (90, True), (-400, True), (5 * 366, True), (5 * 366 + 2, False), (-3000, False)]
)
def test_a_day_of_publication_lies_within_sight(cast: Cast, days: int, taken: bool) -> None:
    day = (clock.now() + timedelta(days=days)).date().isoformat()
    told = Client().post(PAGE, answers(cast, publish_on=day))
    assert told.status_code == (201 if taken else 422)
    assert taken or "more than five years from today" in sound(told)


@pytest.mark.parametrize("typed_in", ["9999-12-31", "0001-01-01"])
def test_a_year_that_cannot_be_meant(cast: Cast, typed_in: str) -> None:
    told = Client().post(PAGE, answers(cast, publish_on=typed_in))
    assert told.status_code == 422
    assert "more than five years from today" in sound(told)
    assert not Case.objects.exists()


def test_the_bearer_of_a_receipt_is_not_called_signed_in(cast: Cast) -> None:
    browser = Client()
    assert browser.post(PAGE, answers(cast)).status_code == 201
    page = sound(browser.get(PAGE))
    assert "You came with a receipt." in page
    assert "You are signed in as" not in page
    assert "You are signed in as" not in sound(Client().get(PAGE))
