"""From rows to what is answered: each the same as a page of the portal shows, and nothing more."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from manyeyes import events
from manyeyes.cases import disclosure, judgement, triage
from manyeyes.cases.access import roles_in
from manyeyes.cases.agreed import Embargo
from manyeyes.cases.clocks import clocks
from manyeyes.cases.facts import facts_of
from manyeyes.cases.models import Attachment, Case, Message, Report, Reproduction, Retest, SentBundle
from manyeyes.cases.senders import of as sender_of
from manyeyes.cases.timeline import Entry, sentence_of
from manyeyes.programs import marker, scope
from manyeyes.programs.models import PolicyVersion, Program, Target
from manyeyes.publications import credit, figures
from manyeyes.publications.hall import Thanks
from manyeyes.publications.models import Advisory, Credit
from manyeyes.replays import evidence
from manyeyes.rules import cvss4, lifecycle
from manyeyes.rules.lifecycle import Role, Status
from manyeyes.rules.promises import counted_words
from manyeyes.rules.severity import MesScore
from manyeyes.rules.visibility import result_for_researcher
from manyeyes.rules.words import status_words


def page(name: str, *args: Any) -> str:
    """The address of a page for people."""
    return f"{settings.MANYEYES_BASE_URL}{reverse(name, args=args)}"


def program_line(row: Program) -> dict[str, Any]:
    """A program in a list."""
    return {
        "slug": row.slug, "name": row.name, "organisation": row.organisation, "summary": row.summary,
        "takes_reports": row.takes_reports,
    }  # fmt: skip


def program(row: Program) -> dict[str, Any]:
    """A program with its scope."""
    policy = row.policy
    return {
        **program_line(row),
        "state": row.state,
        "languages": row.languages,
        "first_response_hours": row.first_response_hours,
        "decision_days": row.decision_days,
        "embargo_days": row.embargo_days,
        "research_marker": row.research_marker,
        "former_markers": [{"word": one.word, "until": one.until} for one in marker.former(row)],
        "kept": _kept(row),
        "stop": {"text": row.stop_text, "contact": row.stop_contact},
        "policy": policy.number if policy else None,
        "targets": [target(one) for one in row.targets.prefetch_related("versions")],
        "scope": [line.to_json() for line in scope.in_force(row, policy)],
        "url": page("portal:program", row.slug),
    }


def _kept(row: Program) -> dict[str, Any]:
    """How the promise of a first answer was kept for the newest reports."""
    found = figures.first_responses(row)
    return {
        "promised_hours": found.promised, "since": found.since, "answers_due": found.owed, "in_time": found.in_time,
        "still_late": found.unanswered_late, "median_hours": found.median_hours,
    }  # fmt: skip


def target(row: Target) -> dict[str, Any]:
    """A system, without the addresses that the team's replays call."""
    versions = [one.label for one in row.versions.all() if one.retired_at is None]
    return {
        "id": row.pk, "name": row.name, "description": row.description, "reached": row.reached_words,
        "versions": versions,
    }  # fmt: skip


def policy_line(row: PolicyVersion, in_force: PolicyVersion | None) -> dict[str, Any]:
    """A published version in a list."""
    return {
        "number": row.number,
        "published_at": row.published_at,
        "in_force": in_force is not None and row.pk == in_force.pk,
    }


def policy(row: PolicyVersion, found: Program) -> dict[str, Any]:
    """A published version, whole."""
    sections = [{"name": name, "heading": heading, "text": text} for name, heading, text in row.sections()]
    kept = scope.kept(row)
    return {
        **policy_line(row, found.policy),
        "sections": sections,
        "scope": None if kept is None else [line.to_json() for line in kept],
        "url": page("portal:policy", found.slug, row.number),
    }


def case_line(row: Case) -> dict[str, Any]:
    """A case in a list."""
    return {
        "ref": row.ref,
        "title": row.title,
        "status": row.status,
        "status_words": status_words(row.status, row.close_reason),
        "close_reason": row.close_reason,
        "program": row.program.slug,
        "target": row.target.name,
        "created_at": row.created_at,
        "changed_at": row.changed_at,
        "url": page("portal:my_case", row.ref),
    }


