"""promptfoo: results as JSON, which has the settings, and as JSON lines, which has none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from manyeyes.plugins.builtin.importers import fields
from manyeyes.plugins.builtin.importers.assertions import Rule, rule_of, words_of
from manyeyes.plugins.builtin.importers.counting import Gathered, Outcome, fingerprint, settings_of
from manyeyes.plugins.builtin.importers.drafting import finding
from manyeyes.plugins.builtin.importers.scrub import address, clean
from manyeyes.plugins.imported import Finding, Imported, ImportRefused, Missing, Question, Upload
from manyeyes.rules.readings import CONFIG, SAID, UNKNOWN, Reading
from manyeyes.rules.saying import say as _

ROW_KEYS: Final = {"testIdx", "promptIdx", "provider", "success"}
VERSION = 3
ERROR = 2
POLARITY = "success_means"
CACHED = _("answered from the cache")
NO_SETTINGS_IN_LINES = _("The JSON lines of promptfoo hold no settings; its JSON file does.")
AMBIGUOUS = _("The file does not tell which settings belong to this provider.")
ASKED = Question(
    name=POLARITY,
    asks=_("promptfoo counts a row as passed when its assertions hold. What does a passed row mean here?"),
    choices=(("pass", _("a passed row is a successful attack")), ("fail", _("a failed row is a successful attack"))),
)
HISTORY = ("redteamHistory", "redteamTreeHistory", "redteamFinalPrompt")


@dataclass
class _Run:
    """What the file says beside its rows."""

    version: str = ""
    title: str = ""
    configs: list[dict[str, Any]] = field(default_factory=list)
    columns: list[tuple[str, str]] = field(default_factory=list)
    unknown: str = AMBIGUOUS


class Promptfoo:
    """Reads promptfoo results (JSON and JSON lines). Asks what a passed row means; drops rows from the cache."""

    def recognises(self, upload: Upload) -> bool:
        """A JSON line with the keys of a row, or a document with an eval id and results."""
        row = upload.row()
        if isinstance(row, dict) and row.keys() >= ROW_KEYS:
            return True
        data = row if isinstance(row, dict) else upload.document()
        return isinstance(data, dict) and "results" in data and bool({"evalId", "config"} & data.keys())

    def read(self, upload: Upload, answers: Mapping[str, str]) -> Imported:
        """The findings, one for each prompt with its variables. Raises ImportRefused."""
        passes = _polarity(answers)
        row = upload.row()
        if isinstance(row, dict) and row.keys() >= ROW_KEYS:
            run, form = _Run(unknown=NO_SETTINGS_IN_LINES), "promptfoo JSON lines"
            rows: Iterable[tuple[str, Any]] = upload.rows()
        else:
            run, listed = _document(fields.mapping(upload.document(), "the file"))
            rows, form = ((f"results.results[{place}]", value) for place, value in enumerate(listed)), "promptfoo JSON"
        gathered: dict[str, Gathered] = {}
        for where, value in rows:
            _row(gathered, run, fields.mapping(value, where), where)
        if not gathered:
            raise ImportRefused("empty", "The file holds no rows of results.")
        return Imported(
            tool="promptfoo",
            version=run.version,
            form=form,
            findings=tuple(_finding(found, run, passes) for found in gathered.values()),
            questions=() if passes is not None else (ASKED,),
        )


def _polarity(answers: Mapping[str, str]) -> bool | None:
    said = answers.get(POLARITY)
    if said not in (None, "pass", "fail"):
        raise ImportRefused("answer", f"{POLARITY} must be 'pass' or 'fail'.")
    return None if said is None else said == "pass"


def _document(data: dict[str, Any]) -> tuple[_Run, list[Any]]:
    results = data.get("results")
    if isinstance(results, list):
        raise ImportRefused(
            "version", "The file is of an older promptfoo; export it again with version 0.100 or later."
        )
    results = fields.mapping(results, "results")
    if fields.whole(results.get("version"), "results.version") != VERSION:
        raise ImportRefused("version", f"results.version is {results['version']}; we read version {VERSION}.")
    config = fields.maybe_mapping(data.get("config"), "config")
    metadata = fields.maybe_mapping(data.get("metadata"), "metadata")
    run = _Run(
        version=clean(fields.maybe_text(metadata.get("promptfooVersion"), "metadata.promptfooVersion"), 30),
        title=fields.maybe_text(config.get("description"), "config.description"),
        configs=_providers(config.get("providers")),
    )
    for place, value in enumerate(fields.maybe_listed(results.get("prompts"), "results.prompts")):
        row = fields.mapping(value, f"results.prompts[{place}]")
        provider, prompt = row.get("provider"), row.get("id", row.get("raw"))
        run.columns.append((provider if isinstance(provider, str) else "", str(prompt)))
    return run, fields.listed(results.get("results"), "results.results")


def _providers(value: Any) -> list[dict[str, Any]]:
    """The providers of the configuration, each with id, label and settings; strings name a provider without any."""
    rows: list[dict[str, Any]] = []
    for entry in value if isinstance(value, list) else [value] if value else []:
        if isinstance(entry, str):
            rows.append({"id": entry})
        elif isinstance(entry, dict) and isinstance(entry.get("id"), str):
            rows.append(entry)
        elif isinstance(entry, dict) and len(entry) == 1 and isinstance(next(iter(entry.values())), dict):
            ((name, options),) = entry.items()
            rows.append({"id": name, **options})
        else:
            rows.append({})
    return rows


def _config(run: _Run, provider: Mapping[str, Any], column: int) -> dict[str, Any] | None:
    """The configuration of a row's provider: by label, else by id, else by its column; None where it stays open."""
    label, name = provider.get("label"), provider.get("id")
    for key, wanted in (("label", label), ("id", name)):
        match = [row for row in run.configs if wanted and row.get(key) == wanted]
        if len(match) == 1:
            return match[0]
    prompts = len(dict.fromkeys(prompt for _, prompt in run.columns))
    if prompts and len(run.columns) == prompts * len(run.configs) and 0 <= column < len(run.columns):
        # Every provider has one column for each prompt: the first column of a prompt is that of the first provider.
        same = run.columns[column][1]
        candidate = run.configs[sum(prompt == same for _, prompt in run.columns[:column]) % len(run.configs)]
        if candidate.get("id") == name and candidate.get("label", label) == label:
            return candidate
    return None


