"""Files that belong to nothing: a process was killed between writing one and storing what it came with."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from manyeyes.rules import clock
from manyeyes.vault import files
from manyeyes.vault.models import StoredFile

OLD = timedelta(days=1)
"""Younger ones may be on their way to their row at this moment."""


def sweep() -> int:
    """Remove stored files that no row refers to, and files on the disk that no row knows; how many went."""
    gone = 0
    for row in unused():
        files.remove(row)
        gone += 1
    for place in unknown():
        place.unlink(missing_ok=True)
        gone += 1
    return gone


def unused() -> QuerySet[StoredFile]:
    """Old rows of stored files that no row of any table refers to."""
    rows = StoredFile.objects.filter(created_at__lt=clock.now() - OLD)
    for relation in StoredFile._meta.get_fields(include_hidden=True):
        if relation.auto_created and relation.is_relation and not relation.concrete:
            field = relation.field  # type: ignore[union-attr]
            rows = rows.exclude(Exists(field.model._base_manager.filter(**{field.attname: OuterRef("pk")})))
    return rows


def unknown() -> Iterator[Path]:
    """Old files in the data directory that have no row, half written ones included; what is not ours is left alone."""
    limit = time.time() - OLD.total_seconds()  # of the machine: that is the clock which dated the files
    for folder in sorted((Path(settings.MANYEYES_DATA_DIR) / "files").glob("[0-9a-f][0-9a-f]")):
        found = {place: file_id for place in folder.iterdir() if (file_id := _meant(place)) and _older(place, limit)}
        rows = StoredFile.objects.filter(pk__in=set(found.values()))
        kept = {files.path_of(pk) for pk in rows.values_list("pk", flat=True)}
        yield from sorted(found.keys() - kept)


def _meant(place: Path) -> uuid.UUID | None:
    """The id in the name of a file that `vault.files` wrote, whole or (".<id>.<hex>") half."""
    name = place.name[1:].rpartition(".")[0] if place.name.startswith(".") else place.name
    try:
        return uuid.UUID(name)
    except ValueError:
        return None


def _older(place: Path, limit: float) -> bool:
    try:
        return place.stat().st_mtime < limit
    except FileNotFoundError:  # removed in order, meanwhile
        return False
