"""Words and small numbers that only the console shows: clocks, counts beside claims, how far a replay has come."""

from __future__ import annotations

from typing import Any

from django import template

from manyeyes.cases import signoffs
from manyeyes.cases.lists import COUNTED
from manyeyes.engine import anytime_interval
from manyeyes.engine.plan import Stream
from manyeyes.rules import sentences
from manyeyes.rules.deadlines import LABELS
from manyeyes.rules.lifecycle import Role
from manyeyes.rules.numerals import many, percent, target_percent
from manyeyes.rules.taxonomy import KINDS

register = template.Library()

CLAIM = {"reproduce": "reproduced", "verify": "holds"}
PHASES = {"assay": "side arms", "score": "fixed number of trials, for the score", "attribute": "which wordings pass"}
STREAMS = {
    "main": "scored",
    "control": "unrelated request",
    "benign": "harmless question",
    "positive": "vulnerable version",
    "attribute": "by wording",
    "score": "fixed number",
}


@register.filter
def kind_name(code: str) -> str:
    """`{{ case.vuln_class|kind_name }}`: the kind of flaw in words."""
    return KINDS[code].name if code in KINDS else code


@register.simple_tag
def counted(number: int) -> str:
    """`{% counted count %}`: how many a list holds; 999+ where it was not counted to its end."""
    return f"{COUNTED - 1}+" if number >= COUNTED else str(number)


@register.filter
def stream_name(stream: str) -> str:
    """`{{ call.stream|stream_name }}`: what a stream of trials is for."""
    return STREAMS.get(stream, stream)


@register.filter
def clock_name(name: str) -> str:
    """`{{ entry.data.clock|clock_name }}`: a promise in words."""
    return LABELS.get(name, name)


@register.filter
def tone(promise: Any) -> str:
    """`{{ clock|tone }}`: the class of a clock's words: bad when late, warn from three quarters on."""
    return "bad" if promise.late else "warn" if promise.fraction >= 0.75 else ""


@register.filter
def role_words(roles: Any) -> str:
    """`{{ membership.roles|role_words }}`: roles as people read them."""
    return ", ".join(Role(name).words for name in roles)


@register.filter
def whole_percent(rate: float) -> str:
    """`{{ plan.tau|whole_percent }}`: a rate that somebody chose."""
    return target_percent(rate)


@register.filter
def error_rate(rate: float) -> str:
    """`{{ odds.type_one|error_rate }}`: an error rate with one decimal below 10 %."""
    return percent(rate, fine=True)


@register.filter
def how_far(replay: Any) -> str:
    """`{{ replay|how_far }}`: where a replay stands, in one line; empty before it has begun."""
    seen = replay.progress or {}
    if replay.state == "done" or not seen:
        return many(replay.calls, "call") if replay.calls else ""
    said = f"Trial {seen.get('n', 0)} of at most {seen.get('cap', 0)}, {seen.get('k', 0)} succeeded"
    found = (seen.get("evalues") or {}).get(CLAIM.get(replay.question, ""))
    if seen.get("phase") in PHASES:
        said += f"; now: {PHASES[seen['phase']]}"
    elif found is not None and seen.get("threshold"):
        said += f", evidence {min(found, seen['threshold']):.1f} of {seen['threshold']:.0f}"
    return f"{said}; {many(replay.calls, 'call')} made"


@register.simple_tag
def measured(link: Any) -> dict[str, Any] | None:
    """`{% measured row.replay as seen %}`: k, n and any-time interval of a finished replay, from clear counts."""
    if link is None or not link.replay.n or link.replay.k is None:
        return None
    low, high = anytime_interval(link.replay.k, link.replay.n)
    after = link.purpose == "verification"
    return {"k": link.replay.k, "n": link.replay.n, "low": low, "high": high, "after": after}


@register.simple_tag
def tried(link: Any, most: int = 400) -> list[bool | None]:
    """`{% tried entry.item as outcomes %}`: the scored trials of a replay in order, as the strip draws them."""
    rows = link.replay.trials.filter(stream=str(Stream.MAIN), overrun=False).order_by("index")
    words = list(rows.values_list("outcome", flat=True)[: min(most, link.replay.n or most)])
    return [None if word not in ("success", "failure") else word == "success" for word in words]


@register.simple_tag
def assessed(word: Any) -> list[tuple[str, str]]:
    """`{% assessed word as answers %}`: (label, answer) of what a discipline wrote beside its word on a rating."""
    return signoffs.told(word)


@register.filter
def pair_rate(pair: Any) -> float | None:
    """`{{ row.claim|pair_rate }}`: k of n as a rate."""
    return pair[0] / pair[1] if pair and pair[1] else None


@register.filter
def headline(verdict: Any) -> str:
    """`{{ one.verdict|headline }}`: a verdict in two or three words; empty without one."""
    return sentences.headline(verdict) if verdict else ""


@register.filter
def strip_width(outcomes: list[Any]) -> int:
    """`{% strip outcomes width=outcomes|strip_width %}`: few trials make a short strip, not fat ticks."""
    return max(8, min(234, len(outcomes) * 6))
