"""What a researcher answers in a report, and what is wrong with it: nothing is stored here."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases.conversation import problem_with
from manyeyes.cases.knobs import knob_problem
from manyeyes.cases.sketch import SUCCESS, conversation_problem, pattern_problem
from manyeyes.reproducer.load import ReproducerError, load_text
from manyeyes.reproducer.model import CLASSES
from manyeyes.rules import clock, questions
from manyeyes.rules.permits import HAZARDS, NEVER_BY_MACHINE
from manyeyes.rules.severity import BANDS as SCORED

TITLE_LONGEST = 200
CONTACT_LONGEST = 320
TEXT_LONGEST = 100_000
MOST_TRIES = 1_000_000
MOST_CO_REPORTERS = 8
SEEN: dict[str, int] = {
    "surface": 200, "account_tier": 100, "app_version": 100, "seen_times": 500, "conversation_link": 1_000,
    "memory": 10,
}  # fmt: skip
"""Where in a product it was met: name → how long it may be."""
PLANS: dict[str, int] = {"publish_on": 20, "publish_where": 300}
PUBLISH_WITHIN = timedelta(days=5 * 366)
"""How far from today a publication may lie: what was published earlier is told of as well."""
COUNTED = ("", "advance", "best")
BANDS = SCORED[1:]
"""The five words in which a researcher says how severe a flaw is to them."""
OWN_LONGEST = 200
OPEN_HAZARDS = {code: words for code, words in HAZARDS.items() if code not in NEVER_BY_MACHINE}
"""Hazard classes a report may name; material of the others is never taken."""


def never_taken() -> str:
    """What is said to whoever sends what nobody may hold."""
    return _("Stop. Material like this is never taken.")


@dataclass(frozen=True, kw_only=True)
class IntakeReport:
    """What a researcher answered. Eight answers are required: target, class, title, what happened, steps, impact, how
    often (`claim_k` of `claim_n`, or `not_counted`), and who they are (`contact`, `anonymous`, or a signed-in person).

    `answers` are those to the questions of the class (`rules.questions`), `seen` says where in a product it was met,
    `plans` when and where they publish, `counted_how` "best" that the count is the best of several series. `own_band`
    is how severe it is to them, one of BANDS, with a vector or a few words in `own_why`. `imported` is what a tool's
    file said: {"draft": fields of a reproducer, "readings": [...], "tool", "name", "sha256"}.
    """

    target: str = ""
    vuln_class: str = ""
    title: str = ""
    happened: str = ""
    steps: str = ""
    impact: str = ""
    claim_k: int | None = None
    claim_n: int | None = None
    not_counted: bool = False
    contact: str = ""
    anonymous: bool = False
    expected: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    success_text: str = ""
    success_how: str = "contains"
    conversation: str = ""
    reproducer: str = ""
    reproducer_name: str = ""
    own_ref: str = ""
    exploited_now: bool = False
    harmed_now: bool = False
    hazard: str = ""
    csam: bool = False
    counted_how: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    plans: Mapping[str, str] = field(default_factory=dict)
    own_band: str = ""
    own_why: str = ""
    co_reporters: tuple[str, ...] = ()
    imported: Mapping[str, Any] | None = None
    submission_id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def biased(self) -> bool:
        """Whether the count is the best of several series: shown as that, never part of a rate."""
        return self.counted_how == "best"

    def validate(self, *, signed_in: bool = False) -> dict[str, str]:
        """Field → what is wrong and how to mend it; empty where the report can be sent."""
        wrong: dict[str, str | None] = {
            "target": None if self.target else _("Choose the system you tested."),
            "vuln_class": None if self.vuln_class in CLASSES else _("Choose the kind of flaw."),
            "title": problem_with(self.title, longest=TITLE_LONGEST) or broken_problem(self.title),
            "happened": problem_with(self.happened, longest=TEXT_LONGEST),
            "steps": problem_with(self.steps, longest=TEXT_LONGEST),
            "impact": problem_with(self.impact, longest=TEXT_LONGEST),
            "claim": self._claim_problem(),
            "contact": self._contact_problem(signed_in),
            "expected": problem_with(self.expected, longest=TEXT_LONGEST, required=False),
            "success_text": problem_with(self.success_text, longest=2_000, required=False),
            "reproducer": self._reproducer_problem(),
            "own_ref": problem_with(self.own_ref, longest=100, required=False),
        }
        for name, value in self.settings.items():
            wrong[f"settings.{name}"] = problem_with(str(value), longest=200, required=False) or knob_problem(
                name, str(value)
            )
        return {name: problem for name, problem in {**wrong, **self._wider()}.items() if problem}

    def _wider(self) -> dict[str, str | None]:
        """What is wrong with the answers that nobody has to give."""
        wrong: dict[str, str | None] = {
            "csam": never_taken() if self.csam or self.hazard in NEVER_BY_MACHINE else None,
            "conversation": problem_with(self.conversation, longest=TEXT_LONGEST, required=False)
            or conversation_problem(self.conversation),
        }
        if self.hazard and self.hazard not in HAZARDS:
            wrong["hazard"] = _("Choose one of the kinds of hazard, or none.")
        if self.counted_how not in COUNTED:
            wrong["counted_how"] = _("Choose one of the answers, or leave it open.")
        if self.success_how not in SUCCESS:
            wrong["success_how"] = _("Choose how a success is told.")
        if self.success_how == "regex":
            wrong["success_text"] = pattern_problem(self.success_text)
        if self.vuln_class in CLASSES:
            found = questions.problems(self.vuln_class, self.answers)
            wrong |= {f"answers.{name}": problem for name, problem in found.items()}
        for kind, limits, given in (("answers", None, self.answers), ("seen", SEEN, self.seen),
                                    ("plans", PLANS, self.plans)):  # fmt: skip
            for name, value in given.items():
                longest = limits.get(name, 0) if limits else questions.LONGEST
                found_here = problem_with(value, longest=longest, required=False)
                wrong.setdefault(f"{kind}.{name}", found_here)
        wrong["plans.publish_on"] = wrong.get("plans.publish_on") or _date_problem(self.plans.get("publish_on", ""))
        wrong |= self._own_problems()
        if len(self.co_reporters) > MOST_CO_REPORTERS:
            wrong["co_reporters"] = _("Name at most %(most)d people here; invite others later.") % {
                "most": MOST_CO_REPORTERS
            }
        elif any(len(name) > 40 or not name.isprintable() for name in self.co_reporters):
            wrong["co_reporters"] = _("A handle has at most 40 letters, digits, dots, dashes or underscores.")
        return wrong

    def _own_problems(self) -> dict[str, str | None]:
        band, why = self.own_band, problem_with(self.own_why, longest=OWN_LONGEST, required=False)
        if band not in ("", *BANDS):
            return {"own_why": why, "own_band": _("Choose one of the five words, or leave it open.")}
        alone = _("Choose the word that fits as well, or leave both open.")
        return {"own_why": why, "own_band": alone if self.own_why.strip() and not band else None}

    def _reproducer_problem(self) -> str | None:
        wrong = problem_with(self.reproducer, longest=1_000_000, required=False)
        if wrong or not self.reproducer.strip():
            return wrong
        try:
            found = load_text(self.reproducer, self.reproducer_name or "reproducer")
        except ReproducerError as error:
            return str(error)
        return never_taken() if found.hazard in NEVER_BY_MACHINE else None

    def _claim_problem(self) -> str | None:
        k, n = self.claim_k, self.claim_n
        if self.not_counted:
            return None if k is None and n is None else _("Give the count, or say that you did not count; not both.")
        if k is None or n is None:
            return _("Say how often it worked and out of how many tries, or that you did not count.")
        if min(k, n) < 0:
            said = _("How often it worked: write two whole numbers, the tries from 1 to %(most)s, and of these from "
                     "0 to all that worked.")  # fmt: skip
            return said % {"most": f"{MOST_TRIES:,}"}
        if not 1 <= n <= MOST_TRIES:
            return _("The number of tries must be between 1 and %(most)s.") % {"most": f"{MOST_TRIES:,}"}
        said = _(
            "It cannot have worked more often than you tried: of %(tries)s tries write a number from 0 to %(tries)s."
        )
        return None if k <= n else said % {"tries": f"{n:,}"}

    def _contact_problem(self, signed_in: bool) -> str | None:
        if self.anonymous:
            return _("Leave the contact empty to stay anonymous.") if self.contact.strip() and not signed_in else None
        if signed_in:
            return None
        wrong = problem_with(self.contact, longest=CONTACT_LONGEST)
        return _("Give a way to reach you, or choose to stay anonymous.") if wrong else None


BROKEN = "\ufffd"
"""What stands where bytes that are no UTF-8 came."""


def broken_problem(text: str) -> str | None:
    """What is wrong with a line of which a part did not arrive, or None."""
    if BROKEN not in text:
        return None
    return _("This arrived with broken characters, shown as %(broken)s: it was not sent as UTF-8. Type them anew.") % {
        "broken": BROKEN
    }


def _date_problem(typed: str) -> str | None:
    if not typed.strip():
        return None
    try:
        meant = date.fromisoformat(typed.strip())
    except ValueError:
        return _("Write the date as 2027-02-18, or leave it empty.")
    if abs(meant - clock.now().date()) > PUBLISH_WITHIN:
        return _("This date is more than five years from today. Look at its year, or leave it empty.")
    return None
