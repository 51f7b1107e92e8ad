"""Settings typed with a report are read as numbers or refused in words; a success rule never vanishes unsaid."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from manyeyes.cases import intake
from manyeyes.cases.knobs import WANTED, knob_problem, read_knob
from manyeyes.cases.understood import understood
from manyeyes.reproducer.load import load_text
from manyeyes.reproducer.settings import Knobs
from manyeyes.rules.errors import Invalid
from tests.people import Cast, make_report, submit

UNREAD = ("warm", "nan", "inf", "-1", "1e9", "0.7 and 1", ".", "7.", "1.2.3", "0x1", "None")


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("temperature", "0,7", 0.7), ("temperature", " .7 ", 0.7), ("temperature", "2", 2.0),
        ("temperature", "٠٫٧", 0.7),
        ("top_p", "1", 1.0), ("max_tokens", "512", 512), ("max_tokens", "1,000", 1000),
        ("max_tokens", "131 072", 131_072),
    ],
)  # fmt: skip
def test_a_number_is_read_as_people_write_it(name: str, typed: str, value: float) -> None:
    assert read_knob(name, typed) == value
    assert knob_problem(name, typed) is None


@pytest.mark.parametrize("name", WANTED)
@pytest.mark.parametrize("typed", UNREAD)
def test_what_is_no_number_is_refused_in_words(name: str, typed: str) -> None:
    assert knob_problem(name, typed) == WANTED[name]


@pytest.mark.parametrize("name", WANTED)
def test_the_words_name_the_bounds_that_a_reproducer_has(name: str) -> None:
    low, high = (float(number) for number in re.findall(r"\d+(?:\.\d+)?", WANTED[name])[:2])
    Knobs.model_validate({name: int(high)})
    with pytest.raises(ValidationError):
        Knobs.model_validate({name: int(high) + 1})
    with pytest.raises(ValidationError):
        Knobs.model_validate({name: int(low) - 1})


@pytest.mark.parametrize("settings", [{"temperature": "warm"}, {"top_p": "7"}, {"max_tokens": "-5"}])
def test_no_face_takes_a_setting_that_cannot_be_read(cast: Cast, settings: dict[str, str]) -> None:
    [name] = settings
    with pytest.raises(Invalid) as refused:
        intake.submit(cast.program, make_report(cast, settings=settings), by=cast.rhea)
    assert refused.value.fields == {f"settings.{name}": WANTED[name]}


def test_a_decimal_comma_reaches_the_reproducer_and_is_shown_as_it_was_read(cast: Cast) -> None:
    given = {"reproducer": "", "success_text": "SECRET-99", "settings": {"temperature": "0,7", "max_tokens": "1,000"}}
    rows = {row.name: (row.value, row.note) for row in understood(make_report(cast, **given))}
    assert rows["Temperature"] == ("0.7", "You wrote 0,7.")
    assert rows["Token limit"] == ("1000", "You wrote 1,000.")
    [setting] = load_text(submit(cast, **given).reproducers.get().text).setting_list()
    assert (setting.temperature, setting.max_tokens) == (0.7, 1000)


@pytest.mark.parametrize(
    ("talk", "why"), [("user: {{wording}} now", "wordings"), ("user: again\n" * 65, "has too many entries")]
)
def test_where_no_reproducer_can_be_made_of_a_rule_the_page_says_so(cast: Cast, talk: str, why: str) -> None:
    given = {"reproducer": "", "success_text": "SECRET-99", "conversation": talk}
    rows = [row for row in understood(make_report(cast, **given)) if row.name == "Reproducer"]
    assert [(row.value, why in row.note) for row in rows] == [("none can be made", True)]
    case = submit(cast, **given)
    assert case.reproducers.count() == 0
    [report] = case.reports.all()
    kept = str(report.readings)
    assert "SECRET-99" in kept
    assert "none can be made" in kept


def test_a_rule_typed_beside_a_reproducer_is_not_passed_over(cast: Cast) -> None:
    rows = {row.name: row.note for row in understood(make_report(cast, success_text="SECRET-99"))}
    assert "You also wrote “SECRET-99”; the rule of your file counts." in rows["Success rule"]
    assert "Reproducer" not in {row.name for row in understood(make_report(cast, reproducer="", success_text=""))}


def test_who_reports_it_too_is_shown_before_it_is_sent(cast: Cast) -> None:
    [row] = [
        one for one in understood(make_report(cast, co_reporters=("olga_b", "mina"))) if one.name == "Reported with"
    ]
    assert row.value == "olga_b, mina"
    assert "a handle that nobody has stays without an answer" in row.note
    assert "Reported with" not in {one.name for one in understood(make_report(cast))}
