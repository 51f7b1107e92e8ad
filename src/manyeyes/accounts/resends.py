"""Idempotency keys: the same request sent again gets the first answer, and nothing is done twice."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from manyeyes.accounts.models import KeptAnswer
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid
from manyeyes.vault import tokens

KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=2)
"""From then on a request under way counts as lost: its process was ended."""
LONGEST = 200

Answered = tuple[int, bytes]


def once(who: str, key: str, sent: str, work: Callable[[], Answered]) -> tuple[Answered, bool]:
    """What `work` answers, and whether this is the answer of an earlier, equal request.

    `who` and `key` together name the request, `sent` is a digest of its content. Raises Invalid for the same key with
    other content, Conflict while the first is still under way. Refusals and failures (400 and above) are not kept: what
    was wrong can be mended and sent again.
    """
    slot = tokens.keyed("resend-slot", f"{who}\0{key}")
    said = tokens.keyed("resend-content", sent)
    KeptAnswer.objects.filter(at__lt=clock.now() - KEPT).delete()
    row = _taken(slot, said)
    if row.http_status and row.sealed_body:
        return (row.http_status, base64.b64decode(tokens.open_text("resend", row.sealed_body))), True
    try:
        status, body = work()
    except BaseException:
        row.delete()
        raise
    if status >= 400:
        row.delete()
    else:
        row.http_status = status
        row.sealed_body = tokens.seal_text("resend", base64.b64encode(body).decode())
        row.save(update_fields=["http_status", "sealed_body"])
    return (status, body), False


def known(who: str, key: str, sent: str) -> str:
    """A name for this request where its answer may not be kept, empty for one that was remembered before.

    Raises Invalid for the same key with other content.
    """
    slot, said = tokens.keyed("resend-slot", f"{who}\0{key}"), tokens.keyed("resend-content", sent)
    KeptAnswer.objects.filter(at__lt=clock.now() - KEPT).delete()
    row, made = KeptAnswer.objects.get_or_create(slot=slot, defaults={"request_hash": said, "http_status": 204})
    if not hmac.compare_digest(row.request_hash, said):
        raise Invalid({"Idempotency-Key": _("This key was used for another request. Take a new one.")})
    return slot if made else ""


def forget(slot: str) -> None:
    """Take back what `known` remembered just now, after a refusal."""
    KeptAnswer.objects.filter(slot=slot, sealed_body="").delete()


def _taken(slot: str, said: str) -> KeptAnswer:
    """The row of this request: a new one, or that of the equal request before."""
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(slot=slot, request_hash=said)
    except IntegrityError:
        row = KeptAnswer.objects.filter(slot=slot).first()
    if row is None:
        raise Conflict(_("The same request is being worked on. Send it again in a moment."))
    if not hmac.compare_digest(row.request_hash, said):
        raise Invalid({"Idempotency-Key": _("This key was used for another request. Take a new one.")})
    if not row.http_status:
        stale = KeptAnswer.objects.filter(pk=row.pk, http_status=0, at__lt=clock.now() - ABANDONED)
        if not stale.update(at=clock.now()):
            raise Conflict(_("The same request is being worked on. Send it again in a moment."))
    return row
