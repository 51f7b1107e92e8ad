"""The whole path at function level: from the first report to a resolved case, and the ways it can turn."""

from __future__ import annotations

import pytest

from manyeyes import events
from tests.people import Cast, make_case


@pytest.mark.parametrize(
    "rung", ["new", "triaged", "confirmed", "remediating", "fix_deployed", "retesting", "resolved"]
)
def test_it_walks_to_every_status(cast: Cast, rung: str) -> None:
    case = make_case(cast, at=rung)
    assert case.status == rung
    assert events.verify_chain(case.subject) is None
