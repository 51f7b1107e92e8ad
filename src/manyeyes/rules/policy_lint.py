"""Reads a policy as a cautious stranger would: length, readability, missing clauses, maturity, phrases, contradictions.

Nothing is refused: a policy is its organisation's own. Errors are what leaves researchers unprotected, warnings what
keeps them away. The maturity is that of disclose.io: 0 nothing, 1 a contact, 2 a policy, 3 "we will not sue", 4 the
research is authorised with carve-outs and a word about third parties, 5 a window for publishing with an extension rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from manyeyes.rules.policy_clauses import CLAUSES, Clause
from manyeyes.rules.policy_contradictions import contradictions, figures_said
from manyeyes.rules.policy_findings import ERROR, NOTE, WARNING, Finding, quote
from manyeyes.rules.policy_phrases import PHRASES
from manyeyes.rules.readability import Readability, measure, sentences, words

MOST_WORDS, LEAST_FLESCH, MOST_GRADE, MOST_MEAN, LONG_SENTENCE = 900, 45.0, 11.0, 18.0, 35
SUMMARY_WORDS = 150


@dataclass(frozen=True, kw_only=True)
class Lint:
    """What was found. `clauses` says for each clause the section where it stands, "" where it is missing."""

    measured: Readability
    maturity: int
    clauses: Mapping[str, str]
    findings: tuple[Finding, ...]

    @property
    def next_needs(self) -> tuple[Clause, ...]:
        """The clauses that the next level of maturity still needs; none at level 5."""
        step = self.maturity + 1
        return tuple(clause for clause in CLAUSES if clause.maturity == step and not self.clauses[clause.code])

    @property
    def ok(self) -> bool:
        """Whether nothing is an error."""
        return all(finding.level != ERROR for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The result as plain data."""
        return {
            "measured": {**self.measured.__dict__},
            "maturity": self.maturity,
            "next_level_needs": [clause.code for clause in self.next_needs],
            "clauses": dict(self.clauses),
            "findings": [{**finding.__dict__} for finding in self.findings],
            "ok": self.ok,
        }


def lint(sections: Mapping[str, str], *, terms: Mapping[str, Any] | None = None, systems: int | None = None) -> Lint:
    """Reads a policy given as section name to Markdown text, in reading order; empty sections count as absent.

    A section called `scope` is read for clauses and phrases, but is a table and not counted as prose. `terms` are the
    promises in figures (first_response_hours, decision_hours, embargo_days, pays), which the text must not contradict;
    `systems` is the number of lines in scope, where that is known.

    >>> found = lint({"safe_harbor": "We will not sue you."})
    >>> found.maturity, found.clauses["no_suit"], found.ok
    (0, 'safe_harbor', False)
    """
    said = {name: text for name, text in sections.items() if text.strip()}
    measured = measure("\n\n".join(text for name, text in said.items() if name != "scope"))
    clauses = {clause.code: _where(clause, said) for clause in CLAUSES}
    figures = {"figures": figures_said(terms)} if terms else {}
    findings = [*_missing(clauses), *_phrases(said), *contradictions({**figures, **said}), *_length(measured, said)]
    if systems == 0:
        findings.append(_NO_SYSTEM)
    findings.sort(key=lambda finding: (ERROR, WARNING, NOTE).index(finding.level))
    return Lint(measured=measured, maturity=maturity(clauses), clauses=clauses, findings=tuple(findings))


_NO_SYSTEM = Finding(
    level=ERROR, code="scope.empty", section="scope", message="No system is in scope, so no test is covered.",
    mend="Add a line to the scope.",
)  # fmt: skip


def maturity(clauses: Mapping[str, str]) -> int:
    """The disclose.io level: the highest of 0 to 5 whose clauses, and those of every lower level, are all there."""
    level = 0
    for step in range(1, 6):
        if not all(clauses[clause.code] for clause in CLAUSES if clause.maturity == step):
            break
        level = step
    return level


def _where(clause: Clause, said: Mapping[str, str]) -> str:
    """The section that holds the clause: its own if it does, else the first other one that does."""
    order = sorted(said, key=lambda name: name != clause.section)
    return next((name for name in order if all(need.search(said[name]) for need in clause.needs)), "")


def _missing(clauses: Mapping[str, str]) -> Iterator[Finding]:
    for clause in CLAUSES:
        if not clauses[clause.code]:
            level = ERROR if clause.maturity in (1, 3, 4) else WARNING
            yield Finding(
                level=level,
                code=f"missing.{clause.code}",
                section=clause.section,
                message=f"Nothing is said about this: {clause.title}.",
                mend=clause.mend,
            )


def _phrases(said: Mapping[str, str]) -> Iterator[Finding]:
    for name, text in said.items():
        for phrase in PHRASES:
            for found in phrase.pattern.finditer(text):
                yield Finding(
                    level=WARNING,
                    code=f"phrase.{phrase.code}",
                    section=name,
                    message=f"“{quote(found.group())}” {phrase.why}.",
                    mend=phrase.mend,
                    quote=quote(found.group()),
                )


def _length(measured: Readability, said: Mapping[str, str]) -> Iterator[Finding]:
    if measured.flesch is None or measured.grade is None:
        yield Finding(level=ERROR, code="empty", section="", message="The policy says nothing.", mend="Use a template.")
        return
    summary = len(words(said.get("summary", "")))
    school, mean = measured.grade, measured.mean_sentence
    limits = (
        (measured.words > MOST_WORDS, "words", f"It has {measured.words} words; {MOST_WORDS} are four minutes."),
        (measured.flesch < LEAST_FLESCH, "flesch", f"Reading ease is {measured.flesch:.0f}, below {LEAST_FLESCH:.0f}."),
        (school > MOST_GRADE, "grade", f"It asks for {school:.0f} years of school, more than {MOST_GRADE:.0f}."),
        (mean > MOST_MEAN, "mean", f"A sentence has {mean:.0f} words on average, more than {MOST_MEAN:.0f}."),
        (summary > SUMMARY_WORDS, "summary", f"The summary has {summary} words, more than {SUMMARY_WORDS}."),
    )
    for wrong, code, message in limits:
        if wrong:
            yield Finding(level=WARNING, code=f"length.{code}", section="", message=message, mend="Shorten or split.")
    yield from _long_sentences(said)


def _long_sentences(said: Mapping[str, str]) -> Iterator[Finding]:
    for name, text in said.items():
        for sentence in sentences(text) if name != "scope" else ():
            if (long := len(words(sentence))) > LONG_SENTENCE:
                message = f"A sentence of {long} words: “{quote(sentence)}”"
                yield Finding(
                    level=NOTE, code="length.sentence", section=name, message=message, mend="Split it.",
                    quote=quote(sentence),
                )  # fmt: skip
