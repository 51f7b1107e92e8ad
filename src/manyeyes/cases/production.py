"""What the logs of production say of the conversation that was reported: shown beside the claim, deciding nothing.

A trial counts where it was planned beforehand; what a log holds was not (its origin is `production_log`). It can say
that the conversation took place, at which true settings, and where the report differs from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases.arrived import ProductionLog
from manyeyes.cases.conversation import checked
from manyeyes.cases.models import Case, Report
from manyeyes.cases.moves import acting
from manyeyes.cases.proposals import ASKERS, reproducer_of
from manyeyes.cases.sketch import conversation_problem, messages_of
from manyeyes.plugins.detection import Whole
from manyeyes.plugins.protocols import Ask, Exchange, Reply
from manyeyes.programs.models import TargetVersion
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid
from manyeyes.rules.marked import marked

ORIGIN = "production_log"
SETTINGS = ("temperature", "top_p", "max_tokens")
LONGEST = 200_000
FOUND = {
    "success": marked("The success rule of the reproducer finds a success in the logged answer."),
    "failure": marked("The success rule of the reproducer finds no success in the logged answer."),
    "undecided": marked("The success rule of the reproducer cannot tell of the logged answer."),
    "": marked("No machine can tell of the logged answer whether it was a success."),
}


@dataclass(frozen=True, kw_only=True)
class Match:
    """One log with what it came to: settings that differ (name, as reported, as logged), and two sentences."""

    row: ProductionLog
    differs: tuple[tuple[str, str, str], ...]
    said: str
    found: str


def attach(
    case: Case,
    *,
    by: Any,
    transcript: str,
    settings: Mapping[str, str],
    happened_at: datetime | None = None,
    version: TargetVersion | None = None,
) -> ProductionLog:
    """Keep a log with the case. `transcript` is typed as a conversation, each message begun with its role.

    Raises Invalid naming the field, NotAllowed for people who may not ask for a replay.
    """
    text = checked("transcript", transcript, longest=LONGEST)
    wrong = {} if _conversation(text) else {"transcript": _("Begin each message with user:, assistant: or system:.")}
    if version is not None and version.target_id != case.target_id:
        wrong["version"] = _("This version belongs to another target.")
    if happened_at is not None and happened_at > clock.now():
        wrong["happened_at"] = _("This lies in the future.")
    if wrong:
        raise Invalid(wrong)
    known = {name: checked(name, str(settings.get(name, "")), longest=40, required=False) for name in SETTINGS}
    row = ProductionLog(
        case=case, key=case.key, happened_at=happened_at, version=version, by=by, at=clock.now(), transcript=text,
        settings={name: value for name, value in known.items() if value}, found=_looked_at(case, text),
    )  # fmt: skip
    with acting(case, "log.attached", by=by, allowed=ASKERS, log=str(row.pk), origin=ORIGIN, found=row.found["rule"]):
        row.save()
    return row


def matches(case: Case) -> list[Match]:
    """The logs of a case, each held against its report."""
    report = case.reports.order_by("sent_at").first()
    return [_match(row, report) for row in case.production_logs.select_related("version", "by")]


def _match(row: ProductionLog, report: Report | None) -> Match:
    reported = (report.settings or {}) if report else {}
    logged = row.settings or {}
    differs = [
        (name, str(reported.get(name, "")).strip(), logged[name])
        for name in SETTINGS
        if name in logged and not _same(str(reported.get(name, "")).strip(), logged[name])
    ]
    same = row.found["same_words"]
    said = _("The logged user messages are those of the report, word for word.")
    if same is not True:
        said = _("The logged user messages are not those of the report, word for word.")
    return Match(row=row, differs=tuple(differs), said=said, found=_(FOUND[row.found["rule"]]))


def _same(reported: str, logged: str) -> bool:
    try:
        return float(reported) == float(logged)
    except ValueError:
        return reported == logged


def _conversation(text: str) -> list[dict[str, str]]:
    """The messages of a log; unlike a report's conversation it may end with the answer."""
    found = messages_of(text)
    begun = not text.strip() or conversation_problem(f"{text.rstrip()}\nuser: x") is None
    return found if begun else []


def _looked_at(case: Case, text: str) -> dict[str, Any]:
    rows = _conversation(text)
    report = case.reports.order_by("sent_at").first()
    asked = [_plain(row["content"]) for row in rows if row["role"] == "user"]
    reproducer = reproducer_of(case)
    wanted = []
    if reproducer is not None:
        wording = reproducer.wording_list()[0]
        messages = reproducer.messages(reproducer.rated_setting(), wording)
        wanted = [_plain(str(row["content"])) for row in messages if row["role"] == "user"]
    steps = _plain(report.steps) if report else ""
    return {"same_words": bool(asked) and (asked == wanted or asked == [steps]), "rule": _ruled(case, rows)}


def _ruled(case: Case, rows: list[dict[str, str]]) -> str:
    """What the success rule says of the last logged answer; empty where a person or a model would have to say it."""
    reproducer, answers = reproducer_of(case), [row["content"] for row in rows if row["role"] == "assistant"]
    if reproducer is None or not answers:
        return ""
    before = tuple(rows[:-1]) if rows[-1]["role"] == "assistant" else tuple(rows)
    found = Whole(reproducer.to_json()["success"]).decide(Exchange(messages=before, reply=Reply(text=answers[-1])))
    return "" if isinstance(found, Ask) else str(found)


def _plain(text: str) -> str:
    return " ".join(text.split())
