"""Two or three at once on one case: one wins, the others see both versions, and nothing of anybody is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from manyeyes import events
from manyeyes.api.shown import version_of
from manyeyes.cases import assignment, severity, triage
from manyeyes.cases.models import Case
from tests.console.test_pages import forms
from tests.people import LETTERS, REASONS, SEEN, Cast, make_case, make_cast

As = Callable[[str], Client]
WORDS = "It works as the system prompt says it should.\nSee the help page <b>3</b>."
NOTE = "Olga knows the prompt; ask her first."


def client_of(person: Any) -> Client:
    """A browser in which somebody is signed in."""
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def acts(cast: Cast, case: Case) -> dict[str, tuple[Any, str, dict[str, str]]]:
    """Who does what with the case as it is now: confirming, closing, giving it to somebody else."""
    here, seen = f"/desk/cases/{case.ref}", {"version": str(case.version)}
    return {
        "confirm": (cast.theo, f"{here}/move/confirm/", seen),
        "close": (cast.mina, f"{here}/move/close/", {**seen, "reason": "works_as_intended", "words": WORDS}),
        "reassign": (cast.lena, f"{here}/reassign/", {**seen, "to": str(cast.mina.pk), "discipline": "", "note": NOTE}),
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_of_three_at_once_one_wins_and_the_others_see_both_versions() -> None:
    cast = make_cast()
    for _ in range(3):
        case = make_case(cast, at="signed")
        before = events.log(case.subject).count()
        came = at_once(acts(cast, case))
        assert sorted(answer.status_code for answer in came.values()) == [302, 409, 409], came
        [winner] = [name for name, answer in came.items() if answer.status_code == 302]
        now = Case.objects.get(pk=case.pk)
        assert now.version == case.version + 1
        assert now.status == {"confirm": "confirmed", "close": "closed", "reassign": "triaged"}[winner]
        assert now.assignee == (cast.mina if winner == "reassign" else cast.theo)
        assert events.log(case.subject).count() == before + 1, "nobody acted twice, and nobody over another"
        assert events.verify_chain(case.subject) is None
        names = {"confirm": "Theo L.", "close": "Mina A.", "reassign": "Lena S."}
        done = {"confirm": "confirmed the finding", "close": "closed the case", "reassign": "gave the case to"}
        for name in set(came) - {winner}:
            page = came[name].content.decode()
            assert f"{names[winner]} changed this case" in page
            assert "What you wanted" in page
            assert done[winner] in page, (name, winner)
            kept = {"confirm": "Confirm finding", "close": "See the help page &lt;b&gt;3&lt;/b&gt;.", "reassign": NOTE}
            assert kept[name] in page, "what was typed is still there"


def at_once(todo: dict[str, tuple[Any, str, dict[str, str]]]) -> dict[str, Any]:
    """Everybody sends at the same moment; who got which answer."""
    together, came = threading.Barrier(len(todo)), {}

    def go(name: str, person: Any, path: str, form: dict[str, str]) -> None:
        try:
            client = client_of(person)
            together.wait(60)
            came[name] = client.post(path, form)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(name, *rest)) for name, rest in todo.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return came


def test_the_stale_one_does_it_again_with_everything_typed(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    who, path, form = acts(cast, case)["close"]
    assignment.give(case, by=cast.lena, to=cast.mina, note=NOTE)
    answer = as_("mina").post(path, form)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "works as intended" in page, "the reason is told in words"
    assert NOTE in page, "what the other said is told as well"
    assert Case.objects.get(pk=case.pk).status == "triaged"
    again = next(one for one in forms(answer) if one.action == path)
    assert again.values["words"].replace("\r\n", "\n") == WORDS
    assert as_("mina").post(path, again.values).status_code == 302
    now = Case.objects.get(pk=case.pk)
    assert (now.status, now.close_reason, now.messages.get(purpose="close").text) == (
        "closed",
        "works_as_intended",
        WORDS,
    )
    assert who == cast.mina


def test_what_is_not_possible_any_more_is_said_and_the_words_stay(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    seen = Case.objects.get(pk=case.pk)
    triage.close(case, by=cast.theo, reason="spam", words="There is nothing in it.")
    _, path, form = acts(cast, seen)["close"]
    page = as_("mina").post(path, form)
    assert page.status_code == 409
    words = page.content.decode()
    assert "not possible any more" in words
    assert "See the help page" in words
    assert "There is nothing in it." in words
    assert "Do it again" not in words


def test_both_versions_are_for_those_who_may_see_the_case(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="signed")
    todo = acts(cast, case)
    assignment.give(case, by=cast.lena, to=cast.mina, note=NOTE)
    for name in ("eve", "rhea", "finn"):
        for _, path, form in todo.values():
            assert as_(name).post(path, form).status_code == 404
    assert as_("aud").post(todo["confirm"][1], todo["confirm"][2]).status_code in (403, 409)
    assert Case.objects.get(pk=case.pk).status == "triaged"


def test_a_form_without_a_version_acts_on_the_case_as_it_is(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    assert as_("lena").post(f"/desk/cases/{case.ref}/assign/", {"what": "me"}).status_code == 302
    assert Case.objects.get(pk=case.pk).assignee == cast.lena
    stale = as_("theo").post(f"/desk/cases/{case.ref}/assign/", {"what": "me", "version": str(case.version)})
    assert stale.status_code == 409
    assert "Lena S. changed this case" in stale.content.decode()


def judging(cast: Cast, case: Case) -> dict[str, tuple[Any, str, dict[str, str]]]:
    """Who does what with a rated case as it is now: rating it anew, closing it, giving it to somebody else."""
    here, found = f"/desk/cases/{case.ref}/severity/", acts(cast, case)
    whys = {f"why_{code}": why for code, why in REASONS.items()}
    return {
        "rate": (cast.theo, here, {**LETTERS, **whys, "why": WHY, "version": str(case.version)}),
        "close": found["close"],
        "reassign": found["reassign"],
    }


WHY = "Larkfield shows that it reaches more people."


@pytest.mark.django_db(transaction=True)
def test_of_rating_closing_and_giving_it_away_at_once_one_wins(settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    cast = make_cast()
    case = make_case(cast, at="signed")
    before = events.log(case.subject).count()
    came = at_once(judging(cast, case))
    assert sorted(answer.status_code for answer in came.values()) == [302, 409, 409], came
    now = Case.objects.get(pk=case.pk)
    assert now.version == case.version + 1
    assert events.log(case.subject).count() == before + 1
    [winner] = [name for name, answer in came.items() if answer.status_code == 302]
    kept = {"rate": WHY, "close": "See the help page &lt;b&gt;3&lt;/b&gt;.", "reassign": NOTE}
    for name in set(came) - {winner}:
        assert kept[name] in came[name].content.decode()


def test_whoever_decides_by_the_older_rating_or_word_is_told(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="rated")
    seen = Case.objects.get(pk=case.pk)
    as_("mina").post(f"/desk/cases/{case.ref}/signoff/", word("ml", case))
    stale = as_("theo").post(f"/desk/cases/{case.ref}/move/close/", acts(cast, seen)["close"][2])
    assert stale.status_code == 409
    assert "Mina A. changed this case" in stale.content.decode()
    assert "agrees" in stale.content.decode()


@pytest.mark.django_db(transaction=True)
def test_both_disciplines_may_file_at_once(settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    cast = make_cast()
    case = make_case(cast, at="rated")
    path = f"/desk/cases/{case.ref}/signoff/"
    came = at_once({"security": (cast.theo, path, word("security", case)), "ml": (cast.mina, path, word("ml", case))})
    assert [answer.status_code for answer in came.values()] == [302, 302]
    now = Case.objects.get(pk=case.pk)
    assert (now.sign_offs.count(), now.version) == (2, case.version + 2)


def test_a_word_on_a_case_that_ended_meanwhile_stays_to_be_read(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="rated")
    mine = {**word("ml", case), "mechanism": "The prompt holds it."}
    triage.close(Case.objects.get(pk=case.pk), by=cast.theo, reason="spam", words="There is nothing in it.")
    answer = as_("mina").post(f"/desk/cases/{case.ref}/signoff/", mine)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "The prompt holds it." in page
    assert "not possible any more" in page
    assert "Do it again" not in page
    now = {**mine, "version": str(Case.objects.get(pk=case.pk).version)}
    assert as_("mina").post(f"/desk/cases/{case.ref}/signoff/", now).status_code == 409
    assert not case.sign_offs.exists()


def test_a_word_on_a_rating_that_was_replaced_is_kept_and_may_be_given_to_the_new_one(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="rated")
    path, mine = f"/desk/cases/{case.ref}/signoff/", {**word("ml", case), "mechanism": "The prompt holds it."}
    who, rating, form = judging(cast, Case.objects.get(pk=case.pk))["rate"]
    assert client_of(who).post(rating, form).status_code == 302
    answer = as_("mina").post(path, mine)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "The prompt holds it." in page
    assert WHY in page, "what changed is told"
    [again] = [one for one in forms(answer) if one.action == path]
    assert as_("mina").post(path, again.values).status_code == 302
    newest = case.ratings.order_by("-at").first()
    assert case.sign_offs.get().rating == newest


def test_the_reporter_is_told_of_no_internal_change_by_a_number(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    before = version_of(case)
    old = case.version
    assignment.give(case, by=cast.lena, to=cast.mina, note=NOTE)
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS)
    now = Case.objects.get(pk=case.pk)
    assert now.version == old + 2
    assert version_of(now) == before
    triage.close(now, by=cast.theo, reason="spam", words="There is nothing in it.")
    assert version_of(now) == before + 1


def word(discipline: str, case: Case) -> dict[str, str]:
    """What the form of a discipline's word sends."""
    rating = case.ratings.order_by("-at").first()
    return {
        "discipline": discipline, "agrees": "yes", "note": "", "rating": str(rating.pk), **SEEN[discipline],
        "version": str(Case.objects.get(pk=case.pk).version),
    }  # fmt: skip
