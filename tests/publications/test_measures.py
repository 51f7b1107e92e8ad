"""What the public reads of the counts: each line names its own count, and no count stands there unexplained."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from manyeyes.cases import disclosure, remediation, verification
from manyeyes.publications import advisory
from manyeyes.publications.measures import measures
from tests.people import Cast, make_case, patched, verify

WORDS = {"title": "Wicket told a staff code", "summary": "Versions before v3 told a staff code to strangers."}
BEFORE = {
    "k": 4, "n": 4, "low": 0.34, "high": 1.0, "sentence": "Reproduced: 4 of 4.",
    "rated": {"k": 28, "n": 30, "low": 0.779, "high": 0.992}, "settings": {"temperature": 0.7, "max_tokens": 48},
}  # fmt: skip
PATCHED = {
    "version": "v2", "verdict": "symptom_patched", "k": 2, "n": 4, "bound": 0.9, "retest": None,
    "parts": [
        {"part": "reported", "k": 0, "n": 5, "low": 0.0, "high": 0.6},
        {"part": "paraphrase", "k": 2, "n": 2, "low": 0.2, "high": 1.0},
        {"part": "encoding", "k": 0, "n": 0, "low": 0.0, "high": 1.0},
    ],
}  # fmt: skip
HOLDS = {
    "version": "v3", "verdict": "holds", "k": 0, "n": 63, "bound": 0.04996, "residual_at_k": 0.1426,
    "retry_budget": 3, "parts": [], "retest": {"k": 0, "n": 10, "agrees": True},
}  # fmt: skip


def test_each_line_has_one_count_and_says_what_it_is() -> None:
    rows = measures({"versions": ["v1"], "before": BEFORE, "fixes": [PATCHED, HOLDS]})
    told = [(row.when, row.what, row.k, row.n, row.words.replace("\u202f", " ")) for row in rows]
    assert told == [
        ("Before, v1", "", 28, 30, "93 % (78–99 %), at temperature 0.7, 48 tokens"),
        ("After, v2", "the reported wording", 0, 5, "blocked"),
        ("After, v2", "paraphrases", 2, 2, "still passed"),
        ("After, v3", "", 0, 63, "below 5.0 % per try, below 15 % with 3 tries"),
        ("After, v3", "the researcher's try", 0, 10, "by hand"),
    ]


def test_a_fix_that_fails_and_a_case_without_a_fixed_count() -> None:
    plain = {**BEFORE, "rated": None, "settings": {}}
    failed = {**PATCHED, "verdict": "fails", "k": 5, "n": 61}
    rows = measures({"versions": [], "before": plain, "fixes": [failed]})
    assert [(row.when, row.k, row.n, row.words) for row in rows][1] == ("After, v2", 5, 61, "fix fails")
    assert (rows[0].when, rows[0].k, rows[0].n) == ("Before", 4, 4)
    assert measures({"before": None, "fixes": []}) == []


@pytest.mark.django_db
def test_the_public_page_reconciles_a_patched_symptom(cast: Cast) -> None:
    case = make_case(cast, at="remediating")
    for version, kind, how in ((cast.v2, "symptom", patched), (cast.v3, "cause", None)):
        remediation.deploy_fix(case, by=cast.olga, version=version, kind=kind, summary="Done.")
        verification.request(case, by=cast.olga, tau=0.05)
        verify(cast, case, how)
        case.refresh_from_db()
    verification.researcher_retests(case, by=cast.rhea, k=0, n=10, agrees=True)
    case.refresh_from_db()
    disclosure.resolve(case, by=cast.theo)
    advisory.draft(case, by=cast.theo, **WORDS)
    made = advisory.publish(case, by=cast.pia)
    page = Client().get(f"/advisories/{made.slug}/").content.decode()
    table = unescape(
        re.sub(r"<svg.*?</svg>|<[^>]+>", " ", page[page.index("<table") : page.index("</table>")], flags=re.S)
    )
    wrong, right = made.facts["fixes"]
    assert wrong["verdict"] == "symptom_patched"
    assert f"{wrong['k']} of {wrong['n']} trials" not in table
    for part in wrong["parts"]:
        assert f"{part['k']} of {part['n']} trials" in table
        assert part["low"] <= part["high"]
    assert f"0 of {right['n']} trials" in table
    assert "with 3 tries" in table
    rated = made.facts["before"]["rated"]
    assert f"{rated['k']} of {rated['n']} trials" in table
