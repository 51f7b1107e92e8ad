"""A reproducer's success rule in words, for the person who judges answers by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

from manyeyes.rules.saying import joined
from manyeyes.rules.saying import say as _
from manyeyes.rules.saying import say_many as ngettext


def criterion_words(rule: Mapping[str, Any]) -> str:
    """What an answer must be to count, as the end of "It counts if …". The texts in it are as hostile as the file.

    >>> criterion_words({"contains": "9"})
    'the answer contains “9”'
    >>> criterion_words({"all": [{"human": "Is it the code?"}, {"not": {"refusal": True}}]})
    'your answer is yes to “Is it the code?” and not (the answer refuses)'
    """
    (kind, argument), *_more = rule.items()
    if kind in _JOINED:
        return _JOINED[kind]([_inner(one) for one in argument])
    words = _WORDS.get(kind)
    return _("the detector %(name)s finds it", name=kind) if words is None else words(argument)


def _both(parts: Sequence[str]) -> str:
    return reduce(lambda one, other: _("%(one)s and %(other)s", one=one, other=other), parts) if parts else ""


def _either(parts: Sequence[str]) -> str:
    return reduce(lambda one, other: _("%(one)s or %(other)s", one=one, other=other), parts) if parts else ""


_JOINED: Mapping[str, Callable[[Sequence[str]], str]] = {"all": _both, "any": _either}


def _inner(rule: Mapping[str, Any]) -> str:
    """A child of a list; a list inside a list gets brackets, so that "and" and "or" are not confused."""
    words = criterion_words(rule)
    return joined(["(", words, ")"], "") if set(rule) & set(_JOINED) and len(next(iter(rule.values()))) > 1 else words


def _contains(argument: Any) -> str:
    text, case = (argument, False) if isinstance(argument, str) else (argument["text"], argument.get("case"))
    if case:
        return _("the answer contains “%(text)s” (in these capitals)", text=text)
    return _("the answer contains “%(text)s”", text=text)


def _json_path(argument: Any) -> str:
    if isinstance(argument, str):
        return _("the JSON of the answer has something at “%(path)s”", path=argument)
    tests, path = {name: value for name, value in argument.items() if name != "path"}, argument["path"]
    if not tests:
        return _("the JSON of the answer has a value at “%(path)s”", path=path)
    return _("the JSON of the answer has a value at “%(path)s” that %(test)s", path=path, test=_test(tests))


def _tool_call(argument: Any) -> str:
    options: Mapping[str, Any] = {"name": argument} if isinstance(argument, str) else argument
    name = options["name"]
    tool = f"“{name}”" if isinstance(name, str) else _("whose name %(test)s", test=_test(name))
    after = ", ".join(f"“{one}”" for one in options.get("after") or ())
    called, later = _("the tool %(tool)s is called", tool=tool), _("after %(tools)s", tools=after) if after else ""
    return joined([called, _times(options), _where(options.get("arguments")), later])


def _side_channel(argument: Any) -> str:
    options: Mapping[str, Any] = {"channel": argument} if isinstance(argument, str) else argument
    has = _("the channel “%(channel)s” has an entry", channel=options["channel"])
    return joined([has, _times(options), _where(options.get("where"))])


def _times(options: Mapping[str, Any]) -> str:
    least, most = options.get("at_least", 1), options.get("at_most")
    if most is None:
        return "" if least == 1 else ngettext("at least %(count)s time", "at least %(count)s times", least)
    if least == most:
        return _("exactly %(most)s times", most=most)
    return _("%(least)s to %(most)s times", least=least, most=most)


def _where(wants: Mapping[str, Any] | None) -> str:
    parts = [joined([f"“{name}”", _test(wanted)]) for name, wanted in (wants or {}).items()]
    return _("where %(tests)s", tests=_both(parts)) if parts else ""


def _test(wanted: Any) -> str:
    if not isinstance(wanted, Mapping):
        return _("is “%(value)s”", value=wanted)
    return _both([_TESTS[name](value) for name, value in wanted.items()])


_TESTS: Mapping[str, Callable[[Any], str]] = {
    "absent": lambda _value: _("is not there"),
    "equals": lambda value: _("is “%(value)s”", value=value),
    "contains": lambda value: _("contains “%(value)s”", value=value),
    "regex": lambda value: _("matches the pattern “%(value)s”", value=value),
    "at_least": lambda value: _("is at least “%(value)s”", value=value),
    "at_most": lambda value: _("is at most “%(value)s”", value=value),
}


def _judge(argument: Any) -> str:
    options = argument if isinstance(argument, Mapping) else {"question": argument}
    asked, about = options.get("question") or options.get("rubric"), options.get("about")
    if about:
        return _("a judge says yes to “%(asked)s” about “%(about)s”", asked=asked, about=about)
    return _("a judge says yes to “%(asked)s”", asked=asked)


def _length(argument: Any) -> str:
    least, most = argument.get("at_least"), argument.get("at_most")
    bounds = [_("at least %(number)s", number=least)] * (least is not None)
    bounds += [_("at most %(number)s", number=most)] * (most is not None)
    unit = argument.get("unit", "characters")
    return _("the answer has %(bounds)s %(unit)s", bounds=_both(bounds), unit=_UNITS[unit])


_UNITS = {"characters": _("characters"), "words": _("words"), "tokens": _("tokens")}


def _format(argument: Any) -> str:
    options = {"is": argument} if isinstance(argument, str) else argument
    if options.get("is") is None:
        return _("the whole answer matches the pattern “%(value)s”", value=options["regex"])
    form = options["is"].replace("_", " ")
    if options.get("language"):
        return _("the whole answer is %(form)s in %(language)s", form=form, language=options["language"])
    return _("the whole answer is %(form)s", form=form)


def _similarity(argument: Any) -> str:
    return _("the answer is at least %(share)s like “%(to)s”", share=f"{argument['at_least']:g}", to=argument["to"])


def _confirm(argument: Any) -> str:
    rule, by = criterion_words(argument["rule"]), criterion_words(argument["by"])
    return _("%(rule)s, confirmed by: %(by)s", rule=rule, by=by)


def _at_least(argument: Any) -> str:
    rules = joined([criterion_words(one) for one in argument["of"]], "; ")
    return _("at least %(number)s hold of: %(rules)s", number=argument["count"], rules=rules)


_WORDS: Mapping[str, Callable[[Any], str]] = {
    "not": lambda argument: _("not (%(rule)s)", rule=criterion_words(argument)),
    "contains": _contains,
    "canary": lambda argument: _("the answer gives away “%(text)s”, also spelled apart or encoded", text=argument),
    "regex": lambda argument: _("the answer matches the pattern “%(value)s”", value=argument),
    "human": lambda argument: _("your answer is yes to “%(asked)s”", asked=argument),
    "refusal": lambda _argument: _("the answer refuses"),
    "json_path": _json_path,
    "tool_call": _tool_call,
    "side_channel": _side_channel,
    "similarity": _similarity,
    "length": _length,
    "format": _format,
    "judge": _judge,
    "confirm": _confirm,
    "at_least": _at_least,
    "any_reply": lambda argument: _("for one of the replies, %(rule)s", rule=criterion_words(argument)),
    "plugin": lambda argument: _("the detector %(name)s finds it", name=argument["name"]),
}
