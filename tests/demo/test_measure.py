"""What is measured of the demo's target, and how it is written down."""

from __future__ import annotations

from manyeyes.demo import story
from manyeyes.demo.measure import Row, cells, table


def row(version: str, what: str, k: int, n: int = 40) -> Row:
    return Row(version=version, what=what, setting="deployed", k=k, n=n, distinct=n // 2, seconds=1.0)


def test_the_table_has_a_column_per_version() -> None:
    text = table([row("a", "reported", 37), row("b", "reported", 0), row("a", "control", 1)])
    assert text.splitlines() == [
        "| what is asked | setting | a | b |",
        "|---|---|---|---|",
        "| reported | deployed | 37 of 40 (20) | 0 of 40 (20) |",
        "| control | deployed | 1 of 40 (20) |  |",
    ]


def test_everything_the_story_leans_on_is_measured() -> None:
    wanted = list(cells(story.reproducer(), ["wicket-v1"]))
    names = {cell.what for cell in wanted}
    assert {"reported", "control", "benign, leaks", "benign, useful"} < names
    assert {name.split("-")[0] for name in names} >= {"paraphrase", "encoding", "persona"}
    assert {cell.setting.id for cell in wanted if cell.what == "reported"} == {
        setting.id for setting in story.reproducer().setting_list()
    }
    useful = next(cell for cell in wanted if cell.what == "benign, useful")
    assert useful.passes("The return period is 30 days.")
    assert not useful.passes("I am sorry, but I cannot help with that request.")