DATES = ("acknowledged_at", "confirmed_at", "mitigated_at", "resolved_at", "public_at")


def case(row: Case, person: Any) -> dict[str, Any]:
    """An own case: the reporter's half of it, also for somebody of the team."""
    proposal, embargo = disclosure.open_proposal(row), disclosure.in_force(row)
    chosen = credit.of(row, person)
    return {
        **case_line(row),
        **{name: getattr(row, name) for name in DATES},
        "vuln_class": row.vuln_class,
        "target_version": row.target_version.label if row.target_version else "",
        "policy": row.policy_version.number if row.policy_version else None,
        "version": version_of(row),
        "severity": _severity(row),
        "clocks": [_clock(one) for one in clocks(row)],
        "moves": _moves(row, person),
        "embargo": _date(embargo),
        "proposal": _date(proposal),
        "credit": _credit(chosen) if chosen else None,
        "advisory": row.advisory.slug if row.public_at and hasattr(row, "advisory") else None,
        "appeal_waits": triage.appeal_waits(row),
        "mail": {None: "usual", False: "mute", True: "follow"}[events.chosen(person.pk, row.ref)],
        "bundles": [bundle(one) for one in row.sent_bundles.order_by("at")],
    }


def version_of(row: Case) -> int:
    """How many changes of status its reporter was told of, and one; that of the row tells of the team's acts too."""
    return 1 + events.log(row.subject).filter(public=True, kind__startswith="move.").count()


def _credit(chosen: Credit) -> dict[str, Any]:
    return {"mode": chosen.mode, "name": chosen.name or "", "link": chosen.link or "", "share": chosen.share}


def _severity(row: Case) -> dict[str, Any] | None:
    stands = judgement.standing(row) if row.confirmed_at else None
    if stands is None:
        return None
    score = stands.score
    return {
        "vector": stands.rating.vector,
        "rubric": stands.rating.rubric.version,
        "cvss_v4": cvss4.read(stands.rating.cvss).as_json() if stands.rating.cvss else None,
        "at_the_setting_in_service": _scores(stands.rating.at_deployed) if stands.rating.at_deployed else None,
        "why": stands.rating.why or "",
        **_scores(score),
    }


def _scores(score: MesScore) -> dict[str, Any]:
    return {
        "security": {"score": score.sec, "band": score.sec_band},
        "safety": {"score": score.saf, "band": score.saf_band},
    }


def _clock(one: Any) -> dict[str, Any]:
    names = ("name", "label", "due", "done_at", "stopped_at", "paused_since", "pause", "late")
    return {**{name: getattr(one, name) for name in names}, "counted": counted_words(one.calendar)}


def _moves(row: Case, person: Any) -> list[dict[str, Any]]:
    roles = roles_in(person, row) & {Role.REPORTER}
    offers = lifecycle.open_to(Status(row.status), roles, facts_of(row))
    return [
        {"name": one.move.name, "label": one.move.label, "ready": one.ready, "missing": list(one.missing_words)}
        for one in offers
    ]


def _date(row: Embargo | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "id": row.pk, "until": row.until, "proposed_by_me": row.proposed_by_reporter,
        "agreed": row.agreed_at is not None,
    }  # fmt: skip


def bundle(row: SentBundle, *, again: bool = False) -> dict[str, Any]:
    """An own measurement."""
    found = row.found
    listed = found.get("differences", [])
    return {
        "id": row.pk, "at": row.at, "file": row.attachment_id, "state": row.state, "scored": row.scored,
        "again": again, "found": found, "problems": found.get("problems", []),
        "differences": [{"what": what, "on_record": said, "found": here} for what, said, here in listed],
        "differing": found.get("differing", len(listed)),
    }  # fmt: skip


