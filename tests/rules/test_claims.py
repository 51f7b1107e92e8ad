"""A claim held against what was measured: which lies where, and whether chance may explain it."""

from __future__ import annotations

from typing import Any

import pytest

from manyeyes.rules.claims import CHANCE, CLEAR, ELSEWHERE, NOT_YET, PLACES, claim_words


def rate(k: int, n: int, low: float, high: float, **more: Any) -> dict[str, Any]:
    return {"k": k, "n": n, "low": low, "high": high, **more}


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (rate(9, 10, 0.55, 0.99, place="inside"), [PLACES["inside"]]),
        (rate(7, 10, 0.35, 0.93, place="below"), [PLACES["below"], CHANCE]),
        (rate(1, 10, 0.01, 0.45, place="below"), [PLACES["below"], CLEAR]),
        (rate(100, 100, 0.96, 1.0, place="above"), [PLACES["above"], CHANCE]),
        (rate(7, 10, 0.35, 0.93, place=""), [ELSEWHERE]),
    ],
)
def test_what_is_said_of_a_claim(claim: dict[str, Any], said: list[str]) -> None:
    words = claim_words(claim, rate(28, 30, 0.78, 0.98))
    assert words.startswith(f"Claimed: {claim['k']} of {claim['n']} (")
    assert "Measured: 28 of 30 (78–98" in words
    assert words.endswith(" ".join(said))


def test_a_claim_far_above() -> None:
    assert claim_words(rate(50, 50, 0.93, 1.0, place="above"), rate(3, 30, 0.02, 0.27)).endswith(CLEAR)


@pytest.mark.parametrize("measured", [None, {"k": 0, "n": 0, "low": 0.0, "high": 1.0}])
def test_nothing_measured_is_no_comparison(measured: dict[str, Any] | None) -> None:
    assert claim_words(rate(7, 10, 0.35, 0.93), measured).endswith(NOT_YET)
