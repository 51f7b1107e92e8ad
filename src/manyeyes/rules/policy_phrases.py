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
        r"\b(?:will|may|shall|can|must)\s+(?:be\s+)?(?:prosecut\w*|pursued?|sued?\b|arrest\w*|track\w*|"
        r"trac(?:ed|ing)|hunted|"
        r"(?:refer\w*|report\w*|handed(?: over)?) to (?:the )?(?:law enforcement|police|authorit\w+)|face "
        r"(?:legal|criminal|"
        r"civil|charges)|seek damages|held liable)|\bsubject to (?:prosecution|(?:legal|criminal|civil) "
        r"(?:action|penalt\w+))|"
        r"\b(?:full|maximum) extent (?:of|allowed by|permitted by) (?:the )?law",
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
        r"\b(?:must|required to|have to)\s+(?:provide|give|supply|include|state|disclose|prove|"
        r"reveal)\s+(?:us\s+)?(?:your\s+)?"
        r"(?:full |real |legal |true )*(?:name|identity|address|phone)|\b(?:must|required to|have "
        r"to)\s+identify yourself|"
        r"\b(?:real|legal|true) names?\b|\b(?:identity|identification) (?:card|document)|\bproof of identity\b",
        "shuts out people who must stay anonymous",
        "Let a report be sent without a name.",
    ),
    _phrase(
        "no_models",
        r"\b(?:exclud\w+|do not accept|not eligible|out of scope)[^.]{0,60}"
        r"\b(?:jailbreaks?|prompt injections?|adversarial (?:testing|prompts?))\b|\b(?:testing|tests|probing|"
        r"attacks?)\s+(?:of|on)"
        r"\s+(?:our\s+|the\s+)?(?:AI\b|models?\b|prompts?\b|model behaviou?r)[^.]{0,60}\b(?:is|"
        r"are)\s+(?:not\s+(?:permitted|"
        r"allowed|in scope)|forbidden|prohibited|out of scope|excluded)",
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
        r"\b(?:hackers?|attackers?|criminals?)\s+(?:who|that)\s+(?:report|send)|\bmalicious (?:research(?:er)?|"
        r"reporter|hacker|"
        r"actor|individual|part(?:y|ie))s?\b|\b(?:violators|offenders|perpetrators|abusers)\b",
        "speaks of researchers as enemies",
        "Call them researchers.",
    ),
)
