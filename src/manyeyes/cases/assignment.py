"""Who works on a case: named on arrival by load and fit, handed over with a note, stood in for when silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q
from django.utils.translation import gettext as _

from manyeyes.accounts import working
from manyeyes.cases.access import is_reporter, reporter_ids
from manyeyes.cases.conversation import checked
from manyeyes.cases.models import Case, Message
from manyeyes.cases.moves import acting
from manyeyes.cases.seats import Seat
from manyeyes.programs.access import disciplines_in, disciplines_of, roles_of
from manyeyes.programs.models import Membership
from manyeyes.programs.triaging import rules_of
from manyeyes.rules import assignment as rules
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.rules.lifecycle import TRIAGERS, Role, Status
from manyeyes.rules.signoff import DISCIPLINES

AT_WORK = (Status.NEW, Status.NEEDS_INFO, Status.TRIAGED, Status.FIX_DEPLOYED, Status.RETESTING)
"""Statuses in which a case costs a triager time; one that waits for its fix is the owner's."""
NOTE_LONGEST = 5_000


def arrived(case: Case) -> None:
    """Name somebody for each discipline, within the transaction of the arrival; a program may have switched it off."""
    if rules_of(case.program).assigns:
        _seat_all(case, rules.seats(team_of(case), _arriving(case)))


def team_of(case: Case) -> list[rules.Colleague]:
    """Whoever may work on the case, as assignment sees them."""
    rows = Membership.objects.filter(program_id=case.program_id, person__is_active=True)
    rows = rows.select_related("person__at_work__key", "expertise").order_by("created_at")
    members = [row for row in rows if disciplines_in(row) or TRIAGERS & {Role(name) for name in row.roles}]
    busy, out = load([row.person_id for row in members]), working.away([row.person_id for row in members])
    reported = reporter_ids(case)
    return [_colleague(row, busy[row.person_id], row.person_id in out, row.person_id in reported) for row in members]


def load(people: Iterable[UUID]) -> Counter[UUID]:
    """How many cases at work each of these people has, in all programs: a seat, or the lead, each case once."""
    ids, found = list(people), Counter[UUID]()
    at_work = Q(status__in=AT_WORK, key__destroyed_at=None)
    seats = Seat.objects.filter(person__in=ids, case__status__in=AT_WORK, case__key__destroyed_at=None)
    found.update({one["person"]: one["n"] for one in seats.values("person").annotate(n=Count("case", distinct=True))})
    leads = Case.objects.filter(at_work, assignee__in=ids).exclude(seats__person=F("assignee"))
    found.update({one["assignee"]: one["n"] for one in leads.values("assignee").annotate(n=Count("pk", distinct=True))})
    return found


def _colleague(row: Membership, open_cases: int, away: bool, reported: bool) -> rules.Colleague:
    works, knows = getattr(row.person, "at_work", None), getattr(row, "expertise", None)
    return rules.Colleague(
        person=str(row.person_id), name=row.person.name, disciplines=disciplines_in(row),
        classes=frozenset(knows.classes if knows else ()), targets=frozenset(knows.targets if knows else ()),
        open_cases=open_cases, most_cases=works.most_cases if works else None,
        hours_a_week=works.hours_a_week if works else None, away=away,
        declines=frozenset((works.declines if works else None) or ()), conflict=_("reported it") if reported else "",
        leads=str(Role.PROGRAM_MANAGER) in row.roles,
    )  # fmt: skip


def _arriving(case: Case) -> rules.Arriving:
    return rules.Arriving(vuln_class=case.vuln_class, target=str(case.target_id), hazard=case.hazard)


def _seat_all(case: Case, chosen: Iterable[rules.Seat]) -> None:
    """Store the seats that the platform gave, and the lead where nobody has it, as one act of the platform."""
    rows = list(chosen)
    lead = next((row.person for row in rows if row.person), "")
    named = list(dict.fromkeys(row.person for row in rows if row.person))
    with acting(case, "assigned.by_rule", by=None, allowed=None, mentioned=named) as row:
        for seat in rows:
            Seat.objects.update_or_create(
                case=row, discipline=seat.discipline,
                defaults={
                    "person_id": seat.person or None, "backup_id": seat.backup or None, "key": row.key,
                    "reasons": list(seat.reasons), "at": clock.now(),
                },
            )  # fmt: skip
        row.assignee_id = row.assignee_id or (UUID(lead) if lead else None)


