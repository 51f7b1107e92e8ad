"""The outbox: mails that say only that something is new, queued with what happened and sent after it, with retries."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db.models import F, Q

from manyeyes.events.models import Delivery
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid

LEASE = timedelta(minutes=5)
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
MAX_ATTEMPTS = 10
BATCH = 50
SETTINGS_PATH = "/my/settings/"

TEXT = """There is something new for you in {ref}.

{link}

This mail says no more on purpose. Sign in to read it.
You get it because you take part in {ref}. To stop these mails: {settings}
"""


@dataclass(frozen=True)
class Sent:
    """What one round of sending came to."""

    sent: int = 0
    failed: int = 0
    skipped: int = 0


def queue_mail(person_id: uuid.UUID, case_ref: str, path: str, *, reason: str) -> Delivery:
    """Queue one mail to one person. Call it inside the transaction that did the thing, so that both happen or neither.

    The mail holds `case_ref` and a link to `path`, nothing else; `reason` is a word for the record, never sent.
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
        created_at=clock.now(),
        due_at=clock.now(),
    )


def deliver_due(now: datetime | None = None) -> Sent:
    """Send what is due. Any number of workers may call this; one whose lease ran out is taken over by another."""
    moment = now or clock.now()
    waiting = Q(sent_at__isnull=True, dropped_at__isnull=True, due_at__lte=moment)
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=moment)
    tally = {"sent": 0, "failed": 0, "skipped": 0}
    for pk in list(Delivery.objects.filter(waiting, free).order_by("due_at").values_list("pk", flat=True)[:BATCH]):
        lease = uuid.uuid4()
        mine = Delivery.objects.filter(waiting, free, pk=pk).update(
            lease=lease, lease_until=moment + LEASE, attempts=F("attempts") + 1
        )
        if mine:
            tally[_deliver(Delivery.objects.get(pk=pk), lease, moment)] += 1
    return Sent(**tally)


def _deliver(delivery: Delivery, lease: uuid.UUID, moment: datetime) -> str:
    still_mine = Delivery.objects.filter(pk=delivery.pk, lease=lease)
    address, why_not = _address_of(delivery.person_id)
    if address is None:
        still_mine.update(dropped_at=moment, lease=None, lease_until=None, note=why_not)
        return "skipped"
    try:
        _message(delivery, address).send()
    except Exception as error:  # whatever the mail server does, the other mails must still go
        again = delivery.attempts < MAX_ATTEMPTS
        left = {"due_at": moment + _wait(delivery.attempts)} if again else {"dropped_at": moment}
        # Only the kind of error is kept: its text may quote the address.
        still_mine.update(lease=None, lease_until=None, note=type(error).__name__[:80], **left)
        return "failed"
    still_mine.update(sent_at=moment, lease=None, lease_until=None, note="")
    return "sent"


def _address_of(person_id: uuid.UUID) -> tuple[str | None, str]:
    person = get_user_model().objects.filter(pk=person_id).first()
    if person is None or not person.is_active:
        return None, "no_such_person"
    address = getattr(person, "email", None)
    if not address:
        return None, "no_address"
    return (address, "") if getattr(person, "wants_mail", True) else (None, "muted")


def _message(delivery: Delivery, address: str) -> EmailMessage:
    site = settings.MANYEYES_BASE_URL
    return EmailMessage(
        subject=f"[{delivery.case_ref}] news",
        body=TEXT.format(ref=delivery.case_ref, link=site + delivery.path, settings=site + SETTINGS_PATH),
        to=[address],
        headers={
            # The same at every attempt, so that a mail sent twice after a crash is shown once.
            "Message-ID": f"<{delivery.pk}@manyeyes>",
            "Auto-Submitted": "auto-generated",
        },
    )


def _wait(attempts: int) -> timedelta:
    wait: timedelta = FIRST_WAIT * 2 ** (attempts - 1)
    return min(wait, LONGEST_WAIT)
