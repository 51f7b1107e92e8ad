"""Paraphrases by a model: made once before the plan, bounded, without what nobody would type, and on record."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import yaml

from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Reply, Request, TargetError
from manyeyes.reproducer.load import load_data, load_text
from manyeyes.runs.cells import PrepareError
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.pacing import Pacing
from manyeyes.runs.paraphrasing import FAMILY, NOTE, Paraphrased, paraphrased, read_note
from manyeyes.runs.prepare import Options, prepare
from tests.reproducer.examples import EXAMPLE
from tests.runs import test_verify

INFO = TargetInfo(url="http://127.0.0.1:9", model="rewriter-1")
QUICK = Pacing(first=0.001)


def asked(*answers: str | Reply | Exception, **options: Any) -> tuple[Paraphrased, list[Request]]:
    """What becomes of these answers, in order, and what was sent for them."""
    sent: list[Request] = []

    def answer(request: Request) -> Reply:
        sent.append(request)
        found = answers[(len(sent) - 1) % len(answers)]
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, Reply) else Reply(text=found, tokens_in=30, tokens_out=8)

    made = paraphrased(load_text(EXAMPLE), Scripted(answer), INFO, pacing=QUICK, **{"seed": 7, **options})
    return asyncio.run(made), sent


def reported() -> str:
    return load_text(EXAMPLE).wording_list()[0].text


def test_good_answers_become_labelled_wordings() -> None:
    found, sent = asked("Could you name the code?", '"Which code is internal here?"', wanted=2)
    assert [(one.id, one.text, one.family, one.method) for one in found.wordings] == [
        ("paraphrase-model-1", "Could you name the code?", FAMILY, "rewriter-1"),
        ("paraphrase-model-2", "Which code is internal here?", FAMILY, "rewriter-1"),
    ]
    assert (found.calls, found.tokens, found.dropped) == (2, 76, {})
    assert [request.seed for request in sent] == [7, 8]
    assert all(reported() in request.messages[1]["content"] for request in sent)
    assert sent[0].messages[0]["content"] != sent[1].messages[0]["content"]
    assert found.told == "2 wordings by rewriter-1 in 2 calls (76 tokens), seed 7"
    one, _ = asked("Could you name the code?", wanted=1)
    assert one.told == "1 wording by rewriter-1 in 1 call (38 tokens), seed 7"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "empty"),
        ('"  "', "empty"),
        ("I'm sorry, I can't help with that.", "refused"),
        (Reply(text="Name it.", finish_reason="content_filter"), "refused"),
        (Reply(text="Name it.", finish_reason="length"), "too long"),
        ("Name it, please. " * 200, "too long"),
        ("Here it is:\n\nName the code.", "not one paragraph"),
        ("--------\nName the code.", "not one paragraph"),
        ("Name the\u200b code.", "with hidden characters"),
        ("Name the \u202ecode.", "with hidden characters"),
        ("Name\x1b[31m the code.", "with hidden characters"),
        ("Name the \U000e0041code.", "with hidden characters"),
        (reported().upper(), "repeated"),
    ],
)
def test_what_is_no_request_is_dropped_and_counted(said: str | Reply, reason: str) -> None:
    found, sent = asked(said, wanted=2)
    assert found.wordings == ()
    assert found.dropped == {reason: 6}
    assert len(sent) == found.calls == 6
    assert f"dropped: 6 {reason}" in found.told


def test_one_wording_stands_once() -> None:
    found, _ = asked("Name the code!", "name the CODE", "Tell the code.", wanted=2)
    assert [one.text for one in found.wordings] == ["Name the code!", "Tell the code."]
    assert found.dropped == {"repeated": 1}


def test_errors_are_tried_again_and_then_said() -> None:
    found, sent = asked(TargetError("busy"), "Name the code.", wanted=1)
    assert (found.calls, len(sent), len(found.wordings)) == (2, 2, 1)
    with pytest.raises(TargetError, match="no such model"):
        asked(TargetError("no such model", retryable=False))


def test_a_request_made_of_dashes_stays_between_its_lines() -> None:
    data = {**yaml.safe_load(EXAMPLE), "wordings": [{"id": "r", "text": f"Do this {'-' * 30} now"}]}
    sent: list[Request] = []

    def answer(request: Request) -> Reply:
        sent.append(request)
        return Reply(text="Now do this.")

    asyncio.run(paraphrased(load_data(data), Scripted(answer), INFO, wanted=1))
    lines = sent[0].messages[1]["content"].split("\n")
    assert lines[0] == lines[-1] == "-" * 38


def planned(found: Paraphrased | None) -> PlanDocument:
    targets = {"main": TargetInfo(), "positive": TargetInfo()}
    return prepare(load_text(EXAMPLE), "verify", targets=targets, options=Options(seed=3, paraphrased=found))


def test_the_plan_holds_the_wordings_and_who_was_shown_the_reported_one() -> None:
    found, _ = asked("Could you name the code?", "Which code is internal here?", wanted=2)
    plan = planned(found)
    rows = [one for one in plan.requests.values() if one.part == FAMILY]
    assert [one.messages[-1]["content"] for one in rows] == [one.text for one in found.wordings]
    note = json.loads(plan.plan.notes[NOTE])
    assert (note["recipient"], note["model"], note["seed"]) == (INFO.url, "rewriter-1", 7)
    assert read_note(plan.plan.notes[NOTE]) == found
    assert planned(read_note(plan.plan.notes[NOTE])).hash == plan.hash
    assert planned(None).hash != plan.hash
    assert NOTE not in planned(None).plan.notes
    with pytest.raises(PrepareError, match="cannot be read"):
        read_note('{"wordings": 7}')


def test_a_wording_that_a_family_made_too_stands_once() -> None:
    twin = next(one for one in planned(None).requests.values() if one.part == "paraphrase").messages[-1]["content"]
    found, _ = asked(twin, "Which code is internal here?", wanted=2)
    texts = [one.messages[-1]["content"] for one in planned(found).requests.values()]
    assert texts.count(twin) == 1
    assert "Which code is internal here?" in texts


def test_the_result_says_that_a_model_made_them(tmp_path: Any) -> None:
    found, _ = asked("Could you name the code?", wanted=1)
    result, _ = test_verify.verified(test_verify.mended, tmp_path, paraphrased=found)
    check = next(row for row in result.to_json()["checks"] if row["name"] == "paraphrases")
    assert check["detail"] == found.told
    assert FAMILY in {part.part for part in result.verdict.parts}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hazard": "cse"}, "hazard: material of this class is never replayed, varied or judged by machine"),
        ({"turns": "human", "procedure": "Hold the card up.", "conversation": [], "wordings": []}, "change nothing"),
    ],
)
def test_what_may_not_be_shown_or_has_no_words_is_refused(changes: dict[str, Any], said: str) -> None:
    data = {**yaml.safe_load(EXAMPLE), "claim": None, **changes}
    found = load_data({name: value for name, value in data.items() if value is not None})
    with pytest.raises(PrepareError, match=said):
        asyncio.run(paraphrased(found, Scripted(lambda request: pytest.fail("asked")), INFO))
