"""Acting in one's own cases; every rule of it lives in the stage functions."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Status

from manyeyes import events
from manyeyes.api import asked, shown, told
from manyeyes.api.holders import holder
from manyeyes.api.routes import Reference, Upload, acting
from manyeyes.cases import attachments, bundles, conversation, disclosure, intake, triage, verification
from manyeyes.cases.keeping import brought
from manyeyes.cases.models import Case
from manyeyes.publications import credit

router = Router(tags=["act"])


def done(case: Case, row: Any = None) -> dict[str, Any]:
    """How the case stands now."""
    return {"ref": case.ref, "status": case.status, "version": shown.version_of(case), "id": row.pk if row else None}


@acting(router, "/cases/{ref}/files", told.Done, scope="write", name="attach", status=201)
def attach(request: HttpRequest, ref: Reference, file: Upload) -> Status[Any]:
    """Attach a file; it is encrypted as it arrives and never rendered."""
    who, came = holder(request), brought(file)
    case = who.case(ref)
    return Status(201, done(case, attachments.attach(case, by=who.person, chunks=came.chunks, name=came.name)))


@acting(router, "/cases/{ref}/bundles", told.BundleOut, scope="write", name="bundle", status=201)
def bundle(request: HttpRequest, ref: Reference, file: Upload) -> Status[Any]:
    """Send an evidence bundle. It is scored again in a moment and stands beside the claim; it decides nothing."""
    who, came = holder(request), brought(file)
    row, again = bundles.receive(who.case(ref), by=who.person, chunks=came.chunks, name=came.name)
    return Status(201, shown.bundle(row, again=again))


@acting(router, "/cases/{ref}/reproducers", told.Done, scope="write", name="reproducer", status=201)
def reproducer(request: HttpRequest, ref: Reference, body: asked.ReproducerIn) -> Status[Any]:
    """Attach a reproducer, or a better one."""
    who = holder(request)
    case = who.case(ref)
    return Status(201, done(case, intake.attach_reproducer(case, by=who.person, text=body.text, name=body.name)))


@acting(router, "/cases/{ref}/messages", told.Done, scope="write", name="say", status=201)
def say(request: HttpRequest, ref: Reference, body: asked.WordsIn) -> Status[Any]:
    """Say something to the team."""
    who = holder(request)
    case = who.case(ref)
    return Status(201, done(case, conversation.say(case, by=who.person, text=body.text, public=True)))


@acting(router, "/cases/{ref}/messages/{uuid:message_id}", told.Done, scope="write", name="mend")
def mend(request: HttpRequest, ref: Reference, message_id: UUID, body: asked.MendIn) -> dict[str, Any]:
    """Change my own words within 15 minutes; how they read before stays beside them."""
    who = holder(request)
    case = who.case(ref)
    row = conversation.own_message(case, who.person, message_id)
    return done(case, conversation.mend(row, by=who.person, text=body.text, seen=body.seen))


@acting(router, "/cases/{ref}/mail", told.Done, scope="write", name="mail")
def mail(request: HttpRequest, ref: Reference, body: asked.MailIn) -> dict[str, Any]:
    """No more mail about this case, or mail again."""
    who = holder(request)
    case = who.case(ref)
    events.choose(who.person.pk, case.ref, False if body.mail == "mute" else None)
    return done(case)


@acting(router, "/cases/{ref}/answer", told.Done, scope="write", name="answer")
def answer(request: HttpRequest, ref: Reference, body: asked.WordsIn) -> dict[str, Any]:
    """Answer the team's question; the case goes back to where it was."""
    who = holder(request)
    return done(triage.answer(who.case(ref), by=who.person, text=body.text))


@acting(router, "/cases/{ref}/appeal", told.Done, scope="write", name="appeal")
def appeal(request: HttpRequest, ref: Reference, body: asked.WordsIn) -> dict[str, Any]:
    """Ask once for a second look at a close."""
    who = holder(request)
    return done(triage.appeal(who.case(ref), by=who.person, words=body.text))


@acting(router, "/cases/{ref}/withdrawal", told.Done, scope="write", name="withdraw")
def withdraw(request: HttpRequest, ref: Reference) -> dict[str, Any]:
    """Take the report back before work has begun."""
    who = holder(request)
    return done(triage.withdraw(who.case(ref), by=who.person))


@acting(router, "/cases/{ref}/retest", told.Done, scope="write", name="retest", status=201)
def retest(request: HttpRequest, ref: Reference, body: asked.RetestIn) -> Status[Any]:
    """Say what my own try of the fix came to."""
    who = holder(request)
    case = who.case(ref)
    row = verification.researcher_retests(
        case, by=who.person, k=body.k, n=body.n, transcript=body.transcript, agrees=body.agrees
    )
    return Status(201, done(case, row))


@acting(router, "/cases/{ref}/credit", told.Done, scope="write", name="credit")
def choose_credit(request: HttpRequest, ref: Reference, body: asked.CreditIn) -> dict[str, Any]:
    """Choose how to be named; the last choice counts everywhere."""
    who = holder(request)
    case = who.case(ref)
    return done(case, credit.choose(case, by=who.person, **body.model_dump()))


@acting(router, "/cases/{ref}/embargo/proposal", told.Done, scope="write", name="propose", status=201)
def propose(request: HttpRequest, ref: Reference, body: asked.DateIn) -> Status[Any]:
    """Propose a date before which neither side publishes."""
    who = holder(request)
    case, until = who.case(ref), datetime.combine(body.until, time(14), tzinfo=UTC)
    return Status(201, done(case, disclosure.propose_embargo(case, by=who.person, until=until)))


@acting(router, "/cases/{ref}/embargo/agreement", told.Done, scope="write", name="agree")
def agree(request: HttpRequest, ref: Reference, body: asked.AgreementIn) -> dict[str, Any]:
    """Accept the date that the team proposed."""
    who = holder(request)
    case = who.case(ref)
    seen = disclosure.proposal_seen(case, str(body.proposal))
    return done(case, disclosure.agree(case, by=who.person, seen=seen))
