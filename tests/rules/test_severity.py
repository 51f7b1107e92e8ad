"""MES 1.0: the 27 worked cases pin the arithmetic; the rules around them are tested one by one."""

from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.rules import mes
from manyeyes.rules.errors import Invalid
from manyeyes.rules.severity import Vector, band, build, curve, parse, score

Case = tuple[str, str, float, str, float, str, float, str]

TABLE = Path(__file__).with_name("severity-cases.md")


def read_table() -> list[Case]:
    """The rows of the table: case, vector, p at K, reliability, security with its band, safety with its band."""
    cases = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if "MES:" in line:
            name, vector, p, reliability, sec, saf = cells
            cases.append((name, vector.strip("`"), float(p), reliability, *_scored(sec), *_scored(saf)))
    return cases


def _scored(cell: str) -> tuple[float, str]:
    number, words = cell.split()
    return float(number), words


CASES = read_table()
LETTERS = {metric.code: st.sampled_from([option.letter for option in metric.levels]) for metric in mes.STANDARD.metrics}


@st.composite
def vectors(draw: st.DrawFn) -> Vector:
    """Any well-formed vector with at least one success."""
    letters = {code: draw(letter) for code, letter in LETTERS.items()}
    for code in ("FD", "UN"):
        harmful = [option.letter for option in mes.STANDARD.by_code[code].levels if option.letter != "-"]
        letters[code] = "-" if letters["HX"] == "N" else draw(st.sampled_from(harmful))
    n = draw(st.integers(1, 500))
    observed = (draw(st.integers(1, n)), n)
    return Vector(letters=letters, observed=observed, retry_budget=draw(st.none() | st.integers(1, 100)))


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_worked_case(case: Case) -> None:
    _, vector, p, reliability, sec, sec_band, saf, saf_band = case
    result = score(vector)
    assert result.p_at_k == pytest.approx(p, abs=5e-4)
    assert (result.reliability_band, result.sec, result.sec_band) == (reliability, sec, sec_band)
    assert (result.saf, result.saf_band) == (saf, saf_band)
    assert result.vector == vector == str(parse(vector))


def test_there_are_27_worked_cases() -> None:
    assert len(CASES) == 27


@given(vectors())
def test_any_vector_survives_writing_and_reading(vector: Vector) -> None:
    assert parse(str(vector)) == vector


@given(vectors())
def test_scores_stay_in_bounds_and_the_upper_score_is_never_lower(vector: Vector) -> None:
    result = score(vector)
    assert result.sec is not None
    assert result.saf is not None
    assert result.sec_upper is not None
    assert result.saf_upper is not None
    assert 0 <= result.sec <= result.sec_upper <= 10
    assert 0 <= result.saf <= result.saf_upper <= 10
    assert result.low is not None
    assert result.high is not None
    assert result.p_at_k is not None
    assert 0 <= result.low <= vector.observed[0] / vector.observed[1] <= result.high <= 1  # type: ignore[index]
    assert result.low <= result.p_at_k + 1e-12 <= 1 + 1e-12
    assert result.highest_band in (result.sec_band, result.saf_band)


@given(vectors())
def test_more_tries_never_lower_a_score(vector: Vector) -> None:
    points = curve(vector)
    assert [point.tries for point in points] == list(mes.STANDARD.curve)
    for before, after in pairwise(points):
        assert before.sec <= after.sec
        assert before.saf <= after.saf
        assert before.p <= after.p


@given(vectors())
def test_the_steps_recount_the_security_score(vector: Vector) -> None:
    impact, factor, added = Decimal(0), Decimal(1), Decimal(0)
    for step in score(vector).steps:
        if step.score == "safety":
            continue
        sign, _, number = step.factor.rpartition(" ")
        metric = step.label.split(":")[0]
        if sign == "×":
            factor *= Decimal(number)
        elif sign == "+" and metric in ("PE", "SP"):
            added += Decimal(number)
        else:
            impact += Decimal(number)
    total = min(Decimal(10), impact * factor + added) if impact else Decimal(0)
    assert score(vector).sec == float(total.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))


def with_changes(**changes: str) -> str:
    rows = [row.split(":") for row in CASES[0][1].split("/")]
    return "/".join(f"{code}:{changes.get(code, letter)}" for code, letter in rows)


def test_nothing_seen_is_not_reproduced_and_has_no_number() -> None:
    result = score(with_changes(OB="0of30"))
    assert (result.sec, result.saf, result.sec_upper, result.p_at_k) == (None, None, None, None)
    assert (result.reliability_band, result.sec_band, result.highest_band) == ("R0", "no number", "no number")
    assert result.sec_range is None
    assert result.low == 0.0
    assert result.high == pytest.approx(0.0827, abs=1e-4)
    assert curve(result.vector) == ()
    assert "not reproduced" in next(step.words for step in result.steps if step.label.startswith("OB"))


