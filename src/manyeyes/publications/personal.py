"""Everything that is kept of one person, from every room, as data that JSON can hold."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from manyeyes import events
from manyeyes.accounts import leaving, postkey, profiles, sessions, tokens, working
from manyeyes.accounts.models import Receipt
from manyeyes.cases import personal
from manyeyes.publications import credit
from manyeyes.rules import clock


def everything(person: Any) -> dict[str, Any]:
    """Profile, reports, drafts, invitations and credits of a person."""
    return {"profile": _about(person), **personal.of(person), "credits": credit.given_to(person)}


@transaction.atomic
def leave(person: Any, *, keep_credit: bool) -> None:
    """Take a person out of every room and end their account. Raises Conflict with the reason where they may not."""
    (credit.leave_named if keep_credit else credit.unname)(person)
    personal.forget(person)
    events.record(person.actor, "account.ended", actor=person.actor, human=True)
    leaving.end_account(person)


def _about(me: Any) -> dict[str, Any]:
    said = profiles.of(me)
    receipt = Receipt.objects.filter(person=me).first()
    return {
        "taken_at": clock.now(), "email": me.email, "handle": me.handle, "display_name": me.display_name,
        "wants_mail": me.wants_mail, "since": me.created_at, "credit_name": said.credit_name,
        "links": list(said.links), "language": said.language, "zone": said.zone,
        "openpgp_fingerprint": postkey.standing(me).fingerprint,
        "at_work": working.all_of(me),
        "receipt": {"made_at": receipt.created_at} if receipt else None,
        "sign_ins": [
            {"began_at": row.began_at, "seen_at": row.seen_at, "with": row.ways.split(), "device": row.device}
            for row, _here in sessions.listed(me, None)
        ],
        "api_tokens": [
            {"name": row.name, "scopes": row.scopes, "made_at": row.created_at, "until": row.expires_at}
            for row in tokens.listed(me)
        ],
    }  # fmt: skip
