"""One sample of an Inspect log: what was sent, with which settings, what came back, and how it was scored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from manyeyes.plugins.builtin.importers import fields
from manyeyes.plugins.builtin.importers.counting import Outcome
from manyeyes.plugins.builtin.importers.scrub import clean
from manyeyes.rules.readings import CONFIG, SENT, Reading, Source
from manyeyes.rules.saying import say as _

ATTACHMENT = "attachment://"
VALUES: dict[Any, Outcome] = {"C": "yes", "I": "no", "P": "undetermined", "N": "undetermined"}


@dataclass
class Sample:
    """What one sample (one epoch) tells."""

    id: str
    epoch: int
    messages: list[dict[str, Any]] = field(default_factory=list)
    answer: str = ""
    target: tuple[str, ...] = ()
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    setting: dict[str, Any] = field(default_factory=dict)
    source: Source = CONFIG
    words_source: Source = CONFIG
    stop: str = ""
    cached: bool = False
    invalid: bool = False
    failed: bool = False
    lacks: list[tuple[str, str]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)


def sample_of(row: dict[str, Any], where: str, model: str) -> Sample:
    """The sample in a row of the log. Raises ImportRefused naming the field."""
    name = row.get("id")
    sample = Sample(
        id=clean(str(name) if isinstance(name, str | int) else fields.text(name, f"{where}: id"), 100),
        epoch=fields.whole(row.get("epoch"), f"{where}: epoch"),
        target=_target(row.get("target"), where),
        invalid=row.get("invalidation") is not None,
    )
    held = fields.maybe_mapping(row.get("attachments"), f"{where}: attachments")
    calls = _calls(row, where, model)
    sample.cached = any(call.get("cache") == "read" for call in calls)
    _settings(sample, calls, where)
    _conversation(sample, row, held, where)
    _words(sample, calls, row, where)
    _output(sample, row, where)
    _outcomes(sample, row, where)
    _tools(sample, calls, where)
    return sample


def _target(value: Any, where: str) -> tuple[str, ...]:
    words = [value] if isinstance(value, str) else fields.maybe_listed(value, f"{where}: target")
    return tuple(word for word in (fields.text(word, f"{where}: target") for word in words) if word)


def _calls(row: dict[str, Any], where: str, model: str) -> list[dict[str, Any]]:
    """The calls of the model under test; those of a grader or another role are not ours."""
    found = []
    for value in fields.maybe_listed(row.get("events"), f"{where}: events"):
        event = fields.mapping(value, f"{where}: events")
        if event.get("event") == "model" and not event.get("role") and event.get("model") in (model, None):
            found.append(event)
    return found


def _settings(sample: Sample, calls: list[dict[str, Any]], where: str) -> None:
    """What the last request held, else what was configured for it; where neither is there, the plan has it."""
    for call in reversed(calls):
        made = fields.maybe_mapping(call.get("call"), f"{where}: call")
        request = fields.maybe_mapping(made.get("request"), f"{where}: call.request")
        if request:
            sample.setting = dict(request)
            for name in ("generationConfig", "options"):
                nested = request.get(name)
                sample.setting |= nested if isinstance(nested, dict) else {}
            sample.source = SENT
            return
        config = fields.maybe_mapping(call.get("config"), f"{where}: config")
        if config:
            sample.setting = config
            return


def _conversation(sample: Sample, row: dict[str, Any], held: Mapping[str, Any], where: str) -> None:
    """All messages before the last answer; answers in between are live where the model wrote them."""
    rows = fields.maybe_listed(row.get("messages"), f"{where}: messages")
    if not rows:
        given = row.get("input")
        rows = [{"role": "user", "content": given}] if isinstance(given, str) else fields.maybe_listed(given, where)
    messages = [_message(sample, fields.mapping(value, where), held, where) for value in rows]
    live = [fields.mapping(value, where).get("source") == "generate" for value in rows]
    while messages and messages[-1]["role"] == "assistant":
        messages.pop()
        live.pop()
    sample.messages = messages
    if any(live):
        sample.extra["turns"] = "fixed"
        if any(message["role"] == "tool" for message in messages):
            sample.extra.pop("turns")
            sample.lacks.append(("tool_results", "The model called tools; say what they answer to a live model."))


def _words(sample: Sample, calls: list[dict[str, Any]], row: dict[str, Any], where: str) -> None:
    """Whether the last request held exactly these messages, so that they are known as sent."""
    if not calls:
        return
    call = fields.maybe_mapping(calls[-1].get("call"), f"{where}: call")
    request = fields.maybe_mapping(call.get("request"), f"{where}: call.request")
    key = call.get("call_key")
    sent = request.get(key if isinstance(key, str) else "messages")
    if not isinstance(sent, list):
        pool = fields.maybe_mapping(row.get("events_data"), f"{where}: events_data").get("calls")
        sent = _pooled(pool, call.get("call_refs"))
    told = [(one.get("role"), one.get("content")) for one in sent if isinstance(one, dict)]
    if sample.messages and told == [(one["role"], one["content"]) for one in sample.messages]:
        sample.words_source = SENT


def _pooled(pool: Any, refs: Any) -> list[Any]:
    """Messages that events share: ranges of places in the sample's own pool."""
    if not isinstance(pool, list) or not isinstance(refs, list):
        return []
    found: list[Any] = []
    for ref in refs[:1_000]:
        if isinstance(ref, list) and len(ref) == 2 and all(type(place) is int and place >= 0 for place in ref):
            found += pool[ref[0] : ref[1]]
        if len(found) > 1_000:
            return []
    return found