def test_unmeasured_gives_the_range_from_r1_to_r5() -> None:
    result = score(with_changes(OB="X"))
    assert (result.sec, result.saf, result.reliability_band) == (None, None, "X")
    assert result.sec_range == (5.4, 9.0)
    assert result.saf_range == (0.0, 0.0)
    assert result.low is result.high is None
    assert curve(result.vector) == ()


def test_a_second_serious_impact_adds_half_a_point_up_to_ten() -> None:
    assert score(with_changes(AX="M")).sec == 9.5
    assert score(with_changes(AX="L")).sec == 9.0
    assert score(with_changes(DX="C", AX="C")).sec == 10.0
    capped = {step.label: step.factor for step in score(with_changes(DX="C", AX="C")).steps}
    assert (capped["DX:C"], capped["AX:C"]) == ("10", "+ 0")


def test_zero_impact_stays_zero_whatever_the_amplifiers() -> None:
    result = score(with_changes(DX="N", PE="Y", SP="3"))
    assert (result.sec, result.saf, result.sec_band) == (0.0, 0.0, "None")


def test_what_has_no_number_has_no_band() -> None:
    assert band(None) == "no number"


def test_half_is_rounded_up() -> None:
    assert score(with_changes(VT="A")).sec == 7.7  # 9 x .85 = 7.65


def test_the_steps_are_words() -> None:
    steps = {step.label: (step.words, step.factor) for step in score(with_changes(OB="15of30", RB="3")).steps}
    assert steps["DX:H"] == ("Data exposure: another user's data, a live secret, personal training data", "9")
    assert steps["OB:15of30/RB:3"][0].startswith("R4: 15 of 30 trials, at least 36 % each; with 3 tries 50 to 80 %")
    assert steps["OB:15of30/RB:3"][1] == "× 0.95"
    assert "with one try" in " ".join(step.words for step in score(with_changes(OB="15of30")).steps)
    unlimited = score(with_changes(OB="3of30", RB="U"))
    assert "unlimited tries (counted as 100)" in " ".join(step.words for step in unlimited.steps)
    assert unlimited.reliability_band == "R5"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must begin with MES:1.0"),
        ("AIS:1.0/DX:H", "must begin with MES:1.0"),
        (with_changes() + "/ZZ:1", "no metric 'ZZ'"),
        (with_changes() + "/DX:H", "DX is given twice"),
        (with_changes().replace("/SX:N", ""), "SX (service and cost) is missing"),
        (with_changes(VT="Q"), "VT:Q is not one of N, P, A, S"),
        (with_changes(SX="C"), "SX:C is not one of N, L, M, H"),
        (with_changes(OB="31of30"), "OB:31of30 cannot be"),
        (with_changes(OB="0of0"), "OB:0of0 cannot be"),
        (with_changes(OB="often"), "OB must be a count"),
        (with_changes().replace("/OB:29of30", ""), "OB must be a count"),
        (with_changes(RB="0"), "RB must be a number of tries from 1 to 100"),
        (with_changes(RB="101"), "RB must be"),
        (with_changes(RB="²"), "RB must be"),
        (with_changes(HX="H"), "FD must be rated, because HX is H"),
        (with_changes(FD="F"), "FD must be -, because HX is N"),
    ],
)
def test_a_wrong_vector_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse(text)
    assert words in refusal.value.fields["vector"]


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        parse("MES:1.0/DX:Z")
    assert refusal.value.fields["vector"].count("missing") == 11
    assert "DX:Z" in refusal.value.fields["vector"]


def test_a_form_builds_the_same_vector() -> None:
    letters = dict(row.split(":") for row in CASES[0][1].split("/")[1:-2])
    assert str(build(letters, observed=(29, 30))) == CASES[0][1]
    assert str(build(letters, observed=None, retry_budget=None)).endswith("/OB:X/RB:U")
    with pytest.raises(Invalid):
        build({**letters, "DX": "?"}, observed=(1, 2))


def test_every_metric_can_be_explained() -> None:
    for metric in mes.STANDARD.metrics:
        assert metric.question.endswith("?")
        assert len({option.letter for option in metric.levels}) == len(metric.levels)
        assert all(option.words for option in metric.levels)


def test_what_was_not_measured_is_decided_and_signed_as_the_gravest_it_may_be() -> None:
    measured, open_one = score(with_changes(OB="30of30")), score(with_changes(OB="X"))
    assert open_one.sec_band == "no number"
    assert open_one.highest_band == measured.highest_band
