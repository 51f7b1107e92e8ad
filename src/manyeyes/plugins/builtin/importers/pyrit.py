"""PyRIT: the memory as a SQLite file or a dump of its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from manyeyes.plugins.builtin.importers import fields
from manyeyes.plugins.builtin.importers.counting import Gathered, Outcome, fingerprint, settings_of
from manyeyes.plugins.builtin.importers.drafting import finding
from manyeyes.plugins.builtin.importers.scrub import address, clean
from manyeyes.plugins.builtin.importers.tables import MAGIC, VERSION_TABLE, Tables, tables_of
from manyeyes.plugins.builtin.importers.upload import quoted
from manyeyes.plugins.imported import Finding, Imported, ImportRefused, Missing, Upload
from manyeyes.rules.readings import CONFIG, UNKNOWN, Reading
from manyeyes.rules.saying import say as _

OUTCOMES: Final[Mapping[str, Outcome]] = {
    "success": "yes",
    "failure": "no",
    "undetermined": "undetermined",
    "error": "error",
}
RETRIED = _("retried until success, so no fair trial")
ROLES = {
    "user": "user", "system": "system", "assistant": "assistant", "simulated_assistant": "assistant", "tool": "tool",
    "developer": "system",
}  # fmt: skip
Messages = list[dict[str, Any]]
EXTRA_BODY = _("PyRIT drops extra body parameters, so what else was sent is unknown.")
SCORES_ONLY = _("This memory has no attack results; true and false scores of its answers are counted instead.")


@dataclass
class _Trial:
    conversation: str
    outcome: Outcome
    objective: str = ""
    drop: str = ""
    scorer: dict[str, Any] = field(default_factory=dict)
    last: str = ""
    turns: int | None = None


class PyRIT:
    """Reads a PyRIT memory (SQLite, opened as a private copy) or a dump of its tables. Errors are kept apart."""

    def recognises(self, upload: Upload) -> bool:
        """A SQLite file, or a document with the tables of a memory."""
        if upload.head.startswith(MAGIC):
            return True
        row = upload.row()
        data = row if isinstance(row, dict) else upload.document()
        return isinstance(data, dict) and isinstance(data.get("PromptMemoryEntries"), list)

    def read(self, upload: Upload, answers: Mapping[str, str]) -> Imported:
        """The findings, one for each text that was sent. Raises ImportRefused."""
        tables = tables_of(upload)
        memory = _Memory(tables)
        trials = list(memory.attacks()) or list(memory.scored())
        if not trials:
            raise ImportRefused("empty", "The memory holds no attack result and no score.")
        gathered: dict[str, Gathered] = {}
        for trial in trials:
            _count(gathered, memory, trial)
        return Imported(
            tool="PyRIT",
            version=memory.version,
            form="PyRIT memory" if upload.head.startswith(MAGIC) else "PyRIT dump",
            findings=tuple(_finding(found, memory) for found in gathered.values()),
            notes=(*_layout(tables), *(() if tables["AttackResultEntries"] else (SCORES_ONLY,))),
        )


TRIED = frozenset({"8d1e3f5a7b9c"})
"""Layouts of the memory that this reader was tried on, as PyRIT numbers them."""


def _layout(tables: Tables) -> tuple[str, ...]:
    """A note where the memory is of a layout that this reader was not tried on."""
    told = {clean(str(row.get("version_num", "")), 40) for row in tables.get(VERSION_TABLE, ())} - TRIED
    if not told:
        return ()
    return (
        f"The memory has the layout {', '.join(sorted(told))}, written by a version that we do not know: it was read "
        "by the names of its columns, so look at the counts twice.",
    )


class _Memory:
    """The tables, joined the way PyRIT joins them."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.messages: dict[str, list[dict[str, Any]]] = {}
        for place, row in enumerate(tables["PromptMemoryEntries"]):
            where = f"PromptMemoryEntries[{place}]"
            fields.whole(row.get("sequence"), f"{where}.sequence")
            conversation = fields.text(row.get("conversation_id"), f"{where}.conversation_id")
            self.messages.setdefault(conversation, []).append(row)
        for rows in self.messages.values():
            rows.sort(key=lambda row: int(row["sequence"]))
        self.targets = _by(tables["TargetIdentifiers"], "hash")
        self.scorers = _by(tables["ScorerIdentifiers"], "hash")
        self.conversations = _by(tables["Conversations"], "conversation_id")
        self.scores = _by(tables["ScoreEntries"], "id")
        self.version = self._version()

    def _version(self) -> str:
        for row in self.tables["TargetIdentifiers"]:
            told = fields.maybe_mapping(row.get("identifier_json"), "TargetIdentifiers.identifier_json")
            if isinstance(told.get("pyrit_version"), str):
                return clean(told["pyrit_version"], 30)
        return ""

    def target(self, conversation: str) -> dict[str, Any]:
        """What is known of the target of a conversation: its identifier, of the conversation or of the old layout."""
        row = self.conversations.get(conversation, {})
        told = fields.maybe_mapping(row.get("target_identifier"), "Conversations.target_identifier")
        if not told:
            known = self.targets.get(str(row.get("target_identifier_hash")), {})
            told = fields.maybe_mapping(known.get("identifier_json"), "TargetIdentifiers.identifier_json")
        if not told:
            for message in self.messages.get(conversation, ()):
                where = "PromptMemoryEntries.prompt_target_identifier"
                told = told or fields.maybe_mapping(message.get("prompt_target_identifier"), where)
        return told

    def attacks(self) -> Iterator[_Trial]:
        """One trial for each attack result."""
        for place, row in enumerate(self.tables["AttackResultEntries"]):
            where = f"AttackResultEntries[{place}]"
            told = fields.text(row.get("outcome"), f"{where}.outcome").lower()
            if told not in OUTCOMES:
                raise ImportRefused("shape", f"{where}.outcome is {quoted(told, 30)}, which we do not know.")
            score = self.scores.get(str(row.get("last_score_id")), {})
            identifier = row.get("atomic_attack_identifier") or row.get("attack_identifier")
            turns = row.get("executed_turns")
            yield _Trial(
                conversation=fields.text(row.get("conversation_id"), f"{where}.conversation_id"),
                outcome=OUTCOMES[told],
                objective=fields.maybe_text(row.get("objective"), f"{where}.objective"),
                drop=RETRIED if _retries(identifier) else "",
                scorer=self.scorer(score),
                last=str(row.get("last_response_id") or ""),
                turns=None if turns is None else fields.whole(turns, f"{where}.executed_turns"),
            )

    def scored(self) -> Iterator[_Trial]:
        """One trial for each true or false score of an answer, where the memory has no attack results."""
        owner = {str(row.get("id")): name for name, rows in self.messages.items() for row in rows}
        seen: set[str] = set()
        for place, score in enumerate(self.tables["ScoreEntries"]):
            where = f"ScoreEntries[{place}]"
            response = str(score.get("prompt_request_response_id"))
            if score.get("score_type") != "true_false" or response not in owner or response in seen:
                continue
            seen.add(response)
            value = fields.maybe_text(score.get("score_value"), f"{where}.score_value").lower()
            outcome: Outcome = "yes" if value == "true" else "no" if value == "false" else "undetermined"
            if score.get("status") not in (None, "complete"):
                outcome = "undetermined"
            yield _Trial(owner[response], outcome, scorer=self.scorer(score), last=response)

    def scorer(self, score: Mapping[str, Any]) -> dict[str, Any]:
        """The identifier of the scorer that gave a score."""
        told = fields.maybe_mapping(score.get("scorer_class_identifier"), "ScoreEntries.scorer_class_identifier")
        if told:
            return told
        known = self.scorers.get(str(score.get("scorer_identifier_hash")), {})
        return fields.maybe_mapping(known.get("identifier_json"), "ScorerIdentifiers.identifier_json")


