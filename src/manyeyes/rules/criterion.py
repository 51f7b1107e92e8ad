"""A reproducer's success rule in words, for the person who judges answers by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_JOINED = {"all": " and ", "any": " or "}


def criterion_words(rule: Mapping[str, Any]) -> str:
    """What an answer must be to count, as the end of "It counts if …". The texts in it are as hostile as the file.

    >>> criterion_words({"contains": "9"})
    'the answer contains “9”'
    >>> criterion_words({"all": [{"human": "Is it the code?"}, {"not": {"refusal": True}}]})
    'your answer is yes to “Is it the code?” and not (the answer refuses)'
    """
    (kind, argument), *_ = rule.items()
    if kind in _JOINED:
        return _JOINED[kind].join(_inner(one) for one in argument)
    say = _WORDS.get(kind)
    return f"the detector {kind} finds it" if say is None else say(argument)


def _inner(rule: Mapping[str, Any]) -> str:
    """A child of a list; a list inside a list gets brackets, so that "and" and "or" are not confused."""
    words = criterion_words(rule)
    return f"({words})" if set(rule) & set(_JOINED) and len(next(iter(rule.values()))) > 1 else words


def _contains(argument: Any) -> str:
    text, case = (argument, False) if isinstance(argument, str) else (argument["text"], argument.get("case"))
    return f"the answer contains “{text}”{' (in these capitals)' if case else ''}"


def _json_path(argument: Any) -> str:
    if isinstance(argument, str):
        return f"the JSON of the answer has something at “{argument}”"
    tests = {name: value for name, value in argument.items() if name != "path"}
    told = f" that {_test(tests)}" if tests else ""
    return f"the JSON of the answer has a value at “{argument['path']}”{told}"


def _tool_call(argument: Any) -> str:
    options: Mapping[str, Any] = {"name": argument} if isinstance(argument, str) else argument
    name = options["name"]
    tool = f"“{name}”" if isinstance(name, str) else f"whose name {_test(name)}"
    after = f" after {', '.join(f'“{one}”' for one in options['after'])}" if options.get("after") else ""
    return f"the tool {tool} is called{_times(options)}{_where(options.get('arguments'))}{after}"


def _side_channel(argument: Any) -> str:
    options: Mapping[str, Any] = {"channel": argument} if isinstance(argument, str) else argument
    return f"the channel “{options['channel']}” has an entry{_times(options)}{_where(options.get('where'))}"


def _times(options: Mapping[str, Any]) -> str:
    least, most = options.get("at_least", 1), options.get("at_most")
    if most is None:
        return "" if least == 1 else f" at least {least} times"
    return f" {least} to {most} times" if least != most else f" exactly {most} times"


def _where(wants: Mapping[str, Any] | None) -> str:
    parts = [f"“{name}” {_test(wanted)}" for name, wanted in (wants or {}).items()]
    return f" where {' and '.join(parts)}" if parts else ""


def _test(wanted: Any) -> str:
    if not isinstance(wanted, Mapping):
        return f"is “{wanted}”"
    words = {"equals": "is", "contains": "contains", "regex": "matches the pattern", "at_least": "is at least",
             "at_most": "is at most"}  # fmt: skip
    return " and ".join(
        "is not there" if name == "absent" else f"{words[name]} “{value}”" for name, value in wanted.items()
    )


def _judge(argument: Any) -> str:
    options = argument if isinstance(argument, Mapping) else {"question": argument}
    asked = options.get("question") or options.get("rubric")
    about = f" about “{options['about']}”" if options.get("about") else ""
    return f"a judge says yes to “{asked}”{about}"


def _length(argument: Any) -> str:
    least, most = argument.get("at_least"), argument.get("at_most")
    bounds = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
    return f"the answer has {' and '.join(bounds)} {argument.get('unit', 'characters')}"


def _format(argument: Any) -> str:
    options = {"is": argument} if isinstance(argument, str) else argument
    if options.get("is") is None:
        return f"the whole answer matches the pattern “{options['regex']}”"
    language = f" in {options['language']}" if options.get("language") else ""
    return f"the whole answer is {options['is'].replace('_', ' ')}{language}"


_WORDS: Mapping[str, Callable[[Any], str]] = {
    "not": lambda argument: f"not ({criterion_words(argument)})",
    "contains": _contains,
    "canary": lambda argument: f"the answer gives away “{argument}”, also spelled apart or encoded",
    "regex": lambda argument: f"the answer matches the pattern “{argument}”",
    "human": lambda argument: f"your answer is yes to “{argument}”",
    "refusal": lambda _: "the answer refuses",
    "json_path": _json_path,
    "tool_call": _tool_call,
    "side_channel": _side_channel,
    "similarity": lambda argument: f"the answer is at least {argument['at_least']:g} like “{argument['to']}”",
    "length": _length,
    "format": _format,
    "judge": _judge,
    "confirm": lambda argument: f"{criterion_words(argument['rule'])}, confirmed by: {criterion_words(argument['by'])}",
    "at_least": lambda argument: (
        f"at least {argument['count']} hold of: {'; '.join(criterion_words(one) for one in argument['of'])}"
    ),
    "any_reply": lambda argument: f"for one of the replies, {criterion_words(argument)}",
    "plugin": lambda argument: f"the detector {argument['name']} finds it",
}
