"""How bad it is: the measured part of the vector, reasons for the rest, and the word of two disciplines."""

from __future__ import annotations

import json

import pytest

from manyeyes.cases import (
    clocks,
    queue,
    reproduction,
    severity,
    signing,
    timeline,
    triage,
)
from manyeyes.cases.facts import facts_of
from manyeyes.cases.judgement import standing
from manyeyes.programs import rubrics
from manyeyes.rules import mes
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotAllowed
from tests.people import LETTERS, REASONS, Cast, agree, make_case


def test_the_score_stands_on_the_fixed_run_and_the_declared_budget(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    found = reproduction.finding(case)
    assert found is not None
    assert found.rated is not None
    assert found.rated["n"] == 30
    judged = standing(case)
    assert judged is not None
    assert judged.rating.vector.endswith(f"/OB:{found.rated['k']}of30/RB:3")
    assert f"{found.verdict['k']}of{found.verdict['n']}" != f"{found.rated['k']}of30"
    assert judged.rating.replay_id == found.link.replay_id


def test_a_case_is_rated_without_a_number_before_it_is_measured(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    rating = severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS)
    assert "/OB:X/" in rating.vector


def test_every_letter_needs_a_reason(cast: Cast) -> None:
    case = make_case(cast, at="reproduced")
    with pytest.raises(Invalid) as refused:
        severity.rate(case, by=cast.theo, letters=LETTERS, reasons={**REASONS, "DX": " ", "SP": ""})
    assert set(refused.value.fields) == {"why_DX", "why_SP"}
    with pytest.raises(Invalid):
        severity.rate(case, by=cast.theo, letters={**LETTERS, "DX": "Q"}, reasons=REASONS)


def test_what_raises_the_score_is_put_in_words_by_a_person(cast: Cast) -> None:
    case = make_case(cast, at="reproduced")
    begun = severity.prefill(case)
    assert begun.letters["DX"] == "H"
    assert set(begun.letters) - set(begun.reasons) == {"DX"}
    own = {"DX": "The code opens every account."}
    lazy: list[tuple[dict[str, str], dict[str, str], set[str]]] = [
        ({}, {}, {"why_DX"}),
        ({}, {"DX": mes.STANDARD.by_code["DX"].option("H").words}, {"why_DX"}),
        ({"PE": "Y", "SP": "2"}, own, {"why_PE", "why_SP"}),
    ]
    for letters, reasons, wanting in lazy:
        with pytest.raises(Invalid) as refused:
            severity.rate(
                case, by=cast.theo, letters={**begun.letters, **letters}, reasons={**begun.reasons, **reasons}
            )
        assert set(refused.value.fields) == wanting
    severity.rate(case, by=cast.theo, letters=begun.letters, reasons={**begun.reasons, **own})
    assert severity.prefill(case).reasons["DX"] == own["DX"], "what a person wrote is kept for the next rating"


def test_two_disciplines_are_two_people_where_it_is_grave(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    with pytest.raises(NotAllowed):
        agree(case, cast.theo, "ml")
    agree(case, cast.theo, "security")
    with pytest.raises(IllegalMove) as refused:
        triage.confirm(case, by=cast.theo)
    assert refused.value.missing == ["signed_off"]
    agree(case, cast.mina, "ml")
    triage.confirm(case, by=cast.mina)
    assert case.status == "confirmed"


def test_a_disagreement_stays_on_record_and_the_manager_decides_with_a_reason(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    agree(case, cast.theo, "security")
    with pytest.raises(Invalid):
        agree(case, cast.mina, "ml", agrees=False)
    agree(case, cast.mina, "ml", agrees=False, note="The model was primed.")
    with pytest.raises(IllegalMove):
        triage.confirm(case, by=cast.theo)
    with pytest.raises(NotAllowed):
        signing.override(case, by=cast.theo, note="I decide.")
    with pytest.raises(Invalid):
        signing.override(case, by=cast.lena, note=" ")
    signing.override(case, by=cast.lena, note="Security is right: it needs no priming.")
    triage.confirm(case, by=cast.theo)
    kinds = [entry.item for entry in timeline.entries(case, cast.aud) if entry.kind == "signed_off"]
    assert [(row.discipline, row.agrees, row.override) for row in kinds] == [
        ("security", True, False), ("ml", False, False), ("manager", True, True),
    ]  # fmt: skip


def test_a_sign_off_on_an_older_rating_is_a_conflict(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    seen = standing(case)
    assert seen is not None
    severity.rate(
        case, by=cast.mina, letters={**LETTERS, "DX": "M"}, reasons=REASONS, why="It tells less than we thought."
    )
    with pytest.raises(Conflict):
        agree(case, cast.theo, "security", rating=seen.rating)


def test_the_tries_of_an_attacker_have_a_source(cast: Cast) -> None:
    case = make_case(cast, at="reproduced")
    begun = severity.prefill(case)
    assert (begun.budget.tries, begun.budget.source) == (3, "The reproducer declares it.")
    with pytest.raises(Invalid) as refused:
        severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS, tries="25")
    assert set(refused.value.fields) == {"tries_source"}
    for wrong in ("0", "101", "many", "-3", "²"):
        with pytest.raises(Invalid) as refused:
            severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS, tries=wrong, tries_source="a log")
        assert set(refused.value.fields) == {"tries"}
    row = severity.rate(
        case,
        by=cast.theo,
        letters=LETTERS,
        reasons=REASONS,
        tries="u",
        tries_source="The gateway sets no limit.",
    )
    assert row.vector.endswith("/RB:U")
    kept = severity.prefill(case).budget
    assert (kept.written, kept.source) == ("U", "The gateway sets no limit.")
    back = severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS, tries="3", why="The gateway was set.")
    assert (back.vector[-5:], back.budget_source) == ("/RB:3", "The reproducer declares it.")


def test_without_a_reproducer_one_try_is_assumed_and_said(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    case.preflights.all().delete()
    case.reproducers.all().delete()
    assert severity.prefill(case).budget.source == "Nobody said; one try is assumed."
    case.reproducers.create(text="no reproducer", content_hash="0" * 64, by=cast.theo, key=case.key)
    assert severity.prefill(case).budget.source == "The reproducer cannot be read; one try is assumed."


def test_the_setting_in_service_is_scored_beside_the_rated_one(cast: Cast) -> None:
    case = make_case(cast, at="reproduced")
    places = severity.prefill(case).places
    assert places
    name, words, k, n = places[0]
    row = severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS, in_service=name)
    assert row.deployed == {"place": name, "k": k, "n": n}
    assert "temperature" in words == row.deployed_words
    beside = row.at_deployed
    assert beside is not None
    assert f"/OB:{k}of{n}/" in beside.vector
    assert row.score.vector == row.vector != beside.vector
    assert severity.prefill(case).in_service == name
    same = severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS, in_service="rated", why="Olga looked.")
    assert (same.at_deployed, same.deployed["place"]) == (None, "rated")
    with pytest.raises(Invalid) as refused:
        severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS, in_service="guessed", why="Guessed.")
    assert set(refused.value.fields) == {"in_service"}


