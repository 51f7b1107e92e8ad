"""The stage of the journeys: the cast, the scripted Wicket, no second factor (its own tests ask for it)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from manyeyes.programs import preflight
from tests import people
from tests.journeys.site import Stage
from tests.journeys.wicket import Wicket, connect


@pytest.fixture(autouse=True)
def fresh_limits(settings: Any) -> Iterator[None]:
    """Each test counts its tries from nothing, whoever ran before it in this process."""
    settings.MANYEYES_REQUIRE_MFA = False
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def wicket() -> Iterator[Wicket]:
    with Wicket() as server:
        yield server


@pytest.fixture
def stage(transactional_db: None, wicket: Wicket) -> Stage:
    """For tests in which the worker takes part: rows are really written, and the target is really called."""
    cast = people.make_cast()
    connect(cast, wicket.url)
    # Here a person asks for each replay: a try on arrival would come before it. `test_on_arrival` has its own stage.
    preflight.set_rules(cast.program, by=cast.lena, on=False)
    return Stage(cast)


@pytest.fixture
def cast(db: None) -> people.Cast:
    """For tests of pages alone."""
    return people.make_cast()
