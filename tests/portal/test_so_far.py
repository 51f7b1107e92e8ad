"""The panel beside the form: reads what is there, asks for what is not, and keeps nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from manyeyes.cases.models import Report
from manyeyes.cases.unsent import Draft
from manyeyes.charts import inert
from manyeyes.vault.models import StoredFile
from tests.journeys.site import REPORT
from tests.people import Cast

As = Callable[[str], Client]


def look(browser: Client, cast: Cast, **typed: Any) -> str:
    answer = browser.post(f"/p/{cast.program.slug}/report/so-far/", typed)
    assert answer.status_code == 200
    assert not answer.cookies, "no cookie before sending"
    return answer.content.decode()


def test_an_empty_form_says_what_is_asked_and_reads_nothing_into_it(cast: Cast, as_: As) -> None:
    page = look(as_("nobody"), cast)
    assert "0 of 8 answers" in page
    for asked in ("id_title", "id_happened", "id_steps", "id_impact", "id_counted", "id_identity"):
        assert f'href="#{asked}' in page, asked
    assert "not counted" not in page, "nobody has said so yet"
    assert "a person answers by" not in page


def test_each_answer_is_read_with_its_source(cast: Cast, as_: As) -> None:
    page = look(
        as_("nobody"), cast, vuln_class="HC", steps="Say\u200b it", counted="counted", claim_k="7", claim_n="10",
        temperature="0.7", success_how="contains", success_text="BLUE-HERON-42",
    )  # fmt: skip
    assert "7 of 10" in page
    assert "35 % to 93 %" in page
    assert "<svg" in page
    assert inert.counted("Say\u200b it") in page
    assert "BLUE-HERON-42" in page
    assert "3 of 8 answers" in page, "kind, steps and count"


def test_a_whole_report_says_when_a_person_answers(cast: Cast, as_: As) -> None:
    page = look(as_("nobody"), cast, **{**REPORT, "target": str(cast.target.pk), "identity": "anonymous"})
    assert "8 of 8 answers" in page
    assert "Still to say" not in page
    assert "a person answers by" in page
    signed_in = {name: value for name, value in REPORT.items() if name not in ("identity", "contact")}
    assert "8 of 8 answers" in look(as_("rhea"), cast, **{**signed_in, "target": str(cast.target.pk)})


@pytest.mark.parametrize(
    "typed",
    [
        {"vuln_class": "XX"}, {"counted": "counted", "claim_k": "9", "claim_n": "3"}, {"hazard": "zz"},
        {"counted": "counted", "claim_n": "many"}, {"success_how": "?", "success_text": "x"}, {"draft": "nothing"},
        {"conversation": "no role"}, {"reproducer": "a: [", "success_text": "x" * 9_000}, {"publish_on": "soon"},
        {"submission": "x"}, {"title": "x\x00y", "target": "x"}, {"vuln_class": "HC", "q_live": "perhaps"},
    ],
)  # fmt: skip
def test_whatever_is_typed_halfway_breaks_nothing(cast: Cast, as_: As, typed: dict[str, str]) -> None:
    assert "of 8 answers" in look(as_("nobody"), cast, **typed)


def test_hostile_text_stays_text(cast: Cast, as_: As) -> None:
    page = look(as_("nobody"), cast, success_how="contains", success_text="<script>alert(1)</script>\u202e")
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_nothing_of_it_is_kept(cast: Cast, as_: As) -> None:
    look(as_("nobody"), cast, **{**REPORT, "target": str(cast.target.pk)})
    assert [model.objects.count() for model in (Report, Draft, StoredFile)] == [0, 0, 0]


def test_what_may_not_be_sent_is_stopped_here_too(cast: Cast, as_: As) -> None:
    page = look(as_("nobody"), cast, csam="on", steps="quokka")
    assert "do not send" in page
    assert "quokka" not in page


def test_other_sites_and_floods_get_nothing(cast: Cast, as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
    where = f"/p/{cast.program.slug}/report/so-far/"
    assert as_("nobody").post(where, {}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert as_("nobody").get(where).status_code == 405
    monkeypatch.setattr("manyeyes.portal.views.live.LOOKS", 0)
    answer = as_("nobody").post(where, {"title": "x"})
    assert (answer.status_code, answer.content) == (204, b"")
