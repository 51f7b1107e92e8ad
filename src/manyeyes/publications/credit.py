"""How a researcher is named in public: their choice, changed by them alone, true everywhere at once."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from manyeyes.cases import people
from manyeyes.cases.access import roles_in
from manyeyes.cases.conversation import checked
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting
from manyeyes.publications.models import Credit
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role

UNNAMED = "A researcher who stays anonymous"


def choose(case: Case, *, by: Any, mode: str, name: str = "", link: str = "") -> Credit:
    """Say how to be thanked for this case; may be changed at any time."""
    if Role.REPORTER not in roles_in(by, case):
        raise NotAllowed("The researcher chooses how to be named.")
    if by.pk != case.reporter_id:
        raise NotAllowed("Whoever sent the report chooses; further reporters are named with the advisory.")
    named = mode in (Credit.Mode.NAME, Credit.Mode.HANDLE)
    wrong: dict[str, str] = {}
    if mode not in Credit.Mode.values:
        wrong["mode"] = f"Choose one of: {', '.join(Credit.Mode.values)}."
    if mode == Credit.Mode.HANDLE and by.kind == "account":
        name = by.handle  # whatever stands in the field for a name: who asks for the handle is named by nothing else
    clean = checked("name", name, longest=80, required=named)
    if link.strip() and named:
        _check_link(link.strip(), wrong)
    if wrong:
        raise Invalid(wrong)
    with acting(
        case,
        "credit.chosen",
        by=by,
        allowed={Role.REPORTER},
        tell=people.team(case),
        public=True,
        mode=str(mode),
        side="reporter",
    ) as row:
        credit, _ = Credit.objects.get_or_create(case=row, defaults={"person": by, "key": row.key})
        credit.mode, credit.chosen_at = mode, clock.now()
        credit.name = clean if named else None
        credit.link = link.strip() or None if named else None
        credit.save()
        if row.recognised_at is None and mode != Credit.Mode.LATER:
            row.recognised_at = credit.chosen_at
    return credit


def of(case: Case) -> Credit | None:
    """The choice for this case, if one was made."""
    return Credit.objects.filter(case=case).first()


def given_to(person: Any) -> list[dict[str, Any]]:
    """The choices of a person, as data that JSON can hold."""
    rows = Credit.objects.filter(person=person).select_related("case", "key")
    return [
        {"case": row.case.ref, "mode": row.mode, "name": row.name, "link": row.link, "chosen_at": row.chosen_at}
        for row in rows
    ]


def unname(person: Any) -> None:
    """Take a person's name away from everything they are thanked for; they stay thanked without one."""
    named = Credit.objects.filter(person=person, mode__in=(Credit.Mode.NAME, Credit.Mode.HANDLE))
    for row in named.select_related("case"):
        if row.case.reporter_id == person.pk:
            choose(row.case, by=person, mode=Credit.Mode.ANONYMOUS)


def byline(credit: Credit | None) -> tuple[str, str]:
    """(name, link) as the public reads them; two empty texts where nobody is to be named."""
    if credit is None or credit.mode in (Credit.Mode.LATER, Credit.Mode.NONE):
        return "", ""
    if credit.mode == Credit.Mode.ANONYMOUS:
        return UNNAMED, ""
    return credit.name or "", credit.link or ""


def _check_link(link: str, wrong: dict[str, str]) -> None:
    try:
        URLValidator(schemes=["https"])(link)
    except ValidationError:
        wrong["link"] = "Give an address that begins with https://, or leave it empty."
    if len(link) > 300:
        wrong["link"] = "This address is too long: at most 300 characters."
