"""The words of a template that say what a clause wants, to be put into a policy that lacks them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from manyeyes.rules.policy_clauses import CLAUSES, Clause
from manyeyes.rules.policy_sentences import statements

_ITEM = re.compile(r"^- ", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def clause_of(code: str) -> Clause | None:
    """The clause of this code, None for a code that is none."""
    return next((clause for clause in CLAUSES if clause.code == code), None)


def wording(clause: Clause, template: Mapping[str, str]) -> tuple[str, str]:
    """(section, words): the shortest run of sentences or list items that says it, in the clause's own section first.

    Both are empty where the template says nothing of it.
    """
    for name in sorted(template, key=lambda name: name != clause.section):
        if words := _run(clause, template[name]):
            return name, words
    return "", ""


def _run(clause: Clause, text: str) -> str:
    if _ITEM.search(text):
        units, joint = [f"- {unit.strip()}" for unit in _ITEM.split(text) if unit.strip()], "\n"
    else:
        units, joint = _SENTENCE.split(" ".join(text.split())), " "
    for length in range(1, len(units) + 1):
        for start in range(len(units) - length + 1):
            run = joint.join(units[start : start + length])
            if clause.said_in(tuple(statements(run))):
                return run
    return ""


def inserted(text: str, words: str) -> str:
    """The section with the words at its end: a list goes on, other text gets a new paragraph."""
    before = text.rstrip()
    if not before:
        return words
    goes_on = words.startswith("- ") and before.splitlines()[-1].lstrip().startswith("- ")
    return f"{before}{chr(10) if goes_on else chr(10) * 2}{words}"
