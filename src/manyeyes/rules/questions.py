"""What each kind of flaw makes one want to know: at most four questions, all optional, and what may be answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from manyeyes.rules.saying import say
from manyeyes.rules.taxonomy import KINDS

Form = Literal["text", "number", "choice", "yes_no"]

LONGEST = 500
"""How long an answer in words may be."""
MOST = 4
SEEN: dict[str, str] = {
    "surface": "Met in",
    "account_tier": "Account",
    "app_version": "Version, or the day it was seen",
    "seen_times": "When",
    "conversation_link": "Conversation",
    "memory": "Memory of the product",
    "publish_on": "Means to publish on",
    "publish_where": "Means to publish at",
}
"""What else a report may say of where a flaw was met and of plans to publish: name → what it is called."""
YES_NO: tuple[tuple[str, str], ...] = (("yes", "Yes"), ("no", "No"))


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question of a kind. `choices` are (stored word, what it says); numbers are kept as they were typed."""

    name: str
    label: str
    help: str = ""
    form: Form = "text"
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def offered(self) -> tuple[tuple[str, str], ...]:
        """The answers to choose from; empty where one types."""
        return YES_NO if self.form == "yes_no" else self.choices

    def problem_with(self, answer: str) -> str | None:
        """What is wrong with a given answer and how to mend it, or None; an empty one is always right."""
        said = answer.strip()
        if not said:
            return None
        if self.offered:
            return None if said in dict(self.offered) else "Choose one of the answers, or leave it open."
        if len(said) > LONGEST:
            return f"This is {len(said):,} characters long; at most {LONGEST} are possible. Put the rest in a file."
        if self.form == "number" and not _is_number(said):
            return "Give a number such as 12 or 0.5, or leave it open."
        return None

    def shown(self, answer: str) -> str:
        """The answer as people read it."""
        said = dict(self.offered).get(answer.strip(), "")
        return say(said) if said else answer.strip()


def questions_of(vuln_class: str) -> tuple[Question, ...]:
    """The questions of a kind; none for a kind that is not known.

    >>> [question.name for question in questions_of("HC")]
    ['leaked', 'checked', 'live', 'relies']
    """
    return _TABLE.get(vuln_class, ())


def problems(vuln_class: str, answers: Mapping[str, str]) -> dict[str, str]:
    """Name of the question → what is wrong with its answer. A name that this kind does not ask is wrong as well."""
    known = {question.name: question for question in questions_of(vuln_class)}
    wrong: dict[str, str] = {}
    for name, answer in answers.items():
        found = known[name].problem_with(answer) if name in known else "This kind of flaw has no such question."
        if found and (name in known or answer.strip()):
            wrong[name] = found
    return wrong


def answered(vuln_class: str, answers: Mapping[str, str] | None) -> list[tuple[str, str]]:
    """(question, answer) in the order of the form, those left open left out; also of names that are asked no more.

    >>> answered("HC", {"live": "yes", "leaked": " "})
    [('Is a leaked secret still valid?', 'Yes')]
    """
    given = dict(answers or {})
    rows = []
    for question in questions_of(vuln_class):
        said = str(given.pop(question.name, "")).strip()
        if said:
            rows.append((question.label, question.shown(said)))
    return rows + [(name, str(said)) for name, said in given.items() if str(said).strip()]


def _is_number(said: str) -> bool:
    plain = said.removesuffix("%").strip().replace(",", "")
    try:
        value = float(plain)
    except ValueError:
        return False
    return plain.isascii() and "_" not in plain and abs(value) < 1e15


def _choice(name: str, label: str, help_text: str = "", **choices: str) -> Question:
    return Question(name=name, label=label, help=help_text, form="choice", choices=tuple(choices.items()))


def _yes_no(name: str, label: str, help_text: str = "") -> Question:
    return Question(name=name, label=label, help=help_text, form="yes_no")


def _number(name: str, label: str, help_text: str = "") -> Question:
    return Question(name=name, label=label, help=help_text, form="number")


def _text(name: str, label: str, help_text: str = "") -> Question:
    return Question(name=name, label=label, help=help_text)


_SCOPE = _choice(
    "breadth", "How far does it carry?", "",
    one="One request", domain="Requests of one subject", universal="Most forbidden requests I tried",
)  # fmt: skip
_RULE_BROKEN = _text("rule", "Which rule does the answer break?", "The line of the policy, or its address as text.")
_TURNS = _number("turns", "How many messages does it take?")
_FIDELITY = _number("fidelity", "How complete is the forbidden content, in percent?", "By a rubric, if you used one.")
_QUERIES = _number("queries", "How many requests did it take?")

