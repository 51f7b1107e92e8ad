"""How many tries an attacker gets, and who or what says so: a score at a retry budget is worth what its source is."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from manyeyes.cases.conversation import checked
from manyeyes.cases.judged import Rating
from manyeyes.cases.models import Case
from manyeyes.reproducer.load import ReproducerError, load_text
from manyeyes.rules.errors import Invalid
from manyeyes.rules.rubric import Rubric

UNLIMITED = "U"
SOURCE_LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class Budget:
    """`tries` is None without a limit. `written` is what the form shows, `source` who or what says so."""

    tries: int | None
    source: str

    @property
    def written(self) -> str:
        """The number, or U."""
        return UNLIMITED if self.tries is None else str(self.tries)


def budget_of(case: Case, rating: Rating | None, rubric: Rubric) -> Budget:
    """What the newest rating says, where a person said it; else what the reproducer declares."""
    if rating is not None and rating.budget_source:
        parsed = rating.parsed
        if parsed.retry_budget is None or parsed.retry_budget <= rubric.most_tries:
            return Budget(tries=parsed.retry_budget, source=rating.budget_source)
    return _by_reproducer(case, rubric)


def declared(case: Case, tries: str, source: str, rubric: Rubric) -> Budget:
    """A budget as a form gives it; empty is what the reproducer declares. Raises Invalid (`tries`, `tries_source`)."""
    start = _by_reproducer(case, rubric)
    text, said = tries.strip().upper(), source.strip()
    if not text:
        return start
    if text == UNLIMITED:
        found = None
    elif text.isascii() and text.isdigit() and 1 <= int(text) <= rubric.most_tries:
        found = int(text)
    else:
        most = {"most": rubric.most_tries}
        raise Invalid(tries=_("Write a number of tries from 1 to %(most)s, or U where there is no limit.") % most)
    if found == start.tries and not said:
        return start
    if not said:
        raise Invalid(tries_source=_("Say who or what says so: a rate limit, a lockout, a log, a person."))
    return Budget(tries=found, source=checked("tries_source", said, longest=SOURCE_LONGEST))


def _by_reproducer(case: Case, rubric: Rubric) -> Budget:
    file = case.reproducers.order_by("-at").first()
    if file is None:
        return Budget(tries=1, source=_("Nobody said; one try is assumed."))
    try:
        tries = min(load_text(file.text).retry_budget, rubric.most_tries)
    except ReproducerError:
        return Budget(tries=1, source=_("The reproducer cannot be read; one try is assumed."))
    return Budget(tries=tries, source=_("The reproducer declares it."))
