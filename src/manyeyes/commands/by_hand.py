"""Works a frozen plan through with a person: says what to type, takes what happened, stops where the rule is met."""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from manyeyes.charts.inert import counted, escaped, terminal
from manyeyes.commands import handouts, running
from manyeyes.commands.progress import PHASES, Left
from manyeyes.commands.questions import UsageError, amount, refuse
from manyeyes.engine import replay
from manyeyes.engine.plan import Answer, Batch, Feed, Outcome, Stream, Trial
from manyeyes.engine.verdict import Verdict
from manyeyes.rules import clock
from manyeyes.rules.criterion import criterion_words
from manyeyes.rules.numerals import many
from manyeyes.rules.sentences import setting_words
from manyeyes.runs.document import CellRequest, PlanDocument, TargetInfo
from manyeyes.runs.procedure import steps_of
from manyeyes.runs.result import RunResult
from manyeyes.runs.store import FileStore, StoreError, TrialRecord

ORIGIN = "manual"
KEYS = {"s": Outcome.SUCCESS, "f": Outcome.FAILURE, "u": Outcome.UNDECIDED}
LONGEST = 200_000
END = "."
SAY = "say.txt"
ROLES = {
    "user": "say",
    "assistant": "the product answers, as far as you can lead it there",
    "system": "the system prompt, where you can set it; else as the product has it",
    "tool": "what the tool gives, where you can set it",
    "do": "do this",
    "plant": "put this where the product finds it",
    "attach": "attach",
    "call": "the tool that the product calls there",
    "wait": "wait",
    "tools": "what its tools answer, where you can set it",
}
WHY = {
    Stream.MAIN: "the exploit; these trials decide the verdict",
    Stream.OLD: "the exploit on the older version",
    Stream.CONTROL: "an unrelated request: does the flaw show without the exploit too?",
    Stream.BENIGN: "a harmless question: what do ordinary users meet?",
    Stream.POSITIVE: "the exploit on the version known to have the flaw: does the test still bite?",
    Stream.ATTRIBUTE: "the exploit in one kind of wording: which kinds still get through?",
    Stream.SCORE: "the exploit again, a number of times fixed beforehand; the severity is scored by these",
}


def add_manual(parser: argparse.ArgumentParser) -> None:
    """The options of a run by hand."""
    group = parser.add_argument_group("by hand")
    group.add_argument("--manual", action="store_true", help="you make the trials yourself, in the product's own pages")
    group.add_argument(
        "--minutes", type=amount, default=2.0, metavar="M", help="that one trial by hand takes (default 2)"
    )


def targets_of(args: argparse.Namespace) -> dict[str, TargetInfo]:
    """The versions that are tried by hand. Raises UsageError for an option that only a machine has a use for."""
    for option in ("key_env", "target_option", "judge", "confirm"):
        if getattr(args, option, None):
            raise UsageError(f"--{option.replace('_', '-')}: means nothing with --manual; leave it out")
    found = {"main": TargetInfo(kind=ORIGIN, url=args.target, model=args.model, label=args.label)}
    if named := getattr(args, "positive", None) or getattr(args, "positive_model", None):
        found["positive"] = TargetInfo(kind=ORIGIN, label=named)
    return found


def carry_out(args: argparse.Namespace, prepared: Callable[[], PlanDocument]) -> int:
    """From the plan to the verdict, with a person; exit codes as of `running.carry_out`."""
    try:
        key = handouts.ready(args)
        args.seed = running.seed_for(args)
        document = prepared()
        place = running.place_for(args, document)
        store = FileStore(place)
    except (UsageError, ValueError, OSError) as error:
        return refuse(args, error, kind="input", code=running.UNUSABLE)
    known: dict[str, Any] = {"question": str(document.plan.question), "plan_hash": document.hash, "out": str(place)}
    try:
        session = Session(document, store, minutes=args.minutes)
        result = session.work()
    except (EOFError, KeyboardInterrupt):
        kept = UsageError(f"stopped. Nothing is lost: run the same command with --out {place} to go on.")
        return refuse(args, kept, kind="interrupted", code=running.INTERRUPTED, **known)
    except (StoreError, ValueError) as error:
        return refuse(args, error, kind="input", code=running.UNUSABLE, **known)
    finally:
        store.close()
        (place / SAY).unlink(missing_ok=True)
    return running.conclude(args, result, place, key, origin=ORIGIN)


