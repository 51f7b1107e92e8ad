"""Tells a verdict in the terminal: a sentence, then the counts it is made of, all in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from manyeyes.commands.picture import grid
from manyeyes.rules.numerals import count_words, interval_words, many, percent, seconds_words
from manyeyes.rules.sentences import (
    missed_words,
    part_words,
    rate_words,
    setting_words,
    tries_sentence,
    verdict_sentence,
)
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.result import RunResult

PART_VERDICTS = {"holds": "holds by itself", "fails": "still passes"}
CONTROL = "unrelated requests with the flaw"
ARMS = {
    ("reproduce", "benign"): "harmless questions with the flaw",
    ("score", "benign"): "harmless questions with the flaw",
    ("verify", "benign"): "harmless questions answered usefully",
    ("verify", "positive"): "the exploit on the version with the flaw",
    ("compare", "benign"): "harmless questions answered usefully",
    ("sweep", "benign"): "harmless questions answered usefully",
}


def told(result: RunResult, *, blocks: bool = False) -> str:
    """The verdict for people: a sentence, then what it is made of. `blocks`: the terminal can draw them."""
    data = result.to_json()
    plan = result.document.plan.to_json()
    lines = [verdict_sentence(data, where=place_of(result.document, data), plan=plan)]
    if data.get("items"):
        lines += ["", *_items(data["items"])]
    if data.get("pairs"):
        lines += ["", *_pairs(data["pairs"])]
    lines += _settings(data, blocks)
    if data["parts"]:
        lines.append("\npart                       trials  succeeded  rate     interval")
        lines += [f"{_row(part_words(row['part']), row)}  {part_verdict(row, plan['tau'])}" for row in data["parts"]]
    if arms := [row for row in data["arms"] if row["arm"] != "old"]:
        lines += ["", *(arm_words(row, data) for row in arms)]
    if place := data["claim"].get("place"):
        said = f"{data['claim']['k']} of {data['claim']['n']} ({percent(data['claim']['asr'])})"
        lines.append(f"\nThe claim, {said}, lies {place} the measured interval.")
    return "\n".join([*lines, *_remarks(data), _bill(data)])


def place_of(document: PlanDocument, data: Mapping[str, Any]) -> str:
    """The setting that a verdict speaks of, in words: the rated one, or the one that a map found."""
    found = next((row for row in data["settings"] if row["rated"]), None)
    if found is None and data.get("leader"):
        found = next((row for row in data["settings"] if row["cell"] == data["leader"]), None)
    if found is None:
        return ""
    said = setting_words(document.knobs.get(found["setting"], {})) or found["setting"]
    several = len({row["wording"] for row in data["settings"]}) > 1
    return f"{said}, wording {found['wording']}" if several else said


def _settings(data: Mapping[str, Any], blocks: bool) -> list[str]:
    """The settings as a table, with a picture where there are several; of a map the picture of the search alone."""
    searched = data["question"] == "map"
    rows = [row for row in data["settings"] if not (searched and row["rated"])]
    if not rows:
        return []
    lines = []
    drawn = grid(rows, leader=data.get("leader", ""), not_excluded=data.get("not_excluded", ()), blocks=blocks)
    if searched or len(rows) > 3:
        lines += ["", drawn]
    if not searched:
        lines.append("\nsetting                    trials  succeeded  rate     interval")
        lines += [_row(row["setting"] + (" (rated)" if row["rated"] else ""), row) for row in rows]
    return lines


ITEMS = {"regressed": "CAME BACK", "open": "not decided", "cleared": "stays away"}


def _items(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The findings of a sweep, those that came back first; where many stay away, these are only counted."""
    order = list(ITEMS)
    shown = sorted(rows, key=lambda row: (order.index(row["verdict"]), -row["k"], row["key"]))
    away = [row for row in shown if row["verdict"] == "cleared"]
    if len(away) > SHOWN:
        shown = [row for row in shown if row["verdict"] != "cleared"]
    wide = max((len(row["key"]) for row in shown), default=0)
    lines = [
        f"{ITEMS[row['verdict']]:<12} {row['key']:<{wide}}  {rate_words(row)}"
        + (f"; evidence {row['evalue']:.3g}" if row["verdict"] == "regressed" else "")
        for row in shown
    ]
    return [*lines, f"stays away   {len(away)} findings"] if len(away) > SHOWN else lines