def give(
    case: Case, *, by: Any, to: Any, discipline: str = "", note: str = "", expected_version: int | None = None
) -> Case:
    """Give the case, or its seat for a discipline, to a member of the team, with a word for them where it had another.

    Two people who give the same case at once: the second learns who was first. Raises Invalid, Conflict, NotAllowed.
    """
    seat = _seat(case, discipline) if discipline else None
    before = seat.person if seat is not None else case.assignee
    handed = before is not None and to.pk != before.pk and by.pk != to.pk
    text = checked("note", note, longest=NOTE_LONGEST, required=handed)
    _may_take(case, to, discipline)
    word = Message(case=case, author=by, public=False, text=text, purpose="hand_over", at=clock.now()) if text else None
    tell = [to, before] if before is not None else [to]
    with acting(
        case, "assigned", by=by, allowed=TRIAGERS, tell=tell, expected_version=expected_version, changes=True,
        said=text, mentioned=[str(to.pk)], discipline=discipline, message=str(word.pk) if word else "",
    ) as row:  # fmt: skip
        if word is not None:
            word.save()
        leads = row.assignee_id is None or (before is not None and row.assignee_id == before.pk)
        if seat is not None:
            _sit(row, seat, to)
        if seat is None or leads:
            row.assignee = to
    return case


def take(case: Case, *, by: Any, expected_version: int | None = None) -> Case:
    """Take the case oneself: the lead, and the seats of one's own disciplines that nobody else has a word in yet."""
    _may_take(case, by, "")
    own = disciplines_of(by, case.program)
    spoken = {row.discipline for row in case.sign_offs.exclude(by=by)}
    with acting(
        case, "assigned", by=by, allowed=TRIAGERS, expected_version=expected_version, changes=True,
        mentioned=[str(by.pk)], tell=[case.assignee],
    ) as row:  # fmt: skip
        row.assignee = by
        held = {seat.discipline: seat for seat in row.seats.all()}
        if any(seat.person_id == by.pk for seat in held.values()):
            return case  # one has a seat already: the other one is somebody else's word
        for name in (name for name in DISCIPLINES if name in own - spoken):
            _sit(row, held.get(name) or Seat(case=row, discipline=name, key=row.key), by)
    return case


def relieve(case: Case) -> None:
    """Give what somebody has of a case to others, where they do not view its kind of content or left the team."""
    team = team_of(case)
    able = {UUID(one.person) for one in team if not (case.hazard and case.hazard in one.declines)}
    held = [seat for seat in case.seats.all() if seat.person_id and seat.person_id not in able]
    if not held and (case.assignee_id is None or case.assignee_id in able):
        return
    chosen = {seat.discipline: seat for seat in rules.seats(team, _arriving(case))}
    lead = next((one.person for one in chosen.values() if one.person), "")
    named = [chosen[seat.discipline].person for seat in held if chosen[seat.discipline].person]
    with acting(case, "assigned.relieved", by=None, allowed=None, mentioned=named, tell=_people(case, named)) as row:
        for seat in held:
            new = chosen[seat.discipline]
            seat.person_id, seat.backup_id = (UUID(pk) if pk else None for pk in (new.person, new.backup))
            seat.reasons, seat.at = list(new.reasons), clock.now()
            seat.save()
        if row.assignee_id not in able:
            row.assignee_id = UUID(lead) if lead else None


def relieve_everywhere(person: Any) -> None:
    """The same for every case at work that somebody has and whose content they do not view any more."""
    declined = working.declines(person)
    if declined:
        theirs = Q(assignee=person) | Q(pk__in=Seat.objects.filter(person=person).values("case"))
        for case in Case.objects.filter(theirs, status__in=AT_WORK, hazard__in=declined, key__destroyed_at=None):
            relieve(case)


