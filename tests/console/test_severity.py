"""The pages of severity over HTTP: rate, decide on proposals, answer disputes, choose codes, set the rubric."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.test import Client

from manyeyes.cases import disputes, raters, rescoring, severity
from manyeyes.cases.facts import newest_rating
from manyeyes.rules.agreement import FEW
from manyeyes.rules.mes import STANDARD
from manyeyes.rules.numerals import THIN, interval_words
from tests.people import LETTERS, REASONS, Cast, make_case, reproduce, submit

As = Callable[[str], Client]
MARK = "<b>grave</b>\u202e"


def page(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def rating(case: Any, **changes: str) -> dict[str, str]:
    whys = {f"why_{code}": why for code, why in REASONS.items()}
    return {**LETTERS, **whys, "version": str(case.version), **changes}


def test_a_case_is_rated_with_what_stands_beside(cast: Cast, as_: As) -> None:
    case, theo = make_case(cast, at="reproduced"), as_("theo")
    where = f"/desk/cases/{case.ref}/severity/"
    place = severity.prefill(case).places[0][0]
    base = {f"cvss_{code}": "N" for code in ("AV", "AT", "PR", "UI", "VI", "VA", "SC", "SI", "SA")}
    sent = rating(case, tries="25", tries_source=MARK, in_service=place, **base, cvss_AC="L", cvss_VC="H")
    assert theo.post(where, sent).status_code == 302
    row = newest_rating(case)
    assert row.vector.endswith("/RB:25")
    assert row.cvss == "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"
    said = page(theo.get(where))
    for words in (
        "At the setting in service",
        "What it might be called elsewhere",
        "If the attacker gets more tries",
        "8.7 High (CVSS-B)",
    ):
        assert words in said
    assert "<b>grave</b>" not in said
    assert 'class="chart fig"' in said
    assert "(CVSS-B)" in page(theo.get(f"/desk/cases/{case.ref}/"))


def test_what_is_wrong_stands_beside_its_field(cast: Cast, as_: As) -> None:
    case, theo = make_case(cast, at="reproduced"), as_("theo")
    where = f"/desk/cases/{case.ref}/severity/"
    for changes, words in (
        ({"DX": ""}, "Choose a letter."),
        ({"tries": "many", "tries_source": "x"}, "Write a number of tries from 1 to 100"),
        ({"cvss": "CVSS:4.0/AV:Z"}, "AV:Z is not one of"),
        ({"why_DX": ""}, "Please fill this in."),
    ):
        answer = theo.post(where, rating(case, **changes))
        assert answer.status_code == 422
        assert words in page(answer)
    assert newest_rating(case) is None


def test_five_answers_show_a_band_and_then_rate(cast: Cast, as_: As) -> None:
    case, theo = make_case(cast, at="triaged"), as_("theo")
    where = f"/desk/cases/{case.ref}/severity/quick/"
    answers = {"worst": "others_data", "victim": "nothing", "who": "anybody", "often": "R2", "reach": "here"}
    looked = theo.post(where, {**answers, "action": "look"})
    assert looked.status_code == 200
    assert "Security 6.8 to 6.8" in page(looked)
    assert "your guess" in page(looked)
    assert newest_rating(case) is None
    assert "Choose an answer." in page(theo.post(where, {**answers, "often": "", "action": "look"}))
    ranged = page(theo.post(where, {**answers, "often": "X", "action": "look"}))
    assert "Medium to Critical" in ranged
    assert theo.post(where, {**answers, "action": "rate", "version": case.version}).status_code == 302
    assert newest_rating(case).method == "questions"
    assert "From five plain answers" in page(theo.get(f"/desk/cases/{case.ref}/"))


def test_independent_letters_are_kept_and_never_shown(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    where = f"/desk/cases/{case.ref}/severity/own/"
    assert "Rate it independently first" in page(as_("mina").get(f"/desk/cases/{case.ref}/"))
    assert as_("mina").post(where, {**LETTERS, "DX": ""}).status_code == 422
    assert as_("mina").post(where, {**LETTERS, "DX": "C"}).status_code == 302
    assert "You rated this case" in page(as_("mina").get(where))
    assert "DX:C" not in page(as_("theo").get(f"/desk/cases/{case.ref}/"))
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS)
    assert "would not be independent" in page(as_("lena").get(where))
    assert as_("theo").get("/desk/program/wicket/raters/").status_code == 403
    seen = page(as_("lena").get("/desk/program/wicket/raters/"))
    assert "One case was rated by people who did not see each other: 2 ratings by 2 people" in seen
    assert "0 / 1" in seen
    assert "stand here after 9 more cases" in seen


def test_with_enough_cases_the_raters_page_gives_intervals(cast: Cast, as_: As) -> None:
    for place in range(FEW):
        case = submit(cast)
        raters.rate_blind(case, by=cast.mina, letters=LETTERS)
        raters.rate_blind(case, by=cast.theo, letters={**LETTERS, "DX": "C" if place < 3 else "H"})
    found = raters.agreed(cast.program)
    dx = next(row for row in found.metrics if row.code == "DX")
    seen = page(as_("lena").get("/desk/program/wicket/raters/"))
    assert "the intervals are wide" in seen
    assert "more cases" not in seen
    assert dx.share_ends is not None
    assert f"({interval_words(*dx.share_ends).replace(THIN, ' ')})" in seen
    assert dx.alpha_ends is not None
    assert f"{dx.alpha_ends[0]:.2f} to {dx.alpha_ends[1]:.2f}" in seen


def test_a_proposed_score_is_decided_by_a_person(cast: Cast, as_: As) -> None:
    case, theo = make_case(cast, at="triaged"), as_("theo")
    severity.rate(case, by=cast.mina, letters=LETTERS, reasons=REASONS)
    reproduce(cast, case)
    (row,) = rescoring.waiting(case)
    assert "New evidence would change the score" in page(theo.get(f"/desk/cases/{case.ref}/"))
    where = f"/desk/cases/{case.ref}/severity/new/{row.pk}/"
    assert theo.post(where, {"accept": "yes", "why": ""}).status_code == 422
    assert theo.post(where, {"accept": "yes", "why": "It was counted."}).status_code == 302
    assert newest_rating(case).vector == row.vector
    assert "The new score was taken." in page(theo.get(where))
    other = make_case(cast, at="triaged")
    assert theo.get(f"/desk/cases/{other.ref}/severity/new/{row.pk}/").status_code == 404


def test_the_researcher_disputes_and_reads_the_answer(cast: Cast, as_: As) -> None:
    case, rhea = make_case(cast, at="confirmed"), as_("rhea")
    mine = f"/my/{case.ref}/severity/"
    assert "What the team says" in page(rhea.get(mine))
    assert rhea.post(mine, {"act": "dispute", "text": " "}).status_code == 422
    assert rhea.post(mine, {"act": "own", "band": "High", "vector": "nine"}).status_code == 422
    assert rhea.post(mine, {"act": "own", "band": "Critical", "why": MARK}).status_code == 302
    assert rhea.post(mine, {"act": "dispute", "text": f"It is worse. {MARK}"}).status_code == 302
    row = disputes.waiting(case)
    assert row is not None
    assert "Waits for a person" in page(rhea.get(mine))
    judge = "mina" if row.rating.by == cast.theo else "theo"
    rater = "theo" if judge == "mina" else "mina"
    where = f"/desk/cases/{case.ref}/severity/said/{row.pk}/"
    assert "The researcher does not agree" in page(as_(judge).get(f"/desk/cases/{case.ref}/"))
    shown = page(as_(judge).get(where))
    assert "It is worse." in shown
    assert "<b>grave</b>" not in shown
    assert as_(rater).post(where, {"text": "No.", "will_change": "no"}).status_code == 403
    assert as_(judge).post(where, {"text": "", "will_change": "no"}).status_code == 422
    assert as_(judge).post(where, {"text": "It opens one account.", "will_change": "no"}).status_code == 302
    assert "It opens one account." in page(rhea.get(mine))
    assert "The rating stands" in page(rhea.get(mine))


def test_before_it_is_confirmed_the_researcher_sees_no_rating(cast: Cast, as_: As) -> None:
    case, rhea = make_case(cast, at="rated", own_band="Low", own_why="<b>Only mine.</b>"), as_("rhea")
    ours = newest_rating(case).score.highest_band
    assert f"Reporter says <b>Low</b>; ours <b>{ours}</b>" in page(as_("theo").get(f"/desk/cases/{case.ref}/"))
    assert "&lt;b&gt;Only mine.&lt;/b&gt;" in as_("theo").get(f"/desk/cases/{case.ref}/").content.decode()
    shown = page(rhea.get(f"/my/{case.ref}/severity/"))
    assert "Nothing yet." in shown
    assert "MES:1.0/" not in shown
    assert rhea.post(f"/my/{case.ref}/severity/", {"act": "dispute", "text": "Worse."}).status_code == 409


def test_codes_are_suggested_searched_and_chosen(cast: Cast, as_: As) -> None:
    case, theo = make_case(cast, at="triaged"), as_("theo")
    where = f"/desk/cases/{case.ref}/codes/"
    assert "LLM08:2026" in page(theo.get(where))
    assert "AML.T0051.001:2026.09" in page(theo.get(where, {"q": "prompt injection indirect"}))
    assert "Nothing found." in page(theo.get(where, {"q": "zebra"}))
    assert theo.post(where, {"codes": ["LLM08:2026", "CWE-522:4.20"]}).status_code == 302
    assert "LLM08:2026" in page(theo.get(f"/desk/cases/{case.ref}/"))
    assert theo.post(where, {"codes": ["LLM08"]}).status_code == 422
    assert theo.post(where, {}).status_code == 422
    assert theo.post(where, {"off": "CWE-522:4.20"}).status_code == 302
    assert [row.code for row in case.codes.all()] == ["LLM08:2026"]


def test_a_manager_publishes_a_version_of_the_rubric(cast: Cast, as_: As) -> None:
    lena, where = as_("lena"), "/desk/program/wicket/rubric/"
    assert "Publish the next version" in page(lena.get(where))
    assert "Publish the next version" not in page(as_("theo").get(where))
    weights = {
        f"weight_{metric.code}_{option.letter}": str(option.weight)
        for metric in STANDARD.metrics
        for option in metric.levels
    }
    sent = {**weights, "seen": "MES:1.0", "why": "Our data is public.", "weight_DX_H": "8.5"}
    assert as_("theo").post(where, sent).status_code == 403
    assert lena.post(where, {**sent, "weight_PE_Y": "9"}).status_code == 422
    assert "Nothing differs" in page(lena.post(where, {**sent, "weight_DX_H": "9"}))
    assert lena.post(where, sent).status_code == 302
    shown = page(lena.get(where))
    assert "MES:1.0+wicket.1" in shown
    assert "8.5: another user" in shown
    wrong = lena.post(where, {"seen": "MES:1.0+wicket.1", "why": "Again.", "text": "{"})
    assert (wrong.status_code, "This is no JSON" in page(wrong)) == (422, True)
    assert lena.post(where, sent).status_code == 409, "made from a version that is not in force any more"
    reverse = page(lena.get(where, {"from": "MES:1.0+wicket.1", "to": "MES:1.0"}))
    assert "What changed from MES:1.0+wicket.1 to MES:1.0" in reverse
    case = make_case(cast, at="rated")
    assert newest_rating(case).vector.startswith("MES:1.0+wicket.1/")
    assert "MES:1.0+wicket.1" in page(as_("theo").get(f"/desk/cases/{case.ref}/"))
