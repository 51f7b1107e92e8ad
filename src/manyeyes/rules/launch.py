"""What a program needs before strangers may find it: the items of the launch checklist, and when each is in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from manyeyes.rules.marked import marked as _


class Kind(StrEnum):
    """What an item asks for: somebody's name, a name with a figure, or a fact that the platform sees for itself."""

    PERSON = "person"
    HOURS = "hours"
    FACT = "fact"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of the checklist. `skippable` items may be answered with "not applicable, because …".

    A skippable fact is a warning: whoever tries the program out may go on with it, and says so.
    """

    name: str
    title: str
    why: str
    kind: Kind
    skippable: bool = False


ITEMS: tuple[Item, ...] = (
    Item(name="owner", kind=Kind.PERSON, title=_("Owner of the program"),
         why=_("Answers for the promises, and decides when two of them collide.")),
    Item(name="capacity", kind=Kind.HOURS, title=_("Engineering time for fixes"),
         why=_("A program without hours to fix collects reports and breaks promises. Who gives how many a week?")),
    Item(name="security", kind=Kind.PERSON, title=_("Security"), skippable=True,
         why=_("Judges what an attacker gains, and signs for the security half of a severity.")),
    Item(name="ml", kind=Kind.PERSON, title=_("Machine learning"), skippable=True,
         why=_("Judges what the model does and why, and signs for the other half.")),
    Item(name="legal", kind=Kind.PERSON, title=_("Legal"), skippable=True,
         why=_("Has read the policy and stands by its safe harbor.")),
    Item(name="communications", kind=Kind.PERSON, title=_("Communications"), skippable=True,
         why=_("Knows that advisories will be published, and who answers the press.")),
    Item(name="finance", kind=Kind.PERSON, title=_("Finance"), skippable=True,
         why=_("Pays what the policy offers, within the time it says.")),
    Item(name="responder", kind=Kind.PERSON, title=_("First responder"),
         why=_("Reads new reports on working days, within the first clock.")),
    Item(name="backup", kind=Kind.PERSON, title=_("Backup for the first responder"), skippable=True,
         why=_("Does the same when the first one is ill or away.")),
    Item(name="clocks", kind=Kind.PERSON, title=_("The clocks can be kept"),
         why=_("Somebody has looked at the promised hours and says that they hold in an ordinary week.")),
    Item(name="days_off", kind=Kind.FACT, title=_("Somebody reads reports on days off"), skippable=True,
         why=_("A first answer within a day cannot be kept over a weekend unless somebody reads then.")),
    Item(name="policy", kind=Kind.FACT, title=_("Policy in force, without errors"),
         why=_("Researchers must know what protects them before they begin.")),
    Item(name="scope", kind=Kind.FACT, title=_("Scope"),
         why=_("At least one system, and one line that says it may be tested.")),
    Item(name="securitytxt", kind=Kind.FACT, title=_("security.txt"), skippable=True,
         why=_("Whoever finds a flaw looks there first.")),
    Item(name="test_report", kind=Kind.FACT, title=_("A test report, sent through and answered"),
         why=_("Shows that a report reaches a person before a stranger depends on it.")),
)  # fmt: skip
BY_NAME: Mapping[str, Item] = {item.name: item for item in ITEMS}
LEAST_HOURS, MOST_HOURS = 1, 168
OWN_BACKUP = _("The backup is the first responder. Name somebody else of the team, or say why it does not apply.")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the platform sees for itself."""

    pays: bool = False
    people: int = 1
    policy_in_force: bool = False
    policy_errors: int = 0
    systems: int = 0
    scope_lines: int = 0
    securitytxt_problem: str = ""
    unkept: str = ""
    test_sent: bool = False
    test_answered: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What somebody said about an item: who holds it (with how many hours), or that it does not apply.

    `who` tells people of one name apart.
    """

    applies: bool = True
    person: str = ""
    who: str = ""
    hours: int | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One item as it stands. `state` is "done", "skipped" or "missing"; `missing` says what is, in one sentence.

    A warning that somebody accepted is skipped, and still says what it warns of.
    """

    item: Item
    state: str
    missing: str = ""


