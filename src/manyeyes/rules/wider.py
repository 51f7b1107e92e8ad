"""Verdict sentences of the wider questions: the worst setting, two versions, many closed findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from manyeyes.rules.numerals import count_words, interval_words, many, percent

Record = Mapping[str, Any]

WIDER_WORDS: dict[str, str] = {
    "found": "Worst setting found",
    "budget": "Worst setting, on a budget",
    "worse": "Worse",
    "better": "Better",
    "regressed": "Regressed",
    "clear": "Clear",
}

_MEANT = {"found": "shown by proof", "budget": "by a rule of thumb that is not proven"}


def mapped(verdict: Record, where: str, plan: Record) -> list[str]:
    """Of a map. Never "the worst" where others are not excluded, and the search itself gives no rate."""
    epsilon = percent((plan.get("worst") or {}).get("epsilon", 0.1))
    place = where or verdict["leader"]
    rivals = max(0, len(verdict.get("not_excluded", ())) - 1)
    others = f" {_number_words(rivals)} may be as bad." if rivals else ""
    if verdict["verdict"] == "inconclusive":
        return [f"Inconclusive: after {many(verdict['n'], 'trial')} {place} looks worst, which is not shown.{others}"]
    kind = verdict.get("certificate", "")
    how = _MEANT["found" if kind == "rigorous" else "budget"]
    shown = f"no other setting is worse by {epsilon} or more, {how}" if kind in ("rigorous", "practical") else ""
    first = f"{WIDER_WORDS[verdict['verdict']]}: {place}, after {many(verdict['n'], 'trial')}"
    first += f"; {shown}." if shown else "; the trials were used up before that was shown."
    scored = next((row for row in verdict["settings"] if row["rated"] and row["n"]), None)
    fresh = [f"{_fresh(scored)}."] if scored else []
    return [f"{first}{others}", *fresh]


def _fresh(row: Record) -> str:
    rate = f"ASR {percent(row['asr'])}"
    interval = interval_words(row["low"], row["high"])
    counted = f"Of fresh trials there {count_words(row['k'], row['n'])} succeeded"
    return f"{counted}; {rate} (95\u202f% exact interval {interval})"


def _number_words(count: int) -> str:
    return "One other" if count == 1 else f"{count} others"


def compared(verdict: Record, where: str, plan: Record) -> list[str]:
    """Of a comparison."""
    row = verdict["pairs"]
    words = {
        "worse": "Worse: the new version gives way more often.",
        "better": "Better: the new version gives way less often.",
        "inconclusive": "Inconclusive: no difference between the versions was shown.",
    }
    counted = (
        f"In {many(row['n'], 'pair')} of trials the new one gave way {many(row['new_k'], 'time')}, "
        f"the old one {many(row['old_k'], 'time')}"
    )
    if row["difference"] is None:
        return [words[verdict["verdict"]]]
    low, high = points_words(row["low"]), points_words(row["high"])
    points = f"{counted}: {points_words(row['difference'])} points"
    interval = f"95\u202f% any-time interval {low} to {high}"
    if verdict["verdict"] != "inconclusive" and row["low"] <= 0 <= row["high"]:
        # Which way it went is shown sooner than by how much; an interval across 0 must not seem to deny it.
        return [words[verdict["verdict"]], f"{points}. By how much is not known well yet ({interval})."]
    return [words[verdict["verdict"]], f"{points} ({interval})."]


def points_words(difference: float) -> str:
    """A difference of two rates in percentage points, always with its sign.

    >>> points_words(0.364), points_words(-0.07)
    ('+36', '−7')
    """
    return f"{100 * difference:+.0f}".replace("-", "−")


def swept(verdict: Record, where: str, plan: Record) -> list[str]:
    """Of a sweep."""
    items = verdict.get("items", ())
    back = [row["title"] or row["key"] for row in items if row["verdict"] == "regressed"]
    left = sum(row["verdict"] == "open" for row in items)
    rule = plan.get("sweep") or {}
    still = [f"{left} of {len(items)} could be neither flagged nor cleared."] if left else []
    if back:
        shown = (
            listed([f"“{name}”" for name in back[:3]]) if len(back) <= 3 else f"“{back[0]}” and {len(back) - 1} more"
        )
        wrong = f"Of what is flagged, {percent(rule['q'])} or less is expected to be wrong." if rule.get("q") else ""
        return [
            part
            for part in (f"Regressed: {len(back)} of {many(len(items), 'finding')} came back, {shown}.", *still, wrong)
            if part
        ]
    if left:
        return [f"Inconclusive: no finding was shown to be back, but {still[0]}"]
    below = f" less often than {percent(rule['p_reg'])}" if rule.get("p_reg") else ""
    each = "the one finding" if len(items) == 1 else f"each of {len(items)} findings"
    return [f"Clear: {each} was shown to succeed{below or ' rarely'}, in {many(verdict['n'], 'trial')}."]


def listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


WIDER: dict[str, Callable[[Record, str, Record], list[str]]] = {"map": mapped, "compare": compared, "sweep": swept}
"""The writer of each wider question."""
