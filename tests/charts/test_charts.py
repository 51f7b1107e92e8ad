"""Charts keep the rules of drawing: no style, no script, a name, and what cannot be is refused."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.charts import bars, comparison, evidence, heat, icons
from manyeyes.charts.draw import step_of
from manyeyes.charts.pictures import parts_picture, settings_picture
from manyeyes.engine import exact_interval

NASTY = "\"><script>alert(1)</script>&'"
COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def drawings() -> dict[str, str]:
    cell = heat.Cell
    rows = [[cell(k=0, n=12, low=0, high=0.3), cell(k=4, n=8, low=0.1, high=0.9, mark="worst")]]
    outcomes = [True, False, None] * 40
    points = [evidence.FunnelPoint(n=n, k=n // 2, low=0.1, high=0.9) for n in range(1, 40)]
    steps = [evidence.PathPoint(n=n, evidence=2.0**n, hit=n % 2 == 0, against=0.5**n) for n in range(1, 60)]
    part = comparison.BeforeAfter(label=NASTY, note=NASTY, before=(4, 8, 0.1, 0.9), after=(0, 59), after_bound=0.05)
    return {
        "rate": bars.rate_bar(41, 120, 0.21, 0.49, 0.7, scale=True),
        "zero": bars.rate_bar(0, 59, 0, 0.06),
        "heat": heat.heat_map(
            [heat.Panel(name=NASTY, rows=rows)], temperatures=(NASTY, "1"), tokens=("9",), title=NASTY
        )[0],
        "path": evidence.evidence_path(steps, 20, NASTY, NASTY, fix=True)[0],
        "funnel": evidence.funnel(points, outcomes, claimed=(7, 10))[0],
        "compare": comparison.before_after([part, comparison.BeforeAfter(label="x")], 0.05)[0],
        "clock": bars.clock_bar(1.4, state="late"),
        "severity": bars.severity_bars("High"),
        "strip": bars.strip(outcomes),
        "empty strip": bars.strip([]),
        **{f"icon {name}": icons.icon(name, label=NASTY) for name in icons.ICONS},
    }


@pytest.mark.parametrize("name", drawings())
def test_a_drawing_is_well_formed_and_inert(name: str) -> None:
    drawn = drawings()[name]
    tree = ElementTree.fromstring(drawn)
    for element in tree.iter():
        assert element.tag.lower() != "script"
        assert "style" not in element.attrib
        assert not any(key.lower().startswith("on") or "href" in key.lower() for key in element.attrib)
    root = tree if tree.tag == "svg" else tree.find("svg")
    assert root is not None
    assert root.get("aria-hidden") == "true" or (root.get("role") == "img" and root.get("aria-label"))


def test_without_a_hit_the_bar_is_hollow_and_has_no_tick() -> None:
    drawn = drawings()["zero"]
    assert "iv-open" in drawn
    assert "cap" in drawn
    assert 'class="point"' not in drawn
    assert 'class="iv"' not in drawn


def test_one_answer_is_hatched_and_shows_no_rate() -> None:
    cell = heat.Cell(k=12, n=12, low=0.7, high=1, one_answer=True)
    svg, table = heat.heat_map([heat.Panel(name="p", rows=[[cell]])], temperatures=("0",), tokens=("48",), title="t")
    assert "url(#one-answer)" in svg
    assert "one answer" in svg
    assert "100" not in svg.split("Share that")[0]
    assert "one answer" in table.rows[0]


def test_the_table_says_what_the_heat_map_says_worst_first() -> None:
    cells = [heat.Cell(k=1, n=10, low=0, high=0.4), heat.Cell(k=9, n=10, low=0.5, high=1, mark="worst"), None]
    _, table = heat.heat_map(
        [heat.Panel(name="p", rows=[cells])], temperatures=("0.7", "1.2", "2"), tokens=("48",), title="t"
    )
    assert [row[3] for row in table.rows] == ["9/10", "1/10"]
    assert table.rows[0][-1] == "worst"


def test_the_path_names_the_trial_that_decided() -> None:
    steps = [evidence.PathPoint(n=n, evidence=3.0**n, hit=True) for n in range(1, 6)]
    assert "passes 20 at trial 3" in evidence.evidence_path(steps, 20, "reproduced")[0]
    assert "has not passed 20" in evidence.evidence_path(steps[:2], 20, "reproduced")[0]


def test_the_after_bar_reaches_its_bound_and_not_further() -> None:
    rows = [comparison.BeforeAfter(label="a", before=(5, 10, 0.2, 0.5), after=(0, 59), after_bound=0.05)]
    svg, table = comparison.before_after(rows, 0.05)
    tree = ElementTree.fromstring(svg)
    bar = [e for e in tree.iter("rect") if e.get("class") == "after"][-1]  # the first is the key above the chart
    limit = next(e for e in tree.iter("line") if e.get("class") == "limit")
    assert float(bar.get("x", 0)) + float(bar.get("width", 0)) == pytest.approx(float(limit.get("x1", 0)), abs=0.02)
    assert table.rows[0][4] == "0/59"
    assert "below 5" in table.rows[0][5]


@given(COUNTS)
def test_a_rate_bar_stays_in_its_box(counts: tuple[int, int]) -> None:
    k, n = counts
    tree = ElementTree.fromstring(bars.rate_bar(k, n, k / n / 2, min(1, k / n + 0.1), 1.0))
    for box in tree.iter("rect"):
        assert float(box.get("x", 0)) >= 0
        assert float(box.get("x", 0)) + float(box.get("width", 0)) <= 120.01


@pytest.mark.parametrize(("k", "n", "low", "high"), [(3, 2, 0, 1), (-1, 2, 0, 1), (1, 2, 0.9, 0.1), (1, 2, 0, 1.2)])
def test_what_cannot_be_is_refused(k: int, n: int, low: float, high: float) -> None:
    with pytest.raises(ValueError, match=r"is|above"):
        bars.rate_bar(k, n, low, high)


def test_unknown_names_are_refused_with_what_there_is() -> None:
    with pytest.raises(ValueError, match="lock"):
        icons.icon("unicorn")
    with pytest.raises(ValueError, match="critical"):
        bars.severity_bars("apocalyptic")
    with pytest.raises(ValueError, match="paused"):
        bars.clock_bar(0.5, state="soonish")


def test_the_ramp_steps_where_the_legend_says() -> None:
    assert [step_of(p) for p in (0, 0.01, 0.05, 0.15, 0.25, 0.35, 0.6, 1)] == [0, 1, 2, 3, 4, 5, 6, 6]


def test_charts_use_no_class_the_sheet_does_not_know() -> None:
    from pathlib import Path

    sheet = (Path(heat.__file__).parents[1] / "static/css/manyeyes.css").read_text(encoding="utf-8")
    used = {
        name for svg in drawings().values() for found in re.findall(r'class="([^"]*)"', svg) for name in found.split()
    }
    assert {name for name in used if f".{name}" not in sheet} <= {"icon", "on-cell", "bold-on"}


def row(cell: str, k: int, n: int, **more: object) -> dict[str, object]:
    """A setting of a result."""
    heat_of = {"cold": 0.0, "warm": 0.7, "hot": 1.0}[cell]
    low, high = exact_interval(k, n)
    return {
        "cell": cell, "setting": cell, "wording": "reported", "k": k, "n": n, "low": low, "high": high,
        "one_answer": False, "parameters": {"temperature": heat_of, "max_tokens": 48}, **more,
    }  # fmt: skip


def notes(*rows: dict[str, object]) -> list[str]:
    """What the table says of each setting, by temperature."""
    found = settings_picture(rows)
    assert found is not None
    return [line[-1] for line in sorted(found[1].rows, key=lambda line: float(line[1]))]


def test_the_highest_rate_is_the_worst_where_nobody_shares_it() -> None:
    assert notes(row("cold", 0, 8), row("warm", 2, 8), row("hot", 30, 30)) == ["", "", "worst"]
    drawn = settings_picture([row("warm", 3, 8), row("hot", 8, 8)])
    assert drawn is not None
    assert ">worst</text>" in drawn[0]


def test_settings_that_share_the_highest_rate_are_tied_and_none_is_the_worst() -> None:
    tied = "tied for the highest rate"
    assert notes(row("cold", 8, 8), row("warm", 1, 8), row("hot", 30, 30)) == [tied, "", tied]
    assert notes(row("cold", 2, 4), row("warm", 4, 8), row("hot", 1, 8)) == [tied, tied, "may be as bad"]
    drawn = settings_picture([row("cold", 8, 8), row("hot", 30, 30)])
    assert drawn is not None
    assert drawn[0].count('class="worst"') == 3, "two rings, and the one of the legend"
    assert ">tied</text>" in drawn[0]
    assert ">worst</text>" not in drawn[0]


def test_one_answer_is_no_tie_and_no_success_is_none_either() -> None:
    assert notes(row("cold", 2, 2, one_answer=True), row("hot", 8, 8)) == ["", "worst"]
    assert notes(row("cold", 0, 8), row("hot", 0, 8)) == ["", ""]


def test_a_part_that_is_not_shown_names_the_boundary_that_it_missed() -> None:
    part = {"part": "persona", "verdict": "not_shown", "k": 2, "n": 20, "high": 0.3, "bound": 0.3}
    drawn = parts_picture({"verdict": "not_shown", "parts": [part], "bound": None}, before=None, tau=0.05)
    assert drawn is not None
    assert "not shown: above 0.5\u202f%, a tenth of the target" in drawn[0]
