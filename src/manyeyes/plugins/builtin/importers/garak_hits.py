"""The hitlog of garak: hits only, which are evidence and no rate."""

from __future__ import annotations

from typing import Any, Final

from manyeyes.plugins.builtin.importers import fields
from manyeyes.plugins.builtin.importers.counting import Gathered, fingerprint
from manyeyes.plugins.builtin.importers.drafting import finding
from manyeyes.plugins.builtin.importers.garak_attempt import NO_SETTINGS, attached, no_rule, output, target, turns
from manyeyes.plugins.builtin.importers.scrub import clean
from manyeyes.plugins.imported import Finding, Imported, ImportRefused, Upload
from manyeyes.rules.readings import CONFIG, COUNTED, Reading
from manyeyes.rules.saying import say as _

HIT_KEYS: Final = {"attempt_id", "attempt_idx", "probe", "detector", "generations_per_prompt"}
HITS_ONLY = _("A hitlog holds hits only, so it gives no rate. Import the report of the same run to get one.")


def hitlog(upload: Upload) -> Imported:
    """The hits of a hitlog, by prompt and detector. Raises ImportRefused."""
    gathered: dict[str, Gathered] = {}
    targets: dict[str, None] = {}
    for where, value in upload.rows():
        row = fields.mapping(value, where)
        if not row.keys() >= HIT_KEYS:
            raise ImportRefused("shape", f"{where} is not a line of a hitlog.")
        targets[fields.maybe_text(row.get("generator"), f"{where}: generator")] = None
        _hit(gathered, row, where)
    findings = tuple(_evidence(found) for found in gathered.values())
    return Imported(
        tool="garak",
        version="",
        form="garak hitlog",
        findings=findings,
        readings=target(", ".join(name for name in targets if name)),
        notes=(HITS_ONLY,),
    )


def _hit(gathered: dict[str, Gathered], row: dict[str, Any], where: str) -> None:
    messages, files = turns(row.get("prompt"), f"{where}: prompt")
    probe = clean(fields.text(row["probe"], f"{where}: probe"), 100)
    detector = fields.text(row["detector"], f"{where}: detector")
    found = gathered.setdefault(
        fingerprint(probe, detector, messages),
        Gathered(fields.maybe_text(row.get("goal"), f"{where}: goal") or probe, messages),
    )
    per_prompt = fields.whole(row["generations_per_prompt"], f"{where}: generations_per_prompt")
    found.facts |= {"probe": probe, "detector": detector, "generations": per_prompt}
    found.facts["attached"] = files or found.facts.get("attached", False)
    trace = f"{fields.text(row['attempt_id'], where)} #{fields.whole(row['attempt_idx'], where)}"
    if trace in found.facts.setdefault("seen", set()):
        return
    found.facts["seen"].add(trace)
    found.at({}).add("yes")
    found.saw("yes", output(row.get("output"), f"{where}: output") or "", trace)


def _evidence(found: Gathered) -> Finding:
    detector = clean(found.facts["detector"], 100)
    return finding(
        found,
        tool="garak",
        version="",
        no_success=no_rule(detector),
        unknown=NO_SETTINGS,
        rate=False,
        missing=attached(found),
        readings=(
            Reading(name=_("Probe"), value=found.facts["probe"], source=CONFIG),
            Reading(name=_("Detector"), value=detector, source=CONFIG),
            Reading(name=_("Hits"), value=str(found.yes), source=COUNTED, note=HITS_ONLY),
            Reading(
                name=_("Answers asked for"),
                value=_("%(count)s per prompt", count=found.facts["generations"]),
                source=CONFIG,
            ),
        ),
    )
