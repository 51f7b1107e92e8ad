"""Our own reproducer file, so that one door takes every file a researcher may have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from manyeyes.plugins.builtin.importers.archive import MAGIC, Archive
from manyeyes.plugins.builtin.importers.drafting import hidden
from manyeyes.plugins.builtin.importers.scrub import clean
from manyeyes.plugins.builtin.importers.upload import quoted
from manyeyes.plugins.imported import Finding, Imported, ImportRefused, Tally, Upload
from manyeyes.reproducer.parse import MAX_BYTES, ReproducerError, parse
from manyeyes.rules.readings import HOW_OFTEN, SAID, UNKNOWN, Reading

BUNDLE = {"plan.json", "trials.jsonl", "signature.json"}
_MARK = re.compile(rb'(?m)^\s*[{,]?\s*"?manyeyes"?\s*:\s*["\']?reproducer/')


class Own:
    """Reads a reproducer of manyeyes (YAML or JSON) as it is."""

    def recognises(self, upload: Upload) -> bool:
        """A text that names the format, or an evidence bundle."""
        if upload.head.startswith(MAGIC):
            return set(Archive(upload).names) >= BUNDLE
        return b"\0" not in upload.head and bool(_MARK.search(upload.head))

    def read(self, upload: Upload, answers: Mapping[str, str]) -> Imported:
        """The one finding of the file. Raises ImportRefused."""
        if upload.head.startswith(MAGIC):
            raise ImportRefused(
                "unknown_format", "This is an evidence bundle of manyeyes; look at it with manyeyes verify-bundle."
            )
        if upload.size > MAX_BYTES:
            raise ImportRefused("too_large", f"A reproducer is at most {MAX_BYTES // 1_000_000} MB.")
        try:
            data: dict[str, Any] = parse(upload.raw(0, upload.size), "the file").data
        except ReproducerError as error:
            raise ImportRefused("shape", quoted(clean(str(error), 400), 400)[1:-1]) from None
        messages = data.get("conversation")
        title = data.get("title") if isinstance(data.get("title"), str) else ""
        claim = data.get("claim") if isinstance(data.get("claim"), dict) else {}
        tally = _tally(claim or {})
        told = f"{tally.successes} of {tally.trials}" if tally else "not counted"
        reading = Reading(name=HOW_OFTEN, value=told, source=SAID if tally else UNKNOWN)
        found = Finding(
            title=clean(str(title), 200) or "Reproducer",
            draft=data,
            tallies=(tally,) if tally else (),
            hits=tally.successes if tally else None,
            readings=(reading, hidden(messages if isinstance(messages, list) else [])),
        )
        version = data.get("manyeyes")
        return Imported(tool="manyeyes", version=clean(str(version), 30), form="manyeyes reproducer", findings=(found,))


def _tally(claim: Mapping[str, Any]) -> Tally | None:
    k, n = claim.get("successes"), claim.get("trials")
    if type(k) is not int or type(n) is not int or not 0 <= k <= n <= 1_000_000:
        return None
    settings = claim.get("settings")
    known = {
        name: value
        for name, value in (settings if isinstance(settings, dict) else {}).items()
        if name in ("temperature", "top_p", "max_tokens") and type(value) in (int, float)
    }
    return Tally(setting=known, source=SAID if known else UNKNOWN, trials=n, successes=k)
