"""CVSS and the codes of public catalogues in an advisory: on the page, as JSON, as Markdown, and nowhere before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from manyeyes.cases import codes, disclosure, severity
from manyeyes.cases.models import Case
from manyeyes.publications import advisory, credit
from manyeyes.publications.markdown import markdown, plain
from manyeyes.rules import clock
from manyeyes.rules.errors import EmbargoInForce
from tests.people import LETTERS, REASONS, SECRET, STEPS, Cast, make_case
from tests.publications.test_publications import WORDS

CVSS = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N/E:P"
CODES = ["CWE-1427:4.20", "LLM08:2026"]


def rated(cast: Cast) -> Case:
    """A resolved case with a CVSS vector beside its rating and two codes."""
    case = make_case(cast, at="resolved")
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS, why="CVSS beside it.", cvss=CVSS)
    codes.put(case, by=cast.theo, codes=CODES)
    advisory.draft(case, by=cast.theo, **WORDS)
    return case


def test_cvss_and_codes_stand_in_every_form_of_the_advisory(cast: Cast) -> None:
    case = rated(cast)
    credit.choose(case, by=cast.rhea, mode="name", name="Rhea K.", link="https://rhea.example/")
    row, anybody = advisory.publish(case, by=cast.pia), Client()
    assert row.facts["cvss"]["cvss_v4_0"] == {
        "version": "4.0", "vectorString": CVSS, "baseScore": 8.7, "baseSeverity": "HIGH"
    }  # fmt: skip
    page = anybody.get(f"/advisories/{row.slug}/").content.decode()
    data = anybody.get(f"/api/v1/advisories/{row.slug}").json()["facts"]
    text = anybody.get(f"/advisories/{row.slug}.md")
    assert text.headers["Content-Type"] == "text/markdown; charset=utf-8"
    for form in (page, text.content.decode(), str(data)):
        assert all(one in form for one in (CVSS, "CVSS-BT", *CODES, "Hidden Context Exposure", "OWASP LLM Top 10 2026"))
    assert (data["cvss"]["score"], data["cvss"]["severity"]) == (7.7, "High")
    assert [one["code"] for one in data["codes"]] == CODES
    assert f"/advisories/{row.slug}.md" in page
    for said in ("# Wicket told a staff code", "- Found by: Rhea K. (<https://rhea.example/>)", "| Before, v1 |"):
        assert said in text.content.decode()
    assert STEPS not in text.content.decode()
    assert SECRET not in text.content.decode()


def test_nobody_reads_vector_or_code_before_it_is_published(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        case = rated(cast)
        disclosure.propose_embargo(case, by=cast.rhea, until=clock.now() + timedelta(days=30))
        disclosure.agree(case, by=cast.theo)
        with pytest.raises(EmbargoInForce):
            advisory.publish(case, by=cast.pia)
        anybody, slug = Client(), f"wicket-{case.ref.lower()}"
        for form in (f"/advisories/{slug}/", f"/advisories/{slug}.md", f"/api/v1/advisories/{slug}"):
            assert anybody.get(form).status_code == 404
        for place in ("/advisories/", "/thanks/", "/p/wicket/", "/api/v1/advisories"):
            shown = anybody.get(place).content.decode()
            assert not any(one in shown for one in (CVSS, *CODES, case.ref))
        clock.advance(timedelta(days=31))
        advisory.publish(case, by=cast.pia)
        assert anybody.get(f"/advisories/{slug}.md").status_code == 200


def test_without_them_nothing_is_said_of_them(cast: Cast) -> None:
    case = make_case(cast, at="resolved")
    advisory.draft(case, by=cast.theo, **WORDS)
    row = advisory.publish(case, by=cast.pia)
    assert (row.facts["cvss"], row.facts["codes"]) == (None, [])
    assert "CVSS" not in markdown(row)
    assert "catalogues" not in Client().get(f"/advisories/{row.slug}/").content.decode()
    for name in ("cvss", "codes"):
        del row.facts[name]  # as advisories have it that were published earlier
    row.save()
    assert "CVSS" not in markdown(row)
    assert Client().get(f"/advisories/{row.slug}/").status_code == 200


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("<script>", r"\<script\>"),
        ("# no heading", r"\# no heading"),
        ("- no list\n12. nor this", "\\- no list\n12\\. nor this"),
        ("[no](https://link.example)", r"\[no\](https://link.example)"),
        ("a `b` | c_d *e* \\", r"a \`b\` \| c\_d \*e\* \\"),
        ("no heading\n===", "no heading\n\\==="),
        ("plain - as it is. 1. Yes", "plain - as it is. 1. Yes"),
    ],
)
def test_what_people_wrote_stays_text(typed: str, kept: str) -> None:
    assert plain(typed) == kept
