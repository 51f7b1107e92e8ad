"""A replay that ended without an answer goes on up to a larger cap: same law, same trials, one further verdict."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from manyeyes.cases import facts, longer, proposals, replayed, reproduction, steering, timeline, verification
from manyeyes.cases.models import Case, Reproduction
from manyeyes.engine import drive
from manyeyes.engine.plan import Trial
from manyeyes.programs.models import Permit
from manyeyes.replays import manual, queue
from manyeyes.replays.models import HeldAnswer, Replay
from manyeyes.replays.store import DatabaseStore
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotAllowed
from manyeyes.runs.document import Caps, PlanDocument
from manyeyes.runs.prepare import Options
from manyeyes.runs.result import RunResult
from tests.people import Cast, fixed, make_case, play
from tests.replays.test_queue import record

pytestmark = pytest.mark.django_db
SHORT = Options(min_successes=3, margin=0.05, cap=20, use_control=False, rated_n=4, setting_n=2, benign_n=2)


def never(trial: Trial, part: str) -> bool | None:
    return False


def unanswered(cast: Cast, **more: Any) -> Reproduction:
    """A reproduction that ended at its cap of 20, for nothing was seen."""
    case = make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo, version=cast.v1, options=SHORT, **more)
    play(link.replay, never)
    link = Reproduction.objects.select_related("case", "replay").get(pk=link.pk)
    assert (link.verdict, link.replay.n) == ("inconclusive", 20)
    return link


def go_on_playing(link: Reproduction, how: Any) -> list[tuple[str, int]]:
    """Plays a longer replay from what is on record; gives the trials that were asked for anew."""
    lease = queue.claim("tests")
    assert lease is not None
    assert lease.replay_id == link.replay_id
    store = DatabaseStore(lease)
    stored = store.load()
    document = stored.document
    assert document is not None
    known = {trial.identity: trial.outcome == "success" for trial in stored.trials}
    fresh = []

    def answer(trial: Trial) -> bool | None:
        identity = (str(trial.stream), trial.index)
        if identity in known:
            return known[identity]
        told = how(trial, document.requests[trial.cell].part)
        fresh.append(record(trial.index, "success" if told else "failure", stream=str(trial.stream), cell=trial.cell))
        return told

    verdict = drive(document.plan, answer)
    store.save(calls=stored.calls + len(fresh), trials=fresh)
    result = RunResult(
        document=document, verdict=verdict, calls=stored.calls + len(fresh), tokens_in=0, tokens_out=0, cost=None,
        seconds=1.0, overrun=verdict.overrun,
    )  # fmt: skip
    store.finish(result.to_json(), overrun=[])
    replayed.conclude(Replay.objects.get(pk=link.replay_id))
    link.refresh_from_db()
    return [trial.identity for trial in fresh]


def test_it_comes_to_the_answer_that_the_larger_cap_had_given_at_once(cast: Cast) -> None:
    old = unanswered(cast)
    before = Replay.objects.get(pk=old.replay_id)
    made = longer.request(old, by=cast.theo, cap=400)
    assert made.replay.trials.count() == before.trials.count() >= 20
    asked = go_on_playing(made, never)
    assert asked
    assert not set(asked) & set(before.trials.values_list("stream", "index"))
    whole = PlanDocument.from_json(before.document).resumed(cap=400)
    at_once = drive(whole.plan, lambda trial: False)
    assert (made.replay.verdict_word, made.replay.n) == (at_once.verdict, at_once.n)
    assert made.verdict == "not_reproduced"
    before.refresh_from_db()
    assert (before.verdict_word, before.n, before.state) == ("inconclusive", 20, "done"), "the first answer stays"
    assert facts.reproductions(old.case)[0] == made
    said = [entry.words for entry in timeline.entries(old.case, cast.rhea)]
    assert "let a replay go on, up to a larger cap" in said


def test_what_was_said_is_encrypted_anew_and_reads_as_before(cast: Cast) -> None:
    old = unanswered(cast)
    made = longer.request(old, by=cast.theo, cap=40)
    said = {(row.stream, row.index): row.exchange for row in old.replay.trials.all()}
    assert {(row.stream, row.index): row.exchange for row in made.replay.trials.all()} == said
    assert not set(made.replay.trials.values_list("pk", flat=True)) & set(
        old.replay.trials.values_list("pk", flat=True)
    )


def test_an_answer_that_waits_for_its_judge_goes_along(cast: Cast) -> None:
    old = unanswered(cast)
    waits = record(300, None, cell=old.replay.trials.first().cell)
    HeldAnswer.objects.create(
        replay=old.replay, key=old.replay.key, stream="main", index=300, record=replace(waits, answer="kept").to_json()
    )
    made = longer.request(old, by=cast.theo, cap=400)
    assert [row.record["answer"] for row in made.replay.held.all()] == ["kept"]


def test_calls_stand_on_one_bill_only(cast: Cast) -> None:
    old = unanswered(cast)
    made_before = old.replay.calls
    today = queue.calls_today(cast.target)
    made = longer.request(old, by=cast.theo, cap=400)
    assert made.replay.calls == made_before
    asked = go_on_playing(made, never)
    assert made.replay.calls == made_before + len(asked)
    assert queue.calls_today(cast.target) == today + len(asked)


def test_the_same_request_again_is_the_same_and_a_second_one_is_refused(cast: Cast) -> None:
    old, wanted = unanswered(cast), uuid.uuid4()
    made = longer.request(old, by=cast.theo, cap=40, request_id=wanted)
    assert longer.request(old, by=cast.theo, cap=40, request_id=wanted) == made
    assert not longer.may_go_on(old)
    with pytest.raises(IllegalMove, match="goes on already"):
        longer.request(old, by=cast.theo, cap=80)
    steering.steer(made, by=cast.theo, action="cancel")
    assert longer.may_go_on(old), "what was cancelled stands in nobody's way"


@pytest.mark.parametrize("cap", [1, 20])
def test_a_cap_that_is_not_larger_is_refused(cast: Cast, cap: int) -> None:
    with pytest.raises(Invalid, match="Give more than that"):
        longer.request(unanswered(cast), by=cast.theo, cap=cap)


def test_a_limit_on_calls_that_is_reached_already_is_refused(cast: Cast) -> None:
    old = unanswered(cast)
    with pytest.raises(Invalid, match="were made already"):
        longer.request(old, by=cast.theo, cap=40, max_calls=old.replay.calls)
    made = longer.request(old, by=cast.theo, cap=40, max_calls=old.replay.calls + 5)
    assert PlanDocument.from_json(made.replay.document).caps == Caps(max_calls=old.replay.calls + 5)


def test_an_answer_is_not_asked_again(cast: Cast) -> None:
    case = make_case(cast, at="reproduced")
    link = case.reproductions.get()
    assert not longer.may_go_on(link)
    with pytest.raises(Conflict, match="ended with an answer"):
        longer.request(link, by=cast.theo, cap=10_000)


def test_a_run_that_has_not_ended_goes_on_as_it_is(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo, version=cast.v1, options=SHORT)
    with pytest.raises(Conflict, match="has not ended"):
        longer.request(link, by=cast.theo, cap=40)


@pytest.mark.parametrize("who", ["finn", "aud", "pia", "ada"])
def test_only_who_may_ask_for_a_replay_may_lengthen_it(cast: Cast, who: str) -> None:
    old = unanswered(cast)
    with pytest.raises(NotAllowed):
        longer.request(old, by=getattr(cast, who), cap=40)
    assert Replay.objects.count() == 1


def test_the_permit_must_cover_the_further_calls(cast: Cast) -> None:
    old = unanswered(cast)
    Permit.objects.update(calls_per_day=old.replay.calls + 3)
    with pytest.raises(IllegalMove, match="calls a day"):
        longer.request(old, by=cast.theo, cap=400)
    Permit.objects.all().delete()
    with pytest.raises(IllegalMove, match="recorded a permit"):
        longer.request(old, by=cast.theo, cap=400)


def undecided(cast: Cast) -> Reproduction:
    """A verification that ended at its cap, one success in seven trials."""
    case = make_case(cast, at="fix_deployed")
    link = verification.request(case, by=cast.olga, options=Options(tau=0.05, cap=30, benign_n=20, positive_n=12))
    play(link.replay, lambda trial, part: trial.index == 5 if str(trial.stream) == "main" else fixed(trial, part))
    link = Reproduction.objects.select_related("case", "replay").get(pk=link.pk)
    assert link.verdict in ("inconclusive", "not_shown")
    return link


def test_a_verification_goes_on_to_hold_and_the_fix_is_told(cast: Cast) -> None:
    old = undecided(cast)
    case = Case.objects.get(pk=old.case_id)
    assert case.status == "retesting"
    made = longer.request(old, by=cast.olga, cap=600)
    assert made.remediation == old.remediation
    with pytest.raises(IllegalMove, match="running already"):
        longer.request(Reproduction.objects.get(pk=old.pk), by=cast.olga, cap=800)
    go_on_playing(made, fixed)
    assert made.verdict == "holds"
    fix = facts.newest_fix(Case.objects.get(pk=case.pk))
    assert fix is not None
    assert fix.outcome == "holds"


def test_a_case_that_went_back_to_fixing_is_not_tested_further(cast: Cast) -> None:
    old = undecided(cast)
    verification.send_back(old.case, by=cast.theo, words="We would rather mend it than count on.")
    old = Reproduction.objects.select_related("case", "replay").get(pk=old.pk)
    assert not longer.may_go_on(old)
    with pytest.raises(IllegalMove, match="no verification of its fix goes on"):
        longer.request(old, by=cast.olga, cap=600)


def test_trials_by_hand_go_on_where_they_were(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    few = Options(min_successes=3, p0=0.02, p_min=0.2, cap=5, rated_n=1, benign_n=1, use_control=False)
    link = reproduction.request(case, by=cast.theo, options=few, mode=proposals.MANUAL)
    ticks = 0
    while trials := manual.next_trials(link.replay, room=1):
        steering.tick(link, by=cast.theo, stream=trials[0].stream, index=trials[0].index, outcome="failure")
        ticks += 1
    link = Reproduction.objects.select_related("case", "replay").get(pk=link.pk)
    assert (link.verdict, link.replay.n) == ("inconclusive", 5)
    made = longer.request(link, by=cast.theo, cap=40)
    assert made.replay.trials.count() == ticks
    assert {row.by_id for row in made.replay.trials.all()} == {cast.theo.pk}
    assert (manual.next_trials(made.replay, room=1)[0].stream, manual.next_trials(made.replay, room=1)[0].index) == (
        "main", 5,
    )  # fmt: skip


def test_a_pause_for_the_limit_on_calls_ends_with_a_higher_one(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    low = reproduction.BY_MACHINE
    link = reproduction.request(
        case, by=cast.theo, version=cast.v1, options=Options(**{**low.__dict__, "caps": Caps(max_calls=10)})
    )
    lease = queue.claim("tests")
    assert lease is not None
    DatabaseStore(lease).save(calls=10, trials=[])
    queue.park(lease, code="budget", reason="Stopped before a verdict.")
    link.replay.refresh_from_db()
    with pytest.raises(Invalid, match="10 calls were made already"):
        steering.steer(link, by=cast.theo, action="resume", max_calls=10)
    steering.steer(link, by=cast.theo, action="resume", max_calls=500)
    link.replay.refresh_from_db()
    assert link.replay.state == "queued"
    assert PlanDocument.from_json(link.replay.document).caps.max_calls == 500


def test_the_page_offers_it_says_the_price_and_starts_it(cast: Cast, settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    old = unanswered(cast)
    browser = Client()
    browser.force_login(cast.theo, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = f"/desk/replays/{old.replay_id}/longer/"
    for page in (f"/desk/replays/{old.replay_id}/", f"/desk/cases/{old.case.ref}/"):
        assert address in browser.get(page).content.decode(), page
    shown = browser.get(address).content.decode()
    assert 'name="cap" value="40"' in shown
    assert "ended after 20 scored trials without an answer" in shown
    refused = browser.post(address, {"cap": "20", "action": "start"})
    assert refused.status_code == 422
    assert "Give more than that." in refused.content.decode()
    assert browser.post(address, {"cap": "60", "action": "look"}).status_code == 200
    assert Replay.objects.count() == 1
    started = browser.post(address, {"cap": "60", "action": "start"}, follow=True)
    assert started.status_code == 200
    made = Replay.objects.get(goes_on_from=old.replay)
    assert PlanDocument.from_json(made.document).plan.cap == 60
    assert browser.get(address).status_code == 200
    assert "goes on already" in browser.get(address).content.decode()
    assert address not in browser.get(f"/desk/replays/{old.replay_id}/").content.decode()