def _row(gathered: dict[str, Gathered], run: _Run, row: dict[str, Any], where: str) -> None:
    provider = row.get("provider")
    named = {"id": provider} if isinstance(provider, str) else fields.mapping(provider, f"{where}: provider")
    column = fields.whole(row.get("promptIdx"), f"{where}: promptIdx")
    variables = fields.maybe_mapping(row.get("vars"), f"{where}: vars")
    prompt = fields.mapping(row.get("prompt"), f"{where}: prompt")
    raw = fields.text(prompt.get("raw"), f"{where}: prompt.raw")
    test = fields.maybe_mapping(row.get("testCase"), f"{where}: testCase")
    assertions = _assertions(row, test, where)
    key = fingerprint(raw, variables, assertions)
    if key not in gathered:
        title = fields.maybe_text(test.get("description"), f"{where}: testCase.description") or run.title
        gathered[key] = Gathered(title or raw, _messages(raw))
        gathered[key].facts = {"assertions": assertions, "threshold": test.get("threshold"), "multi": False}
    found = gathered[key]
    config = _config(run, named, column)
    options = fields.maybe_mapping((config or {}).get("config"), "config.providers.config")
    target = " ".join(str(part) for part in (named.get("id"), _endpoint(options)) if part)
    label = named.get("label") or named.get("id") or ""
    if config is None and not named.get("label"):
        label = f"{label} (column {column})"  # two settings of one provider without a label differ in nothing else
    counting = found.at(settings_of(options), label=str(label), target=target)
    response = fields.maybe_mapping(row.get("response"), f"{where}: response")
    outcome = _outcome(row, response, where)
    drop = CACHED if fields.maybe_flag(response.get("cached"), f"{where}: response.cached") else ""
    stop = fields.maybe_text(response.get("finishReason"), f"{where}: response.finishReason")
    counting.add(outcome, drop=drop, stop=stop, source=CONFIG)
    metadata = fields.maybe_mapping(row.get("metadata"), f"{where}: metadata")
    found.facts["multi"] |= any(metadata.get(name) for name in HISTORY)
    if not drop:
        found.saw(
            outcome, _answer(response.get("output")), f"row {row['id']}" if isinstance(row.get("id"), str) else ""
        )


