"""What the demo shows at its end: one JSON object, or a table with log-ins."""

from __future__ import annotations

from typing import Any

from manyeyes.demo import story
from manyeyes.demo.play import CALL_CAP, Show
from manyeyes.rules.numerals import percent


def as_json(show: Show, *, counted: int, seconds: float) -> dict[str, Any]:
    """One object: the three results, the stages, the calls as counted here and by the model server itself."""
    results = {name: stage.result for name, stage in zip(("v1", "v2", "v3"), _measured(show), strict=False)}
    return {
        **results,
        "seed": show.seed,
        "case": show.ref,
        "calls": show.calls,
        "model_server_requests": counted,
        "call_cap": CALL_CAP,
        "seconds": round(seconds, 1),
        "stages": [
            {"stage": stage.name, "verdict": stage.verdict, "seconds": round(stage.seconds, 1)} for stage in show.stages
        ],
    }


def _measured(show: Show) -> list[Any]:
    return [stage for stage in show.stages if stage.result]


HEAD = ("stage", "verdict", "trials", "rate (95 % interval)", "residual per try / at K", "seconds")


def table(show: Show) -> str:
    """The stages as lines of text."""
    rows = [HEAD] + [_row(stage.name, stage.verdict, stage.seconds, stage.result) for stage in show.stages]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def _row(name: str, verdict: str, seconds: float, result: dict[str, Any] | None) -> tuple[str, ...]:
    if result is None:
        return (name, verdict, "", "", "", _seconds(seconds))
    rate, residual = f"{percent(result['asr'])} ({percent(result['low'])} to {percent(result['high'])})", ""
    if result["verdict"] == "holds":  # the bound of the test that decided, never the wider two-sided interval beside it
        rate = f"{percent(result['asr'])} (below {percent(result['bound'], up=True)})"
        at_k = f"{percent(result['residual_at_k'], up=True)} at {result['retry_budget']}"
        residual = f"below {percent(result['bound'], up=True)} / below {at_k}"
    elif result["verdict"] == "symptom_patched":
        rate = "; ".join(_counts(result))
    trials = f"{result['k']} of {result['n']}"
    return (name, verdict.replace("_", " "), trials, rate, residual, _seconds(seconds))


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 1 else "<1"


def _counts(result: dict[str, Any]) -> list[str]:
    """The reported wording and all others, counted apart."""
    tally = {True: [0, 0], False: [0, 0]}
    for part in result["parts"]:
        row = tally[part["part"] == "reported"]
        row[0], row[1] = row[0] + part["k"], row[1] + part["n"]
    return [f"{name} {tally[key][0]} of {tally[key][1]}" for key, name in ((True, "reported"), (False, "others"))]


def settings_table(show: Show) -> str:
    """How often the reported wording worked at each setting, from the fixed-n part of the reproduction."""
    measured = _measured(show)
    if not measured:
        return ""
    lines = ["The reported wording on v1, setting by setting:"]
    for row in measured[0].result["settings"]:
        knobs = row["parameters"]
        where = f"temperature {knobs['temperature']:g}, {knobs['max_tokens']} tokens"
        if row["one_answer"]:
            lines.append(f"  {where}: one answer, counts as one observation ({row['k']} of {row['n']} identical)")
        else:
            span = f"{percent(row['low'])} to {percent(row['high'])}"
            lines.append(f"  {where}: {row['k']} of {row['n']} ({span}){', rated' if row['rated'] else ''}")
    return "\n".join(lines)


def passing(show: Show) -> str:
    """The families of wordings that still pass the symptom patch."""
    for stage in show.stages:
        if stage.result and stage.result["verdict"] == "symptom_patched":
            parts = [part for part in stage.result["parts"] if part["verdict"] == "fails"]
            named = ", ".join(f"{part['part']} ({part['k']} of {part['n']})" for part in parts)
            return f"v2 blocks the reported wording; these still pass: {named}."
    return ""


def log_ins(show: Show) -> str:
    """Who can sign in, with which password, and what they are to the program."""
    lines = [f"Sign in at {show.base}/accounts/login/ (no second factor in the demo):"]
    lines += [f"  {one.email:28} {show.passwords[one.key]:22} {one.name}, {one.part}" for one in story.CAST]
    lines.append("Pages worth opening:")
    addresses = {
        "the program": f"/p/{story.PROGRAM_SLUG}/",
        "the case, as the team sees it": f"/desk/cases/{show.ref}/",
        "the case, as the researcher sees it": f"/my/{show.ref}/",
        "the reproduction": show.pages.get("replay", ""),
        "the symptom patch, exposed": show.pages.get("v2", ""),
        "the fix that holds": show.pages.get("v3", ""),
        "the advisory": show.pages.get("advisory", ""),
    }
    for words, address in addresses.items():
        lines.append(f"  {words}: {address if address.startswith('http') else show.base + address}")
    return "\n".join(lines)
