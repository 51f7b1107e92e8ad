"""API tokens: what a person's own programs show in their stead; narrow, dated, shown once, kept as a keyed hash."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from manyeyes.accounts.models import ApiToken, Person
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotFound
from manyeyes.vault import tokens

PREFIX = "mey_"
SCOPES = {
    "report": gettext_lazy("Send reports"),
    "read": gettext_lazy("Read my own cases"),
    "write": gettext_lazy("Act in my own cases: write, answer, attach, withdraw, retest, choose"),
    "profile": gettext_lazy("Read and change my profile, and the key that mail to me is encrypted to"),
    "export": gettext_lazy("Take everything along that is kept of me"),
    "leave": gettext_lazy("End my account and destroy what may be destroyed, which cannot be undone"),
}
LIFETIMES = {1: gettext_lazy("One day"), 30: gettext_lazy("30 days"), 90: gettext_lazy("90 days"),
             365: gettext_lazy("One year")}  # fmt: skip
"""Days a token may last."""
BRIEF = timedelta(hours=1)
MOST = 20
NAME_LONGEST = 60
NOTICE = timedelta(minutes=1)
"""The last use is written at most this often: a look must not cost a write each time."""


def issue(person: Person, *, name: str, scopes: Collection[str], days: int) -> tuple[ApiToken, str]:
    """A new token and its text, which is shown once and kept nowhere. Raises Invalid naming the field."""
    wrong: dict[str, str] = {}
    called = " ".join(name.split())
    if not called or len(called) > NAME_LONGEST or not called.isprintable():
        wrong["name"] = _("Give it a name of at most %(most)d letters, to know it by later.") % {"most": NAME_LONGEST}
    if not scopes or set(scopes) - set(SCOPES):
        wrong["scopes"] = _("Choose what it may do.")
    if days not in LIFETIMES:
        wrong["days"] = _("Choose how long it works.")
    if person.kind != Person.Kind.ACCOUNT:
        wrong["name"] = _("A receipt has no lasting tokens. Exchange it for one that works for an hour.")
    elif working(person).count() >= MOST:
        wrong["name"] = _("At most %(most)d tokens may work at a time. Revoke one first.") % {"most": MOST}
    if wrong:
        raise Invalid(wrong)
    return _made(person, sorted(scopes), timedelta(days=days), sealed_name=tokens.seal_text("api-token", called))


def issue_brief(person: Person) -> tuple[ApiToken, str]:
    """A token for the bearer of a receipt: it may do everything they may, for an hour. Older ones end with it."""
    ApiToken.objects.filter(person=person, brief=True, revoked_at=None).update(revoked_at=clock.now())
    return _made(person, list(SCOPES), BRIEF, brief=True)


def found(given: str) -> ApiToken | None:
    """The working token with this text, else None, after the same query: what time it takes tells nothing.

    The text is looked up by a keyed hash. Whoever does not hold the key cannot choose what is compared.
    """
    row = ApiToken.objects.select_related("person").filter(secret_hash=_named(given)).first()
    if row is None or not row.works or not row.person.is_active:
        return None
    return row


def used(token: ApiToken) -> None:
    """Remember when it was used last."""
    now = clock.now()
    if token.last_used_at is None or now - token.last_used_at >= NOTICE:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


def working(person: Any) -> QuerySet[ApiToken]:
    """The tokens of a person that open something now, newest first."""
    return ApiToken.objects.filter(person=person, revoked_at=None, expires_at__gt=clock.now())


def listed(person: Any) -> list[ApiToken]:
    """The tokens a person sees on their page: those that work, and what became of the last others."""
    rows = ApiToken.objects.filter(person=person, brief=False)
    return sorted(rows[: 3 * MOST], key=lambda row: (not row.works, -row.created_at.timestamp()))


def revoke(person: Any, token_id: Any) -> ApiToken:
    """End a token at once. Raises NotFound for one that is not theirs; ending it twice changes nothing."""
    row = ApiToken.objects.filter(person=person, pk=token_id).first()
    if row is None:
        raise NotFound
    if row.revoked_at is None:
        row.revoked_at = clock.now()
        row.save(update_fields=["revoked_at"])
    return row


def _made(person: Person, scopes: list[str], lasts: timedelta, **facts: Any) -> tuple[ApiToken, str]:
    text = PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    row = ApiToken.objects.create(
        person=person, scopes=scopes, secret_hash=_named(text), created_at=now, expires_at=now + lasts, **facts
    )
    return row, text


def _named(text: str) -> str:
    return tokens.keyed("api-token", text[:200])
