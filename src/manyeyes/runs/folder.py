"""A run as the files of its folder, made without a disk: what `FileStore` reads, from wherever the run was kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

import orjson

from manyeyes.runs.labels import FILE, first_words
from manyeyes.runs.store import Stored, StoreError

PLAN, TRIALS, VERDICT = "plan.json", "trials.jsonl", "verdict.json"


def files_of(stored: Stored) -> Mapping[str, bytes]:
    """The files of a run by name, texts in the clear. Raises StoreError where there is no run.

    What a person said of an answer that waited for them stands in the labels, and not in the trial.
    """
    if stored.document is None:
        raise StoreError("there is no run here")
    words = first_words(stored.labels)
    lines = [_line({"calls": stored.calls})]
    lines += [_line({"answered": record.to_json()}) for record in stored.held]
    for record in stored.trials:
        said = record.by is not None and record.identity in words
        kept = replace(record, outcome=None, by=None) if said else record
        lines.append(_line({"trial": kept.to_json()}))
    files = {PLAN: _json(stored.document.to_json()), TRIALS: b"\n".join(lines) + b"\n"}
    if stored.labels:
        files[FILE] = b"".join(_line(asdict(label)) + b"\n" for label in stored.labels)
    if stored.result is not None:
        late = [list(record.identity) for record in stored.trials if record.overrun]
        files[VERDICT] = _json({"result": dict(stored.result), "overrun": late})
    return files


def _line(row: Mapping[str, object]) -> bytes:
    try:
        return orjson.dumps(row)
    except TypeError:  # half a character, pasted by somebody; a file of UTF-8 cannot hold it
        return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")


def _json(data: object) -> bytes:
    return json.dumps(data, indent=1).encode()
