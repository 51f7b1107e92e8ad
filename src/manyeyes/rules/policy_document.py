"""A policy as one document: its sections, the scope line by line and the promises in figures, as Markdown and as data.

Our own Markdown is read back by `policy_markdown.read` into the same sections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from manyeyes.rules import promises, sharing
from manyeyes.rules.policy_templates import SECTIONS
from manyeyes.rules.taxonomy import KINDS

SEVERITIES: tuple[str, ...] = ("Low", "Medium", "High", "Critical")
HEADER, ACCOUNT = "header", "account"


@dataclass(frozen=True, kw_only=True)
class ScopeLine:
    """One line of the scope. Empty text and None mean "not stated"; `marker` is header, account or none."""

    system: str = ""
    text: str = ""
    in_scope: bool = True
    about: str = ""
    versions: str = ""
    reached: str = ""
    classes_in: tuple[str, ...] = ()
    classes_out: tuple[str, ...] = ()
    severity_max: str = ""
    reward: str = ""
    calls_per_day: int | None = None
    calls_at_once: int | None = None
    spending: str = ""
    marker: str = ""
    marker_word: str = ""

    def to_json(self) -> dict[str, Any]:
        """The line as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ScopeLine:
        """The line out of plain data; names it does not know are passed over."""
        known = {field.name for field in fields(cls)}
        lists = {"classes_in", "classes_out"}
        given: dict[str, Any] = {name: value for name, value in data.items() if name in known}
        return cls(**{**given, **{name: tuple(given[name]) for name in lists & given.keys()}})

    @property
    def name(self) -> str:
        """What the line is about, in a word or two."""
        return self.system or self.text

    @property
    def limits(self) -> str:
        """The limits of a test in words, empty where none is set.

        >>> ScopeLine(calls_per_day=2000, calls_at_once=2, spending="20 EUR a day").limits
        'at most 2,000 calls a day, 2 at a time, 20 EUR a day'
        """
        parts = [f"{self.calls_per_day:,} calls a day"] if self.calls_per_day else []
        parts += [f"{self.calls_at_once} at a time"] if self.calls_at_once else []
        parts += [self.spending] if self.spending else []
        return f"at most {', '.join(parts)}" if parts else ""

    @property
    def header(self) -> str:
        """The header to send with each call, empty where none is asked for."""
        return f"X-Research: {self.marker_word}" if self.marker == HEADER and self.marker_word else ""

    @property
    def mark(self) -> str:
        """How a researcher shows who they are, as a sentence."""
        if self.header:
            return f"Send the header {self.header} with each call."
        if self.marker == ACCOUNT and self.marker_word:
            return f"Put {self.marker_word} into the name of your test account."
        return ""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole policy. `scope` is None where it was not kept; `terms` holds first_response_hours, decision_hours,
    embargo_days and pays, or nothing where they were not kept."""

    organisation: str
    program: str
    number: int
    published_at: datetime | None
    texts: Mapping[str, str]
    scope: Sequence[ScopeLine] | None = None
    terms: Mapping[str, Any] | None = None

    def markdown(self) -> str:
        """The document as Markdown, the scope after the introduction."""
        state = f"In force since {day(self.published_at)}." if self.published_at else "Draft, not in force."
        parts = [f"# Disclosure policy of {self.organisation}, version {self.number}", state]
        for name, heading in SECTIONS.items():
            if self.texts.get(name, "").strip():
                parts += [f"## {heading}", self.texts[name].strip()]
            if name == "introduction" and self.scope:
                parts += ["## Scope", scope_text(self.scope, pays=self.pays)]
        if figures := terms_text(self.terms):
            parts += ["## The promises in figures", figures]
        return "\n\n".join(parts) + "\n"

    def to_json(self) -> dict[str, Any]:
        """The document as plain data."""
        lines = [line.to_json() for line in self.scope] if self.scope is not None else None
        return {
            "organisation": self.organisation,
            "program": self.program,
            "version": self.number,
            "published_at": self.published_at.isoformat() if self.published_at else None,
            "sections": {name: self.texts[name] for name in SECTIONS if self.texts.get(name, "").strip()},
            "scope": [line if self.pays else {**line, "reward": ""} for line in lines] if lines is not None else None,
            "promises": dict(self.terms or {}) or None,
        }

    @property
    def pays(self) -> bool:
        """Whether money is paid, so that bands of reward are shown."""
        return bool((self.terms or {}).get("pays"))

    def parts(self) -> dict[str, str]:
        """Everything that can differ between two versions, as text: sections, scope and figures, in reading order."""
        found: dict[str, str] = {}
        for name in SECTIONS:
            found[name] = self.texts.get(name, "")
            if name == "introduction":
                found["scope"] = scope_text(self.scope or (), pays=self.pays).replace("**", "")
        return {**found, "figures": terms_text(self.terms)}


def day(moment: datetime) -> str:
    """A date as people write it: 23 November 2026."""
    return f"{moment.day} {moment:%B %Y}"


def scope_text(lines: Sequence[ScopeLine], *, pays: bool) -> str:
    """The scope as a Markdown list, each line with what is stated about it."""
    return "\n".join(_line(line, pays) for line in lines)


def _line(line: ScopeLine, pays: bool) -> str:
    if not line.in_scope:
        return f"- Not in scope: {line.text or line.system}"
    about = f": {line.text}" if line.system and line.text not in ("", line.system) else ""
    facts = (
        ("versions: {}", line.versions),
        ("reached by: {}", line.reached),
        ("kinds that count most: {}", kind_names(line.classes_in)),
        ("kinds not in scope: {}", kind_names(line.classes_out)),
        ("rated up to: {}", line.severity_max),
        ("reward: {}", line.reward if pays else ""),
        ("limits: {}", line.limits),
        ("marker: {}", line.mark),
    )
    told = "".join(f"\n  - {form.format(value)}" for form, value in facts if value)
    return f"- **{line.name}**{about}{told}"


def kind_names(codes: Sequence[str]) -> str:
    """Kinds of flaw in words.

    >>> kind_names(("PI-I", "AT"))
    'Indirect prompt injection, agent, tool or memory abuse'
    """
    names = [KINDS[code].name if code in KINDS else code for code in codes]
    return ", ".join([*names[:1], *[name[:1].lower() + name[1:] for name in names[1:]]])


def terms_text(terms: Mapping[str, Any] | None) -> str:
    """The promises in figures as a Markdown list, empty where none were kept."""
    return "\n".join(f"- {sentence}" for sentence in promised_words(terms))


def promised_words(terms: Mapping[str, Any] | None) -> list[str]:
    """The promises in figures, one sentence each; none where none were kept."""
    if not terms:
        return []
    rows = []
    if hours := terms.get("first_response_hours"):
        rows.append(f"First answer by a person: within {hours} hours")
    if hours := terms.get("decision_hours"):
        rows.append(f"Decision: within {max(1, round(hours / 24))} days")
    if days := terms.get("embargo_days"):
        rows.append(f"Publishing: within {days} days")
    if "pays" in terms:
        rows.append(f"Money: {'paid' if terms['pays'] else 'none'}")
    return rows + promises.sentences(terms) + sharing.sentences(terms)
