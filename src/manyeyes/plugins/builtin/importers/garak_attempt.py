"""One attempt of a garak report: what was asked, what came back and how each answer was scored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from manyeyes.plugins.builtin.importers import fields
from manyeyes.plugins.builtin.importers.counting import Gathered
from manyeyes.plugins.builtin.importers.scrub import clean
from manyeyes.plugins.builtin.importers.upload import quoted
from manyeyes.plugins.imported import ImportRefused, Missing
from manyeyes.rules.readings import CONFIG, UNKNOWN, Reading
from manyeyes.rules.saying import say as _

OLDEST, NEWEST = (0, 13), (0, 17)
NO_SETTINGS: Final = _("garak does not write down the settings it used; its report lists the defaults of a class only.")


@dataclass
class Attempt:
    """What an attempt with a verdict tells; `scores` has for each detector one score or None per answer."""

    where: str
    uuid: str
    probe: str
    messages: list[dict[str, Any]]
    answers: list[str | None]
    scores: dict[str, list[float | None]]
    goal: str = ""
    triggers: tuple[str, ...] = ()
    attachments: bool = False
    unmatched: bool = False
    threshold: float | None = None


def version_of(value: Any, where: str) -> str:
    """The version of garak that wrote the file. Raises ImportRefused for one whose layout we do not know."""
    if value is None:
        raise ImportRefused("version", "The report does not say which version of garak wrote it.")
    told = fields.text(value, f"{where}: the version of garak")
    match = re.match(r"^(\d{1,4})\.(\d{1,4})", told)
    if not match or not OLDEST <= (int(match[1]), int(match[2])) <= NEWEST:
        raise ImportRefused(
            "version", f"The file is of garak {quoted(told, 30)}; we read 0.13 to 0.17. Send the report as it is."
        )
    return clean(told, 30)


def attempt(row: dict[str, Any], uuid: str, where: str) -> Attempt:
    """An attempt in a line of the report. Raises ImportRefused naming the line and the field."""
    messages, files = turns(row.get("prompt"), f"{where}: prompt")
    outputs = [output(value, f"{where}: outputs") for value in fields.listed(row.get("outputs"), f"{where}: outputs")]
    scores: dict[str, list[float | None]] = {}
    unmatched = False
    for name, values in fields.maybe_mapping(row.get("detector_results"), f"{where}: detector_results").items():
        place = f"{where}: detector_results"
        told = [fields.maybe_number(value, place) for value in fields.listed(values, place)]
        scores[name] = _aligned(told, outputs)
        unmatched = unmatched or len(scores[name]) != len(told)
    notes = row.get("notes")
    triggers = notes.get("triggers") if isinstance(notes, dict) else None
    return Attempt(
        where=where,
        uuid=uuid,
        probe=clean(fields.text(row.get("probe_classname"), f"{where}: probe_classname"), 100),
        messages=messages,
        answers=outputs,
        scores=scores,
        goal=fields.maybe_text(row.get("goal"), f"{where}: goal"),
        triggers=_triggers(triggers),
        attachments=files,
        unmatched=unmatched,
    )


def _aligned(told: list[float | None], outputs: list[str | None]) -> list[float | None]:
    """One verdict for each answer: some detectors give none for a failed call, some give one for every turn."""
    if len(told) == len(outputs):
        return told
    if len(told) == sum(output is not None for output in outputs):
        waiting = iter(told)
        return [None if output is None else next(waiting) for output in outputs]
    return [None] * len(outputs)


def _triggers(value: Any) -> tuple[str, ...]:
    words = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(word for word in words if isinstance(word, str) and word.strip() and len(word) <= 1_000)[:64]


def turns(value: Any, where: str) -> tuple[list[dict[str, Any]], bool]:
    """The messages of a prompt (a conversation, or plain text in older reports), and whether files belong to it."""
    if isinstance(value, str):
        return [{"role": "user", "content": value}], False
    if isinstance(value, dict) and "turns" not in value and "text" in value:
        value = {"turns": [{"role": "user", "content": value}]}
    messages: list[dict[str, Any]] = []
    files = False
    for turn in fields.listed(fields.mapping(value, where).get("turns"), f"{where}.turns"):
        role = fields.text(fields.mapping(turn, where).get("role"), f"{where}.role")
        content = turn.get("content")
        words = content if isinstance(content, str) else fields.mapping(content, f"{where}.content").get("text")
        files = files or (isinstance(content, dict) and content.get("data_path") is not None)
        messages.append({"role": _role(role, where), "content": fields.maybe_text(words, f"{where}.text")})
    return messages, files


def _role(role: str, where: str) -> str:
    known = {"user": "user", "system": "system", "assistant": "assistant", "model": "assistant", "tool": "tool"}
    if role not in known:
        raise ImportRefused("shape", f"{where} has a role that we do not know: {quoted(role, 30)}.")
    return known[role]


def output(value: Any, where: str) -> str | None:
    """An answer; None for a call that failed. Older reports have plain text."""
    if value is None or isinstance(value, str):
        return value
    words = fields.mapping(value, where).get("text")
    return None if words is None else fields.text(words, where)


def attached(found: Gathered) -> tuple[Missing, ...]:
    """What is missing where files belonged to the prompt."""
    why = "The prompt came with a file that is not in the report; add it."
    return (Missing(field="attachments", why=why),) if found.facts.get("attached") else ()


def no_rule(detector: str) -> str:
    """Why there is no success rule."""
    return _("garak names the detector %(name)s but not what it looks for.", name=detector)


def target(named: str) -> tuple[Reading, ...]:
    """The reading of the target: its type and name are all that garak writes down."""
    if not named:
        return (Reading(name=_("Target"), value=_("unknown"), source=UNKNOWN),)
    return (
        Reading(name=_("Target"), value=clean(named, 200), source=CONFIG, note=_("Its address is not in the file.")),
    )
