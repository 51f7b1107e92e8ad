"""A hazard class that the permit does not cover keeps machines away, whoever named it and whenever they did."""

from __future__ import annotations

import pytest

from manyeyes import events
from manyeyes.cases import preflight, reproducers, reproduction, restricted, steering
from manyeyes.programs.models import Permit
from manyeyes.replays.models import Replay
from manyeyes.rules.errors import IllegalMove, Invalid
from tests.people import REPRODUCER, Cast, make_case, submit

pytestmark = pytest.mark.django_db
UNCOVERED = "The permit does not cover the hazard class indiscriminate weapons."


@pytest.mark.parametrize(
    ("hazard", "said"),
    [
        ("", []),
        ("hazard: iwp\n", [UNCOVERED]),
        ("hazard: cse\n", ["never replayed, varied or judged by machine"]),
    ],
)
def test_the_class_of_the_reproducer_is_asked_about(cast: Cast, hazard: str, said: list[str]) -> None:
    case = make_case(cast, at="triaged")
    row = case.reproducers.get()
    row.text = f"{REPRODUCER.rstrip()}\n{hazard}"  # as an import or an older release may have left it
    row.save()
    problems = " ".join(reproduction.propose(case).problems)
    assert all(words in problems for words in said)
    assert bool(problems) == bool(said)


def test_the_class_that_the_sender_chose_keeps_a_report_from_being_tried(cast: Cast) -> None:
    case = submit(cast, hazard="iwp")
    while preflight.decide_next():
        pass
    row = case.preflights.get()
    assert (row.state, Replay.objects.exists()) == ("not_tried", False)
    assert any("never tried without a person" in words for words in row.reasons)


def test_the_class_that_a_triager_gave_is_asked_about_until_the_permit_covers_it(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    restricted.restrict(case, by=cast.theo, hazard="iwp")
    case.refresh_from_db()
    assert reproduction.propose(case).problems == (UNCOVERED,)
    with pytest.raises(IllegalMove, match="indiscriminate weapons"):
        reproduction.request(case, by=cast.theo, version=cast.v1)
    assert not Replay.objects.filter(requested_by=cast.theo).exists()
    Permit.objects.update(hazard_classes=["iwp"])
    assert reproduction.propose(case).problems == ()


def test_what_runs_when_the_class_is_given_stops_and_is_not_resumed(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo, version=cast.v1)
    restricted.restrict(case, by=cast.theo, hazard="iwp")
    link.refresh_from_db()
    assert link.replay.state == "paused"
    with pytest.raises(IllegalMove, match="indiscriminate weapons"):
        steering.steer(link, by=cast.theo, action="resume")
    link.replay.refresh_from_db()
    last = events.log(case.subject).last()
    assert last is not None
    assert (link.replay.state, last.kind, last.data["why"]) == ("paused", "replay.refused", ["hazard"])
    Permit.objects.update(hazard_classes=["iwp"])
    steering.steer(link, by=cast.theo, action="resume")
    link.replay.refresh_from_db()
    assert link.replay.state == "queued"


def test_a_try_on_arrival_under_way_ends_when_the_class_is_given(cast: Cast) -> None:
    case = submit(cast)
    while preflight.decide_next():
        pass
    restricted.restrict(case, by=cast.theo, hazard="iwp")
    assert Replay.objects.get().state == "cancelled"


def test_what_nobody_may_hold_is_not_taken_in_a_reproducer_either(cast: Cast) -> None:
    forbidden = f"{REPRODUCER.rstrip()}\nhazard: cse\n"
    with pytest.raises(Invalid) as refused:
        submit(cast, reproducer=forbidden)
    assert "never taken" in refused.value.fields["reproducer"]
    case = submit(cast)
    with pytest.raises(Invalid, match="never taken"):
        reproducers.attach_reproducer(case, by=cast.rhea, text=forbidden)
    assert case.reproducers.count() == 1
