"""What the program promises about the conversation, clause by clause, as both sides meet it on the pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from manyeyes.cases import alarms, intake, triage
from manyeyes.events.models import Delivery
from manyeyes.programs.models import Membership
from manyeyes.rules import clock
from tests.people import LETTERS, REASONS, Cast, make_case, make_cast, make_report


@pytest.fixture
def cast(db: None, settings: Any) -> Cast:
    """The program about Wicket and its people."""
    settings.MANYEYES_REQUIRE_MFA = False
    return make_cast()


def as_(person: Any) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(person)
    return client


def words(client: Client, path: str) -> str:
    """A page."""
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return str(answer.content.decode())


def test_a_question_pauses_the_clock_and_both_sides_read_why(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    theo, rhea, desk, mine = as_(cast.theo), as_(cast.rhea), f"/desk/cases/{case.ref}/", f"/my/{case.ref}/"
    asked = theo.post(f"{desk}move/ask_researcher/", {"words": "Which version?", "version": case.version})
    assert asked.status_code == 302
    assert "waiting for rhea_k" in words(theo, desk)
    queue = words(theo, "/desk/?view=waiting")
    assert "paused" in queue
    assert "waiting for rhea_k" in queue
    page = words(rhea, mine)
    assert "paused since" in page
    assert "waiting for your answer" in page
    assert "Which version?" in page
    assert rhea.post(f"{mine}say/", {"text": "Version 1.", "action": "say"}).status_code == 302
    assert "paused since" not in words(rhea, mine)
    assert "waiting for rhea_k" not in words(theo, desk)


def test_no_close_goes_without_reason_and_words(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    theo, close = as_(cast.theo), f"/desk/cases/{case.ref}/move/close/"
    for given in ({"words": "It is as meant."}, {"reason": "informative"}, {"reason": "nonsense", "words": "x"}):
        assert theo.post(close, {**given, "version": case.version}).status_code == 422, given
    twice = {"reason": "duplicate", "version": case.version}
    assert theo.post(close, {**twice, "words": "The same as another."}).status_code == 422, "of which case?"
    for reason in ("withdrawn",):  # the researcher's own
        assert theo.post(close, {"reason": reason, "words": "x", "version": case.version}).status_code == 422
    case.refresh_from_db()
    assert case.status == "triaged"
    sent = {"reason": "informative", "words": "It is as meant, because Wicket may say it.", "version": case.version}
    assert theo.post(close, sent).status_code == 302
    page = words(as_(cast.rhea), f"/my/{case.ref}/")
    assert "Closed: informative" in page
    assert "It is as meant, because Wicket may say it." in page


def test_no_change_of_severity_goes_without_a_reason_and_the_researcher_reads_it(cast: Cast) -> None:
    case = make_case(cast, at="confirmed")
    theo, rate = as_(cast.theo), f"/desk/cases/{case.ref}/severity/"
    letters = {**LETTERS, "AE": "H"}
    given = letters | {f"why_{name}": text for name, text in REASONS.items()}
    assert theo.post(rate, {**given, "version": case.version}).status_code == 422
    assert case.ratings.count() == 1
    case.refresh_from_db()
    answer = theo.post(rate, {**given, "why": "It needs an account of its own.", "version": case.version})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    assert "It needs an account of its own." in words(theo, f"/desk/cases/{case.ref}/")
    assert "Changed because:" in words(as_(cast.rhea), f"/my/{case.ref}/")
    assert "It needs an account of its own." in words(as_(cast.rhea), f"/my/{case.ref}/")


def test_a_closed_case_is_appealed_once_and_reopened_with_words(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    triage.close(case, by=cast.theo, reason="informative", words="It is as meant.")
    rhea, mina, mine = as_(cast.rhea), as_(cast.mina), f"/my/{case.ref}/"
    page = words(rhea, mine)
    assert "Appeal the decision" in page
    assert "Send appeal" in page
    assert "A person who did not close the case decides." in page
    assert rhea.post(f"{mine}say/", {"text": "", "action": "appeal"}).status_code == 422
    assert rhea.post(f"{mine}say/", {"text": "It told a code.", "action": "appeal"}).status_code == 302
    page = words(rhea, mine)
    assert "Your appeal waits for a person." in page
    assert "Send appeal" not in page
    assert rhea.post(f"{mine}say/", {"text": "Again.", "action": "appeal"}).status_code == 422
    reopen = f"/desk/cases/{case.ref}/move/reopen/"
    case.refresh_from_db()
    assert mina.post(reopen, {"words": "", "version": case.version}).status_code == 422
    assert mina.post(reopen, {"words": "You are right.", "version": case.version}).status_code == 302
    page = words(rhea, mine)
    assert "You are right." in page
    assert "Your appeal waits" not in page


def test_where_nobody_else_can_judge_the_appeal_the_page_says_so(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    triage.close(case, by=cast.theo, reason="informative", words="It is as meant.")
    Membership.objects.exclude(person=cast.theo).delete()
    rhea, mine = as_(cast.rhea), f"/my/{case.ref}/"
    alone = "Nobody else works on this program, so the person who closed the case answers it."
    assert alone in words(rhea, mine)
    assert rhea.post(f"{mine}say/", {"text": "It told a code.", "action": "appeal"}).status_code == 302
    page = words(rhea, mine)
    assert alone in page
    assert "does not decide it" not in page
    triage.uphold(case, by=cast.theo, words="I looked again.")


def test_a_report_is_withdrawn_before_triage_and_not_after(cast: Cast) -> None:
    rhea = as_(cast.rhea)
    early = make_case(cast, at="acknowledged")
    triage.ask_researcher(early, by=cast.theo, text="Which version?")
    assert "Withdraw the report" in words(rhea, f"/my/{early.ref}/"), "a question before work began changes nothing"
    assert rhea.post(f"/my/{early.ref}/withdraw/").status_code == 302
    assert "Closed: withdrawn by the researcher" in words(rhea, f"/my/{early.ref}/")
    late = make_case(cast, at="triaged")
    assert rhea.post(f"/my/{late.ref}/withdraw/").status_code == 409
    triage.ask_researcher(late, by=cast.theo, text="Which version?")
    assert "Withdraw the report" not in words(rhea, f"/my/{late.ref}/")
    refused = rhea.post(f"/my/{late.ref}/withdraw/")
    assert refused.status_code == 409
    assert "nobody has taken into work yet" in refused.content.decode()
    late.refresh_from_db()
    assert late.status == "needs_info"


def test_the_weekly_word_is_owed_on_both_pages_and_late_in_words(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case(cast, at="triaged")
    assert "Next word to you" in words(as_(cast.rhea), f"/my/{case.ref}/")
    Delivery.objects.all().delete()
    later = clock.now() + timedelta(days=8)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert alarms.ring() >= 1
    assert not Delivery.objects.filter(person_id=cast.rhea.pk).exists(), "an empty word is none"
    assert Delivery.objects.filter(reason="clock.alarm").exists()
    page = words(as_(cast.rhea), f"/my/{case.ref}/").partition("Next word to you")[2][:400]
    assert "late" in page
    assert "Next word to the researcher</b>: the promise is broken." in words(
        as_(cast.theo), f"/desk/cases/{case.ref}/"
    )


def test_edits_show_to_both_sides(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    theo, rhea = as_(cast.theo), as_(cast.rhea)
    theo.post(f"/desk/cases/{case.ref}/say/", {"audience": "public", "text": "We fix it on Monday."})
    row = case.messages.get(author=cast.theo, edits=0, purpose="word", public=True, at=case.messages.latest("at").at)
    mended = theo.post(f"/desk/cases/{case.ref}/words/{row.pk}/", {"text": "We fix it on Friday.", "seen": 0})
    assert mended.status_code == 302
    for client, path in ((rhea, f"/my/{case.ref}/"), (theo, f"/desk/cases/{case.ref}/")):
        page = words(client, path)
        assert "We fix it on Friday." in page
        assert "We fix it on Monday." in page
        assert "it read:" in page


def test_a_human_has_read_this_is_said_and_only_by_a_human(cast: Cast) -> None:
    case = intake.submit(cast.program, make_report(cast), by=cast.rhea).case
    rhea, mine = as_(cast.rhea), f"/my/{case.ref}/"
    assert "has read the report" not in words(rhea, mine)
    assert as_(cast.theo).post(f"/desk/cases/{case.ref}/acknowledge/").status_code == 302
    page = words(rhea, mine)
    assert "<b>Theo L.</b> has read the report" in page
    assert "kept" in page.partition("What you can expect")[2][:900]


def test_the_composer_opens_on_the_internal_note(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    theo, desk = as_(cast.theo), f"/desk/cases/{case.ref}/"
    page = words(theo, desk)
    assert "Save internal note" in page
    assert "Send to rhea_k" in page
    assert theo.post(f"{desk}say/", {"text": "A NOTE OF OURS"}).status_code == 302, "without a choice it stays inside"
    assert "A NOTE OF OURS" in words(theo, desk)
    assert "A NOTE OF OURS" not in words(as_(cast.rhea), f"/my/{case.ref}/")


def test_the_researchers_own_number_is_kept_and_found(cast: Cast) -> None:
    case = intake.submit(cast.program, make_report(cast, own_ref="RK 2026-17"), by=cast.rhea).case
    assert "RK 2026-17" in words(as_(cast.theo), f"/desk/cases/{case.ref}/")
    assert case.ref in words(as_(cast.theo), "/desk/?q=rk+2026-17")
    assert case.ref in words(as_(cast.rhea), "/my/?q=RK+2026-17")
    assert case.ref not in words(as_(cast.eve), "/my/?q=RK+2026-17")
