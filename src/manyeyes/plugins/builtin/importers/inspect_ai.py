"""Inspect: evaluation logs as JSON and as `.eval` archives; counts come from the samples, never from the results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from manyeyes.plugins.builtin.importers import fields
from manyeyes.plugins.builtin.importers.archive import MAGIC, Archive
from manyeyes.plugins.builtin.importers.counting import Gathered, Outcome, fingerprint, settings_of
from manyeyes.plugins.builtin.importers.drafting import finding
from manyeyes.plugins.builtin.importers.inspect_sample import Sample, sample_of
from manyeyes.plugins.builtin.importers.scrub import clean
from manyeyes.plugins.builtin.importers.upload import quoted
from manyeyes.plugins.imported import Finding, Imported, ImportRefused, Missing, Upload
from manyeyes.rules.readings import CONFIG, SAID, UNKNOWN, Reading
from manyeyes.rules.saying import say as _

VERSION: Final = 2
POLARITY = "success_means"
CACHED = _("answered from the cache")
REPEATED = _("an epoch that stands in the file twice")
NO_SCORER = "no scorer"
INVALID = _("marked as invalid in the log")
CORRECT = _("The scorer's word for a success is C (correct). If that means that the defence held, say so.")


@dataclass
class _Log:
    """What the header says."""

    version: str = ""
    task: str = ""
    model: str = ""
    status: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    scorers: dict[str, dict[str, Any]] = field(default_factory=dict)
    invalid: bool = False


class Inspect:
    """Reads Inspect logs (`.json` and `.eval`). Counts epochs by sample; keeps filter and length stops; drops cache."""

    def recognises(self, upload: Upload) -> bool:
        """An archive with a header or a journal, or a document with `eval` and `status`."""
        if upload.head.startswith(MAGIC):
            return bool({"header.json", "_journal/start.json"} & set(Archive(upload).names))
        row = upload.row()
        data = row if isinstance(row, dict) else upload.document()
        return isinstance(data, dict) and "eval" in data and bool({"plan", "samples", "status"} & data.keys())

    def read(self, upload: Upload, answers: Mapping[str, str]) -> Imported:
        """The findings, one for each sample and scorer. Raises ImportRefused."""
        passes = _polarity(answers)
        if upload.head.startswith(MAGIC):
            archive = Archive(upload)
            name = "header.json" if "header.json" in archive.names else "_journal/start.json"
            header, form = fields.mapping(archive.data(name), name), "Inspect .eval"
            samples: Iterator[tuple[str, Any]] = (
                (member, archive.data(member))
                for member in archive.names
                if member.startswith("samples/") and member.endswith(".json")
            )
        else:
            header, form = fields.mapping(upload.document(), "the file"), "Inspect JSON"
            listed = fields.maybe_listed(header.get("samples"), "samples")
            samples = ((f"samples[{place}]", value) for place, value in enumerate(listed))
        log = _header(header)
        gathered = _gather(log, samples)
        if not gathered:
            raise ImportRefused("empty", "The log holds no samples; write it with samples (log_samples).")
        return Imported(
            tool="Inspect",
            version=log.version,
            form=form,
            findings=tuple(_finding(found, log, passes, POLARITY in answers) for found in gathered.values()),
            readings=(
                Reading(name=_("Target"), value=log.model or _("unknown"), source=CONFIG if log.model else UNKNOWN),
            ),
            notes=_notes(log),
        )


def _polarity(answers: Mapping[str, str]) -> bool:
    """In Inspect a success has a word of its own, correct; it is read so, said so, and can be turned."""
    said = answers.get(POLARITY, "pass")
    if said not in ("pass", "fail"):
        raise ImportRefused("answer", f"{POLARITY} must be 'pass' or 'fail'.")
    return said == "pass"


def _header(data: dict[str, Any]) -> _Log:
    if fields.whole(data.get("version", VERSION), "version") != VERSION or "version" not in data:
        raise ImportRefused(
            "version", f"The log has version {quoted(str(data.get('version')), 30)}; we read version {VERSION}."
        )
    spec = fields.mapping(data.get("eval"), "eval")
    plan = fields.maybe_mapping(data.get("plan"), "plan")
    log = _Log(
        task=fields.maybe_text(spec.get("task"), "eval.task"),
        model=clean(fields.maybe_text(spec.get("model"), "eval.model"), 200),
        status=clean(fields.maybe_text(data.get("status"), "status"), 30),
        config=fields.maybe_mapping(plan.get("config"), "plan.config"),
        invalid=bool(fields.maybe_flag(data.get("invalidated"), "invalidated")),
    )
    packages = fields.maybe_mapping(spec.get("packages"), "eval.packages")
    log.version = clean(fields.maybe_text(packages.get("inspect_ai"), "eval.packages.inspect_ai"), 30)
    for place, value in enumerate(fields.maybe_listed(spec.get("scorers"), "eval.scorers")):
        row = fields.mapping(value, f"eval.scorers[{place}]")
        name = fields.text(row.get("name"), f"eval.scorers[{place}].name")
        log.scorers[name] = fields.maybe_mapping(row.get("options"), f"eval.scorers[{place}].options")
    return log


def _notes(log: _Log) -> tuple[str, ...]:
    notes = []
    if log.status != "success":
        notes.append(f"The log says its run ended with {log.status or 'no status'}; the samples it has are counted.")
    if log.invalid:
        notes.append("The log is marked as invalid by its owner.")
    return tuple(notes)


def _gather(log: _Log, samples: Iterator[tuple[str, Any]]) -> dict[str, Gathered]:
    gathered: dict[str, Gathered] = {}
    scorers: dict[str, dict[str, None]] = {}
    waiting: list[tuple[Sample, str]] = []
    seen: set[tuple[str, int]] = set()
    for where, value in samples:
        sample = sample_of(fields.mapping(value, where), where, log.model)
        drop = REPEATED if (sample.id, sample.epoch) in seen else ""
        seen.add((sample.id, sample.epoch))
        if not sample.outcomes:
            waiting.append((sample, drop))
        for scorer, outcome in sample.outcomes.items():
            scorers.setdefault(sample.id, {})[scorer] = None
            _count(_found(gathered, log, sample, scorer), log, sample, outcome, drop)
    for sample, drop in waiting:
        # An epoch without any score belongs to every scorer that the other epochs of its sample have.
        for scorer in scorers.get(sample.id, {NO_SCORER: None}):
            outcome = "error" if sample.failed else "undetermined"
            _count(_found(gathered, log, sample, scorer), log, sample, outcome, drop)
    return gathered


def _found(gathered: dict[str, Gathered], log: _Log, sample: Sample, scorer: str) -> Gathered:
    key = fingerprint(sample.id, scorer)
    if key not in gathered:
        gathered[key] = Gathered(f"{log.task} {sample.id}".strip(), sample.messages)
        gathered[key].facts = {"scorer": scorer, "first": sample, "best": None}
    return gathered[key]


def _count(found: Gathered, log: _Log, sample: Sample, outcome: Outcome, drop: str) -> None:
    setting = settings_of(*((sample.setting,) if sample.setting else (log.config,)))
    counting = found.at(setting, target=log.model)
    reason = drop or (INVALID if sample.invalid else CACHED if sample.cached else "")
    if counting.add(outcome, drop=reason, stop=sample.stop, source=sample.source) and found.facts["best"] is None:
        found.facts["best"] = sample
        found.messages = sample.messages or found.messages
    if not reason:
        found.saw(outcome, sample.answer, f"sample {sample.id} epoch {sample.epoch}")


def _finding(found: Gathered, log: _Log, passes: bool, told: bool) -> Finding:
    sample: Sample = found.facts["best"] or found.facts["first"]
    scorer = found.facts["scorer"]
    rule, said = _rule(scorer, log, sample, passes)
    missing = [Missing(field=name, why=why) for name, why in sample.lacks]
    meaning = _("correct is a success") if passes else _("correct is a failure")
    return finding(
        found,
        tool="Inspect",
        version=log.version,
        attack_passes=passes,
        success=rule,
        no_success=_("The log does not tell how the scorer %(name)s decides.", name=repr(clean(scorer, 60))),
        said=said,
        words_source=sample.words_source,
        missing=missing,
        extra=sample.extra,
        readings=(
            Reading(name=_("Scorer"), value=clean(scorer, 100), source=CONFIG),
            Reading(
                name=_("A success is"), value=meaning, source=SAID if told else CONFIG, note="" if told else CORRECT
            ),
            *sample.readings,
        ),
    )


def _rule(scorer: str, log: _Log, sample: Sample, passes: bool) -> tuple[dict[str, Any] | None, str]:
    """The rule of the scorer `includes`: the answer holds the target text, or one of several."""
    if scorer.removeprefix("inspect_ai/") != "includes" or not sample.target:
        return None, ""
    options = log.scorers.get(scorer, log.scorers.get("includes", {}))
    exact = options.get("ignore_case") is False
    if options.get("ignore_case") not in (None, True, False) or len(sample.target) > 32:
        return None, ""
    each = [{"contains": {"text": word, "case": True} if exact else word} for word in sample.target]
    rule: dict[str, Any] = each[0] if len(each) == 1 else {"any": each}
    words = clean(", ".join(repr(word) for word in sample.target), 280)
    if not passes:
        return {"not": rule}, _("the answer does not contain %(words)s", words=words)
    return rule, _("the answer contains %(words)s", words=words)
