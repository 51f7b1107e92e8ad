"""Further reporters of a case: named by handle or by a link, and reporters like the first once they accept."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.cases.access import is_reporter
from manyeyes.cases.conversation import checked
from manyeyes.cases.models import Case, CoReporter
from manyeyes.cases.moves import acting
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed, NotFound
from manyeyes.rules.lifecycle import Role
from manyeyes.vault import tokens

MOST = 8
LASTS = timedelta(days=30)
"""How long an invitation waits for its answer; then it ends, and the handle is erased."""
HANDLE_LONGEST = 40


def invite(case: Case, *, by: Any, handle: str = "", sending: str = "") -> str:
    """Name a co-reporter by handle, or make a link for whoever holds it. Returns the link's secret, empty for a handle.

    A handle that nobody has is kept as it was typed and answered alike: who has an account here is told to nobody.
    `sending`, a secret name for this very request, makes a link repeatable: the same one again returns the same link.
    """
    if not is_reporter(by, case):
        raise NotAllowed("The reporter names further reporters.")
    named = handle.strip().removeprefix("@")
    if named:
        named = checked("handle", named, longest=HANDLE_LONGEST)
    repeated = tokens.keyed("co-reporter-link", f"{case.pk}\0{sending}") if sending and not named else ""
    secret = repeated or secrets.token_urlsafe(24)
    locator = tokens.keyed("co-reporter", secret)
    if repeated and case.co_reporters.filter(locator=locator).exists():
        return secret
    if standing(case).count() >= MOST:
        raise Invalid(handle=f"A report has at most {MOST} further reporters.")
    person = (
        Person.objects.filter(handle__iexact=named, kind=Person.Kind.ACCOUNT, is_active=True).first() if named else None
    )
    # Told by the handle as it was typed, so that naming somebody twice shows of nobody whether they have an account.
    named_before = any((row.named or "").casefold() == named.casefold() for row in standing(case)) if named else False
    if named_before or (person is not None and is_reporter(person, case)):
        raise Invalid(handle="This person was named already.")
    row = CoReporter(case=case, key=case.key, person=person, named=named or None, locator=locator, invited_by=by)
    try:
        with acting(case, "co_reporter.invited", by=by, allowed={Role.REPORTER}, tell=[], public=True, side="reporter",
            co_reporter=str(row.pk),
        ):  # fmt: skip
            row.save()
    except IntegrityError:
        if not repeated:
            raise
        return secret  # the same request a moment ago, beside this one
    return "" if named else secret


def standing(case: Case) -> QuerySet[CoReporter]:
    """Who was named and has neither declined nor left."""
    rows = case.co_reporters.filter(ended_at__isnull=True).exclude(_overdue())
    return rows.select_related("person").order_by("invited_at")


def sweep() -> int:
    """End the invitations that nobody answered in time, and erase whom they named; how many ended."""
    ended = 0
    for late in CoReporter.objects.filter(_overdue(), ended_at=None).select_related("case")[:200]:
        with transaction.atomic():
            row = CoReporter.objects.select_for_update(of=("self",)).select_related("key").get(pk=late.pk)
            if row.accepted_at is None and row.ended_at is None:
                row.ended_at, row.named = clock.now(), None
                row.save()
                events.record(late.case.subject, "co_reporter.expired", actor="system", public=True,
                              co_reporter=str(row.pk))  # fmt: skip
                ended += 1
    return ended


def _overdue() -> Q:
    return Q(accepted_at__isnull=True, invited_at__lte=clock.now() - LASTS)


def waiting_for(viewer: Any) -> list[CoReporter]:
    """The invitations by handle that an account has not answered."""
    if viewer is None or not getattr(viewer, "is_authenticated", False):
        return []
    open_ones = Q(person=viewer, accepted_at__isnull=True, ended_at__isnull=True)
    return list(
        CoReporter.objects.filter(open_ones).exclude(_overdue()).select_related("case", "case__program", "invited_by")
    )


def by_link(secret: str) -> CoReporter:
    """The open invitation of a link. Raises NotFound for a spent one and for any other word, which look the same."""
    locator = tokens.keyed("co-reporter", secret[:100])
    standing_ones = CoReporter.objects.filter(locator=locator, person=None, accepted_at=None, ended_at=None)
    row = standing_ones.exclude(_overdue()).first()
    if row is None or row.named:
        raise NotFound
    return row


def joined(secret: str, viewer: Any) -> CoReporter | None:
    """The invitation of a link that this viewer accepted already, so that a lost answer can be asked for again."""
    if viewer is None or viewer.pk is None:
        return None
    rows = CoReporter.objects.filter(locator=tokens.keyed("co-reporter", secret[:100]), person_id=viewer.pk)
    return rows.filter(accepted_at__isnull=False, ended_at=None).select_related("case").first()


def own_invitation(viewer: Any, invitation_id: Any) -> CoReporter:
    """An unanswered invitation of this viewer. Raises NotFound."""
    row = next((one for one in waiting_for(viewer) if one.pk == invitation_id), None)
    if row is None:
        raise NotFound
    return row


def accept(invitation: CoReporter, *, by: Any) -> Case:
    """Become a reporter of the case. Raises Conflict where the link was used meanwhile, or the case is theirs."""
    case = invitation.case
    if is_reporter(by, case):
        raise Conflict("This report is yours already.")
    with acting(case, "co_reporter.accepted", by=by, allowed=None, public=True, side="reporter"):
        row = CoReporter.objects.select_for_update().get(pk=invitation.pk)
        if row.accepted_at or row.ended_at or (row.person_id and row.person_id != by.pk):
            raise Conflict("This invitation was used already.")
        if row.invited_at <= clock.now() - LASTS:
            raise Conflict("This invitation has run out. Ask for another.")
        row.person, row.accepted_at = by, clock.now()
        row.save()
    return case


def end(invitation: CoReporter, *, by: Any) -> None:
    """Decline, leave, or take an invitation back; the first reporter may end any, everybody their own."""
    case = invitation.case
    if by.pk not in (case.reporter_id, invitation.person_id):
        raise NotAllowed("The reporter who sent the report takes invitations back.")
    with acting(
        case, "co_reporter.ended", by=by, allowed=None, public=True, side="reporter", co_reporter=str(invitation.pk)
    ):
        row = CoReporter.objects.select_for_update().get(pk=invitation.pk)
        if row.ended_at is None:
            row.ended_at, row.named = clock.now(), None
            row.save()
