"""One list of everything that happened to a case, each entry with the thing itself, cut to what the viewer may read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.cases.access import reporter_ids, sees_inside
from manyeyes.cases.conversation import may_mend
from manyeyes.cases.models import Case, Message, SignOff
from manyeyes.cases.signoffs import Filed, sealed_to
from manyeyes.rules.deadlines import FIX_KIND, FIX_KINDS
from manyeyes.rules.lifecycle import CloseReason
from manyeyes.rules.sentences import verdict_sentence
from manyeyes.rules.visibility import fields_for_researcher, name_outside, shown_to_researcher
from manyeyes.rules.words import status_words

ACTS: dict[str, str] = {
    "report.received": "sent the report",
    "move.ask_researcher": "asked the researcher",
    "move.answer": "answered the question",
    "move.accept": "took the case into work",
    "move.confirm": "confirmed the finding",
    "move.start_fix": "started the fix",
    "move.deploy_fix": "recorded the deployed fix",
    "move.request_verification": "requested a verification",
    "move.fix_refuted": "sent the fix back",
    "move.resolve": "marked the case resolved",
    "move.reopen": "reopened the case",
    "move.withdraw": "withdrew the report",
    "move.close": "closed the case",
    "acknowledged": "has read the report",
    "message.public": "wrote",
    "message.internal": "wrote to the team",
    "file.attached": "attached a file",
    "bundle.received": "sent a measurement of their own",
    "bundle.scored": "scored the researcher's measurement again",
    "assigned": "assigned the case",
    "assigned.by_rule": "named who looks at it",
    "assigned.relieved": "named somebody else, because the content is not viewed by who had it",
    "owner_assigned": "named the owner of the fix",
    "reproducer.attached": "attached a reproducer",
    "replay.requested": "requested a replay",
    "replay.longer": "let a replay go on, up to a larger cap",
    "replay.taken_out": "took the record of a replay out",
    "replay.concluded": "finished a replay",
    "replay.pause": "paused a replay",
    "replay.resume": "let a replay go on",
    "replay.cancel": "cancelled a replay",
    "replay.refused": "asked for a replay that may not start",
    "log.attached": "attached the production log of the conversation",
    "preflight.tried": "tried the report on arrival",
    "preflight.stopped": "stopped trying the report on arrival",
    "preflight.not_tried": "did not try the report on arrival",
    "preflight.started": "began to try the report on arrival",
    "first_success.seen": "looked at the first success and published the reproduction",
    "rated": "rated the severity",
    "rated.blind": "rated the severity independently",
    "rating.own": "said how severe they think it is",
    "rating.disputed": "did not agree with the severity",
    "dispute.answered": "answered what was said against the severity",
    "rescoring.proposed": "proposed a new score after new evidence",
    "rescoring.decided": "decided on a proposed score",
    "codes.put": "put codes of public catalogues on the case",
    "codes.taken_off": "took a code of a public catalogue off the case",
    "signed_off": "signed off",
    "root_cause.concluded": "concluded the root cause",
    "exploited": "recorded that the flaw is being exploited",
    "mitigated": "recorded a mitigation",
    "retest.reported": "reported a retest",
    "embargo.proposed": "proposed an embargo date",
    "embargo.agreed": "agreed to the embargo date",
    "embargo.ended": "ended the embargo",
    "case.split": "opened a case of its own for one flaw of your report",
    "case.split_off": "opened a case of its own for one flaw of the report",
    "report.copied": "put the report beside it, as it was sent",
    "same_flaw.confirmed": "lets you know: the flaw is confirmed, and a fix is being prepared",
    "same_flaw.fixed": "lets you know: a fix is in service, and it is being checked",
    "same_flaw.resolved": "lets you know: the flaw is resolved, the fix was shown to hold",
    "same_flaw.published": "lets you know: the advisory about the flaw is published",
    "same_flaw.closed": "lets you know: the work on the flaw ended",
    "same_flaw.reopened": "lets you know: the work on the flaw was taken up again",
    "same_flaw.lost": "asks the team to decide anew: the case that this one follows was withdrawn, or was spam",
    "family.grouped": "put it into a family",
    "family.described": "changed the name or the note of the family",
    "family.taken_out": "took it out of its family",
    "family.lead": "let it lead its family",
    "family.repeated": "named it as the case that another one repeats",
    "family.took_in": "let the work on another case go on here",
    "family.follows": "let it follow another case",
    "family.let_go": "reopened a case that followed it",
    "family.split": "said why the report was split",
    "co_reporter.invited": "named a further reporter",
    "co_reporter.accepted": "reports this case as well from now on",
    "co_reporter.ended": "took back or left a co-reporter's part",
    "co_reporter.expired": "ended an invitation that nobody answered",
    "appealed": "appealed against the close",
    "appeal.upheld": "looked at the appeal: the case stays closed",
    "message.edited": "changed their words",
    "case.marked_test": "sent it as a test report: it counts in no figure",
    "origin.set": "said where the report came from",
    "sign_off.asked": "asked for a sign-off",
    "fix.kind": "said what kind of fix it takes",
    "clock.alarm": "reminds the team of a promise",
    "word.due": "reminds the team: the researcher waits for a word",
    "receipt.claimed": "took the report into an account",
    "hold.proposed": "proposed a legal hold",
    "hold.placed": "placed the legal hold: nothing of this case may be destroyed",
    "hold.refused": "turned down what was proposed about the legal hold",
    "hold.lift_proposed": "proposed to lift the legal hold",
    "hold.lifted": "lifted the legal hold",
    "reporter.left": "left; who they were is not kept",
    "credit.chosen": "chose how to be credited",
    "advisory.drafted": "drafted the advisory",
    "restricted.opened": "opened restricted content",
    "restricted.set": "said whether it holds hazardous content",
    "advisory.published": "published the advisory",
}
NOT_SHOWN = frozenset({"trial.ticked", "answer.labelled", "restricted.opened", "preflight.started"})
"""Acts that are on record but would bury the rest; a page or panel of their own shows them."""
ITEMS: dict[str, str] = {
    "message": "messages",
    "reproduction": "reproductions",
    "replay": "reproductions",
    "sign_off": "sign_offs",
    "rating": "ratings",
    "retest": "retests",
    "root_cause": "root_causes",
    "remediation": "remediations",
    "bundle": "sent_bundles",
    "attachment": "attachments",
    "reproducer": "reproducers",
}
"""Which key of an event's data names which row of the case; of several the first is what the entry shows."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line. `kind` names the event; `item` is the row it speaks of (Report, Message, Reproduction, …) or None.

    `side` is team, reporter or platform. `words` say what was done; `sentence` is the verdict, where there is one.
    `before` and `after` are statuses, for moves. `mentioned` are the people it called, for the team's eyes;
    `mendable` says that the viewer wrote it a moment ago and may still change it.
    """

    at: datetime
    kind: str
    public: bool
    who: str
    side: str
    words: str
    item: Any = None
    sentence: str = ""
    before: str = ""
    after: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    mentioned: tuple[str, ...] = ()
    mendable: bool = False


def entries(case: Case, viewer: Any) -> list[Entry]:
    """The timeline as this viewer may read it, oldest first. Ten queries or so, however long it is."""
    inside = sees_inside(viewer, case)
    log = [event for event in events.log(case.subject) if inside or shown_to_researcher(event.kind, event.public)]
    people = Person.objects.in_bulk(_people(event.actor for event in log) | _mentioned(log, inside))
    outside = reporter_ids(case)
    rows = _rows(case)
    found = [_entry(outside, event, people, rows, inside) for event in log if event.kind not in NOT_SHOWN]
    if inside and rows["sign_offs"] and sealed_to(viewer, case):
        found = [_sealed(entry, viewer) for entry in found]
    return [replace(entry, mendable=True) if _is_mendable(entry, viewer) else entry for entry in found]


def _sealed(entry: Entry, viewer: Any) -> Entry:
    """A word on the rating as others see it until both disciplines have filed theirs: that it is there, no more."""
    row = entry.item
    if not isinstance(row, SignOff) or row.by_id == viewer.pk:
        return entry
    told = {name: value for name, value in entry.data.items() if name != "agrees"}
    return replace(entry, item=Filed(by=row.by, at=row.at, discipline=row.discipline), data=told)


def _is_mendable(entry: Entry, viewer: Any) -> bool:
    return isinstance(entry.item, Message) and entry.kind != "message.edited" and may_mend(entry.item, viewer)


def _mentioned(log: Iterable[Any], inside: bool) -> set[UUID]:
    return {UUID(pk) for event in log for pk in event.data.get("mentioned", ())} if inside else set()


def _entry(
    outside: Collection[UUID], event: Any, people: dict[UUID, Any], rows: dict[str, dict[str, Any]], inside: bool
) -> Entry:
    data = event.data if inside else fields_for_researcher(event.kind, event.public, event.data) or {}
    item = _item(event, data, rows, inside)
    author = people.get(UUID(event.actor.partition(":")[2])) if event.actor != "system" else None
    side = "platform" if author is None else "reporter" if author.pk in outside else "team"
    after = data.get("after", "")
    words = ACTS.get(event.kind, event.kind)
    if after:
        words = f"{words}: {status_words(data['before'])} → {status_words(after, data.get('reason', ''))}"
    elif event.kind == FIX_KIND:
        words = f"{words}: {FIX_KINDS[data['fix']]}"
    elif event.kind == "same_flaw.closed":
        words = f"{words}: {CloseReason(data['reason']).words}"
    return Entry(
        at=event.at,
        kind=event.kind,
        public=event.public,
        who=_name(author, side, inside),
        side=side,
        words=words,
        item=item,
        sentence=_sentence(event.kind, item),
        before=data.get("before", ""),
        after=after,
        data=data,
        mentioned=tuple(people[pk].name for pk in map(UUID, data.get("mentioned", ())) if pk in people),
    )


def _name(author: Any, side: str, inside: bool) -> str:
    if author is None:
        return "The platform"
    return author.name if inside or side == "reporter" else name_outside(author.name)


def _item(event: Any, data: dict[str, Any], rows: dict[str, dict[str, Any]], inside: bool) -> Any:
    if event.kind in ("report.received", "report.copied"):
        return next(iter(rows["reports"].values()), None)
    for key, name in ITEMS.items():
        if key in data:
            item = rows["replays" if key == "replay" else name].get(str(data[key]))
            # A verdict that no person has looked at yet is not handed outside, not even unprinted.
            return None if not inside and name == "reproductions" and item and item.published_at is None else item
    return None


def _rows(case: Case) -> dict[str, dict[str, Any]]:
    """Every row an event may speak of, by id; nothing is decrypted before it is shown."""
    found: dict[str, dict[str, Any]] = {
        name: {str(row.pk): row for row in getattr(case, name).all()}
        for name in {*ITEMS.values(), "reports"} - {"reproductions", "messages"}
    }
    found["messages"] = {str(row.pk): row for row in case.messages.prefetch_related("earlier")}
    links = case.reproductions.select_related("replay", "remediation")
    found["reproductions"] = {str(link.pk): link for link in links}
    found["replays"] = {str(link.replay_id): link for link in found["reproductions"].values()}
    return found


def _sentence(kind: str, item: Any) -> str:
    if kind not in ("replay.concluded", "first_success.seen") or item is None or not item.replay.verdict:
        return ""
    return sentence_of(item)


def sentence_of(link: Any) -> str:
    """The verdict of a concluded replay in words, with the setting it speaks of; empty while there is none."""
    verdict = link.replay.verdict
    if not verdict:
        return ""
    plan = link.replay.document["plan"]
    rated = next((row for row in verdict.get("settings", ()) if row.get("rated")), None)
    return verdict_sentence(verdict, where=_where(rated), plan=plan)


def _where(rated: dict[str, Any] | None) -> str:
    if rated is None:
        return ""
    names = {"temperature": "temperature {}", "top_p": "top-p {}", "max_tokens": "{} tokens", "system": "prompt {}"}
    values = rated.get("parameters", {})
    return ", ".join(words.format(values[name]) for name, words in names.items() if name in values)


def _people(actors: Iterable[str]) -> set[UUID]:
    return {UUID(actor.partition(":")[2]) for actor in actors if actor != "system"}
