"""A thinned path keeps what a reader must see: every success, the boundary, the end; and its points are the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from manyeyes.engine import evidence_path, plan_reproduce, plan_verify


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=60), st.integers(1, 20), st.booleans())
def test_a_thinned_path_is_part_of_the_whole(outcomes: list[bool | None], step: int, verify: bool) -> None:
    plan = plan_verify(tau=0.05) if verify else plan_reproduce()
    whole = evidence_path(plan, outcomes)
    thin = evidence_path(plan, outcomes, step=step)
    assert {point.n for point in thin} <= {point.n for point in whole}
    assert [point for point in whole if point.n in {one.n for one in thin}] == list(thin)
    assert thin[-1] == whole[-1]
    kept = {point.n for point in thin}
    assert {n for n, outcome in enumerate(outcomes, 1) if outcome is True} <= kept
    assert {point.n for point in whole if point.decision} <= kept
    assert len(thin) <= -(-len(outcomes) // step) + 2 + sum(outcome is True for outcome in outcomes)
