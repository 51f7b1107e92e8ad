"""How bad it is: a vector with a reason for each letter, from a person; how often it works, from a replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases import people
from manyeyes.cases.conversation import checked
from manyeyes.cases.facts import newest_rating, reopened_at, reproductions
from manyeyes.cases.judged import Rating
from manyeyes.cases.models import Case, Reproduction
from manyeyes.cases.moves import acting
from manyeyes.cases.tries import Budget, budget_of, declared
from manyeyes.programs import rubrics
from manyeyes.programs.yardsticks import RubricVersion
from manyeyes.rules import clock, cvss4, five, mes
from manyeyes.rules import severity as scale
from manyeyes.rules.errors import Invalid
from manyeyes.rules.lifecycle import TRIAGERS, Status
from manyeyes.rules.rubric import NO_HARM, Rubric
from manyeyes.rules.sentences import setting_words
from manyeyes.rules.taxonomy import KINDS, starting_letters

REASON_LONGEST = 500
IN_SERVICE = "rated"
"""What the form says where the setting that was rated is the one in service."""


@dataclass(frozen=True, kw_only=True)
class Prefill:
    """What the form of a rating begins with: letters, a reason for each, and the measured part nobody types.

    `places` holds (name, words, k, n) of the other settings with a fixed-number count: one of them may be in service.
    `asks` names the metrics that begin open, with the question to put.
    """

    rubric: Rubric
    letters: Mapping[str, str]
    reasons: Mapping[str, str]
    asks: Mapping[str, str]
    observed: tuple[int, int] | None
    budget: Budget
    places: tuple[tuple[str, str, int, int], ...]
    in_service: str
    cvss: str
    source: Reproduction | None

    @property
    def retry_budget(self) -> int | None:
        """The tries of an attacker; None without a limit."""
        return self.budget.tries

    @property
    def worse(self) -> tuple[str, str, int, int] | None:
        """A setting where it worked more often than at the rated one, as far as the few trials there say."""
        if self.observed is None:
            return None
        rated = self.observed[0] / self.observed[1]
        return max(
            (row for row in self.places if row[2] / row[3] > rated), key=lambda row: row[2] / row[3], default=None
        )


def measured(case: Case) -> tuple[tuple[int, int] | None, Reproduction | None]:
    """(k, n) of the fixed-n run at the rated setting, and the replay it comes from; never of a run that could stop.

    In a reopened case only what was measured since counts.
    """
    for link in reproductions(case, since=reopened_at(case)):
        if link.verdict != "reproduced":
            continue
        found = at_the_rated(link)
        if found is not None:
            return found, link
    return None, None


def at_the_rated(link: Reproduction) -> tuple[int, int] | None:
    """(k, n) of the fixed-n run at the rated setting of one replay, if it made one that counts."""
    for row in (link.replay.verdict or {}).get("settings", ()):
        if row["rated"] and row["n"] and not row["one_answer"]:
            return row["k"], row["n"]
    return None


def prefill(case: Case) -> Prefill:
    """The newest rating's letters, else where the kind of flaw begins; the measured part from the replay on record.

    Only plain letters come with a reason: whatever raises the score is put in words by a person.
    """
    rating, rubric = newest_rating(case), rubrics.in_force(case.program)
    observed, link = measured(case)
    if rating is not None:
        known = {(metric.code, option.letter) for metric in rubric.metrics for option in metric.levels}
        kept = {code: letter for code, letter in rating.parsed.letters.items() if (code, letter) in known}
        letters, reasons = {**rubric.start, **kept}, dict(rating.reasons)
    else:
        letters = starting_letters(case.vuln_class, rubric)
        plain = {code: letter for code, letter in letters.items() if rubric.is_plain(code, letter)}
        reasons = {code: rubric.by_code[code].option(letter).words for code, letter in plain.items()}
    deployed = (rating.deployed or {}) if rating is not None else {}
    return Prefill(
        rubric=rubric,
        letters=letters,
        reasons=reasons,
        asks=KINDS[case.vuln_class].asks,
        observed=observed,
        budget=budget_of(case, rating, rubric),
        places=_places(link),
        in_service=str(deployed.get("place", "")),
        cvss=rating.cvss if rating is not None else "",
        source=link,
    )


def rate(
    case: Case,
    *,
    by: Any,
    letters: Mapping[str, str],
    reasons: Mapping[str, str],
    why: str = "",
    tries: str = "",
    tries_source: str = "",
    in_service: str = "",
    cvss: str = "",
    expected_version: int | None = None,
) -> Rating:
    """Rate the case. Every letter needs one line of why; how often it works is taken from the replay, never typed.

    For a letter that raises the score, the definition of a letter is no reason. Where a rating stands, `why` says what
    made the change necessary; whoever sees the rating reads it. `tries` is the attacker's retry budget ("U" without a
    limit, empty: as the reproducer declares), `tries_source` who or what says so. `in_service` names the setting in
    service among those counted, `cvss` is a v4 vector beside ours. Raises Invalid with everything that is wrong.
    """
    version = rubrics.current(case.program)
    rubric = version.rubric if version else mes.STANDARD
    observed, link = measured(case)
    budget = declared(case, tries, tries_source, rubric)
    missing = {metric.code: _("Choose a letter.") for metric in rubric.metrics if not letters.get(metric.code)}
    if missing:
        raise Invalid(missing)
    vector = scale.build(letters, observed=observed, retry_budget=budget.tries, rubric=rubric)
    row = Rating(
        reasons=_checked_reasons(letters, reasons, rubric), budget_source=budget.source,
        deployed=_deployed(observed, link, in_service), cvss=cvss4.read(cvss).vector if cvss.strip() else "",
        replay=link.replay if link else None,
    )  # fmt: skip
    return store(case, row, vector, version, by=by, why=why, expected_version=expected_version)


def rate_quickly(
    case: Case, *, by: Any, answers: Mapping[str, str], why: str = "", expected_version: int | None = None
) -> Rating:
    """Rate the case by five plain answers; enough for None and Low, a beginning for what may be worse."""
    version = rubrics.current(case.program)
    rubric = version.rubric if version else mes.STANDARD
    if not five.fits(rubric):
        raise Invalid(worst=_("The rubric of this program has letters of its own. Rate the case letter by letter."))
    observed, link = measured(case)
    budget = declared(case, "", "", rubric)
    found = five.assess(answers, observed=observed, retry_budget=budget.tries, rubric=rubric)
    row = Rating(
        reasons=dict(found.reasons), budget_source=budget.source, method=Rating.Method.QUESTIONS,
        replay=link.replay if link else None,
    )  # fmt: skip
    return store(case, row, found.vector, version, by=by, why=why, expected_version=expected_version)


def store(
    case: Case,
    row: Rating,
    vector: scale.Vector,
    version: RubricVersion | None,
    *,
    by: Any,
    why: str,
    expected_version: int | None = None,
) -> Rating:
    """Put a rating on the case: the one way in, whoever or whatever prepared it."""
    row.vector, row.rubric_version, row.by, row.at = str(vector), version, by, clock.now()
    row.why = _why(case, why)
    score = row.score
    public = Status(case.status) not in (Status.NEW, Status.NEEDS_INFO, Status.TRIAGED)
    tell = people.everybody(case) if public else people.triagers(case)
    with acting(
        case, "rated", by=by, allowed=TRIAGERS, tell=tell, public=public, expected_version=expected_version,
        changes=True, rating=str(row.pk), vector=row.vector, sec=score.sec, saf=score.saf, band=score.highest_band,
        method=str(row.method), said=row.why or "",
    ) as locked:  # fmt: skip
        row.case, row.key = locked, locked.key
        row.save()
    return row


def _why(case: Case, why: str) -> str | None:
    standing = newest_rating(case)
    return checked("why", why, longest=REASON_LONGEST, required=standing is not None) or None


def _places(link: Reproduction | None) -> tuple[tuple[str, str, int, int], ...]:
    """The settings beside the rated one that were tried a fixed number of times with answers that differ."""
    rows = (link.replay.verdict or {}).get("settings", ()) if link else ()
    return tuple(
        (str(place), setting_words(row.get("parameters", {})) or row["setting"], row["k"], row["n"])
        for place, row in enumerate(rows)
        if not row["rated"] and row["n"] and not row["one_answer"]
    )


def _deployed(observed: tuple[int, int] | None, link: Reproduction | None, in_service: str) -> dict[str, Any] | None:
    """What is kept of the setting in service; None where nobody said."""
    if not in_service or observed is None:
        return None
    if in_service == IN_SERVICE:
        return {"place": IN_SERVICE, "k": observed[0], "n": observed[1]}
    for name, _words, k, n in _places(link):
        if name == in_service:
            return {"place": name, "k": k, "n": n}
    raise Invalid(in_service=_("This setting was not counted. Choose one of those listed."))


def _checked_reasons(letters: Mapping[str, str], reasons: Mapping[str, str], rubric: Rubric) -> dict[str, str]:
    wrong: dict[str, str] = {}
    clean: dict[str, str] = {}
    for code, letter in letters.items():
        text = str(reasons.get(code, "")).strip()
        if letter == NO_HARM:
            continue
        try:
            clean[code] = checked(f"why_{code}", text, longest=REASON_LONGEST)
            if not rubric.is_plain(code, letter) and _only_defines(code, text, rubric):
                wrong[f"why_{code}"] = _("This only repeats a definition. Say what in this case makes it so.")
        except Invalid as error:
            wrong.update(error.fields)
    if wrong:
        raise Invalid(wrong)
    return clean


def _only_defines(code: str, text: str, rubric: Rubric) -> bool:
    said = text.casefold().rstrip(".")
    return said in {option.words.casefold() for option in rubric.by_code[code].levels}
