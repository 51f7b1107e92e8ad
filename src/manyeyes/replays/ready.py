"""Looks, before a replay starts or goes on, whether it may: permit, versions, limits; and opens its targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from manyeyes.plugins.protocols import Target
from manyeyes.plugins.registry import find
from manyeyes.programs import judges
from manyeyes.programs import targets as registered
from manyeyes.programs.models import Target as ProgramTarget
from manyeyes.programs.models import TargetVersion
from manyeyes.replays import queue
from manyeyes.replays.models import Replay
from manyeyes.reproducer.limits import MAX_IMAGE
from manyeyes.rules.errors import Refused
from manyeyes.rules.permits import Refusal, Why, may_replay
from manyeyes.runs.blobs import BlobError, gather
from manyeyes.runs.document import Caps, DocumentError, PlanDocument
from manyeyes.runs.keyless import keyless
from manyeyes.runs.pacing import Pacing
from manyeyes.vault import files
from manyeyes.vault.models import StoredFile

ROLES = ("main_version__target", "positive_version__target", "judge_version__target")
JUDGE = "judge"
KIND = "openai_chat"  # what a registered version with an address speaks


class NotPermitted(Exception):  # noqa: N818 -- an answer that a person reads
    """The replay may not run as things stand; the message says what to mend."""


@dataclass(frozen=True)
class Way:
    """How one role's target is reached: its registered version, opened."""

    url: str
    model: str
    key: str | None
    connections: int
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Ready:
    """A replay that may run: its plan, its targets by role, and its limits with what the permit leaves of the day."""

    document: PlanDocument
    ways: dict[str, Way]
    concurrency: int
    caps: Caps
    pacing: Pacing
    images: Mapping[str, bytes]


def prepare(lease: queue.Lease) -> Ready:
    """Look again whether the replay may run now. Raises NotPermitted, and LeaseLost."""
    replay: Replay | None = lease.rows().select_related(*ROLES).first()
    if replay is None:
        raise queue.LeaseLost(str(lease.replay_id))
    try:
        document = PlanDocument.from_json(replay.document)
    except DocumentError:
        raise NotPermitted("The stored plan cannot be read by this version. Request the replay again.") from None
    if replay.main_version is None:
        raise NotPermitted("The plan names no registered version of a target. Request the replay again.")
    versions = {"main": replay.main_version, "positive": replay.positive_version, JUDGE: replay.judge_version}
    used = {role: versions.get(role) for role in document.targets}
    attacked = {row.target for role, row in used.items() if row and role != JUDGE}
    left = min(_left_today(document, target) for target in attacked)
    _may_judge(document, used.get(JUDGE))
    ways = {role: _way(document, role, version, replay.concurrency) for role, version in used.items()}
    most = replay.calls + left if document.caps.max_calls is None else min(replay.calls + left, document.caps.max_calls)
    pacing = Pacing.lasting(settings.MANYEYES_RETRY_SECONDS)
    caps = dataclasses.replace(document.caps, max_calls=most)
    return Ready(document, ways, replay.concurrency, caps, pacing, _images(document, replay))


def _left_today(document: PlanDocument, target: ProgramTarget) -> int:
    """How many calls the target's permit leaves of the day; at least one."""
    permit, spent = registered.permit_of(target), queue.calls_today(target)
    environment = needs_environment(document)
    refused = may_replay(
        permit, document.effects, document.hazard, calls=1, calls_today=spent, resets=bool(environment)
    )
    if environment and target.access != ProgramTarget.Access.HARNESS:
        unreached = f"The plan plays in {environment}; register the target as reached by a harness first."
        refused.append(Refusal(Why.PERMIT, unreached))
    if permit is None or refused:
        raise NotPermitted(f"{target}: {' '.join(refused)}")
    return permit.calls_per_day - spent


def _may_judge(document: PlanDocument, version: TargetVersion | None) -> None:
    """Whether the program still lets the judge of a plan read answers; it is attacked by nobody and needs no permit."""
    if version is not None and (refused := judges.refused(version, document.hazard)):
        raise NotPermitted(f"{version}: {' '.join(refused)}")


def needs_environment(document: PlanDocument) -> str:
    """The environment that the trials of a plan are played in; empty where there is none."""
    names = {request.environment["name"] for request in document.requests.values() if request.environment}
    return ", ".join(sorted(names))


def _images(document: PlanDocument, replay: Replay) -> dict[str, bytes]:
    """The images of the plan, from the files that lie under the same key as the replay: those of its case."""

    def find_file(sha256: str) -> bytes:
        for row in StoredFile.objects.filter(key_id=replay.key_id, size__lte=MAX_IMAGE):
            if row.sha256 == sha256:
                return files.read_all(row)
        raise LookupError("attach it to the case, then resume")

    try:
        return gather(document, find_file)
    except BlobError as error:
        raise NotPermitted(str(error)) from None


def _way(document: PlanDocument, role: str, version: TargetVersion | None, connections: int) -> Way:
    """The registered version that plays this role, if it still is what the plan was frozen for."""
    planned = document.targets[role]
    if version is None or planned.kind != KIND:
        raise NotPermitted(f"The {role} target of the plan is no registered version that a worker can reach.")
    if (planned.url, planned.model) != (version.endpoint_url, version.model):
        raise NotPermitted(f"{version} was changed after the plan was frozen. Request the replay again.")
    try:
        registered.check_url(version.endpoint_url)
    except Refused as refused:
        raise NotPermitted(f"{version}: {refused}") from None
    return Way(version.endpoint_url, version.model, version.api_key or None, connections, planned.options)


def open_target(way: Way) -> Target:
    """A connection pool to one target; private networks only where the setting allows them."""
    opened = find("targets", KIND)(
        url=way.url,
        model=way.model,
        key=way.key,
        connections=way.connections,
        private_ok=settings.MANYEYES_ALLOW_PRIVATE_TARGETS,
        extra=way.options,
    )
    return keyless(opened, way.key)
