"""The outbox: mails queued with what happened and sent after it, with retries.

Those about a case say only that something is new. Those about an account (a code, a link) have words of their own,
which lie encrypted here until they are sent.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import DatabaseError, connections, transaction
from django.db.models import F, Q, QuerySet

from manyeyes.events import chain, letters
from manyeyes.events.models import CaseMail, Delivery
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid
from manyeyes.vault import openpgp, postkeys, tokens

log = logging.getLogger(__name__)
_here = threading.local()
LEASE = timedelta(minutes=5)
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
MAX_ATTEMPTS = 10
BATCH = 50
HELD = "key_"  # how the note of a mail begins that could not be encrypted, and so was not sent
HELD_FOR = timedelta(days=30)
DESK = "/desk/"
"""Where a mail about several cases leads."""
NOBODY = uuid.UUID(int=0)
"""Stands for who has no account here: the mail that says so to whoever asked about an address."""


@dataclass(frozen=True)
class Sent:
    """What one round of sending came to."""

    sent: int = 0
    failed: int = 0
    skipped: int = 0
    held: int = 0


def queue_mail(person_id: uuid.UUID, case_ref: str, path: str, *, reason: str, sender: str = "") -> Delivery:
    """Queue one mail to one person. Call it inside the transaction that did the thing, so that both happen or neither.

    The mail holds `case_ref` and a link to `path`, nothing else; `reason` is a word for the record, never sent.
    `sender` ("program:<uuid>") says whose key signs it.
    """
    if not re.fullmatch(r"[A-Za-z0-9\-]{1,20}", case_ref):
        raise Invalid(case_ref="give the public reference, like ME-7K3F-Q2M4.")
    if not re.fullmatch(r"/[A-Za-z0-9_\-./#]{0,199}", path) or path.startswith("//"):
        raise Invalid(path="give a path on this site that starts with one slash and has no query.")
    if not re.fullmatch(r"[a-z][a-z0-9_.]{0,59}", reason):
        raise Invalid(reason="give one short lower-case word, like new_message.")
    return Delivery.objects.create(
        person_id=person_id,
        case_ref=case_ref,
        path=path,
        reason=reason,
        sender=sender,
        created_at=clock.now(),
        due_at=clock.now(),
    )


def queue_alarm(
    person_id: uuid.UUID, case_ref: str, path: str, *, sender: str = "", reason: str = "clock.alarm"
) -> Delivery:
    """Queue a mail that a case needs its reader now; while one waits, both are told in a single mail about the desk.

    A hundred late cases are one mail, not a hundred. Call it inside the transaction that did the thing.
    """
    waiting = Delivery.objects.filter(
        person_id=person_id, reason=reason, sent_at__isnull=True, dropped_at__isnull=True, attempts=0
    )
    for one in waiting.select_for_update()[:1]:
        if one.case_ref != case_ref:
            waiting.filter(pk=one.pk).update(case_ref="", path=DESK, sender=sender if sender == one.sender else "")
        return one
    return queue_mail(person_id, case_ref, path, reason=reason, sender=sender)


def queue_digest(person_id: uuid.UUID, path: str) -> Delivery:
    """Queue the mail of a day that several cases need its reader: a link, nothing else."""
    moment = clock.now()
    return Delivery.objects.create(
        person_id=person_id, case_ref="", path=path, reason="digest", created_at=moment, due_at=moment
    )


def mail_account(person_id: uuid.UUID | None, *, address: str, subject: str, body: str, reason: str) -> Delivery:
    """Send one mail about an account: encrypted where the person gave a key, signed where a program here has one.

    It goes out right after the answer to the request under way, so that the time of the answer tells nothing of whom it
    concerns or of their keys; the worker sends what is left. None: nobody known here.
    """
    signer = postkeys.oldest_signer()
    made = Delivery.objects.create(
        person_id=person_id or NOBODY,
        reason=f"account.{reason}"[:60],
        sender=signer.subject if signer else "",
        sealed=tokens.seal_text("mail", json.dumps({"address": address, "subject": subject, "body": body})),
        created_at=clock.now(),
        due_at=clock.now(),
    )
    _here.__dict__.setdefault("asked", []).append(made.pk)
    return made


def send_after_answer(**_signal: Any) -> None:
    """Send the mails about accounts that the request of this thread asked for; it has been answered by now."""
    asked: list[uuid.UUID] = _here.__dict__.pop("asked", [])
    try:
        for pk in asked:
            _claimed(pk, clock.now())
    except DatabaseError as error:  # nobody is left to be told; the worker tries again
        log.warning("a mail about an account waits for the worker: %s", type(error).__name__)
    finally:
        for one in connections.all(initialized_only=True) if asked else ():
            if not one.in_atomic_block:  # the request closed its own before; a test holds them to its end
                one.close_if_unusable_or_obsolete()


def forget_account_mail(person_id: uuid.UUID) -> None:
    """Remove the mails about an account that ends; what was sent is out."""
    Delivery.objects.filter(person_id=person_id, case_ref="").delete()


def deliver_due(now: datetime | None = None) -> Sent:
    """Send what is due. Any number of workers may call this; one whose lease ran out is taken over by another."""
    moment = now or clock.now()
    tally = {"sent": 0, "failed": 0, "skipped": 0, "held": 0}
    for pk in list(_free(moment).order_by("due_at").values_list("pk", flat=True)[:BATCH]):
        if came_to := _claimed(pk, moment):
            tally[came_to] += 1
    return Sent(**tally)


def _free(moment: datetime) -> QuerySet[Delivery]:
    waiting = Q(sent_at__isnull=True, dropped_at__isnull=True, due_at__lte=moment)
    return Delivery.objects.filter(waiting, Q(lease_until__isnull=True) | Q(lease_until__lt=moment))


def _claimed(pk: uuid.UUID, moment: datetime) -> str:
    """What came of one mail: sent, failed, skipped or held; "" when somebody else has it in hand."""
    lease = uuid.uuid4()
    mine = _free(moment).filter(pk=pk).update(lease=lease, lease_until=moment + LEASE, attempts=F("attempts") + 1)
    return _deliver(Delivery.objects.get(pk=pk), lease, moment) if mine else ""


def _deliver(delivery: Delivery, lease: uuid.UUID, moment: datetime) -> str:
    still_mine = Delivery.objects.filter(pk=delivery.pk, lease=lease)
    address, why_not = _address_of(delivery)
    if not address:
        still_mine.update(dropped_at=moment, lease=None, lease_until=None, note=why_not, sealed="")
        return "skipped"
    try:
        _letter(delivery, address).send()
    except openpgp.CannotUse as refused:
        # Nothing is sent in the clear that should be encrypted: it waits until the person gives another key.
        with transaction.atomic():
            if still_mine.update(dropped_at=moment, lease=None, lease_until=None, note=f"{HELD}{refused.why}"):
                about, which = f"person:{delivery.person_id}", str(delivery.pk)
                chain.record(about, "mail.held", actor="system", why=refused.why, delivery=which)
        log.error("a mail could not be encrypted and was not sent: key %s", refused.why)
        return "held"
    except Exception as error:  # whatever the mail server does, the other mails must still go
        again = delivery.attempts < MAX_ATTEMPTS
        left: dict[str, Any] = {"due_at": moment + _wait(delivery.attempts)}
        left = left if again else {"dropped_at": moment, "sealed": ""}
        # Only the kind of error is kept: its text may quote the address.
        still_mine.update(lease=None, lease_until=None, note=type(error).__name__[:80], **left)
        return "failed"
    still_mine.update(sent_at=moment, lease=None, lease_until=None, note="", sealed="")
    return "sent"


def held(refs: Iterable[str] | None = None) -> list[Delivery]:
    """The mails that could not be encrypted and wait for another key, oldest first; of all cases or of these."""
    rows = Delivery.objects.filter(sent_at__isnull=True, note__startswith=HELD, dropped_at__gt=clock.now() - HELD_FOR)
    return list((rows if refs is None else rows.filter(case_ref__in=list(refs))).order_by("created_at"))


def held_of(person_id: uuid.UUID) -> int:
    """How many mails wait for another key of this person."""
    return sum(row.person_id == person_id for row in held())


def send_held(person_id: uuid.UUID) -> int:
    """Queue what was held for this person once more, because their key changed. The same rows, so nothing doubles."""
    waiting = Delivery.objects.filter(
        person_id=person_id, sent_at__isnull=True, note__startswith=HELD, dropped_at__gt=clock.now() - HELD_FOR
    )
    return waiting.update(dropped_at=None, due_at=clock.now(), attempts=0, note="")


def choose(person_id: uuid.UUID, case_ref: str, wanted: bool | None) -> None:
    """Whether a person wants mail about a case: yes (follow it), no (mute it), or None for as it comes."""
    if wanted is None:
        CaseMail.objects.filter(person_id=person_id, case_ref=case_ref).delete()
    else:
        CaseMail.objects.update_or_create(person_id=person_id, case_ref=case_ref, defaults={"wanted": wanted})


def chosen(person_id: uuid.UUID, case_ref: str) -> bool | None:
    """What the person chose about this case; None for nothing."""
    return CaseMail.objects.filter(person_id=person_id, case_ref=case_ref).values_list("wanted", flat=True).first()


def followers(case_ref: str) -> list[uuid.UUID]:
    """Who asked for mail about this case, whatever their part in it."""
    return list(CaseMail.objects.filter(case_ref=case_ref, wanted=True).values_list("person_id", flat=True))


def _address_of(delivery: Delivery) -> tuple[str, str]:
    """(where it goes, "") or ("", why it goes nowhere). What is about an account was asked for: nothing mutes it."""
    if delivery.sealed:
        return delivery.words["address"], ""
    person: Any = get_user_model().objects.filter(pk=delivery.person_id).first()
    if person is None or not person.is_active:
        return "", "no_such_person"
    if not person.email:
        return "", "no_address"
    if not person.wants_mail:
        return "", "muted"
    return ("", "muted_case") if chosen(delivery.person_id, delivery.case_ref) is False else (person.email, "")


def _letter(delivery: Delivery, address: str) -> letters.Letter:
    reader = f"person:{delivery.person_id}"
    keys = {row.subject: row for row in postkeys.in_use({reader, delivery.sender} - {""})}
    language = get_user_model().objects.filter(pk=delivery.person_id).values_list("language", flat=True).first()
    return letters.letter(delivery, address, language=language or "", to=keys.get(reader), by=keys.get(delivery.sender))


def _wait(attempts: int) -> timedelta:
    wait: timedelta = FIRST_WAIT * 2 ** (attempts - 1)
    return min(wait, LONGEST_WAIT)
