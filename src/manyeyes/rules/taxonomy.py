"""The sixteen kinds of flaw in plain words, with the codes other catalogues use, each with its edition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EDITIONS: dict[str, str] = {
    "OWASP LLM Top 10": "2026",
    "OWASP Agentic Top 10": "2026",
    "MITRE ATLAS": "2026.09",
    "CWE": "4.20",
    "NIST AI 100-2": "E2025",
}
"""The editions of the codes below; codes that are reused from year to year carry the edition themselves."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of flaw. `starting` holds the letters a severity vector begins with; people change them."""

    code: str
    name: str
    help: str
    llm: tuple[str, ...] = ()
    agentic: tuple[str, ...] = ()
    atlas: tuple[str, ...] = ()
    cwe: tuple[str, ...] = ()
    nist: tuple[str, ...] = ()
    starting: Mapping[str, str] = field(default_factory=dict)

    @property
    def crosswalk(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(catalogue with edition, codes), catalogues without a code left out."""
        rows = zip(EDITIONS.items(), (self.llm, self.agentic, self.atlas, self.cwe, self.nist), strict=True)
        return tuple((f"{name} {edition}", codes) for (name, edition), codes in rows if codes)


NEUTRAL: dict[str, str] = {
    "DX": "N", "AX": "N", "SX": "N", "IX": "N", "HX": "N", "VT": "N",
    "PX": "N", "AE": "L", "PE": "N", "SP": "1", "FD": "-", "UN": "-",
}  # fmt: skip
"""The letters of a vector before anybody has judged anything."""


def starting_letters(code: str) -> dict[str, str]:
    """The letters a vector of this kind begins with. Raises KeyError."""
    return {**NEUTRAL, **KINDS[code].starting}


def _kind(
    code: str, name: str, help_text: str, *, llm: str = "", agentic: str = "", atlas: str = "", cwe: str = "",
    nist: str = "", **starting: str,
) -> Kind:  # fmt: skip
    return Kind(
        code=code,
        name=name,
        help=help_text,
        llm=tuple(f"LLM{number}:2026" for number in llm.split()),
        agentic=tuple(f"ASI{number}:2026" for number in agentic.split()),
        atlas=tuple(f"AML.T{number}" for number in atlas.split()),
        cwe=tuple(f"CWE-{number}" for number in cwe.split()),
        nist=tuple(f"NISTAML.{number}" for number in nist.split()),
        starting=starting,
    )


_TABLE = (
    _kind(
        "PI-D", "Direct prompt injection", "What you type makes the model ignore its operator's instructions.",
        llm="01", agentic="01", atlas="0051.000", cwe="1427", nist="018", AX="M",
    ),
    _kind(
        "PI-I", "Indirect prompt injection", "Text planted in a mail, page, file or tool result takes over the model.",
        llm="01", agentic="01", atlas="0051.001 0070", cwe="1427", nist="015", AX="H", VT="P",
    ),
    _kind(
        "JB", "Jailbreak", "The model gives content that its rules forbid.",
        llm="01", atlas="0054", cwe="1426", nist="018", HX="M", FD="F", UN="N",
    ),
    _kind(
        "GB", "Guardrail bypass", "A filter before or behind the model lets through what it should stop.",
        llm="01", atlas="0054 0068 0015", cwe="693 1039", nist="018", HX="M", FD="F", UN="N",
    ),
    _kind(
        "HC", "Hidden context or secret leak", "The model tells its instructions, a key or another secret it holds.",
        llm="08 02", agentic="03", atlas="0056 0083", cwe="200 522", nist="035", DX="H",
    ),
    _kind(
        "TD", "Training data extraction", "The model repeats personal or confidential data it was trained on.",
        llm="02", atlas="0057 0024", cwe="200 359", nist="037 038", DX="H", AE="M",
    ),
    _kind(
        "MI", "Membership inference", "One can find out whether a record was part of the training data.",
        llm="02", atlas="0024.000", cwe="359", nist="033", DX="L", AE="H",
    ),
    _kind(
        "INV", "Model inversion", "One can reconstruct inputs or attributes of people from the model's answers.",
        llm="02", atlas="0024.001", cwe="359", nist="032", DX="M", AE="H",
    ),
    _kind(
        "ME", "Model extraction", "The model or a working copy of it can be taken by asking it questions.",
        llm="02 06", atlas="0024.002", cwe="200", nist="031", DX="M", AE="H",
    ),
    _kind(
        "PO", "Poisoning or backdoor", "Planted training data or weights make the model misbehave on a trigger.",
        llm="05 04", agentic="04 06", atlas="0020 0018.000 0043.004 0115", cwe="345", nist="013 023 051",
        AX="H", PX="L", PE="Y",
    ),
    _kind(
        "EV", "Adversarial example", "A small change of the input makes the model decide wrongly.",
        atlas="0015 0043", cwe="1039", nist="022 025", AX="M", AE="M",
    ),
    _kind(
        "AT", "Agent, tool or memory abuse", "The agent uses a tool, a right or its memory in a way nobody allowed.",
        llm="03", agentic="02 03 06", atlas="0053 0086 0080 0110", cwe="250 862", nist="039", AX="H",
    ),
    _kind(
        "DS", "Denial of service or cost", "A few requests stop the service, slow it down, or run up its bill.",
        llm="06", agentic="08", atlas="0029 0034", cwe="400 770", SX="M",
    ),
    _kind(
        "OH", "Unsafe handling of output", "The answer is run or shown unchecked: a script, a query, a command.",
        llm="10", agentic="05", atlas="0077 0050", cwe="1426 79 94", nist="027", DX="M", AX="M", VT="P",
    ),
    _kind(
        "SC", "Model or tool supply chain", "A model file, package or tool server does harm when it is loaded or used.",
        llm="04", agentic="04", atlas="0010 0110", cwe="502 829", nist="051", AX="H", VT="A",
    ),
    _kind(
        "XT", "Cross-tenant or vector store leak", "One customer's data or documents appear in another's answers.",
        llm="09 02", agentic="06", atlas="0070 0085", cwe="668 200", nist="036", DX="H",
    ),
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.code: kind for kind in _TABLE}
