"""What was understood from a report before it is sent: each reading with its source; unknown stays unknown."""

from __future__ import annotations

from manyeyes.cases.intake import IntakeReport
from manyeyes.charts import inert
from manyeyes.engine import exact_interval
from manyeyes.reproducer.load import ReproducerError, load_text
from manyeyes.reproducer.model import Reproducer
from manyeyes.rules import taxonomy
from manyeyes.rules.numerals import percent
from manyeyes.rules.readings import CONFIG, SAID, UNKNOWN, WORDS, Reading

YOU, FILE = WORDS[SAID], WORDS[CONFIG]


def understood(report: IntakeReport) -> list[Reading]:
    """The readings of a valid report, in the order of the form."""
    found = _reproducer(report)
    return [
        Reading(name="Kind", value=taxonomy.KINDS[report.vuln_class].name, source=YOU),
        _how_often(report),
        _setting("Temperature", "temperature", report, found),
        _setting("Token limit", "max_tokens", report, found),
        _success(report, found),
        _hidden(report),
    ]


def _reproducer(report: IntakeReport) -> Reproducer | None:
    if not report.reproducer.strip():
        return None
    try:
        return load_text(report.reproducer, report.reproducer_name or "reproducer")
    except ReproducerError:
        return None


def _how_often(report: IntakeReport) -> Reading:
    k, n = report.claim_k, report.claim_n
    if k is None or n is None:
        return Reading(name="How often", value="not counted", source=YOU, note="We will count it.")
    low, high = exact_interval(k, n)
    note = f"From {n} tries the true rate may be anything from {percent(low)} to {percent(high)}."
    return Reading(name="How often", value=f"{k} of {n}", source=YOU, note=note)


def _setting(name: str, key: str, report: IntakeReport, found: Reproducer | None) -> Reading:
    typed = str(report.settings.get(key, "")).strip()
    if typed:
        return Reading(name=name, value=typed, source=YOU)
    if found is not None:
        values = sorted({str(getattr(row, key)) for row in found.setting_list() if getattr(row, key) is not None})
        if values:
            return Reading(name=name, value=", ".join(values), source=FILE)
    return Reading(name=name, value="unknown", source=UNKNOWN, note="We will not fill in a default.")


def _success(report: IntakeReport, found: Reproducer | None) -> Reading:
    if found is not None:
        return Reading(name="Success rule", value="as your file says", source=FILE)
    if report.success_text.strip():
        return Reading(name="Success rule", value=f"the answer contains “{report.success_text.strip()}”", source=YOU)
    return Reading(name="Success rule", value="unknown", source=UNKNOWN, note="A person will decide what counts.")


def _hidden(report: IntakeReport) -> Reading:
    count = inert.counted(report.steps)
    note = "They are kept and shown to the team as labels." if count else ""
    return Reading(name="Hidden characters", value=count or "none", source="counted", note=note)
