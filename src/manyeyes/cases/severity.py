"""How bad it is: a vector with a reason for each letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from manyeyes.cases import people
from manyeyes.cases.conversation import checked
from manyeyes.cases.facts import newest_rating, reopened_at, reproductions
from manyeyes.cases.models import Case, Rating, Reproduction
from manyeyes.cases.moves import acting
from manyeyes.reproducer.load import ReproducerError, load_text
from manyeyes.rules import clock, mes
from manyeyes.rules import severity as rubric
from manyeyes.rules.errors import Invalid
from manyeyes.rules.lifecycle import TRIAGERS, Status
from manyeyes.rules.taxonomy import starting_letters

REASON_LONGEST = 500


@dataclass(frozen=True, kw_only=True)
class Prefill:
    """What the form of a rating begins with: letters, a reason for each, and the measured part nobody types."""

    letters: Mapping[str, str]
    reasons: Mapping[str, str]
    observed: tuple[int, int] | None
    retry_budget: int | None
    source: Reproduction | None


def measured(case: Case) -> tuple[tuple[int, int] | None, Reproduction | None]:
    """(k, n) of the fixed-n run at the rated setting, and the replay it comes from; never of a run that could stop.

    In a reopened case only what was measured since counts.
    """
    for link in reproductions(case, since=reopened_at(case)):
        if link.verdict != "reproduced" or not link.replay.verdict:
            continue
        for row in link.replay.verdict.get("settings", ()):
            if row["rated"] and row["n"] and not row["one_answer"]:
                return (row["k"], row["n"]), link
    return None, None


def prefill(case: Case) -> Prefill:
    """The newest rating's letters, else where the kind of flaw begins; the measured part from the replay on record.

    Only neutral letters come with a reason: whatever raises the score is put in words by a person.
    """
    rating = newest_rating(case)
    observed, link = measured(case)
    if rating is not None:
        letters: dict[str, str] = dict(rubric.parse(rating.vector).letters)
        reasons = dict(rating.reasons)
    else:
        letters = starting_letters(case.vuln_class)
        neutral = {code: letter for code, letter in letters.items() if mes.STANDARD.is_plain(code, letter)}
        reasons = {code: mes.STANDARD.by_code[code].option(letter).words for code, letter in neutral.items()}
    return Prefill(letters=letters, reasons=reasons, observed=observed, retry_budget=_budget(case), source=link)


def rate(
    case: Case,
    *,
    by: Any,
    letters: Mapping[str, str],
    reasons: Mapping[str, str],
    why: str = "",
    expected_version: int | None = None,
) -> Rating:
    """Rate the case. Every letter needs one line of why; how often it works is taken from the replay, never typed.

    For a letter that raises the score, the definition of a letter is no reason. Where a rating stands, `why` says what
    made the change necessary; whoever sees the rating reads it.
    """
    observed, link = measured(case)
    vector = rubric.build(letters, observed=observed, retry_budget=_budget(case))
    row = Rating(
        vector=str(vector), reasons=_checked_reasons(letters, reasons), by=by, at=clock.now(),
        replay=link.replay if link else None, why=_why(case, why),
    )  # fmt: skip
    score = rubric.score(vector)
    public = Status(case.status) not in (Status.NEW, Status.NEEDS_INFO, Status.TRIAGED)
    tell = people.everybody(case) if public else people.triagers(case)
    with acting(
        case, "rated", by=by, allowed=TRIAGERS, tell=tell, public=public, expected_version=expected_version,
        rating=str(row.pk), vector=row.vector, sec=score.sec, saf=score.saf, said=row.why or "",
    ) as locked:  # fmt: skip
        row.case, row.key = locked, locked.key
        row.save()
    return row


def _why(case: Case, why: str) -> str | None:
    standing = newest_rating(case)
    return checked("why", why, longest=REASON_LONGEST, required=standing is not None) or None


def _budget(case: Case) -> int | None:
    """The attacker's retry budget, as the reproducer declares it."""
    file = case.reproducers.order_by("-at").first()
    if file is None:
        return 1
    try:
        return min(load_text(file.text).retry_budget, mes.STANDARD.most_tries)
    except ReproducerError:
        return 1


def _checked_reasons(letters: Mapping[str, str], reasons: Mapping[str, str]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    clean: dict[str, str] = {}
    for code, letter in letters.items():
        text = str(reasons.get(code, "")).strip()
        if letter == "-":
            continue
        try:
            clean[code] = checked(f"why_{code}", text, longest=REASON_LONGEST)
            if not mes.STANDARD.is_plain(code, letter) and _only_defines(code, text):
                wrong[f"why_{code}"] = "This only repeats a definition. Say what in this case makes it so."
        except Invalid as error:
            wrong.update(error.fields)
    if wrong:
        raise Invalid(wrong)
    return clean


def _only_defines(code: str, text: str) -> bool:
    metric = mes.STANDARD.by_code.get(code)
    said = text.casefold().rstrip(".")
    return metric is not None and said in {option.words.casefold() for option in metric.levels}
