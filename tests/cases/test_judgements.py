"""What others make of a rating: codes, the researcher's word, new evidence, and raters who did not see each other."""

from __future__ import annotations

import json

import pytest

from manyeyes import events
from manyeyes.cases import codes, disputes, raters, rescoring, severity, timeline
from manyeyes.cases.facts import newest_rating
from manyeyes.cases.models import Case
from manyeyes.programs import editions, rubrics
from manyeyes.rules import mes
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotAllowed
from manyeyes.rules.rubric import text_of
from tests.people import LETTERS, REASONS, SECRET, Cast, make_case, reproduce, submit

OWN_LIST = {
    "manyeyes": "taxonomy/1", "catalogue": "cwe", "name": "CWE", "edition": "4.30", "licence": "as CWE",
    "source": "cwe.mitre.org", "entries": [{"code": "CWE-1427", "name": "Prompting"}, {"code": "CWE-9", "name": "New"}],
}  # fmt: skip


def test_codes_are_suggested_chosen_and_kept_with_their_edition(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    offered = [row.code for row in codes.suggestions(case)]
    assert "LLM08:2026" in offered
    assert all(row.name for row in codes.suggestions(case))
    put = codes.put(case, by=cast.theo, codes=["LLM08:2026", "CWE-200:4.20", "LLM08:2026"])
    assert [(row.code, row.name) for row in put][1] == ("LLM08:2026", "Hidden Context Exposure")
    assert "LLM08:2026" not in [row.code for row in codes.suggestions(case)]
    for wrong in (["LLM08"], ["LLM08:1999"], ["CWE-200:4.20"], []):
        with pytest.raises(Invalid):
            codes.put(case, by=cast.theo, codes=wrong)
    with pytest.raises(NotAllowed):
        codes.put(case, by=cast.rhea, codes=["CWE-522:4.20"])
    assert [row.code for row in codes.take_off(case, by=cast.mina, code="CWE-200:4.20")] == ["LLM08:2026"]
    with pytest.raises(Invalid):
        codes.take_off(case, by=cast.mina, code="CWE-200:4.20")
    kinds = [event.kind for event in events.log(case.subject)]
    assert kinds.count("codes.put") == kinds.count("codes.taken_off") == 1
    assert not [entry for entry in timeline.entries(case, cast.rhea) if entry.kind.startswith("codes.")]


def test_a_newer_edition_is_offered_and_an_old_code_keeps_its_meaning(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    codes.put(case, by=cast.theo, codes=["CWE-1427:4.20"])
    editions.load(json.dumps(OWN_LIST))
    assert editions.load(json.dumps(OWN_LIST)).edition == "4.30", "the same again changes nothing"
    assert {row.edition for row in editions.newest() if row.catalogue == "cwe"} == {"4.30"}
    names = {row.code: row.name for row in codes.put(case, by=cast.theo, codes=["CWE-1427:4.30"])}
    assert names == {
        "CWE-1427:4.20": "Improper Neutralization of Input Used for LLM Prompting", "CWE-1427:4.30": "Prompting",
    }  # fmt: skip
    with pytest.raises(Conflict):
        editions.load(json.dumps({**OWN_LIST, "entries": OWN_LIST["entries"][:1]}))
    with pytest.raises(Conflict):
        editions.load(json.dumps({**OWN_LIST, "edition": "4.20"}))
    with pytest.raises(Invalid):
        editions.load("{}")


def test_the_researchers_own_rating_is_kept(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    first = disputes.say_own(case, by=cast.rhea, band="High", why="It opens accounts.")
    assert disputes.own(case) == first
    vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"
    second = disputes.say_own(case, by=cast.rhea, band="Critical", vector=vector)
    assert (disputes.own(case), second.vector, case.own_ratings.count()) == (second, vector, 2)
    own = f"MES:1.0/{'/'.join(f'{code}:{letter}' for code, letter in LETTERS.items())}/OB:X/RB:1"
    assert disputes.say_own(case, by=cast.rhea, band="High", vector=own).vector == own
    for band, wrong in (
        ("Enormous", ""),
        ("High", "CVSS:4.0/AV:Z"),
        ("High", "MES:1.0/DX:Z"),
        ("High", "about a nine"),
    ):
        with pytest.raises(Invalid):
            disputes.say_own(case, by=cast.rhea, band=band, vector=wrong)
    with pytest.raises(NotAllowed):
        disputes.say_own(case, by=cast.theo, band="Low")


def test_a_report_says_how_severe_it_is_to_its_sender(cast: Cast) -> None:
    vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"
    for band, said, kept in (
        ("High", vector, (vector, None)),
        ("None", "CVSS:3.1/AV:N", ("", "CVSS:3.1/AV:N")),
        ("Low", "", ("", None)),
    ):
        row = disputes.own(submit(cast, own_band=band, own_why=said))
        assert row is not None
        assert (row.band, (row.vector, row.why), row.by) == (band, kept, cast.rhea)
    case = submit(cast, own_band="High", own_why=SECRET)
    entries = [entry.kind for entry in timeline.entries(case, cast.rhea)]
    assert entries.count("rating.own") == 1
    assert ("How severe to you", "High") in [(row["name"], row["value"]) for row in case.reports.get().readings]
    bare = submit(cast)
    assert disputes.own(bare) is None
    assert "rating.own" not in [entry.kind for entry in timeline.entries(bare, cast.rhea)]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"own_band": "Enormous"}, {"own_band"}),
        ({"own_why": "about a nine"}, {"own_band"}),
        ({"own_band": "High", "own_why": "x" * 201}, {"own_why"}),
    ],
)
def test_a_rating_that_cannot_be_kept_is_refused_in_words(given: dict[str, str], wrong: set[str], cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        submit(cast, **given)
    assert set(refused.value.fields) == wrong


def test_a_word_against_a_rating_is_answered_by_another_with_a_reason(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    with pytest.raises(IllegalMove):
        disputes.dispute(case, by=cast.rhea, text="It is worse.")
    case = make_case(cast, at="confirmed")
    rater = newest_rating(case).by
    with pytest.raises(NotAllowed):
        disputes.dispute(case, by=cast.eve, text="It is worse.")
    row = disputes.dispute(case, by=cast.rhea, text="It opens every account, not one.")
    assert disputes.waiting(case) == row
    with pytest.raises(Conflict):
        disputes.dispute(case, by=cast.rhea, text="And another thing.")
    with pytest.raises(NotAllowed):
        disputes.answer(row, by=rater, text="No.", will_change=False)
    other = cast.mina if rater == cast.theo else cast.theo
    with pytest.raises(Invalid):
        disputes.answer(row, by=other, text=" ", will_change=True)
    disputes.answer(row, by=other, text="We looked: the code opens one account.", will_change=False)
    assert disputes.waiting(case) is None
    assert disputes.said(case)[0].answer == "We looked: the code opens one account."
    with pytest.raises(Conflict):
        disputes.answer(row, by=other, text="Again.", will_change=True)
    kinds = [entry.kind for entry in timeline.entries(case, cast.rhea)]
    assert "rating.disputed" in kinds
    assert "dispute.answered" in kinds
    disputes.dispute(case, by=cast.rhea, text="Then look at the second account.")


def test_new_evidence_proposes_and_never_changes(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS)
    was = newest_rating(case)
    assert "/OB:X/" in was.vector
    case = _reproduced(cast, case)
    (row,) = rescoring.waiting(case)
    assert newest_rating(case).pk == was.pk, "a proposal is no rating"
    assert row.score.sec is not None
    assert rescoring.propose(case.reproductions.get()) is None, "once for each replay"
    with pytest.raises(Invalid):
        rescoring.decide(row, by=cast.mina, accept=True, why="")
    with pytest.raises(NotAllowed):
        rescoring.decide(row, by=cast.olga, accept=True, why="Counted.")
    new = rescoring.decide(row, by=cast.mina, accept=True, why="It was counted.")
    assert new is not None
    assert (new.vector, new.by, new.why, new.replay_id) == (row.vector, cast.mina, "It was counted.", row.replay_id)
    assert new.reasons == was.reasons
    assert rescoring.waiting(case) == []
    with pytest.raises(Conflict):
        rescoring.decide(row, by=cast.theo, accept=False, why="No.")
    assert "rescoring.proposed" not in [entry.kind for entry in timeline.entries(case, cast.rhea)]


def test_a_declined_proposal_leaves_the_rating_and_stays_on_record(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS)
    case = _reproduced(cast, case)
    (row,) = rescoring.waiting(case)
    assert rescoring.decide(row, by=cast.theo, accept=False, why="The target was restarted in between.") is None
    assert (rescoring.waiting(case), newest_rating(case).vector[-9:]) == ([], "OB:X/RB:3")
    row.refresh_from_db()
    assert (row.accepted, row.why) == (False, "The target was restarted in between.")


def test_a_proposal_about_an_older_rating_is_moot(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS)
    case = _reproduced(cast, case)
    (row,) = rescoring.waiting(case)
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS, why="Rated by hand.")
    assert rescoring.waiting(case) == []
    with pytest.raises(Conflict):
        rescoring.decide(row, by=cast.theo, accept=True, why="Late.")


def _reproduced(cast: Cast, case: Case) -> Case:
    """The case of `make_case` taken on by a replay that reproduced it."""
    reproduce(cast, case)
    case.refresh_from_db()
    return case


def test_raters_who_did_not_see_each_other_are_compared(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    raters.rate_blind(case, by=cast.mina, letters={**LETTERS, "DX": "M"})
    assert raters.has_rated(case, cast.mina)
    with pytest.raises(Conflict):
        raters.rate_blind(case, by=cast.mina, letters=LETTERS)
    with pytest.raises(Invalid) as refused:
        raters.rate_blind(case, by=cast.theo, letters={**LETTERS, "DX": ""})
    assert set(refused.value.fields) == {"DX"}
    with pytest.raises(NotAllowed):
        raters.rate_blind(case, by=cast.olga, letters=LETTERS)
    assert raters.agreed(cast.program).cases == 0
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS)
    with pytest.raises(IllegalMove):
        raters.rate_blind(case, by=cast.lena, letters=LETTERS)
    found = raters.agreed(cast.program)
    assert (found.cases, found.ratings, found.raters) == (1, 2, 2)
    told = {row.code: (row.same, row.pairs) for row in found.metrics}
    assert (told["DX"], told["AX"]) == ((0, 1), (1, 1))
    assert (found.band.same, found.band.pairs) == (0, 1)
    assert not [entry for entry in timeline.entries(case, cast.theo) if "vector" in str(entry.words)]


def test_a_program_edits_its_rubric_in_versions(cast: Cast) -> None:
    data = mes.STANDARD.as_data()
    data["metrics"][0]["levels"][3]["weight"] = 8
    text, seen = json.dumps(data), mes.STANDARD.version
    publish = {"text": text, "why": "Our data is public.", "seen": seen}
    with pytest.raises(NotAllowed):
        rubrics.publish(cast.program, by=cast.theo, **publish)
    for change, field in (
        ({"why": " "}, "why"),
        ({"text": "{"}, "rubric"),
        ({"text": "[]"}, "rubric"),
        ({"text": " " * 70_000}, "rubric"),
        ({"text": text_of(mes.STANDARD)}, "rubric"),
        ({"text": json.dumps({**data, "serious": 40})}, "rubric"),
    ):
        with pytest.raises(Invalid) as refused:
            rubrics.publish(cast.program, by=cast.lena, **{**publish, **change})
        assert set(refused.value.fields) == {field}
    row = rubrics.publish(cast.program, by=cast.lena, **publish)
    assert (row.version, row.rubric.based_on) == ("MES:1.0+wicket.1", "MES:1.0")
    with pytest.raises(Conflict):
        rubrics.publish(cast.program, by=cast.lena, **publish)
    row.why = "Changed."
    with pytest.raises(Conflict):
        row.save()
    second = rubrics.publish(cast.program, by=cast.lena, text=text_of(mes.STANDARD), why="Back.", seen=row.version)
    assert [name for name, _, _ in rubrics.versions(cast.program)] == [second.version, row.version, seen]
    assert rubrics.named(cast.program, seen) == mes.STANDARD
