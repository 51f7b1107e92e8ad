"""A sender who signs what they changed: nothing that can be worked out again may differ unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manyeyes.runs.bundle import Evidence, bundled
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.rescore import verify_bundle
from manyeyes.runs.signing import SigningKey, load_or_make
from tests.commands.runs_on_record import finished


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return load_or_make(tmp_path_factory.mktemp("keys") / "key.pem")[0]


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return finished(tmp_path_factory.mktemp("runs") / "verify", "verify", 0.0)


def changed(evidence: Evidence, **entries: Any) -> Evidence:
    return replace(evidence, result={**evidence.result, **entries})


def by_hand(evidence: Evidence) -> Evidence:
    trials = [replace(one, origin="manual") if one.stream == "main" else one for one in evidence.trials]
    return replace(evidence, trials=trials)


def target(evidence: Evidence, **names: Any) -> Evidence:
    return changed(evidence, target={**evidence.result["target"], **names})


def check(evidence: Evidence, **names: Any) -> Evidence:
    row = {"name": "answer length", "passed": True, "detail": "fine", "consequence": "", "p_value": None, **names}
    rest = [one for one in evidence.result["checks"] if one["name"] != row["name"]]
    return changed(evidence, checks=[*rest, row])


def sends(evidence: Evidence, sent: str) -> Evidence:
    return replace(evidence, trials=[replace(one, sent=sent) for one in evidence.trials])


LIES: Mapping[str, tuple[Callable[[Evidence], Evidence], str]] = {
    "made by hand": (by_hand, "origin manual"),
    "by hand in the result": (lambda held: changed(held, origin="manual"), "origin runner"),
    "label": (lambda held: target(held, label="Postern 9"), "Postern 9"),
    "model": (lambda held: target(held, model="other"), "other"),
    "models seen": (lambda held: target(held, models_seen={"other": 40}), "40"),
    "more of a model": (
        lambda held: target(held, models_seen=dict.fromkeys(held.result["target"]["models_seen"], 500)),
        "models_seen",
    ),
    "nothing sent": (lambda held: sends(held, '{"messages":[]}'), "another request"),
    "no body": (lambda held: sends(held, ""), "another request"),
    "calls": (lambda held: changed(held, calls=1), "at least"),
    "tokens": (lambda held: changed(held, tokens={"in": -5, "out": 0}), "tokens.in"),
    "no bill": (lambda held: changed(held, tokens=[]), "tokens.out"),
    "a check that did not fail": (lambda held: check(held, name="seed"), "checks"),
    "a check in other words": (lambda held: check(held, consequence="none"), "consequence"),
    "a check that passed": (lambda held: check(held, passed=False), "passed"),
    "checks of another kind": (lambda held: changed(held, checks=7), "a result that can be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_lie_in_the_record_is_found(name: str, verified: Evidence, key: SigningKey) -> None:
    lie, said = LIES[name]
    report = verify_bundle(bundled(lie(verified), key))
    assert report.intact
    assert not report.identical
    assert any(said in f"{one.what} {one.on_record} {one.found}" for one in report.differences), report.differences


@pytest.mark.parametrize("texts", [True, False])
def test_the_truth_is_not(texts: bool, verified: Evidence, key: SigningKey) -> None:
    report = verify_bundle(bundled(verified, key, texts=texts))
    assert report.ok, report.differences


def test_a_round_without_trials_does_not_go_on_for_ever(tmp_path: Path, key: SigningKey) -> None:
    held = finished(tmp_path / "sweep", "sweep", 0.0)
    assert held.document.plan.sweep is not None
    rule = replace(held.document.plan.sweep, round=0)
    plan = replace(held, document=replace(held.document, plan=replace(held.document.plan, sweep=rule)))
    report = verify_bundle(bundled(plan, key))
    assert "a round has no trial" in str(report.differences)


def test_settings_that_are_no_numbers_are_a_difference(verified: Evidence, key: SigningKey) -> None:
    def with_text(document: PlanDocument) -> PlanDocument:
        rows = {name: replace(row, params={"max_tokens": "x"}) for name, row in document.requests.items()}
        return replace(document, requests=rows)

    report = verify_bundle(bundled(replace(verified, document=with_text(verified.document)), key))
    assert not report.identical
    assert "settings that can be read" in str(report.differences)


def test_computing_ends_in_time(
    verified: Evidence,
    key: SigningKey,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from manyeyes.cli import main
    from manyeyes.runs import rescore

    def endless(*_: object) -> Iterator[None]:
        while True:
            pass

    file = tmp_path / "evidence.zip"
    file.write_bytes(bundled(verified, key))
    assert main(["verify-bundle", str(file), "--seconds", "60"]) == 0
    monkeypatch.setattr(rescore, "_fed", endless)
    assert main(["verify-bundle", str(file), "--seconds", "1"]) == 2
    assert "takes more than 1 s of computing" in capsys.readouterr().err
