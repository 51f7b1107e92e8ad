"""Where the two sign-offs of a rating stand: who agreed, who did not, who decided."""

from __future__ import annotations

from dataclasses import dataclass

from manyeyes.cases.models import Case, Rating, SignOff
from manyeyes.rules import severity as rubric
from manyeyes.rules import signoff as law


@dataclass(frozen=True, kw_only=True)
class SignOffState:
    """`law` is what the rules make of it; the rows are for the page: the last word of each, and the manager's."""

    law: law.SignOffStatus
    security: SignOff | None
    ml: SignOff | None
    decision: SignOff | None

    @property
    def complete(self) -> bool:
        """Whether the finding may be confirmed as far as sign-offs go."""
        return self.law.complete


def state_of(case: Case, rating: Rating) -> SignOffState:
    """The state of the sign-offs on this rating; older words stay on record."""
    rows = sorted((row for row in case.sign_offs.all() if row.rating_id == rating.pk), key=lambda row: row.at)
    last = {row.discipline: row for row in rows}
    decision = last.get("manager")
    status = law.status(
        [
            law.SignOff(person=str(row.by_id), discipline=row.discipline, agrees=row.agrees, at=row.at)
            for row in rows
            if row.discipline in law.DISCIPLINES
        ],
        severity=rubric.score(rating.vector).highest_band,
        # The reason was demanded when it was written; it is not decrypted here only to be found there.
        override=law.Override(person=str(decision.by_id), reason="on record", at=decision.at) if decision else None,
    )
    return SignOffState(law=status, security=last.get("security"), ml=last.get("ml"), decision=decision)