_TABLE: dict[str, tuple[Question, ...]] = {
    "PI-D": (
        _text("instruction", "Which instruction of the operator was overridden?"),
        _yes_no("prompt_known", "Did you know the system prompt beforehand?"),
        _text("act", "What did the system then do?", "An act or an answer it should not have given."),
    ),
    "PI-I": (
        _choice(
            "carrier", "What carried the planted text?", "",
            mail="Mail", web="Web page", file="File", image="Image", calendar="Calendar entry", tool="Tool result",
            repository="Repository", other="Something else",
        ),
        _text("hidden", "Where in it was the text, and how was it hidden?", "White on white, a comment, zero width."),
        _choice(
            "victim", "What does the victim have to do?", "",
            nothing="Nothing", ordinary="Ordinary use", click="Click or approve something",
        ),
        _text("channel", "How did data get out, if any did?", "For example an image address or a sent mail."),
    ),
    "JB": (_RULE_BROKEN, _TURNS, _SCOPE, _FIDELITY),
    "GB": (
        _text("filter", "Which filter lets it through?", "Before or behind the model, as far as you can tell."),
        _text("trick", "What changes the text so that it passes?", "Encoding, language, spacing, splitting."),
        _SCOPE,
        _yes_no("benign", "Does the same filter still stop the plain request?"),
    ),
    "HC": (
        _text("leaked", "What leaked?", "Describe it; send a hash in place of a live secret."),
        _choice(
            "checked", "How do you know that it is real?", "",
            used="I checked it against the system", same="It is the same in fresh conversations",
            guess="I cannot tell", public="It is documented in public",
        ),
        _yes_no("live", "Is a leaked secret still valid?"),
        _text("relies", "What relies on it staying secret?"),
    ),
    "TD": (
        _number("samples", "How many pieces of training data came out?"),
        _text("verified", "How did you verify that they are training data?", "The source, without the data itself."),
        _yes_no("person", "Is a living person's data among them?"),
        _number("per_hit", "How many requests does one piece take?"),
    ),
    "MI": (
        _text("attack", "Which attack did you use?", "Its name or the paper."),
        _text("sets", "How many members and non-members did you test?", "For example 500 and 500."),
        _number("auc", "Area under the curve (AUC)"),
        _text("tpr", "True positive rate at 0.1 % or 1 % false positives"),
    ),
    "INV": (
        _text("attribute", "What was reconstructed?", "The attribute or the kind of input."),
        _text("metric", "How did you measure likeness, and what came out?"),
        _text("baseline", "What would guessing reach?"),
    ),
    "ME": (
        _QUERIES,
        _text("cost", "What did they cost you?"),
        _text("fidelity", "How well does the copy agree with the original?", "The measure, the test set, the value."),
        _choice(
            "extent", "What was taken?", "",
            behaviour="A copy of its behaviour", part="Part of its weights or layout", weights="Its weights",
        ),
    ),
    "PO": (
        _text("entry", "Where does the poison enter?", "Training data, fine-tuning, a retrieval store, the weights."),
        _text("amount", "How much of it does it take?", "A count or a share."),
        _text("trigger", "What triggers it?"),
        _yes_no("survives", "Does it survive retraining or fine-tuning?"),
    ),
    "EV": (
        _text("budget", "How large is the change?", "The norm and its bound, or what a person would see."),
        _choice(
            "knowledge", "What does the attacker know?", "",
            black="Answers only", grey="Scores or a similar model", white="The weights",
        ),
        _text("accuracy", "Accuracy on clean and on changed inputs"),
        _text("decision", "Which decision goes wrong because of it?"),
    ),
    "AT": (
        _text("tool", "Which tool was used, and with which arguments?"),
        _text("credential", "With whose rights did it act?"),
        _yes_no("confirmed", "Was a confirmation shown first?"),
        _choice(
            "undo", "Can it be undone?", "",
            read="It only read", reversible="Yes, by us", outside="Only outside the system", no="No",
        ),
    ),
    "DS": (
        _text("request", "What does the costly request look like?", "Do not test with volume."),
        _number("amplification", "How many times more does it cost us than you?", "Tokens, calls or money."),
        _text("limits", "Which limits did you meet?"),
        _choice("blast", "Who is affected?", "", self="Only the caller", tenant="One customer", all="Everybody"),
    ),
    "OH": (
        _choice(
            "sink", "Where does the answer end up unchecked?", "",
            html="A web page", sql="A database query", command="A shell", code="Code that is run",
            sheet="A spreadsheet", other="Somewhere else",
        ),
        _text("encoding", "Which characters or encoding pass through?"),
        _text("cwe", "CWE of the sink, if you know it", "For example CWE-79."),
    ),
    "SC": (
        _text("artefact", "Which artefact, from which registry?"),
        _text("hash", "Its version and hash"),
        _text("loader", "What loads it?"),
        _yes_no("executes", "Does loading it run code?"),
    ),
    "XT": (
        _number("tenants", "How many customers or accounts are involved?"),
        _yes_no("own", "Were all of them your own?"),
        _text("index", "Which store or index mixes them?"),
    ),
}  # fmt: skip

assert set(_TABLE) == set(KINDS), "a kind without its questions is a slip of ours"
