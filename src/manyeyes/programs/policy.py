"""The policy of a program: one draft at a time, versions that never change once published, and what changed between."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from manyeyes import events
from manyeyes.programs import scope
from manyeyes.programs.models import PolicyVersion, Program
from manyeyes.rules import clock, policy_wording, promises, sharing
from manyeyes.rules.errors import Conflict, Invalid, NotFound
from manyeyes.rules.policy_difference import Change, changes
from manyeyes.rules.policy_document import Document, ScopeLine
from manyeyes.rules.policy_lint import Lint, lint
from manyeyes.rules.policy_templates import SECTIONS, TEMPLATES, fill

LONGEST = 20_000
"""The most characters of one section; a whole policy should have less than a third of it."""
FIGURES = {"first_response_hours": (1, 2160), "decision_hours": (1, 8760), "embargo_days": (1, 3650)}
"""The promises in figures, each with the least and the most that can be promised."""


@dataclass(frozen=True, kw_only=True)
class Editing:
    """What an editor starts from. `number` and `revision` name it, so that a later save can see whether it is old."""

    number: int
    revision: int
    texts: Mapping[str, str]
    terms: Mapping[str, Any]
    row: PolicyVersion | None
    changed_by: Any
    changed_at: datetime | None


def default_text(program: Program, template: str = "no_bounty") -> dict[str, str]:
    """A template with the program's own name and promises filled in, section by section. Raises Invalid."""
    if template not in TEMPLATES:
        names = ", ".join(TEMPLATES)
        raise Invalid(template=_("No such template. Use one of %(names)s.") % {"names": names})
    return fill(
        template,
        organisation=program.organisation,
        first_response_hours=program.first_response_hours,
        decision_days=program.decision_days,
        embargo_days=program.embargo_days,
    )


def terms_of(program: Program, version: PolicyVersion | None = None) -> dict[str, Any]:
    """The promises in figures: those of the version, and where it kept none, those of the program."""
    own = {name: getattr(program, name) for name in FIGURES}
    usual = {**promises.DEFAULTS, **sharing.DEFAULTS, "zone": program.zone}
    return {**usual, **own, "pays": False, **(version.terms if version else {})}


def draft(program: Program, template: str = "no_bounty", **sections: str) -> PolicyVersion:
    """The unpublished version with these sections: the open draft if there is one, else a new one.

    What is not given stays as in the open draft, else the newest version, else the template. Raises Invalid for a
    section or a template that does not exist.
    """
    unknown = sorted(set(sections) - set(SECTIONS))
    if unknown:
        raise Invalid({name: f"No such section. Use one of {', '.join(SECTIONS)}." for name in unknown})
    newest = program.policies.order_by("-number").first()
    if newest is not None and newest.published_at is None:
        for name, words in sections.items():
            setattr(newest, name, words)
        newest.save()
        return newest
    text = newest.texts() if newest else default_text(program, template)
    terms = newest.terms if newest else {**terms_of(program), "pays": template == "bounty"}
    number = newest.number + 1 if newest else 1
    return PolicyVersion.objects.create(program=program, number=number, terms=terms, **{**text, **sections})


def editing(program: Program) -> Editing:
    """The open draft; where there is none, the next version as it would begin."""
    newest = program.policies.select_related("changed_by", "published_by").order_by("-number").first()
    if newest is not None and newest.published_at is None:
        return Editing(
            number=newest.number, revision=newest.revision, texts=newest.texts(), terms=terms_of(program, newest),
            row=newest, changed_by=newest.changed_by, changed_at=newest.changed_at,
        )  # fmt: skip
    return Editing(
        number=newest.number + 1 if newest else 1,
        revision=0,
        texts=newest.texts() if newest else default_text(program),
        terms=terms_of(program, newest),
        row=None,
        changed_by=newest.published_by if newest else None,
        changed_at=newest.published_at if newest else None,
    )


def next_version(program: Program, now: Editing) -> PolicyVersion:
    """The version that an edit leads to, as a row that is not stored: for looking at it."""
    return PolicyVersion(program=program, number=now.number, terms=dict(now.terms), **now.texts)


@transaction.atomic
def save_draft(
    program: Program,
    *,
    by: Any,
    number: int,
    revision: int,
    texts: Mapping[str, str],
    terms: Mapping[str, Any],
) -> PolicyVersion:
    """Store what an editor holds. Raises Conflict when somebody stored or published after it was opened, Invalid."""
    _check(texts, terms)
    locked = Program.objects.select_for_update().get(pk=program.pk)
    now = editing(locked)
    if (now.number, now.revision) != (number, revision):
        raise Conflict(_("Somebody else changed the policy since you opened it. Nothing of yours was stored yet."))
    row = now.row or PolicyVersion(program=locked, number=number)
    for name in SECTIONS:
        setattr(row, name, texts.get(name, now.texts[name]).replace("\r\n", "\n"))
    row.terms = {**now.terms, **terms}
    row.revision, row.changed_at, row.changed_by = revision + 1, clock.now(), by
    row.save()
    return row


def _check(texts: Mapping[str, str], terms: Mapping[str, Any]) -> None:
    wrong = {}
    for name, text in texts.items():
        if name not in SECTIONS:
            wrong[name] = f"No such section. Use one of {', '.join(SECTIONS)}."
        elif len(text) > LONGEST or "\x00" in text:
            wrong[name] = _("Give at most %(most)s characters, none of them empty.") % {"most": LONGEST}
    for name, (least, most) in FIGURES.items():
        value = terms.get(name, least)
        if not isinstance(value, int) or not least <= value <= most:
            wrong[name] = _("Give a whole number from %(least)s to %(most)s.") % {"least": least, "most": most}
    wrong |= promises.wrong_with(terms) | sharing.wrong_with(terms)
    if wrong:
        raise Invalid(wrong)


