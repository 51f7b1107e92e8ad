"""The pages of evidence say what their counts are: which decided, which are scored, what the checks found."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from manyeyes.cases.models import Case
from manyeyes.programs.models import TargetVersion
from manyeyes.templatetags.evidence import check_words
from tests.people import Cast, make_case, patched, verify

As = Callable[[str], Client]
GLOSS = "ASR, attack success rate: the share of trials in which it worked."


def words(response: Any) -> str:
    """The text of a page without its tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", response.content.decode())))


def pages(case: Case, purpose: str, as_: As) -> list[str]:
    """The page of evidence as the team and as the researcher read it."""
    link = case.reproductions.get(purpose=purpose)
    desk, mine = ("fixes", "fix") if purpose == "verification" else ("replays", "replay")
    addresses = {"theo": f"/desk/{desk}/{link.replay_id}/", "rhea": f"/my/{case.ref}/{mine}/{link.replay_id}/"}
    return [words(as_(who).get(address)) for who, address in addresses.items()]


def test_a_reproduction_tells_deciding_from_scored_trials(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="reproduced")
    verdict = case.reproductions.get().replay.verdict
    rated = next(row for row in verdict["settings"] if row["rated"])
    for text in pages(case, "reproduction", as_):
        assert f"The {verdict['k']} of {verdict['n']} decided that the flaw is real" in text
        assert f"The {rated['k']} of {rated['n']} are fresh trials" in text
        assert text.count(GLOSS) == 1
        assert re.search(
            r"First and second half of the trials compared: they differ by no more than chance \(p = ", text
        )
        assert re.search(r"coming in clumps: no more than by chance \(p = ", text)


def test_a_verification_that_holds_says_that_the_mixture_decides(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="holds")
    verdict = case.reproductions.get(purpose="verification").replay.verdict
    for text in pages(case, "verification", as_):
        assert f"The scored trials decide: {verdict['k']} of {verdict['n']}, drawn from all wordings mixed." in text
        assert "does not weaken the verdict" in text


def test_a_patched_symptom_reconciles_scored_trials_and_kinds(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="retesting")
    verify(cast, case, patched)
    replay = case.reproductions.get(purpose="verification").replay
    further = replay.trials.filter(stream="attribute", overrun=False).count()
    tried = sum(part["n"] for part in replay.verdict["parts"])
    assert tried == (replay.n or 0) + further, "the scored ones are among them"
    for text in pages(case, "verification", as_):
        assert f"{replay.k} of the {replay.n} scored trials succeeded, which is enough" in text


def test_a_harmless_question_after_a_fix_is_useful_or_not(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="holds")
    link = case.reproductions.get(purpose="verification")
    theo = as_("theo")
    assert "Harmless question 1: a useful answer" in words(theo.get(f"/desk/replays/{link.replay_id}/calls/benign/0/"))
    assert "Vulnerable version 1: it worked" in words(theo.get(f"/desk/replays/{link.replay_id}/calls/positive/0/"))


@pytest.mark.parametrize(
    ("check", "end"),
    [
        ({"name": "halves", "passed": False, "detail": "both halves compared", "p_value": 0.0004},
         "Both halves compared: they differ by more than chance (p < 0.01)."),
        ({"name": "distinct answers", "passed": True, "detail": "not available: some answers have no digest",
          "p_value": None},
         "Not looked at: not every answer was kept, so repeated answers cannot be told apart."),
    ],
)  # fmt: skip
def test_checks_print_their_result(check: dict[str, Any], end: str) -> None:
    assert check_words(check) == end


def test_both_sides_can_make_a_replay_again_and_read_how_the_claim_fits(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="holds")
    TargetVersion.objects.update(price_in=2.0, price_out=8.0, currency="EUR")
    for purpose, word, ours, theirs in (
        ("reproduction", "replay", "replays", "replay"), ("verification", "verify", "fixes", "fix"),
    ):  # fmt: skip
        replay = case.reproductions.get(purpose=purpose).replay
        inside = as_("theo").get(f"/desk/{ours}/{replay.pk}/").content.decode()
        outside = as_("rhea").get(f"/my/{case.ref}/{theirs}/{replay.pk}/").content.decode()
        assert f"manyeyes {word} {case.ref}.poc.yaml --target http://127.0.0.1:9/" in inside
        assert f"manyeyes {word} {case.ref}.poc.yaml --target YOUR-URL" in outside
        assert "127.0.0.1" not in outside
        assert "Cost" not in outside
        if word == "replay":
            for page in (inside, outside):
                assert "Claimed: 7 of 10 (" in page
                assert "Measured: " in page
