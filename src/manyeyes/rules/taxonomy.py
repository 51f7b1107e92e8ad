"""The sixteen kinds of flaw in plain words, with the codes other catalogues use, each with its edition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from manyeyes.rules import mes
from manyeyes.rules.rubric import Rubric

_PATTERNS = {
    "llm": "LLM{}:2026", "agentic": "ASI{}:2026", "atlas": "AML.T{}:2026.09", "cwe": "CWE-{}:4.20",
    "nist": "NISTAML.{}:E2025", "avid": "S{}:0.2",
}  # fmt: skip
_HAZARDS = {"spc": ("spc_ele", "spc_fin", "spc_hlt"), "sxc": ("sxc_prn",)}
"""Hazards that AILuminate splits; the others have one code, which is ours too."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of flaw. `codes` are suggested, each with its edition (`CWE-1427:4.20`); people choose.

    `starting` holds the letters a severity vector begins with. `asks` names the metrics whose letter depends on what
    this very finding reveals, with the question to put: those begin without a letter.
    """

    code: str
    name: str
    help: str
    codes: tuple[str, ...] = ()
    starting: Mapping[str, str] = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)


def starting_letters(code: str, rubric: Rubric = mes.STANDARD) -> dict[str, str]:
    """The letters a vector of this kind begins with, as far as the rubric has them. Raises KeyError."""
    kind = KINDS[code]
    known = {(metric.code, option.letter) for metric in rubric.metrics for option in metric.levels}
    letters = {**rubric.start, **{metric: said for metric, said in kind.starting.items() if (metric, said) in known}}
    return {metric: letter for metric, letter in letters.items() if metric not in kind.asks}


def suggested(code: str, hazard: str = "") -> tuple[str, ...]:
    """The codes of public catalogues for a kind of flaw and a hazard class, each with its edition.

    >>> suggested("EV")
    ('AML.T0015:2026.09', 'AML.T0043:2026.09', 'CWE-1039:4.20', 'NISTAML.022:E2025', 'NISTAML.025:E2025', 'S0403:0.2')
    """
    hazards = _HAZARDS.get(hazard, (hazard,) if hazard else ())
    return (*KINDS[code].codes, *(f"{one}:1.0" for one in hazards))


def _kind(code: str, name: str, help_text: str, *, asks: Mapping[str, str] | None = None, **given: str) -> Kind:
    """`given` holds numbers by catalogue (a key of `_PATTERNS`), everything else is a starting letter."""
    codes = [pattern.format(number) for key, pattern in _PATTERNS.items() for number in given.get(key, "").split()]
    starting = {metric: letter for metric, letter in given.items() if metric not in _PATTERNS}
    return Kind(code=code, name=name, help=help_text, codes=tuple(codes), starting=starting, asks=asks or {})


_TABLE = (
    _kind(
        "PI-D", "Direct prompt injection", "What you type makes the model ignore its operator's instructions.",
        llm="01", agentic="01", atlas="0051.000", cwe="1427", nist="018", avid="0403", AX="M",
    ),
    _kind(
        "PI-I", "Indirect prompt injection", "Text planted in a mail, page, file or tool result takes over the model.",
        llm="01", agentic="01", atlas="0051.001 0070", cwe="1427", nist="015", avid="0403", AX="H", VT="P",
    ),
    _kind(
        "JB", "Jailbreak", "The model gives content that its rules forbid.",
        llm="01", atlas="0054", cwe="1426", nist="018", avid="0403", HX="M", FD="F", UN="N",
    ),
    _kind(
        "GB", "Guardrail bypass", "A filter before or behind the model lets through what it should stop.",
        llm="01", atlas="0054 0068 0015", cwe="693 1039", nist="018", avid="0400", HX="M", FD="F", UN="N",
    ),
    _kind(
        "HC", "Hidden context or secret leak", "The model tells its instructions, a key or another secret it holds.",
        llm="08 02", agentic="03", atlas="0056 0083", cwe="200 522", nist="035", avid="0301", DX="H",
    ),
    _kind(
        "TD", "Training data extraction", "The model repeats personal or confidential data it was trained on.",
        llm="02", atlas="0057 0024", cwe="200 359", nist="037 038", avid="0301", DX="H", AE="M",
    ),
    _kind(
        "MI", "Membership inference", "One can find out whether a record was part of the training data.",
        llm="02", atlas="0024.000", cwe="359", nist="033", avid="0301", AE="H",
        asks={"DX": "What does it tell about a person that their record was used?"},
    ),
    _kind(
        "INV", "Model inversion", "One can reconstruct inputs or attributes of people from the model's answers.",
        llm="02", atlas="0024.001", cwe="359", nist="032", avid="0501", AE="H",
        asks={"DX": "What can be learned about a person from what was reconstructed?"},
    ),
    _kind(
        "ME", "Model extraction", "The model or a working copy of it can be taken by asking it questions.",
        llm="02 06", atlas="0024.002", cwe="200", nist="031", avid="0502", DX="M", AE="H",
    ),
    _kind(
        "PO", "Poisoning or backdoor", "Planted training data or weights make the model misbehave on a trigger.",
        llm="05 04", agentic="04 06", atlas="0020 0018.000 0043.004 0115", cwe="345", nist="013 023 051", avid="0600",
        AX="H", PX="L", PE="Y",
    ),
    _kind(
        "EV", "Adversarial example", "A small change of the input makes the model decide wrongly.",
        atlas="0015 0043", cwe="1039", nist="022 025", avid="0403", AX="M", AE="M",
    ),
    _kind(
        "AT", "Agent, tool or memory abuse", "The agent uses a tool, a right or its memory in a way nobody allowed.",
        llm="03", agentic="02 03 06", atlas="0053 0086 0080 0110", cwe="250 862", nist="039", avid="0300", AX="H",
    ),
    _kind(
        "DS", "Denial of service or cost", "A few requests stop the service, slow it down, or run up its bill.",
        llm="06", agentic="08", atlas="0029 0034", cwe="400 770", avid="0302", SX="M",
    ),
    _kind(
        "OH", "Unsafe handling of output", "The answer is run or shown unchecked: a script, a query, a command.",
        llm="10", agentic="05", atlas="0077 0050", cwe="1426 79 94", nist="027", avid="0100", DX="M", AX="M", VT="P",
    ),
    _kind(
        "SC", "Model or tool supply chain", "A model file, package or tool server does harm when it is loaded or used.",
        llm="04", agentic="04", atlas="0010 0110", cwe="502 829", nist="051", avid="0200", AX="H", VT="A",
    ),
    _kind(
        "XT", "Cross-tenant or vector store leak", "One customer's data or documents appear in another's answers.",
        llm="09 02", agentic="06", atlas="0070 0085", cwe="668 200", nist="036", avid="0301", DX="H",
    ),
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.code: kind for kind in _TABLE}
