"""Reasons to look twice at a report: what was seen in it, one sentence each. None of them is a verdict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from manyeyes.rules.numerals import many

SHORTEST = 80
"""Letters of a paragraph below which being equal says nothing."""
MOST = 20
"""Paragraphs of one report that are compared."""
MANY_A_DAY = 10

GENERIC = (
    "i hope this message finds you well", "i hope this email finds you well", "dear security team", "dear sir",
    "as an ai language model", "it is important to note", "it is crucial to", "malicious actors could",
    "could potentially lead to", "significant security risk", "comprehensive report", "robust security measures",
    "in conclusion,", "in today's digital", "severe implications", "kindly reward", "waiting for your bounty",
    "please let me know the bounty", "critical vulnerability has been identified", "unauthorized actions on behalf",
)  # fmt: skip
"""Phrases that are frequent in reports nobody wrote for this program. People use them too."""

RATES = ("always", "every time", "each time", "reliably", "consistently", "100%", "100 %", "10/10 times", "guaranteed")
"""Words that claim a rate."""

_GAP = re.compile(r"\n[ \t]*\n")
_NOT_WORD = re.compile(r"[^\w]+")
_LEFT_OPEN = re.compile(
    r"\[(?:your|insert|company|target|researcher|date|name)\b[^\]\n]{0,40}\]|lorem ipsum|<your [^>\n]{1,40}>", re.I
)
_HOST = re.compile(r"https?://([a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?)", re.I)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a report. `prose` is what its sender says about it, without what was sent to the model.

    `repeated` of `paragraphs` long ones stand word for word in other reports: those of `elsewhere`, by reference, and
    `unseen` further cases that the reader may not see. `sent_today` counts the sender's reports of the last 24 hours.
    """

    prose: str
    reproducer: bool = True
    counted: bool = True
    own_hosts: frozenset[str] = frozenset()
    paragraphs: int = 0
    repeated: int = 0
    elsewhere: tuple[str, ...] = ()
    unseen: int = 0
    sent_today: int = 1


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One reason: its name, and a sentence with what was seen."""

    name: str
    words: str


def paragraphs(text: str) -> list[str]:
    """The longer paragraphs of a text as they are compared: case, spaces and marks do not count.

    >>> paragraphs("Short.\\n\\n" + "The assistant, asked twice, tells the code; " * 3)[0][:34]
    'the assistant asked twice tells th'
    """
    plain = (_NOT_WORD.sub(" ", part.casefold()).strip() for part in _GAP.split(text.replace("\r\n", "\n")))
    return list(dict.fromkeys(part for part in plain if len(part) >= SHORTEST))[:MOST]


def hosts(text: str) -> list[str]:
    """The hosts of the addresses that a text names, each once.

    >>> hosts("See https://Chat.larkfield.example/x and http://evil.example:8080.")
    ['chat.larkfield.example', 'evil.example']
    """
    return list(dict.fromkeys(found.lower().rstrip(".") for found in _HOST.findall(text)))


def signals(facts: Facts) -> list[Signal]:
    """The reasons to look twice, in the order of how much they say; empty where nothing was seen."""
    return [*_repeated(facts), *_left_open(facts), *_generic(facts), *_rates(facts), *_elsewhere(facts), *_bare(facts),
            *_often(facts)]  # fmt: skip


def _repeated(facts: Facts) -> Iterator[Signal]:
    if not facts.repeated:
        return
    where = list(facts.elsewhere)
    if facts.unseen:
        where.append(many(facts.unseen, "further case"))
    stand = "stands" if facts.repeated == 1 else "stand"
    counted = f"{facts.repeated} of its {many(facts.paragraphs, 'longer paragraph')}"
    yield Signal(name="same_text", words=f"{counted} {stand} word for word in {', '.join(where)}.")


def _left_open(facts: Facts) -> Iterator[Signal]:
    found = list(dict.fromkeys(_LEFT_OPEN.findall(facts.prose)))
    if found:
        shown = ", ".join(f"“{one}”" for one in found[:3])
        yield Signal(name="left_open", words=f"Something was left to fill in: {shown}.")


def _generic(facts: Facts) -> Iterator[Signal]:
    said = facts.prose.casefold()
    found = [phrase for phrase in GENERIC if phrase in said]
    if len(found) > 1:  # one alone is how people write
        shown = ", ".join(f"“{one}”" for one in found[:4])
        yield Signal(name="generic", words=f"{len(found)} phrases of the list of frequent ones stand in it: {shown}.")


def _rates(facts: Facts) -> Iterator[Signal]:
    said = facts.prose.casefold()
    found = [word for word in RATES if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said)]
    if found and not facts.counted:
        yield Signal(name="no_numbers", words=f"It says “{found[0]}”, and does not say out of how many tries.")


def _elsewhere(facts: Facts) -> Iterator[Signal]:
    foreign = [host for host in hosts(facts.prose) if not _own(host, facts.own_hosts)]
    if foreign:
        which = f"{', '.join(foreign[:3])}, which {'is' if len(foreign) == 1 else 'are'} in no line of the scope"
        yield Signal(name="out_of_scope", words=f"It names {which} and at no registered version.")


def _own(host: str, own: frozenset[str]) -> bool:
    return any(host == one or host.endswith(f".{one}") for one in own)


def _bare(facts: Facts) -> Iterator[Signal]:
    if not facts.reproducer:
        yield Signal(name="no_reproducer", words="There is no reproducer: nothing in it can be tried as it stands.")


def _often(facts: Facts) -> Iterator[Signal]:
    if facts.sent_today >= MANY_A_DAY:
        yield Signal(name="many_sent", words=f"Its sender sent {facts.sent_today} reports within 24 hours.")