def _message(sample: Sample, row: dict[str, Any], held: Mapping[str, Any], where: str) -> dict[str, Any]:
    role = fields.text(row.get("role"), f"{where}: messages.role")
    content = row.get("content")
    if isinstance(content, list):
        parts = [fields.mapping(part, f"{where}: messages.content") for part in content]
        words = "\n".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")
        if any(part.get("type") not in ("text", "reasoning") for part in parts):
            sample.lacks.append(("attachments", "A message has an image or a file; add it beside the reproducer."))
    else:
        words = fields.maybe_text(content, f"{where}: messages.content")
    if words.startswith(ATTACHMENT):
        found = held.get(words.removeprefix(ATTACHMENT))
        if isinstance(found, str):
            words = found
        else:
            sample.lacks.append(("conversation", "A message points to a text that is not in the log."))
    message: dict[str, Any] = {"role": clean(role, 20), "content": words}
    calls = [_call(fields.mapping(call, where), where) for call in fields.maybe_listed(row.get("tool_calls"), where)]
    if calls:
        message["tool_calls"] = calls
    if isinstance(row.get("tool_call_id"), str):
        message["tool_call_id"] = row["tool_call_id"]
    return message


def _call(row: dict[str, Any], where: str) -> dict[str, Any]:
    return {
        "id": fields.maybe_text(row.get("id"), f"{where}: tool_calls.id"),
        "name": fields.text(row.get("function"), f"{where}: tool_calls.function"),
        "arguments": fields.maybe_mapping(row.get("arguments"), f"{where}: tool_calls.arguments"),
    }


def _output(sample: Sample, row: dict[str, Any], where: str) -> None:
    output = fields.maybe_mapping(row.get("output"), f"{where}: output")
    choices = fields.maybe_listed(output.get("choices"), f"{where}: output.choices")
    if choices:
        first = fields.mapping(choices[0], f"{where}: output.choices")
        sample.stop = fields.maybe_text(first.get("stop_reason"), f"{where}: stop_reason")
    sample.answer = fields.maybe_text(output.get("completion"), f"{where}: output.completion")
    if sample.answer.startswith(ATTACHMENT):
        held = fields.maybe_mapping(row.get("attachments"), f"{where}: attachments")
        found = held.get(sample.answer.removeprefix(ATTACHMENT))
        sample.answer = found if isinstance(found, str) else ""
    limit = fields.maybe_mapping(row.get("limit"), f"{where}: limit").get("type")
    if isinstance(limit, str):
        sample.stop = f"{limit} limit"


def _outcomes(sample: Sample, row: dict[str, Any], where: str) -> None:
    """What every scorer said; a sample with an error is an error for each of them."""
    sample.failed = row.get("error") is not None
    scores = fields.maybe_mapping(row.get("scores"), f"{where}: scores")
    for scorer, value in scores.items():
        score = fields.mapping(value, f"{where}: scores")
        told = score.get("value")
        parts = told if isinstance(told, dict) else {"": told}
        for part, one in parts.items():
            name = f"{scorer}/{part}" if part else scorer
            sample.outcomes[name] = "error" if sample.failed else _outcome(one)


def _outcome(value: Any) -> Outcome:
    """C and I, true and false, 1 and 0; anything between or beside is undetermined, since no threshold is told."""
    if isinstance(value, str):
        return VALUES.get(value, "undetermined")
    if isinstance(value, bool | int | float) and value in (0, 1):
        return "yes" if value else "no"
    return "undetermined"


def _tools(sample: Sample, calls: list[dict[str, Any]], where: str) -> None:
    tools = []
    for value in fields.maybe_listed(calls[-1].get("tools") if calls else None, f"{where}: tools"):
        tool = fields.mapping(value, f"{where}: tools")
        name = fields.text(tool.get("name"), f"{where}: tools.name")
        row: dict[str, Any] = {"name": name}
        if isinstance(tool.get("description"), str) and tool["description"]:
            row["description"] = tool["description"]
        if isinstance(tool.get("parameters"), dict) and len(json.dumps(tool["parameters"])) < 50_000:
            row["parameters"] = tool["parameters"]
        tools.append(row)
    if tools:
        sample.extra["tools"] = tools
        names = ", ".join(row["name"] for row in tools)
        sample.readings.append(Reading(name=_("Tools"), value=clean(names, 300), source=CONFIG))