def _endpoint(options: Mapping[str, Any]) -> str:
    url = options.get("apiBaseUrl", options.get("url"))
    return f"at {address(url)}" if isinstance(url, str) and url else ""


def _assertions(row: Mapping[str, Any], test: Mapping[str, Any], where: str) -> list[Any]:
    told = test.get("assert")
    if told is not None:
        return fields.listed(told, f"{where}: testCase.assert")
    grading = fields.maybe_mapping(row.get("gradingResult"), f"{where}: gradingResult")
    parts = fields.maybe_listed(grading.get("componentResults"), f"{where}: componentResults")
    return [part["assertion"] for part in parts if isinstance(part, dict) and isinstance(part.get("assertion"), dict)]


def _outcome(row: Mapping[str, Any], response: Mapping[str, Any], where: str) -> Outcome:
    """An error is no outcome: the reason says so, and in files without reasons a row without grading and answer."""
    reason = row.get("failureReason")
    if reason is not None and fields.whole(reason, f"{where}: failureReason") == ERROR:
        return "error"
    passed = fields.maybe_flag(row.get("success"), f"{where}: success")
    if not passed and (response.get("error") or (row.get("gradingResult") is None and response.get("output") is None)):
        return "error"
    return "undetermined" if passed is None else "yes" if passed else "no"


def _answer(output: Any) -> str:
    if isinstance(output, str):
        return output
    return "" if output is None else json.dumps(output, ensure_ascii=False)


def _messages(raw: str) -> list[dict[str, Any]]:
    """A prompt as messages: a chat as JSON, else one message of the user. Empty where the form is not known."""
    text = raw.strip()
    if not text.startswith(("[", "{", "- role:")):
        return [{"role": "user", "content": raw}]
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return [] if text.startswith("- role:") else [{"role": "user", "content": raw}]
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "role" in row for row in rows):
        return [{"role": "user", "content": raw}]
    messages = [{"role": row["role"], "content": row.get("content")} for row in rows]
    known = all(row["role"] in ("system", "user", "assistant") and isinstance(row["content"], str) for row in messages)
    return messages if known else []


def _finding(found: Gathered, run: _Run, passes: bool | None) -> Finding:
    assertions: Sequence[Any] = found.facts["assertions"]
    rule: Rule | None = None
    why: str = _("What a passed row means is not known yet.")
    if passes is not None:
        rule, why = rule_of(assertions, attack_passes=passes)
        if found.facts["threshold"] is not None:
            rule, why = None, _("The test passes by a threshold over several assertions.")
    words = words_of(assertions)
    missing = []
    if not found.messages:
        missing.append(Missing(field="conversation", why="The prompt is a chat in a form that we do not read."))
    if found.facts["multi"]:
        why_multi = (
            "A strategy of promptfoo asked over several turns; the file has the last prompt only. Add the turns."
        )
        missing.append(Missing(field="conversation", why=why_multi))
    targets = dict.fromkeys(counting.target for counting in found.counts.values())
    told = [Reading(name=_("Target"), value=clean(", ".join(targets), 300) or _("unknown"), source=CONFIG)]
    told.append(Reading(name=_("Assertions"), value=words, source=CONFIG if assertions else UNKNOWN))
    meaning = {None: _("unknown"), True: _("a passed row is a success"), False: _("a failed row is a success")}[passes]
    note = "" if passes is not None else ASKED.asks
    told.append(Reading(name=_("A pass means"), value=meaning, source=UNKNOWN if passes is None else SAID, note=note))
    return finding(
        found,
        tool="promptfoo",
        version=run.version,
        attack_passes=passes,
        success=rule,
        no_success=why,
        success_source=SAID,
        said=(_("%(rule)s: holds", rule=words) if passes else _("%(rule)s: does not hold", rule=words)) if rule else "",
        readings=told,
        missing=missing,
        unknown=run.unknown,
    )