def file(row: Attachment) -> dict[str, Any]:
    """A file of the case."""
    kept = row.stored
    return {"id": row.pk, "name": kept.name, "size": kept.size, "media_type": kept.media_type, "sha256": kept.sha256}


def report(row: Report) -> dict[str, Any]:
    """What was sent."""
    reproducers = [
        {"id": one.pk, "at": one.at, "name": one.name or "", "source": one.source, "text": one.text}
        for one in row.case.reproducers.order_by("at")
    ]
    return {
        "title": row.case.title,
        "vuln_class": row.case.vuln_class,
        **{name: getattr(row, name) for name in ("happened", "steps", "impact", "claim_k", "claim_n", "sent_at")},
        "expected": row.expected or "",
        "own_ref": sender_of(row).own_ref,
        "settings": row.settings or {},
        **{name: getattr(row, name) or {} for name in ("answers", "seen", "plans")},
        **{name: getattr(row, name) for name in ("claim_biased", "exploited_now", "harmed_now", "hazard")},
        "readings": row.readings or [],
        "files": [file(one) for one in row.files.select_related("stored")],
        "reproducers": reproducers,
    }


def entry(one: Entry) -> dict[str, Any]:
    """Something both sides see, with the words of a message, or the name of what it speaks of."""
    item = one.item
    words = item if isinstance(item, Message) and item.public else None
    link = item if isinstance(item, Reproduction) and item.published_at is not None else None
    return {
        **{name: getattr(one, name) for name in ("at", "kind", "who", "side", "words", "before", "after")},
        "sentence": one.sentence if link is not None else "",
        "text": words.text if words else None,
        "message": words.pk if words else None,
        "mendable": one.mendable,
        "edits": words.edits if words else 0,
        "earlier": [{"until": old.until, "text": old.text} for old in words.earlier.all()] if words else [],
        "file": file(item) if isinstance(item, Attachment) and item.public else None,
        "retest": {"k": item.k, "n": item.n, "agrees": item.agrees} if isinstance(item, Retest) else None,
        "replay": link.replay_id if link is not None else None,
        "bundle": item.pk if isinstance(item, SentBundle) else None,
    }


def replay_line(link: Reproduction) -> dict[str, Any]:
    """A concluded replay in a list."""
    version = link.replay.main_version
    name = "portal:my_fix" if link.purpose == Reproduction.Purpose.VERIFICATION else "portal:my_replay"
    return {
        "id": link.replay_id, "purpose": link.purpose, "version": version.label if version else "",
        "verdict": link.verdict, "sentence": sentence_of(link),
        "concluded_at": link.concluded_at, "url": page(name, link.case.ref, link.replay_id),
    }  # fmt: skip


def replay(link: Reproduction) -> dict[str, Any]:
    """A replay with its numbers."""
    return {**replay_line(link), "result": result_for_researcher(evidence.result(link.replay))}


def thanks(row: Thanks) -> dict[str, Any]:
    """A line of thanks."""
    return {
        "name": row.name, "link": row.link, "confirmed_on": row.confirmed_on, "system": row.system,
        "advisory": row.advisory or None,
    }  # fmt: skip


def advisory_line(row: Advisory) -> dict[str, Any]:
    """An advisory in a list."""
    return {
        "slug": row.slug, "title": row.title, "summary": row.summary, "program": row.case.program.slug,
        "published_at": row.published_at, "url": page("portal:advisory", row.slug),
    }  # fmt: skip


def advisory(row: Advisory) -> dict[str, Any]:
    """An advisory, whole."""
    named = credit.bylines(row.case)
    return {
        **advisory_line(row), "details": row.details, "advice": row.advice, "facts": row.facts,
        "credit_name": ", ".join(name for name, _ in named), "credit_link": named[0][1] if len(named) == 1 else "",
    }  # fmt: skip


__all__ = [
    "advisory", "advisory_line", "bundle", "case", "case_line", "entry", "file", "page", "policy", "policy_line",
    "program", "program_line", "replay", "replay_line", "report", "thanks",
]  # fmt: skip
