"""The sharing rule where it is seen: thanks, by-lines, and the policy of each report."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from manyeyes import events
from manyeyes.cases import disclosure, duplicates, merging, sharing, splitting, triage
from manyeyes.cases.models import Case
from manyeyes.programs import policy
from manyeyes.programs.models import PolicyVersion
from manyeyes.publications import advisory, credit, figures, hall
from manyeyes.rules import clock
from manyeyes.rules.errors import EmbargoInForce
from tests.people import Cast, make_case, submit

WORDS = {"title": "Wicket told a code", "summary": "A code stood in the prompt."}


def log(case: Case) -> list[Any]:
    """The record of a case."""
    return list(events.log(case.subject))


def thanked(cast: Cast) -> list[str]:
    """Who stands in the hall of fame."""
    return sorted(line.name for line in hall.of_fame(cast.program))


def test_whoever_came_in_time_is_thanked_with_the_first_once_the_flaw_is_confirmed(cast: Cast) -> None:
    moment = clock.now()
    with clock.freeze(moment - timedelta(days=20)):
        first = submit(cast)
        soon = submit(cast, by=cast.eve)
    late = submit(cast, by=cast.pia)
    for case in (soon, late):
        duplicates.mark(case, by=cast.theo, of=first)
    for case, by in ((first, cast.rhea), (soon, cast.eve), (late, cast.pia)):
        credit.choose(case, by=by, mode="handle")
    assert thanked(cast) == [], "nobody is thanked for what is not confirmed"
    Case.objects.filter(pk=first.pk).update(confirmed_at=moment)
    first.refresh_from_db()
    assert thanked(cast) == ["eve_x", "rhea_k"]
    assert credit.bylines(first) == [("rhea_k", ""), ("eve_x", "")]
    assert hall.of_fame(cast.program)[0].confirmed_on == moment.date()
    triage.reopen(Case.objects.get(pk=soon.pk), by=cast.mina, words="Another flaw.")
    assert thanked(cast) == ["rhea_k"]
    assert credit.bylines(first) == [("rhea_k", "")]


def test_the_advisory_of_an_embargoed_flaw_reaches_no_second_reporter_early(cast: Cast) -> None:
    first, second = make_case(cast, at="resolved"), submit(cast, by=cast.eve)
    duplicates.mark(second, by=cast.theo, of=first)
    credit.choose(second, by=cast.eve, mode="handle")
    disclosure.propose_embargo(first, by=cast.rhea, until=clock.now() + timedelta(days=30))
    disclosure.agree(first, by=cast.lena)
    advisory.draft(first, by=cast.theo, **WORDS)
    with pytest.raises(EmbargoInForce):
        advisory.publish(first, by=cast.pia)
    told = {one.kind for one in log(second)}
    assert "same_flaw.published" not in told
    assert [line.title for line in hall.of_fame(cast.program)] == [""], "a date and a system, no more"
    disclosure.end_embargo(first, by=cast.lena)
    made = advisory.publish(Case.objects.get(pk=first.pk), by=cast.pia)
    [line] = [one for one in log(second) if one.kind == "same_flaw.published"]
    assert line.data == {"advisory": made.slug}
    assert [line.title for line in hall.of_fame(cast.program)] == [WORDS["title"]]


def test_a_report_goes_by_the_policy_it_came_under(cast: Cast) -> None:
    first = submit(cast)
    now = policy.editing(cast.program)
    terms = {**now.terms, "share_days": 30, "share_credit": "none", "share_reward": "equal", "pays": True}
    policy.save_draft(
        cast.program, by=cast.lena, number=now.number, revision=now.revision, texts=now.texts, terms=terms
    )
    version = policy.publish(policy.draft(cast.program), by=cast.lena)
    assert "Of several reports of the same flaw only the first is named" in policy.document(version).markdown()
    second = submit(cast, by=cast.eve)
    duplicates.mark(second, by=cast.theo, of=first)
    assert sharing.standing_of(second) == "unnamed"
    said = second.messages.get(purpose="close").text
    assert "By version 2 of the policy, which you reported under" in said
    assert "only the first is named" in said
    third = submit(cast, by=cast.pia)
    merging.merge(third, by=cast.theo, into=first)
    assert sharing.rewards(first) == {}, "the first report came under a policy that pays nothing"
    Case.objects.filter(pk=first.pk).update(policy_version=version)
    first.refresh_from_db()
    assert sharing.rewards(first) == {first.pk: 34, second.pk: 33, third.pk: 33}


def test_a_policy_that_said_nothing_is_read_as_usual(cast: Cast) -> None:
    PolicyVersion.objects.all().update(terms={"first_response_hours": 48})
    first, second = submit(cast), submit(cast, by=cast.eve)
    duplicates.mark(second, by=cast.theo, of=first)
    assert sharing.standing_of(second) == "shares"


def test_a_split_report_is_one_report_in_the_figures(cast: Cast) -> None:
    source = make_case(cast, at="triaged")
    before = figures.first_responses(cast.program)
    splitting.split(source, by=cast.theo, title="It also books flights", vuln_class="AT")
    after = figures.first_responses(cast.program)
    assert (after.reports, after.hours) == (before.reports, before.hours)
