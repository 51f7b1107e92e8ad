"""The words of a template that say what a clause wants, to be put into a policy that lacks them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from manyeyes.rules.policy_clauses import CLAUSES, Clause
from manyeyes.rules.policy_sentences import statements
from manyeyes.rules.readability import plain

_ITEM = re.compile(r"^- ", re.MULTILINE)
_LEAD = re.compile(r"^- (?:\*\*[^*\n]+\*\* *)?")
PROTECTING = (
    "authorised", "no_suit", "terms", "circumvention", "third_party", "ai_prompts", "ai_accounts", "ai_training",
    "ai_transfer",
)  # fmt: skip
"""The clauses that a researcher looks for first: what can happen to them."""
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


def protections(texts: Mapping[str, str]) -> list[str]:
    """What a policy says to protect a researcher, in its own words, without the marks of a list.

    >>> protections({"safe_harbor": "We regard your research as authorised. We will not sue you. Be kind."})
    ['We regard your research as authorised.', 'We will not sue you.']
    """
    asked = (clause for code in PROTECTING for clause in CLAUSES if clause.code == code)
    found = (wording(clause, texts)[1] for clause in asked)
    return list(dict.fromkeys(plain(_LEAD.sub("", words)) for words in found if words))


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
