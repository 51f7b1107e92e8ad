"""Who shares the credit and the reward for a flaw that several reported: a rule of the policy, read off the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from manyeyes.rules.marked import marked as _
from manyeyes.rules.numerals import many


class Rule(StrEnum):
    """How what is due for a flaw is shared among those who reported it soon after the first."""

    NONE = "none"
    EQUAL = "equal"
    ORDER = "order"


LEAST, MOST = 1, 90
DEFAULTS: Mapping[str, Any] = {"share_days": 7, "share_credit": "equal", "share_reward": "none"}
"""What holds where nobody chose otherwise, and for a policy that says nothing about it."""
CREDIT_WORDS: Mapping[Rule, str] = {
    Rule.NONE: _("of several reports of the same flaw only the first is named"),
    Rule.EQUAL: _("reports of the same flaw within {days} of the first are named side by side"),
    Rule.ORDER: _("reports of the same flaw within {days} of the first are named in the order in which they came"),
}
REWARD_WORDS: Mapping[Rule, str] = {
    Rule.NONE: _("the reward goes to the first"),
    Rule.EQUAL: _("those within {days} share the reward in equal parts"),
    Rule.ORDER: _("of the reward each of those within {days} gets half of what the one before gets"),
}


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """The rule of one policy version."""

    days: int
    credit: Rule
    reward: Rule
    pays: bool

    @property
    def words(self) -> str:
        """The rule in one sentence, without its first capital and its full stop.

        >>> read({}).words
        'reports of the same flaw within 7 days of the first are named side by side'
        """
        days = many(self.days, "day")
        parts = [CREDIT_WORDS[self.credit], *([REWARD_WORDS[self.reward]] if self.pays else [])]
        return "; ".join(part.format(days=days) for part in parts)


class Standing(StrEnum):
    """What a report of a flaw comes to under the rule."""

    FIRST = "first"
    SHARES = "shares"
    UNNAMED = "unnamed"
    LATE = "late"
    OWN = "own"

    @property
    def credited(self) -> bool:
        """Whether whoever sent it is thanked for the flaw."""
        return self in (Standing.FIRST, Standing.SHARES)

    @property
    def in_time(self) -> bool:
        """Whether it came soon enough to share in what the rule shares."""
        return self in (Standing.FIRST, Standing.SHARES, Standing.UNNAMED)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One report of the flaw: its case, who sent it, when it came, under which rule; the lead is where work is done."""

    case: object
    person: object
    at: datetime
    rule: Sharing
    leads: bool = False


def read(terms: Mapping[str, Any]) -> Sharing:
    """The rule out of the terms of a policy version; what it did not keep is as usual."""
    kept = {**DEFAULTS, **terms}
    return Sharing(
        days=kept["share_days"], credit=Rule(kept["share_credit"]), reward=Rule(kept["share_reward"]),
        pays=bool(kept.get("pays")),
    )  # fmt: skip


def wrong_with(terms: Mapping[str, Any]) -> dict[str, str]:
    """Field → what is wrong with it and how to mend it.

    >>> wrong_with({"share_days": 0})
    {'share_days': 'Give a whole number from 1 to 90.'}
    """
    wrong = {}
    days = terms.get("share_days", DEFAULTS["share_days"])
    if not isinstance(days, int) or not LEAST <= days <= MOST:
        wrong["share_days"] = f"Give a whole number from {LEAST} to {MOST}."
    for name in ("share_credit", "share_reward"):
        if terms.get(name, DEFAULTS[name]) not in set(Rule):
            wrong[name] = f"Choose one of: {', '.join(Rule)}."
    return wrong


def sentences(terms: Mapping[str, Any]) -> list[str]:
    """The rule as a line of the promises; none where the version kept none."""
    if "share_days" not in terms:
        return []
    words = read(terms).words
    return [words[0].upper() + words[1:]]


def standings(sent: Sequence[Sent]) -> dict[object, Standing]:
    """What each report of one flaw comes to, by its case. Nothing but the times of receipt and the rules decides.

    Whoever sent several is counted once, from the first of theirs: with the lead where that is one of them.
    """
    ordered = sorted(sent, key=lambda one: one.at)
    since: dict[object, datetime] = {}
    speaks: dict[object, Sent] = {}
    for one in ordered:
        since.setdefault(one.person, one.at)
        if one.leads or one.person not in speaks:
            speaks[one.person] = one
    return {
        one.case: _standing(one.rule, since[one.person] - ordered[0].at) if speaks[one.person] is one else Standing.OWN
        for one in ordered
    }


def _standing(rule: Sharing, after: timedelta) -> Standing:
    if not after:
        return Standing.FIRST
    if after > timedelta(days=rule.days):
        return Standing.LATE
    return Standing.UNNAMED if rule.credit is Rule.NONE else Standing.SHARES


def percents(rule: Rule, n: int) -> tuple[int, ...]:
    """The parts of a reward among `n` who share it, the first one's first, 100 together; what is left over is theirs.

    >>> percents(Rule.EQUAL, 3), percents(Rule.ORDER, 3), percents(Rule.NONE, 3)
    ((34, 33, 33), (58, 28, 14), (100, 0, 0))
    """
    weights = {Rule.NONE: [1] + [0] * (n - 1), Rule.EQUAL: [1] * n, Rule.ORDER: [2**-place for place in range(n)]}[rule]
    parts = [int(100 * weight / sum(weights)) for weight in weights]
    return (parts[0] + 100 - sum(parts), *parts[1:])
