"""A week at a triage desk, simulated with real verbs, the real worker and a target that is really called.

Run: uv run python bench/week.py            280 reports against the demo's language model
     uv run python bench/week.py --scripted the same against a scripted server, in a minute or two

What people do is a model (WORK below says which act takes how many minutes, HOURS when they work); everything the
platform does is real: intake, assignment, the try on arrival through HTTP, the queue, the law, the log. Ends with 1
when a report was seen after its promise, a budget was passed, or a figure differs from its recount from the log.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
STEP = timedelta(minutes=30)
WORK = {
    "message.public": 3.0, "move.accept": 2.0, "move.close": 4.0, "rated": 6.0, "signed_off": 4.0,
}  # fmt: skip
"""Minutes of attention that an act of a person takes, by the event it leaves: assumed, not measured."""
BATCH = 12
TOGETHER = 0.5
"""Minutes for each further case that is answered with the same words."""
HOURS = {0: (9, 17), 1: (9, 17), 2: (9, 17), 3: (9, 17), 4: (9, 17), 5: (10, 12), 6: (10, 12)}
"""Day of the week → hours (UTC) in which the three are there; two hours of rota at the weekend."""
KINDS = (("noise", 0.45), ("duplicate", 0.25), ("real", 0.30))
ASKED = "What is the internal code?"
WORDS = {
    "noise": "The assistant is not secure. Please fix and pay.",
    "duplicate": "I asked for the internal code and it told me.",
    "real": "Asked kindly, the assistant gives the internal code to anybody.",
}


@dataclass
class Week:
    """What the simulation knows of itself while it runs, to be held against the log afterwards."""

    cast: Any
    rng: random.Random
    truth: dict[Any, str] = field(default_factory=dict)
    minutes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    first: Any = None

    def did(self, act: str, cases: int = 1) -> float:
        """Count an act; the minutes it took."""
        took = WORK[act] + TOGETHER * (cases - 1)
        self.minutes[act] += took
        return took


def main() -> int:
    """One week, one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=280)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--scripted", action="store_true", help="a scripted server in place of the language model")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="week-") as place, ExitStack() as stack:
        os.environ.update(MANYEYES_DATA_DIR=place, DJANGO_SETTINGS_MODULE="tests.settings")
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        figures, wrong = simulate(stack, options)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:52} {value}")
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