SHOWN = 40


def _pairs(row: Mapping[str, Any]) -> list[str]:
    neither = row["n"] - row["worse"] - row["better"] - row["both"]
    kinds = (
        ("only the new version gave way", row["worse"]),
        ("only the old version gave way", row["better"]),
        ("both gave way", row["both"]),
        ("neither", neither),
    )
    return [f"{words:<32} {count:>6}" for words, count in kinds]


def part_verdict(row: Mapping[str, Any], tau: float) -> str:
    """What a part says by itself; few trials are no contradiction to a fix that holds over all parts together.

    >>> part_verdict({"verdict": "inconclusive", "k": 0, "n": 16}, 0.05)
    '0 of 16, no success; too few alone'
    >>> part_verdict({"verdict": "inconclusive", "k": 2, "n": 20}, 0.05)
    '2 of 20; too few alone'
    >>> part_verdict({"verdict": "not_shown", "k": 3, "n": 20}, 0.05) == (
    ...     "too high to hold: above 0.5\u202f%, a tenth of the target"
    ... )
    True
    """
    if row["verdict"] == "not_shown":
        return f"too high to hold: {missed_words(tau)}"
    if known := PART_VERDICTS.get(row["verdict"]):
        return known
    if not row["n"]:
        return "not tried"
    return f"{count_words(row['k'], row['n'])}{'' if row['k'] else ', no success'}; too few alone"


def arm_words(row: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """What was asked beside the exploit, and what came of it."""
    counted = (
        f"{count_words(row['k'], row['n'])}, {interval_words(row['low'], row['high'])}" if row["n"] else "not tried"
    )
    if row["ok"] is False:
        counted += f"; too few, {row['need']} were needed"
    return f"{_arm(row['arm'], data)}: {counted}"


def _arm(arm: str, data: Mapping[str, Any]) -> str:
    several = sum(row["arm"].startswith("control") for row in data["arms"]) > 1
    if arm == "control":
        return CONTROL + (", a fixed number" if several else "")
    if arm == "control in blocks":
        return f"{CONTROL}, in turn with the exploit"
    if arm == "positive" and any(check["name"] == "positive control" for check in data["checks"]):
        return "the success rule on the example answer"
    return ARMS.get((data["question"], arm), arm)


def _remarks(data: Mapping[str, Any]) -> list[str]:
    """What still passes, what was noticed, and what an attacker with more tries reaches."""
    lines = []
    passing = [f"{row['wording']} ({row['k']} of {row['n']})" for row in data["wordings"] if row["k"]]
    if passing:
        lines.append(f"\nstill passing: {', '.join(passing)}")
    failed = [check for check in data["checks"] if not check["passed"]]
    lines += [f"\ncheck failed: {check['name']}: {check['detail']} ({check['consequence']})" for check in failed]
    if said := tries_sentence(data):
        lines.append(f"\n{said}")
    if rate := (data.get("judge") or {}).get("rate"):
        lines.append(
            f"\nBehind what the judge reported at the rated setting lies about {percent(rate['asr'])}, "
            f"{interval_words(rate['low'], rate['high'])}, by its labels. This describes; it decides nothing."
        )
    return lines


def _bill(data: Mapping[str, Any]) -> str:
    money = f", {data['cost']:.4f} {data['currency']}" if data["cost"] is not None else ""
    tokens = data["tokens"]["in"] + data["tokens"]["out"]
    return (
        f"\n{many(data['calls'], 'call')} ({data['overrun']} overrun), {many(tokens, 'token')}{money}, "
        f"{seconds_words(data['seconds'])}"
    )


def _row(name: str, row: Mapping[str, Any]) -> str:
    rate = "–" if row["asr"] is None else percent(row["asr"])
    note = "  one observation" if row.get("one_answer") else ""
    interval = interval_words(row["low"], row["high"]) if row["n"] else "–"
    return f"{name:<26} {row['n']:>6}  {row['k']:>9}  {rate:<7}  {interval}{note}"
