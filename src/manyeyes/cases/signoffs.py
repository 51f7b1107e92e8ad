"""Where the two sign-offs of a rating stand: who agreed, who did not, who decided, and who may read it yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from manyeyes.cases.judged import Rating
from manyeyes.cases.models import Case, SignOff
from manyeyes.programs.triaging import rules_of
from manyeyes.rules import signoff as law
from manyeyes.rules.assessment import ASSESSMENTS


@dataclass(frozen=True, kw_only=True)
class Filed:
    """A word that was filed and stays closed until the other discipline has filed its own."""

    by: Any
    at: datetime
    discipline: str
    closed: bool = True


@dataclass(frozen=True, kw_only=True)
class SignOffState:
    """`law` is what the rules make of it; the rows are for the page: the last word of each, and the manager's.

    `sealed`: the program wants independent words, and one of them is still missing.
    """

    law: law.SignOffStatus
    security: SignOff | Filed | None
    ml: SignOff | Filed | None
    decision: SignOff | None
    sealed: bool

    @property
    def complete(self) -> bool:
        """Whether the finding may be confirmed as far as sign-offs go."""
        return self.law.complete

    @property
    def words(self) -> list[tuple[str, Any]]:
        """(name, word) of both disciplines, in order."""
        return [("Security", self.security), ("ML", self.ml)]

    @property
    def rule_words(self) -> str:
        """What the program asks for at this severity."""
        return law.RULE_WORDS[self.law.rule]

    def seen_by(self, viewer: Any) -> SignOffState:
        """The same without what this viewer (None: a list that everybody reads) may not know before both have filed."""
        if not self.sealed:
            return self
        closed = replace(self.law, agreed=(), disagreed=())
        return replace(self, law=closed, security=_closed(self.security, viewer), ml=_closed(self.ml, viewer))


def state_of(case: Case, rating: Rating) -> SignOffState:
    """The state of the sign-offs on this rating; older words stay on record."""
    rows = sorted((row for row in case.sign_offs.all() if row.rating_id == rating.pk), key=lambda row: row.at)
    last, set_by = {row.discipline: row for row in rows}, rules_of(case.program)
    decision = last.get("manager")
    status = law.status(
        [
            law.SignOff(person=str(row.by_id), discipline=row.discipline, agrees=row.agrees, at=row.at)
            for row in rows
            if row.discipline in law.DISCIPLINES
        ],
        set_by.policy,
        severity=rating.score.highest_band,
        # The reason was demanded when it was written; it is not decrypted here only to be found there.
        override=law.Override(person=str(decision.by_id), reason="on record", at=decision.at) if decision else None,
    )
    filed = len(status.agreed) + len(status.disagreed)
    sealed = set_by.independent and decision is None and filed < len(law.DISCIPLINES)
    return SignOffState(law=status, security=last.get("security"), ml=last.get("ml"), decision=decision, sealed=sealed)


def sealed_to(viewer: Any, case: Case) -> bool:
    """Whether words of others on the ratings of this case are closed to the viewer for the time being."""
    rating = max(case.ratings.all(), key=lambda row: row.at, default=None)
    return rating is not None and state_of(case, rating).sealed


def told(row: SignOff) -> list[tuple[str, str]]:
    """(label, answer) of an assessment, in the order in which it was asked; empty for one that has none."""
    given = row.assessment or {}
    asked = ASSESSMENTS.get(row.discipline, ())
    return [(one.label, one.words(given[one.name])) for one in asked if one.name in given]


def disagreements(case: Case) -> list[SignOff]:
    """Every word that did not agree and every decision of a manager, on whichever rating, oldest first: for ever."""
    rows = [row for row in case.sign_offs.select_related("by", "rating") if row.override or not row.agrees]
    return sorted(rows, key=lambda row: row.at)


def _closed(row: SignOff | Filed | None, viewer: Any) -> SignOff | Filed | None:
    if row is None or (viewer is not None and row.by.pk == viewer.pk):
        return row
    return Filed(by=row.by, at=row.at, discipline=row.discipline)
