"""The promises of a policy version as it keeps them in figures: what may be promised, and how that is read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from manyeyes.rules.calendars import DAY_NAMES, Calendar, longest_gap, read_calendar
from manyeyes.rules.deadlines import Promises
from manyeyes.rules.errors import Invalid
from manyeyes.rules.marked import marked as _
from manyeyes.rules.numerals import many


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One promise: the least and the most that can be promised, and what holds where a version kept none."""

    usual: int
    least: int
    most: int
    label: str
    days: bool = False


YEAR = 8760
FIGURES: Mapping[str, Figure] = {
    "word_hours": Figure(usual=168, least=24, most=2160, label=_("Next word to the researcher")),
    "exploited_hours": Figure(usual=72, least=1, most=YEAR, label=_("Mitigation where it is being exploited")),
    "mitigation_hours": Figure(usual=168, least=1, most=YEAR, label=_("Mitigation of a Critical or High finding")),
    "fix_days_critical": Figure(usual=14, least=1, most=1000, days=True, label=_("Fix of a Critical finding")),
    "fix_days_high": Figure(usual=30, least=1, most=1000, days=True, label=_("Fix of a High finding")),
    "fix_days_medium": Figure(usual=60, least=1, most=1000, days=True, label=_("Fix of a Medium finding")),
    "fix_days_low": Figure(usual=90, least=1, most=1000, days=True, label=_("Fix of a Low finding")),
    "fix_days_prompt": Figure(usual=14, least=1, most=1000, days=True, label=_("Fix by the prompt or the settings")),
    "fix_days_filter": Figure(usual=30, least=1, most=1000, days=True, label=_("Fix by a filter")),
    "fix_days_retrain": Figure(usual=120, least=1, most=1000, days=True, label=_("Fix by training again")),
    "fix_days_upstream": Figure(usual=90, least=1, most=1000, days=True, label=_("Fix by the maker of a part")),
}
"""The promises beside those of the first answer, the decision and the publication."""
TOGETHER: Mapping[str, Mapping[str, str]] = {
    "Mitigation within": {"exploited_hours": "where exploited", "mitigation_hours": "of Critical and High"},
    "Days to a fix": {f"fix_days_{band.lower()}": band for band in ("Critical", "High", "Medium", "Low")},
    "Days to a fix by its kind": {
        "fix_days_prompt": "prompt or settings",
        "fix_days_filter": "filter",
        "fix_days_retrain": "training",
        "fix_days_upstream": "maker of a part",
    },
}
"""What is told in one sentence: a policy that takes four minutes to read has no room for a line each."""
BANDS = ("Critical", "High", "Medium", "Low")
WORKING: Mapping[str, str] = {
    "first_answer": _("First answer"),
    "next_word": _("Next word"),
    "decision": _("Decision"),
    "fix": _("Fix"),
}
"""What may be counted in working days; a mitigation and a publication never are, because an attacker does not wait."""
COUNTING: Mapping[str, Any] = {
    "working_days_for": "", "zone": "UTC", "weekdays": "Mon Tue Wed Thu Fri", "holidays": "", "weekend_rota": False,
}  # fmt: skip
DEFAULTS: Mapping[str, Any] = {**{name: figure.usual for name, figure in FIGURES.items()}, **COUNTING}
"""Every promise of this module as it stands where nobody chose otherwise."""


def read(terms: Mapping[str, Any]) -> Promises:
    """The promises of a version, out of its terms; what it did not keep is as usual.

    >>> read({"fix_days_high": 21}).fix_days["High"]
    21
    """
    kept = {**DEFAULTS, **terms}
    usual = Promises()
    days = {band: kept[f"fix_days_{band.lower()}"] for band in BANDS}
    return Promises(
        first_answer_hours=kept.get("first_response_hours", usual.first_answer_hours),
        decision_hours=kept.get("decision_hours", usual.decision_hours),
        embargo_days=kept.get("embargo_days", usual.embargo_days),
        word_hours=kept["word_hours"],
        mitigation_hours=kept["mitigation_hours"],
        exploited_hours=kept["exploited_hours"],
        fix_days={**days, "None": days["Low"]},
        kind_days={kind: kept[f"fix_days_{kind}"] for kind in usual.kind_days},
        calendar=calendar_of(kept),
        working=frozenset(str(kept["working_days_for"]).split()),
    )


