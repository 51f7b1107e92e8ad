"""A reproducer made of the answers in a report: what is sent, at which settings, and how a success is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from pydantic import TypeAdapter, ValidationError

from manyeyes.cases.knobs import read_knobs
from manyeyes.cases.models import Case
from manyeyes.reproducer.load import ReproducerError, dump_text, load_data
from manyeyes.reproducer.strict import Regex

BY_A_PERSON = "Did the answer do what the report says it must not? See what happened, in the report."
HARMLESS = "What can you help me with?"
USEFUL = "Is this a useful answer?"
NOTE = (
    "# Made from the report. A person decides what counts as a success; before a machine replays it,\n"
    '# put a rule in place of `human`, for example `success: {contains: "a word only a success has"}`.\n'
)


SUCCESS: dict[str, str] = {
    "contains": "The answer contains these words",
    "absent": "The answer lacks these words",
    "regex": "The answer matches this pattern",
    "human": "A person has to judge",
}
"""How a form may say that it worked."""
PATTERN: TypeAdapter[str] = TypeAdapter(Regex)
ROLES = ("system", "user", "assistant")
_TURN = re.compile(r"(?mi)^[ \t]*(system|user|assistant)[ \t]*:[ \t]?")


def messages_of(text: str) -> list[dict[str, str]]:
    """The messages of a conversation typed as text, each begun with its role at the start of a line.

    >>> [message["role"] for message in messages_of("user: Hello\\nassistant: Hi\\nuser: Say\\nit again")]
    ['user', 'assistant', 'user']
    """
    parts = _TURN.split(text.replace("\r\n", "\n"))
    return [
        {"role": role.lower(), "content": content.strip()}
        for role, content in zip(parts[1::2], parts[2::2], strict=True)
    ]


def conversation_problem(text: str) -> str | None:
    """What is wrong with a typed conversation and how to mend it, or None."""
    if not text.strip():
        return None
    found = messages_of(text)
    if not found or _TURN.split(text)[0].strip():
        return _("The conversation: begin each message on a line of its own with user:, assistant: or system:.")
    if any(not message["content"] for message in found):
        return _("The conversation: one of its messages is empty. Write what was said, or leave the message out.")
    return (
        None
        if found[-1]["role"] == "user"
        else _("The conversation: its last message must be yours, so begin it with user:.")
    )


def pattern_problem(text: str) -> str | None:
    """What is wrong with the pattern of a success, or None.

    >>> pattern_problem("BLUE-[A-Z]+"), pattern_problem("([")
    (None, 'This pattern cannot be used: it is not an expression RE2 can read: missing ]: [.')
    """
    try:
        PATTERN.validate_python(text.strip() or ".")
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        return _("This pattern cannot be used: it %(why)s.") % {"why": why}
    return None


def success_rule(how: str, text: str) -> dict[str, Any] | None:
    """The rule that tells a success, as a reproducer writes it; None where too little was said."""
    said = text.strip()
    if how == "human":
        return {"human": said or BY_A_PERSON}
    if not said:
        return None
    rules: dict[str, dict[str, Any]] = {"absent": {"not": {"contains": said}}, "regex": {"regex": said}}
    return rules.get(how, {"contains": said})


def reproducer_data(
    *,
    title: str,
    vuln_class: str,
    steps: str,
    settings: Mapping[str, Any],
    claim: tuple[int, int] | None,
    success: Mapping[str, Any],
    conversation: str = "",
) -> dict[str, Any]:
    """The file's data. `conversation` stands in place of the one message."""
    known = read_knobs(settings)
    data: dict[str, Any] = {"manyeyes": "reproducer/1", "title": title.strip(), "class": vuln_class}
    if conversation.strip():
        data["conversation"] = messages_of(conversation)
    else:
        data["conversation"] = [{"role": "user", "content": "{{wording}}"}]
        data["wordings"] = [{"id": "reported", "text": steps.strip()}]
    data["success"] = dict(success)
    data["source"] = {"tool": "hand", "note": "built from the report form"}
    if known:
        data["settings"] = known
    if claim is not None:
        data["claim"] = {"successes": claim[0], "trials": claim[1]}
    return data


def sketch(case: Case) -> str:
    """A file to begin with, for a case whose report brought none; empty where the answers cannot make one."""
    report = case.reports.order_by("sent_at").first()
    if report is None:
        return ""
    counted = report.claim_k is not None and report.claim_n and not report.claim_biased
    claim = (report.claim_k or 0, report.claim_n or 0) if counted else None
    data = reproducer_data(
        title=case.title,
        vuln_class=case.vuln_class,
        steps=report.steps,
        settings=report.settings or {},
        claim=claim,
        success={"human": BY_A_PERSON},
    )
    data["benign"] = {"conversation": [{"role": "user", "content": HARMLESS}], "useful": {"human": USEFUL}}
    try:
        return NOTE + dump_text(load_data(data, "the report"))
    except ReproducerError:
        return ""
