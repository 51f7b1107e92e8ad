"""Closes a case because another is about the same flaw: the work is done there, its reporter is kept informed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases import families, fixed_words, people, sharing
from manyeyes.cases.conversation import checked
from manyeyes.cases.kin import Family
from manyeyes.cases.models import Case, Message
from manyeyes.cases.moves import moving
from manyeyes.rules import clock
from manyeyes.rules import families as law
from manyeyes.rules.errors import Invalid
from manyeyes.rules.families import Kin, Part
from manyeyes.rules.lifecycle import CloseReason

WORDS_LONGEST = 4_000
LAWS: dict[Part, Callable[[Kin, Kin], None]] = {Part.DUPLICATE: law.check_repeat, Part.MERGED: law.check_merge}
REASONS = {Part.DUPLICATE: CloseReason.DUPLICATE, Part.MERGED: CloseReason.MERGED}


def mark(case: Case, *, by: Any, of: Case, words: str = "", why: str = "", expected_version: int | None = None) -> Case:
    """Close as a duplicate of an earlier report of the program, or of what that one repeats itself.

    The researcher reads our fixed words, then `words`; the other case stays unnamed to them. `why` is for the team.
    """
    return follow(case, of, Part.DUPLICATE, by=by, words=words, why=why, expected_version=expected_version)


def follow(
    case: Case, other: Case, part: Part, *, by: Any, words: str = "", why: str = "",
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Let a case follow another from now on; whatever followed it goes along. See `mark` and `merging.merge`."""
    own = checked("words", words, longest=WORDS_LONGEST, required=False)
    reason = checked("why", why, longest=families.NOTE_LONGEST, required=False)
    with families.held(case):
        first = families.original_of(Case.objects.get(pk=other.pk))
        first = Case.objects.select_for_update().get(pk=first.pk)  # before `case`, as `following` locks them
        LAWS[part](families.kin_of(case), families.kin_of(first))
        text = "\n\n".join(filter(None, [said(case, first, part), own]))
        word = Message(case=case, key_id=case.key_id, author=by, public=True, text=text, purpose="close")
        word.at = clock.now()
        with moving(
            case, "close", by=by, tell=people.everybody(case), given={"reason_given"},
            expected_version=expected_version, reason=str(REASONS[part]), message=str(word.pk), said=text,
            other=first.ref,
        ) as row:  # fmt: skip
            word.save()
            row.close_reason = str(REASONS[part])
            row.duplicate_of = first
        _join(case, first, part, by=by, why=reason)
    return case


def said(case: Case, first: Case, part: Part) -> str:
    """Our fixed words for the researcher of `case`, as they would be sent now."""
    rule = sharing.rule_of(case)
    standing = sharing.standings(first, also=case)[case.pk]
    if part is Part.MERGED:
        return fixed_words.merged(case, first, rule=rule, standing=standing)
    earliest = families.kin_of(first).first_at or first.created_at
    return fixed_words.duplicate(case, first, first_at=earliest, rule=rule, standing=standing)


def ahead(case: Case, other: Case, part: Part) -> tuple[Case, str]:
    """What would happen: the case that would be followed, and our words. Raises as `follow` would, and does nothing."""
    first = families.original_of(other)
    LAWS[part](families.kin_of(case), families.kin_of(first))
    return first, said(case, first, part)


def let_go(case: Case, *, by: Any) -> None:
    """A case that followed another is taken up again: it leaves the family and counts in no sharing there.

    To be called within `families.held` before its link is cut.
    """
    member, first = families.of(case), case.duplicate_of
    if member is None or first is None or not Part(member.part).follows:
        return
    with families.noted(first, "family.let_go", member.family, by=by, other=case.ref):
        member.delete()
    Case.objects.filter(pk=case.pk).update(duplicate_of=None)
    sharing.settle(first)
    families.close_ranks(member.family, by=by)


def _join(case: Case, first: Case, part: Part, *, by: Any, why: str) -> None:
    """Put both into one family, with everything that follows `case`; what is left of its old family goes on."""
    left, there = families.of(case), families.of(first)
    family = there.family if there else left.family if left else families.begin(first, by=by)
    if there is None:
        leads = not family.members.filter(part=Part.LEAD).exclude(case=case).exists()
        families.place(first, family, Part.LEAD if leads else Part.VARIANT, by=by)
    kind = "family.took_in" if part is Part.MERGED else "family.repeated"
    with families.noted(first, kind, family, by=by, other=case.ref):
        pass
    with families.noted(case, "family.follows", family, by=by, why=why, part=str(part), other=first.ref):
        families.place(case, family, part, by=by)
    for follower in Case.objects.filter(duplicate_of=case).exclude(pk=case.pk):
        _along(follower, first, family, by=by)
    if left is not None and left.family_id != family.pk:
        families.close_ranks(left.family, by=by)
    elif not family.members.filter(part=Part.LEAD).exists():
        family.members.filter(case=first).update(part=Part.LEAD)
    sharing.settle(first)


def _along(follower: Case, first: Case, family: Family, *, by: Any) -> None:
    """What followed the case follows the first one from now on."""
    member = families.of(follower)
    part = Part(member.part) if member is not None and Part(member.part).follows else Part.DUPLICATE
    with families.noted(follower, "family.follows", family, by=by, part=str(part), other=first.ref) as row:
        row.duplicate_of = first
        families.place(follower, family, part, by=by)


def absent() -> Invalid:
    """The refusal for a number that leads to no case, or to one that the viewer may not know of: the same words."""
    return Invalid(of=_("There is no such case. Look at its number again."))
