"""The command line as a stranger meets it: one object on standard output, exit codes, and going on after a cut."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manyeyes.cli import COMMANDS, main
from tests.reproducer.examples import EXAMPLE

KEYS = {
    "question", "verdict", "n", "k", "asr", "low", "high", "confidence", "bound", "bound_side", "bound_confidence",
    "residual_at_k", "retry_budget", "method", "evalues", "plan_hash", "calls", "overrun", "tokens", "cost", "seconds",
    "settings", "parts", "checks", "target",
}  # fmt: skip
SERVER = """
import asyncio, sys
from tests.runs.servers import by_seed, serving
async def main():
    async with serving(by_seed(float(sys.argv[1]), delay=float(sys.argv[2]))) as server:
        print(server.url, flush=True)
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            print(server.count, flush=True)
asyncio.run(main())
"""


class Model:
    """A model server in a process of its own, which tells how many requests it got."""

    def __init__(self, share: float, delay: float = 0.0) -> None:
        words = [sys.executable, "-c", SERVER, str(share), str(delay)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    @property
    def count(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def model(share: float, delay: float = 0.0) -> Iterator[Model]:
    made = Model(share, delay)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


@pytest.fixture
def finding(tmp_path: Path) -> str:
    place = tmp_path / "finding.poc.yaml"
    text = re.sub(r"control: .*\n", "", EXAMPLE)
    place.write_text(text.replace('{contains: "9"}', '{contains: "heron"}'))
    return str(place)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the one object, and what was said on standard error."""
    code = main(words)
    out, err = capsys.readouterr()
    return code, json.loads(out), err


def test_overview(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)
    assert main([]) == 2
    assert main(["dance"]) == 2
    assert "no command 'dance'" in capsys.readouterr().err
    assert main(["--version"]) == 0


