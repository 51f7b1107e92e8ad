"""The whole record of a replay as one value, people's labels included: what the tools of `runs` read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace

from manyeyes.replays.manual import ORIGIN
from manyeyes.replays.models import Replay, Trial
from manyeyes.replays.rows import to_record
from manyeyes.replays.store import held_of
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.folder import files_of
from manyeyes.runs.labels import Label
from manyeyes.runs.store import Stored


def stored(replay: Replay) -> Stored:
    """The plan, the trials, the labels and the verdict. A trial that a person decided says who, in `by`."""
    rows = list(replay.trials.select_related("by").order_by("stream", "index"))
    labels = [label for row in rows if (label := _label(row))]
    who = {label.identity: label.by for label in labels}
    trials = [to_record(row) for row in rows]
    return Stored(
        document=PlanDocument.from_json(replay.document),
        calls=replay.calls,
        trials=[replace(one, by=who.get(one.identity)) for one in trials],
        result=replay.verdict,
        held=held_of(replay),
        labels=labels,
    )


def folder(replay: Replay) -> Mapping[str, bytes]:
    """The same as the files of a run's folder, texts in the clear."""
    return files_of(stored(replay))


def packed(files: Mapping[str, bytes], name: str) -> bytes:
    """Files as one ZIP archive that unpacks into a folder of this name."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in files.items():
            archive.writestr(f"{name}/{file}", data)
    return made.getvalue()


def _label(row: Trial) -> Label | None:
    """What a person said of an answer that no detector could decide; a trial made by hand is none."""
    if row.by is None or row.origin == ORIGIN or not row.outcome:
        return None
    at = row.labelled_at.isoformat() if row.labelled_at else ""
    return Label(stream=row.stream, index=row.index, outcome=row.outcome, by=row.by.name, at=at)
