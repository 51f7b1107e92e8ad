"""Where somebody is signed in, how, and on what kind of device: a list without places, ended one by one or at once."""

from __future__ import annotations

import hashlib
import zoneinfo
from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from manyeyes.accounts import devices
from manyeyes.accounts.models import SignIn
from manyeyes.rules import clock
from manyeyes.rules.errors import NotFound
from manyeyes.vault import tokens

WAYS = {
    "password": gettext_lazy("password"),
    "password_reset": gettext_lazy("a new password by mail"),
    "code": gettext_lazy("a code by mail"),
    "passkey": gettext_lazy("passkey"),
    "totp": gettext_lazy("code of the authenticator"),
    "recovery": gettext_lazy("recovery code"),
    "organisation": gettext_lazy("your organisation"),
    "receipt": gettext_lazy("receipt"),
}
"""How somebody proved who they are: the stored word → what the page says."""
KINDS = {"webauthn": "passkey", "totp": "totp", "recovery_codes": "recovery", "socialaccount": "organisation"}
NOTICE = 300
"""Seconds between two notes of the same browser: a look must not cost a write each time."""


class ReaderMiddleware:
    """Notes that a browser was used, and lets the pages show times of the reader's own zone below UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        note(request)
        with timezone.override(zone_of(request.user)):
            return self.get_response(request)


def zone_of(person: Any) -> zoneinfo.ZoneInfo:
    """The zone a person chose; UTC where they chose none, or one that is no zone any more."""
    try:
        return zoneinfo.ZoneInfo(person.zone or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def note(request: HttpRequest) -> None:
    """Remember that this browser was used; at most once in five minutes."""
    key = request.session.session_key
    if not key or not cache.add(f"seen:{hashlib.sha256(key.encode()).hexdigest()}", 1, NOTICE):
        return
    moment = clock.now()
    me: Any = request.user.pk
    if not SignIn.objects.filter(session_key=key, person_id=me).update(seen_at=moment):
        first = {"person_id": me, "began_at": moment, "seen_at": moment, **_proved(request)}
        SignIn.objects.update_or_create(session_key=key, defaults=first)


def _proved(request: HttpRequest) -> dict[str, str]:
    """How, and on what; of the device of who came with a receipt nothing is kept."""
    me: Any = request.user
    if me.kind == "receipt":
        return {"ways": "receipt", "sealed_device": ""}
    device = devices.described(request.headers.get("User-Agent", "")[:400])
    return {"ways": " ".join(_ways(request)), "sealed_device": tokens.seal_text("device", device) if device else ""}


def _ways(request: HttpRequest) -> list[str]:
    records = get_authentication_records(request, request.user)
    said = [row.get("type") or row.get("method", "") for row in records if not row.get("reauthenticated")]
    return list(dict.fromkeys(KINDS.get(word, word) for word in said if KINDS.get(word, word) in WAYS))


def ways_words(row: SignIn) -> str:
    """How it was begun, in words; empty where it is not known."""
    return ", ".join(str(WAYS[word]) for word in row.ways.split() if word in WAYS)


def listed(person: Any, here: str | None) -> list[tuple[SignIn, bool]]:
    """(sign-in, whether it is this browser) of those that still open something, the last used first."""
    rows = list(SignIn.objects.filter(person=person))
    keys = [row.session_key for row in rows]
    alive = set(
        Session.objects.filter(session_key__in=keys, expire_date__gt=clock.now()).values_list("session_key", flat=True)
    )
    SignIn.objects.filter(person=person, session_key__in=set(keys) - alive).delete()
    found = [(row, row.session_key == here) for row in rows if row.session_key in alive]
    return sorted(found, key=lambda pair: (not pair[1], -pair[0].seen_at.timestamp()))


def end(person: Any, sign_in_id: Any) -> None:
    """Sign one browser out. Raises NotFound for one that is not theirs."""
    row = SignIn.objects.filter(person=person, pk=sign_in_id).first()
    if row is None:
        raise NotFound
    Session.objects.filter(session_key=row.session_key).delete()
    row.delete()


def end_others(person: Any, here: str | None) -> int:
    """Sign out every browser but the one that asks; returns how many there were."""
    rows = SignIn.objects.filter(person=person).exclude(session_key=here or "")
    ended, _ = Session.objects.filter(session_key__in=list(rows.values_list("session_key", flat=True))).delete()
    rows.delete()
    return ended
