"""How a judge errs, as the commands keep it beside a run and tell it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from manyeyes.runs.calibration import Calibration

FILE = "calibration.json"


def keep_calibration(found: Calibration, directory: Path) -> dict[str, Any]:
    """Writes it beside the run; gives it with its rates and its place."""
    (directory / FILE).write_text(json.dumps(found.to_json(), indent=1), encoding="utf-8")
    (share, low), (wrong, high) = found.sensitivity, found.false_positives
    rates = {"sensitivity": share, "sensitivity_low": low, "false_alarms": wrong, "false_alarms_high": high}
    return {**found.to_json(), "file": str(directory / FILE), **rates}


def errs_words(found: Mapping[str, Any]) -> str:
    """What `keep_calibration` gave, for people."""
    return (
        f"The judge found {found['found']} of {found['successes']} true successes (at least "
        f"{found['sensitivity_low']:.0%}) and called {found['called']} of {found['failures']} failures a success "
        f"(at most {found['false_alarms_high']:.0%}). Kept in {found['file']}; give it with --calibration."
    )
