"""Finds plugins by kind and name: the built-in ones, then those that installed packages announce."""

from __future__ import annotations

import hashlib
import json
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

_TARGETS = "manyeyes.plugins.builtin.targets"
_ENVIRONMENTS = "manyeyes.plugins.builtin.environments"
_DETECTORS = "manyeyes.plugins.builtin.detectors"
_IMPORTERS = "manyeyes.plugins.builtin.importers"
BUILTIN: dict[str, dict[str, str]] = {
    "targets": {
        "openai_chat": f"{_TARGETS}.openai_chat:OpenAIChat",
        "openai_responses": f"{_TARGETS}.openai_responses:OpenAIResponses",
        "anthropic_messages": f"{_TARGETS}.anthropic_messages:AnthropicMessages",
        "http_json": f"{_TARGETS}.http_json:HttpJson",
        "gguf": f"{_TARGETS}.gguf:LocalGguf",
        "python": f"{_TARGETS}.python_callable:PythonCallable",
        "any_llm": f"{_TARGETS}.any_llm:OtherProvider",
        "recording": f"{_TARGETS}.recording:Recording",
        "scripted": f"{_TARGETS}.recording:Scripted",
    },
    "environments": {
        "mail_agent": f"{_ENVIRONMENTS}.mail_agent:MailAgent",
    },
    "detectors": {
        "contains": f"{_DETECTORS}.contains:Contains",
        "regex": f"{_DETECTORS}.regex:Regex",
        "canary": f"{_DETECTORS}.canary:Canary",
        "refusal": f"{_DETECTORS}.refusal:Refusal",
        "human": f"{_DETECTORS}.human:Human",
        "all": f"{_DETECTORS}.combined:All",
        "any": f"{_DETECTORS}.combined:Any",
        "not": f"{_DETECTORS}.combined:Not",
        "json_path": f"{_DETECTORS}.json_path:JsonPath",
        "tool_call": f"{_DETECTORS}.tool_call:CalledTool",
        "side_channel": f"{_DETECTORS}.side_channel:SideChannel",
        "similarity": f"{_DETECTORS}.similarity:Similarity",
        "length": f"{_DETECTORS}.length:Length",
        "format": f"{_DETECTORS}.form:Form",
        "judge": f"{_DETECTORS}.judge:Judge",
        "confirm": f"{_DETECTORS}.combined:Confirm",
        "at_least": f"{_DETECTORS}.combined:AtLeast",
        "any_reply": f"{_DETECTORS}.combined:AnyReply",
        "plugin": f"{_DETECTORS}.combined:Installed",
    },
    "importers": {
        "garak": f"{_IMPORTERS}.garak:Garak",
        "pyrit": f"{_IMPORTERS}.pyrit:PyRIT",
        "promptfoo": f"{_IMPORTERS}.promptfoo:Promptfoo",
        "inspect": f"{_IMPORTERS}.inspect_ai:Inspect",
        "manyeyes": f"{_IMPORTERS}.own:Own",
    },
}


class UnknownPluginError(LookupError):
    """No plugin of that kind has that name."""


def names(kind: str) -> tuple[str, ...]:
    """Every name of a kind, built-in first."""
    return (*BUILTIN[kind], *(point.name for point in entry_points(group=f"manyeyes.{kind}")))


def find(kind: str, name: str) -> Any:
    """The class that a plugin name stands for. Raises UnknownPluginError."""
    if path := BUILTIN[kind].get(name):
        module, _, attribute = path.partition(":")
        return getattr(import_module(module), attribute)
    for point in entry_points(group=f"manyeyes.{kind}"):
        if point.name == name:
            return point.load()
    raise UnknownPluginError(f"unknown plugin {name!r} of kind {kind}; known are {', '.join(names(kind))}")


def fingerprint(name: str, argument: Any) -> str:
    """The version of a detector: its name with the number of its rules, and a hash of its argument."""
    text = json.dumps(argument, sort_keys=True, default=dict)
    return f"{name}:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