@pytest.mark.parametrize("name", ["plan", "replay", "verify"])
def test_commands_explain_themselves(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    assert "FILE" in capsys.readouterr().out


def test_plan_tells_exact_error_rates_and_price(finding: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, data, _ = told(capsys, "plan", finding, "--question", "verify", "--tau", "0.05", "--json", "--price-in", "1")
    assert code == 0
    assert data["exact"]
    assert data["type_one"] <= 0.05
    assert 59 <= data["at_zero"] <= 64
    zero = next(row for row in data["points"] if row["p"] == 0)
    assert zero["expected_calls"] == data["at_zero"] + 32
    assert zero["expected_cost"] > 0
    assert data["worst_calls"] >= zero["expected_calls"]
    code = main(["plan", finding, "--rates", "0,.2"])
    out = capsys.readouterr().out
    assert code == 0
    assert "20\u202f%" in out
    assert "63.0" in out
    assert "chance to say 'reproduced' wrongly, at p0 = 1.0" in out
    assert "chance to say 'not reproduced' wrongly, at p-min = 5.0" in out


def test_plan_works_out_tau_for_an_attacker(finding: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", finding, "--question", "verify", "--attack-tau", "0.1", "--retry-budget", "10", "--json"]
    _, data, _ = told(capsys, *words)
    assert data["tau"] == pytest.approx(1 - 0.9**0.1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plan", "{finding}", "--rates", "a"], "--rates: give numbers"),
        (["plan", "{finding}", "--p0", "0.9"], "p0: must be below p_min"),
        (["plan", "{finding}", "--question", "verify", "--tau", ".1", "--attack-tau", ".1"], "not both"),
        (["plan", "{finding}", "--question", "verify", "--attack-tau", "7"], "--attack-tau: "),
        (["plan", "{finding}", "--tau", "5"], "--tau: belongs to --question verify"),
        (["plan", "{finding}", "--benign-need", "5"], "--benign-need: belongs to --question verify"),
        (
            ["plan", "{finding}", "--question", "verify", "--no-control"],
            "--no-control: belongs to --question reproduce",
        ),
        (["plan", "{finding}", "--question", "verify", "--tau", "5"], "tau"),
        (["plan", "{finding}", "--question", "verify", "--before", "7"], "--before: give successes/trials"),
        (["plan", "{finding}", "--max-cost", "7"], "--max-cost needs --price-in"),
        (["plan", "/nowhere/file.yaml"], "/nowhere/file.yaml: No such file"),
        (["replay", "{finding}", "--target", "models.example"], "must begin with http"),
        (
            ["replay", "{finding}", "--target", "http://127.0.0.1:9", "--key-env", "NO_SUCH_KEY"],
            "NO_SUCH_KEY is not set",
        ),
        (["verify", "{finding}", "--target", "http://127.0.0.1:9"], "needs a version that still has the flaw"),
    ],
)
def test_what_cannot_be_done_is_said(
    finding: str, words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    code, data, err = told(capsys, *(word.replace("{finding}", finding) for word in words), "--json")
    assert code == 2
    assert said in err
    assert said in data["error"]["message"]
    assert data["verdict"] is None


def test_a_broken_file_is_told_by_line_and_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "bad.poc.yaml"
    place.write_text(EXAMPLE.replace("[0.7, 1.2]", "[0.7, 5]"))
    code, data, err = told(capsys, "replay", str(place), "--target", "http://127.0.0.1:9", "--json")
    assert code == 2
    assert "bad.poc.yaml line 10, settings.temperature[1]: must be between 0 and 2" in err
    assert data["error"]["problems"][0]["field"] == "settings.temperature[1]"
    assert data["error"]["problems"][0]["line"] == 10


def test_irreversible_effects_need_a_sandbox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "bad.poc.yaml"
    place.write_text(EXAMPLE.replace("effects: none", "effects: irreversible"))
    code, _, err = told(capsys, "replay", str(place), "--target", "http://127.0.0.1:9", "--json")
    assert code == 2
    assert "--sandbox" in err


def test_replay_and_verify_end_to_end(finding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = str(tmp_path / "run")
    with model(0.7) as leaky, model(0.0) as mended:
        code, data, err = told(
            capsys, "replay", finding, "--target", leaky.url, "--seed", "5", "--out", place, "--json"
        )
        assert (code, data["verdict"]) == (0, "reproduced")
        assert set(data) >= KEYS
        assert data["calls"] == leaky.count
        assert len(data["settings"]) == 4
        assert "seed 5" in err
        again = told(capsys, "replay", finding, "--target", leaky.url, "--out", place, "--json")
        assert (again[0], again[1]) == (0, data)
        assert data["calls"] == leaky.count
        code, data, _ = told(capsys, "replay", finding, "--target", mended.url, "--out", place, "--json")
        assert code == 2
        assert "another plan" in data["error"]["message"]
        code = main(["replay", finding, "--target", mended.url, "--out", f"{place}-2"])
        assert code == 1
        assert "Not reproduced at 5\u202f%" in capsys.readouterr().out
        before = mended.count, leaky.count
        words = ["--tau", ".05", "--positive", leaky.url, "--out", f"{place}-3"]
        code, data, _ = told(capsys, "verify", finding, "--target", mended.url, *words, "--json")
        assert (code, data["verdict"]) == (0, "holds")
        assert set(data) >= KEYS
        assert data["target"]["model"] == ""
        assert data["calls"] == mended.count + leaky.count - sum(before)
        words = ["--tau", ".05", "--positive-model", "v1", "--out", f"{place}-4", "--before", "20/30", "--seed", "5"]
        code = main(["verify", finding, "--target", leaky.url, *words])
        assert code == 1
        out, err = capsys.readouterr()
        assert "Fix fails" in out
        assert re.search(r"^harmless questions answered usefully: \d+ of 20, ", out, re.MULTILINE)
        assert "no --model was given" in err


def test_caps_exit_with_four_and_the_run_goes_on(
    finding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["replay", finding, "--out", str(tmp_path / "run"), "--json"]
    with model(0.0) as mended:
        code, data, err = told(capsys, *words, "--target", mended.url, "--max-calls", "20")
        assert code == 4
        assert data["calls"] == mended.count == 20
        assert "to go on" in err
        code, data, _ = told(capsys, *words, "--target", mended.url, "--max-calls", "500")
        assert (code, data["verdict"]) == (1, "not_reproduced")
        assert data["calls"] == mended.count


def test_nobody_there_exits_with_two(finding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--target", "http://127.0.0.1:9", "--retries", "0", "--out", str(tmp_path / "run"), "--json"]
    code, data, err = told(capsys, "replay", finding, *words)
    assert code == 2
    assert data["error"]["kind"] == "target_unreachable"
    assert "no answer: cannot connect to 127.0.0.1:9: Connection refused (tried" in err
    assert "paused" in err


@pytest.mark.process
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_killed_and_started_again_it_comes_to_the_same_verdict(
    finding: str, tmp_path: Path, how: signal.Signals
) -> None:
    with model(0.03, delay=0.06) as target:
        words = ["--target", target.url, "--seed", "8", "--concurrency", "6", "--json", "--p0", ".02", "--p-min", ".1"]
        command = [sys.executable, "-m", "manyeyes.cli", "replay", finding, *words, "--no-score", "--out"]
        whole = json.loads(subprocess.run([*command, str(tmp_path / "whole")], capture_output=True, check=False).stdout)
        before = target.count
        assert whole["calls"] == before
        assert whole["n"] > 20
        cut = subprocess.Popen(
            [*command, str(tmp_path / "cut")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job would inherit "ignore"
        )  # fmt: skip
        while target.count < before + 15:
            time.sleep(0.002)
        os.kill(cut.pid, how)
        out, _ = cut.communicate(timeout=90)
        if how is not signal.SIGKILL:
            assert cut.returncode == 130
            assert json.loads(out)["error"]["kind"] == "interrupted"
        rest = json.loads(subprocess.run([*command, str(tmp_path / "cut")], capture_output=True, check=False).stdout)
        assert [rest[key] for key in ("verdict", "n", "k")] == [whole[key] for key in ("verdict", "n", "k")]
        # Calls counted may exceed calls received by those that were on record but not sent when the end came.
        assert 0 <= rest["calls"] - (target.count - before) <= 6
        assert rest["calls"] - whole["calls"] <= 12


@pytest.mark.process
def test_it_starts_in_under_a_second(finding: str) -> None:
    """Of processor time, which other work on this computer does not stretch."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "manyeyes.cli", "plan", finding], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


def test_no_heavy_imports() -> None:
    """Commands without a target load no HTTP client, and none of these loads Django."""
    code = (
        "import sys; from manyeyes.cli import main; main(['--help']); "
        "import manyeyes.commands.plan; assert 'aiohttp' not in sys.modules; "
        "import manyeyes.commands.replay, manyeyes.commands.verify; assert 'django' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--concurrency", "0"], "argument --concurrency: give a whole number of at least 1, not '0'"),
        (["--max-calls", "-4"], "argument --max-calls: give a whole number of at least 1"),
        (["--retries", "x"], "argument --retries: give a whole number of at least 0"),
        (["--timeout", "0"], "argument --timeout: give a number above 0"),
        (["--max-cost", "nan"], "argument --max-cost: give a number above 0"),
        (["--rated-trials", "0"], "argument --rated-trials: give a whole number of at least 1"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_a_wrong_option_is_named_and_with_json_in_one_object(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", "x.yaml", "--target", "http://127.0.0.1:9", "--json", *words])
    shown = capsys.readouterr()
    assert ended.value.code == 2
    assert said in json.loads(shown.out)["error"]["message"]
    assert said in shown.err


def test_the_claim_is_told_beside_what_was_measured(
    finding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with model(0.05) as quiet:
        words = ["replay", finding, "--target", quiet.url, "--seed", "3", "--score-only", "--out", str(tmp_path / "a")]
        assert main(words) == 0
        words = ["replay", finding, "--target", quiet.url, "--seed", "3", "--out", str(tmp_path / "b")]
        main(words)
    assert re.search(r"The claim, 7 of 10 \(70.%\), lies above the measured interval\.", capsys.readouterr().out)
