"""A person's own cases, as this face sees them: what is not theirs is not there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from manyeyes.cases import access
from manyeyes.cases.models import Attachment, Case, Reproduction, SentBundle
from manyeyes.rules.errors import NotFound


def own_case(person: Any, ref: str) -> Case:
    """The case behind a reference, which the person reported. Raises NotFound, also for cases they work on as staff."""
    case = access.case_for(person, ref)
    if not access.is_reporter(person, case):
        raise NotFound
    return case


def own_replay(person: Any, ref: str, replay_id: UUID) -> Reproduction:
    """A concluded replay of an own case, once it is published to its researcher. Raises NotFound."""
    case = own_case(person, ref)
    link = access.reproduction_for(person, replay_id)
    if link.case_id != case.pk or link.published_at is None or link.concluded_at is None:
        raise NotFound
    return link


def own_file(person: Any, ref: str, file_id: UUID) -> Attachment:
    """A file of an own case that both sides see. Raises NotFound."""
    case, row = own_case(person, ref), access.attachment_for(person, file_id)
    if row.case_id != case.pk or not row.public:
        raise NotFound
    return row


def own_bundle(person: Any, ref: str, bundle_id: UUID) -> SentBundle:
    """A measurement that the reporter of an own case sent. Raises NotFound."""
    row = SentBundle.objects.filter(case=own_case(person, ref), pk=bundle_id).first()
    if row is None:
        raise NotFound
    return row
