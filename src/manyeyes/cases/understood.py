"""What was understood from a report before it is sent: each reading with its source; unknown stays unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from manyeyes.cases.intake_report import BROKEN, IntakeReport
from manyeyes.cases.knobs import KINDS, read_knob
from manyeyes.cases.reproducers import made
from manyeyes.cases.sketch import SUCCESS, messages_of
from manyeyes.charts import inert
from manyeyes.engine import exact_interval
from manyeyes.reproducer.load import ReproducerError, load_text
from manyeyes.reproducer.model import Reproducer
from manyeyes.rules import questions, taxonomy
from manyeyes.rules.criterion import criterion_words
from manyeyes.rules.permits import HAZARDS
from manyeyes.rules.readings import CONFIG, COUNTED, HOW_OFTEN, SAID, UNKNOWN, WORDS, Reading, rate_told
from manyeyes.rules.saying import joined
from manyeyes.rules.saying import say as _
from manyeyes.rules.saying import say_many as ngettext

YOU, FILE, COUNTED_BY_US = WORDS[SAID], WORDS[CONFIG], WORDS[COUNTED]
RULE, HIDDEN, NONE = _("Success rule"), _("Hidden characters"), _("none")
AT_ONCE, LABELLED = _("The team is called at once."), _("They are kept and shown to the team as labels.")
SETTINGS: tuple[tuple[str, str, str], ...] = (
    (_("Temperature"), "temperature", "temperature"),
    (_("Top p"), "top_p", "top_p"),
    (_("Token limit"), "max_tokens", "max_tokens"),
)
"""(name of the reading, name in the form, name in a reproducer), named as the importers name them."""


Brings = Iterable[tuple[str, Mapping[str, Any] | None]]
"""Files beside a report: (name, what was seen of its inside)."""


def understood(report: IntakeReport, files: Brings = ()) -> list[Reading]:
    """The readings of a valid report, in the order of the form; those of a tool's file keep their sources."""
    kind = taxonomy.KINDS[report.vuln_class]
    found = _reproducer(report)
    source = FILE if _filled(report, "vuln_class") == report.vuln_class else YOU
    rows = [Reading(name=_("Kind"), value=_(kind.name), source=source, note=_(kind.help)), *_gates(report)]
    rows += [*_pasted(found), *_conversation(report)]
    rows += [_setting(name, typed, key, report, found) for name, typed, key in SETTINGS]
    rows += [*_success(report, found), *_not_made(report), _how_often(report), *_own_rating(report)]
    rows += [Reading(name=_(asked), value=said, source=YOU) for asked, said in
             questions.answered(report.vuln_class, report.answers)]  # fmt: skip
    rows += [*_seen(report), *_together(report), *_rest_of_file(report, {row.name for row in rows}), _hidden(report)]
    rows += [*_broken(report), *_hidden_in_mails(files)]
    return [plain_note(row) for row in rows]


def plain_note(row: Reading) -> Reading:
    """The reading with ordinary spaces in its note: pages box unusual ones, and ours before a percent sign is one."""
    return replace(row, note=row.note.replace("\u202f", " "))


def from_file(report: IntakeReport) -> list[Reading]:
    """What the tool's file said, with its sources in words."""
    rows = report.imported.get("readings", ()) if report.imported else ()
    return [
        plain_note(
            Reading(
                name=row["name"],
                value=row["value"],
                source=WORDS.get(row["source"], row["source"]),
                note=row["note"],
                patterns=row.get("patterns", {}),
            )
        )
        for row in rows
    ]


def _reproducer(report: IntakeReport) -> Reproducer | None:
    if not report.reproducer.strip():
        return None
    try:
        return load_text(report.reproducer, report.reproducer_name or "reproducer")
    except ReproducerError:
        return None


def _pasted(found: Reproducer | None) -> Iterator[Reading]:
    if found is None:
        return
    parts = [
        ngettext("%(count)s message", "%(count)s messages", len(found.conversation)),
        ngettext("%(count)s wording", "%(count)s wordings", len(found.wording_list())),
        ngettext("%(count)s setting", "%(count)s settings", len(found.setting_list())),
    ]
    if found.claim:
        parts.append(_("claims %(k)s of %(n)s", k=found.claim.successes, n=found.claim.trials))
    value, note = joined([f"“{found.title}”:", joined(parts, ", ")]), _("It is kept as you gave it, and replayed.")
    yield Reading(name=_("Reproducer"), value=value, source=FILE, note=note)


