"""Takes absolute paths and key-like strings out of what is told about a run; a payload is never changed by it."""

from __future__ import annotations

import re

PATH, KEY = "[path]", "[key]"

_KEYS = re.compile(
    r"""
    -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----[^-]{0,8000}(?:-----END\ [A-Z ]*PRIVATE\ KEY-----)?
    | \b(?:sk|pk|rk)-[A-Za-z0-9_-]{12,}
    | \b(?:ghp|gho|ghu|ghs|ghr|github_pat|glpat|hf|xox[abprs])[-_][A-Za-z0-9_-]{12,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b
    | \bAIza[A-Za-z0-9_-]{30,}
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}
    | (?i:\bbearer\s+)[A-Za-z0-9._~+/-]{12,}=*
    | (?i:\b(?:api[_-]?key|access[_-]?token|auth[_-]?token|secret|password|passwd)["']?\s*[:=]\s*["']?)[^\s"',;]{6,}
    """,
    re.VERBOSE,
)
_PATHS = re.compile(
    r"""
    \bfile://[^\s"'<>|]+
    | (?<![\w:/.])~?/(?:[\w.@+-]+/)+[\w.@+-]*
    | \b[A-Za-z]:\\(?:[^\\\s"'<>|]+\\)*[^\\\s"'<>|]*
    | \\\\[\w.-]+\\[^\s"'<>|]+
    """,
    re.VERBOSE,
)
_ADDRESS = re.compile(r"^([a-z][a-z0-9+.-]*://)(?:[^/@\s]*@)?([^?#\s]*)", re.IGNORECASE)


def clean(text: str, longest: int = 500) -> str:
    """Text about a run, on one line, without absolute paths, keys and half characters.

    >>> clean("run of /home/mina/garak_runs/x.jsonl with sk-abcdefghijklmnop")
    'run of [path] with [key]'
    """
    line = " ".join(storable(text[: 4 * longest]).split())
    line = _PATHS.sub(PATH, _KEYS.sub(KEY, line))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def address(text: str) -> str:
    """A URL without user name, password and query.

    >>> address("https://mina:pw@larkfield.example/v1?key=abc")
    'https://larkfield.example/v1'
    """
    match = _ADDRESS.match(text)
    return _KEYS.sub(KEY, (match[1] + match[2])[:300]) if match else clean(text, 300)


def storable(text: str) -> str:
    """The text with what no database keeps (NUL, halves of surrogate pairs) shown as a replacement mark."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def secrets(text: str) -> int:
    """How many key-like strings a text has."""
    return sum(1 for _ in _KEYS.finditer(text))


def is_private(text: str) -> bool:
    """Whether cleaning would take something out."""
    return bool(_KEYS.search(text) or _PATHS.search(text))
