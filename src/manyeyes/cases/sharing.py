"""Who shares in the credit for a flaw: the rule of each report's policy, applied to the times of receipt in the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from manyeyes import events
from manyeyes.cases.clocks import terms
from manyeyes.cases.fixed_words import credit
from manyeyes.cases.kin import Member
from manyeyes.cases.models import Case
from manyeyes.rules import sharing as law
from manyeyes.rules.families import Part
from manyeyes.rules.sharing import Sharing, Standing


def received_at(case: Case) -> datetime:
    """When the report came, out of the log; for a case split off another, when that one's did."""
    first = events.log(case.subject).first()
    if first is None:
        return case.created_at
    told = first.data.get("received")
    return datetime.fromisoformat(told) if told else first.at


def rule_of(case: Case) -> Sharing:
    """The rule of the policy that the report came under."""
    return law.read(terms(case))


def of_one_flaw(original: Case) -> list[Case]:
    """The case in which the work is done, and those that follow it; what was destroyed is in none."""
    followers = original.duplicates.filter(key__destroyed_at=None)
    return [original, *followers.select_related("policy_version", "program").order_by("created_at")]


def standings(original: Case, *, also: Case | None = None) -> dict[Any, Standing]:
    """What every report of the flaw comes to, by the id of its case; `also` is one that is about to follow."""
    rows = of_one_flaw(original)
    if also is not None and also.pk not in {row.pk for row in rows}:
        rows.append(also)
    return law.standings([_sent(row, original) for row in rows])


def settle(original: Case) -> None:
    """Store anew what the log and the rule say of every report of the flaw."""
    found = standings(original)
    alone = len(found) == 1
    for member in Member.objects.filter(case__in=list(found)).select_related("case"):
        member.received_at = received_at(member.case)
        member.standing = "" if alone else str(found[member.case_id])
        member.save(update_fields=["received_at", "standing"])


def standing_of(case: Case) -> Standing | None:
    """What the report of this case comes to; None where nobody else reported the flaw."""
    member = member_of(case)
    return Standing(member.standing) if member is not None and member.standing else None


def member_of(case: Case) -> Member | None:
    """The place of the case in its family, if it has one."""
    return Member.objects.filter(case_id=case.pk).select_related("family", "family__key").first()


def told(case: Case) -> str:
    """The rule and what it means, for the page of a reporter whose report follows another one; empty for all others.

    Nothing is said in the case where the work is done: its reporter does not learn that others came.
    """
    member = member_of(case)
    if member is None or not member.standing or not Part(member.part).follows:
        return ""
    number = case.policy_version.number if case.policy_version else None
    return credit(rule_of(case), Standing(member.standing), number=number)


def _sent(case: Case, original: Case) -> law.Sent:
    return law.Sent(
        case=case.pk, person=case.reporter_id, at=received_at(case), rule=rule_of(case), leads=case.pk == original.pk
    )


def rewards(original: Case) -> dict[Any, int]:
    """The part of a reward in percent for each report that shares in it, by the id of its case: for the team alone.

    It goes by the rule of the first report's policy; empty where that pays nothing.
    """
    rows = {row.pk: row for row in of_one_flaw(original)}
    found = standings(original)
    ordered = sorted(rows.values(), key=received_at)
    rule = rule_of(ordered[0])
    if not rule.pays:
        return {}
    within = [row for row in ordered if found[row.pk].in_time]
    return dict(zip((row.pk for row in within), law.percents(rule.reward, len(within)), strict=True))