def _of_file(report: IntakeReport, name: str) -> Reading | None:
    return next((row for row in from_file(report) if row.name == name), None)


def _gates(report: IntakeReport) -> Iterator[Reading]:
    if report.harmed_now:
        yield Reading(name=_("Harm"), value=_("somebody is being harmed now"), source=YOU, note=AT_ONCE)
    if report.exploited_now:
        yield Reading(name=_("Exploited"), value=_("it is being exploited now"), source=YOU, note=AT_ONCE)
    if report.hazard:
        note = _("It is shown only to people who may see this kind, each time on request.")
        yield Reading(name=_("Hazardous content"), value=_(HAZARDS[report.hazard]), source=YOU, note=note)


def _conversation(report: IntakeReport) -> Iterator[Reading]:
    if report.conversation.strip():
        roles = [message["role"] for message in messages_of(report.conversation)]
        counted = ngettext(
            "%(count)s message (%(roles)s)", "%(count)s messages (%(roles)s)", len(roles), roles=", ".join(roles)
        )  # fmt: skip
        yield Reading(name=_("Conversation"), value=counted, source=YOU)


def _how_often(report: IntakeReport) -> Reading:
    k, n = report.claim_k, report.claim_n
    if k is None or n is None:
        counted = [row for row in from_file(report) if row.name.startswith(HOW_OFTEN)]
        uncounted = Reading(name=HOW_OFTEN, value=_("not counted"), source=YOU, note=_("We count it."))
        return counted[0] if counted else uncounted
    source = _whose_count(k, n, report)
    if report.biased:
        value = _("%(k)s of %(n)s, the best of several series", k=k, n=n)
        note = _("The best of several says more than it holds, so no rate is made of it. We count it anew.")
        return Reading(name=HOW_OFTEN, value=value, source=source, note=note)
    note = rate_told(n, *exact_interval(k, n))
    return Reading(name=HOW_OFTEN, value=_("%(k)s of %(n)s", k=k, n=n), source=source, note=note)


def _whose_count(k: int, n: int, report: IntakeReport) -> str:
    claim = (report.imported or {}).get("draft", {}).get("claim") or {}
    filled = (_filled(report, "claim_k"), _filled(report, "claim_n"))
    same = (claim.get("successes"), claim.get("trials")) == (k, n) or filled == (str(k), str(n))
    return FILE if same else YOU


def _filled(report: IntakeReport, name: str) -> str:
    """What a tool's file filled into a field of the form; empty for nothing."""
    return str((report.imported or {}).get("filled", {}).get(name, ""))


def _setting(name: str, typed: str, key: str, report: IntakeReport, found: Reproducer | None) -> Reading:
    said, of_file = str(report.settings.get(typed, "")).strip(), _of_file(report, name)
    if said:
        other = of_file.value if of_file is not None and of_file.source != UNKNOWN else ""
        read = read_knob(key, said) if key in KINDS else None
        value = said if read is None else f"{read:g}" if isinstance(read, float) else str(read)
        notes = [_("You wrote %(typed)s.", typed=said)] if "," in said or not said.isascii() else []
        notes += [_("Your file says %(other)s; both are kept.", other=other)] if other and other != value else []
        return Reading(name=name, value=value, source=YOU, note=joined(notes))
    if of_file is not None:
        return of_file
    if found is not None:
        values = sorted({str(getattr(row, key)) for row in found.setting_list() if getattr(row, key) is not None})
        if values:
            return Reading(name=name, value=", ".join(values), source=FILE)
    return Reading(name=name, value=WORDS[UNKNOWN], source=UNKNOWN, note=_("We fill in no default."))


def _success(report: IntakeReport, found: Reproducer | None) -> Iterator[Reading]:
    for row in _rules(report, found):
        unused = report.success_text.strip() if row.source != YOU else ""
        note = _("You also wrote “%(said)s”; the rule of your file counts.", said=unused) if unused else ""
        yield replace(row, note=joined([row.saying("note"), note]))


def _not_made(report: IntakeReport) -> Iterator[Reading]:
    """Where a success rule was given and no reproducer can be made of it, the reason: it never vanishes unsaid."""
    if report.reproducer.strip() or not (report.title.strip() and report.steps.strip()):
        return  # it has one, or is still being typed
    text, _source, why = made(report)
    if why:
        value = _("made of your answers alone") if text else _("none can be made")
        note = _("%(why)s. What you wrote is sent as it is, and a person reads it.", why=why)
        yield Reading(name=_("Reproducer"), value=value, source=UNKNOWN, note=note)


