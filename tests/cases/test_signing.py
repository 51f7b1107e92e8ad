"""Sign-offs: what each discipline says, the rules of a program, independent words, disagreement and who decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from manyeyes import events
from manyeyes.cases import lists, queue, severity, signing, signoffs, timeline, triage
from manyeyes.cases.facts import facts_of
from manyeyes.cases.judgement import standing
from manyeyes.cases.models import Case
from manyeyes.events.models import Delivery
from manyeyes.programs.models import Membership
from manyeyes.programs.setup import add_member
from manyeyes.programs.triaging import give_disciplines, rules_of, set_rules
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role
from manyeyes.rules.signoff import BANDS
from tests.people import LETTERS, REASONS, SEEN, Cast, agree, make_case

ALL = {"Critical": "two_people", "High": "two_people", "Medium": "two_hats", "Low": "two_hats", "None": "two_hats"}


def rule(cast: Cast, *, independent: bool = False, **bands: str) -> None:
    """Set what the program asks for."""
    revision = rules_of(cast.program).revision
    set_rules(
        cast.program, by=cast.lena, sign_off={**ALL, **bands}, independent=independent, assigns=True, revision=revision
    )


def state(case: Case, viewer: Any = None) -> signoffs.SignOffState:
    """The sign-offs of the standing rating, read anew."""
    found = standing(Case.objects.get(pk=case.pk))
    assert found is not None
    return found.sign_offs if viewer is None else found.sign_offs.seen_by(viewer)


def test_a_word_needs_its_assessment(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    with pytest.raises(Invalid) as refused:
        signing.sign_off(case, by=cast.theo, discipline="security", agrees=True, assessment={"path": " "})
    assert set(refused.value.fields) == {"path", "privileges", "exposure", "blast"}
    with pytest.raises(Invalid) as refused:
        signing.sign_off(case, by=cast.mina, discipline="ml", agrees=True, assessment={**SEEN["ml"], "transfer": "x"})
    assert set(refused.value.fields) == {"transfer"}
    long = {**SEEN["ml"], "mechanism": "x" * 2001}
    with pytest.raises(Invalid):
        signing.sign_off(case, by=cast.mina, discipline="ml", agrees=True, assessment=long)
    assert case.sign_offs.count() == 0
    agree(case, cast.theo, "security")
    row = case.sign_offs.get()
    assert row.assessment == SEEN["security"]
    assert signoffs.told(row) == [
        ("Path", "Anybody asks for it."), ("Privileges", "nothing, or an account anybody can make"),
        ("Exposure", "anybody on the internet"), ("Blast radius", "one person"),
    ]  # fmt: skip


def test_an_assessment_goes_into_no_event(cast: Cast) -> None:
    case = make_case(cast, at="signed")
    for event in events.log(case.subject).filter(kind="signed_off"):
        assert not event.public
        assert set(event.data) == {"sign_off", "rating", "discipline", "agrees", "override", "version"}


def test_only_the_discipline_signs_and_not_for_what_one_reported(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    for person, discipline in ((cast.theo, "ml"), (cast.lena, "security"), (cast.rhea, "security")):
        with pytest.raises(NotAllowed):
            agree(case, person, discipline)
    add_member(cast.program, cast.rhea, [Role.SECURITY_TRIAGER])
    with pytest.raises(NotAllowed) as refused:
        agree(case, cast.rhea, "security")
    assert "You reported this" in refused.value.message
    Membership.objects.filter(person=cast.theo).update(roles=["auditor"], disciplines=[])
    agree(case, cast.rhea, "security")


def test_the_rules_of_a_program_are_followed_and_on_its_record(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    agree(case, cast.theo, "security")
    assert state(case).law.missing == ("ML sign-off",)
    rule(cast, **dict.fromkeys(BANDS, "second_later"))
    case.refresh_from_db()
    found = state(case)
    due = case.sign_offs.get().at + timedelta(days=7)
    assert (found.complete, found.law.second_due, found.law.late) == (True, due, False)
    triage.confirm(Case.objects.get(pk=case.pk), by=cast.theo)
    with clock.freeze(due + timedelta(hours=1)):
        late = state(case)
    assert (late.complete, late.law.late, late.law.missing) == (False, True, ("ML sign-off",))
    agree(Case.objects.get(pk=case.pk), cast.mina, "ml")
    assert state(case).law.second_due is None
    record = events.log(f"program:{cast.program.pk}").filter(kind="triage_rules.set").get()
    assert record.data["sign_off"]["High"] == "second_later"


def test_rules_are_set_by_the_manager_and_not_over_each_other(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        set_rules(cast.program, by=cast.theo, sign_off=ALL, independent=False, assigns=True, revision=0)
    with pytest.raises(Invalid) as refused:
        set_rules(cast.program, by=cast.lena, sign_off={"High": "nobody"}, independent=False, assigns=True, revision=0)
    assert set(refused.value.fields) == set(BANDS)
    rule(cast, independent=True)
    with pytest.raises(Conflict) as late:
        set_rules(cast.program, by=cast.ada, sign_off=ALL, independent=False, assigns=True, revision=0)
    assert "Lena S." in late.value.message
    assert rules_of(cast.program).independent


def test_one_person_with_two_hats_is_shown_and_enough_where_the_program_says_so(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    with pytest.raises(NotAllowed):
        give_disciplines(Membership.objects.get(person=cast.theo), by=cast.theo, disciplines=["security", "ml"])
    give_disciplines(Membership.objects.get(person=cast.theo), by=cast.lena, disciplines=["ml"])
    assert Membership.objects.get(person=cast.theo).disciplines == ["ml", "security"]
    agree(case, cast.theo, "security")
    agree(case, cast.theo, "ml")
    assert (state(case).law.two_hats, state(case).law.missing) == (True, ("sign-off by a second person",))
    rule(cast, **dict.fromkeys(BANDS, "two_hats"))
    assert state(case).complete
    assert state(case).law.two_hats


def seen_in_timeline(case: Case, viewer: Any) -> list[str]:
    """What the viewer reads of the words on the rating: agrees, does not, or filed."""
    rows = [entry for entry in timeline.entries(Case.objects.get(pk=case.pk), viewer) if entry.kind == "signed_off"]
    for entry in rows:
        assert ("agrees" in entry.data) == (not isinstance(entry.item, signoffs.Filed))
    return ["filed" if isinstance(row.item, signoffs.Filed) else str(row.item.agrees) for row in rows]


def test_independent_words_are_closed_to_everybody_else_until_both_are_filed(cast: Cast) -> None:
    rule(cast, independent=True)
    case = make_case(cast, at="rated")
    Delivery.objects.all().delete()
    agree(case, cast.theo, "security", agrees=False, note="It needs an account.")
    assert cast.lena.pk not in set(Delivery.objects.values_list("person_id", flat=True)), "a mail would tell it"
    for viewer in (cast.mina, cast.lena, cast.ada, cast.aud):
        assert isinstance(state(case, viewer).security, signoffs.Filed)
        assert state(case, viewer).law.disagreed == ()
        assert seen_in_timeline(case, viewer) == ["filed"]
    assert seen_in_timeline(case, cast.theo) == ["False"]
    row = queue.rows([case])[0]
    assert row.signoffs is not None
    assert isinstance(row.signoffs.security, signoffs.Filed)
    agree(case, cast.mina, "ml")
    assert seen_in_timeline(case, cast.mina) == ["False", "True"]
    assert state(case, cast.mina).law.disagreed == ("security",)


def test_without_independence_the_first_word_is_open(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    agree(case, cast.theo, "security")
    assert seen_in_timeline(case, cast.mina) == ["True"]


def test_a_disagreement_is_decided_by_a_named_person_and_stays(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    agree(case, cast.theo, "security")
    agree(case, cast.mina, "ml", agrees=False, note="The rate is of a primed model.")
    assert state(case).law.missing == ("the manager's decision",)
    with pytest.raises(IllegalMove):
        triage.confirm(case, by=cast.theo)
    with pytest.raises(Invalid):
        signing.override(case, by=cast.lena, note=" ")
    with pytest.raises(NotAllowed):
        signing.override(case, by=cast.theo, note="I decide.")
    signing.override(case, by=cast.lena, note="The control shows no priming.")
    assert facts_of(Case.objects.get(pk=case.pk)).signed_off
    rated_anew = Case.objects.get(pk=case.pk)
    severity.rate(rated_anew, by=cast.theo, letters=LETTERS, reasons=REASONS, why="Measured again.")
    kept = [(row.by, row.override, row.note) for row in signoffs.disagreements(Case.objects.get(pk=case.pk))]
    assert kept == [
        (cast.mina, False, "The rate is of a primed model."), (cast.lena, True, "The control shows no priming."),
    ]  # fmt: skip


def test_one_of_the_two_does_not_decide_while_another_manager_can(cast: Cast) -> None:
    add_member(cast.program, cast.mina, [Role.ML_TRIAGER, Role.PROGRAM_MANAGER])
    case = make_case(cast, at="rated")
    agree(case, cast.theo, "security")
    agree(case, cast.mina, "ml", agrees=False, note="I doubt it.")
    assert not signing.may_decide(case, cast.mina)
    with pytest.raises(NotAllowed):
        signing.override(case, by=cast.mina, note="I am right.")
    Membership.objects.filter(person=cast.lena).update(roles=["auditor"])
    signing.override(case, by=cast.mina, note="Nobody else manages this program.")
    assert state(case).complete


def test_a_missing_word_may_be_overridden_with_a_reason(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    signing.override(case, by=cast.lena, note="Both are away, and it is being exploited.")
    assert state(case).complete
    assert state(case).law.overridden


def test_a_second_word_that_may_follow_is_still_asked_for_after_confirming(cast: Cast) -> None:
    rule(cast, **dict.fromkeys(BANDS, "second_later"))
    case = make_case(cast, at="rated")
    agree(case, cast.theo, "security")
    triage.confirm(Case.objects.get(pk=case.pk), by=cast.theo)
    assert [row.ref for row in lists.cases(cast.mina, view="needs_me")] == [case.ref]
    assert not lists.cases(cast.theo, view="needs_me").exists()
    agree(Case.objects.get(pk=case.pk), cast.mina, "ml")
    assert not lists.cases(cast.mina, view="needs_me").exists()


def test_what_a_manager_decided_asks_nobody_any_more(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    assert lists.cases(cast.mina, view="needs_me").exists()
    signing.override(case, by=cast.lena, note="It is being exploited, and both are away.")
    assert not lists.cases(cast.mina, view="needs_me").exists()
