"""The promise stands in the picture of first answers, however narrow it is."""

from __future__ import annotations

import re

import pytest

from manyeyes.charts.dots import LABEL, NARROW, WIDTH, waiting_dots


@pytest.mark.parametrize("width", [NARROW, WIDTH])
@pytest.mark.parametrize("hours", [[], [1.0, 2.0, 30.0], [1.0, 300.0], [47.0] * 20])
def test_the_promise_is_drawn_within_the_width(width: float, hours: list[float]) -> None:
    drawn = waiting_dots(hours, 48, width=width)
    said = re.search(r'<text[^>]*x="([\d.]+)"[^>]*>promised: 48 h<', drawn)
    assert said is not None
    at, end = float(said[1]), "end" in said[0]
    left, right = (at - LABEL, at) if end else (at, at + LABEL)
    assert right <= width
    assert left >= -LABEL / 2
    assert f'width="{width:g}"' in drawn


@pytest.mark.parametrize("many", [1, 17, 400])
def test_no_stack_grows_out_of_the_picture(many: int) -> None:
    drawn = waiting_dots([1.0] * many, 48, width=NARROW)
    heights = [float(one) for one in re.findall(r'cy="(-?[\d.]+)"', drawn)]
    assert len(heights) == many
    assert min(heights) > 0
    assert max(heights) < float(re.findall(r'height="([\d.]+)"', drawn)[0])
