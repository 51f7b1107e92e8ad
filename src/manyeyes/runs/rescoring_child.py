"""The process that scores a stranger's bundle again: it limits itself, reads standard input, writes one JSON object."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from manyeyes.plugins import registry
from manyeyes.plugins.imported import Limits
from manyeyes.runs.bundle import BundleError
from manyeyes.runs.import_child import confine
from manyeyes.runs.opening import opened
from manyeyes.runs.played_again import OFFLINE
from manyeyes.runs.rescore import BundleReport, verify_bundle
from manyeyes.runs.sending import BUILT

OF_RESULT = ("n", "k", "asr", "low", "high", "confidence")


def scored(data: bytes, largest: int) -> dict[str, Any]:
    """What is handed out of a report: verdicts, counts and differences, nothing the target said."""
    report = verify_bundle(data, largest=largest)
    held, file = opened(data, largest=largest)
    with file:
        document = held.document()
    main = document.targets.get("main")
    texts = {
        "signer": report.signer, "question": report.question, "verdict": report.verdict,
        "rescored": report.rescored or "", "plan_hash": report.plan_hash, "title": report.title,
        "model": (main.model or "") if main else "", "label": (main.label or "") if main else "",
        "reproducer_hash": document.reproducer_hash,
    }  # fmt: skip
    return {
        "intact": report.intact,
        "identical": report.identical,
        "trials": report.trials,
        "with_text": report.with_text,
        "judged_again": report.judged_again,
        "by_machine": report.by_machine,
        "texts": {name: str(said) for name, said in texts.items()},
        "numbers": _numbers(report),
        "problems": list(report.problems),
        "differing": report.differing,
        "differences": [[one.what, one.on_record, one.found] for one in report.differences],
    }


def _numbers(report: BundleReport) -> dict[str, float]:
    """The counts that the outcomes give here, and those of the rated setting; never what the file says of them."""
    found = {name: report.rebuilt.get(name) for name in OF_RESULT}
    rated = next((row for row in _rows(report.rebuilt) if row.get("rated") is True), {})
    found |= {f"rated_{name}": rated.get(name) for name in ("n", "k", "low", "high")}
    return {
        name: value for name, value in found.items() if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _rows(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = result.get("settings")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def main() -> int:
    """Reads standard input as told by the first argument and writes one object to standard output."""
    asked = json.loads(sys.argv[1])
    kinds = (("detectors", registry.names("detectors")), ("targets", BUILT), ("environments", OFFLINE))
    for kind, names in kinds:  # read from disk before the limits close it
        for name in names:
            registry.find(kind, name)
    confine(Limits(memory=asked["memory"], cpu=asked["cpu"]))
    try:
        with os.fdopen(0, "rb", closefd=False) as file:
            data = file.read(asked["largest"] + 1)
        text = json.dumps({"scored": scored(data, asked["largest"])}, allow_nan=False)
    except BundleError as error:
        text = json.dumps({"refused": str(error)})
    except MemoryError:
        text = json.dumps({"refused": "It needs too much memory to score again here."})
    except Exception as error:  # whatever a hostile file does here, the answer is the same
        text = json.dumps({"refused": f"It could not be scored again ({type(error).__name__[:60]})."})
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
