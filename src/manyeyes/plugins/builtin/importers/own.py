"""Our own reproducer file, so that one door takes every file a researcher may have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from manyeyes.plugins.builtin.importers.archive import MAGIC, Archive
from manyeyes.plugins.builtin.importers.drafting import SHOWN, hidden, messages_counted
from manyeyes.plugins.builtin.importers.scrub import clean
from manyeyes.plugins.builtin.importers.upload import quoted
from manyeyes.plugins.imported import Finding, Imported, ImportRefused, Tally, Upload
from manyeyes.reproducer.load import load_text
from manyeyes.reproducer.model import Reproducer
from manyeyes.reproducer.parse import MAX_BYTES, ReproducerError, parse
from manyeyes.rules.criterion import criterion_words
from manyeyes.rules.readings import CONFIG, HOW_OFTEN, SAID, UNKNOWN, Reading
from manyeyes.rules.saying import joined
from manyeyes.rules.saying import say as _
from manyeyes.rules.saying import say_many as ngettext

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
        told = _("%(k)s of %(n)s", k=tally.successes, n=tally.trials) if tally else _("not counted")
        how_often = Reading(name=HOW_OFTEN, value=told, source=SAID if tally else UNKNOWN)
        found = Finding(
            title=clean(str(title), 200) or "Reproducer",
            draft=data,
            tallies=(tally,) if tally else (),
            hits=tally.successes if tally else None,
            readings=(*_readings(data), how_often, hidden(messages if isinstance(messages, list) else [])),
        )
        version = data.get("manyeyes")
        return Imported(tool="manyeyes", version=clean(str(version), 30), form="manyeyes reproducer", findings=(found,))


def _readings(data: Mapping[str, Any]) -> Iterator[Reading]:
    """What the file says, part by part; nothing where it is no whole reproducer yet."""
    try:
        found = load_text(json.dumps(data), "the file")
    except ReproducerError:
        return
    yield _from_file(_("Conversation"), _conversation(found))
    for name, value in _parts(found):
        yield _from_file(name, value)
    settings = found.setting_list()
    for knob, words in SHOWN.items():
        values = dict.fromkeys(f"{row.values()[knob]:g}" for row in settings if row.values().get(knob) is not None)
        if values:
            yield _from_file(words, ", ".join(values))
        elif knob != "seed":
            yield Reading(name=words, value=_("unknown"), source=UNKNOWN, note=_("The file does not name it."))
    if len(settings) > 1:
        yield _from_file(_("Rated setting"), _setting(found.rated_setting().values()))
    rule = found.to_json()["success"]
    yield _from_file(_("Success rule"), _("It counts if %(rule)s", rule=criterion_words(rule)))
    if "retry_budget" in data:
        yield _from_file(_("Retry budget"), ngettext("%(count)s try", "%(count)s tries", found.retry_budget))


def _from_file(name: str, value: str) -> Reading:
    fit = clean(value, 400)
    return Reading(name=name, value=value if value == fit else fit, source=CONFIG)


def _conversation(found: Reproducer) -> str:
    if found.turns == "human":
        return _("steps for a person")
    roles = [message.role for message in found.conversation]
    return messages_counted(len(roles), f"{', '.join(roles[:6])}{', …' if len(roles) > 6 else ''}")


def _parts(found: Reproducer) -> Iterator[tuple[str, str]]:
    """The parts that a reproducer may have beside its conversation, those this one has."""
    named: dict[str, Sequence[str]] = {
        _("System prompts"): list(found.systems),
        _("Wordings"): [one.id for one in found.wordings],
        _("Retrieved documents"): [one.id for one in found.documents],
        _("Tools"): [one.name for one in found.tools],
        _("Images"): list(found.attachments),
    }
    for name, parts in named.items():
        if parts:
            listed = ", ".join(parts[:6])
            if len(parts) > 6:
                listed = _("%(named)s and %(count)s more", named=listed, count=len(parts) - 6)
            yield name, joined([f"{len(parts)}:", listed])
    if found.environment is not None:
        yield _("Environment"), found.environment.name


def _setting(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items()) or _("as deployed")


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
