"""Evidence bundles: one signed file with the plan, the trials and the verdict, which anybody can score again."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import platform
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from manyeyes.runs.document import PlanDocument
from manyeyes.runs.signing import ALGORITHM, SigningKey, fingerprint
from manyeyes.runs.store import FileStore, StoreError, TrialRecord

FORMAT = "manyeyes.bundle/1"
PLAN, TRIALS, VERDICT, FACTS = "plan.json", "trials.jsonl", "verdict.json", "environment.json"
MANIFEST, SIGNATURE = "manifest.json", "signature.json"
CONTENT = (PLAN, TRIALS, VERDICT, FACTS)
SIGNED = f"{FORMAT}\n".encode()
"""What stands before the manifest when it is signed, so that no other message can be passed off as one."""
WITHOUT_WORDS = frozenset(
    {
        "stream", "index", "cell", "seed", "outcome", "origin", "digest", "finish_reason", "http_status", "tokens_in",
        "tokens_out", "ms", "started_at", "attempts", "model", "fingerprint", "overrun", "voids",
    }
)  # fmt: skip
"""The fields of a trial that hold nothing the target said; all others go when texts are left out."""
JUDGE_WITHOUT_WORDS = ("role", "version", "word", "model", "fingerprint")
"""The same of what a judge said."""


class BundleError(Exception):
    """A bundle that cannot be made, or cannot be read at all."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What goes into a bundle: a plan, its trials and the result, as a store keeps them."""

    document: PlanDocument
    trials: Sequence[TrialRecord]
    result: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)


def evidence_in(directory: Path) -> Evidence:
    """A finished run in a directory. Raises BundleError where there is none, or it has no verdict yet."""
    if not (directory / PLAN).is_file():
        raise BundleError(f"{directory} holds no run: there is no {PLAN}. Give the directory that --out named.")
    store = FileStore(directory)
    try:
        stored = store.load()
    except StoreError as error:
        raise BundleError(str(error)) from None
    finally:
        store.close()
    if stored.document is None or stored.result is None:
        raise BundleError(f"{directory} has no verdict yet. Run the same command with --out {directory} to its end.")
    return Evidence(document=stored.document, trials=stored.trials, result=stored.result)


def bundled(evidence: Evidence, key: SigningKey, *, texts: bool = True) -> bytes:
    """The bundle: the same evidence and key give the same bytes.

    With `texts` false, everything the target said is left out; outcomes and digests stay, and suffice to score again.
    """
    trials = sorted(evidence.trials, key=lambda trial: (trial.stream, trial.index))
    files = {
        PLAN: _json(evidence.document.to_json()),
        TRIALS: b"".join(orjson.dumps(_row(trial, texts)) + b"\n" for trial in trials),
        VERDICT: _json(dict(evidence.result)),
        FACTS: _json({**facts_here(), **_finished(trials), **evidence.facts}),
    }
    manifest = _json(
        {
            "format": FORMAT,
            "plan_hash": evidence.document.hash,
            "question": evidence.result.get("question"),
            "verdict": evidence.result.get("verdict"),
            "texts": texts,
            "files": {
                name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in files.items()
            },
        }
    )
    signature = {
        "algorithm": ALGORITHM,
        "public_key": base64.b64encode(key.public).decode(),
        "fingerprint": fingerprint(key.public),
        "signature": base64.b64encode(key.sign(SIGNED + manifest)).decode(),
    }
    return _packed({**files, MANIFEST: manifest, SIGNATURE: _json(signature)})


def write_bundle(evidence: Evidence, key: SigningKey, file: Path, *, texts: bool = True) -> None:
    """Writes the bundle as a whole or not at all (mode 0600). Raises BundleError."""
    draft = file.with_name(f".{file.name}.draft")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(bundled(evidence, key, texts=texts))
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, file)
    except OSError as error:
        raise BundleError(f"{file}: {error.strerror or error}") from None


def facts_here() -> dict[str, Any]:
    """What made this bundle; nothing that names a computer or a person."""
    return {
        "manyeyes": version("manyeyes"),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "machine": platform.machine(),
    }


def _finished(trials: Sequence[TrialRecord]) -> dict[str, str]:
    """When the last trial ended: the clock of the run, not of the bundling, so that bundling again changes nothing."""
    ends = [datetime.fromisoformat(one.started_at) + timedelta(milliseconds=one.ms) for one in trials if one.started_at]
    return {"finished_at": max(ends).isoformat()} if ends else {}


def _row(trial: TrialRecord, texts: bool) -> dict[str, Any]:
    row = trial.to_json()
    if texts:
        return row
    kept = {name: value for name, value in row.items() if name in WITHOUT_WORDS}
    if trial.judged:
        # Which judges had a say is part of the verdict; what they were shown and said is not handed out.
        kept["judged"] = [{name: one[name] for name in JUDGE_WITHOUT_WORDS if name in one} for one in trial.judged]
    return kept


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, sort_keys=True, indent=1, allow_nan=False).encode() + b"\n"


def _packed(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o600 << 16
            archive.writestr(info, data)
    return out.getvalue()
