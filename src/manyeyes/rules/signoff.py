"""Sign-off of a rating by both disciplines: two people, two hats, a later second, or the manager's decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from manyeyes.rules import clock


class Rule(StrEnum):
    """What a program asks for in a severity band."""

    TWO_PEOPLE = "two_people"
    TWO_HATS = "two_hats"
    SECOND_LATER = "second_later"


RULE_WORDS: dict[Rule, str] = {
    Rule.TWO_PEOPLE: "two people, one for each discipline",
    Rule.TWO_HATS: "two recorded assessments; one person may make both, and it is shown",
    Rule.SECOND_LATER: "one before it is confirmed, the second within 7 days",
}
BANDS = ("Critical", "High", "Medium", "Low", "None")
DISCIPLINES: dict[str, str] = {"security": "security", "ml": "ML"}
SECOND_WITHIN = timedelta(days=7)
DEFAULT_POLICY: dict[str, Rule] = {"Critical": Rule.TWO_PEOPLE, "High": Rule.TWO_PEOPLE}
"""The rule for each band; a band without a rule asks for two recorded assessments, which one person may make."""


def policy_of(stored: Mapping[str, str]) -> dict[str, Rule]:
    """The rule of every band, where a program has set some; what it did not set is as by default.

    >>> policy_of({"High": "second_later"})["High"], policy_of({})["Low"]
    (<Rule.SECOND_LATER: 'second_later'>, <Rule.TWO_HATS: 'two_hats'>)
    """
    return {band: Rule(stored[band]) if band in stored else DEFAULT_POLICY.get(band, Rule.TWO_HATS) for band in BANDS}


@dataclass(frozen=True, kw_only=True)
class SignOff:
    """One recorded assessment of a rating."""

    person: str
    discipline: str
    agrees: bool
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Override:
    """The manager's decision. It needs a reason, and the case shows it for ever."""

    person: str
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class SignOffStatus:
    """Where the sign-offs of a rating stand. `missing` is in words; empty means that the finding may be confirmed."""

    rule: Rule
    agreed: tuple[str, ...]
    disagreed: tuple[str, ...]
    missing: tuple[str, ...]
    two_hats: bool
    overridden: bool
    second_due: datetime | None
    late: bool

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


def status(
    signoffs: Iterable[SignOff],
    policy: Mapping[str, Rule] | None = None,
    severity: str = "",
    *,
    override: Override | None = None,
    at: datetime | None = None,
) -> SignOffStatus:
    """The state of the sign-offs on one rating of this severity band; the last word of each discipline counts.

    A second discipline that comes later is still asked for: `second_due` says until when, `late` that it has passed.
    """
    chosen = DEFAULT_POLICY if policy is None else policy
    rule = chosen.get(severity, Rule.TWO_HATS)
    last = {row.discipline: row for row in sorted(signoffs, key=lambda row: row.at) if row.discipline in DISCIPLINES}
    agreed = tuple(name for name in DISCIPLINES if name in last and last[name].agrees)
    disagreed = tuple(name for name in DISCIPLINES if name in last and not last[name].agrees)
    one_person = len(last) == 2 and len({row.person for row in last.values()}) == 1
    decided = override is not None and bool(override.reason.strip())
    due = _second_due(rule, last) if agreed and not disagreed and not decided else None
    late = due is not None and (clock.now() if at is None else at) > due
    missing: tuple[str, ...] = ()
    if not decided and (due is None or late):
        missing = _missing(rule, last, disagreed, one_person)
    return SignOffStatus(
        rule=rule,
        agreed=agreed,
        disagreed=disagreed,
        missing=missing,
        two_hats=one_person,
        overridden=decided,
        second_due=due,
        late=late,
    )


def _second_due(rule: Rule, last: Mapping[str, SignOff]) -> datetime | None:
    """Until when the second discipline may follow, where the rule lets it follow and it has not."""
    if rule is not Rule.SECOND_LATER or len(last) != 1:
        return None
    return next(iter(last.values())).at + SECOND_WITHIN


def _missing(rule: Rule, last: Mapping[str, SignOff], disagreed: tuple[str, ...], one_person: bool) -> tuple[str, ...]:
    absent = tuple(f"{words} sign-off" for name, words in DISCIPLINES.items() if name not in last)
    if absent:
        return absent
    if disagreed:
        return ("the manager's decision",)
    return ("sign-off by a second person",) if one_person and rule is Rule.TWO_PEOPLE else ()
