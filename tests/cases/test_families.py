"""Families by hand: what is marked, merged, split, grouped and undone, what the log keeps, and who is told what."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from manyeyes import events
from manyeyes.cases import (
    access,
    conversation,
    coreporters,
    duplicates,
    families,
    kinship,
    merging,
    sharing,
    splitting,
    timeline,
    triage,
)
from manyeyes.cases.clocks import clocks
from manyeyes.cases.kin import Family, Member
from manyeyes.cases.models import Case
from manyeyes.events.models import Delivery
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotAllowed, NotFound
from tests.marker import find_in_database
from tests.people import TITLE, Cast, make_case, sign, submit

WHY = "Both make it read the code aloud."


def told(case: Case, viewer: Any) -> str:
    """Everything the timeline says to this viewer."""
    found = timeline.entries(case, viewer)
    return "\n".join(f"{one.kind} {one.who} {one.words} {getattr(one.item, 'text', '')} {one.data}" for one in found)


def parts(family: Family, viewer: Any) -> dict[str, str]:
    """Reference → part of every member."""
    return {one.case.ref: one.part for one in families.members(family, viewer)}


def pair(cast: Cast, at: str = "triaged") -> tuple[Case, Case]:
    """A case of rhea, and a later one of eve about the same."""
    return make_case(cast, at=at), make_case(cast, at="acknowledged", by=cast.eve)


def test_a_duplicate_is_closed_in_fixed_words_and_names_nothing_of_the_other(cast: Cast) -> None:
    first = make_case(cast, at="triaged", title=f"{TITLE}, Ypsilon")
    second = make_case(cast, at="acknowledged", by=cast.eve)
    duplicates.mark(second, by=cast.theo, of=first, words="Thank you for the count.", why=WHY)
    assert (second.status, second.close_reason, second.duplicate_of) == ("closed", "duplicate", first)
    [word] = second.messages.filter(purpose="close")
    for piece in ("same flaw as an earlier report", f"{clock.now().day} {clock.now():%B %Y}", "version 1 of the policy",
                  "within the 7 days", "you may appeal once", "Thank you for the count."):  # fmt: skip
        assert piece in word.text, piece
    seen = told(second, cast.eve)
    assert "Thank you for the count." in seen
    for hidden in (first.ref, "Ypsilon", "rhea", "FA-", WHY, "family."):
        assert hidden not in seen, hidden
    assert WHY in told(second, cast.theo)
    assert first.ref in told(second, cast.theo)
    assert second.ref in told(first, cast.theo)
    assert second.ref not in told(first, cast.rhea)
    assert told(first, cast.rhea).count("\n") == 2, "the first reporter learns nothing of it"
    assert Delivery.objects.filter(person_id=cast.eve.pk, case_ref=second.ref, reason="move.close").exists()


def test_the_family_has_a_chain_of_its_own_that_says_who_did_what(cast: Cast) -> None:
    first, second = pair(cast)
    duplicates.mark(second, by=cast.theo, of=first, why=WHY)
    family = families.of(second).family
    assert parts(family, cast.mina) == {first.ref: "lead", second.ref: "duplicate"}
    log = list(events.log(family.subject))
    assert [(event.kind, event.data["case"], event.actor) for event in log] == [
        ("family.repeated", first.ref, cast.theo.actor), ("family.follows", second.ref, cast.theo.actor),
    ]  # fmt: skip
    assert family.revision == log[-1].data["revision"]
    for subject in (family.subject, first.subject, second.subject):
        assert events.verify_chain(subject) is None


def test_a_duplicate_of_a_duplicate_follows_the_first_and_circles_are_refused(cast: Cast) -> None:
    first, second = pair(cast)
    third = submit(cast, by=cast.aud)
    duplicates.mark(second, by=cast.theo, of=first)
    duplicates.mark(third, by=cast.theo, of=second)
    assert third.duplicate_of == first
    for circle in (second, third, first):
        with pytest.raises(Invalid) as refused:
            duplicates.mark(Case.objects.get(pk=first.pk), by=cast.theo, of=circle)
        assert "repeat itself" in refused.value.fields["of"]
    assert Case.objects.get(pk=first.pk).status == "triaged"


def test_what_followed_a_case_goes_along_when_that_one_turns_out_to_repeat_another(cast: Cast) -> None:
    oldest, first = submit(cast, by=cast.pia), make_case(cast, at="triaged")
    second, beside = submit(cast, by=cast.eve), submit(cast, by=cast.aud)
    duplicates.mark(second, by=cast.theo, of=first)
    families.group([first, beside], by=cast.theo)
    duplicates.mark(first, by=cast.mina, of=oldest)
    second.refresh_from_db()
    assert second.duplicate_of == oldest
    family = families.of(second).family
    assert parts(family, cast.theo) == {
        oldest.ref: "lead", first.ref: "duplicate", second.ref: "duplicate", beside.ref: "variant",
    }  # fmt: skip
    assert Family.objects.count() == 1


def test_who_reported_earlier_repeats_nobody_but_may_be_merged(cast: Cast) -> None:
    early, late = submit(cast, by=cast.eve), make_case(cast, at="triaged")
    with pytest.raises(Invalid) as refused:
        duplicates.mark(early, by=cast.theo, of=late)
    assert "came before" in refused.value.fields["of"]
    merging.merge(early, by=cast.theo, into=late)
    assert (early.close_reason, early.duplicate_of) == ("merged", late)
    assert sharing.standing_of(early) == "first"
    assert sharing.standing_of(late) == "shares"
    assert "earlier report" not in told(early, cast.eve)
    assert late.ref not in told(early, cast.eve)


def test_only_triagers_put_cases_together_and_only_of_their_program(cast: Cast) -> None:
    first, second = pair(cast)
    for name in ("olga", "pia", "aud", "ada", "finn", "eve", "rhea"):
        person = getattr(cast, name)
        for act in (
            lambda by: duplicates.mark(second, by=by, of=first),
            lambda by: merging.merge(second, by=by, into=first),
            lambda by: splitting.split(first, by=by, title="Another", vuln_class="HC"),
            lambda by: families.group([first, second], by=by),
        ):
            with pytest.raises(NotAllowed):
                act(person)
    assert not Family.objects.filter(members__isnull=False).exists()
    assert Case.objects.count() == 2


def test_the_second_reporter_hears_of_every_public_decision_and_of_nothing_else(cast: Cast) -> None:
    first, second = make_case(cast, at="rated"), make_case(cast, at="acknowledged", by=cast.eve)
    duplicates.mark(second, by=cast.theo, of=first)
    before = len(timeline.entries(second, cast.eve))
    conversation.say(first, by=cast.theo, text="Rhea, this is for you alone.", public=True)
    sign(cast, first)
    assert len(timeline.entries(second, cast.eve)) == before
    triage.confirm(first, by=cast.theo)
    [line] = timeline.entries(second, cast.eve)[before:]
    assert (line.kind, line.who, line.data) == ("same_flaw.confirmed", "The platform", {})
    assert "confirmed" in line.words
    assert Delivery.objects.filter(person_id=cast.eve.pk, case_ref=second.ref, reason="same_flaw.confirmed").exists()
    assert not any(one.kind.startswith("same_flaw") for one in timeline.entries(first, cast.rhea))
    triage.close(first, by=cast.mina, reason="accepted_risk", words="For rhea alone: we live with it.")
    last = timeline.entries(second, cast.eve)[-1]
    assert last.words.endswith("the work on the flaw ended: accepted risk")
    assert "rhea" not in told(second, cast.eve)
    assert events.verify_chain(second.subject) is None


def test_no_line_comes_any_more_once_the_case_is_taken_up_again(cast: Cast) -> None:
    first, second = pair(cast)
    duplicates.mark(second, by=cast.theo, of=first)
    triage.reopen(second, by=cast.mina, words="It is another flaw after all.")
    assert (second.status, second.duplicate_of, families.of(second), families.of(first)) == (
        "triaged",
        None,
        None,
        None,
    )
    assert sharing.told(second) == ""
    triage.close(first, by=cast.theo, reason="informative", words="No harm in it.")
    assert not any(one.kind.startswith("same_flaw") for one in timeline.entries(second, cast.eve))
    assert "reopened a case that followed it" in told(first, cast.theo)


def test_a_close_that_is_about_the_other_reporter_is_told_to_the_team_alone(cast: Cast) -> None:
    first, second = submit(cast), make_case(cast, at="acknowledged", by=cast.eve)
    duplicates.mark(second, by=cast.theo, of=first)
    triage.withdraw(first, by=cast.rhea)
    assert not any(one.kind.startswith("same_flaw") for one in timeline.entries(second, cast.eve))
    assert "decide anew" in told(second, cast.theo)
    third = submit(cast, by=cast.pia)
    duplicates.mark(third, by=cast.theo, of=first)
    assert "a person decides how we go on" in third.messages.get(purpose="close").text
    assert "withdrawn" not in told(third, cast.pia)


def test_a_merged_case_brings_its_evidence_and_keeps_its_words_to_itself(cast: Cast) -> None:
    first, second = pair(cast)
    conversation.say(second, by=cast.eve, text="Between us.", public=True)
    merging.merge(second, by=cast.theo, into=first, why=WHY)
    [brought] = merging.evidence(first, cast.mina)
    assert (brought.case, brought.report.claim_k) == (second, 7)
    assert brought.reproducer is not None
    assert "Between us." not in [row.text for row in first.messages.all()]
    assert first.reports.count() == first.reproducers.count() == 1, "nothing was copied"
    assert merging.evidence(first, cast.rhea) == []
    with pytest.raises(NotFound):
        access.case_for(cast.rhea, second.ref)
    triage.reopen(second, by=cast.theo, words="We look at it by itself again.")
    assert merging.evidence(first, cast.mina) == []


def test_nothing_is_merged_into_what_nobody_works_on(cast: Cast) -> None:
    first, second = pair(cast)
    triage.close(first, by=cast.theo, reason="informative", words="No harm.")
    with pytest.raises(Invalid):
        merging.merge(second, by=cast.theo, into=first)
    duplicates.mark(second, by=cast.theo, of=first)
    assert "with this reason: informative" in second.messages.get(purpose="close").text


def test_a_flaw_is_split_off_with_the_day_of_its_report_and_an_answer_that_was_given(cast: Cast) -> None:
    moment = clock.now()
    with clock.freeze(moment - timedelta(days=5)):
        source = submit(cast)
        coreporters.accept(coreporters.by_link(coreporters.invite(source, by=cast.rhea)), by=cast.eve)
    with clock.freeze(moment - timedelta(days=4)):
        conversation.say(source, by=cast.theo, text="I have read it.", public=True)
        triage.accept(source, by=cast.theo)
    with clock.freeze(moment):
        new = splitting.split(source, by=cast.mina, title="It also books flights", vuln_class="AT", why=WHY)
        found = {one.name: one for one in clocks(new)}
    assert (new.status, new.reporter, new.created_at) == ("new", cast.rhea, source.created_at)
    answer = found["first_answer"]
    assert answer.started_at == sharing.received_at(source)
    assert answer.done_at == moment - timedelta(days=4)
    assert not answer.late
    assert found["decision"].due == moment + timedelta(days=10), "the decision begins anew"
    assert new.reports.get().steps == source.reports.get().steps
    assert source.ref in told(new, cast.rhea)
    assert new.ref in told(source, cast.rhea)
    assert new.ref in told(source, cast.eve), "whoever reports it too is told too"
    assert access.case_for(cast.eve, new.ref) == new
    assert WHY in told(new, cast.theo)
    assert WHY not in told(new, cast.rhea)
    assert events.verify_chain(new.subject) is None
    merging.merge(new, by=cast.theo, into=source)
    assert sharing.standing_of(new) == "own", "merging undoes it, and the reporter is counted once"


def test_an_unanswered_report_stays_unanswered_until_it_is_split(cast: Cast) -> None:
    moment = clock.now()
    with clock.freeze(moment - timedelta(days=5)):
        source = submit(cast)
    with clock.freeze(moment):
        new = splitting.split(source, by=cast.theo, title="It also books flights", vuln_class="AT")
        again = splitting.split(new, by=cast.theo, title="And hotels", vuln_class="AT")
    for case in (new, again):
        answer = next(one for one in clocks(case) if one.name == "first_answer")
        assert (answer.started_at, answer.done_at, answer.late) == (sharing.received_at(source), moment, True)
    with pytest.raises(Invalid):
        splitting.split(source, by=cast.theo, title=" ", vuln_class="AT")
    with pytest.raises(Invalid):
        splitting.split(source, by=cast.theo, title="x", vuln_class="nonsense")


def test_cases_are_grouped_led_and_taken_out_with_reasons_and_nothing_is_sent(cast: Cast) -> None:
    rows = [submit(cast), submit(cast, by=cast.eve), submit(cast, by=cast.pia)]
    mailed = Delivery.objects.count()
    family = families.group(rows[:2], by=cast.theo, name="Codes aloud", note="All through the calendar.", why=WHY)
    assert (family.name, family.note) == ("Codes aloud", "All through the calendar.")
    assert families.group([rows[1], rows[2]], by=cast.mina) == family
    assert parts(family, cast.lena) == {rows[0].ref: "lead", rows[1].ref: "variant", rows[2].ref: "variant"}
    families.lead(rows[2], by=cast.theo, why="It is the plainest.")
    assert parts(family, cast.lena)[rows[0].ref] == "variant"
    families.take_out(rows[2], by=cast.mina, why="Another flaw.")
    assert parts(family, cast.lena) == {rows[0].ref: "lead", rows[1].ref: "variant"}, "the first report leads again"
    families.take_out(rows[0], by=cast.mina)
    assert parts(family, cast.lena) == {}, "one alone is no family"
    assert Delivery.objects.count() == mailed
    assert all(row.status == "new" for row in Case.objects.all())
    assert WHY in told(rows[0], cast.theo)
    assert "took it out of its family" in told(rows[1], cast.theo)
    for row, reporter in zip(rows, (cast.rhea, cast.eve, cast.pia), strict=True):
        assert "famil" not in told(row, reporter)
    with pytest.raises(Conflict):
        families.take_out(rows[0], by=cast.mina)


def test_a_case_is_in_one_family_and_followers_leave_by_being_reopened(cast: Cast) -> None:
    rows = [submit(cast) for _ in range(4)]
    families.group(rows[:2], by=cast.theo)
    families.group(rows[2:], by=cast.theo)
    with pytest.raises(Conflict):
        families.group([rows[0], rows[2]], by=cast.theo)
    with pytest.raises(Invalid):
        families.group(rows[:2], by=cast.theo)
    duplicates.mark(rows[1], by=cast.theo, of=rows[0])
    for stays in (rows[1], rows[0]):
        with pytest.raises(IllegalMove):
            families.take_out(stays, by=cast.theo)
    with pytest.raises(IllegalMove):
        families.lead(rows[1], by=cast.theo)
    assert families.suggested(rows[0], cast.theo) == []


def test_two_who_change_a_family_at_once_do_not_overwrite_each_other(cast: Cast) -> None:
    rows = [submit(cast) for _ in range(3)]
    family = families.group(rows, by=cast.theo)
    family.refresh_from_db()
    seen = family.revision
    families.describe(family, by=cast.mina, name="Hers", note="", seen=seen)
    for act in (
        lambda: families.describe(family, by=cast.theo, name="His", note="", seen=seen),
        lambda: families.take_out(rows[1], by=cast.theo, seen=seen),
        lambda: families.lead(rows[1], by=cast.theo, seen=seen),
    ):
        with pytest.raises(Conflict) as stale:
            act()
        assert "Mina A. changed this family" in stale.value.message
    family.refresh_from_db()
    assert family.name == "Hers"
    assert len(parts(family, cast.theo)) == 3


def test_a_family_opens_to_whoever_works_on_a_case_of_it_and_shows_them_those(cast: Cast) -> None:
    first, second = make_case(cast, at="confirmed"), submit(cast, by=cast.eve)
    family = families.group([first, second], by=cast.theo)
    for name in ("theo", "mina", "lena", "aud", "ada", "olga"):
        assert len(families.members(families.family_for(getattr(cast, name), family.ref), getattr(cast, name))) == 2
    assert list(parts(families.family_for(cast.pia, family.ref), cast.pia)) == [first.ref], "confirmed ones alone"
    for name in ("rhea", "eve", "finn", "nobody"):
        with pytest.raises(NotFound):
            families.family_for(getattr(cast, name), family.ref)
    for absent in ("FA-2222-2222", "nonsense", first.ref):
        with pytest.raises(NotFound):
            families.family_for(cast.theo, absent)


def test_whoever_sees_a_part_of_a_family_is_shown_that_part(cast: Cast) -> None:
    merged, lead = make_case(cast, at="confirmed", by=cast.eve), submit(cast)
    merging.merge(merged, by=cast.theo, into=lead, why=WHY)
    beside = kinship.beside(merged, cast.pia)
    assert (beside.follows, beside.others) == (None, [])
    [shown] = kinship.page(beside.member.family, cast.pia).members
    assert (shown.case, shown.follows) == (merged, "")
    assert kinship.beside(merged, cast.theo).follows == lead
    assert [one.case for one in kinship.beside(lead, cast.theo).evidence] == [merged]
    assert all(act.other == "" for act in kinship.page(beside.member.family, cast.pia).events)


def test_who_shares_is_read_off_the_log_and_can_be_counted_again(cast: Cast) -> None:
    moment = clock.now()
    with clock.freeze(moment - timedelta(days=20)):
        first = submit(cast)
    with clock.freeze(moment - timedelta(days=13, hours=1)):
        soon = submit(cast, by=cast.eve)
    with clock.freeze(moment - timedelta(days=12, hours=23)):
        late, own = submit(cast, by=cast.pia), submit(cast)
    for case in (soon, late, own):
        duplicates.mark(case, by=cast.theo, of=first)
    expected = {first: "first", soon: "shares", late: "late", own: "own"}
    assert {case: sharing.standing_of(case) for case in expected} == expected
    assert "more than 7 days after the first" in sharing.told(late)
    assert "An earlier report of the flaw is your own" in own.messages.get(purpose="close").text
    assert sharing.told(first) == "", "the first reporter does not learn that others came"
    Member.objects.update(standing="", received_at=moment)
    sharing.settle(first)
    assert {case: sharing.standing_of(case) for case in expected} == expected
    assert Member.objects.get(case=soon).received_at == events.log(soon.subject).first().at
    assert sharing.rewards(first) == {}, "this program pays nothing"


def test_what_the_team_writes_about_a_family_lies_encrypted(cast: Cast) -> None:
    mark = "Zephyrine-Quillfeather"
    first, second = pair(cast)
    families.group([first, second], by=cast.theo, name=f"{mark} name", note=f"{mark} note", why=f"{mark} why")
    splitting.split(first, by=cast.theo, title=f"{mark} title", vuln_class="AT", words=f"{mark} words", why=mark)
    merging.merge(second, by=cast.theo, into=first, words=f"{mark} words", why=f"{mark} why")
    assert find_in_database(mark, connection) == []


def test_what_was_closed_as_a_duplicate_before_there_were_families_gets_one(cast: Cast) -> None:
    rows = [submit(cast) for _ in range(4)]
    for case, of in ((rows[1], rows[0]), (rows[2], rows[1]), (rows[3], rows[3])):
        Case.objects.filter(pk=case.pk).update(duplicate_of=of, close_reason="duplicate")
    begin = import_module("manyeyes.cases.migrations.0015_families").begin
    begin(apps, None)
    family = families.of(rows[0]).family
    assert parts(family, cast.theo) == {rows[0].ref: "lead", rows[1].ref: "duplicate", rows[2].ref: "duplicate"}
    assert Case.objects.get(pk=rows[2].pk).duplicate_of == rows[0]
    assert families.of(rows[3]) is None, "a case that repeats itself is left for a person"
    assert events.log(family.subject).count() == 0
