"""How the reporters of a case are named in public: each as they choose, changed by them alone, true everywhere."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _

from manyeyes.accounts import ownkey
from manyeyes.cases import claiming, people, sharing
from manyeyes.cases.access import is_reporter, reporter_ids, roles_in
from manyeyes.cases.conversation import checked
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting
from manyeyes.publications.models import Credit
from manyeyes.rules import clock, names
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role

UNNAMED = "A researcher who stays anonymous"


def choose(case: Case, *, by: Any, mode: str, name: str = "", link: str = "", share: int | None = None) -> Credit:
    """Say how oneself is to be thanked for this case; each reporter does, and may change it at any time.

    `share` is the percentage of a reward that one asks for; all shares of a case come to 100 at most.
    """
    if Role.REPORTER not in roles_in(by, case):
        raise NotAllowed("The researcher chooses how to be named.")
    named = mode in (Credit.Mode.NAME, Credit.Mode.HANDLE)
    wrong: dict[str, str] = {}
    if mode not in Credit.Mode.values:
        wrong["mode"] = _("Choose one of: %(modes)s.") % {"modes": ", ".join(Credit.Mode.values)}
    if mode == Credit.Mode.HANDLE and by.kind == "account":
        name = by.handle  # whatever stands in the field for a name: who asks for the handle is named by nothing else
    clean = checked("name", name, longest=80, required=named)
    if named and names.hidden(clean):
        wrong["name"] = _("Give a name of letters that can be seen.")
    if link.strip() and named:
        _check_link(link.strip(), wrong)
    if wrong:
        raise Invalid(wrong)
    with acting(
        case, "credit.chosen", by=by, allowed={Role.REPORTER}, tell=people.team(case), public=True, mode=str(mode),
        share=share, side="reporter",
    ) as row:  # fmt: skip
        _check_share(row, by, share)  # under the lock of the case: two who ask at once see each other
        credit = of(row, by) or Credit(case=row)
        credit.key = ownkey.of(by)  # theirs until they leave, and gone with them unless they let it stay
        credit.person, credit.mode, credit.share, credit.chosen_at = by, mode, share, clock.now()
        credit.name = clean if named else None
        credit.link = link.strip() or None if named else None
        credit.save()
        if row.recognised_at is None and mode != Credit.Mode.LATER:
            row.recognised_at = credit.chosen_at
    return credit


def of(case: Case, person: Any) -> Credit | None:
    """The choice of one reporter of this case, if they made one; also one made under a receipt they claimed since."""
    rows = {row.person_id: row for row in Credit.objects.filter(case=case)}
    earlier = (rows[pk] for pk in claiming.bearers(case, person) if pk in rows) if rows else iter(())
    return rows.get(person.pk) or next(earlier, None)


def standing(case: Case) -> list[Credit]:
    """The choices of those who report the case now: the sender's first, then in the order of choosing."""
    reporters = reporter_ids(case)
    rows = [row for row in Credit.objects.filter(case=case).select_related("person") if row.person_id in reporters]
    return sorted(rows, key=lambda row: (row.person_id != case.reporter_id, row.chosen_at))


def of_flaw(case: Case) -> list[Credit]:
    """The choices of everybody who shares in the credit for the flaw of this case, the first report's first.

    Who reported it in another case is here where the sharing rule says so; who came too late is not, wherever.
    """
    member = sharing.member_of(case)
    if member is None or not member.standing:
        return standing(case)
    found = sharing.standings(case)
    rows = sorted(sharing.of_one_flaw(case), key=sharing.received_at)
    return [choice for row in rows if found[row.pk].credited for choice in standing(row)]


def bylines(case: Case) -> list[tuple[str, str]]:
    """(name, link) of everybody who is to be named, as the public reads them."""
    return [found for found in map(byline, of_flaw(case)) if found[0]]


def given_to(person: Any) -> list[dict[str, Any]]:
    """The choices of a person, as data that JSON can hold."""
    rows = Credit.objects.filter(person=person).select_related("case", "key")
    return [
        {
            "case": row.case.ref,
            "mode": row.mode,
            "name": row.name,
            "link": row.link,
            "share": row.share,
            "chosen_at": row.chosen_at,
        }
        for row in rows
    ]


def unname(person: Any) -> None:
    """Take a person's name away from everything they are thanked for; they stay thanked without one."""
    named = Credit.objects.filter(person=person, mode__in=(Credit.Mode.NAME, Credit.Mode.HANDLE))
    for row in named.select_related("case__key", "key"):
        if is_reporter(person, row.case):
            choose(row.case, by=person, mode=Credit.Mode.ANONYMOUS, share=row.share)
        else:
            _entrust(row)  # whoever took the case into their account decides about it


def leave_named(person: Any) -> None:
    """Let a person's name stay where they are thanked when they leave."""
    for row in Credit.objects.filter(person=person).select_related("case__key", "key"):
        _entrust(row)


def _entrust(row: Credit) -> None:
    """From the key of the person to that of the case, so that it outlasts the person's."""
    row.key = row.case.key
    row.save()


def byline(credit: Credit | None) -> tuple[str, str]:
    """(name, link) as the public reads them; two empty texts where nobody is to be named."""
    if credit is None or credit.mode in (Credit.Mode.LATER, Credit.Mode.NONE):
        return "", ""
    if credit.mode == Credit.Mode.ANONYMOUS:
        return UNNAMED, ""
    return credit.name or "", credit.link or ""


def _check_share(case: Case, by: Any, share: int | None) -> None:
    if share is None:
        return
    own = of(case, by)
    taken = sum(row.share or 0 for row in standing(case) if own is None or row.pk != own.pk)
    if not 0 <= share <= 100 - taken:
        said = _("Give a whole percentage from 0 to %(free)d: the others ask for %(taken)d together. Or leave it open.")
        raise Invalid(share=said % {"free": 100 - taken, "taken": taken})


def _check_link(link: str, wrong: dict[str, str]) -> None:
    try:
        URLValidator(schemes=["https"])(link)
    except ValidationError:
        wrong["link"] = "Give an address that begins with https://, or leave it empty."
    if len(link) > 300:
        wrong["link"] = "This address is too long: at most 300 characters."
