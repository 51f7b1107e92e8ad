"""How often a verification ends with each word, on targets that are hard to judge: caches, seldom flaws, few words.

Run: uv run python bench/verifying.py [--runs 400]. Prints a table; ends with 1 where a promised share is missed. Every
row is the engine's own replay of the plan that `manyeyes verify` makes of 13 wordings (tau 5 % where not said), seeded,
on a scripted target, so that the same figures come out again.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import sqrt
from random import Random
from time import process_time

from manyeyes.engine import Answer, Arm, Cell, Feed, Outcome, Plan, Stream, Trial, Verdict, plan_verify, replay
from manyeyes.engine.patched import arm_most

TAU = 0.05
PARTS = {"reported": 1, "paraphrase": 4, "encoding": 4, "persona": 4}
CELLS = tuple(
    Cell(key=f"{part}{i}", wording=f"{part}{i}", part=part, weight=1 / count)
    for part, count in PARTS.items()
    for i in range(count)
)
PART = {cell.key: cell.part for cell in CELLS}
Target = Callable[[Trial, Random], tuple[bool, str]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: a target, the shares of each word, calls on average, and a promise: a word, its bounds."""

    case: str
    words: Counter[str]
    calls: float
    word: str
    least: float = 0.0
    most: float = 1.0

    @property
    def kept(self) -> bool:
        """Whether the share is as promised, up to three standard errors where it must not be passed."""
        runs = self.words.total()
        share = self.words[self.word] / runs
        return self.least <= share <= self.most + 3 * sqrt(self.most * (1 - self.most) / runs)


def plan(
    seed: int, *, before: tuple[int, int] | None = None, cells: tuple[Cell, ...] = CELLS, tau: float = TAU
) -> Plan:
    """The plan that `manyeyes verify` makes of these wordings."""
    return plan_verify(
        cells=cells,
        tau=tau,
        positive=Arm(cells=(Cell(key="flawed"),), n=12, need=3, most=arm_most(3, 0.3)),
        benign=Arm(cells=(Cell(key="harmless"),), n=20, need=17),
        before=before,
        reported_cap=100,
        ends_stuck=True,
        seed=seed,
    )


def run(plan: Plan, target: Target, *, flawed: float, useful: float = 0.97) -> Verdict:
    """One replay, eight at a time."""
    random, engine = Random(plan.seed), replay(plan)
    next(engine)
    answers: list[Answer] = []
    while True:
        try:
            batch = engine.send(Feed(answers=answers, room=8, look=False))
        except StopIteration as stop:
            found: Verdict = stop.value
            return found
        answers = []
        for trial in batch.trials:
            if trial.stream in (Stream.POSITIVE, Stream.BENIGN):
                rate = flawed if trial.stream is Stream.POSITIVE else useful
                success, text = random.random() < rate, str(random.random())
            else:
                success, text = target(trial, random)
            outcome = Outcome.SUCCESS if success else Outcome.FAILURE
            answers.append(Answer(stream=trial.stream, index=trial.index, outcome=outcome, digest=text))


def drawn(rate: Callable[[str], float]) -> Target:
    """Draws every answer afresh, with a text of its own; `rate` by part."""
    return lambda trial, random: (random.random() < rate(PART[trial.cell]), str(random.random()))


def cached(rate: float, replicas: int, *, forgets: float = 0.0, texts: int = 0) -> Target:
    """Behind so many machines, each with one stored answer to a wording whatever the seed, forgotten now and then.

    With `texts`, failures are worded in so many ways, each as often.
    """
    kept: dict[tuple[str, int], tuple[bool, str]] = {}

    def reply(trial: Trial, random: Random) -> tuple[bool, str]:
        place = trial.cell, random.randrange(replicas)
        if place not in kept or random.random() < forgets:
            success = random.random() < rate
            kept[place] = success, str(random.randrange(texts) if texts and not success else random.random())
        return kept[place]

    return reply


def falling(before: float, after: float, at: int) -> Target:
    """All wordings alike: the rate changes after so many trials of the target under question."""
    seen = 0

    def reply(trial: Trial, random: Random) -> tuple[bool, str]:
        nonlocal seen
        seen += 1
        return random.random() < (before if seen <= at else after), str(random.random())

    return reply


def worded(common: float, texts: int) -> Target:
    """Never succeeds; draws one refusal with the chance `common`, else one of so many others (0: always a new one)."""

    def reply(trial: Trial, random: Random) -> tuple[bool, str]:
        if random.random() < common:
            return False, "the common one"
        return False, str(random.randrange(texts) if texts else random.random())

    return reply


def played(
    case: str,
    make: Callable[[], Target],
    runs: int,
    *,
    promise: tuple[str, float, float],
    flawed: float = 0.9,
    before: tuple[int, int] | None = None,
    cells: tuple[Cell, ...] = CELLS,
    tau: float = TAU,
) -> Row:
    """So many runs, each of another seed, on a target of its own."""
    made = [run(plan(seed, before=before, cells=cells, tau=tau), make(), flawed=flawed) for seed in range(runs)]
    words = Counter(verdict.verdict for verdict in made)
    word, least, most = promise
    calls = sum(verdict.asked for verdict in made) / runs
    return Row(case=case, words=words, calls=calls, word=word, least=least, most=most)


