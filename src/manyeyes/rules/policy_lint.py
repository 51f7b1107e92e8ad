"""Reads a policy as a cautious stranger would: length, readability, missing clauses, maturity, phrases, contradictions.

Nothing is refused: a policy is its organisation's own. Errors are what leaves researchers unprotected, warnings what
keeps them away. A promise that another sentence takes back is no promise. The maturity is that of disclose.io: 0
nothing, 1 a contact, 2 a policy, 3 "we will not sue", 4 the research is authorised with carve-outs and a word about
third parties, 5 a window for publishing with an extension rule. It reads words and not intentions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from manyeyes.rules import promises
from manyeyes.rules.policy_clauses import CLAUSES, Clause, takes_all_back
from manyeyes.rules.policy_contradictions import contradictions, figures_said
from manyeyes.rules.policy_findings import ERROR, NOTE, WARNING, Finding, quote
from manyeyes.rules.policy_phrases import PHRASES
from manyeyes.rules.policy_sentences import Statement, statements
from manyeyes.rules.readability import WORDS_A_MINUTE, Readability, measure, sentences, words

MOST_WORDS, LEAST_FLESCH, MOST_GRADE, MOST_MEAN, LONG_SENTENCE = 900, 45.0, 11.0, 18.0, 35
SUMMARY_WORDS = 150
TAKEN, ALL = "takes_back", "all"
_WITHOUT_PROTECTION, _SHORT_OF_ALL = 2, 4
"""The highest level of a policy that takes all of itself back, and of one that takes back what no level names."""


@dataclass(frozen=True, kw_only=True)
class Lint:
    """What was found. `clauses`: for each the section where it stands, "" where it is missing or taken back."""

    measured: Readability
    maturity: int
    clauses: Mapping[str, str]
    findings: tuple[Finding, ...]

    @property
    def next_needs(self) -> tuple[Clause, ...]:
        """The clauses that the next level of maturity still needs; none at level 5."""
        steps = {self.maturity + 1} | ({0} if self.maturity == _SHORT_OF_ALL else set())
        return tuple(
            clause
            for clause in CLAUSES
            if clause.maturity in steps and not self.clauses[clause.code]
            and (clause.maturity or clause.code in self.taken_back)
        )  # fmt: skip

    @property
    def taken_back(self) -> frozenset[str]:
        """The codes of the clauses that a sentence takes back."""
        return frozenset(one.code.partition(".")[2] for one in self.findings if one.code.startswith(f"{TAKEN}."))

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


def lint(
    sections: Mapping[str, str],
    *,
    terms: Mapping[str, Any] | None = None,
    systems: int | None = None,
    published: str = "",
) -> Lint:
    """Reads a policy given as section name to Markdown text, in reading order; empty sections count as absent.

    A section called `scope` is read for clauses and phrases, but is a table and not weighed as prose. `terms` are the
    promises in figures (first_response_hours, decision_hours, embargo_days, pays), which the text must not contradict;
    `systems` is the number of lines in scope, where that is known. `published` is the whole as its readers get it, with
    title, headings, scope and figures: its words are counted; without it, those of the prose.

    >>> found = lint({"safe_harbor": "We will not sue you."})
    >>> found.maturity, found.clauses["no_suit"], found.ok
    (0, 'safe_harbor', False)
    >>> [one.code for one in lint({"safe_harbor": "We will not sue you. We may sue you."}).findings][0]
    'takes_back.no_suit'
    """
    said = {name: text for name, text in sections.items() if text.strip()}
    told = {name: tuple(statements(text)) for name, text in said.items()}
    measured = measure("\n\n".join(text for name, text in said.items() if name != "scope"))
    if published:
        count = measure(published).words
        measured = replace(measured, words=count, minutes=count / WORDS_A_MINUTE)
    taken = list(_taken_back(told))
    lost = {finding.code.partition(".")[2] for finding in taken}
    clauses = {clause.code: "" if clause.code in lost else _where(clause, told) for clause in CLAUSES}
    figures = {"figures": figures_said(terms)} if terms else {}
    findings = [
        *taken,
        *_missing(clauses, lost),
        *_phrases(said),
        *contradictions({**figures, **said}),
        *_length(measured, said),
    ]
    if systems == 0:
        findings.append(_NO_SYSTEM)
    if terms and (why := promises.unkept(terms)):
        findings.append(
            Finding(level=WARNING, code="figures.days_off", section="figures", message=why, mend=promises.MEND)
        )
    findings.sort(key=lambda finding: (ERROR, WARNING, NOTE).index(finding.level))
    return Lint(measured=measured, maturity=maturity(clauses, lost), clauses=clauses, findings=tuple(findings))


_NO_SYSTEM = Finding(
    level=ERROR, code="scope.empty", section="scope", message="No system is in scope, so no test is covered.",
    mend="Add a line to the scope.",
)  # fmt: skip


def maturity(clauses: Mapping[str, str], lost: Collection[str] = ()) -> int:
    """The disclose.io level: the highest of 0 to 5 whose clauses, and those of every lower level, are all there.

    `lost` are the codes that the policy takes back. One that the ladder does not name keeps it from level 5; taking all
    back leaves a policy without protection, level 2.
    """
    most = _WITHOUT_PROTECTION if ALL in lost else _SHORT_OF_ALL if lost else 5
    level = 0
    for step in range(1, most + 1):
        if not all(clauses[clause.code] for clause in CLAUSES if clause.maturity == step):
            break
        level = step
    return level


def _where(clause: Clause, told: Mapping[str, Collection[Statement]]) -> str:
    """The section that holds the clause: its own if it does, else the first other one that does."""
    order = sorted(told, key=lambda name: name != clause.section)
    return next((name for name in order if clause.said_in(told[name])), "")


def _taken_back(told: Mapping[str, Collection[Statement]]) -> Iterator[Finding]:
    """Every statement that takes a promise back, or the whole policy."""
    for name, section in told.items():
        for one in section:
            if takes_all_back(one):
                yield _taken(
                    ALL, "the whole policy", name, one, "Leave the sentence out: a promise is kept or not made."
                )
            for clause in CLAUSES:
                if clause.taken_back_by(one):
                    yield _taken(clause.code, clause.title, name, one, clause.mend)


def _taken(code: str, title: str, section: str, one: Statement, mend: str) -> Finding:
    said = quote(one.words)
    message = f"Takes back: {title}. It says “{said}”"
    return Finding(level=ERROR, code=f"{TAKEN}.{code}", section=section, message=message, mend=mend, quote=said)


def _missing(clauses: Mapping[str, str], lost: Collection[str]) -> Iterator[Finding]:
    for clause in CLAUSES:
        if not clauses[clause.code] and clause.code not in lost:
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
        (
            measured.words > MOST_WORDS,
            "words",
            f"It has {measured.words} words as published; {MOST_WORDS} are four minutes.",
        ),
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
