"""The parts of a report, in the order in which they are read: each a function of the reading that gives markup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manyeyes.charts.bars import rate_bar
from manyeyes.charts.pictures import growth_picture, knowledge_picture, parts_picture, settings_picture
from manyeyes.commands.report.markup import figure, inert, ours, pairs, section, sign, table
from manyeyes.commands.report.reading import Reading
from manyeyes.commands.telling import arm_words
from manyeyes.rules.numerals import many
from manyeyes.rules.sentences import before_of, check_sentence, part_words, rate_words
from manyeyes.rules.wider import points_words
from manyeyes.rules.words import count_words, percent, seconds_words

Row = Mapping[str, Any]


def head(reading: Reading) -> str:
    """The verdict, what it rests on, and the few numbers beside it."""
    result = reading.result
    word, colon, rest = reading.sentence.partition(":")
    said = f"<b>{ours(word + colon)}</b>{ours(rest)}" if colon else ours(reading.sentence)
    parts = [f'<h1 class="verdict">{said}</h1>']
    if result["verdict"] == "reproduced" and reading.rated is not None and reading.rated["n"]:
        rated = reading.rated
        parts.append(
            f'<p class="soft measure">The {count_words(result["k"], result["n"])} decided that the flaw is real: '
            "that run stops as soon as it is sure, so its rate flatters the exploit. The "
            f"{count_words(rated['k'], rated['n'])} are fresh trials at the rated setting, fixed in number beforehand; "
            "only they are scored.</p>"
        )
    if "ASR" in reading.sentence:
        parts.append('<p class="small quiet">ASR, attack success rate: the share of trials in which it worked.</p>')
    parts.append(pairs(_facts(reading), css="facts"))
    return f'<div class="stack s">{"".join(parts)}</div>'


def _facts(reading: Reading) -> list[tuple[str, str]]:
    result = reading.result
    unit = "pair" if result["question"] == "compare" else "trial"
    rows = [("Decided after", many(result["n"], unit))] if result["n"] else []
    if (claim := result["claim"]).get("n") is not None:
        rows.append(("Claimed", count_words(claim["k"], claim["n"])))
    if result.get("origin") == "manual":
        rows.append(("Made by", "hand"))
    rows += [("Target", _target(result["target"])), ("Calls", str(result["calls"]))]
    if result["cost"] is not None:
        rows.append(("Cost", f"{result['cost']:.4g} {result['currency']}"))
    return rows


def _target(target: Row) -> str:
    return str(target["label"] or target["model"] or target["url"] or "not stated")


def settings(reading: Reading) -> str:
    """Where it works."""
    result = reading.result
    searched = result["question"] == "map"
    rows = [row for row in result["settings"] if not (searched and row["rated"])]
    drawn = settings_picture(rows, leader=result.get("leader", ""), not_excluded=result.get("not_excluded", ()))
    rated = reading.rated
    first = ""
    if rated is not None and rated["n"]:
        name = "Fresh trials at the worst setting" if searched else "Rated setting"
        first = f"<b>{name}: {inert(reading.where(rated['setting']))}, {rate_words(rated)}.</b> "
    how = (
        "Trials went where they told most, so the counts differ. The search is never scored."
        if searched
        else "These are fresh trials of a fixed number, made after the verdict."
    )
    caption = (
        f"{first}Each cell: share of trials that succeeded, the count, and a bar from 0 to 100\u202f% holding the "
        f"interval. A cell without success shows how high the rate could still be. {how}"
    )
    return section("where", "Where it works", figure(drawn, caption))


def parts(reading: Reading) -> str:
    """Before and after a fix, with every wording that was tried."""
    plan = reading.document.plan
    drawn = parts_picture(reading.result, before=before_of(reading.result, plan.to_json()), tau=plan.tau)
    if drawn is None:
        return ""
    caption = (
        "Before: rate and exact interval of the reported wording on the version with the flaw. After: everything up to "
        "the bound is still possible."
    )
    return section("ba", "Before and after", figure(drawn, caption) + _wordings(reading))


def _wordings(reading: Reading) -> str:
    texts = {
        request.wording: next((m["content"] for m in reversed(request.messages) if m["role"] == "user"), "")
        for request in reading.document.requests.values()
    }
    rows = []
    for row in reading.result["wordings"]:
        passes = '<b class="bad">still passes</b>' if row["k"] else '<span class="quiet">no success</span>'
        kind = inert(part_words(row["part"]).capitalize())
        said = f'<span class="mono regular cut">{inert(texts.get(row["wording"]) or row["wording"])}</span>'
        rows.append((said, kind, count_words(row["k"], row["n"]), passes))
    if not rows:
        return ""
    shown = table(("Wording", "Kind", "Succeeded", "Result"), rows, "Every wording that was tried")
    return f"<details><summary>Every wording that was tried ({len(rows)})</summary>{shown}</details>"


def growth(reading: Reading) -> str:
    """How we became sure, and how well we know the rate."""
    question = str(reading.result["question"])
    path = growth_picture(question, reading.steps, reading.threshold)
    claim = reading.result["claim"]
    claimed = (claim["k"], claim["n"]) if claim.get("n") else None
    rate = knowledge_picture(reading.steps, reading.outcomes, claimed=claimed)
    if path is None and rate is None:
        return ""
    moves = (
        "A trial without success adds a little evidence for the fix, a success takes much of it away."
        if question == "verify"
        else "A success (filled) lifts the evidence, a miss (hollow) lowers it."
    )
    sure = (
        f"{moves} At {reading.threshold:.0f} we may say so and stop, at any moment: were it not so, that would happen "
        f"in at most {100 / reading.threshold:.0f} of 100 replays."
    )
    known = "The rate and its any-time interval after each trial; below, every trial in order, tall for a success."
    return (
        '<div class="section half">'
        + section("sure", "How we became sure", figure(path, sure), css="stack")
        + section("known", "How well we know the rate", figure(rate, known), css="stack")
        + "</div>"
    )


def arms(reading: Reading) -> str:
    """What was asked beside the exploit."""
    rows = []
    for row in (one for one in reading.result["arms"] if one["arm"] != "old"):
        name, _, came = arm_words(row, reading.result).partition(": ")
        bar = rate_bar(row["k"], row["n"], row["low"], row["high"]) if row["n"] else ""
        rows.append((ours(name[:1].upper() + name[1:]), ours(came), bar))
    if not rows:
        return ""
    return section("arms", "Beside the exploit", table(("What was asked", "Came out", "Rate"), rows, "Side arms"))


def items(reading: Reading) -> str:
    """The closed exploits of a sweep, those that came back first."""
    order = {"regressed": 0, "open": 1, "cleared": 2}
    words = {"regressed": '<b class="bad">came back</b>', "open": '<span class="warn">not decided</span>'}
    found = sorted(reading.result.get("items", ()), key=lambda row: (order.get(row["verdict"], 3), -row["k"]))
    rows = [
        (
            inert(row["title"] or row["key"]),
            words.get(row["verdict"], '<span class="ok">stays away</span>'),
            f"{row['k']} of {row['n']}",
            rate_bar(row["k"], row["n"], row["low"], row["high"]) if row["n"] else "",
            f"{row['evalue']:.3g}",
        )
        for row in found
    ]
    if not rows:
        return ""
    heads = ("Finding", "Result", "Succeeded", "Rate and interval", "Evidence")
    note = '<p class="small soft measure">Evidence: an e-value against the rate that this finding may not pass.</p>'
    return section("items", "Finding by finding", table(heads, rows, "Every finding of the sweep") + note)


def comparison(reading: Reading) -> str:
    """The old and the new version, side by side."""
    row = reading.result.get("pairs")
    if not row:
        return ""
    arm = next((one for one in reading.result["arms"] if one["arm"] == "old"), None)
    sides = [("Old version", row["old_k"], arm), ("New version", row["new_k"], reading.result)]
    counted = [
        (
            name,
            count_words(k, row["n"]),
            percent(k / row["n"]) if row["n"] else "–",
            rate_bar(k, row["n"], side["low"], side["high"], width=260, scale=name == "New version")
            if side is not None and row["n"]
            else "",
        )
        for name, k, side in sides
    ]
    neither = row["n"] - row["worse"] - row["better"] - row["both"]
    kinds = [
        ("Only the new version gave way", str(row["worse"])),
        ("Only the old version gave way", str(row["better"])),
        ("Both gave way", str(row["both"])),
        ("Neither", str(neither)),
    ]
    body = table(("Version", "Succeeded", "Rate", "Any-time interval"), counted, "Both versions") + table(
        ("Pairs: same setting, wording and seed", "How many"), kinds, "How the pairs came out"
    )
    if row["difference"] is not None:
        low, high = points_words(row["low"]), points_words(row["high"])
        body += (
            f'<p class="soft">New minus old: {points_words(row["difference"])} points, '
            f"any-time interval {low} to {high} points.</p>"
        )
    return section("versions", "Old and new", body)


def trust(reading: Reading) -> str:
    """What was checked, the plan, and what it cost."""
    checks = "".join(_check(check) for check in reading.result["checks"])
    listed = f'<ul class="plain stack s">{checks}</ul>' if checks else '<p class="quiet">Nothing was checked.</p>'
    return (
        '<div class="section three">'
        + section("trust", "Can we trust it?", listed, css="stack s")
        + section("plan", "The plan, frozen first", pairs(_plan(reading)), css="stack s")
        + section("cost", "What it took", pairs(_bill(reading)), css="stack s")
        + "</div>"
    )


def _check(check: Row) -> str:
    said = check_sentence(check)
    if not check["passed"] and check["consequence"]:
        said += f" {check['consequence'][:1].upper()}{check['consequence'][1:]}."
    return sign(bool(check["passed"]), str(check["name"]), said)


QUESTIONS = {
    "reproduce": "does it happen, and how often",
    "verify": "does the fix hold",
    "score": "how often does it happen",
    "map": "at which setting is it worst",
    "compare": "is the new version worse than the old",
    "sweep": "has anything come back",
}


def _plan(reading: Reading) -> list[tuple[str, str]]:
    plan, question = reading.document.plan, str(reading.result["question"])
    rows = [("Question", QUESTIONS.get(question, question))]
    if question == "reproduce":
        rows += [("Counts as nothing", f"up to {percent(plan.p0)}"), ("Looks for", f"{percent(plan.p_min)} or more")]
    if question == "verify":
        rows.append(("Target rate", f"below {percent(plan.tau, fine=True)} per try"))
    rows += _errors(reading)
    rows += [
        ("Cap", many(plan.cap, "pair" if question == "compare" else "trial")),
        ("Tries of an attacker", str(plan.retry_budget)),
        ("Wordings", str(len({cell.wording for cell in plan.cells}))),
        ("Seed", str(plan.seed)),
        ("Plan", reading.document.hash[:16]),
        ("Reproducer", reading.document.reproducer_hash[:16] or "not stated"),
    ]
    return rows


def _errors(reading: Reading) -> list[tuple[str, str]]:
    """How often this plan may be wrong."""
    plan = reading.document.plan
    if plan.worst is not None:
        proof = "proven" if plan.worst.certificate == "rigorous" else "on a budget, not proven"
        wrong = f"{percent(plan.worst.delta)} for a setting that another beats by {percent(plan.worst.epsilon)}"
        return [("Certificate", proof), ("Error rate", wrong)]
    if plan.sweep is not None:
        missed = f"{percent(plan.sweep.beta)} of those back at {percent(plan.sweep.p_reg)} missed"
        return [("False alarms", f"{percent(plan.sweep.q)} of what is flagged"), ("Missed", missed)]
    if plan.compare is not None:
        return [("Error rate", f"{percent(plan.alpha)} wrongly sure, either way")]
    if reading.result["question"] == "score":
        return []
    return [("Error rates", f"{percent(plan.alpha)} wrongly sure, {percent(plan.beta)} missed")]


def _bill(reading: Reading) -> list[tuple[str, str]]:
    result = reading.result
    target = result["target"]
    seen = ", ".join(f"{name} ({n})" for name, n in target["models_seen"].items())
    tokens = result["tokens"]
    rows = [
        ("Calls", f"{result['calls']}, {result['overrun']} of them after the decision"),
        ("Tokens", f"{tokens['in']} in, {tokens['out']} out"),
        ("Time", seconds_words(result["seconds"])),
    ]
    if result["cost"] is not None:
        rows.append(("Cost", f"{result['cost']:.4f} {result['currency']}"))
    rows += [
        ("Address", str(target["url"] or "–")),
        ("Model asked for", str(target["model"] or "none named")),
        ("Model that answered", seen or "did not say"),
    ]
    if old := reading.document.targets.get("old"):
        rows.append(("Old version", " ".join(part for part in (old.model, old.url) if part)))
    return rows
