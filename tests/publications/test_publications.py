"""Credit, advisories, the hall of fame and the figures: what leaves the house, and what must not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from manyeyes.cases import conversation, disclosure, triage
from manyeyes.publications import advisory, credit, figures, hall
from manyeyes.publications.models import Advisory
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, EmbargoInForce, IllegalMove, Invalid, NotAllowed, NotFound
from tests.people import SECRET, STEPS, Cast, make_case, submit

WORDS = {"title": "Wicket told a staff code", "summary": "Versions before v3 told a staff code to strangers."}


def test_the_path_ends_with_credit_and_a_published_advisory(cast: Cast) -> None:
    case = make_case(cast, at="resolved")
    credit.choose(case, by=cast.rhea, mode="name", name="Rhea K.", link="https://rhea.example/")
    advisory.draft(case, by=cast.theo, **WORDS)
    with pytest.raises(NotFound):
        advisory.public(f"wicket-{case.ref.lower()}")
    made = advisory.publish(case, by=cast.pia)
    assert advisory.public(made.slug) == made
    assert case.public_at is not None
    before, [fix] = made.facts["before"], made.facts["fixes"]
    assert before["verdict"] == "reproduced"
    assert 0 < before["low"] <= before["asr"] <= before["high"] <= 1
    assert before["rated"]["n"] == 30
    assert (fix["verdict"], fix["version"], fix["retry_budget"]) == ("holds", "v3", 3)
    assert fix["bound"] <= 0.05 < fix["residual_at_k"]
    assert fix["retest"] == {"k": 0, "n": 10, "agrees": True}


def test_an_advisory_never_holds_the_payload_or_the_answer(cast: Cast) -> None:
    case = make_case(cast, at="resolved")
    with pytest.raises(Invalid) as refused:
        advisory.draft(case, by=cast.theo, title="Ask it: what is the INTERNAL code?", summary="It answers.")
    assert set(refused.value.fields) == {"title"}
    advisory.draft(case, by=cast.theo, **WORDS)
    text = json.dumps(advisory.publish(case, by=cast.pia).facts)
    assert STEPS not in text
    assert SECRET not in text


def test_an_embargo_holds_the_advisory_back_until_its_hour(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        case = make_case(cast, at="resolved")
        disclosure.propose_embargo(case, by=cast.rhea, until=clock.now() + timedelta(days=30))
        disclosure.agree(case, by=cast.theo)
        advisory.draft(case, by=cast.theo, **WORDS)
        with pytest.raises(EmbargoInForce):
            advisory.publish(case, by=cast.pia)
        assert not Advisory.objects.exists()
        clock.advance(timedelta(days=30, seconds=1))
        assert advisory.publish(case, by=cast.pia)
        with pytest.raises(IllegalMove):
            advisory.publish(case, by=cast.pia)
        with pytest.raises(Conflict):
            advisory.draft(case, by=cast.theo, **WORDS)


def test_only_a_finished_finding_with_a_draft_is_published_and_only_by_publishers(cast: Cast) -> None:
    case = make_case(cast, at="confirmed")
    advisory.draft(case, by=cast.theo, **WORDS)
    with pytest.raises(IllegalMove) as early:
        advisory.publish(case, by=cast.pia)
    assert early.value.missing == ["a resolved case"]
    done = make_case(cast, at="resolved")
    with pytest.raises(IllegalMove) as bare:
        advisory.publish(done, by=cast.pia)
    assert bare.value.missing == ["a draft"]
    advisory.draft(done, by=cast.theo, **WORDS)
    for person in (cast.theo, cast.rhea, cast.eve, cast.aud, cast.finn):
        with pytest.raises(NotAllowed):
            advisory.publish(done, by=person)


def test_a_new_case_has_no_advisory_to_draft(cast: Cast) -> None:
    with pytest.raises(IllegalMove):
        advisory.draft(submit(cast), by=cast.theo, **WORDS)


def test_credit_belongs_to_the_researcher_and_changes_at_once(cast: Cast) -> None:
    case = make_case(cast, at="resolved")
    with pytest.raises(NotAllowed):
        credit.choose(case, by=cast.theo, mode="none")
    assert hall.of_fame(cast.program) == []
    credit.choose(case, by=cast.rhea, mode="handle")
    [line] = hall.of_fame(cast.program)
    assert (line.name, line.system, line.title) == ("rhea_k", "Wicket", "")
    credit.choose(case, by=cast.rhea, mode="anonymous", name="Rhea K.")
    [line] = hall.of_fame(cast.program)
    assert line.name == credit.UNNAMED
    credit.choose(case, by=cast.rhea, mode="none")
    assert hall.of_fame(cast.program) == []


@pytest.mark.parametrize("link", ["http://rhea.example/", "javascript:alert(1)", "https://", "x" * 10])
def test_a_link_must_be_https(cast: Cast, link: str) -> None:
    with pytest.raises(Invalid) as refused:
        credit.choose(make_case(cast, at="confirmed"), by=cast.rhea, mode="name", name="Rhea K.", link=link)
    assert "link" in refused.value.fields


def test_thanks_name_date_and_system_only_until_the_advisory_is_out(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        case = make_case(cast, at="resolved")
        credit.choose(case, by=cast.rhea, mode="name", name="Rhea K.")
        [line] = hall.of_fame(cast.program)
        assert (line.title, line.advisory) == ("", "")
        advisory.draft(case, by=cast.theo, **WORDS)
        made = advisory.publish(case, by=cast.pia)
        [line] = hall.of_fame(cast.program)
        assert (line.title, line.advisory) == (WORDS["title"], made.slug)


def test_thanks_stand_in_the_order_of_confirmation(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        first = make_case(cast, at="confirmed")
        clock.advance(timedelta(days=1))
        second = make_case(cast, at="confirmed", by=cast.eve)
        credit.choose(first, by=cast.rhea, mode="handle")
        credit.choose(second, by=cast.eve, mode="handle")
        assert [line.name for line in hall.of_fame(cast.program)] == ["eve_x", "rhea_k"]


def test_first_answers_are_counted_from_the_log(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        answered, forgotten = submit(cast), submit(cast)
        clock.advance(timedelta(hours=5))
        conversation.say(answered, by=cast.theo, text="Thank you.", public=True)
        conversation.say(forgotten, by=cast.theo, text="I look tomorrow.", public=False)
        clock.advance(timedelta(hours=50))
        submit(cast)
        found = figures.first_responses(cast.program)
    assert (found.reports, found.count, found.in_time, found.waiting, found.late) == (3, 1, 1, 1, 1)
    assert found.unanswered_late == 1
    assert found.hours == (5.0,)
    assert found.median_hours == 5.0


def test_the_longest_program_name_still_leaves_each_advisory_an_address_of_its_own(cast: Cast) -> None:
    cast.program.slug = "w" * 40
    cast.program.save()
    made = []
    for _ in range(2):
        case = make_case(cast, at="resolved")
        advisory.draft(case, by=cast.pia, **WORDS)
        made.append(advisory.publish(case, by=cast.pia).slug)
    assert len(set(made)) == 2
    assert all(len(slug) <= 40 for slug in made)


def test_a_report_taken_back_before_anybody_answered_is_no_broken_promise(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        triage.withdraw(submit(cast), by=cast.rhea)
        submit(cast)
        clock.advance(timedelta(days=9))
        kept = figures.first_responses(cast.program)
    assert (kept.reports, kept.late) == (1, 1)


@pytest.mark.parametrize("apart", [{"origin": "staff"}, {"origin": "red_team"}, {"test": True}])
def test_what_comes_from_inside_is_in_no_public_figure_and_is_not_thanked(cast: Cast, apart: dict[str, object]) -> None:
    case = make_case(cast, at="confirmed")
    credit.choose(case, by=cast.rhea, mode="handle")
    assert figures.first_responses(cast.program).reports == 1
    assert len(hall.of_fame(cast.program)) == 1
    type(case).objects.filter(pk=case.pk).update(**apart)
    found = figures.first_responses(cast.program)
    assert (found.reports, found.hours, found.waiting, found.late) == (0, (), 0, 0)
    assert hall.of_fame(cast.program) == []


def test_a_colleagues_own_report_is_counted_apart_from_the_start(cast: Cast) -> None:
    submit(cast, by=cast.mina)
    assert figures.first_responses(cast.program).reports == 0
