"""Turns the assertions of a promptfoo test into a success rule, where they are plain searches in the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from manyeyes.plugins.builtin.importers.scrub import clean
from manyeyes.rules.saying import say as _

Rule = dict[str, Any]
MOST = 32


def rule_of(assertions: Sequence[Any], *, attack_passes: bool) -> tuple[Rule | None, str]:
    """The rule that is true where the attack landed, and why there is none.

    A row passes when all its assertions hold; weights, thresholds and assertions that ask a model have no rule here.
    """
    if not assertions:
        return None, _("The rows have no assertions.")
    if len(assertions) > MOST:
        return None, _("A row has more than %(most)s assertions.", most=MOST)
    rules = []
    for assertion in assertions:
        if not isinstance(assertion, Mapping) or not isinstance(assertion.get("type"), str):
            return None, _("An assertion is not written the way promptfoo writes it.")
        if any(assertion.get(name) is not None for name in ("threshold", "weight", "transform", "provider")):
            return None, _("The assertion %(name)s has options that a rule cannot say.", name=_named(assertion))
        rule = _one(assertion["type"], assertion.get("value"))
        if rule is None:
            return None, _("The assertion %(name)s has no rule that we could take over.", name=_named(assertion))
        rules.append(rule)
    whole = rules[0] if len(rules) == 1 else {"all": rules}
    return (whole if attack_passes else negated(whole)), ""


def _named(assertion: Mapping[str, Any]) -> str:
    return repr(clean(assertion["type"], 40))


def negated(rule: Rule) -> Rule:
    """The contrary.

    >>> negated({"not": {"contains": "x"}})
    {'contains': 'x'}
    """
    turned: Rule = rule.get("not", {"not": rule})
    return turned


def _one(kind: str, value: Any) -> Rule | None:
    inverse = kind.startswith("not-")
    rule = _plain(kind.removeprefix("not-"), value)
    return rule if rule is None or not inverse else negated(rule)


def _plain(kind: str, value: Any) -> Rule | None:
    many = value if isinstance(value, list) else [value]
    if not many or len(many) > MOST or not all(isinstance(word, str) and word for word in many):
        return None
    if any(mark in word for word in many for mark in ("{{", "file://")):
        return None  # a template or a file, which promptfoo filled in and we do not
    name = kind.removeprefix("i")
    exact = not kind.startswith("i")
    if name == "contains" and isinstance(value, str):
        return _contains(value, exact)
    if name in ("contains-any", "contains-all") and isinstance(value, list):
        each = [_contains(word, exact) for word in many]
        return each[0] if len(each) == 1 else {name.removeprefix("contains-"): each}
    if kind == "regex" and isinstance(value, str):
        return {"regex": value}
    if kind == "starts-with" and isinstance(value, str):
        return {"regex": r"\A" + re.escape(value)}
    if kind == "equals" and isinstance(value, str):
        return {"regex": r"\A" + re.escape(value) + r"\z"}
    return None


def _contains(word: str, exact: bool) -> Rule:
    return {"contains": {"text": word, "case": True} if exact else word}


def words_of(assertions: Sequence[Any]) -> str:
    """The assertions as people read them."""
    parts = []
    for row in assertions[:MOST]:
        if isinstance(row, Mapping):
            value = row.get("value")
            said = f" {value!r}" if isinstance(value, str) else f" {value}" if isinstance(value, list) else ""
            parts.append(f"{row.get('type')}{said}")
    return clean(" and ".join(parts), 300) or _("no assertion")
