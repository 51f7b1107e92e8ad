"""What reporters of one flaw are told, in words that nobody types: nothing of another reporter, nothing internal."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from manyeyes.cases.models import Case
from manyeyes.rules.lifecycle import CloseReason, Status
from manyeyes.rules.policy_document import day
from manyeyes.rules.sharing import Sharing, Standing

NOT_TOLD = frozenset({CloseReason.WITHDRAWN, CloseReason.SPAM})
"""Reasons that speak of another reporter, so they are told to nobody else."""


def duplicate(case: Case, original: Case, *, first_at: datetime, rule: Sharing, standing: Standing) -> str:
    """What the reporter of a duplicate reads when it is closed."""
    opening = _(
        "Thank you for your report. It describes the same flaw as an earlier report, which we received on %(day)s. We "
        "close yours as a duplicate of that one. This says nothing against your work."
    ) % {"day": day(first_at)}
    return _whole(opening, case, original, rule, standing)


def merged(case: Case, lead: Case, *, rule: Sharing, standing: Standing) -> str:
    """What the reporter of a case reads whose work goes on in another one."""
    opening = _(
        "Thank you for your report. Another report describes the same flaw, so we go on with both in one place and "
        "close this page of the work. Your report stays as you sent it, counts from the day on which you sent it, and "
        "helps us to show the flaw. Nobody outside the team reads it."
    )
    return _whole(opening, case, lead, rule, standing)


def split_off(case: Case, source: Case) -> str:
    """What a reporter reads in the case that was made out of one of several flaws of their report."""
    return _(
        "Your report %(source)s describes more than one flaw. This one has a case of its own from now on, %(ref)s, so "
        "that it is decided, fixed and credited by itself. Everything else stays in %(source)s. You need not send "
        "anything again. The time until our first answer counts from the day on which we received %(source)s."
    ) % {"source": source.ref, "ref": case.ref}


def credit(rule: Sharing, standing: Standing, *, number: int | None) -> str:
    """The sharing rule, and what it means for one report, as its reporter reads it."""
    return " ".join([_rule(rule, number), outcomes()[standing] % {"days": rule.days}])


def outcomes() -> dict[Standing, str]:
    """What each standing means for the reporter, without a word about how many others there are."""
    return {
        Standing.FIRST: _("Yours came first, so you are named once the flaw is confirmed, if you wish."),
        Standing.SHARES: _(
            "Yours came within the %(days)d days, so you are named once the flaw is confirmed, if you wish."
        ),
        Standing.UNNAMED: _("Yours came within the %(days)d days, and was not the first."),
        Standing.LATE: _("Yours came more than %(days)d days after the first, so it does not share."),
        Standing.OWN: _("An earlier report of the flaw is your own, and you are named there."),
    }


def _whole(opening: str, case: Case, original: Case, rule: Sharing, standing: Standing) -> str:
    number = case.policy_version.number if case.policy_version else None
    then = _(
        "You read here when it is confirmed, when a fix is in service, when it is resolved and when it is published. "
        "Until then please keep it to yourself, as the policy asks."
    )
    appeal = _(
        "If you found another flaw, say on this page what differs: you may appeal once, and the appeal is answered in "
        "writing."
    )
    return "\n\n".join([
        opening,
        _("What happens next: %(state)s %(then)s") % {"state": state(original), "then": then},
        credit(rule, standing, number=number),
        appeal,
    ])  # fmt: skip


def state(original: Case) -> str:
    """Where the work on the flaw stands, as everybody who reported it may know."""
    status = Status(original.status)
    if original.public_at is not None:
        return _("it is resolved and published.")
    if status is Status.CLOSED:
        if original.close_reason in NOT_TOLD:
            return _("a person decides how we go on.")
        reason = CloseReason(original.close_reason).words
        return _("the work on it ended, with this reason: %(reason)s.") % {"reason": reason}
    return {
        Status.CONFIRMED: _("it is confirmed, and we prepare a fix."),
        Status.REMEDIATING: _("it is confirmed, and we work on a fix."),
        Status.FIX_DEPLOYED: _("a fix is in service, and we check it."),
        Status.RETESTING: _("a fix is in service, and we check it."),
        Status.RESOLVED: _("it is resolved."),
    }.get(status, _("we work on it; it is not confirmed yet."))


def _rule(rule: Sharing, number: int | None) -> str:
    if number is None:
        return _("Our rule is that %(rule)s.") % {"rule": rule.words}
    return _("By version %(number)d of the policy, which you reported under, %(rule)s.") % {
        "number": number, "rule": rule.words,
    }  # fmt: skip
