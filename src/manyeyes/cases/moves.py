"""The one door: every change of a case locks it, checks the law, writes, records the event, queues the mails."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.db import transaction

from manyeyes import events
from manyeyes.cases.access import reporter_ids, roles_in
from manyeyes.cases.facts import facts_of
from manyeyes.cases.models import Case
from manyeyes.cases.people import following
from manyeyes.cases.placing import place
from manyeyes.rules import clock, lifecycle
from manyeyes.rules.errors import NotAllowed, NotFound, Stale
from manyeyes.rules.lifecycle import Role, Status
from manyeyes.rules.words import status_words


@contextmanager
def moving(
    case: Case,
    move: str,
    *,
    by: Any,
    tell: Iterable[Any] = (),
    given: Collection[str] = (),
    expected_version: int | None = None,
    public: bool = True,
    said: str = "",
    **data: Any,
) -> Iterator[Case]:
    """Make a move of `rules.lifecycle`, or raise; the body of the `with` writes what else belongs to the same act.

    `by` None is the platform. `given` names facts that this very act supplies. `expected_version` is the version the
    person saw (default: the one in `case`). `data` (ids, statuses, counts) goes into the event; `said` is a text that
    the event vouches for without holding it. Afterwards `case` is current.
    """
    with transaction.atomic():
        row = _locked(case, expected_version)
        before = Status(row.status)
        facts = replace(facts_of(row), **dict.fromkeys(given, True))
        after = lifecycle.check(move, before, roles_in(by, row), facts)
        yield row
        row.came_from = str(before) if after == Status.NEEDS_INFO else ""
        row.status = str(after)
        data = {"before": str(before), "after": str(after), **data, **_changed(row, by)}
        row.save()
        _record(row, f"move.{move}", by, public, said, data)
        told(row, tell, by=by, reason=f"move.{move}")
    _bring_up_to_date(case, row)


@contextmanager
def acting(
    case: Case,
    act: str,
    *,
    by: Any,
    allowed: Collection[Role] | None,
    tell: Iterable[Any] = (),
    expected_version: int | None = None,
    public: bool = False,
    said: str = "",
    changes: bool = False,
    beside: bool = False,
    **data: Any,
) -> Iterator[Case]:
    """Do something that leaves the status alone: same lock, event and mails; `allowed` None asks for no role.

    Without `expected_version` an act does not ask whether the case moved meanwhile: two people may both say a word.
    One that `changes` what others decide by asks it always, and whoever decided by the older state learns of it.
    One that may stand `beside` what others do meanwhile changes it too, and asks only that the case has not ended.
    """
    with transaction.atomic():
        row = _locked(case, expected_version, strict=changes and not beside, until_the_end=beside)
        roles = roles_in(by, row)
        if allowed is not None and not roles & set(allowed):
            raise NotAllowed("This act belongs to another role.")
        yield row
        if changes:
            data = {**data, **_changed(row, by)}
        row.save()
        _record(row, act, by, public, said, data)
        told(row, tell, by=by, reason=act)
    _bring_up_to_date(case, row)


def _locked(case: Case, expected: int | None, *, strict: bool = True, until_the_end: bool = False) -> Case:
    """The row as it is now, held until the end of the transaction (on SQLite the transaction itself is the lock)."""
    row = Case.objects.select_for_update().filter(pk=case.pk).first()
    if row is None:
        raise NotFound("There is nothing here.")
    seen = expected if expected is not None else (case.version if strict or until_the_end else None)
    if seen is not None and seen != row.version and not (until_the_end and Status(row.status).is_open):
        raise Stale(_who_was_first(row), seen=seen, now=row.version)
    return row


def _changed(row: Case, by: Any) -> dict[str, int]:
    """Count a change that others decide by; its event says which version it made, to tell what is newer."""
    row.version += 1
    row.changed_at, row.changed_by = clock.now(), by
    return {"version": row.version}


def _who_was_first(row: Case) -> str:
    who = "The platform" if row.changed_by is None else str(row.changed_by)
    status = status_words(row.status, row.close_reason)
    when = f"{row.changed_at:%H:%M} UTC"
    return f"{who} changed this case at {when}, after you opened it; it is “{status}” now. Look again, then decide."


def _record(row: Case, kind: str, by: Any, public: bool, said: str, data: dict[str, Any]) -> None:
    actor = "system" if by is None else by.actor
    data = {**data, **row.__dict__.pop("_noted", {})}
    promise = events.commit(row.key, said) if said else ""
    events.record(row.subject, kind, actor=actor, public=public, human=by is not None, commitment=promise, **data)
    place(row)


def told(row: Case, people: Iterable[Any], *, by: Any, reason: str) -> None:
    """Queue one neutral mail for each person who has an address, never for the one who acted."""
    outside, sender = reporter_ids(row), f"program:{row.program_id}"
    found = {person.pk: person for person in people if person is not None}
    if found:
        found |= {person.pk: person for person in following(row)}
    for person in found.values():
        if person.email and (by is None or person.pk != by.pk):
            path = f"/my/{row.ref}/" if person.pk in outside else f"/desk/cases/{row.ref}/"
            events.queue_mail(person.pk, row.ref, path, reason=reason, sender=sender)


def _bring_up_to_date(case: Case, row: Case) -> None:
    """Let the caller's object show what was written, encrypted values included."""
    if case is not row:
        case.__dict__.update({name: value for name, value in row.__dict__.items() if name != "_state"})
        case._state.fields_cache = dict(row._state.fields_cache)
