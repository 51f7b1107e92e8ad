"""`verify --paraphrase`: a model is asked once, before the plan, and never again for the same run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from manyeyes.commands import rewording
from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Reply, Request, TargetError
from tests.cli.test_commands import finding, model, told

__all__ = ["finding"]


class Rewriter:
    """A model that words the request otherwise at each call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: list[Request] = []
        self.opened: list[Any] = []
        self.broken = False
        monkeypatch.setattr(rewording, "open_target", self._open)

    def _open(self, info: Any, **how: Any) -> Scripted:
        self.opened.append((info.url, info.model, how["key"]))
        return Scripted(self._answer)

    def _answer(self, request: Request) -> Reply:
        if self.broken:
            raise TargetError("no such model", retryable=False)
        self.shown.append(request)
        return Reply(text=f"Way {len(self.shown)} to ask for the code.", tokens_in=9, tokens_out=5)


@pytest.fixture
def rewriter(monkeypatch: pytest.MonkeyPatch) -> Rewriter:
    return Rewriter(monkeypatch)


def test_the_wordings_are_made_once_and_the_run_goes_on_with_them(
    rewriter: Rewriter,
    finding: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REWRITER_KEY", "k-1")
    with model(1.0) as server:
        words = [
            "verify",
            finding,
            "--target",
            server.url,
            "--model",
            "m",
            "--out",
            str(tmp_path / "run"),
            "--tau",
            "0.2",
        ]
        words += ["--seed", "5", "--per-family", "1", "--paraphrase", "http://127.0.0.1:9", "--paraphrases", "2"]
        words += ["--paraphrase-model", "rewriter-1", "--paraphrase-key-env", "REWRITER_KEY", "--positive-model", "old"]
        _, data, err = told(capsys, *words, "--json", "--max-calls", "3")
        assert data["error"]["kind"] == "budget"
        assert rewriter.opened == [("http://127.0.0.1:9", "rewriter-1", "k-1")]
        assert len(rewriter.shown) == 2
        assert "2 wordings by rewriter-1 in 2 calls" in err
        assert "http://127.0.0.1:9 was shown the reported wording" in err
        code, data, _ = told(capsys, *words, "--json")
    assert len(rewriter.shown) == 2
    assert code in (0, 1, 3)
    plan = json.loads((tmp_path / "run" / "plan.json").read_bytes())
    made = [row["messages"][-1]["content"] for row in plan["requests"].values() if row["part"] == "paraphrase-model"]
    assert made == ["Way 1 to ask for the code.", "Way 2 to ask for the code."]
    assert any(row["name"] == "paraphrases" for row in data["checks"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--paraphrase-model", "x"], "--paraphrase: name the address"),
        (["--paraphrase", "http://127.0.0.1:9", "--paraphrase-key-env", "NO_SUCH_KEY"], "NO_SUCH_KEY is not set"),
        (["--paraphrase", "http://127.0.0.1:9"], "--paraphrase: no such model"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_made(
    options: list[str], said: str, rewriter: Rewriter, finding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewriter.broken = True
    words = ["verify", finding, "--target", "http://127.0.0.1:9", "--positive-model", "o", "--out", str(tmp_path / "r")]
    code, data, _ = told(capsys, *words, *options, "--json")
    assert code == 2
    assert said in data["error"]["message"]
    assert not (tmp_path / "r").exists()
