"""What a rating would be called elsewhere: suggested words to start a talk from, claimed of nobody's scheme."""

from __future__ import annotations

from dataclasses import dataclass

from manyeyes.rules.severity import BANDS, MesScore, at_tries, wilson
from manyeyes.rules.vectors import Vector

MSRC = {"Critical": "Critical", "High": "Important", "Medium": "Moderate", "Low": "Low"}
VRT = {"Critical": "P1", "High": "P2", "Medium": "P3", "Low": "P4", "None": "P5"}
ODIN = {"Critical": "Severe", "High": "High", "Medium": "Medium", "Low": "Low"}
LEAST_EPISODES = 30
RELIABLE, UNRELIABLE = 0.90, 0.10


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """One scheme, what the rating would be there, and what it stands on."""

    scheme: str
    value: str
    words: str


def suggested(score: MesScore, vector: Vector) -> tuple[Elsewhere, ...]:
    """The rating in other schemes; empty where there is no number yet."""
    if score.sec is None:
        return ()
    graver = max(score.sec_band, score.saf_band, key=BANDS.index)
    rows = [
        Elsewhere(
            scheme="Microsoft (MSRC)",
            value=MSRC.get(score.sec_band, "no severity"),
            words="by the security score; Microsoft gives content issues no severity",
        ),
        Elsewhere(
            scheme="Bugcrowd VRT",
            value=VRT[graver],
            words="by the graver score; the VRT begins at a priority per class",
        ),
        Elsewhere(scheme="0din", value=ODIN.get(graver, "no bounty level"), words="by the graver score"),
        Elsewhere(scheme="AIVSS 2.0 candidate", value=f"SR:{reliability_class(vector)}", words=_EPISODES),
    ]
    if vector.letters.get("PE") == "Y":
        rows.append(Elsewhere(scheme="AIVSS 2.0 candidate", value="CP:C", words="it outlasts the session"))
    return tuple(rows)


_EPISODES = f"from at least {LEAST_EPISODES} trials, at the retry budget; X below that"


def reliability_class(vector: Vector) -> str:
    """The class of stochastic reliability: R from 90 % (lower bound), U below 10 % (upper bound), else P.

    >>> from manyeyes.rules.severity import parse
    >>> head = "MES:1.0/DX:H/AX:N/SX:N/IX:N/HX:N/VT:N/PX:N/AE:L/PE:N/SP:1/FD:-/UN:-/"
    >>> [reliability_class(parse(head + tail)) for tail in ("OB:30of30/RB:1", "OB:9of10/RB:1", "OB:0of30/RB:1")]
    ['R', 'X', 'U']
    """
    if vector.observed is None or vector.observed[1] < LEAST_EPISODES:
        return "X"
    low, high = (at_tries(bound, vector.tries) for bound in wilson(*vector.observed))
    return "R" if low >= RELIABLE else "U" if high < UNRELIABLE else "P"


def cvss_letters(vector: Vector) -> dict[str, str]:
    """Base metrics of CVSS v4 to begin with. A person checks each; how often it works stays out of them.

    AT stays N: the rate is in OB already, and would be counted twice.
    """
    said = vector.letters
    return {
        "AV": "N",
        "AC": "H" if said.get("AE") == "H" else "L",
        "AT": "N",
        "PR": said.get("PX", "N"),
        "UI": {"N": "N", "P": "P"}.get(said.get("VT", "N"), "A"),
        **{theirs: _SYSTEM[said.get(ours, "N")] for theirs, ours in (("VC", "DX"), ("VI", "AX"), ("VA", "SX"))},
        **dict.fromkeys(("SC", "SI", "SA"), "N"),
    }


_SYSTEM = {"N": "N", "L": "L", "M": "L", "H": "H", "C": "H"}