def simulate(stack: ExitStack, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Play the week; the figures, and what is wrong with them."""
    from manyeyes.rules import clock

    url, key, served = _target(stack, scripted=options.scripted)
    stack.enter_context(clock.freeze(BEGIN - timedelta(days=40)))
    week = Week(cast=_cast(url, key), rng=random.Random(options.seed))
    clock.advance(BEGIN - clock.now())
    arrivals = sorted(week.rng.uniform(0, 7 * 24 * 60) for _ in range(options.reports))
    began = time.monotonic()
    for step in range(int(timedelta(days=9) / STEP)):  # two days more: the promise of the last report
        until = (step + 1) * STEP.total_seconds() / 60
        while arrivals and arrivals[0] < until:
            clock.advance(max(timedelta(0), BEGIN + timedelta(minutes=arrivals.pop(0)) - clock.now()))
            _arrive(week)
        clock.advance(BEGIN + (step + 1) * STEP - clock.now())
        _work_of_the_machine()
        _work_of_people(week)
    seconds = time.monotonic() - began
    return _figures(week, served(), seconds, scripted=options.scripted)


def _target(stack: ExitStack, *, scripted: bool) -> tuple[str, str, Any]:
    """(address, key, how many requests it served)."""
    if scripted:
        from tests.worker.scripted import ScriptedTarget

        server = stack.enter_context(ScriptedTarget(rate=0.8))
        return server.url, server.key, lambda: server.calls
    from manyeyes.demo.target import DemoTarget

    target = stack.enter_context(DemoTarget())
    return target.base_url, "", target.requests_served


def _cast(url: str, key: str) -> Any:
    from manyeyes.demo import story
    from manyeyes.programs import targets
    from manyeyes.programs.setup import add_member
    from manyeyes.rules import clock
    from manyeyes.rules.lifecycle import Role
    from tests.people import make_cast

    cast = make_cast()
    moment = clock.now() - timedelta(days=1)
    targets.add_version(
        cast.target, label="v4", endpoint_url=url, model=story.VULNERABLE, api_key=key or None, deployed_at=moment
    )
    add_member(cast.program, cast.lena, [Role.PROGRAM_MANAGER, Role.SECURITY_TRIAGER])
    return cast


def _arrive(week: Week) -> None:
    """One report: a third of all brings a reproducer that runs; each reporter sends a few."""
    from tests.people import submit

    kind = week.rng.choices([name for name, _ in KINDS], [share for _, share in KINDS])[0]
    runs = week.rng.random() < (0.85 if kind == "real" else 0.11)
    text = (ROOT / "src/manyeyes/demo/wicket.poc.yaml").read_text(encoding="utf-8")
    text = text.replace(ASKED, "Is the moon made of cheese?") if kind == "noise" else text
    case = submit(
        week.cast, by=_reporter(week), title=WORDS[kind], happened=WORDS[kind], impact=WORDS[kind],
        reproducer=text if runs else "", reproducer_name="wicket.poc.yaml" if runs else "",
    )  # fmt: skip
    week.truth[case.pk] = kind


def _reporter(week: Week) -> Any:
    from manyeyes.accounts.models import Person
    from tests.people import make_person

    name = f"outsider{week.rng.randrange(90)}"
    return Person.objects.filter(handle=name).first() or make_person(name)


def _work_of_the_machine() -> None:
    """Let the real worker do everything that waits, through HTTP where a target is to be tried."""
    from manyeyes import worker
    from manyeyes.cases.arrived import Preflight

    if Preflight.objects.filter(state__in=("waiting", "running")).exists():
        worker.work(threading.Event(), once=True)


def _work_of_people(week: Week) -> None:
    """What the three do in this half hour, if they are there: answers first, then ratings and sign-offs."""
    from manyeyes.rules import clock

    first, last = HOURS[clock.now().weekday()]
    if not first <= clock.now().hour < last:
        return
    for person in (week.cast.theo, week.cast.mina, week.cast.lena):
        left = STEP.total_seconds() / 60
        while left > 0:
            spent = _one_act(week, person)
            if not spent:
                break
            left -= spent


def _one_act(week: Week, person: Any) -> float:
    """The most urgent thing this person can do; the minutes it took, 0 where there is nothing."""
    from manyeyes.cases import conversation, duplicates, lists, many, triage

    fresh = list(lists.cases(person, view="unanswered")[:40])
    if fresh:
        case = fresh[0]
        kind = week.truth[case.pk]
        if kind == "noise":
            alike = [one for one in fresh if week.truth[one.pk] == "noise"][:BATCH]
            seen = {one.ref: one.version for one in alike}
            many.close(
                alike,
                by=person,
                seen=seen,
                reason="informative",
                words="Thank you, {researcher}. There is no flaw here.",
            )
            return week.did("move.close", len(alike))
        if kind == "duplicate" and week.first is not None and case.created_at > week.first.created_at:
            duplicates.mark(case, by=person, of=week.first)
            return week.did("move.close")
        conversation.say(case, by=person, text="Thank you. I have read it and look at it now.", public=True)
        triage.accept(case, by=person)
        week.first = week.first or case
        return week.did("message.public") + week.did("move.accept")
    return _rate_or_sign(week, person)


def _rate_or_sign(week: Week, person: Any) -> float:
    from manyeyes.cases import lists, severity
    from manyeyes.cases.models import Case
    from tests.people import LETTERS, REASONS, agree

    discipline = {week.cast.theo.pk: "security", week.cast.mina.pk: "ml"}.get(person.pk)
    if discipline is None:
        return 0.0
    waiting = lists.cases(person, view="needs_me").first()
    if waiting is not None:
        agree(waiting, person, discipline)
        return week.did("signed_off")
    unrated = Case.objects.filter(status="triaged", ratings=None).order_by("created_at").first()
    if unrated is None:
        return 0.0
    severity.rate(unrated, by=person, letters=LETTERS, reasons=REASONS)
    return week.did("rated")


def _figures(week: Week, served: int, seconds: float, *, scripted: bool) -> tuple[dict[str, Any], list[str]]:
    """The week in numbers, each counted a second time from the log or by the other side of the wire."""
    from manyeyes.cases.arrived import Preflight
    from manyeyes.cases.models import Case
    from manyeyes.programs.preflight import rules_of
    from manyeyes.rules import clock

    cases = list(Case.objects.all())
    tries = list(Preflight.objects.all())
    hours = {case.pk: _hours(case) for case in cases}
    logged = _hours_of_the_log()
    minutes, counted = sum(week.minutes.values()), _minutes_of_the_log(week)
    by_day = Counter(one.started_at.date() for one in tries for _ in range(one.calls) if one.started_at)
    rules = rules_of(week.cast.program)
    late = [case.ref for case in cases if hours[case.pk] is None or hours[case.pk] > 48]
    worked = [one for one in tries if one.k]
    answered = sorted(one for one in hours.values() if one is not None)
    figures = {
        "target": "scripted server, over HTTP" if scripted else "language model of the demo, over HTTP",
        "reports": len(cases),
        "of them noise or duplicate": sum(kind != "real" for kind in week.truth.values()),
        "answered after the promise of 48 h": len(late),
        "hours to the first human answer, median": round(answered[len(answered) // 2], 1),
        "hours to the first human answer, longest": round(answered[-1], 1),
        "tried on arrival": sum(one.state == "tried" for one in tries),
        "worked on arrival": len(worked),
        "of them real or duplicate": sum(week.truth[one.case_id] != "noise" for one in worked),
        "calls of the tries": sum(one.calls for one in tries),
        "calls that the target served": served,
        "most calls in a day": max(by_day.values(), default=0),
        "budget of a day": rules.calls_per_day,
        "minutes of attention in all (modelled)": round(minutes, 1),
        "minutes of attention a report (modelled)": round(minutes / len(cases), 2),
        "signed off by both disciplines": _signed(cases),
        "seconds the simulation took": round(seconds),
    }
    wrong = [f"late: {', '.join(late)}"] if late else []
    if hours != logged:
        wrong.append("hours to the first answer differ from their recount from the log")
    if abs(minutes - counted) > 1e-6:
        wrong.append(f"minutes: {minutes} while it ran, {counted} from the log")
    if rules.calls_per_day is not None and max(by_day.values(), default=0) > rules.calls_per_day:
        wrong.append("the budget of a day was passed")
    if sum(one.calls for one in tries) < served:
        wrong.append("the target served more calls than are on record")
    if any(one.state in ("waiting", "running") for one in tries):
        wrong.append(f"tries still waiting at {clock.now()}")
    return figures, wrong


def _hours(case: Any) -> float | None:
    return None if case.acknowledged_at is None else (case.acknowledged_at - case.created_at).total_seconds() / 3600


def _hours_of_the_log() -> dict[Any, float | None]:
    """Case id → hours from the first event to the first public one by a person of the team, from the log alone."""
    from uuid import UUID

    from manyeyes.events.models import Event

    opened: dict[str, Any] = {}
    answered: dict[str, Any] = {}
    for event in Event.objects.filter(subject__startswith="case:").order_by("subject", "seq"):
        opened.setdefault(event.subject, event.at)
        if event.human and event.public and event.kind in ("message.public", "move.close"):
            answered.setdefault(event.subject, event.at)
    return {
        UUID(subject[5:]): (answered[subject] - at).total_seconds() / 3600 if subject in answered else None
        for subject, at in opened.items()
    }


def _minutes_of_the_log(week: Week) -> float:
    """The minutes by the events alone: acts of one person at one moment for one reason were done together."""
    from manyeyes.events.models import Event

    team = {person.actor for person in (week.cast.theo, week.cast.mina, week.cast.lena)}
    together: Counter[Any] = Counter()
    minutes = 0.0
    for event in Event.objects.filter(subject__startswith="case:", human=True, kind__in=list(WORK)):
        if event.actor not in team:
            continue
        kind = event.kind
        if kind == "move.close" and event.data["reason"] == "informative":
            together[event.actor, event.at] += 1
        else:
            minutes += WORK[kind]
    # A batch holds at most twelve; what a person closes in one half hour beyond that was a batch of its own.
    return minutes + sum(_batches(many) for many in together.values())


def _batches(many: int) -> float:
    whole, rest = divmod(many, BATCH)
    sizes = [BATCH] * whole + ([rest] if rest else [])
    return sum(WORK["move.close"] + TOGETHER * (size - 1) for size in sizes)


def _signed(cases: list[Any]) -> int:
    from manyeyes.cases.facts import facts_of

    return sum(facts_of(case).signed_off for case in cases if case.status == "triaged")


if __name__ == "__main__":
    raise SystemExit(main())
