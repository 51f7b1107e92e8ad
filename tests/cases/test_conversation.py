"""Words that were mended, people who were called, answers prepared beforehand, and appeals."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from manyeyes import events
from manyeyes.cases import conversation, intake, ownnumbers, prepared, queue, reproduction, timeline, triage
from manyeyes.cases.clocks import clocks
from manyeyes.events.models import Delivery
from manyeyes.programs.setup import add_member, create_program
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotAllowed, NotFound
from manyeyes.rules.lifecycle import Role
from tests.people import LETTERS, REASONS, Cast, make_case, make_report, play, submit, vulnerable


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Let the house's clock stand at this moment."""
    monkeypatch.setattr(clock, "now", lambda: moment)


def mails_to(person: Any, case: Any, reason: str) -> int:
    """How many mails about the case wait for a person for this reason."""
    return Delivery.objects.filter(person_id=person.pk, case_ref=case.ref, reason=reason).count()


def test_mended_words_stand_beside_the_old_ones(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    said = conversation.say(case, by=cast.rhea, text="It told BLUE.", public=True)
    conversation.mend(said, by=cast.rhea, text="It told RED.")
    for viewer in (cast.rhea, cast.theo):
        rows = timeline.entries(case, viewer)
        [entry] = [row for row in rows if row.kind == "message.public" and row.item.pk == said.pk]
        assert entry.item.text == "It told RED."
        assert [row.text for row in entry.item.earlier.all()] == ["It told BLUE."]
        assert [row.kind for row in rows][-1] == "message.edited"
    first, second = [row for row in events.log(case.subject) if row.data.get("message") == str(said.pk)]
    assert events.matches(first.commitment, case.key, "It told BLUE.")
    assert events.matches(second.commitment, case.key, "It told RED.")


def test_only_the_author_mends_and_only_for_a_while(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case(cast, at="acknowledged")
    said = conversation.say(case, by=cast.theo, text="A note.")
    with pytest.raises(NotAllowed):
        conversation.mend(said, by=cast.mina, text="Her note.")
    with pytest.raises(NotFound):
        conversation.own_message(case, cast.mina, said.pk)
    with pytest.raises(Invalid):
        conversation.mend(said, by=cast.theo, text="A note.")
    at(monkeypatch, said.at + timedelta(minutes=16))
    with pytest.raises(NotAllowed):
        conversation.mend(said, by=cast.theo, text="Too late.")


def test_two_windows_of_one_author_lose_nothing(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    said = conversation.say(case, by=cast.theo, text="One.")
    conversation.mend(said, by=cast.theo, text="Two.", seen=0)
    with pytest.raises(Conflict):
        conversation.mend(said, by=cast.theo, text="Three.", seen=0)
    said.refresh_from_db()
    assert (said.text, said.edits) == ("Two.", 1)


def test_the_words_of_a_close_stand_as_they_were(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    triage.close(case, by=cast.theo, reason="informative", words="Known.")
    with pytest.raises(NotAllowed):
        conversation.mend(case.messages.get(purpose="close"), by=cast.theo, text="Unknown.")


def test_mending_is_no_first_answer(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case(cast, at="acknowledged")
    said = conversation.say(case, by=cast.theo, text="I look at it now.", public=True)
    before = next(one for one in clocks(case) if one.name == "next_word").due
    at(monkeypatch, said.at + timedelta(minutes=10))
    conversation.mend(said, by=cast.theo, text="I look at it today.")
    assert next(one for one in clocks(case) if one.name == "next_word").due == before


def test_a_mention_tells_members_who_may_read_the_case_and_nobody_else(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    conversation.say(case, by=cast.theo, text="Look, @Mina and @pia, @finn, @rhea_k, @eve_x, @theo. a@olga.example")
    assert mails_to(cast.mina, case, "message.internal") == 1
    for other in (cast.pia, cast.finn, cast.rhea, cast.eve, cast.olga):
        assert mails_to(other, case, "message.internal") == 0, other
    [entry] = [row for row in timeline.entries(case, cast.theo) if row.kind == "message.internal"]
    assert entry.mentioned == ("Mina A.",)


def test_a_researcher_calls_nobody_and_learns_no_name(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    case_before = Delivery.objects.count()
    conversation.say(case, by=cast.rhea, text="Hello @mina and @theo.", public=True)
    assert Delivery.objects.count() - case_before == len(
        [person for person in (cast.theo, cast.mina, cast.lena) if mails_to(person, case, "message.public")]
    )
    conversation.say(case, by=cast.theo, text="Thank you. @mina reads it too.", public=True)
    seen = [row for row in timeline.entries(case, cast.rhea) if row.kind == "message.public"]
    assert {row.mentioned for row in seen} == {()}
    assert "mentioned" not in str([row.data for row in seen])


def test_a_prepared_answer_is_filled_by_the_case(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    text = "Dear {researcher}, {ref} at {program} about {target} is {status}. By {next_word}: {me}"
    row = prepared.add(cast.program, by=cast.lena, name="First word", text=text)
    said = prepared.filled(row, case, by=cast.theo)
    assert said.startswith(f"Dear rhea_k, {case.ref} at Larkfield about Wicket is New. By ")
    assert said.endswith("UTC: Theo L.")
    assert case.messages.filter(public=True, author=cast.theo, text__isnull=False).count() <= 1, "nothing was sent"


def test_a_name_that_nothing_fills_is_refused_with_those_that_are_filled(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        prepared.add(cast.program, by=cast.lena, name="Odd", text="Dear {first_name}")
    assert "{first_name}" in refused.value.fields["text"]
    assert "{researcher}" in refused.value.fields["text"]
    with pytest.raises(NotAllowed):
        prepared.add(cast.program, by=cast.theo, name="Mine", text="Hello")


def test_two_managers_lose_no_prepared_answer(cast: Cast) -> None:
    row = prepared.add(cast.program, by=cast.lena, name="Thanks", text="Thank you.")
    prepared.change(row, by=cast.ada, name="Thanks", text="Thank you, {researcher}.", seen=1)
    with pytest.raises(Conflict, match="Ada"):
        prepared.change(row, by=cast.lena, name="Thanks", text="Thanks.", seen=1)
    with pytest.raises(Conflict):
        prepared.remove(row, by=cast.lena, seen=1)
    assert [one.text for one in prepared.listed(cast.program)] == ["Thank you, {researcher}."]
    other = create_program(slug="other", name="Other", organisation="Other", contact_email="a@b.example", members={})
    with pytest.raises(NotFound):
        prepared.one(other, row.pk)


def closed(cast: Cast) -> Any:
    """A case that theo closed and rhea appealed."""
    case = make_case(cast, at="acknowledged")
    triage.close(case, by=cast.theo, reason="informative", words="This is known.")
    triage.appeal(case, by=cast.rhea, words="It is not.")
    return case


def test_an_appeal_goes_to_people_who_did_not_close(cast: Cast) -> None:
    case = closed(cast)
    assert mails_to(cast.theo, case, "appealed") == 0
    assert mails_to(cast.mina, case, "appealed") == mails_to(cast.lena, case, "appealed") == 1
    with pytest.raises(NotAllowed):
        triage.uphold(case, by=cast.theo, words="I was right.")
    with pytest.raises(NotAllowed):
        triage.uphold(case, by=cast.rhea, words="No.")
    triage.uphold(case, by=cast.mina, words="I looked as well: it is in the manual.")
    assert case.status == "closed"
    with pytest.raises(IllegalMove):
        triage.uphold(case, by=cast.lena, words="Again.")
    with pytest.raises(Invalid):
        triage.appeal(case, by=cast.rhea, words="Once more.")
    texts = [row.item.text for row in timeline.entries(case, cast.rhea) if row.kind == "appeal.upheld"]
    assert texts == ["I looked as well: it is in the manual."]


def test_whoever_closed_may_take_it_up_again(cast: Cast) -> None:
    case = closed(cast)
    triage.reopen(case, by=cast.theo, words="You are right.")
    assert case.status == "triaged"
    assert case.reopened_at is not None


def test_where_one_person_is_the_whole_team_they_answer(cast: Cast) -> None:
    for person in (cast.mina, cast.lena):
        add_member(cast.program, person, [Role.AUDITOR])
    case = closed(cast)
    triage.uphold(case, by=cast.theo, words="I looked at it a second time.")
    assert not triage.appeal_waits(case)


def test_ones_own_number_finds_the_report_and_nobody_elses(cast: Cast) -> None:
    case = intake.submit(cast.program, make_report(cast, own_ref="RK 2026-17"), by=cast.rhea).case
    other = submit(cast, by=cast.eve)
    assert list(ownnumbers.search_own(cast.rhea, "rk  2026-17")) == [case]
    assert list(ownnumbers.search_own(cast.rhea, case.ref[3:9])) == [case]
    assert list(ownnumbers.search_own(cast.eve, "RK 2026-17")) == []
    assert list(ownnumbers.search_own(cast.eve, "")) == [other]
    assert list(queue.cases(cast.theo, search="RK 2026-17")) == [case]
    assert list(queue.cases(cast.theo, search="2026")) == [], "only the whole number is found: it lies encrypted"
    assert "2026-17" not in case.reports.get().own_ref_token


def test_reports_from_inside_are_counted_apart(cast: Cast) -> None:
    assert submit(cast, by=cast.rhea).origin == "outside"
    case = submit(cast, by=cast.olga)
    assert case.origin == "staff"
    triage.came_from(case, by=cast.theo, origin="red_team")
    assert case.origin == "red_team"
    with pytest.raises(NotAllowed):
        triage.came_from(case, by=cast.olga, origin="outside")
    with pytest.raises(Invalid):
        triage.came_from(case, by=cast.theo, origin="moon")
    assert "origin.set" not in [row.kind for row in timeline.entries(submit(cast, by=cast.eve), cast.eve)]


def test_a_rating_from_before_the_reopening_asks_nobody_for_a_word(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    assert case in queue.cases(cast.mina, view="needs_me")
    triage.close(case, by=cast.theo, reason="informative", words="Known.")
    triage.reopen(case, by=cast.lena, words="It is not.")
    assert case not in queue.cases(cast.mina, view="needs_me")
    assert case not in queue.cases(cast.theo, view="replay_finished")
    play(reproduction.request(case, by=cast.theo).replay, vulnerable)
    assert case in queue.cases(cast.theo, view="replay_finished")
    reproduction.see_first_success(case, by=cast.theo)
    assert case not in queue.cases(cast.theo, view="replay_finished")


def test_the_other_discipline_is_called_once_a_day(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    triage.ask_discipline(case, by=cast.theo, discipline="ml")
    assert mails_to(cast.mina, case, "sign_off.asked") == 1
    with pytest.raises(Conflict):
        triage.ask_discipline(case, by=cast.theo, discipline="ml")
    with pytest.raises(IllegalMove):
        triage.ask_discipline(make_case(cast, at="acknowledged"), by=cast.theo, discipline="ml")


@pytest.fixture
def desk(cast: Cast, settings: Any) -> Client:
    """Theo in a browser."""
    settings.MANYEYES_REQUIRE_MFA = False
    client = Client()
    client.force_login(cast.theo)
    return client


def test_a_prepared_answer_is_read_before_it_goes(cast: Cast, desk: Client) -> None:
    case = make_case(cast, at="acknowledged")
    row = prepared.add(cast.program, by=cast.lena, name="Thanks", text="Thank you, {researcher}.")
    page = desk.get(f"/desk/cases/{case.ref}/respond/?with={row.pk}")
    assert "Thank you, rhea_k." in page.content.decode()
    sent = desk.post(f"/desk/cases/{case.ref}/respond/", {"text": "Thank you, rhea_k. Theo", "version": case.version})
    assert sent.status_code == 302
    assert case.messages.order_by("at").last().text == "Thank you, rhea_k. Theo"
    assert case.messages.order_by("at").last().public
    triage.accept(case, by=cast.mina)
    late = desk.post(f"/desk/cases/{case.ref}/respond/", {"text": "Old news.", "version": case.version - 1})
    assert late.status_code == 409
    assert desk.get(f"/desk/cases/{case.ref}/respond/?with=nonsense").status_code == 200


def test_code_in_words_stays_inert(cast: Cast, desk: Client) -> None:
    case = make_case(cast, at="acknowledged")
    conversation.say(case, by=cast.rhea, text="See\n```\n<script>alert(1)</script>\u202e\n```\n<b>x</b>", public=True)
    page = desk.get(f"/desk/cases/{case.ref}/").content.decode()
    assert '<div class="payload"><pre>&lt;script&gt;' in page
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page
    assert "\u202e" not in page


def test_an_appeal_is_answered_on_its_page(cast: Cast, settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    case, mina = closed(cast), Client()
    mina.force_login(cast.mina)
    page = mina.get(f"/desk/cases/{case.ref}/appeal/").content.decode()
    assert "This is known." in page
    assert "It is not." in page
    assert mina.post(f"/desk/cases/{case.ref}/appeal/", {"words": " "}).status_code == 422
    assert mina.post(f"/desk/cases/{case.ref}/appeal/", {"words": "It is known."}).status_code == 302
    assert not triage.appeal_waits(case)


def test_the_researcher_mends_on_a_page_of_their_own(cast: Cast) -> None:
    case, rhea, eve = make_case(cast, at="acknowledged"), Client(), Client()
    said = conversation.say(case, by=cast.rhea, text="It told it.", public=True)
    rhea.force_login(cast.rhea)
    eve.force_login(cast.eve)
    path = f"/my/{case.ref}/words/{said.pk}/"
    assert eve.get(path).status_code == 404
    assert rhea.post(path, {"text": "", "seen": "0"}).status_code == 422
    assert rhea.post(path, {"text": "It told the code.", "seen": "0"}).status_code == 302
    page = rhea.get(f"/my/{case.ref}/").content.decode()
    assert "It told the code." in page
    assert "It told it." in page
    assert rhea.post(path, {"text": "Again.", "seen": "0"}).status_code == 409


def test_a_change_of_severity_says_why(cast: Cast, desk: Client) -> None:
    case = make_case(cast, at="rated")
    given = {**LETTERS, **{f"why_{code}": why for code, why in REASONS.items()}, "DX": "M"}
    refused = desk.post(f"/desk/cases/{case.ref}/severity/", given)
    assert refused.status_code == 422
    assert case.ratings.count() == 1
    assert desk.post(f"/desk/cases/{case.ref}/severity/", {**given, "why": "Less is told."}).status_code == 302
    assert "Less is told." in desk.get(f"/desk/cases/{case.ref}/").content.decode()


def test_what_is_needed_is_not_called_optional(cast: Cast, settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    lena = Client()
    lena.force_login(cast.lena)
    page = lena.get("/desk/program/wicket/answers/").content.decode()
    assert "(optional)" not in page
    wrong = lena.post("/desk/program/wicket/answers/", {"name": "", "text": "Dear {nobody}"})
    assert wrong.status_code == 422
    assert "Please fill this in." in wrong.content.decode()
    unknown = lena.post("/desk/program/wicket/answers/", {"name": "Odd", "text": "Dear {nobody}"})
    assert "Nothing fills {nobody}" in unknown.content.decode()
    assert lena.post("/desk/program/wicket/answers/", {"name": "Thanks", "text": "Thank you."}).status_code == 302
    [row] = prepared.listed(cast.program)
    gone = lena.post(f"/desk/program/wicket/answers/{row.pk}/", {"action": "remove", "seen": "1"})
    assert gone.status_code == 302
    assert prepared.listed(cast.program) == []
