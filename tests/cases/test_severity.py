"""How bad it is: the measured part of the vector, reasons for the rest, and the word of two disciplines."""

from __future__ import annotations

import pytest

from manyeyes.cases import (
    reproduction,
    severity,
    signing,
    timeline,
    triage,
)
from manyeyes.cases.judgement import standing
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