def test_cvss_stands_beside_and_changes_nothing(cast: Cast) -> None:
    case = make_case(cast, at="reproduced")
    plain = severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS)
    vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"
    row = severity.rate(
        case, by=cast.theo, letters=LETTERS, reasons=REASONS, cvss=f" {vector} ", why="A vector beside."
    )
    assert (row.cvss, row.vector, row.score.sec) == (vector, plain.vector, plain.score.sec)
    with pytest.raises(Invalid) as refused:
        severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS, cvss="CVSS:4.0/AV:Z", why="Again.")
    assert "AV:Z is not one of" in refused.value.fields["cvss"]


def test_membership_is_rated_by_what_it_reveals(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    case.vuln_class = "MI"
    begun = severity.prefill(case)
    assert "DX" not in begun.letters
    assert begun.asks["DX"].startswith("What does it tell about a person")
    with pytest.raises(Invalid) as refused:
        severity.rate(case, by=cast.theo, letters=begun.letters, reasons=REASONS)
    assert set(refused.value.fields) == {"DX"}


ANSWERS = {"worst": "others_data", "victim": "nothing", "who": "anybody", "often": "R5", "reach": "here"}


def test_five_answers_rate_a_case_and_confirm_only_what_is_low(cast: Cast) -> None:
    case = make_case(cast, at="reproduced")
    row = severity.rate_quickly(case, by=cast.theo, answers=ANSWERS)
    assert (row.method, row.replay is not None) == ("questions", True)
    assert row.reasons["DX"].startswith("What is the worst it leads to?")
    assert not facts_of(case).rated
    assert "letter by letter" in queue.rows([case])[0].todo
    low = severity.rate_quickly(case, by=cast.theo, answers={**ANSWERS, "worst": "internals"}, why="It was the manual.")
    assert low.score.highest_band == "Low"
    assert facts_of(case).rated
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS, why="No: it opens accounts.")
    assert facts_of(case).rated
    with pytest.raises(Invalid):
        severity.rate_quickly(case, by=cast.theo, answers={}, why="Nothing said.")


def test_a_rating_keeps_the_version_of_the_rubric_it_was_made_under(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    before = standing(case)
    assert before is not None
    first, vector = before.score.sec, before.rating.vector
    data = mes.STANDARD.as_data()
    data["metrics"][0]["levels"][3]["weight"] = 4
    row = rubrics.publish(
        cast.program, by=cast.lena, text=json.dumps(data), why="Our data is public.", seen=mes.STANDARD.version
    )
    assert row.version == "MES:1.0+wicket.1"
    case.refresh_from_db()
    still = standing(case)
    assert still is not None
    assert (still.rating.vector, still.score.sec) == (vector, first)
    again = severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS, why="By our own rubric.")
    assert again.vector.startswith("MES:1.0+wicket.1/")
    assert again.score.sec is not None
    assert again.score.sec < (first or 0)
    assert queue.rows([case])[0].score == again.score
    assert clocks.clocks(case), "the band of the deadlines is read from the log, whichever rubric it was"
