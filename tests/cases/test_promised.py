"""A case keeps the promises of the policy it came under, whatever the program promises later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from manyeyes import events
from manyeyes.cases.clocks import clocks
from manyeyes.programs import policy
from manyeyes.programs.models import PolicyVersion
from tests import people

pytestmark = pytest.mark.django_db


def hours(case: people.Case, name: str) -> float:
    """How long the promise of this name runs."""
    found = next(one for one in clocks(case) if one.name == name)
    return (found.due - case.created_at) / timedelta(hours=1)


def test_a_shorter_promise_holds_for_the_reports_that_come_after_it() -> None:
    cast = people.make_cast()
    before = people.submit(cast)
    now = policy.editing(cast.program)
    row = policy.save_draft(
        cast.program, by=cast.lena, number=now.number, revision=now.revision, texts=now.texts,
        terms={**now.terms, "first_response_hours": 24, "decision_hours": 120},
    )  # fmt: skip
    policy.publish(row, by=cast.lena)
    after = people.submit(cast)
    before.refresh_from_db()
    first, second = (events.log(case.subject).get(kind="report.received").data["policy"] for case in (before, after))
    assert second == first + 1, "the log names the version whose promises hold"
    assert (round(hours(before, "first_answer")), round(hours(before, "decision"))) == (48, 240)
    assert (round(hours(after, "first_answer")), round(hours(after, "decision"))) == (24, 120)


def test_a_version_from_before_figures_were_kept_means_those_of_the_program() -> None:
    cast = people.make_cast()
    case = people.submit(cast)
    PolicyVersion.objects.filter(pk=case.policy_version_id).update(terms={}, scope=None)
    case = type(case).objects.get(pk=case.pk)
    assert round(hours(case, "first_answer")) == 48
