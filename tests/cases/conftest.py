"""The cast, for every test of this room."""

from __future__ import annotations

import pytest

from tests.people import Cast, make_cast


@pytest.fixture
def cast(db: None) -> Cast:
    """The program about Wicket and its people."""
    return make_cast()
