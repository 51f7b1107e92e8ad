"""A result file of another tool that came with a draft: what it says, and what of it is taken over into the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases import drafts
from manyeyes.cases.drafts import Found
from manyeyes.cases.keeping import Brought
from manyeyes.cases.understood import plain_note
from manyeyes.cases.unsent import DraftFile
from manyeyes.plugins.imported import Finding, Imported, ImportRefused
from manyeyes.programs.models import Program
from manyeyes.rules.errors import Invalid
from manyeyes.rules.readings import WORDS, Reading
from manyeyes.runs.importing import MODEST, draft_data, read_file
from manyeyes.vault import files

ENOUGH = 20
"""Findings that are offered to choose from; those with the most successes come first."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a file says, and the draft it lies with."""

    found: Found
    imported: Imported
    file: DraftFile

    @property
    def clear(self) -> bool:
        """Whether nothing has to be chosen: one finding. What it leaves open is asked where it is filled in."""
        return len(self.imported.findings) == 1

    @property
    def choices(self) -> list[tuple[int, Finding, list[Reading]]]:
        """(place, finding, its readings with sources in words)."""
        return [(at, row, in_words(row)) for at, row in enumerate(self.imported.findings[:ENOUGH])]


def read(program: Program, typed: Mapping[str, Any], brought: Brought, *, by: Any = None, token: str = "") -> Read:
    """Keep a tool's file with the draft and read it. Raises Invalid(toolfile=…) with the reason and the mend.

    A file that cannot be read is not kept.
    """
    found = drafts.save(program, typed, by=by, token=token, brought=[brought])
    row = found.files[-1]
    try:
        return _read(found, row, {})
    except Invalid:
        drafts.remove_file(found, str(row.pk))
        raise


def read_again(found: Found, file_id: str, answers: Mapping[str, str]) -> Read:
    """The file of a draft once more, with answers to what it could not tell. Raises Invalid(toolfile=…)."""
    row = next((one for one in found.files if str(one.pk) == file_id), None)
    if row is None:
        raise Invalid(toolfile=_("This file is no longer there. Choose it again."))
    return _read(found, row, answers)


def settle(found: Found, answers: Mapping[str, str], typed: Mapping[str, Any]) -> dict[str, Any] | None:
    """Take the one finding of a draft's file over again, with answers to what it left open; the typed answers.

    None where nothing is answered. A page that was gone back to asks once more. Raises Invalid(toolfile=…).
    """
    held = found.draft.answers.get("import") or {}
    if "file" not in held or not answers:
        return None
    read = read_again(found, held["file"], answers)
    return take(read, 0, typed) if read.clear else None


def take(read: Read, place: int, now: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Put one finding into the draft, and what it tells into the answers that are still empty; the typed answers.

    `now`: what is typed at this moment, where that is not what the draft holds.
    """
    if not 0 <= place < len(read.imported.findings):
        raise Invalid(toolfile=_("Choose one of the findings."))
    finding, imported, draft = read.imported.findings[place], read.imported, read.found.draft
    kept = {
        "draft": draft_data(finding),
        "readings": [asdict(row) for row in (*imported.readings, *finding.readings)],
        "missing": [asdict(row) for row in finding.missing],
        "tool": f"{imported.tool} {imported.version}".strip(),
        "name": imported.name,
        "sha256": imported.sha256,
        "traces": list(finding.traces[:20]),
        "file": str(read.file.pk),
        "questions": [asdict(row) for row in imported.questions],
    }
    typed, said = dict(draft.answers.get("typed") or {} if now is None else now), _answers(finding)
    before = (draft.answers.get("import") or {}).get("filled", {})
    for name in before.keys() | said.keys():  # what another finding had filled in gives way, what was typed does not
        if not str(typed.get(name) or "").strip() or typed[name] == before.get(name):
            typed[name] = said.get(name, "")
    kept["filled"] = said
    drafts.save(draft.program, {"typed": typed, "import": kept}, by=draft.owner, token=read.found.token)
    return typed


def in_words(finding: Finding) -> list[Reading]:
    """The readings of a finding with their sources as people read them."""
    return [plain_note(replace(row, source=WORDS.get(row.source, row.source))) for row in finding.readings]


def _read(found: Found, row: DraftFile, answers: Mapping[str, str]) -> Read:
    try:
        imported = read_file(files.read_all(row.stored), limits=MODEST, name=row.stored.name, answers=answers)
    except ImportRefused as refused:
        raise Invalid(toolfile=refused.message) from None
    if not imported.findings:
        said = _("This file holds no finding. Attach it as an ordinary file, and describe it in words.")
        raise Invalid(toolfile=said)
    return Read(found=found, imported=imported, file=row)


def _answers(finding: Finding) -> dict[str, str]:
    """What a finding says, by the names of the form's fields; nothing for what it does not tell."""
    draft: dict[str, Any] = dict(finding.draft)
    said: dict[str, str] = {"title": " ".join(str(draft.get("title") or finding.title).split())[:200]}
    sent = _sent(draft)
    if sent:
        said["steps"] = sent
    if isinstance(draft.get("class"), str):
        said["vuln_class"] = draft["class"]
    claim = draft.get("claim")
    if isinstance(claim, dict) and finding.rate:
        said |= {"counted": "counted", "claim_k": str(claim["successes"]), "claim_n": str(claim["trials"])}
        if sum(tally.successes is not None for tally in finding.tallies) > 1:
            said["counted_how"] = "best"  # the draft claims the setting with the highest rate
    return said


def _sent(draft: Mapping[str, Any]) -> str:
    """What the researcher sent: the first wording, else the last message of the user."""
    for row in draft.get("wordings") or []:
        if isinstance(row, dict) and row.get("text"):
            return str(row["text"])
    messages = [row for row in draft.get("conversation") or [] if isinstance(row, dict) and row.get("role") == "user"]
    return str(messages[-1].get("content") or "") if messages else str(draft.get("procedure") or "")
