"""The word of testers is changed; the one before is honoured until its day, and no published policy changes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from manyeyes import events
from manyeyes.programs import marker, policy, scope
from manyeyes.programs.models import PolicyVersion
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed
from tests.people import Cast, make_cast


@pytest.fixture
def cast(db: None) -> Cast:
    """A program whose policy was published with a word for testers in its scope."""
    made = make_cast()
    made.program.scope.update(marker="header")
    lines = [line.to_json() for line in scope.lines(made.program)]
    PolicyVersion.objects.filter(pk=made.program.policy.pk).update(scope=lines)
    return made


def words(cast: Cast) -> set[str]:
    return {line.marker_word for line in scope.in_force(cast.program, cast.program.policy) if line.marker_word}


def test_a_new_word_holds_at_once_and_the_old_one_for_a_while(cast: Cast) -> None:
    old, digest = cast.program.research_marker, policy.digest(cast.program.policy)
    with clock.freeze(clock.now()):
        marker.change(cast.program, by=cast.lena, days=30)
        cast.program.refresh_from_db()
        assert cast.program.research_marker != old
        assert words(cast) == {cast.program.research_marker}
        assert [one.word for one in marker.former(cast.program)] == [old]
        clock.advance(timedelta(days=29))
        assert marker.former(cast.program)
        clock.advance(timedelta(days=1, seconds=1))
        assert marker.former(cast.program) == []
    assert policy.digest(cast.program.policy) == digest, "what was published stays as it was"
    assert not scope.unpublished(cast.program, cast.program.policy), "nobody has to publish anything"
    assert events.log(f"program:{cast.program.pk}").filter(kind="marker.changed").exists()


def test_a_word_that_is_misused_ends_at_once(cast: Cast) -> None:
    marker.change(cast.program, by=cast.lena, days=0)
    assert marker.former(cast.program) == []


def test_several_changes_keep_each_word_for_its_own_time(cast: Cast) -> None:
    seen = []
    for _ in range(marker.MOST):
        seen.append(cast.program.research_marker)
        marker.change(cast.program, by=cast.lena, days=10)
    assert [one.word for one in marker.former(cast.program)] == seen[::-1]
    with pytest.raises(Conflict):
        marker.change(cast.program, by=cast.lena, days=10)


@pytest.mark.parametrize("days", [-1, marker.LONGEST + 1])
def test_how_long_has_bounds(cast: Cast, days: int) -> None:
    with pytest.raises(Invalid) as refused:
        marker.change(cast.program, by=cast.lena, days=days)
    assert set(refused.value.fields) == {"days"}


def test_only_who_runs_the_program_changes_it(cast: Cast) -> None:
    for person in (cast.theo, cast.rhea, cast.aud):
        with pytest.raises(NotAllowed):
            marker.change(cast.program, by=person, days=1)


def test_on_the_pages_and_over_the_api(cast: Cast, settings: object) -> None:
    settings.MANYEYES_REQUIRE_MFA = False  # type: ignore[attr-defined]
    old, lena, nobody = cast.program.research_marker, Client(), Client()
    lena.force_login(cast.lena)
    assert "Change the word" in lena.get("/desk/program/wicket/policy/scope/").content.decode()
    refused = lena.post("/desk/program/wicket/marker/", {"days": "1000"})
    assert refused.status_code == 422
    assert lena.post("/desk/program/wicket/marker/", {"days": "30"}).status_code == 302
    cast.program.refresh_from_db()
    new = cast.program.research_marker
    for page in ("/p/wicket/", f"/p/wicket/policy/{cast.program.policy.number}/"):
        told = nobody.get(page).content.decode()
        assert f"X-Research: {new}" in told
        assert f"X-Research: {old}" not in told
        assert f'the earlier word <span class="mono">{old}</span> is honoured as well' in told
    program = nobody.get("/api/v1/programs/wicket").json()
    assert program["research_marker"] == new
    assert [one["word"] for one in program["former_markers"]] == [old]
    assert {line["marker_word"] for line in program["scope"] if line["in_scope"]} == {new}
