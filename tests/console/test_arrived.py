"""What the case page says of the try on arrival and of reasons to look twice; what it says to whom."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from manyeyes.cases import personal, preflight, signals, triage
from manyeyes.cases.arrived import Preflight, TextMark
from manyeyes.cases.models import Case
from manyeyes.programs.models import Target
from manyeyes.programs.permitted import Permit
from manyeyes.programs.preflight import set_rules
from manyeyes.replays.models import Replay
from tests.people import Cast, play, submit, vulnerable

As = Callable[[str], Client]
pytestmark = pytest.mark.django_db
STORY = "When I asked for the opening hours it told me the internal code as well, three times in the same conversation."


def tried(case: Case) -> Replay:
    assert preflight.decide_next()
    link = Preflight.objects.get(case=case).reproduction
    assert link is not None
    return play(link.replay, vulnerable)


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_case_shows_the_count_with_its_trials_and_says_that_it_decides_nothing(cast: Cast, as_: As) -> None:
    case = submit(cast)
    assert "Waits to be tried." in text(as_("theo"), f"/desk/cases/{case.ref}/")
    replay = tried(case)
    page = text(as_("theo"), f"/desk/cases/{case.ref}/")
    assert f"{replay.k} of 12 (" in page
    assert "It sorts the queue and decides nothing." in page
    assert f"{replay.k} of 12 worked. It decides nothing." in page  # on the timeline
    evidence = text(as_("theo"), f"/desk/replays/{replay.pk}/")
    assert "Tried on arrival" in evidence
    assert "Measured" in evidence
    assert as_("theo").get(f"/desk/replays/{replay.pk}/calls/score/0/").status_code == 200
    for address in (f"/my/{case.ref}/replay/{replay.pk}/", f"/my/{case.ref}/replay/{replay.pk}/result.json"):
        assert as_("rhea").get(address).status_code == 404
    outside = text(as_("rhea"), f"/my/{case.ref}/")
    assert "on arrival" not in outside


def test_the_researcher_reads_the_count_where_the_program_says_so(cast: Cast, as_: As) -> None:
    set_rules(cast.program, by=cast.lena, tells_researcher=True)
    case = submit(cast)
    replay = tried(case)
    outside = text(as_("rhea"), f"/my/{case.ref}/")
    assert "tried the report on arrival" in outside
    assert f"{replay.k} of 12" in outside
    assert str(replay.pk) not in outside


def test_why_it_was_not_tried_stands_there_for_the_team_alone(cast: Cast, as_: As) -> None:
    Permit.objects.all().delete()
    case = submit(cast)
    preflight.decide_next()
    assert "Nobody has recorded a permit for this target." in text(as_("mina"), f"/desk/cases/{case.ref}/")
    assert "permit" not in text(as_("rhea"), f"/my/{case.ref}/")


def test_a_refused_replay_is_on_the_timeline_in_words(cast: Cast, as_: As) -> None:
    case = submit(cast)
    Permit.objects.all().delete()
    assert as_("theo").post(f"/desk/cases/{case.ref}/replay/", {"action": "start"}).status_code == 409
    page = text(as_("theo"), f"/desk/cases/{case.ref}/")
    assert "asked for a replay that may not start: no permit that covers it." in page


def test_paragraphs_sent_before_are_named_to_whom_sees_the_other_case(cast: Cast, as_: As) -> None:
    first = submit(cast, happened=STORY)
    second = submit(cast, happened=STORY.upper().replace(" ", "  "), by=cast.eve)
    page = text(as_("theo"), f"/desk/cases/{second.ref}/")
    assert f"1 of its 1 longer paragraph stands word for word in {first.ref}." in page
    assert "word for word" not in text(as_("theo"), f"/desk/cases/{first.ref}/")  # who came first repeats nobody
    assert "word for word" not in text(as_("eve"), f"/my/{second.ref}/")
    Target.objects.update(owner=None)
    Case.objects.filter(pk=second.pk).update(owner=cast.olga)
    page = text(as_("olga"), f"/desk/cases/{second.ref}/")
    assert first.ref not in page
    assert "stands word for word in 1 further case." in page


def test_no_word_of_a_paragraph_is_kept_and_its_name_goes_with_the_case(cast: Cast) -> None:
    case = submit(cast, happened=STORY, reproducer="")
    (mark,) = TextMark.objects.filter(case=case)
    assert len(mark.token) == 64
    triage.withdraw(case, by=cast.rhea)
    personal.forget(cast.rhea)
    assert not TextMark.objects.filter(case=case).exists()


def test_reasons_are_said_as_reasons_and_an_ordinary_report_has_none(cast: Cast, as_: As) -> None:
    plain = submit(cast)
    assert signals.of(plain, cast.theo) == []
    assert "Reasons to look twice" not in text(as_("theo"), f"/desk/cases/{plain.ref}/")
    odd = submit(
        cast, reproducer="", claim_k=None, claim_n=None, not_counted=True,
        happened="Dear security team, it is important to note that https://evil.example/<b> always works, [Your Name].",
    )  # fmt: skip
    page = text(as_("theo"), f"/desk/cases/{odd.ref}/")
    for words in ("It says “always”", "2 phrases of the list", "evil.example, which is in no line", "“[Your Name]”",
                  "There is no reproducer", "None of them says that a report is wrong."):  # fmt: skip
        assert words in page
    odd.refresh_from_db()
    assert (odd.status, odd.close_reason) == ("new", "")


def test_what_is_closed_is_not_quoted_in_a_reason(cast: Cast, as_: As) -> None:
    case = submit(cast, hazard="iwp", happened="It works every time: see https://evil.example/ for [Your Name].")
    page = text(as_("theo"), f"/desk/cases/{case.ref}/")
    assert "evil.example" not in page
    assert "Your Name" not in page


def test_a_preflight_alone_keeps_no_report_of_somebody_who_leaves(cast: Cast) -> None:
    case = submit(cast)
    tried(case)
    triage.withdraw(case, by=cast.rhea)
    (fate,) = personal.fates(cast.rhea)
    assert fate.goes
