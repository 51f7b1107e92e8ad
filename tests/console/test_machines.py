"""What machines may do: permits and their approval, the rules of arrival, judges; and the refusals through pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from manyeyes import events
from manyeyes.cases import reproducers, reproduction
from manyeyes.cases.models import Case
from manyeyes.programs import judges
from manyeyes.programs.models import TargetVersion
from manyeyes.programs.permitted import JudgeAllowance, Permit, PreflightRules
from manyeyes.programs.targets import add_version, grant
from manyeyes.replays import queue, ready
from manyeyes.replays.models import Replay
from manyeyes.runs.document import PlanDocument
from tests.people import REPRODUCER, Cast, make_case

As = Callable[[str], Client]
pytestmark = pytest.mark.django_db
PAGE = "/desk/program/wicket/machines/"


def production(cast: Cast) -> Permit:
    return grant(cast.target, by=cast.lena, operator="Larkfield", basis="agreed", environment="production")


def hazardous() -> dict[str, Any]:
    return {"reproducer": REPRODUCER + "hazard: iwp\n"}


REFUSALS: dict[str, tuple[Callable[[Cast], Any], dict[str, Any], str, str]] = {
    "without a permit": (lambda cast: Permit.objects.all().delete(), {}, "permit", "Nobody has recorded a permit"),
    "over budget": (
        lambda cast: Permit.objects.update(calls_per_day=3), {}, "budget", "The permit allows 3 calls a day;",
    ),
    "on production without approval": (production, {}, "production", "nobody has approved attacks on it"),
    "of a forbidden hazard class": (
        lambda cast: None, hazardous(), "hazard", "does not cover the hazard class indiscriminate weapons",
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSALS)
@pytest.mark.parametrize("who", ["theo", "mina", "olga"])
def test_a_replay_that_may_not_start_does_not_and_says_why(cast: Cast, as_: As, why: str, who: str) -> None:
    arrange, changes, kind, words = REFUSALS[why]
    case = make_case(cast, at="triaged", **changes)
    arrange(cast)
    client, address = as_(who), f"/desk/cases/{case.ref}/replay/"
    if case.hazard:
        client.post(address, {"open": "plan"})
    shown = client.get(address).content.decode()
    assert words in shown
    assert "This cannot start yet." in shown
    assert 'value="start"' not in shown  # the button is there, and does nothing
    answer = client.post(address, {"action": "start"})
    assert answer.status_code == 409
    assert words in answer.content.decode()
    assert not Replay.objects.exists()
    last = events.log(case.subject).last()
    assert last is not None
    assert (last.kind, last.data["why"], last.public) == ("replay.refused", [kind], False)
    assert last.actor == getattr(cast, who).actor
    assert "may not start" not in as_("rhea").get(f"/my/{case.ref}/").content.decode()


@pytest.mark.parametrize("why", REFUSALS)
def test_no_verification_starts_either(cast: Cast, as_: As, why: str) -> None:
    arrange, changes, kind, words = REFUSALS[why]
    case = make_case(cast, at="fix_deployed")
    if changes:
        reproducers.attach_reproducer(case, by=cast.theo, text=changes["reproducer"])
    arrange(cast)
    before, client = Replay.objects.count(), as_("olga")
    address = f"/desk/cases/{case.ref}/verify/"
    if changes:
        client.post(address, {"open": "plan"})
    answer = client.post(address, {"action": "start", "tau": "0.05"})
    assert (answer.status_code, words in answer.content.decode()) == (409, True)
    assert Replay.objects.count() == before
    last = events.log(case.subject).last()
    assert last is not None
    assert (last.kind, last.data["why"]) == ("replay.refused", [kind])


def test_who_may_not_ask_leaves_no_trace(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    Permit.objects.all().delete()
    answer = as_("aud").post(f"/desk/cases/{case.ref}/replay/", {"action": "start"})
    assert answer.status_code == 403
    assert "replay.refused" not in {row.kind for row in events.log(case.subject)}


def test_by_hand_nothing_of_this_is_asked(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    Permit.objects.all().delete()
    answer = as_("theo").post(f"/desk/cases/{case.ref}/replay/", {"action": "start", "manual": "on", "shown": "manual"})
    assert answer.status_code == 302
    assert Replay.objects.get().mode == "manual"


@pytest.mark.parametrize(
    ("who", "status", "words"),
    [
        ("olga", 302, ""),
        ("ada", 302, ""),
        ("lena", 403, "You granted this permit, so somebody else approves it."),
        ("theo", 403, "approved by the owner of the target or an admin"),
        ("finn", 403, "approved by the owner of the target or an admin"),
    ],
)
def test_production_is_approved_by_somebody_else_on_record(
    cast: Cast, as_: As, who: str, status: int, words: str
) -> None:
    case, permit = make_case(cast, at="triaged"), production(cast)
    assert ("not approved: nothing starts") in as_(who).get(PAGE).content.decode()
    answer = as_(who).post(PAGE, {"action": "approve", "permit": str(permit.pk)})
    assert answer.status_code == status
    assert words in answer.content.decode()
    permit.refresh_from_db()
    start = as_("theo").post(f"/desk/cases/{case.ref}/replay/", {"action": "start"})
    if status == 302:
        assert (permit.approved_by, start.status_code) == (getattr(cast, who), 302)
        said = events.log(f"program:{cast.program.pk}").filter(kind="permit.approved").get()
        assert (said.actor, said.data["permit"]) == (getattr(cast, who).actor, str(permit.pk))
        assert as_(who).post(PAGE, {"action": "approve", "permit": str(permit.pk)}).status_code == 409
    else:
        assert (permit.approved_by, start.status_code) == (None, 409)


def test_a_new_permit_for_production_needs_a_new_approval(cast: Cast, as_: As) -> None:
    first = production(cast)
    as_("olga").post(PAGE, {"action": "approve", "permit": str(first.pk)})
    production(cast)
    case = make_case(cast, at="triaged")
    assert as_("theo").post(f"/desk/cases/{case.ref}/replay/", {"action": "start"}).status_code == 409


def test_a_permit_names_who_answers_for_the_cost(cast: Cast, as_: As) -> None:
    given = {
        "target": str(cast.target.pk), "operator": "Larkfield", "basis": "own", "environment": "sandbox",
        "calls_per_day": "10", "budget_owner": str(cast.finn.pk), "hazard_classes": ["iwp", "hte"],
    }  # fmt: skip
    assert as_("lena").post("/desk/program/wicket/permit/", given).status_code == 302
    row = Permit.objects.order_by("-granted_at")[0]
    assert (row.budget_owner, row.granted_by, row.hazard_classes) == (cast.finn, cast.lena, ["iwp", "hte"])
    assert "Finn R." in as_("theo").get(PAGE).content.decode()
    wrong = as_("lena").post("/desk/program/wicket/permit/", {**given, "hazard_classes": ["cse"]})
    assert wrong.status_code == 422


def test_the_rules_of_arrival_are_kept_by_managers(cast: Cast, as_: As) -> None:
    given = {"action": "rules", "on": "on", "trials": "6", "calls_per_day": "60", "tells_researcher": "on"}
    assert as_("theo").post(PAGE, given).status_code == 403
    assert as_("lena").post(PAGE, given).status_code == 302
    row = PreflightRules.objects.get()
    assert (row.trials, row.calls_per_day, row.calls_per_reporter, row.tells_researcher) == (6, 60, None, True)
    wrong = as_("lena").post(PAGE, {**given, "trials": "99"})
    assert wrong.status_code == 422
    assert 'value="99"' in wrong.content.decode()
    assert as_("lena").post(PAGE, {"action": "dance"}).status_code == 404
    assert as_("eve").get(PAGE).status_code == 404


def test_a_price_is_shown_before_a_replay_starts(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    address = f"/desk/cases/{case.ref}/replay/"
    assert "EUR" not in as_("theo").get(address).content.decode()
    given = {"target": str(cast.target.pk), "label": "v9", "endpoint_url": "http://127.0.0.1:9/v9/v1", "model": "w"}
    half = as_("lena").post("/desk/program/wicket/version/", {**given, "price_in": "2"})
    assert "Give both prices, or neither." in half.content.decode()
    TargetVersion.objects.update(price_in=2.0, price_out=8.0, currency="EUR")
    assert " EUR" in as_("theo").get(address).content.decode()
    as_("theo").post(address, {"action": "start"})
    document = PlanDocument.from_json(Replay.objects.get().document)
    assert document.price is not None
    assert (document.price.per_million_in, document.price.currency) == (2.0, "EUR")


JUDGED = REPRODUCER.replace('{canary: "BLUE-HERON-42"}', '{judge: "secret_disclosed"}')


def judge_of(cast: Cast) -> TargetVersion:
    return add_version(cast.target, label="judge-1", endpoint_url="http://127.0.0.1:9/judge/v1", model="judge-1")


def test_a_judge_answers_only_where_the_program_allows_it_by_name(cast: Cast, as_: As) -> None:
    case, version = make_case(cast, at="triaged", reproducer=JUDGED), judge_of(cast)
    address = f"/desk/cases/{case.ref}/replay/"
    none = as_("theo").get(address).content.decode()
    assert "asks a judge model, and none is chosen" in none
    assert "The program lets no model read answers." in none
    refused = as_("theo").post(address, {"action": "start", "judge": str(version.pk)})
    assert refused.status_code == 422  # it is not on offer
    assert as_("theo").post(PAGE, {"action": "judge", "version": str(version.pk)}).status_code == 403
    assert as_("lena").post(PAGE, {"action": "judge", "version": str(version.pk)}).status_code == 302
    assert as_("lena").post(PAGE, {"action": "judge", "version": str(version.pk)}).status_code == 409
    assert as_("theo").post(address, {"action": "start"}).status_code == 409  # allowed is not chosen
    assert as_("theo").post(address, {"action": "start", "judge": str(version.pk)}).status_code == 302
    replay = Replay.objects.get()
    document = PlanDocument.from_json(replay.document)
    assert (replay.judge_version, document.targets["judge"].model) == (version, "judge-1")
    assert "confirm" in document.detectors["success"]
    asked = events.log(case.subject).filter(kind="replay.requested").get()
    assert asked.data["judge"] == str(version.pk)


def test_a_judge_that_is_taken_back_or_not_allowed_for_the_hazard_is_shown_nothing(cast: Cast, as_: As) -> None:
    version = judge_of(cast)
    row = judges.allow(version, by=cast.lena)
    assert judges.refused(version, "") == []
    assert [one.why for one in judges.refused(version, "iwp")] == ["hazard"]
    assert [one.why for one in judges.refused(version, "cse")] == ["hazard"]
    assert as_("theo").post(PAGE, {"action": "end", "judge": str(row.pk)}).status_code == 403
    assert as_("lena").post(PAGE, {"action": "end", "judge": str(row.pk)}).status_code == 302
    assert [one.why for one in judges.refused(version, "")] == ["judge"]
    assert as_("lena").post(PAGE, {"action": "end", "judge": str(row.pk)}).status_code == 409
    assert as_("lena").post(PAGE, {"action": "end", "judge": "nonsense"}).status_code == 404
    given = {"action": "judge", "version": str(version.pk), "hazard_classes": ["iwp"]}
    assert as_("lena").post(PAGE, given).status_code == 302
    assert judges.refused(version, "iwp") == []
    assert JudgeAllowance.objects.count() == 2
    kinds = [one.kind for one in events.log(f"program:{cast.program.pk}") if one.kind.startswith("judge.")]
    assert kinds == ["judge.allowed", "judge.ended", "judge.allowed"]


def test_the_worker_asks_again_whether_the_judge_may(cast: Cast) -> None:
    version = judge_of(cast)
    row = judges.allow(version, by=cast.lena)
    case: Case = make_case(cast, at="triaged", reproducer=JUDGED)
    reproduction.request(case, by=cast.theo, version=cast.v1, judge=version)
    judges.end(row, by=cast.lena)
    lease = queue.claim("tests")
    assert lease is not None
    with pytest.raises(ready.NotPermitted, match="allows this one nothing"):
        ready.prepare(lease)
