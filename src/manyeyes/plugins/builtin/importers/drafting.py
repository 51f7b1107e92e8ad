"""Makes a draft reproducer of what a file told, names what it lacks, and gives every reading its source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from manyeyes.charts import inert
from manyeyes.plugins.builtin.importers.counting import Gathered
from manyeyes.plugins.builtin.importers.scrub import clean, is_private, secrets, storable
from manyeyes.plugins.imported import Finding, Missing, Tally
from manyeyes.rules.readings import CONFIG, COUNTED, HOW_OFTEN, SENT, UNKNOWN, Reading, Source
from manyeyes.rules.saying import joined
from manyeyes.rules.saying import say as _
from manyeyes.rules.saying import say_many as ngettext

LONGEST = 200_000
MOST_MESSAGES = 64
PLACEHOLDERS = ("{{wording}}", "{{document:")
KNOBS: Final = ("temperature", "top_p", "max_tokens")
SHOWN: Final = {
    "temperature": _("Temperature"),
    "top_p": _("Top p"),
    "max_tokens": _("Token limit"),
    "seed": _("Seed"),
}
SHORT = {"temperature": "t", "top_p": "p", "max_tokens": "m"}
NO_CLASS = Missing(field="class", why="The file does not say what kind of flaw this is; choose one.")
NOT_FILLED = _("We will not fill in a default.")
NOT_NAMED = joined([_("The file does not name it."), NOT_FILLED])


def finding(
    gathered: Gathered,
    *,
    tool: str,
    version: str,
    attack_passes: bool | None = True,
    success: Mapping[str, Any] | None = None,
    no_success: str = "",
    success_source: Source = CONFIG,
    said: str = "",
    words_source: Source = CONFIG,
    readings: Sequence[Reading] = (),
    missing: Sequence[Missing] = (),
    unknown: str = NOT_FILLED,
    rate: bool = True,
    extra: Mapping[str, Any] | None = None,
) -> Finding:
    """The finding of what was gathered.

    `success` is the rule where the file tells one, `no_success` why it does not; `said` what the reading of it says;
    `unknown` why a setting is not known; `extra` further fields of the draft; `missing` what else it lacks.
    """
    tallies = gathered.tallies(attack_passes)
    title = clean(gathered.title, 200) or f"Finding from {tool}"
    draft: dict[str, Any] = {"manyeyes": "reproducer/1", "title": title}
    lacks = [*missing]
    problem = unusable(gathered.messages)
    if problem:
        lacks.append(Missing(field="conversation", why=problem))
    else:
        draft["conversation"] = [dict(message) for message in gathered.messages]
    lacks.append(NO_CLASS)
    draft |= _settings(tallies) | dict(extra or {})
    if success is not None:
        draft["success"] = dict(success)
    else:
        lacks.append(
            Missing(field="success", why=no_success or _("The file does not tell what made an answer a success."))
        )
    draft |= _example(gathered, attack_passes)
    draft |= _claim(tallies) if rate else {}
    for name in [name for name, value in draft.items() if not _storable(value)]:
        del draft[name]
        lacks.append(Missing(field=name, why="It holds half of a surrogate pair or a NUL, which cannot be kept."))
    draft["source"] = _origin(tool, version, tallies, draft, words_source, success_source)
    told = [
        _conversation(gathered, problem, words_source),
        *readings,
        *setting_readings(tallies, unknown),
        Reading(name=_("Success rule"), value=said, source=success_source)
        if said
        else Reading(name=_("Success rule"), value=_("unknown"), source=UNKNOWN, note=no_success),
        *(_counts(tallies) if rate else ()),
        *(_claimed(draft, tallies) if rate else ()),
        hidden(gathered.messages),
    ]
    return Finding(
        title=title,
        draft=draft,
        missing=tuple(lacks),
        readings=tuple(told),
        tallies=tallies if rate else (),
        rate=rate,
        hits=None if attack_passes is None else sum(tally.successes or 0 for tally in tallies),
        traces=tuple(gathered.traces),
    )


def unusable(messages: Sequence[Mapping[str, Any]]) -> str:
    """Why messages cannot stand in a reproducer as they are; empty where they can."""
    if not any(message.get("role") == "user" for message in messages):
        return _("The file holds no message of a user.")
    if len(messages) > MOST_MESSAGES:
        return _("The conversation has more than %(most)s messages.", most=MOST_MESSAGES)
    for message in messages:
        content = str(message.get("content", ""))
        if len(content) > LONGEST:
            return _("A message is longer than %(most)s characters.", most=f"{LONGEST:,}")
        if content != storable(content):
            return _("A message holds a NUL or half of a surrogate pair, which a reproducer cannot keep.")
        if any(mark in content for mark in PLACEHOLDERS):
            return _("A message holds a placeholder of our own format; write it with wordings by hand.")
        if not content.strip() and not message.get("tool_calls"):
            return _("A message is empty.")
    return ""


def _storable(value: Any) -> bool:
    text = json.dumps(value, ensure_ascii=False)
    return "\\u0000" not in text and text == storable(text)


def _settings(tallies: Sequence[Tally]) -> dict[str, Any]:
    """The settings of the draft: what is known of them and what a reproducer can say."""
    rows = [row for row in (_knobs(tally.setting) for tally in tallies) if row]
    distinct = [row for place, row in enumerate(rows) if row not in rows[:place]]
    if not distinct:
        return {}
    if len(distinct) == 1:
        return {"settings": distinct[0]}
    return {"settings": [{"id": _name(row), **row} for row in distinct]}


def _knobs(setting: Mapping[str, Any]) -> dict[str, Any]:
    bounds = {"temperature": (0, 2), "top_p": (1e-9, 1), "max_tokens": (1, 131_072)}
    known = {name: setting[name] for name in KNOBS if name in setting}
    return {name: value for name, value in known.items() if bounds[name][0] <= value <= bounds[name][1]}


def _name(row: Mapping[str, Any]) -> str:
    return "-".join(f"{SHORT[name]}{value:.12g}" for name, value in row.items())


def _example(gathered: Gathered, attack_passes: bool | None) -> dict[str, str]:
    """An answer that was a success, unless something private stands in it."""
    if attack_passes is None:
        return {}
    answer = gathered.samples.get("yes" if attack_passes else "no", "")
    usable = answer.strip() and len(answer) <= LONGEST and answer == storable(answer) and not is_private(answer)
    return {"example": answer} if usable else {}


def _claim(tallies: Sequence[Tally]) -> dict[str, Any]:
    """The claim of the draft: the setting with the highest rate, as its settings are named beside it."""
    counted = [tally for tally in tallies if tally.trials and tally.successes is not None]
    if not counted:
        return {}
    best = max(counted, key=lambda tally: ((tally.successes or 0) / tally.trials, tally.trials))
    knobs = _knobs(best.setting)
    claim: dict[str, Any] = {"successes": best.successes, "trials": best.trials}
    return {"claim": claim | ({"settings": knobs} if knobs else {})}


def _claimed(draft: Mapping[str, Any], tallies: Sequence[Tally]) -> Iterable[Reading]:
    """Which of several counts became the claim, since the highest of several says more than it holds."""
    counted = [tally for tally in tallies if tally.trials and tally.successes is not None]
    if "claim" in draft and len(counted) > 1:
        value = _("%(k)s of %(n)s", k=draft["claim"]["successes"], n=draft["claim"]["trials"])
        note = _(
            "The highest of %(count)s settings, so it is labelled the best of several and makes no rate.",
            count=len(counted),
        )
        yield Reading(name=_("Claim"), value=value, source=COUNTED, note=note)


def _origin(
    tool: str, version: str, tallies: Sequence[Tally], draft: Mapping[str, Any], words: Source, success: Source
) -> dict[str, Any]:
    sources = {tally.source for tally in tallies} or {UNKNOWN}
    weakest = next(source for source in (UNKNOWN, CONFIG, SENT) if source in sources)
    named: dict[str, Source] = {
        "conversation": words if "conversation" in draft else UNKNOWN,
        "settings": weakest if "settings" in draft else UNKNOWN,
        "success": success if "success" in draft else UNKNOWN,
    }
    fields = {name: "researcher" if source == "researcher said" else source for name, source in named.items()}
    named_version = {"version": clean(version, 100)} if version else {}
    return {"tool": clean(tool, 100), **named_version, "fields": fields}


def _conversation(gathered: Gathered, problem: str, source: Source) -> Reading:
    if problem:
        return Reading(name=_("Conversation"), value=_("not usable as it is"), source=UNKNOWN, note=problem)
    roles = [str(message["role"]) for message in gathered.messages]
    keys = sum(secrets(str(message["content"])) for message in gathered.messages)
    note = ngettext(
        "%(count)s key-like text stands in it and was kept, since it may be the payload. Look.",
        "%(count)s key-like texts stand in it and were kept, since they may be the payload. Look.", keys,
    ) if keys else ""  # fmt: skip
    value = messages_counted(len(roles), ", ".join(_folded(roles)))
    return Reading(name=_("Conversation"), value=value, source=source, note=note)


def messages_counted(count: int, roles: str) -> str:
    """How many messages, and whose."""
    return ngettext("%(count)s message (%(roles)s)", "%(count)s messages (%(roles)s)", count, roles=roles)


def hidden(messages: Sequence[Any]) -> Reading:
    """How many characters of a conversation hide, turn or pretend; counted here, where time is limited."""
    texts = [str(message.get("content", "")) for message in messages if isinstance(message, Mapping)]
    count = inert.counted("\n".join(texts))
    note = _("They are kept and shown to the team as labels.") if count else ""
    return Reading(name=_("Hidden characters"), value=count or _("none"), source=COUNTED, note=note)


def _folded(roles: Sequence[str]) -> list[str]:
    return list(roles) if len(roles) <= 6 else [*roles[:3], "…", *roles[-2:]]


def setting_readings(tallies: Sequence[Tally], unknown: str) -> Iterable[Reading]:
    """Every setting people ask for, known or not; then the others that are known."""
    others = dict.fromkeys(name for tally in tallies for name in tally.setting if name not in SHOWN)
    for name in (*SHOWN, *others):
        words = SHOWN.get(name, name.replace("_", " ").capitalize())
        known = {_told(tally.setting[name]): tally.source for tally in tallies if name in tally.setting}
        if not known:
            note = NOT_NAMED if any(tally.setting for tally in tallies) else unknown
            yield Reading(name=words, value=_("unknown"), source=UNKNOWN, note=note)
            continue
        lacking = sum(name not in tally.setting for tally in tallies)
        note = _("Unknown for %(count)s of %(all)s settings.", count=lacking, all=len(tallies)) if lacking else ""
        if name == "seed" and not note:
            note = _(
                "The same for every call, so the answers may depend on one another. A replay draws a seed per trial."
            )
        weakest = CONFIG if CONFIG in known.values() else SENT
        yield Reading(name=words, value=", ".join(known), source=weakest, note=note)


def _told(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else clean(str(value), 80)


def _counts(tallies: Sequence[Tally]) -> Iterable[Reading]:
    several = len(tallies) > 1
    for place, tally in enumerate(tallies, start=1):
        apart = tally.label or _differing(tally, tallies) or _("setting %(place)s", place=place)
        name = joined([HOW_OFTEN, apart], ", ") if several else HOW_OFTEN
        if tally.successes is None:
            value = _("%(k)s of %(n)s passed; what a pass means is not known yet", k=tally.passed, n=tally.trials)
        else:
            value = _("%(k)s of %(n)s", k=tally.successes, n=tally.trials)
        yield Reading(name=name, value=value, source=COUNTED, note=left_out(tally))


def _differing(tally: Tally, tallies: Sequence[Tally]) -> str:
    """A setting in words: what sets it apart from the others."""
    apart = [name for name in tally.setting if any(other.setting.get(name) != tally.setting[name] for other in tallies)]
    return joined([joined([_(name.replace("_", " ")), _told(tally.setting[name])]) for name in apart], ", ")


def left_out(tally: Tally) -> str:
    """What is not among the trials, and what they may not be, in words."""
    parts: list[str] = []
    if tally.errors:
        parts.append(ngettext("%(count)s error", "%(count)s errors", tally.errors))
    if tally.undetermined:
        parts.append(_("%(count)s undetermined", count=tally.undetermined))
    parts += [joined([str(number), _(reason)]) for reason, number in tally.dropped.items()]
    said: list[str] = [_("Not counted: %(parts)s.", parts=joined(parts, ", "))] if parts else []
    if tally.setting.get("temperature") == 0 and tally.trials > 1:
        said.append(_("At temperature 0 repeated answers may be one observation."))
    return joined(said)
