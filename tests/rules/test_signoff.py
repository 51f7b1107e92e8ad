"""Sign-off: two people, two hats, a later second, disagreement and the manager's decision."""

from datetime import UTC, datetime, timedelta

from manyeyes.rules import clock
from manyeyes.rules.signoff import Override, Rule, SignOff, status

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)


def sign(person: str, discipline: str, agrees: bool = True, hours: int = 0) -> SignOff:
    return SignOff(person=person, discipline=discipline, agrees=agrees, at=AT + timedelta(hours=hours))


BOTH = [sign("theo", "security"), sign("mina", "ml")]
ONE_PERSON = [sign("theo", "security"), sign("theo", "ml")]


def test_nobody_has_signed_yet() -> None:
    found = status([], severity="High")
    assert found.missing == ("security sign-off", "ML sign-off")
    assert not found.complete


def test_two_people_complete_any_band() -> None:
    for band in ("Critical", "High", "Medium", "Low", "None", ""):
        found = status(BOTH, severity=band)
        assert found.complete
        assert not found.two_hats
        assert found.agreed == ("security", "ml")


def test_two_hats_are_shown_and_not_enough_for_grave_findings() -> None:
    low = status(ONE_PERSON, severity="Medium")
    assert (low.complete, low.two_hats) == (True, True)
    grave = status(ONE_PERSON, severity="Critical")
    assert grave.missing == ("sign-off by a second person",)
    assert grave.two_hats


def test_a_program_may_ask_for_more_or_less() -> None:
    assert not status(ONE_PERSON, {"Low": Rule.TWO_PEOPLE}, "Low").complete
    assert status(ONE_PERSON, {}, "Critical").complete


def test_one_missing_discipline_is_named() -> None:
    assert status(BOTH[:1], severity="High").missing == ("ML sign-off",)
    assert status(BOTH[1:], severity="Low").missing == ("security sign-off",)
    assert status([*BOTH[:1], sign("eve", "finance")], severity="Low").missing == ("ML sign-off",)


def test_disagreement_waits_for_the_manager() -> None:
    found = status([BOTH[0], sign("mina", "ml", agrees=False)], severity="Low")
    assert found.missing == ("the manager's decision",)
    assert (found.agreed, found.disagreed) == (("security",), ("ml",))


def test_the_last_word_of_a_discipline_counts() -> None:
    rows = [sign("mina", "ml", agrees=False), BOTH[0], sign("mina", "ml", hours=2)]
    assert status(rows, severity="High").complete
    assert not status([*rows, sign("theo", "security", agrees=False, hours=3)], severity="High").complete


def test_the_second_may_follow_within_seven_days() -> None:
    policy = {"High": Rule.SECOND_LATER}
    early = status(BOTH[:1], policy, "High", at=AT + timedelta(days=7))
    assert (early.complete, early.second_due, early.late) == (True, AT + timedelta(days=7), False)
    with clock.freeze(AT + timedelta(days=7, seconds=1)):
        late = status(BOTH[:1], policy, "High")
    assert (late.complete, late.late, late.missing) == (False, True, ("ML sign-off",))
    refused = status([sign("theo", "security", agrees=False)], policy, "High", at=AT)
    assert refused.missing == ("ML sign-off",)
    assert status(BOTH, policy, "High", at=AT).second_due is None


def test_the_manager_decides_only_with_a_reason() -> None:
    rows = [BOTH[0], sign("mina", "ml", agrees=False)]
    decided = status(rows, severity="High", override=Override(person="lena", reason="Both agree on the facts.", at=AT))
    assert (decided.complete, decided.overridden, decided.disagreed) == (True, True, ("ml",))
    silent = status(rows, severity="High", override=Override(person="lena", reason="  ", at=AT))
    assert (silent.complete, silent.overridden) == (False, False)
