"""The advisory: drafted from what was measured, held back while an embargo is in force, then public for good."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, transaction

from manyeyes.cases import codes, disclosure, following, people, reproduction, rootcause, verification
from manyeyes.cases.conversation import checked
from manyeyes.cases.facts import newest_rating
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting
from manyeyes.cases.timeline import sentence_of
from manyeyes.programs.models import Program
from manyeyes.publications.models import Advisory, AdvisoryDraft
from manyeyes.reproducer.load import ReproducerError, load_text
from manyeyes.rules import clock, cvss4
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotFound
from manyeyes.rules.lifecycle import TRIAGERS, Role
from manyeyes.rules.words import target_percent

WRITERS = frozenset(TRIAGERS | {Role.PUBLISHER})
PUBLISHERS = frozenset({Role.PUBLISHER, Role.PROGRAM_MANAGER})
SHORTEST_SECRET = 12
"""From this many characters on, words of the payload may not stand in an advisory."""
_QUOTES = "This quotes the reported payload. Describe it in your own words."


def draft(case: Case, *, by: Any, title: str, summary: str, details: str = "", advice: str = "") -> AdvisoryDraft:
    """Write or rewrite the draft; encrypted until it is published. It may not quote the payload."""
    texts = {
        "title": checked("title", title, longest=200),
        "summary": checked("summary", summary, longest=4_000),
        "details": checked("details", details, longest=40_000, required=False),
        "advice": checked("advice", advice, longest=20_000, required=False),
    }
    _holds_no_payload(case, texts)
    if Advisory.objects.filter(case=case).exists():
        raise Conflict("The advisory is published already.")
    with acting(case, "advisory.drafted", by=by, allowed=WRITERS, tell=people.holding(case, PUBLISHERS)) as row:
        if row.confirmed_at is None:
            raise IllegalMove("Draft the advisory. Missing: a confirmed finding.", missing=["confirmed"])
        known = AdvisoryDraft.objects.filter(case=row).first() or AdvisoryDraft(case=row, key=row.key)
        known.title, known.summary = texts["title"], texts["summary"]
        known.details, known.advice = texts["details"] or None, texts["advice"] or None
        known.by, known.at = by, clock.now()
        known.save()
    return known


def publish(case: Case, *, by: Any, expected_version: int | None = None) -> Advisory:
    """Make the draft public. Raises EmbargoInForce before the agreed date, IllegalMove while the case is open."""
    written = AdvisoryDraft.objects.filter(case=case).first()
    with acting(
        case, "advisory.published", by=by, allowed=PUBLISHERS, tell=people.everybody(case), public=True,
        expected_version=expected_version,
    ) as row:  # fmt: skip
        missing = what_is_missing(row)
        if missing:
            raise IllegalMove(f"Publish the advisory. Missing: {', '.join(missing)}.", missing=missing)
        disclosure.check_publication(row)
        assert written is not None
        advisory = _store(row, written, by)
        row.public_at = advisory.published_at
        following.tell(row, "published", advisory=advisory.slug)
    return advisory


def what_is_missing(case: Case) -> list[str]:
    """What stands between this case and its advisory, in words; the embargo is asked separately."""
    missing = [] if AdvisoryDraft.objects.filter(case=case).exists() else ["a draft"]
    if case.confirmed_at is None:
        missing.append("a confirmed finding")
    elif case.status not in ("resolved", "closed"):
        missing.append("a resolved case")
    if Advisory.objects.filter(case=case).exists():
        missing.append("nothing: it is published already")
    return missing


def facts(case: Case) -> dict[str, Any]:
    """What was measured, as data and as sentences built from the record: before, after, severity, cause."""
    found = reproduction.finding(case)
    rating = newest_rating(case)
    cause = rootcause.standing(case)
    score = rating.score if rating is not None else None
    return {
        "ref": case.ref,
        "vuln_class": case.vuln_class,
        "target": case.target.name,
        "versions": [case.target_version.label] if case.target_version else [],
        "reported_at": case.created_at.isoformat(),
        "confirmed_at": case.confirmed_at.isoformat() if case.confirmed_at else None,
        "resolved_at": case.resolved_at.isoformat() if case.resolved_at else None,
        "before": _before(found),
        "fixes": [_fix(row) for row in verification.statements(case) if row.verdict],
        "vector": rating.vector if rating else None,
        "security": {"score": score.sec, "band": score.sec_band} if score else None,
        "safety": {"score": score.saf, "band": score.saf_band} if score else None,
        "cvss": _cvss(rating.cvss) if rating is not None and rating.cvss else None,
        "codes": [asdict(row) for row in codes.chosen(case)],
        "root_cause": rootcause.CATEGORIES[cause.category] if cause else None,
    }


def published(program: Program | None = None) -> Any:
    """The advisories the public may read, newest first."""
    rows = Advisory.objects.select_related("case__target", "case__program").order_by("-published_at")
    return rows if program is None else rows.filter(case__program=program)


def public(slug: str) -> Advisory:
    """The published advisory of this name. Raises NotFound."""
    row: Advisory | None = published().filter(slug=slug).first()
    if row is None:
        raise NotFound("There is nothing here.")
    return row


def _store(case: Case, written: AdvisoryDraft, by: Any) -> Advisory:
    values = {
        "case": case, "title": written.title, "summary": written.summary, "details": written.details or "",
        "advice": written.advice or "", "facts": facts(case), "published_at": clock.now(), "published_by": by,
    }  # fmt: skip
    slug = f"{case.program.slug[: 39 - len(case.ref)]}-{case.ref.lower()}"  # the reference is what tells them apart
    try:
        with transaction.atomic():
            return Advisory.objects.create(slug=slug, **values)
    except IntegrityError:
        raise Conflict("The advisory is published already.") from None


def _cvss(vector: str) -> dict[str, Any]:
    """The vector of CVSS v4 beside our scores: its own score, and FIRST's JSON of it for other tools."""
    found = cvss4.read(vector)
    return {
        "vector": found.vector, "nomenclature": found.nomenclature, "score": found.score, "severity": found.severity,
        "cvss_v4_0": found.as_json(),
    }  # fmt: skip


