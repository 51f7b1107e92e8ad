"""Everything a page of evidence needs of one replay, read once: what was planned, what came, how the evidence grew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator

from manyeyes.engine import evidence_path, exact_interval
from manyeyes.engine.path import PathPoint
from manyeyes.engine.plan import Answer, Outcome, Plan, Question, Stream
from manyeyes.replays.models import Replay, Trial
from manyeyes.replays.rows import to_record
from manyeyes.replays.transcript import transcript
from manyeyes.rules.numerals import many, target_percent
from manyeyes.rules.sentences import setting_words as knob_words
from manyeyes.runs.document import CellRequest, PlanDocument

PAGE = 25
CLAIM_CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One trial as it happened, with all that was said. Every text in it is hostile until shown inert."""

    stream: str
    index: int
    setting: str
    setting_words: str
    wording: str
    part: str
    outcome: str
    origin: str
    overrun: bool
    messages: tuple[Mapping[str, str], ...]
    params: Mapping[str, Any]
    answer: str
    after: tuple[Mapping[str, str], ...]
    sent: str
    bodies: tuple[str, ...]
    seed: int
    model: str | None
    finish_reason: str | None
    http_status: int | None
    tokens_in: int | None
    tokens_out: int | None
    ms: int
    attempts: int
    at: datetime | None
    useful: bool

    @property
    def came_out(self) -> str:
        """What came of it in words; a harmless question of a verification succeeds by being answered."""
        words = ("a useful answer", "not a useful answer") if self.useful else ("it worked", "it did not work")
        return {str(Outcome.SUCCESS): words[0], str(Outcome.FAILURE): words[1]}.get(self.outcome, "undecided")


@dataclass(frozen=True, kw_only=True)
class WordingRow:
    """One wording of the scored mixture: its text, and how many of its trials succeeded."""

    wording: str
    part: str
    method: str
    text: str
    n: int
    k: int

    @property
    def passes(self) -> bool:
        """Whether the exploit was seen to work in this wording."""
        return self.k > 0


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One replay, ready to be shown. `verdict` has the keys of DESIGN §7, and is None until there is one."""

    replay: Replay
    document: PlanDocument
    verdict: dict[str, Any] | None
    settings: tuple[dict[str, Any], ...]
    parts: tuple[dict[str, Any], ...]
    arms: Mapping[str, dict[str, Any]]
    checks: tuple[dict[str, Any], ...]
    path: tuple[PathPoint, ...]
    outcomes: tuple[str, ...]
    wordings: tuple[WordingRow, ...]
    first_success: Exchange | None
    claim: dict[str, Any] | None
    facts: tuple[tuple[str, str], ...]

    @property
    def plan(self) -> Plan:
        """The frozen plan of the engine."""
        return self.document.plan

    @property
    def word(self) -> str:
        """The verdict's word; empty until there is one."""
        return self.replay.verdict_word

    @property
    def is_verify(self) -> bool:
        """Whether it asks if a fix holds."""
        return self.plan.question is Question.VERIFY

    @property
    def threshold(self) -> float:
        """The e-value at which a boundary is reached."""
        return 1 / self.plan.alpha

    @property
    def rated(self) -> dict[str, Any] | None:
        """The row of the rated setting, whose fixed-n rate is the one that is scored."""
        return next((row for row in self.settings if row["rated"]), None)

    @property
    def cost(self) -> str:
        """What it cost, for the team only; empty where no price is known."""
        spent = (self.verdict or {}).get("cost")
        return "" if spent is None else f"{spent:.2f} {(self.verdict or {}).get('currency') or ''}".strip()

    @property
    def passing(self) -> tuple[WordingRow, ...]:
        """The wordings in which the exploit still worked."""
        return tuple(row for row in self.wordings if row.passes)

    def exchanges(self, page: Any = 1, *, stream: str = "", outcome: str = "", size: int = PAGE) -> Page[Exchange]:
        """One page of exchanges in index order; only the page's own rows are decrypted."""
        rows = self.replay.trials.order_by("stream", "index")
        if stream in set(Stream):
            rows = rows.filter(stream=stream)
        if outcome in set(Outcome):
            rows = rows.filter(outcome=outcome)
        found: Page[Any] = Paginator(rows, size).get_page(page)
        found.object_list = [_exchange(self.document, row) for row in found.object_list]
        return found


def load(replay: Replay) -> Evidence:
    """Read the replay: its verdict where there is one, else how far it has come."""
    document = PlanDocument.from_json(replay.document)
    verdict: dict[str, Any] | None = replay.verdict
    trials = list(replay.trials.order_by("stream", "index"))
    main = _prefix([row for row in trials if row.stream == Stream.MAIN])
    read = main[: verdict["n"]] if verdict else main
    return Evidence(
        replay=replay,
        document=document,
        verdict=verdict,
        settings=tuple({**row, "words": setting_words(document, row["setting"])} for row in _rows(verdict, "settings")),
        parts=tuple(_rows(verdict, "parts")),
        arms={row["arm"]: row for row in _rows(verdict, "arms")},
        checks=tuple(_rows(verdict, "checks")),
        path=_path(document.plan, read, trials),
        outcomes=tuple(row.outcome for row in read),
        wordings=_wordings(document, trials),
        first_success=_first_success(document, read),
        claim=_claim(document, verdict),
        facts=_facts(replay, document, verdict),
    )


def result(replay: Replay) -> dict[str, Any]:
    """The result as the command line prints it; empty until there is one."""
    return dict(replay.verdict or {})


