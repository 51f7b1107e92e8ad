"""What a person can do next on a case: the buttons, the main one first, refused ones with what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from manyeyes.cases import access, choices, facts, families, longer, signoffs, triage
from manyeyes.cases.conversation import SPEAKERS
from manyeyes.cases.disclosure import BOTH_SIDES
from manyeyes.cases.holds import HOLDERS
from manyeyes.cases.models import Case
from manyeyes.cases.proposals import ASKERS
from manyeyes.cases.reproduction import REPLAYED_IN
from manyeyes.cases.steering import WHO
from manyeyes.programs.access import disciplines_of
from manyeyes.publications.advisory import PUBLISHERS, WRITERS
from manyeyes.rules.lifecycle import TRIAGERS, Facts, Offer, Role, Status

FORMED = ("ask_researcher", "reopen", "close", "fix_refuted", "deploy_fix", "request_verification")
"""Moves that ask for more than a click: their button leads to a page."""
LAST = ("ask_researcher", "close", "reopen", "fix_refuted")


@dataclass(frozen=True, kw_only=True)
class Act:
    """One button. With `move` it is pressed on the page, else it is a link; `missing` says why it does not work."""

    label: str
    key: str = ""
    href: str = ""
    move: str = ""
    go: bool = False
    minor: bool = False
    missing: tuple[str, ...] = ()
    have: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What this viewer may do with this case."""

    acts: list[Act]
    others: list[Act]
    speaks: bool
    triages: bool
    signs: list[str]
    decides: bool
    names_owner: bool
    says_cause: bool
    embargoes: bool
    steers: bool
    ends_embargo: bool
    calls: list[str] = field(default_factory=list)
    roles: frozenset[Role] = field(default_factory=frozenset)


def desk(case: Case, viewer: Any, *, here: str = "") -> Desk:
    """The buttons of the viewer, from the law's offers and what their roles add; none leads to the page `here`."""
    roles, known = access.roles_in(viewer, case), facts.facts_of(case)
    offers = choices.offers(case, viewer)
    ahead = [_offer(case, offer) for offer in offers if offer.move.name not in LAST]
    acts = [act for act in _work(case, viewer, roles, known, ahead) if act is not None and act.href != (here or "-")]
    others = [_offer(case, offer) for offer in offers if offer.move.name in LAST]
    if roles & HOLDERS:
        others.append(Act(label=_("Legal hold…"), href=reverse("console:hold", args=[case.ref])))
    others += _kin(case, roles, closable=any(offer.move.name == "close" for offer in offers))
    return Desk(
        acts=_main_first(acts),
        others=others,
        speaks=bool(roles & SPEAKERS),
        triages=bool(roles & TRIAGERS),
        signs=_signs(case, viewer, known),
        decides=Role.PROGRAM_MANAGER in roles,
        names_owner=bool(roles & (TRIAGERS | {Role.TARGET_OWNER})),
        says_cause=bool(roles & (TRIAGERS | {Role.TARGET_OWNER})),
        embargoes=bool(roles & BOTH_SIDES),
        steers=bool(roles & WHO),
        calls=_calls(case, viewer, roles, known),
        ends_embargo=bool(roles & {Role.PROGRAM_MANAGER, Role.PUBLISHER}),
        roles=roles,
    )


def _main_first(acts: list[Act]) -> list[Act]:
    """One button is filled: the first that works and is not a second thought."""
    first = next((act for act in acts if not act.missing and not act.minor), None)
    return [Act(**{**act.__dict__, "go": act is first}) for act in acts]


def _offer(case: Case, offer: Offer) -> Act:
    name = offer.move.name
    missing = tuple(word for fact in offer.missing for word in _missing(case, fact, offer))
    have = tuple(HAVE[fact] for fact in offer.move.demands if fact in HAVE and fact not in offer.missing)
    key = offer.move.key
    if name in FORMED:
        href = reverse("console:move", args=[case.ref, name])
        return Act(label=LABELS.get(name, offer.move.label), key=key, href=href, missing=missing, have=have)
    return Act(label=offer.move.label, key=key, move=name, missing=missing, have=have)


