"""`bundle` and `verify-bundle` as a stranger meets them: exit codes, one object, words, files for their owner only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from manyeyes.cli import main
from tests.cli.test_commands import model
from tests.commands.runs_on_record import REPRODUCER, finished
from tests.runs.test_bundle import files_of, flipped, packed


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    place = tmp_path_factory.mktemp("run")
    finished(place, "reproduce", 0.5)
    return place


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A configuration folder of our own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    code = main([*words, "--json"])
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    return code, json.loads(out), err


def test_from_run_to_bundle_to_check(
    made: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "evidence.zip"
    code, said, err = told(capsys, "bundle", str(made), "--bundle", str(file))
    assert code == 0
    key = home / "manyeyes" / "signing-key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    assert f"made the signing key {key}" in err
    assert said["signer"] in err
    code, report, _ = told(capsys, "verify-bundle", str(file), "--signer", said["signer"])
    assert code == 0
    assert report["ok"]
    assert report["verdict"] == report["rescored"] == "reproduced"
    assert report["judged_again"] == report["trials"] == said["trials"]
    assert main(["verify-bundle", str(file)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("INTACT: nothing was changed since it was signed by")
    assert "IDENTICAL: the record says 'reproduced'" in out
    assert "a key that nobody vouched for" in out
    assert "\u202e" not in out


def test_what_was_changed_exits_with_one(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "evidence.zip"
    assert main(["bundle", str(made), "--bundle", str(file), "--no-texts"]) == 0
    assert "without the target's texts" in capsys.readouterr().err
    assert b"BLUE-HERON-42. <" not in file.read_bytes()
    file.write_bytes(packed(flipped(file.read_bytes())))
    code, report, _ = told(capsys, "verify-bundle", str(file))
    assert code == 1
    assert not report["intact"]
    assert not report["identical"]
    assert main(["verify-bundle", str(file)]) == 1
    out = capsys.readouterr().out
    assert "NOT INTACT: do not rely on this bundle." in out
    assert "trials.jsonl: was changed after the bundle was made" in out


def test_a_different_signer_is_told(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "evidence.zip"
    assert main(["bundle", str(made), "--bundle", str(file)]) == 0
    other = tmp_path / "other.pem"
    assert main(["bundle", str(made), "--bundle", str(tmp_path / "b.zip"), "--signing-key", str(other)]) == 0
    capsys.readouterr()
    _, report, _ = told(capsys, "verify-bundle", str(tmp_path / "b.zip"))
    code, report, _ = told(capsys, "verify-bundle", str(file), "--signer", report["signer"])
    assert code == 1
    assert report["identical"]
    assert "not by the expected" in report["problems"][0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bundle", "{tmp}"], "holds no run"),
        (["bundle", "{run}", "--bundle", "{tmp}"], "is a directory; name a file"),
        (["bundle", "{run}", "--bundle", "{tmp}/no/where.zip"], "there is no directory"),
        (["bundle", "{run}", "--signing-key", "{run}/plan.json"], "--signing-key: "),
        (["verify-bundle", "{tmp}/nothing.zip"], "No such file"),
        (["verify-bundle", "{run}/plan.json"], "not an evidence bundle"),
        (["verify-bundle", "{run}/plan.json", "--signer", "abc"], "--signer: give a fingerprint of 32"),
    ],
)
def test_what_cannot_be_done_is_said(
    words: list[str], said: str, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, data, err = told(capsys, *(word.format(tmp=tmp_path, run=made) for word in words))
    assert code == 2
    assert said in data["error"]["message"]
    assert said in err


def test_words_of_a_bundle_cannot_move_the_cursor(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "evidence.zip"
    assert main(["bundle", str(made), "--bundle", str(file)]) == 0
    files = files_of(file.read_bytes())
    result = {**json.loads(files["verdict.json"]), "verdict": "holds\x1b[2J\u202e"}
    file.write_bytes(packed({**files, "verdict.json": json.dumps(result).encode()}))
    capsys.readouterr()
    assert main(["verify-bundle", str(file)]) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.process
def test_the_command_that_was_typed_goes_along_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finding, run = tmp_path / "finding.poc.yaml", tmp_path / "run"
    finding.write_text(REPRODUCER)
    monkeypatch.setenv("OUR_KEY", "sk-very-secret")
    with model(1.0) as server:
        words = ["replay", str(finding), "--target", server.url, "--key-env", "OUR_KEY", "--seed", "5", "--no-score"]
        words += ["--no-control", "--out", str(run), "--bundle", str(tmp_path / "a.zip"), "--cap", "20"]
        assert main(words) == 0
    assert main(["bundle", str(run), "--bundle", str(tmp_path / "b.zip")]) == 0
    assert (run / "command.txt").stat().st_mode & 0o777 == 0o600
    typed = f"manyeyes replay finding.poc.yaml --target {server.url} --cap 20 --no-control --no-score --seed 5"
    for name in ("a.zip", "b.zip"):
        said = json.loads(files_of((tmp_path / name).read_bytes())["environment.json"])["command"]
        assert sorted(said.split()) == sorted(typed.split())
        assert not any(secret in said for secret in ("OUR_KEY", "sk-very-secret", str(tmp_path)))
    capsys.readouterr()
    assert main(["verify-bundle", str(tmp_path / "a.zip")]) == 0
    assert "The maker says to have typed: manyeyes replay finding.poc.yaml --" in capsys.readouterr().out
