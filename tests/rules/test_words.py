"""Words for statuses, numbers, times and kinds."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.reproducer.model import CLASSES
from manyeyes.rules import severity, taxonomy, words
from manyeyes.rules.lifecycle import CloseReason, Status

DUE = datetime(2027, 2, 18, 14, 0, tzinfo=UTC)


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


def test_every_status_has_its_word_and_chip() -> None:
    assert [words.status_words(status) for status in Status] == [
        "New", "Needs info", "Triaged", "Confirmed", "Fixing", "Fix deployed", "Retesting", "Resolved", "Closed",
    ]  # fmt: skip
    for status in Status:
        assert words.status_chip(status).word == words.status_words(status)
    assert len({words.status_chip(status).glyph for status in Status}) == len(Status)


def test_a_closed_case_names_its_reason() -> None:
    assert words.status_words("closed", "spam") == "Closed: spam"
    assert plain(words.status_words("closed", "not_reproduced", p_min=0.05)) == "Closed: not reproduced at 5 %"
    assert words.status_words("closed", "not_reproduced") == "Closed: not reproduced"
    assert words.status_words("new", "spam") == "New"
    assert words.status_chip("closed", "duplicate") == words.Chip(
        word="Closed: duplicate of a known report", tone="duplicate", glyph="equals"
    )
    assert words.status_chip("closed", "withdrawn").tone == "closed"
    for reason in CloseReason:
        assert words.status_chip("closed", reason).word.startswith("Closed: ")


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        (0.3417, {}, "34 %"),
        (0.023, {}, "2 %"),
        (0.0225, {"fine": True}, "2.3 %"),
        (0.34, {"fine": True}, "34 %"),
        (0.0996, {"fine": True}, "10 %"),
        (0.0, {}, "0 %"),
        (0.002, {}, "<1 %"),
        (0.0002, {"fine": True}, "<0.1 %"),
        (0.999, {}, ">99 %"),
        (1.0, {}, "100 %"),
        (0.00991, {"fine": True, "up": True}, "1.0 %"),
        (0.0101, {"fine": True, "up": True}, "1.1 %"),
        (0.01, {"fine": True, "up": True}, "1.0 %"),
        (0.9991, {"up": True}, "100 %"),
    ],
)
def test_percentages(value: float, options: dict[str, bool], expected: str) -> None:
    assert plain(words.percent(value, **options)) == expected


@given(st.floats(0, 1))
def test_only_never_is_0_and_only_always_is_100(value: float) -> None:
    printed = words.percent(value)
    assert (printed == "0\u202f%") == (value == 0)
    assert (printed == "100\u202f%") == (value == 1)


@given(st.floats(0, 0.99))
def test_a_bound_is_never_understated(value: float) -> None:
    number = float(words.percent(value, fine=True, up=True).removesuffix("\u202f%").lstrip("<>"))
    assert number >= value * 100 - 1e-5


def test_intervals_counts_and_chosen_rates() -> None:
    assert plain(words.interval_words(0.212, 0.487)) == "21–49 %"
    assert plain(words.interval_words(0.005, 0.059, fine=True)) == "0.5–5.9 %"
    assert words.count_words(1495, 12000) == "1,495 of 12,000"
    assert [plain(words.target_percent(one)) for one in (0.05, 0.005, 0.01, 0.125)] == ["5 %", "0.5 %", "1 %", "12.5 %"]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (0, "0 min"), (43, "43 min"), (60, "1 h"), (190, "3 h 10 min"), (719, "11 h 59 min"), (720, "12 h"),
        (22 * 60 + 59, "22 h"), (47 * 60 + 59, "47 h"), (48 * 60, "2 d"), (49 * 60, "2 d 1 h"), (-190, "3 h 10 min"),
    ],
)  # fmt: skip
def test_durations(minutes: int, expected: str) -> None:
    assert words.duration_words(timedelta(minutes=minutes)) == expected


def test_time_left_and_late() -> None:
    assert words.time_left(DUE, DUE - timedelta(hours=22)) == "22 h left"
    assert words.time_left(DUE, DUE - timedelta(hours=49)) == "2 d 1 h left"
    assert words.time_left(DUE, DUE + timedelta(hours=2, seconds=1)) == "2 h late"


def test_moments_name_their_zone() -> None:
    assert words.time_words(DUE) == "Thu 18 Feb 2027, 14:00 UTC"
    assert words.time_words(DUE, timezone(timedelta(hours=1), "CET")) == "Thu 18 Feb 2027, 15:00 CET"
    assert words.day_words(DUE) == "Thu 18 Feb 2027"


def test_kinds_are_those_of_the_reproducer_format_and_every_code_has_its_form() -> None:
    assert set(taxonomy.KINDS) == set(CLASSES)
    assert len(taxonomy.KINDS) == 16
    for kind in taxonomy.KINDS.values():
        assert kind.help.endswith(".")
        assert kind.help.count(".") == 1


@pytest.mark.parametrize("code", taxonomy.KINDS)
def test_every_kind_starts_with_a_vector_that_can_be_scored(code: str) -> None:
    asked = dict.fromkeys(taxonomy.KINDS[code].asks, "L")  # left open until a person says what it reveals
    assert not set(asked) & set(taxonomy.starting_letters(code))
    vector = severity.build({**taxonomy.starting_letters(code), **asked}, observed=(20, 30))
    result = severity.score(vector)
    assert max(result.sec or 0, result.saf or 0) > 0