HAVE = {
    "acknowledged": "First answer",
    "reproduced": "Reproduced",
    "first_success_seen": "First success read",
    "rated": "Severity",
    "signed_off": "Both sign-offs",
    "owner_assigned": "Owner",
    "holds": "Fix holds",
    "researcher_agreed": "Researcher agrees",
}
LABELS = {"close": "Close the case…", "ask_researcher": "Ask the researcher…", "reopen": "Reopen the case…"}


def _missing(case: Case, fact: str, offer: Offer) -> tuple[str, ...]:
    rating = facts.newest_rating(case)
    if fact == "signed_off" and rating is not None and "rated" not in offer.missing:
        return signoffs.state_of(case, rating).law.missing
    return (offer.missing_words[offer.missing.index(fact)],)


def _work(case: Case, viewer: Any, roles: frozenset[Role], known: Facts, ahead: list[Act]) -> list[Act | None]:
    """What is next comes first: answer, look, move on, judge, replay; then what the law still refuses."""
    status = Status(case.status)
    return [
        _appeal(case, viewer, roles, status),
        _answer(case, roles, known),
        *_looks(case, roles, known, status),
        *[act for act in ahead if not act.missing],
        *_severity(case, viewer, roles, known, status),
        _replay(case, roles, known, status),
        _owner(case, roles, known, status),
        _publish(case, roles),
        *[act for act in ahead if act.missing],
    ]


def _appeal(case: Case, viewer: Any, roles: frozenset[Role], status: Status) -> Act | None:
    if status != Status.CLOSED or not roles & TRIAGERS or not triage.appeal_waits(case):
        return None
    judge = viewer.pk in {person.pk for person in triage.judges(case)}
    return Act(label=_("Answer the appeal"), key="c", href=reverse("console:appeal", args=[case.ref]), minor=not judge)


def _answer(case: Case, roles: frozenset[Role], known: Facts) -> Act | None:
    if known.acknowledged or not roles & SPEAKERS or not Status(case.status).is_open:
        return None
    return Act(label=_("Answer %(name)s") % {"name": case.reporter.name}, key="r", href="#reply")


def _looks(case: Case, roles: frozenset[Role], known: Facts, status: Status) -> list[Act | None]:
    """The replay that runs, the success nobody has read, the verification that has just ended."""
    found: list[Act | None] = []
    rows = facts.reproductions(case)
    if rows and rows[0].concluded_at is None and rows[0].replay.state != "cancelled":
        found.append(_look(rows[0], "Watch the replay"))
    elif rows and not known.reproduced and roles & ASKERS:
        found.append(_go_on(rows[0]))
    elif known.reproduced and not known.first_success_seen and roles & TRIAGERS:
        found.append(_look(next(row for row in rows if row.verdict == "reproduced"), "Read the first success"))
    fix = facts.newest_fix(case)
    checks = facts.verifications(case, fix) if fix is not None else []
    if status == Status.RETESTING and checks:
        running = checks[0].concluded_at is None and checks[0].replay.state != "cancelled"
        minor = known.holds
        found.append(_look(checks[0], "Watch the verification" if running else "Look at the verification", minor))
        if not running and not known.holds and roles & ASKERS:
            found.append(Act(label=_("Verify again"), href=reverse("console:verify_new", args=[case.ref]), key="p"))
            found.append(_go_on(checks[0]))
    return found


def _replay(case: Case, roles: frozenset[Role], known: Facts, status: Status) -> Act | None:
    if not roles & ASKERS or status not in REPLAYED_IN:
        return None
    rows = facts.reproductions(case)
    word = "Replay again" if rows else "Replay"
    label = word if case.target.by_machine else f"{word} by hand"
    return Act(label=label, key="p", href=reverse("console:replay_new", args=[case.ref]), minor=bool(rows))