def _rules(report: IntakeReport, found: Reproducer | None) -> Iterator[Reading]:
    of_file, said = _of_file(report, RULE), report.success_text.strip()
    told = of_file is not None and of_file.source != UNKNOWN
    in_draft = of_file is None and "success" in (report.imported or {}).get("draft", {})
    if told and of_file is not None:
        yield of_file
    elif found is not None:
        value = _("It counts if %(rule)s", rule=criterion_words(found.to_json()["success"]))
        yield Reading(name=RULE, value=value, source=FILE)
    elif in_draft:
        yield Reading(name=RULE, value=_("as your file says"), source=FILE)
    elif said:
        value = _("%(how)s: “%(said)s”", how=_(SUCCESS[report.success_how].lower()), said=said)
        yield Reading(name=RULE, value=value, source=YOU)
    else:
        note = joined([of_file.saying("note") if of_file is not None else "", _("A person decides.")])
        yield Reading(name=RULE, value=WORDS[UNKNOWN], source=UNKNOWN, note=note)


def _seen(report: IntakeReport) -> Iterator[Reading]:
    for name, value in {**report.seen, **report.plans}.items():
        if value.strip():
            yield Reading(name=_(questions.SEEN[name]), value=value.strip(), source=YOU)


def _own_rating(report: IntakeReport) -> Iterator[Reading]:
    if report.own_band:
        yield Reading(name=_("How severe to you"), value=_(report.own_band), source=YOU, note=report.own_why.strip())


def _together(report: IntakeReport) -> Iterator[Reading]:
    """Who is to be invited: whether a handle is anybody's is told to nobody, so that it must be looked over here."""
    if report.co_reporters:
        note = _("Each is invited by handle; a handle that nobody has stays without an answer, so look it over.")
        yield Reading(name=_("Reported with"), value=", ".join(report.co_reporters), source=YOU, note=note)


def _rest_of_file(report: IntakeReport, shown: set[str]) -> list[Reading]:
    """What the file says beyond the answers. Its counts stay where nothing was counted by hand, or beside it."""
    counts = [row for row in from_file(report) if row.name.startswith(HOW_OFTEN)]
    said = report.claim_k is not None
    same = _("%(k)s of %(n)s", k=report.claim_k, n=report.claim_n)
    others = [row for row in counts if row.value != same]
    kept = [row for row in from_file(report) if row.name not in shown | {HIDDEN} and row not in counts]
    return kept + (others if said else counts[1:])


def _hidden(report: IntakeReport) -> Reading:
    of_file = _of_file(report, HIDDEN)
    count = inert.counted(f"{report.steps}{report.conversation}")
    if not count and of_file is not None and of_file.value != NONE:
        return of_file
    return Reading(name=HIDDEN, value=count or NONE, source=COUNTED_BY_US, note=LABELLED if count else "")


def _broken(report: IntakeReport) -> Iterator[Reading]:
    """Characters that did not arrive as they were sent; a payload may hold their sign on purpose, so it is taken."""
    texts = (report.happened, report.steps, report.impact, report.conversation, report.success_text)
    count = sum(text.count(BROKEN) for text in texts)
    if count:
        note = _(
            "They came as no UTF-8 and are kept as %(sign)s. If the bytes matter, attach them as a file.", sign=BROKEN
        )
        value = ngettext("%(count)s place", "%(count)s places", count)
        yield Reading(name=_("Broken characters"), value=value, source=COUNTED_BY_US, note=note)


def _hidden_in_mails(files: Brings) -> Iterator[Reading]:
    """What the mails beside a report hide, of what can be read of them here."""
    for name, inside in files:
        if inside and inside.get("kind") == "mail":
            heads = "".join(str(value) for _head, value in inside.get("headers", []))
            count = inert.counted(f"{heads}{inside.get('words', '')}")
            long = _("Only the beginning of this long mail was looked at.") if inside.get("cut") else ""
            value = _("%(count)s in %(name)s", count=count or NONE, name=name)
            note = joined([LABELLED if count else "", long])
            yield Reading(name=HIDDEN, value=value, source=COUNTED_BY_US, note=note)
