"""A stranger's bundle is scored again in another process: what comes back is small, checked, and ends in time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from manyeyes.runs import rescoring
from manyeyes.runs.bundle import Evidence, bundled
from manyeyes.runs.rescoring import NotScored, score_again
from tests.runs.test_bundle import KEY, evidence, files_of, packed, sometimes

LARGEST = 25 * 1024 * 1024


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return evidence("reproduce", sometimes, tmp_path_factory.mktemp("run"))


def again(data: bytes) -> Any:
    return score_again([data[:1000], data[1000:]], largest=LARGEST)


def test_an_honest_bundle_is_intact_and_identical(held: Evidence) -> None:
    found = again(bundled(held, KEY))
    assert (found.intact, found.identical) == (True, True)
    assert found.texts["verdict"] == found.texts["rescored"] == held.result["verdict"]
    assert found.texts["signer"] == KEY.fingerprint
    assert found.texts["reproducer_hash"] == held.document.reproducer_hash
    assert (found.numbers["n"], found.numbers["k"]) == (held.result["n"], held.result["k"])
    assert found.numbers["rated_n"] == 30
    assert found.trials == found.judged_again == len(held.trials)


def test_a_bettered_claim_is_found(held: Evidence) -> None:
    better = Evidence(document=held.document, trials=held.trials, result={**held.result, "k": held.result["n"]})
    found = again(bundled(better, KEY))
    assert found.intact
    assert not found.identical
    assert any(what.endswith("k") for what, _, _ in found.differences)


def test_a_changed_file_is_found(held: Evidence) -> None:
    files = files_of(bundled(held, KEY))
    files["verdict.json"] = files["verdict.json"].replace(b"reproduced", b"not_reprod")
    found = again(packed(files))
    assert not found.intact
    assert any("verdict.json" in one for one in found.problems)


@pytest.mark.parametrize("data", [b"x" * 40, b"PK\x03\x04" + bytes(200), b"\0" * 5000])
def test_what_is_no_bundle_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(NotScored, match="bundle"):
        again(data)


def test_one_that_is_too_large_is_not_read(held: Evidence) -> None:
    with pytest.raises(NotScored, match="at most 1000 are read"):
        score_again([bundled(held, KEY)], largest=1000)


def test_one_that_takes_too_long_is_ended(held: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescoring, "WALL", 0.05)
    with pytest.raises(NotScored, match="too long"):
        again(bundled(held, KEY))


def answer(**changes: Any) -> bytes:
    scored = {
        "intact": True, "identical": True, "trials": 1, "with_text": 1, "judged_again": 1,
        "by_machine": True, "texts": {}, "numbers": {},
        "problems": [], "differing": 0, "differences": [], **changes,
    }  # fmt: skip
    return json.dumps({"scored": scored}).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[]", b'{"scored": 3}', b"[" * 100_000, answer(trials=-1), answer(trials="3"), answer(trials=True),
        answer(numbers={"n": "many"}), answer(numbers={"n": 1e99}), answer(texts={"verdict": 3}),
        answer(differences=[["a"]]), answer(problems=[None]),
    ],
)  # fmt: skip
def test_a_strange_answer_of_the_process_is_not_believed(raw: bytes) -> None:
    with pytest.raises(NotScored, match="without an answer"):
        rescoring._believed(raw)


def test_texts_are_cut_and_made_fit_to_be_stored() -> None:
    found = rescoring._believed(answer(texts={"title": "a\x00\ud800" + "b" * 1000}, intact=1))
    assert found.texts["title"].startswith("a\\0?bb")
    assert len(found.texts["title"]) == rescoring.LONGEST
    assert not found.intact, "only true is true"


def test_nothing_is_written_to_disk(held: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    again(bundled(held, KEY))
    assert list(tmp_path.iterdir()) == []
