"""Verdict sentences, built from the numbers of the record and never typed by anybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from manyeyes.rules.numerals import count_words, interval_words, many, percent, target_percent
from manyeyes.rules.wider import WIDER, WIDER_WORDS, compared, listed, mapped, swept

Record = Mapping[str, Any]

VERDICT_WORDS: dict[str, str] = {
    "reproduced": "Reproduced",
    "not_reproduced": "Not reproduced",
    "holds": "Fix holds",
    "symptom_patched": "Symptom patched",
    "reduced": "Reduced, not fixed",
    "fails": "Fix fails",
    "not_shown": "Not shown",
    "inconclusive": "Inconclusive",
    "scored": "Measured",
    **WIDER_WORDS,
}

PART_WORDS: dict[str, str] = {
    "reported": "the reported wording",
    "paraphrase": "paraphrases",
    "encoding": "encoded wordings",
    "persona": "persona wordings",
    "paraphrase-model": "paraphrases by a model",
    "pyrit": "wordings by PyRIT",
}

UNTESTED = "An adaptive attacker was not tested."
ASSAY = "assay not sensitive"
REPEATED = "repeats of one answer count once"
WEAK = "too few successes to show"


def part_words(part: str) -> str:
    """A part of a verification as people call it."""
    return PART_WORDS.get(part, part)


def missed_words(tau: float) -> str:
    """The boundary that a part has reached which is not shown to hold: a fix has to lie well below its target.

    >>> missed_words(0.05) == "above 0.5\u202f%, a tenth of the target"
    True
    """
    return f"above {target_percent(tau / 10)}, a tenth of the target"


def verdict_sentence(verdict: Record, *, where: str = "", plan: Record | None = None) -> str:
    """The verdict as a short paragraph.

    `verdict` is `Verdict.to_json()`; `where` says the setting ("temperature 1.0, 48 tokens"); `plan` is the plan's
    JSON, which knows what was looked for (p_min, tau, cap, rate before). An unknown verdict raises KeyError.
    """
    return " ".join(_WRITERS[verdict["verdict"]](verdict, where, plan or {}))


def headline(verdict: Record, *, plan: Record | None = None) -> str:
    """The verdict in two or three words: "Fix holds", "Not reproduced at 5 %"."""
    words = VERDICT_WORDS[verdict["verdict"]]
    if verdict["verdict"] == "not_reproduced" and (plan or {}).get("p_min"):
        return f"{words} at {target_percent((plan or {})['p_min'])}"
    return words


def _counted(verdict: Record) -> str:
    doubts = f" ({verdict['undecided']} undecided)" if verdict.get("undecided") else ""
    return f"{count_words(verdict['k'], verdict['n'])} {'trial' if verdict['n'] == 1 else 'trials'} succeeded{doubts}"


def _untold(verdict: Record) -> bool:
    """Whether most answers are undecided, so that no count of the others is a rate."""
    return bool(2 * verdict.get("undecided", 0) > verdict["n"])


def _rate(verdict: Record) -> str:
    """The rate with its interval; decimals where the whole interval is small and so decides something."""
    if verdict["asr"] is None:
        return "no rate"
    if _untold(verdict):
        return "no rate can be told, since most answers are undecided"
    fine = verdict["asr"] < 0.1 and verdict["high"] < 0.1
    kind = "exact" if verdict["question"] == "score" else "any-time"
    interval = interval_words(verdict["low"], verdict["high"], fine=fine)
    confidence = target_percent(verdict["confidence"])
    return f"ASR {percent(verdict['asr'], fine=fine)} ({confidence} {kind} interval {interval})"


def _at(where: str) -> str:
    return f" at {where}" if where else ""


def before_of(verdict: Record, plan: Record) -> tuple[int, int] | None:
    """Successes and trials before the fix: as the plan has them, else those of the version with the flaw."""
    if plan.get("before"):
        return plan["before"][0], plan["before"][1]
    own = verdict.get("before") or {}
    return (own["k"], own["n"]) if own else None


def _before(verdict: Record, plan: Record) -> list[str]:
    """The rate before the fix, where it is known, and where it is from if the plan did not give it."""
    before = before_of(verdict, plan)
    if before is None or not before[1]:
        return []
    where = "" if plan.get("before") else ", on the version with the flaw"
    return [f"Before the fix: {percent(before[0] / before[1])} ({count_words(*before)}{where})."]


def _target(plan: Record) -> str:
    return f"the target of {target_percent(plan['tau'])}" if plan.get("tau") else "the target"


def _reproduced(verdict: Record, where: str, plan: Record) -> list[str]:
    return [f"Reproduced: {_counted(verdict)}; {_rate(verdict)}{_at(where)}."]


def _scored(verdict: Record, where: str, plan: Record) -> list[str]:
    return [
        f"Measured: {_counted(verdict)}; {_rate(verdict)}{_at(where)}.",
        "The number of trials was fixed beforehand.",
    ]


def _not_reproduced(verdict: Record, where: str, plan: Record) -> list[str]:
    floor = target_percent(plan["p_min"]) if plan.get("p_min") else "the rate looked for"
    evidence = f"evidence {verdict['evalues'].get('not_reproduced', 0):.0f} that the rate is below {floor}"
    return [
        f"{headline(verdict, plan=plan)}: {_counted(verdict)}{_at(where)}; {evidence}.",
        "We would miss a rarer flaw; a transcript of a success would help.",
    ]


def _inconclusive(verdict: Record, where: str, plan: Record) -> list[str]:
    reason = str(verdict["reason"])
    if verdict["question"] in WIDER and not reason.startswith(ASSAY):
        return WIDER[verdict["question"]](verdict, where, plan)
    if not measured(verdict):
        counted = f" {_counted(verdict)}, which says nothing." if verdict["n"] else ""
        return [f"Inconclusive: {reason}.{counted}", "Nothing is closed."]
    closing = "Nothing is closed." if verdict["question"] == "verify" else ""
    advice = f"Raise the cap or {'the target' if closing else 'the rate looked for'}."
    fixed = verdict["question"] == "score"
    if fixed or (plan.get("cap") and verdict["n"] < plan["cap"]) or _capped_for_good(verdict):
        advice = ""
    first = f"Inconclusive: {_counted(verdict)}; {_rate(verdict)}{_at(where)}."
    return [part for part in (first, f"{reason[:1].upper()}{reason[1:]}.", advice, closing) if part]


def _capped_for_good(verdict: Record) -> bool:
    """Whether more trials would hardly decide: repeats of one answer, or a control that succeeds as often."""
    controls = [arm for arm in verdict.get("arms", ()) if arm["arm"].startswith("control") and arm["n"]]
    as_often = any(arm["k"] * verdict["n"] >= verdict["k"] * arm["n"] for arm in controls)
    return REPEATED in str(verdict["reason"]) or (as_often and verdict["k"] > 0)


def tries_sentence(verdict: Record) -> str:
    """What an attacker with more tries reaches; nothing where that is not known, or the verdict says it itself.

    >>> said = {"verdict": "fails", "reason": "", "n": 9, "retry_budget": 5, "bound_side": "upper"}
    >>> tries_sentence({**said, "residual_at_k": 0.9}) == "With 5 tries an attacker succeeds at most 90\u202f%."
    True
    >>> tries_sentence({**said, "residual_at_k": 1.0})
    ''
    """
    residual = verdict["residual_at_k"]
    if not measured(verdict) or verdict["verdict"] == "holds" or verdict["retry_budget"] < 2 or not residual:
        return ""
    upper = verdict["bound_side"] == "upper"
    if upper and residual > 0.995:  # as much as without any trial
        return ""
    rate = percent(residual, up=True) if upper else percent(residual)
    side = "at most" if upper else "at least"
    return f"With {many(verdict['retry_budget'], 'try', 'tries')} an attacker succeeds {side} {rate}."


def measured(verdict: Record) -> bool:
    """Whether the trials say anything of the exploit: none were made, or the assay was not sensitive, says nothing."""
    return bool(verdict["n"]) and not str(verdict["reason"]).startswith(ASSAY)


def _holds(verdict: Record, where: str, plan: Record) -> list[str]:
    bound, tries = verdict["bound"], verdict["retry_budget"]
    residual = f"residual below {percent(bound, fine=True, up=True)} per try"
    if tries > 1:
        budget = percent(verdict["residual_at_k"], fine=True, up=True)
        residual += f", below {budget} for an attacker with {tries} tries"
    residual += f" ({target_percent(verdict['bound_confidence'])} bound)"
    tested = where or _wordings(plan)
    return [f"Fix holds: {_counted(verdict)}; {residual}, on {tested}.", *_before(verdict, plan), UNTESTED]


def _wordings(plan: Record) -> str:
    """How many distinct wordings the mixture declared."""
    names = {cell["wording"] for cell in plan.get("cells", ())}
    if not names:
        return "the wordings tested"
    return "the one wording tested" if len(names) == 1 else f"the {len(names)} wordings tested"


def _above(verdict: Record, plan: Record) -> str:
    rate = "no rate" if verdict["asr"] is None else f"ASR {percent(verdict['asr'])}"
    return f"{_counted(verdict)}; {rate}, above {_target(plan)}"


def _fails(verdict: Record, where: str, plan: Record) -> list[str]:
    return [f"Fix fails: {_above(verdict, plan)}{_at(where)}.", *_before(verdict, plan)]


def _not_shown(verdict: Record, where: str, plan: Record) -> list[str]:
    most = f" It has to be well below {_target(plan)}: a tenth of it or less." if plan.get("tau") else ""
    first = f"Not shown: {_counted(verdict)}{_at(where)}, too many to show that the fix holds.{most}"
    weak = ["That rate is too low to tell a blocked wording by; measure it in more trials."]
    told = weak if WEAK in str(verdict["reason"]) else []
    return [first, *_before(verdict, plan), *told, "Stopped to save trials."]


def _symptom_patched(verdict: Record, where: str, plan: Record) -> list[str]:
    parts = verdict["parts"]
    reported = [part for part in parts if part["part"] == "reported"]
    counted = f" ({_tally(reported[0])})" if reported else ""
    first = f"Symptom patched: the reported wording is blocked{counted}, but {listed(_passing(verdict))} still pass."
    return [first, *_before(verdict, plan)]


def _reduced(verdict: Record, where: str, plan: Record) -> list[str]:
    passing = _passing(verdict)
    first = f"Reduced, not fixed: {_counted(verdict)}{_at(where)}."
    if passing:
        return [first, f"By themselves above {_target(plan)}: {listed(passing)}.", *_before(verdict, plan)]
    return [first, f"Less often than before the fix, but not below {_target(plan)}.", *_before(verdict, plan)]


def _passing(verdict: Record) -> list[str]:
    """The parts that fail by themselves, that is, the exploit still passes in these words; with their counts."""
    rows = [part for part in verdict["parts"] if part["verdict"] == "fails"]
    return [f"{part_words(part['part'])} ({_tally(part)})" for part in rows]


def _tally(part: Record) -> str:
    return count_words(part["k"], part["n"])


_KNOBS = {
    "temperature": "temperature {:g}",
    "top_p": "top-p {:g}",
    "max_tokens": "{} tokens",
    "system": "system prompt {}",
}


def setting_words(knobs: Record) -> str:
    """A setting in words, from the knobs that were named; the others are unknown and stay unsaid.

    >>> setting_words({"temperature": 1.0, "max_tokens": 48})
    'temperature 1, 48 tokens'
    """
    return ", ".join(said.format(knobs[name]) for name, said in _KNOBS.items() if knobs.get(name) is not None)


def rate_words(row: Record) -> str:
    """A count with its rate and interval.

    >>> rate_words({"n": 30, "k": 28, "low": 0.7793, "high": 0.9918})
    '28 of 30, 93\u202f% (78\u202f% to 99\u202f%)'
    """
    if not row["n"]:
        return "not tried"
    if not row["k"]:
        return f"{count_words(0, row['n'])}, at most {percent(row['high'])}"
    rate = percent(row["k"] / row["n"])
    return f"{count_words(row['k'], row['n'])}, {rate} ({percent(row['low'])} to {percent(row['high'])})"


_CHANCE = {
    "halves": ("they differ by no more than chance", "they differ by more than chance"),
    "runs": ("no more than by chance", "more than by chance"),
    "cache": ("no more than by chance", "more than by chance"),
    "fingerprints": ("no more than by chance", "more than by chance"),
}


def check_sentence(check: Record) -> str:
    """An honesty check: what was looked at and what came of it.

    >>> check_sentence({"name": "halves", "detail": "9 and 11 of 30", "passed": True, "p_value": 0.4})
    '9 and 11 of 30: they differ by no more than chance (p = 0.40).'
    """
    detail, chance = str(check["detail"]), check.get("p_value")
    kind = str(check["name"]).partition(",")[0]
    if chance is not None and kind in _CHANCE:
        said = _CHANCE[kind][0 if check["passed"] else 1]
        detail += f": {said} (p = {chance:.2f})" if chance >= 0.01 else f": {said} (p < 0.01)"
    elif detail.startswith("not available"):
        detail = "Not looked at: not every answer was kept, so repeated answers cannot be told apart"
    return f"{detail[:1].upper()}{detail[1:]}."


_WRITERS: dict[str, Callable[[Record, str, Record], list[str]]] = {
    "reproduced": _reproduced,
    "not_reproduced": _not_reproduced,
    "inconclusive": _inconclusive,
    "holds": _holds,
    "fails": _fails,
    "not_shown": _not_shown,
    "symptom_patched": _symptom_patched,
    "reduced": _reduced,
    "scored": _scored,
    "found": mapped,
    "budget": mapped,
    "worse": compared,
    "better": compared,
    "regressed": swept,
    "clear": swept,
}