def _by(rows: Sequence[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in rows if isinstance(row.get(key), str)}


def _retries(identifier: Any) -> bool:
    """Whether the attack tried again until it succeeded: such a result is no fair trial."""
    waiting = [identifier]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            many = node.get("max_attempts_on_failure")
            if isinstance(many, int) and many > 0:
                return True
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return False


def _count(gathered: dict[str, Gathered], memory: _Memory, trial: _Trial) -> None:
    rows = memory.messages.get(trial.conversation, [])
    last: dict[str, Any] = next((row for row in reversed(rows) if row.get("role") == "assistant"), {})
    answer = next((row for row in rows if trial.last and str(row.get("id")) == trial.last), last)
    messages, facts = _conversation(rows, answer)
    key = fingerprint(messages, trial.objective, trial.scorer.get("hash") or trial.scorer)
    if key not in gathered:
        gathered[key] = Gathered(trial.objective or "PyRIT attack", messages)
        gathered[key].facts = {"scorer": trial.scorer, **facts, "turns": trial.turns, "targets": {}}
    found = gathered[key]
    target = memory.target(trial.conversation)
    name = " ".join(_target_words(target))
    counting = found.at(settings_of(target), target=name)
    outcome = trial.outcome
    if outcome in ("yes", "no") and answer.get("response_error") not in (None, "none", "blocked"):
        outcome = "error"
    stop = "blocked" if answer.get("response_error") == "blocked" else ""
    counting.add(outcome, drop=trial.drop, stop=stop, source=CONFIG)
    found.facts["targets"][name] = None
    if not trial.drop:
        value = answer.get("converted_value")
        words = value if isinstance(value, str) else ""
        found.saw(outcome, words, f"conversation {trial.conversation}")
        if outcome in ("yes", "no"):
            found.facts.setdefault("decided", []).append((words, outcome == "yes"))


def _conversation(rows: Messages, answer: Mapping[str, Any]) -> tuple[Messages, dict[str, Any]]:
    """What was sent before the last answer, and what a person should know about it."""
    messages: Messages = []
    converters: dict[str, None] = {}
    files = simulated = False
    for row in rows:
        if answer and row is answer:
            break
        role = fields.text(row.get("role"), "PromptMemoryEntries.role")
        files |= row.get("converted_value_data_type") not in (None, "text")
        simulated |= role == "simulated_assistant"
        for one in fields.maybe_listed(row.get("converter_identifiers"), "PromptMemoryEntries.converter_identifiers"):
            told = fields.mapping(one, "PromptMemoryEntries.converter_identifiers")
            converters[clean(str(told.get("class_name", told.get("__type__", "unknown"))), 60)] = None
        words = fields.maybe_text(row.get("converted_value"), "PromptMemoryEntries.converted_value")
        if role not in ROLES:
            raise ImportRefused("shape", f"PromptMemoryEntries.role is {quoted(role, 30)}, which we do not know.")
        messages.append({"role": ROLES[role], "content": words})
    return messages, {"files": files, "simulated": simulated, "converters": list(converters)}


def _target_words(target: Mapping[str, Any]) -> Iterator[str]:
    for name in ("class_name", "__type__", "model_name"):
        if isinstance(target.get(name), str) and target[name]:
            yield clean(target[name], 80)
    if isinstance(target.get("endpoint"), str) and target["endpoint"]:
        yield f"at {address(target['endpoint'])}"


def _finding(found: Gathered, memory: _Memory) -> Finding:
    scorer: dict[str, Any] = found.facts["scorer"]
    name = clean(str(scorer.get("class_name", scorer.get("__type__", "unknown"))), 80)
    rule, said = _rule(scorer, name, found.facts.get("decided", ()))
    missing = []
    if found.facts["files"]:
        why = "A message is an image, a sound or a file, which the memory names by its place only; add it."
        missing.append(Missing(field="attachments", why=why))
    targets = ", ".join(target for target in found.facts["targets"] if target)
    readings = [
        Reading(
            name=_("Target"), value=targets or _("unknown"), source=CONFIG if targets else UNKNOWN, note=EXTRA_BODY
        ),
        Reading(name=_("Scorer"), value=name, source=CONFIG if scorer else UNKNOWN),
    ]
    if found.facts["converters"]:
        words = ", ".join(found.facts["converters"])
        readings.append(
            Reading(
                name=_("Converters"),
                value=words,
                source=CONFIG,
                note=_("The converted text, as sent, is in the draft."),
            )
        )
    if found.facts["simulated"]:
        note = _("An answer in it was written by the attacker and never said by the target.")
        readings.append(Reading(name=_("Simulated answers"), value=_("yes"), source=CONFIG, note=note))
    live = any(message["role"] == "assistant" for message in found.messages) and not found.facts["simulated"]
    return finding(
        found,
        tool="PyRIT",
        version=memory.version,
        success=rule,
        no_success=_("The memory names the scorer %(name)s but not what it looks for.", name=name),
        said=said,
        readings=readings,
        missing=missing,
        extra={"turns": "fixed"} if live else None,
    )


def _rule(
    scorer: Mapping[str, Any], name: str, decided: Sequence[tuple[str, bool]]
) -> tuple[dict[str, Any] | None, str]:
    """The rule of a substring scorer, if it decides every answer as PyRIT did; whether capitals matter is not told."""
    word = scorer.get("substring")
    if name != "SubStringScorer" or not isinstance(word, str) or not word.strip():
        return None, ""
    quote = clean(repr(word), 280)
    if all((word.lower() in answer.lower()) == hit for answer, hit in decided):
        return {"contains": word}, _("the answer contains %(words)s", words=quote)
    if all((word in answer) == hit for answer, hit in decided):
        return {"contains": {"text": word, "case": True}}, _(
            "the answer contains %(words)s, capitals as written", words=quote
        )
    return None, ""
