"""The lists of the desk through the pages: facets, order, kept lists, many cases at once, and what is new."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from manyeyes import events
from manyeyes.cases import lists, placing, queue, saved, triage
from manyeyes.cases.models import Case, Message
from manyeyes.cases.placed import Place
from manyeyes.rules import clock
from tests.people import Cast, make_case, submit

pytestmark = pytest.mark.django_db


def desk(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def refs(page: Any) -> list[str]:
    return [row.case.ref for row in page.context["page"].object_list]


@pytest.fixture(autouse=True)
def _no_limits() -> None:
    cache.clear()


def test_a_list_is_narrowed_and_sorted(cast: Cast) -> None:
    fresh, rated = submit(cast), make_case(cast, at="rated")
    theo = desk(cast.theo)
    assert set(refs(theo.get("/desk/"))) == {fresh.ref, rated.ref}
    assert refs(theo.get("/desk/?status=triaged")) == [rated.ref]
    assert refs(theo.get("/desk/?sort=severity")) == [rated.ref, fresh.ref]
    assert refs(theo.get("/desk/?sort=newest")) == [rated.ref, fresh.ref]
    assert refs(theo.get("/desk/?sort=oldest")) == [fresh.ref, rated.ref]
    assert refs(theo.get(f"/desk/?target={fresh.target_id}"))
    assert not refs(theo.get("/desk/?target=nonsense"))
    assert not refs(theo.get("/desk/?origin=red_team"))


def test_a_kept_list_is_found_again_and_belongs_to_one_person(cast: Cast) -> None:
    rated = make_case(cast, at="rated")
    theo, mina = desk(cast.theo), desk(cast.mina)
    kept = theo.post("/desk/lists/", {"name": "Rated <b>", "query": "view=all&status=triaged&evil=1"})
    assert kept.status_code == 302
    assert kept["Location"] == "/desk/?view=all&status=triaged"
    page = theo.get(kept["Location"])
    assert refs(page) == [rated.ref]
    assert b"Rated &lt;b&gt;" in page.content
    assert b"Rated" not in mina.get("/desk/").content.split(b"</nav>")[1]
    [row] = saved.listed(cast.theo)
    assert mina.post(f"/desk/lists/{row.pk}/forget/").status_code == 404
    assert theo.post(f"/desk/lists/{row.pk}/forget/").status_code == 302
    assert saved.listed(cast.theo) == []
    assert theo.post("/desk/lists/", {"name": " ", "query": ""}).status_code == 422


def test_one_reply_to_many_is_filled_in_and_logged_for_each_and_sent_once(cast: Cast) -> None:
    first, second = submit(cast), submit(cast)
    theo = desk(cast.theo)
    chosen = theo.post("/desk/selected/", {"what": "together", "case": [first.ref, second.ref]})
    page = theo.get(chosen["Location"])
    sent = {
        "do": "reply", "case": [first.ref, second.ref], "words": "Thank you for {ref}, {researcher}.",
        "opened": page.context["opened"],
    }  # fmt: skip
    assert theo.post("/desk/together/", sent).status_code == 302
    for case in (first, second):
        [message] = Message.objects.filter(case=case, public=True)
        assert message.text == f"Thank you for {case.ref}, {case.reporter.name}."
        assert [event.kind for event in events.log(case.subject)].count("message.public") == 1
        assert Case.objects.get(pk=case.pk).acknowledged_at is not None
    again = theo.post("/desk/together/", sent)
    assert again.status_code == 200
    assert b"since you opened the page" in again.content
    assert Message.objects.filter(public=True).count() == 2


def test_what_the_law_refuses_of_many_stays_as_it_is_and_is_named(cast: Cast) -> None:
    fresh, done = submit(cast), make_case(cast, at="resolved")
    theo = desk(cast.theo)
    sent = {"do": "close", "case": [fresh.ref, done.ref], "reason": "out_of_scope", "words": "Not one of our systems."}
    versions = {f"version_{case.ref}": Case.objects.get(pk=case.pk).version for case in (fresh, done)}
    page = theo.post("/desk/together/", {**sent, **versions})
    assert Case.objects.get(pk=fresh.pk).status == "closed"
    assert Case.objects.get(pk=done.pk).status == "resolved"
    [stayed] = [one for one in page.context["came"] if not one.done]
    assert stayed.case == done
    stale = theo.post("/desk/together/", {**sent, "case": [submit(cast).ref]})
    assert [one.done for one in stale.context["came"]] == [False], "a page that saw no version closes nothing"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"do": "reply", "words": " "}, "words"),
        ({"do": "close", "words": "Because."}, "reason"),
        ({"do": "reply", "words": "Hello {stranger}."}, "words"),
        ({"do": "dance"}, "do"),
    ],
)
def test_what_cannot_be_sent_to_many_names_its_field_and_sends_nothing(
    cast: Cast, given: dict[str, str], field: str
) -> None:
    case = submit(cast)
    page = desk(cast.theo).post("/desk/together/", {**given, "case": [case.ref]})
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert not Message.objects.exists()


def test_many_takes_no_case_that_one_may_not_see(cast: Cast) -> None:
    case = submit(cast)
    assert desk(cast.eve).get(f"/desk/together/?case={case.ref}").status_code == 404
    assert desk(cast.theo).get("/desk/together/?case=ME-0000-0000").status_code == 404


def test_an_open_page_learns_what_others_changed(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    before = clock.now().isoformat()
    theo = desk(cast.theo)

    def told() -> str:
        return theo.get("/desk/news/", {"since": before}).content.decode()

    assert "changed" not in told()
    triage.accept(case, by=cast.mina)
    assert "1 case changed" in told()
    assert "changed" not in desk(cast.mina).get("/desk/news/", {"since": before}).content.decode(), "one's own acts"
    assert "changed" not in theo.get("/desk/news/?since=yesterday").content.decode()


def test_every_rung_has_its_views_and_its_place_can_be_made_anew(cast: Cast) -> None:
    made = {
        rung: make_case(cast, at=rung)
        for rung in ("new", "rated", "confirmed", "remediating", "fix_deployed", "resolved", "retesting")
    }

    def views() -> dict[str, set[str]]:
        held = {view: {case.pk for case in lists.cases(cast.theo, view=view)} for view in lists.FILTERS}
        return {view: {rung for rung, case in made.items() if case.pk in found} for view, found in held.items()}

    before = views()
    assert {view: len(found) for view, found in before.items()} == lists.counts(cast.theo)
    assert before["awaiting_fix"] == {"confirmed", "remediating"}
    assert before["retest"] == {"fix_deployed", "retesting"}
    assert before["ended"] == {"resolved"}
    assert before["unanswered"] == {"new"}
    assert before["needs_me"] == {"rated"}
    Place.objects.update(
        rule=0, at_work=True, unanswered=False, wants_security=False, wants_ml=False, queue_at=clock.now(), band=0
    )
    assert views() != before
    assert placing.again() == len(made)
    assert placing.again() == 0
    assert views() == before


def test_an_embargo_that_ends_soon_has_a_list(cast: Cast) -> None:
    from manyeyes.cases import disclosure

    case = make_case(cast, at="confirmed")
    disclosure.propose_embargo(case, by=cast.theo, until=clock.now() + timedelta(days=5))
    assert not lists.cases(cast.theo, view="embargo").exists(), "a proposal binds nobody"
    disclosure.agree(case, by=cast.rhea)
    assert lists.cases(cast.theo, view="embargo").get() == case
    disclosure.end_embargo(case, by=cast.lena)
    assert not lists.cases(cast.theo, view="embargo").exists()


def test_a_long_list_is_counted_so_far_and_paged_to_its_end(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {submit(cast).ref for _ in range(6)}
    for room in (lists, queue):
        monkeypatch.setattr(room, "COUNTED", 4, raising=False)
    monkeypatch.setattr("manyeyes.console.templatetags.desk.COUNTED", 4)
    monkeypatch.setattr("manyeyes.http.PAGE_SIZE", 2)
    theo = desk(cast.theo)
    seen: list[str] = []
    for number in (1, 2, 3):
        page = theo.get(f"/desk/?page={number}")
        seen += refs(page)
        assert page.context["page"].has_next() == (number < 3)
        assert b"3+" in page.content
    assert set(seen) == made
    assert len(seen) == 6
    assert refs(theo.get("/desk/?page=99")) == refs(theo.get("/desk/"))


def test_a_search_without_a_view_finds_what_is_deferred_or_closed(cast: Cast) -> None:
    waiting, done = submit(cast), make_case(cast, at="acknowledged")
    triage.close(done, by=cast.theo, reason="out_of_scope", words="Not one of our systems.")
    Case.objects.filter(pk=waiting.pk).update(deferred_at=clock.now())
    waiting.refresh_from_db()
    placing.place(waiting)
    theo = desk(cast.theo)
    assert refs(theo.get("/desk/")) == []
    for case in (waiting, done):
        assert refs(theo.get(f"/desk/?q={case.ref}&view=all")) == [case.ref]
        assert refs(theo.get(f"/desk/?q={case.ref}")) == [case.ref]


def test_a_claim_from_the_best_of_several_series_is_named_as_that(cast: Cast) -> None:
    submit(cast, counted_how="best")
    page = desk(cast.theo).get("/desk/")
    assert b"best of several: 7/10" in page.content
    assert b"claim: not counted" not in page.content