def backup_for(case: Case, discipline: str = "") -> Any | None:
    """Who hears of it when the person of a case is silent: the named backup if they are there, else who is best now.

    Without `discipline` it is the seat of the lead. Never the silent person, never somebody away, nor whoever declines
    the content. None where nobody is left.
    """
    seats = {seat.discipline: seat for seat in case.seats.select_related("person", "backup")}
    seat = seats.get(discipline) or next((one for one in seats.values() if one.person_id == case.assignee_id), None)
    team = team_of(case)
    silent = {str(pk) for pk in (case.assignee_id, seat and seat.person_id) if pk}
    named = seat.backup if seat is not None else None
    chosen = rules.stand_in(team, _arriving(case), seat.discipline if seat else discipline, without=silent)
    if named is not None:
        only = [one for one in team if one.person == str(named.pk)]
        chosen = rules.stand_in(only, _arriving(case), "", without=silent) or chosen
    if chosen is None:
        return None
    return _people(case, [chosen.person])[0]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Somebody a case may be given to, with how they stand, in words."""

    person: Any
    words: str


def choices(case: Case) -> list[Choice]:
    """Whom the case may be given to, those of fewest cases first; nobody away, nobody who cannot take it."""
    able = [
        one for one in team_of(case) if not (one.away or one.conflict or (case.hazard and case.hazard in one.declines))
    ]
    rows = Membership.objects.filter(program_id=case.program_id).select_related("person")
    people = {str(row.person_id): row for row in rows if TRIAGERS & {Role(name) for name in row.roles}}
    found = sorted((one for one in able if one.person in people), key=lambda one: (one.load, one.name))
    return [Choice(person=people[one.person].person, words=_stands(one)) for one in found]


def _stands(one: rules.Colleague) -> str:
    of = _(" of at most %(most)s") % {"most": one.most} if one.most is not None else ""
    names = ", ".join(words for name, words in DISCIPLINES.items() if name in one.disciplines)
    return _("%(names)s; %(n)s%(of)s at work") % {"names": names or _("manager"), "n": one.open_cases, "of": of}


def _may_take(case: Case, to: Any, discipline: str) -> None:
    """Raises Invalid where somebody cannot have the case, NotAllowed where they may not judge it."""
    if to is None or not roles_of(to, case.program) & TRIAGERS:
        raise Invalid(to=_("This person does not triage in this program. Choose a triager or the manager."))
    if discipline and discipline not in disciplines_of(to, case.program):
        words = DISCIPLINES[discipline]
        raise Invalid(to=_("%(name)s does not speak for %(words)s here.") % {"name": to.name, "words": words})
    if is_reporter(to, case):
        raise NotAllowed(_("%(name)s reported this case, so somebody else works on it.") % {"name": to.name})
    if case.hazard and case.hazard in working.declines(to):
        raise Invalid(to=_("%(name)s does not take cases with this kind of content.") % {"name": to.name})
    gone = working.away([to.pk]).get(to.pk)
    if gone is not None:
        until = f"{gone.last_day:%-d %b %Y}"
        raise Invalid(to=_("%(name)s is away until %(day)s.") % {"name": to.name, "day": until})


def _seat(case: Case, discipline: str) -> Seat:
    if discipline not in DISCIPLINES:
        raise Invalid(discipline=_("Choose security or ML."))
    found = case.seats.filter(discipline=discipline).select_related("person").first()
    return found if found is not None else Seat(case=case, discipline=discipline, key=case.key)


def _sit(case: Case, seat: Seat, to: Any) -> None:
    """Put somebody on a seat, with a backup who is somebody else; a person decided, so there are no reasons."""
    team = team_of(case)
    others = {str(row.person_id) for row in case.seats.all() if row.person_id and row.discipline != seat.discipline}
    arriving, me = _arriving(case), {str(to.pk)}
    backup = rules.stand_in(team, arriving, seat.discipline, without=me | others)
    backup = backup or rules.stand_in(team, arriving, seat.discipline, without=me)
    seat.person, seat.reasons, seat.at = to, None, clock.now()
    seat.backup_id = UUID(backup.person) if backup is not None else None
    seat.save()


def _people(case: Case, ids: Iterable[str]) -> list[Any]:
    rows = Membership.objects.filter(program_id=case.program_id, person__in=list(ids)).select_related("person")
    return [row.person for row in rows]
