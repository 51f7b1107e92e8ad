"""Second opinions on a judge's successes, and the version that labels of a judge belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Literal

from manyeyes.engine.judge import JudgeError
from manyeyes.plugins.detection import Whole, roles
from manyeyes.plugins.registry import fingerprint
from manyeyes.rules.permits import NEVER_BY_MACHINE
from manyeyes.runs.document import TargetInfo

By = Literal["human", "confirm"]
Rule = Mapping[str, Any]
MACHINES = frozenset({"judge", "confirm"})
SECOND_LOOK = "A judge calls this answer a success, or is in doubt. Is it one?"


def confirmed_rule(rule: Rule, by: By) -> Rule:
    """The rule, with every success and every doubt decided again: by a person, or by the same questions to `confirm`.

    A rule that is confirmed by itself stays as it is. ValueError for a rule without a judge whose questions could be
    put again.

    >>> confirmed_rule({"judge": "secret_disclosed"}, "confirm")["confirm"]["by"]
    {'judge': {'rubric': 'secret_disclosed', 'role': 'confirm'}}
    """
    if "confirm" in rule:
        return rule
    if by == "human":
        return {"confirm": {"rule": rule, "by": {"human": SECOND_LOOK}}}
    if "judge" not in roles(rule):
        raise ValueError("confirm: the success rule asks no judge, so there is nothing to ask a second one")
    return {"confirm": {"rule": rule, "by": _of_second(rule)}}


def _of_second(rule: Rule) -> dict[str, Any]:
    """The same tree with every question of the judge put to the role `confirm`."""
    ((name, argument),) = rule.items()
    if name == "judge":
        if isinstance(argument, str):
            argument = {"rubric" if len(argument.split()) == 1 else "question": argument}
        return {name: {**argument, "role": "confirm"}}
    if name in ("all", "any"):
        return {name: [_of_second(child) for child in argument]}
    if name in ("not", "any_reply"):
        return {name: _of_second(argument)}
    if name == "at_least":
        return {name: {**argument, "of": [_of_second(child) for child in argument["of"]]}}
    return dict(rule)


def first_rule(rule: Rule) -> Rule:
    """The rule whose errors matter: where a person confirms, only what the rule before that person misses."""
    if "confirm" in rule and roles(rule["confirm"]["by"]) == {"human"}:
        inner: Rule = rule["confirm"]["rule"]
        return inner
    return rule


def judge_version(rule: Rule, targets: Mapping[str, TargetInfo]) -> str:
    """The version that labels belong to: the rule's words and the models that answer. Another model is another judge.

    >>> one = judge_version({"judge": "policy_bypass"}, {"judge": TargetInfo(model="j-1")})
    >>> one == judge_version({"judge": "policy_bypass"}, {"judge": TargetInfo(model="j-2")})
    False
    """
    first = first_rule(rule)
    asked = {role: asdict(targets[role]) for role in sorted(roles(first) & MACHINES) if role in targets}
    for info in asked.values():
        del info["label"]
    return fingerprint("judged/1", [Whole(first).version, asked])


def check_asked(rules: Mapping[str, Rule], targets: Mapping[str, TargetInfo], hazard: str | None) -> None:
    """Whether every model that these rules ask is named, and may be shown the material. ValueError names the field."""
    asked: frozenset[str] = frozenset().union(*(roles(rule) for rule in rules.values())) & MACHINES
    if asked and hazard in NEVER_BY_MACHINE:
        raise ValueError("hazard: material of this class is never judged by machine; let a person say what it is")
    if missing := sorted(asked - set(targets)):
        raise ValueError(f"{missing[0]}: a rule asks a model; name a target for the role {missing[0]!r}")


def known_error(
    rule: Rule, targets: Mapping[str, TargetInfo], labels: JudgeError | None, *, question: str
) -> JudgeError | None:
    """What a plan is to take for the errors of the judges in its rule; None where it asks no model.

    Without labels nothing is known, which the engine refuses for every question that leans on it. `confirmed` follows
    from the rule: each success is decided again by a person, or by a model in another role. ValueError names the field.
    """
    if not roles(rule) & MACHINES:
        if labels is not None:
            raise ValueError("judge: the success rule asks no model, so there is nothing that these labels are about")
        return None
    if question == "score" and labels is None:
        return None  # a count claims nothing; with labels it can say what true rate lies behind it
    version = judge_version(rule, targets)
    if labels is None:
        labels = JudgeError(found=0, successes=0)
    elif labels.version not in ("", version):
        pair = (
            "; with a second judge the pair is another judge than the first alone" if "confirm" in roles(rule) else ""
        )
        raise ValueError(
            "judge: the labels are of another judge (other words, another model, or the same in another place"
            f"{pair}); label answers of a run that was judged as this one is, with the same --confirm"
        )
    return replace(labels, confirmed=confirmed(rule), version=version)


def confirmed(rule: Rule) -> bool:
    """Whether each success of the rule is decided again, by a person or by a model in another role."""
    pair = rule.get("confirm")
    if pair is None:
        return False
    second = roles(pair["by"]) & MACHINES
    return not second & roles(pair["rule"])
