"""CVSS v4.0 beside our own rubric, pure: read, scored by the `cvss` library, written as FIRST's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cvss import CVSS4  # type: ignore[import-untyped]
from cvss.constants4 import METRICS_MANDATORY, METRICS_VALUE_NAMES  # type: ignore[import-untyped]

from manyeyes.rules.errors import Invalid

PREFIX = "CVSS:4.0"
LONGEST = 300
_SYSTEM = (("N", "none"), ("L", "low"), ("H", "high"))

BASE: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("AV", "Attack vector", (("N", "network"), ("A", "adjacent"), ("L", "local"), ("P", "physical"))),
    ("AC", "Attack complexity", (("L", "low"), ("H", "high"))),
    ("AT", "Attack requirements", (("N", "none"), ("P", "present"))),
    ("PR", "Privileges required", (("N", "none"), ("L", "low"), ("H", "high"))),
    ("UI", "User interaction", (("N", "none"), ("P", "passive"), ("A", "active"))),
    ("VC", "Confidentiality of the vulnerable system", _SYSTEM),
    ("VI", "Integrity of the vulnerable system", _SYSTEM),
    ("VA", "Availability of the vulnerable system", _SYSTEM),
    ("SC", "Confidentiality of what lies behind it", _SYSTEM),
    ("SI", "Integrity of what lies behind it", _SYSTEM),
    ("SA", "Availability of what lies behind it", _SYSTEM),
)
"""(metric, name, (letter, word)…) of the metrics that every vector has, in the order of the vector."""


@dataclass(frozen=True, kw_only=True)
class Cvss4:
    """A vector in the order of the specification, with its score. `base_score` leaves threat and environment out."""

    vector: str
    letters: Mapping[str, str]
    score: float
    severity: str
    base_score: float
    base_severity: str

    @property
    def nomenclature(self) -> str:
        """CVSS-B, and T and E where threat or environmental metrics are set.

        >>> read("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N/E:P").nomenclature
        'CVSS-BT'
        """
        environmental = any(code in ("CR", "IR", "AR") or code.startswith("M") for code in self.letters)
        return f"CVSS-B{'T' if 'E' in self.letters else ''}{'E' if environmental else ''}"

    def as_json(self) -> dict[str, Any]:
        """The object of FIRST's JSON schema for CVSS v4.0 (the library's own does not pass it)."""
        return {
            "version": "4.0",
            "vectorString": self.vector,
            "baseScore": self.base_score,
            "baseSeverity": self.base_severity.upper(),
        }


def read(text: str) -> Cvss4:
    """Read and score a vector; the order of the metrics is free. Raises Invalid with everything that is wrong."""
    head, *pairs = text.strip()[: LONGEST + 1].split("/")
    if len(text.strip()) > LONGEST:
        raise Invalid(cvss=f"The vector is longer than {LONGEST} characters.")
    if head != PREFIX:
        raise Invalid(cvss=f"The vector begins with {head[:20]!r}; it must begin with {PREFIX}.")
    letters: dict[str, str] = {}
    problems = []
    for pair in pairs:
        code, _, letter = pair.partition(":")
        known = METRICS_VALUE_NAMES.get(code)
        if known is None:
            problems.append(f"There is no metric {code[:20]!r}.")
        elif code in letters:
            problems.append(f"{code} is given twice.")
        elif letter not in known:
            problems.append(f"{code}:{letter[:20]} is not one of {', '.join(known)}.")
        letters.setdefault(code, letter)
    problems += [f"{code} is missing." for code in METRICS_MANDATORY if code not in letters]
    if problems:
        raise Invalid(cvss=" ".join(problems))
    return _scored(letters)


def build(letters: Mapping[str, str]) -> Cvss4:
    """A scored vector from the letters of a form. Raises Invalid."""
    return read("/".join([PREFIX, *(f"{code}:{letter}" for code, letter in letters.items())]))


def _scored(letters: Mapping[str, str]) -> Cvss4:
    whole = CVSS4("/".join([PREFIX, *(f"{code}:{letter}" for code, letter in letters.items())]))
    base = CVSS4("/".join([PREFIX, *(f"{code}:{letters[code]}" for code in METRICS_MANDATORY)]))
    vector = str(whole.clean_vector())
    return Cvss4(
        vector=vector,
        letters=dict(pair.split(":") for pair in vector.split("/")[1:]),
        score=float(whole.base_score),
        severity=str(whole.severity),
        base_score=float(base.base_score),
        base_severity=str(base.severity),
    )
