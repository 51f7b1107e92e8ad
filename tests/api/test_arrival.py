"""A report over the API is tried on arrival like any other, and not tried for the same reasons; nothing else starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from manyeyes.api.calls import api
from manyeyes.api.document import document
from manyeyes.cases import preflight
from manyeyes.cases.models import Case
from manyeyes.programs.permitted import Permit
from manyeyes.programs.targets import grant
from manyeyes.replays.models import Replay
from tests.api.test_researcher import Calls, report
from tests.people import REPRODUCER, Cast

pytestmark = pytest.mark.django_db

REFUSALS: dict[str, tuple[Callable[[Cast], Any], str, str]] = {
    "without a permit": (lambda cast: Permit.objects.all().delete(), REPRODUCER, "Nobody has recorded a permit"),
    "over budget": (lambda cast: Permit.objects.update(calls_per_day=3), REPRODUCER, "allows 3 calls a day"),
    "on production without approval": (
        lambda cast: grant(cast.target, by=cast.lena, operator="L", basis="own", environment="production"),
        REPRODUCER, "nobody has approved attacks on it",
    ),
    "of a forbidden hazard class": (
        lambda cast: None, REPRODUCER + "hazard: iwp\n", "does not cover the hazard class indiscriminate weapons",
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSALS)
def test_what_may_not_be_tried_is_taken_and_not_tried(cast: Cast, calls: Calls, why: str) -> None:
    arrange, reproducer, words = REFUSALS[why]
    arrange(cast)
    rhea = calls("rhea")
    sent = rhea.post("/programs/wicket/reports", report(cast, reproducer=reproducer))
    assert sent.status_code == 201
    assert preflight.decide_next()
    case = Case.objects.get()
    assert any(words in one for one in preflight.tried([case])[case.pk].reasons)
    assert not Replay.objects.exists()
    told = rhea.get(f"/cases/{case.ref}").content.decode() + rhea.get(f"/cases/{case.ref}/timeline").content.decode()
    assert words not in told
    assert "preflight" not in told


def test_a_permitted_one_starts_and_the_researchers_calls_say_nothing_of_it(cast: Cast, calls: Calls) -> None:
    rhea = calls("rhea")
    rhea.post("/programs/wicket/reports", report(cast, reproducer=REPRODUCER))
    assert preflight.decide_next()
    assert Replay.objects.get().question == "score"
    case = Case.objects.get()
    assert rhea.get(f"/cases/{case.ref}/replays").json()["items"] == []
    assert [row["kind"] for row in rhea.get(f"/cases/{case.ref}/timeline").json()["items"]] == ["report.received"]


def test_no_call_starts_or_steers_a_replay() -> None:
    """Replays are asked for on the desk alone; over the API they are read."""
    found = {where: set(item) for where, item in document(api)["paths"].items() if "replay" in where}
    assert found
    assert all(methods == {"get"} for methods in found.values()), found
