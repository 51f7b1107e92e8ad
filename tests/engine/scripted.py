"""Scripted targets for the engine's tests: outcomes and texts that depend on the trial alone, fed in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from manyeyes.engine import Answer, Cell, Feed, Outcome, Plan, Stream, Trial, Verdict, replay

Script = Callable[[Trial], Answer]

PARTS = ("reported", "paraphrase", "encoding", "persona")
MIXTURE = tuple(Cell(key=f"s/{part}{i}", wording=f"{part}{i}", part=part) for part in PARTS for i in range(4))
PART_OF = {cell.key: cell.part for cell in MIXTURE}


def answer(trial: Trial, success: bool | None, text: str | None = None) -> Answer:
    """The answer to a trial."""
    outcome = Outcome.UNDECIDED if success is None else Outcome.SUCCESS if success else Outcome.FAILURE
    return Answer(stream=trial.stream, index=trial.index, outcome=outcome, digest=text)


def coin(seed: int, rate: Callable[[Trial], float], *, text: Callable[[Trial], str | None] | None = None) -> Script:
    """A target that succeeds at a rate per trial; its answers differ unless `text` says otherwise."""

    def reply(trial: Trial) -> Answer:
        random = Random(f"{seed}/{trial.stream}/{trial.index}")
        return answer(trial, random.random() < rate(trial), text(trial) if text else str(random.random()))

    return reply


def run(
    plan: Plan, script: Script, *, room: int = 1, shuffle: int | None = None, record: Iterable[Answer] = ()
) -> Verdict:
    """Replay a plan; with `shuffle`, answers come late and in any order, some of them twice."""
    verdict, _ = run_and_keep(plan, script, room=room, shuffle=shuffle, record=record)
    return verdict


def run_and_keep(
    plan: Plan, script: Script, *, room: int = 1, shuffle: int | None = None, record: Iterable[Answer] = ()
) -> tuple[Verdict, list[Answer]]:
    """As `run`, with every answer that was given."""
    random = Random(shuffle)
    generator = replay(plan)
    next(generator)
    pending: list[Answer] = []
    given, feed = list(record), list(record)
    while True:
        try:
            batch = generator.send(Feed(answers=feed, room=max(0, room - len(pending))))
        except StopIteration as stop:
            return stop.value, given
        pending += [script(trial) for trial in batch.trials]
        assert pending, "the engine had room and nothing outstanding, but asked for nothing"
        if shuffle is None:
            feed, pending = pending, []
        else:
            random.shuffle(pending)
            count = random.randint(0 if len(pending) < room else 1, len(pending)) or 1
            feed, pending = pending[:count], pending[count:]
            feed = feed + feed[:1]
        given += feed


def scored(stream: Stream) -> bool:
    """Whether a stream carries the exploit on the target under question."""
    return stream in (Stream.MAIN, Stream.ATTRIBUTE, Stream.SCORE)