def _before(found: reproduction.Finding | None) -> dict[str, Any] | None:
    if found is None:
        return None
    names = ("n", "k", "asr", "low", "high", "confidence", "method", "retry_budget", "verdict")
    rated = {name: found.rated[name] for name in ("n", "k", "asr", "low", "high")} if found.rated else None
    return {
        **{name: found.verdict[name] for name in names},
        "sentence": sentence_of(found.link),
        "rated": rated,
        "settings": found.rated.get("parameters", {}) if found.rated else {},
    }


def _fix(row: verification.FixStatement) -> dict[str, Any]:
    verdict = row.verdict or {}
    assert row.link is not None
    plan = row.link.replay.document["plan"]
    names = ("verdict", "n", "k", "bound", "bound_confidence", "residual_at_k", "retry_budget")
    of_part = ("part", "verdict", "n", "k", "low", "high")
    return {
        **{name: verdict.get(name) for name in names},
        "sentence": sentence_of(row.link),
        "version": row.fix.version.label if row.fix.version else "",
        "target": target_percent(plan["tau"]),
        "parts": [{name: part[name] for name in of_part} for part in verdict.get("parts", ())],
        "retest": {"k": row.retest.k, "n": row.retest.n, "agrees": row.retest.agrees} if row.retest else None,
    }


def _holds_no_payload(case: Case, texts: dict[str, str]) -> None:
    """Refuse text that quotes the payload: an advisory warns, it does not hand the attack on."""
    lines = {line.strip() for report in case.reports.all() for line in report.steps.splitlines()}
    file = case.reproducers.order_by("-at").first()
    if file is not None:
        lines |= _wordings(file.text)
    quoted = [line.casefold() for line in lines if len(line) >= SHORTEST_SECRET]
    wrong = {name: _QUOTES for name, text in texts.items() if any(line in text.casefold() for line in quoted)}
    if wrong:
        raise Invalid(wrong)


def _wordings(text: str) -> set[str]:
    try:
        return {wording.text.strip() for wording in load_text(text).wording_list()}
    except ReproducerError:
        return set()
