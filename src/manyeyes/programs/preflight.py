"""How far a program has reports tried on arrival: its rules, who changed them, and the budgets they make."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes import events
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program
from manyeyes.programs.openpgp import MANAGERS
from manyeyes.programs.permitted import PreflightRules
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.rules.preflight import MOST_TRIALS, Budget, Limits, Spending

COUNTS = ("calls_per_day", "calls_per_reporter", "tokens_per_day", "tokens_per_reporter")
MONEY = ("money_per_day", "money_per_reporter")
SWITCHES = ("on", "tells_researcher")
MOST = 1_000_000_000
"""The largest limit that can be given."""


def rules_of(program: Program, *, lock: bool = False) -> PreflightRules:
    """The program's rules, those of every new program where nobody set any. `lock`: held until the transaction ends."""
    if lock:
        PreflightRules.objects.get_or_create(program=program)
        return PreflightRules.objects.select_for_update().get(program=program)
    return PreflightRules.objects.filter(program=program).first() or PreflightRules(program=program)


def set_rules(program: Program, *, by: Any, **given: Any) -> PreflightRules:
    """Change the rules; what is not given stays. Raises NotAllowed, and Invalid naming each field."""
    if not roles_of(by, program) & MANAGERS:
        raise NotAllowed(_("The program is changed by its manager or an admin."))
    wrong = {name: problem for name, value in given.items() if (problem := _problem(name, value))}
    if wrong:
        raise Invalid(wrong)
    with transaction.atomic():
        row = rules_of(program, lock=True)
        for name, value in given.items():
            setattr(row, name, value)
        row.changed_by, row.changed_at = by, clock.now()
        row.save()
        events.record(
            f"program:{program.pk}", "preflight.rules_set", actor=by.actor, human=True, on=row.on, trials=row.trials,
            tells_researcher=row.tells_researcher, calls_per_day=row.calls_per_day,
            calls_per_reporter=row.calls_per_reporter,
        )  # fmt: skip
    return row


def budgets(
    rules: PreflightRules, *, program: Spending, reporter: Spending, without_account: Spending | None = None
) -> tuple[Budget, ...]:
    """The limits of the day with what is taken of them. `without_account`: of all reports nobody signed in for."""
    whole = Limits(calls=rules.calls_per_day, tokens=rules.tokens_per_day, money=rules.money_per_day)
    each = Limits(calls=rules.calls_per_reporter, tokens=rules.tokens_per_reporter, money=rules.money_per_reporter)
    found = (
        Budget(whose="the program", limits=whole, taken=program),
        Budget(whose="one reporter", limits=each, taken=reporter),
    )
    if without_account is None:
        return found
    share = Budget(whose="reports without an account", limits=anonymous_share(whole), taken=without_account)
    return (*found, share)


def anonymous_share(whole: Limits) -> Limits:
    """Half of a program's day: a receipt costs nothing, so a flood of them must not use up what others need."""
    calls = None if whole.calls is None else math.ceil(whole.calls / 2)
    tokens = None if whole.tokens is None else math.ceil(whole.tokens / 2)
    return replace(whole, calls=calls, tokens=tokens, money=None if whole.money is None else whole.money / 2)


def _problem(name: str, value: Any) -> str:
    if name in SWITCHES:
        return ""
    if name == "trials":
        return "" if 1 <= value <= MOST_TRIALS else _("Give a whole number from 1 to %(most)s.") % {"most": MOST_TRIALS}
    if name not in (*COUNTS, *MONEY):
        return _("There is no such rule.")
    return "" if value is None or 0 <= value <= MOST else _("Give a number of at least 0, or leave it empty.")
