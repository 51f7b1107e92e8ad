"""Phrases in a policy that keep honest people away, and what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """Words that keep honest people away, with what to write instead."""

    code: str
    pattern: re.Pattern[str]
    why: str
    mend: str


def _phrase(code: str, pattern: str, why: str, mend: str) -> Phrase:
    return Phrase(code=code, pattern=re.compile(pattern, re.IGNORECASE), why=why, mend=mend)


PHRASES: tuple[Phrase, ...] = (
    _phrase(
        "discretion",
        r"\b(?:sole|absolute|full|own)\s+discretion\b|\bat our discretion\b|\breserves? the right\b",
        "leaves every promise open",
        "Say what you decide by, and that a refusal has a reason.",
    ),
    _phrase(
        "prior_consent",
        r"\b(?:prior|express|written)\s+(?:written\s+)?(?:consent|permission|approval|authori[sz]ation)\b",
        "forbids publishing without an end",
        "Give a window after which the researcher is free to publish.",
    ),
    _phrase(
        "prosecution",
        r"\b(?:will|may|shall)\s+(?:be\s+)?(?:prosecut|pursue|refer\w* to law|face legal|seek damages)\w*",
        "threatens people who read it to feel safe",
        "Say what is out of scope; leave threats out.",
    ),
    _phrase(
        "indemnify",
        r"\bindemnif|\bhold harmless\b|\bliab(?:le|ility) for any",
        "puts the risk on the researcher",
        "Leave it out.",
    ),
    _phrase(
        "secrecy",
        r"\bnon-?disclosure agreement\b|\bNDA\b|\bstrictly confidential\b|\bconfidential (?:forever|indefinitely)\b",
        "asks for silence without an end",
        "Ask to wait until a date instead.",
    ),
    _phrase(
        "identity",
        r"\b(?:must|required to)\s+(?:provide|give|supply|include)\s+(?:your\s+)?"
        r"(?:full |real |legal )*(?:name|identity|address|phone)",
        "shuts out people who must stay anonymous",
        "Let a report be sent without a name.",
    ),
    _phrase(
        "no_models",
        r"\b(?:exclud\w+|do not accept|not eligible|out of scope)[^.]{0,60}"
        r"\b(?:jailbreaks?|prompt injections?|adversarial (?:testing|prompts?))\b",
        "excludes what an AI program is for",
        "Name the systems and the harms that count instead.",
    ),
    _phrase(
        "legalese",
        r"\b(?:here(?:in|by|of|under)|thereof|aforementioned|notwithstanding|pursuant to|but not limited to)\b",
        "is hard to read",
        "Say it in everyday words.",
    ),
    _phrase(
        "malicious",
        r"\b(?:hackers?|attackers?|criminals?)\s+(?:who|that)\s+(?:report|send)|\bmalicious (?:research|report)ers?\b",
        "speaks of researchers as enemies",
        "Call them researchers.",
    ),
)