@transaction.atomic
def publish(version: PolicyVersion, *, by: Any = None, revision: int | None = None) -> PolicyVersion:
    """Put a draft into force from now on, with the scope and the promises as they stand.

    `revision` is the one that was read before: Conflict when it was changed since, or when it is published already.
    Raises Invalid without safe harbor.
    """
    program = Program.objects.select_for_update().get(pk=version.program_id)
    locked = PolicyVersion.objects.select_for_update().get(pk=version.pk)
    if locked.published_at is not None:
        raise Conflict(f"Policy version {locked.number} is published already.")
    if revision is not None and locked.revision != revision:
        raise Conflict(_("The draft was changed since you looked at it. Look at it again, then publish."))
    if not locked.safe_harbor.strip():
        raise Invalid(safe_harbor="Say what researchers are protected from; without it nobody can report safely.")
    if unchanged(program, locked):
        raise Conflict(
            _("Nothing differs from the version in force, so there is nothing to publish. Change something first.")
        )
    locked.terms = terms_of(program, locked)
    locked.scope = [line.to_json() for line in scope.lines(program)]
    locked.published_at, locked.published_by = clock.now(), by
    locked.save()
    Program.objects.filter(pk=program.pk).update(**{name: locked.terms[name] for name in FIGURES})
    for name in FIGURES:
        setattr(version.program, name, locked.terms[name])
    events.record(
        f"program:{program.pk}", "policy.published", actor=f"person:{by.pk}" if by else "system", human=by is not None,
        public=True, number=locked.number, digest=digest(locked),
    )  # fmt: skip
    return locked


def unchanged(program: Program, version: PolicyVersion) -> bool:
    """Whether a draft says, covers and promises what the version in force does, so that publishing it tells nothing."""
    in_force = program.policy
    if in_force is None or in_force.scope is None or not in_force.terms:
        return False
    now = [line.to_json() for line in scope.lines(program)]
    # What a version from before these promises were kept did not say is as usual, and no change.
    same = version.texts() == in_force.texts() and terms_of(program, version) == terms_of(program, in_force)
    return same and now == [line.to_json() for line in scope.kept(in_force) or ()]


def digest(version: PolicyVersion) -> str:
    """SHA-256 over the whole version as data, so that a copy can be held against what was published."""
    data = json.dumps(document(version).to_json(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(data.encode()).hexdigest()


def published(program: Program) -> QuerySet[PolicyVersion]:
    """Every version that was ever in force, newest first."""
    return program.policies.filter(published_at__isnull=False).order_by("-number")


def published_version(program: Program, number: int) -> PolicyVersion:
    """The policy as it was published under this number. Raises NotFound for a draft and for a number never used."""
    version = published(program).filter(number=number).first() if 0 < number < 2**31 else None
    if version is None:
        raise NotFound("There is no such policy version.")
    return version


def document(version: PolicyVersion) -> Document:
    """The version as one document, drafts with the scope and the promises as they stand now."""
    program = version.program
    kept: Sequence[ScopeLine] | None
    if version.published_at is None:
        kept, terms = scope.lines(program), terms_of(program, version)
    else:
        kept, terms = scope.kept(version), dict(version.terms)
    return Document(
        organisation=program.organisation, program=program.name, number=version.number,
        published_at=version.published_at, texts=version.texts(), scope=kept, terms=terms,
    )  # fmt: skip


def differences(old: PolicyVersion, new: PolicyVersion) -> list[Change]:
    """What differs between two versions, part by part; what the older one did not keep is not compared."""
    before, after = document(old), document(new)
    parts = (before.parts(), after.parts())
    for name, gone in (("scope", before.scope is None or after.scope is None),
                       ("figures", not before.terms or not after.terms)):  # fmt: skip
        if gone:
            for one in parts:
                one.pop(name)
    return changes(*parts)


def linted(texts: Mapping[str, str], terms: Mapping[str, Any], program: Program) -> Lint:
    """What the linter finds in these sections, beside the promises in figures and the scope of the program."""
    lines = scope.lines(program)
    said = {name: texts.get(name, "") for name in SECTIONS}
    whole = Document(
        organisation=program.organisation, program=program.name, number=1, published_at=clock.now(), texts=said,
        scope=lines, terms=terms,
    )  # fmt: skip
    systems = sum(line.in_scope for line in lines)
    return lint(said, terms=terms, systems=systems, published=whole.markdown())


@lru_cache(maxsize=128)
def _reading(texts: tuple[tuple[str, str], ...], terms: tuple[tuple[str, Any], ...], published: str) -> Lint:
    return lint(dict(texts), terms=dict(terms), published=published)


def reading(version: PolicyVersion) -> Lint:
    """How long and how mature a version is, as its readers are told; worked out once for each text."""
    whole = document(version)
    return _reading(tuple(version.texts().items()), tuple((whole.terms or {}).items()), whole.markdown())


def protections(version: PolicyVersion) -> list[str]:
    """What a version says to protect a researcher, in its own words; nothing where the linter finds errors in it."""
    return policy_wording.protections(version.texts()) if reading(version).ok else []