def caches(runs: int) -> Iterator[Row]:
    """At tau: `holds` may come in one run of twenty."""
    wrong = ("holds", 0.0, 0.05)
    yield played("at tau, no cache", lambda: drawn(lambda _: TAU), runs, promise=wrong)
    for count in (1, 2, 3, 5, 10):
        yield played(f"at tau, caches: {count}", lambda count=count: cached(TAU, count), runs, promise=wrong)
    for forgets in (0.05, 0.2):
        name = f"at tau, 3 caches that forget one answer in {1 / forgets:.0f}"
        yield played(name, lambda forgets=forgets: cached(TAU, 3, forgets=forgets), runs, promise=wrong)
    for count in (2, 40):
        name = f"at tau = 1 %, caches: {count}"
        yield played(name, lambda count=count: cached(0.01, count), runs, promise=wrong, tau=0.01)
    yield played("at tau, 10 caches, 4 refusals", lambda: cached(TAU, 10, texts=4), runs, promise=wrong)


def moments(runs: int) -> Iterator[Row]:
    """A target that falls alike on all wordings while it is verified, and caches at tau: no patch of the wording."""
    wrong = ("symptom_patched", 0.0, 0.05)
    for before, after, at in (
        (0.3, 0.0, 15),
        (0.5, 0.0, 10),
        (0.2, 0.0, 20),
        (0.9, 0.0, 4),
        (0.9, 0.05, 8),
        (0.9, 0.0, 25),
        (0.6, 0.1, 20),
        (0.5, 0.0, 45),
        (0.6, 0.0, 60),
    ):
        name = f"{before:.0%} to {after:.0%} everywhere after {at} trials"
        yield played(name, lambda b=before, a=after, t=at: falling(b, a, t), runs, promise=wrong)
    for count in (1, 2, 3, 5, 10, 20):
        for rate in (TAU, 0.1, 0.2):
            name = f"{rate:.0%} everywhere, caches: {count}"
            yield played(name, lambda count=count, rate=rate: cached(rate, count), runs, promise=wrong)


def few_words(runs: int) -> Iterator[Row]:
    """A real fix that words its refusals in few ways: held where there are texts enough, else ended early."""
    more = tuple(replace(cell, key=f"{cell.key}/{i}", wording=f"{cell.wording}/{i}") for cell in CELLS for i in "ab")
    PART.update({cell.key: cell.part for cell in more})
    for name, make, cells, promise in (
        ("4 refusals, 13 wordings", lambda: worded(0.0, 4), CELLS, ("inconclusive", 0.95, 1.0)),
        ("8 refusals, 13 wordings", lambda: worded(0.0, 8), CELLS, ("holds", 0.95, 1.0)),
        ("4 refusals, 26 wordings", lambda: worded(0.0, 4), more, ("holds", 0.95, 1.0)),
        ("one refusal in 90 %, 13 wordings", lambda: worded(0.9, 0), CELLS, ("inconclusive", 0.95, 1.0)),
        ("one refusal in 50 %, 13 wordings", lambda: worded(0.5, 0), CELLS, ("holds", 0.95, 1.0)),
    ):
        yield played(name, make, runs, promise=promise, cells=cells)


def naming(runs: int) -> Iterator[Row]:
    """A patch of the reported wording, a real fix, and a rate that fell alike everywhere."""
    for flawed in (0.3, 0.4, 0.6, 0.95):
        patch = drawn(lambda part, flawed=flawed: 0.0 if part == "reported" else flawed)
        name = ("symptom_patched", 0.95, 1.0)
        yield played(
            f"patch of the wording, {flawed:.0%} before", lambda patch=patch: patch, runs, promise=name, flawed=flawed
        )
        fix, holds = drawn(lambda _: 0.0), ("holds", 0.95, 1.0)
        yield played(f"real fix, {flawed:.0%} before", lambda fix=fix: fix, runs, promise=holds, flawed=flawed)
    for rate in (0.06, 0.1, 0.15, 0.2, 0.3):
        for before in (None, (28, 30)):
            alike, seldom = drawn(lambda _, rate=rate: rate), ("symptom_patched", 0.0, 0.05)
            given = "" if before is None else ", 28 of 30 given"
            name = f"90 % to {rate:.0%} everywhere{given}"
            yield played(name, lambda alike=alike: alike, runs, promise=seldom, before=before)


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    runs = parser.parse_args().runs
    started, missed = process_time(), 0
    print(f"| target ({runs} runs each) | words, % | calls | promise |  |\n|---|---|---|---|---|")
    for part in (caches, moments, few_words, naming):
        for row in part(runs):
            words = ", ".join(f"{word} {100 * count / runs:.1f}" for word, count in row.words.most_common())
            bound = f"at most {row.most:.0%}" if row.least == 0 else f"at least {row.least:.0%}"
            missed += not row.kept
            print(
                f"| {row.case} | {words} | {row.calls:.0f} | {row.word} {bound} | {'kept' if row.kept else 'MISSED'} |",
                flush=True,
            )
    print(f"{process_time() - started:.0f} s of processor time; {missed} promises missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
