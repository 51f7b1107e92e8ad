"""Who takes a new case: load, fit, absence, capacity, declined hazards, conflicts, both hats, always the same."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from manyeyes.rules.assignment import Arriving, Colleague, Seat, seats, stand_in

CASE = Arriving(vuln_class="HC", target="wicket")


def one(name: str, *disciplines: str, **more: Any) -> Colleague:
    return Colleague(person=name.lower(), name=name, disciplines=frozenset(disciplines), **more)


def named(team: list[Colleague], case: Arriving = CASE) -> tuple[str, str, str, str]:
    """(security, who stands in, ML, who stands in)."""
    security, ml = seats(team, case)
    return security.person, security.backup, ml.person, ml.backup


def test_one_for_each_discipline_and_the_manager_stands_in() -> None:
    team = [one("Theo", "security"), one("Mina", "ml"), one("Lena", leads=True)]
    assert named(team) == ("theo", "lena", "mina", "lena")
    security, ml = seats(team, CASE)
    assert security.reasons == (
        "Theo takes it for security: 0 open cases.",
        "Lena stands in, for nobody else here speaks for security.",
    )
    assert (security.discipline, ml.discipline) == ("security", "ml")


def test_fit_comes_before_load_and_load_before_the_name() -> None:
    knows = one("Zoe", "security", classes=frozenset({"HC"}), targets=frozenset({"wicket"}), open_cases=5)
    team = [one("Abe", "security", open_cases=1), one("Ben", "security"), knows, one("Mina", "ml")]
    assert named(team)[:2] == ("zoe", "ben")
    assert named(team[:2] + team[3:])[:2] == ("ben", "abe")
    assert seats(team, CASE)[0].reasons[:2] == (
        "Zoe takes it for security: 5 open cases, knows this kind of flaw and this target.", "Ben stands in.",
    )  # fmt: skip
    even = [one("Abe", "security"), one("Ben", "security")]
    assert named(even)[:2] == ("abe", "ben")
    assert seats(even, CASE)[0].reasons[0] == "Abe takes it for security: 0 open cases."


def test_load_is_measured_against_what_somebody_can_hold() -> None:
    assert (
        named([one("Abe", "ml", open_cases=2, most_cases=10), one("Ben", "ml", open_cases=1, most_cases=2)])[2] == "abe"
    )
    assert one("Abe", hours_a_week=9).most == 4
    assert one("Abe", hours_a_week=9, most_cases=3).most == 3
    assert one("Abe").most is None
    assert not one("Abe", open_cases=99).full, "who named no capacity is never full"
    assert one("Abe", hours_a_week=1).full
    assert one("Abe", most_cases=0).load == 0


def test_over_capacity_only_if_all_are() -> None:
    full = one("Abe", "security", open_cases=2, most_cases=2, classes=frozenset({"HC"}))
    free = one("Ben", "security", open_cases=7, most_cases=8)
    assert named([full, free])[:2] == ("ben", "abe")
    both = [full, one("Ben", "security", open_cases=8, most_cases=8)]
    security = seats(both, CASE)[0]
    assert security.person == "abe"
    assert security.reasons[:2] == (
        "Abe takes it for security: 2 of at most 2 open cases, knows this kind of flaw.",
        "Everybody able is at their capacity.",
    )


def test_nobody_who_is_away_has_a_conflict_or_declined_is_named_anywhere() -> None:
    case = Arriving(vuln_class="HC", target="wicket", hazard="iwp")
    team = [
        one("Abe", "security", away=True), one("Ben", "security", conflict="reported it"),
        one("Cleo", "security", declines=frozenset({"iwp"})), one("Mina", "ml"),
    ]  # fmt: skip
    security, ml = seats(team, case)
    assert (security.person, security.backup) == ("", "")
    assert security.reasons == (
        "Nobody can take it for security.", "Abe is away.", "Ben reported it.", "1 will not view this kind of content.",
    )  # fmt: skip
    assert "Cleo" not in " ".join(security.reasons), "what somebody will not view is theirs to tell"
    assert (ml.person, ml.backup) == ("mina", "")
    assert ml.reasons == ("Mina takes it for ML: 0 open cases.", "Nobody is left to stand in.")
    assert named(team)[0] == "cleo", "without a hazard it concerns nobody"


def test_a_program_with_one_person_works_with_both_hats() -> None:
    alone = [one("Ada", "security", "ml")]
    security, ml = seats(alone, CASE)
    assert (security.person, security.backup, ml.person, ml.backup) == ("ada", "", "ada", "")
    assert "One person wears both hats, because nobody else is there for one of them." in security.reasons
    assert seats([], CASE) == (
        Seat(discipline="security", reasons=("Nobody can take it for security.",)),
        Seat(discipline="ml", reasons=("Nobody can take it for ML.",)),
    )


def test_two_people_come_before_two_hats_even_where_one_knows_more() -> None:
    both = one("Ada", "security", "ml", classes=frozenset({"HC"}))
    assert named([both, one("Theo", "security")]) == ("theo", "ada", "ada", "theo")
    full = one("Theo", "security", open_cases=3, most_cases=3)
    assert named([both, full])[0] == "ada", "nobody is overloaded while somebody else has room"


def test_standing_in_prefers_the_discipline_then_the_manager_then_anybody() -> None:
    team = [one("Abe", "ml"), one("Lena", leads=True), one("Olga"), one("Theo", "security", open_cases=4)]
    assert stand_in(team, CASE, "security") == team[3]
    assert stand_in(team, CASE, "security", without={"theo"}) == team[1]
    assert stand_in(team, CASE, "security", without={"theo", "lena"}) == team[0]
    assert stand_in(team, CASE, "security", without={"theo", "lena", "abe", "olga"}) is None


people = st.builds(
    Colleague, person=st.uuids().map(str), name=st.sampled_from(["Abe", "Ben", "Cleo"]),
    disciplines=st.frozensets(st.sampled_from(["security", "ml"])),
    classes=st.frozensets(st.sampled_from(["HC", "AT"])),
    targets=st.frozensets(st.just("wicket")), open_cases=st.integers(0, 9),
    most_cases=st.none() | st.integers(0, 6), hours_a_week=st.none() | st.floats(0, 40), away=st.booleans(),
    declines=st.frozensets(st.sampled_from(["iwp", "hte"])), conflict=st.sampled_from(["", "", "reported it"]),
    leads=st.booleans(),
)  # fmt: skip


@given(team=st.lists(people, max_size=6), hazard=st.sampled_from(["", "iwp"]), seed=st.integers(0, 99))
def test_whatever_the_team_the_promises_hold(team: list[Colleague], hazard: str, seed: int) -> None:
    case = Arriving(vuln_class="HC", target="wicket", hazard=hazard)
    found = seats(team, case)
    assert found == seats(random.Random(seed).sample(team, len(team)), case), (
        "the order they are listed in says nothing"
    )
    by = {one.person: one for one in team}
    able = [one for one in team if not (one.away or one.conflict or (hazard and hazard in one.declines))]
    for seat in found:
        ours = [one for one in able if seat.discipline in one.disciplines]
        assert bool(seat.person) == bool(ours)
        for name in filter(None, (seat.person, seat.backup)):
            assert by[name] in able
        if seat.person:
            assert seat.backup != seat.person
            assert bool(seat.backup) == (len({one.person for one in able}) > 1)
            assert by[seat.person] in ours
            assert not by[seat.person].full or all(one.full for one in ours)