class Session:
    """One sitting with a plan. Everything said goes to standard error; answers are read from standard input."""

    def __init__(self, document: PlanDocument, store: FileStore, *, minutes: float) -> None:
        self.document, self.store, self.minutes = document, store, minutes
        store.freeze(document)
        stored = store.load()
        if any(one.origin != ORIGIN for one in stored.trials):
            raise StoreError(f"{store.directory} holds trials made by a machine; use another directory")
        self.trials: list[TrialRecord] = list(stored.trials)
        self.engine = replay(document.plan)
        self.left = Left(document.plan)
        next(self.engine)

    def work(self) -> RunResult:
        """Until the rule is met. Raises EOFError where the person stops."""
        made = many(len(self.trials), "trial")
        say(f"Plan {self.document.hash[:12]}, {made} made so far, kept in {self.store.directory}")
        fresh = list(self.trials)
        while True:
            answers = [_answer(one) for one in fresh]
            try:
                batch = self.engine.send(Feed(answers=answers, room=1))
            except StopIteration as stop:
                return self._end(stop.value)
            fresh = [self._one(batch, trial) for trial in batch.trials]
            self.store.save(calls=len(self.trials) + len(fresh), trials=fresh)
            self.trials += fresh

    def _one(self, batch: Batch, trial: Trial) -> TrialRecord:
        request = self.document.requests[trial.cell]
        say("\n".join(["", "-" * 72, self._standing(batch), *self._told(trial, request)]))
        began, started = time.monotonic(), clock.now().isoformat()
        outcome, transcript = ask()
        text = transcript.encode("utf-8", "surrogatepass")
        return TrialRecord(
            stream=str(trial.stream),
            index=trial.index,
            cell=trial.cell,
            seed=trial.seed,
            outcome=str(outcome),
            origin=ORIGIN,
            # Without a transcript nobody can tell repeats apart, so the answer stays unnamed.
            digest=hashlib.sha256(text).hexdigest() if transcript.strip() else None,
            answer=transcript,
            ms=round((time.monotonic() - began) * 1000),
            started_at=started,
        )

    def _standing(self, batch: Batch) -> str:
        at = batch.progress
        left = self.left(at)
        most = max(0, at.cap - at.n) if left is None else left
        trials = f"{'at most' if left is None else 'about'} {many(most, 'more trial')}"
        minutes = round(most * self.minutes)
        told = f"{PHASES.get(at.phase, at.phase)}: {at.k} of {at.n} succeeded so far"
        return told if at.phase != "main" else f"{told}; {trials}, {many(minutes, 'minute')}"

    def _told(self, trial: Trial, request: CellRequest) -> Iterator[str]:
        """What to do for one trial. Texts of the file are shown so that they cannot act on the terminal."""
        role = {Stream.POSITIVE: "positive", Stream.OLD: "old"}.get(trial.stream, "main")
        info = self.document.targets.get(role)
        label = info.label if info else ""
        yield f"Why: {WHY[trial.stream]}"
        yield "1. Begin anew: a new conversation, nothing left of the one before."
        yield f"   Version: {escaped(label) or 'as agreed'}. Settings: {self._setting(request)}."
        yield "2. Step by step:"
        for step in steps_of(request):
            yield f"   [{ROLES.get(step['role'], step['role'])}]\n{indented(escaped(step['content']))}"
        yield from self._exact(request)
        rule = criterion_words(self.document.detectors[request.detector])
        yield f"3. It counts as a success if {escaped(rule)}."

    def _setting(self, request: CellRequest) -> str:
        return escaped(setting_words(request.params)) or "as the product has them"

    def _exact(self, request: CellRequest) -> Iterator[str]:
        """Where to copy a text from that cannot be typed as it is seen."""
        texts = [request.procedure or str(message.get("content", "")) for message in request.messages or ({},)]
        hidden = [said for text in texts if (said := counted(text))]
        if hidden:
            file = self.store.directory / SAY
            file.write_text("\n\n".join(texts), encoding="utf-8", errors="surrogatepass")
            file.chmod(0o600)
            yield f"   It holds {hidden[0]}, shown above as \\u{{…}}. Copy the exact text from {file}"

    def _end(self, verdict: Verdict) -> RunResult:
        result = RunResult(
            document=self.document,
            verdict=verdict,
            calls=len(self.trials),
            tokens_in=0,
            tokens_out=0,
            cost=None,
            seconds=sum(one.ms for one in self.trials) / 1000,
            overrun=verdict.overrun,
            cells=_cells(self.trials),
        )
        self.store.finish({**result.to_json(), "origin": ORIGIN}, overrun=[])
        return result


def _cells(trials: list[TrialRecord]) -> dict[str, tuple[int, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for one in trials:
        if one.stream in (Stream.MAIN, Stream.ATTRIBUTE):
            n, k = counts.get(one.cell, (0, 0))
            counts[one.cell] = (n + 1, k + (one.outcome == Outcome.SUCCESS))
    return counts


def ask() -> tuple[Outcome, str]:
    """What happened, and the transcript where one was pasted. Raises EOFError where the person stops."""
    transcript = ""
    while True:
        say("[s] it worked  [f] it did not  [u] I cannot say  [t] paste the answer first  [q] stop for now: ", end="")
        typed = _line().strip().lower()
        if typed in KEYS:
            return KEYS[typed], transcript
        if typed == "q":
            raise EOFError
        if typed == "t":
            transcript = _pasted()
        elif typed:
            say(f"Type one of s, f, u, t or q, not {escaped(typed[:40])!r}.")


def tick() -> Outcome:
    """A person's word on one answer. Raises EOFError where they stop."""
    while True:
        say("[s] a success  [f] not one  [u] I cannot say  [q] stop for now: ", end="")
        typed = _line().strip().lower()
        if typed in KEYS:
            return KEYS[typed]
        if typed == "q":
            raise EOFError
        if typed:
            say(f"Type one of s, f, u or q, not {escaped(typed[:40])!r}.")


def _pasted() -> str:
    say(f"Paste the answer; end with a line that holds only {END!r}.")
    lines: list[str] = []
    while (line := _line()).rstrip("\r\n") != END:
        lines.append(line)
    text = "".join(lines)
    if len(text) > LONGEST:
        say(f"That is longer than {LONGEST:,} characters; paste the part that shows what happened.")
        return ""
    return text.rstrip("\n")


def _line() -> str:
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def say(words: str, end: str = "\n") -> None:
    """To standard error: standard output holds the verdict only."""
    print(terminal(words), end=end, file=sys.stderr, flush=True)


def indented(text: str) -> str:
    """Text of the file, set off from ours."""
    return "\n".join(f"   | {line}" for line in text.split("\n"))


def _answer(one: TrialRecord) -> Answer:
    return Answer(stream=Stream(one.stream), index=one.index, outcome=Outcome(str(one.outcome)), digest=one.digest)