def calendar_of(terms: Mapping[str, Any]) -> Calendar:
    """The calendar that the terms name."""
    kept = {**COUNTING, **terms}
    return read_calendar(kept["zone"], kept["weekdays"], kept["holidays"])


def wrong_with(terms: Mapping[str, Any]) -> dict[str, str]:
    """Field → what is wrong with it and how to mend it; empty where the promises can be kept on record.

    >>> wrong_with({"word_hours": 1})
    {'word_hours': 'Give a whole number from 24 to 2160.'}
    """
    wrong = {}
    for name, figure in FIGURES.items():
        value = terms.get(name, figure.usual)
        if not isinstance(value, int) or not figure.least <= value <= figure.most:
            wrong[name] = f"Give a whole number from {figure.least} to {figure.most}."
    unknown = [name for name in str(terms.get("working_days_for", "")).split() if name not in WORKING]
    if unknown:
        wrong["working_days_for"] = f"Only these may be counted in working days: {', '.join(WORKING)}."
    try:
        calendar_of(terms)
    except Invalid as error:
        wrong.update(error.fields)
    return wrong


MEND = _("Say that somebody reads reports on those days, promise more time, or count working days.")
"""What helps against what `unkept` says."""


def unkept(terms: Mapping[str, Any]) -> str:
    """Why nobody may be there in time for the first answer; "" when the days off are short enough, or somebody is.

    >>> unkept({"first_response_hours": 24})[:58]
    'A first answer is promised within 24 hours, but 2 days in '
    """
    promised, days = read(terms), longest_gap(calendar_of(terms))
    if terms.get("weekend_rota") or promised.calendar_of("first_answer") is not None:
        return ""
    if promised.first_answer_hours >= days * 24:
        return ""
    hours = promised.first_answer_hours
    return f"A first answer is promised within {hours} hours, but {many(days, 'day')} in a row are off."


def counted_words(calendar: Calendar | None) -> str:
    """How the time of a clock counts, in words.

    >>> counted_words(None)
    'calendar hours, weekends included'
    >>> counted_words(Calendar("Europe/Berlin"))
    'working days Mon Tue Wed Thu Fri in Europe/Berlin'
    """
    if calendar is None:
        return "calendar hours, weekends included"
    days = " ".join(DAY_NAMES[number] for number in sorted(calendar.weekdays))
    off = f", less {many(len(calendar.holidays), 'holiday')}" if calendar.holidays else ""
    return f"working days {days} in {calendar.zone}{off}"


def sentences(terms: Mapping[str, Any]) -> list[str]:
    """What is promised beside first answer, decision and publication, one sentence each; [] where none were kept.

    >>> sentences({})
    []
    >>> sentences({**DEFAULTS, "working_days_for": "decision"})[-1]
    'Counted in working days (Mon Tue Wed Thu Fri in UTC): decision. Everything else counts every hour.'
    """
    if "word_hours" not in terms:
        return []
    told = [_together(terms, names, opening) for opening, names in TOGETHER.items()]
    found = [f"{FIGURES['word_hours'].label}: within {_span('word_hours', terms)}", *filter(None, told)]
    working = str(terms.get("working_days_for", "")).split()
    if working:
        days = counted_words(calendar_of(terms)).removeprefix("working days ")
        what = ", ".join(WORKING[name].lower() for name in working)
        found.append(f"Counted in working days ({days}): {what}. Everything else counts every hour.")
    return found


def _together(terms: Mapping[str, Any], names: Mapping[str, str], opening: str) -> str:
    """One sentence for the figures among `names` that were kept, hours with their unit; "" where none was.

    >>> _together({"fix_days_high": 1, "fix_days_low": 9}, TOGETHER["Days to a fix"], "Days to a fix")
    'Days to a fix: High 1, Low 9'
    """
    kept = [
        f"{words} {terms[name] if FIGURES[name].days else _span(name, terms)}"
        for name, words in names.items()
        if name in terms
    ]
    return f"{opening}: {', '.join(kept)}" if kept else ""


def _span(name: str, terms: Mapping[str, Any]) -> str:
    hours = terms[name]
    return many(hours // 24, "day") if hours % 24 == 0 and hours > 48 else many(hours, "hour")