def _go_on(link: Any) -> Act | None:
    """The replay ended without an answer: more trials of the same plan may bring one."""
    if not longer.may_go_on(link):
        return None
    label = _("Go on up to a larger cap…")
    return Act(label=label, href=reverse("console:longer", args=[link.replay_id]), minor=True)


def _look(link: Any, label: str, minor: bool = False) -> Act:
    page = "console:fix" if link.purpose == "verification" else "console:replay"
    return Act(label=label, key="o", href=reverse(page, args=[link.replay_id]), minor=minor)


def _severity(case: Case, viewer: Any, roles: frozenset[Role], known: Facts, status: Status) -> list[Act | None]:
    if not status.is_open or status in (Status.NEW, Status.NEEDS_INFO) or not roles & TRIAGERS:
        return []
    label = "Change the rating" if known.rated else "Rate severity"
    minor = known.rated or not known.reproduced
    rate = Act(label=label, key="v", href=reverse("console:severity", args=[case.ref]), minor=minor)
    rating = facts.newest_rating(case)
    if rating is None or not known.rated or known.signed_off:
        return [rate]
    state = signoffs.state_of(case, rating)
    given = {name for name, row in (("security", state.security), ("ml", state.ml)) if row is not None}
    wanted = [name for name in disciplines_of(viewer, case.program) if name not in given]
    return [Act(label=_("Sign off"), key="s", href="#signoff"), rate] if wanted else [rate]


def _owner(case: Case, roles: frozenset[Role], known: Facts, status: Status) -> Act | None:
    if status != Status.CONFIRMED or known.owner_assigned or not roles & (TRIAGERS | {Role.TARGET_OWNER}):
        return None
    return Act(label=_("Name the owner of the fix"), key="o", href="#owner")


def _publish(case: Case, roles: frozenset[Role]) -> Act | None:
    if case.confirmed_at is None or case.public_at is not None or not roles & (WRITERS | PUBLISHERS):
        return None
    return Act(
        label=_("Write advisory"),
        key="w",
        href=reverse("console:advisory", args=[case.ref]),
        minor=Status(case.status).is_open,
    )


def _kin(case: Case, roles: frozenset[Role], *, closable: bool) -> list[Act]:
    """What puts the case beside others: it repeats one, goes on in one, holds several flaws, or belongs with some."""
    found: list[Act] = []
    if closable:
        names = (("duplicate", _("Mark as a duplicate…"), "d"), ("merge", _("Merge into another case…"), ""))
        found += [Act(label=label, key=key, href=reverse("console:same_flaw", args=[case.ref, how]))
                  for how, label, key in names]  # fmt: skip
    if roles & TRIAGERS:
        found.append(Act(label=_("Split off a flaw…"), href=reverse("console:split", args=[case.ref])))
        if families.of(case) is None:
            place = f"{reverse('console:group')}?case={case.ref}"
            found.append(Act(label=_("Put into a family…"), key="f", href=place))
    return found


def _calls(case: Case, viewer: Any, roles: frozenset[Role], known: Facts) -> list[str]:
    """The other disciplines whose word on the rating is missing and who may be called to give it."""
    rating = facts.newest_rating(case)
    waits = known.rated and not known.signed_off and Status(case.status).is_open and roles & TRIAGERS
    if rating is None or not waits:
        return []
    state = signoffs.state_of(case, rating)
    own = disciplines_of(viewer, case.program)
    missing = [name for name, word in (("ml", state.ml), ("security", state.security)) if word is None]
    return [name for name in missing if name not in own]


def _signs(case: Case, viewer: Any, known: Facts) -> list[str]:
    """The disciplines the viewer may sign off for, while there is a rating to sign."""
    if not known.rated or not Status(case.status).is_open:
        return []
    return sorted(disciplines_of(viewer, case.program), reverse=True)
