"""The table of an advisory: one line per count, so that before and after can be read off without knowing the method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from manyeyes.rules.numerals import interval_words, percent
from manyeyes.rules.sentences import VERDICT_WORDS, part_words

KNOBS = {"temperature": "temperature {:g}", "top_p": "top-p {:g}", "max_tokens": "{} tokens", "system": "prompt {}"}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One count: when and of what, `k` of `n`, what it means in words, and the bar's ends (None: no bar)."""

    when: str
    k: int
    n: int
    words: str
    what: str = ""
    passes: bool = False
    low: float | None = None
    high: float | None = None


def measures(facts: Mapping[str, Any]) -> list[Measure]:
    """The lines of the table from the facts of an advisory, in the order of time."""
    before = facts.get("before")
    rows = [_before(before, facts.get("versions") or [])] if before else []
    return [*rows, *(row for fix in facts.get("fixes", ()) for row in _fix(fix))]


def _before(before: Mapping[str, Any], versions: list[str]) -> Measure:
    """The rated setting's fixed-n count where it was made: the replay that decided may stop early, which flatters."""
    row = before.get("rated") or before
    knobs = before.get("settings") or {}
    where = ", ".join(words.format(knobs[name]) for name, words in KNOBS.items() if knobs.get(name) is not None)
    said = f"{percent(row['k'] / row['n'])} ({interval_words(row['low'], row['high'])})"
    return Measure(
        when=", ".join(["Before", *versions[:1]]),
        k=row["k"],
        n=row["n"],
        words=f"{said}, at {where}" if where else said,
        passes=True,
        low=row["low"],
        high=row["high"],
    )


def _fix(fix: Mapping[str, Any]) -> Iterator[Measure]:
    when = f"After, {fix.get('version') or 'the fix'}"
    if fix["verdict"] == "symptom_patched":
        # The scored mixture stops within a few trials; what the verdict rests on is each kind of wording by itself.
        yield from (_part(when, part) for part in fix["parts"] if part["n"])
    elif fix["verdict"] == "holds":
        yield Measure(when=when, k=fix["k"], n=fix["n"], words=_limits(fix), low=0.0, high=fix["bound"])
    else:
        words = VERDICT_WORDS[fix["verdict"]].lower()
        yield Measure(
            when=when, k=fix["k"], n=fix["n"], words=words, passes=fix["k"] > 0, low=0.0, high=fix.get("bound")
        )
    if fix.get("retest"):
        yield Measure(
            when=when, k=fix["retest"]["k"], n=fix["retest"]["n"], words="by hand", what="the researcher's try"
        )


def _part(when: str, part: Mapping[str, Any]) -> Measure:
    return Measure(
        when=when,
        what=part_words(part["part"]),
        k=part["k"],
        n=part["n"],
        words="still passed" if part["k"] else "blocked" if part["part"] == "reported" else "no success",
        passes=part["k"] > 0,
        low=part.get("low"),
        high=part.get("high"),
    )


def _limits(fix: Mapping[str, Any]) -> str:
    """What may still get through: per try, and for an attacker who tries several times; always rounded up."""
    words = f"below {percent(fix['bound'], fine=True, up=True)} per try"
    if fix["retry_budget"] > 1:
        words += f", below {percent(fix['residual_at_k'], fine=True, up=True)} with {fix['retry_budget']} tries"
    return words
