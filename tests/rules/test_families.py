"""Which cases may follow, lead and leave: the law of families, refusal by refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from manyeyes.rules import reference
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotFound
from manyeyes.rules.families import (
    PART_WORDS,
    Kin,
    Part,
    check_group,
    check_lead,
    check_merge,
    check_repeat,
    check_take_out,
    heir,
    original,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST = Kin(ref="ME-2222-2222", program="wicket", received_at=NOON)
LATER = Kin(ref="ME-3333-3333", program="wicket", received_at=NOON + timedelta(days=1))


def test_every_part_has_words_and_some_follow() -> None:
    assert set(PART_WORDS) == set(Part)
    assert {part for part in Part if part.follows} == {Part.DUPLICATE, Part.MERGED}
    assert Part.VARIANT.words == "related"


def test_a_duplicate_of_a_duplicate_leads_to_the_first_and_a_circle_is_refused() -> None:
    follows = {"c": "b", "b": "a"}
    assert [original(one, follows.get) for one in "abc"] == ["a", "a", "a"]
    for circle in ({"a": "b", "b": "a"}, {"a": "a"}, {"a": "b", "b": "c", "c": "b"}):
        with pytest.raises(Conflict):
            original("a", circle.get)


def test_only_what_came_later_repeats_something() -> None:
    check_repeat(LATER, FIRST)
    check_repeat(replace(LATER, received_at=NOON), FIRST)
    with pytest.raises(Invalid) as early:
        check_repeat(FIRST, LATER)
    assert "ME-2222-2222 came before ME-3333-3333" in early.value.fields["of"]
    check_repeat(FIRST, replace(LATER, first_at=NOON - timedelta(days=2)))  # the flaw was reported before both


def test_nothing_repeats_itself_or_something_elsewhere() -> None:
    for law in (check_repeat, check_merge):
        with pytest.raises(Invalid):
            law(FIRST, FIRST)
        with pytest.raises(NotFound):
            law(LATER, replace(FIRST, program="quill"))


def test_work_goes_on_only_where_somebody_works_whichever_came_first() -> None:
    check_merge(LATER, FIRST)
    check_merge(FIRST, LATER)
    with pytest.raises(Invalid) as ended:
        check_merge(LATER, replace(FIRST, is_open=False))
    assert "Nobody works on ME-2222-2222" in ended.value.fields["of"]


def test_cases_are_grouped_into_one_family_each() -> None:
    assert check_group([FIRST, LATER]) == ""
    assert check_group([replace(FIRST, family="FA-2222-2222"), LATER]) == "FA-2222-2222"
    with pytest.raises(Conflict) as two:
        check_group([replace(FIRST, family="FA-2222-2222"), replace(LATER, family="FA-3333-3333")])
    assert "FA-2222-2222, FA-3333-3333" in two.value.message
    with pytest.raises(Invalid):
        check_group([FIRST])
    with pytest.raises(Invalid):
        check_group([replace(FIRST, family="FA-2222-2222"), replace(LATER, family="FA-2222-2222")])
    with pytest.raises(NotFound):
        check_group([FIRST, replace(LATER, program="quill")])


def test_whoever_was_told_something_is_told_again_before_a_case_leaves() -> None:
    check_take_out("ME-2222-2222", Part.VARIANT, 0)
    check_take_out("ME-2222-2222", Part.LEAD, 0)
    for part in (Part.DUPLICATE, Part.MERGED):
        with pytest.raises(IllegalMove) as told:
            check_take_out("ME-2222-2222", part, 0)
        assert told.value.missing == ["reopened"]
        with pytest.raises(IllegalMove):
            check_lead("ME-2222-2222", part)
    with pytest.raises(IllegalMove) as followed:
        check_take_out("ME-2222-2222", Part.LEAD, 2)
    assert followed.value.missing == ["followers"]
    check_lead("ME-2222-2222", Part.VARIANT)


def test_the_first_that_follows_nobody_inherits() -> None:
    later = NOON + timedelta(hours=1)
    assert heir([(NOON, Part.DUPLICATE, "a"), (later, Part.VARIANT, "b"), (NOON, Part.VARIANT, "c")]) == "c"
    assert heir([(NOON, Part.MERGED, "a")]) == ""


def test_the_number_of_a_family_is_told_from_that_of_a_case() -> None:
    number = reference.new_reference(lambda letters: letters[0], prefix=reference.FAMILY)
    assert number == "FA-2222-2222"
    assert reference.normalise(" fa 22222222 ", prefix=reference.FAMILY) == number
    with pytest.raises(Invalid):
        reference.normalise(number)