def exchange(replay: Replay, stream: str, index: int) -> Exchange | None:
    """What one trial said, or None when it was not made."""
    row = replay.trials.filter(stream=stream, index=index).first()
    return None if row is None else _exchange(PlanDocument.from_json(replay.document), row)


def setting_words(document: PlanDocument, setting: str) -> str:
    """A setting in words, from the knobs that were named; the others are unknown and stay unsaid."""
    return knob_words(document.knobs.get(setting, {})) or setting or "setting not stated"


def _rows(verdict: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    return list(verdict.get(name, ())) if verdict else []


def _prefix(rows: list[Trial]) -> list[Trial]:
    """The trials from the first on without a gap: what the rule may look at."""
    return [row for place, row in enumerate(rows) if row.index == place and row.outcome]


def _path(plan: Plan, main: list[Trial], trials: list[Trial]) -> tuple[PathPoint, ...]:
    if plan.question not in (Question.REPRODUCE, Question.VERIFY):
        return ()
    control = _prefix([row for row in trials if row.stream == Stream.CONTROL]) if plan.control else []
    n = min(len(main), len(control)) if plan.control else len(main)
    return evidence_path(
        plan, [_answer(row) for row in main[:n]], control=[_answer(row) for row in control[: n if plan.control else 0]]
    )


def _answer(row: Trial) -> Answer:
    return Answer(stream=Stream(row.stream), index=row.index, outcome=Outcome(row.outcome), digest=row.said("digest"))


def _wordings(document: PlanDocument, trials: list[Trial]) -> tuple[WordingRow, ...]:
    tried: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    for row in trials:
        if row.stream in (Stream.MAIN, Stream.ATTRIBUTE) and not row.overrun and row.cell in document.requests:
            name = document.requests[row.cell].wording
            tried[name] += 1
            hit[name] += row.outcome == Outcome.SUCCESS
    seen: dict[str, WordingRow] = {}
    for cell in document.plan.cells:
        request = document.requests.get(cell.key)
        if request is not None and request.wording not in seen:
            seen[request.wording] = WordingRow(
                wording=request.wording,
                part=request.part,
                method=request.method,
                text=request.asked,
                n=tried[request.wording],
                k=hit[request.wording],
            )
    return tuple(seen.values())


def _first_success(document: PlanDocument, main: list[Trial]) -> Exchange | None:
    found = next((row for row in main if row.outcome == Outcome.SUCCESS), None)
    return None if found is None else _exchange(document, found)


def _claim(document: PlanDocument, verdict: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the researcher claimed, with the exact interval of its fixed n, and where it lies beside what was measured.

    `place` is below, inside or above the measured interval; empty where the two cannot be compared.
    """
    successes, n = document.claim.get("successes"), document.claim.get("trials")
    if successes is None or not n:
        return None
    low, high = exact_interval(successes, n, confidence=CLAIM_CONFIDENCE)
    place = ((verdict or {}).get("claim") or {}).get("place", "")
    claim = {"k": successes, "n": n, "asr": successes / n, "low": low, "high": high, "confidence": CLAIM_CONFIDENCE}
    return {**claim, "place": place}


def _facts(replay: Replay, document: PlanDocument, verdict: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    plan = document.plan
    verify = plan.question is Question.VERIFY
    sought = f"below {target_percent(plan.tau)} per try" if verify else f"{target_percent(plan.p_min)} or more"
    rows = [
        ("Question", "does the fix hold" if verify else "does it happen, and how often"),
        ("Target rate" if verify else "Looks for", sought),
        ("Error rates", f"{target_percent(plan.alpha)} wrongly sure, {target_percent(plan.beta)} missed"),
        ("Cap", many(plan.cap, "scored trial")),
        ("Retry budget", many(plan.retry_budget, "try", "tries")),
        ("Wordings", str(len({cell.wording for cell in plan.cells}))),
        ("Settings", ", ".join(dict.fromkeys(setting_words(document, cell.setting) for cell in plan.cells))),
        *[("Played in", row) for row in document.played_in],
        ("Target version", str(replay.main_version or document.targets["main"].label or "not stated")),
        ("Made by", "hand" if replay.mode == Replay.Mode.MANUAL else "the worker"),
        ("Plan", document.hash[:16]),
        ("Calls", f"{replay.calls or (verdict or {}).get('calls', 0)}"),
    ]
    if replay.unanswered:
        rows.append(("Calls without a stored answer", str(replay.unanswered)))
    return tuple(rows)


def _exchange(document: PlanDocument, row: Trial) -> Exchange:
    request = document.requests.get(row.cell) or CellRequest(messages=())
    said = transcript(request, to_record(row))
    return Exchange(
        stream=row.stream,
        index=row.index,
        setting=request.setting,
        setting_words=setting_words(document, request.setting),
        wording=request.wording,
        part=request.part,
        outcome=row.outcome,
        origin=row.origin,
        overrun=row.overrun,
        messages=said.before,
        params=request.params,
        answer=row.said("answer") or "",
        after=said.after,
        sent=said.sent[-1] if said.sent else "",
        bodies=said.sent,
        seed=row.seed,
        model=row.said("model"),
        finish_reason=row.said("finish_reason"),
        http_status=row.http_status,
        tokens_in=row.tokens_in,
        tokens_out=row.tokens_out,
        ms=row.ms,
        attempts=row.attempts,
        at=row.started_at,
        useful=request.detector == "useful",
    )