def judge(facts: Facts, answers: Mapping[str, Answer]) -> tuple[Line, ...]:
    """Every item in its order. Money that nobody handles is missing; without money finance does not apply by itself.

    >>> [line.item.name for line in judge(Facts(), {}) if line.state == "skipped"]
    ['finance']
    """
    lines = (_line(item, facts, answers.get(item.name)) for item in ITEMS)
    return tuple(_stands_in(line, facts, answers) if line.item.name == "backup" else line for line in lines)


def own_backup(answers: Mapping[str, Answer]) -> bool:
    """Whether the first responder is named as their own backup."""
    first, second = answers.get("responder"), answers.get("backup")
    return bool(first and second and first.applies and second.applies and first.who and first.who == second.who)


def _stands_in(line: Line, facts: Facts, answers: Mapping[str, Answer]) -> Line:
    """Nobody stands in for themselves; in a team of one that is so, and said."""
    if not own_backup(answers):
        return line
    if facts.people > 1:
        return Line(item=line.item, state="missing", missing=OWN_BACKUP)
    alone = _("Nobody stands in: the first responder is the whole team. Reports wait when that person is away.")
    return Line(item=line.item, state="skipped", missing=alone)


def _line(item: Item, facts: Facts, answer: Answer | None) -> Line:
    if item.kind == Kind.FACT:
        missing = _fact_missing(item.name, facts)
        accepted = item.skippable and answer is not None and not answer.applies
        return Line(item=item, state=("skipped" if accepted else "missing") if missing else "done", missing=missing)
    if item.name == "finance" and not facts.pays and (answer is None or not answer.applies):
        return Line(item=item, state="skipped")
    if answer is None:
        return Line(item=item, state="missing", missing=_unsaid(item))
    if not answer.applies:
        return _skipped(item, facts)
    return Line(item=item, state="done")


def _unsaid(item: Item) -> str:
    return _("Nobody is named, with hours a week.") if item.kind == Kind.HOURS else _("Nobody is named.")


def _skipped(item: Item, facts: Facts) -> Line:
    if item.name == "finance" and facts.pays:
        return Line(item=item, state="missing", missing=_("The scope names rewards, so somebody must pay them."))
    return Line(item=item, state="skipped")


def _fact_missing(name: str, facts: Facts) -> str:
    if name == "policy":
        if not facts.policy_in_force:
            return _("No policy is published.")
        return f"The policy has {facts.policy_errors} errors of the linter." if facts.policy_errors else ""
    if name == "scope":
        if not facts.systems:
            return _("No system is registered.")
        return "" if facts.scope_lines else _("No line says what may be tested.")
    if name == "days_off":
        return facts.unkept
    if name == "securitytxt":
        return facts.securitytxt_problem
    if not facts.test_sent:
        return _("No test report was sent.")
    return "" if facts.test_answered else _("The test report waits for its answer.")


def wrong_with(item: Item, answer: Answer) -> dict[str, str]:
    """Field → what is wrong with an answer, and how to mend it; empty where it can be kept."""
    if not answer.applies:
        if not item.skippable:
            return {"applies": _("This one cannot be left out.")}
        said = answer.reason.strip()
        if not said or len(said) > 500:
            return {"reason": "Say in one to 500 characters why it does not apply."}
        return {}
    if item.kind == Kind.FACT:
        return {"applies": _("Tick this to go on with it as it is, or mend what it says.")}
    if not answer.person:
        return {"person": "Choose somebody of the team."}
    if item.kind == Kind.HOURS and not LEAST_HOURS <= (answer.hours or 0) <= MOST_HOURS:
        return {"hours": f"Give the hours a week as a whole number from {LEAST_HOURS} to {MOST_HOURS}."}
    return {}
