"""One's own person: profile, the key that mail is encrypted to, and everything that is kept, to take along."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router

from manyeyes.accounts import postkey, profiles
from manyeyes.accounts.models import Person
from manyeyes.accounts.people import change_settings
from manyeyes.api import asked
from manyeyes.api import told_people as told
from manyeyes.api.holders import holder
from manyeyes.api.routes import acting, reading
from manyeyes.cases import personal
from manyeyes.publications.personal import everything, leave
from manyeyes.rules.errors import Invalid, NotFound

router = Router(tags=["me"])


def account(request: HttpRequest) -> Person:
    """The caller, who has an account. Raises NotFound for the bearer of a receipt, of whom nothing is kept."""
    person: Person = holder(request).person
    if person.kind != Person.Kind.ACCOUNT:
        raise NotFound
    return person


def shown(person: Person) -> dict[str, Any]:
    """What one says about oneself."""
    said, key = profiles.of(person), postkey.standing(person)
    openpgp = {"fingerprint": key.fingerprint, "trouble": key.trouble, "held": key.held} if key.key else None
    return {
        "email": person.email, "handle": person.handle, "display_name": person.display_name,
        "wants_mail": person.wants_mail, "credit_name": said.credit_name, "links": list(said.links),
        "language": said.language, "zone": said.zone, "openpgp": openpgp,
    }  # fmt: skip


@reading(router, "/me/profile", told.ProfileOut, scope="profile", name="profile")
def profile(request: HttpRequest) -> dict[str, Any]:
    """What I say about myself."""
    return shown(account(request))


@acting(router, "/me/profile/change", told.ProfileOut, scope="profile", name="profile_change")
def change(request: HttpRequest, body: asked.ProfileIn) -> dict[str, Any]:
    """Change some of it; what is left out stays as it is."""
    person = account(request)
    given = body.model_dump(exclude_none=True)
    before = shown(person)
    with transaction.atomic():
        change_settings(person, **{
            name: given.get(name, before[name]) for name in ("handle", "display_name", "wants_mail")
        })  # fmt: skip
        profiles.say(person, profiles.Said(**{
            name: given.get(name, before[name]) for name in ("credit_name", "links", "language", "zone")
        }))  # fmt: skip
    return shown(person)


@acting(router, "/me/key", told.ProfileOut, scope="profile", name="key")
def key(request: HttpRequest, body: asked.KeyIn) -> dict[str, Any]:
    """Encrypt mail to me to this OpenPGP key, in the place of the one before."""
    person = account(request)
    postkey.give(person, text=body.openpgp_key)
    return shown(person)


@acting(router, "/me/key/removal", told.ProfileOut, scope="profile", name="key_drop")
def key_drop(request: HttpRequest) -> dict[str, Any]:
    """Forget the key; mail comes unencrypted from then on, and never holds content."""
    person = account(request)
    postkey.remove(person)
    return shown(person)


@reading(router, "/me/export", told.ExportOut, scope="export", name="export")
def export(request: HttpRequest) -> dict[str, Any]:
    """Everything that is kept of me, as the pages hand it out."""
    found: dict[str, Any] = json.loads(json.dumps(everything(holder(request).person), default=str))
    return found


@reading(router, "/me/deletion/preview", told.LeavingOut, scope="leave", name="leaving")
def leaving(request: HttpRequest) -> dict[str, Any]:
    """What would go and what would stay if my account ended now."""
    person = account(request)
    fates = [{"ref": one.case.ref, "goes": one.goes, "why": one.why} for one in personal.fates(person)]
    return {"why_not": personal.may_leave(person), "reports": fates}


@acting(router, "/me/deletion", told.Left, scope="leave", name="leave")
def end(request: HttpRequest, body: asked.LeaveIn) -> dict[str, Any]:
    """End my account. A resend finds no token any more (401), and so nothing is done twice."""
    person = account(request)
    if not body.sure:
        raise Invalid(sure=_("Say that you have read what goes and what stays; this cannot be undone."))
    leave(person, keep_credit=body.keep_credit)
    return {"left": True}
