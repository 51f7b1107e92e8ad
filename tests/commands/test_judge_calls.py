"""A plan tells what its judges will be asked and cost: as many calls as a run then makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from manyeyes.cli import main
from manyeyes.commands.judge_calls import asked, bill, looked_twice, roles_asked
from manyeyes.commands.telling import told as told_of
from manyeyes.engine.judge import JudgeError
from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Reply, Request
from manyeyes.runs.judges import judge_version
from manyeyes.runs.price import Price
from tests.reproducer.examples import EXAMPLE
from tests.runs.judged import JUDGED, judging, leaking, planned, played

PLAIN: dict[str, Any] = {"score": False, "use_control": False, "benign_n": 0, "cap": 60, "min_successes": 9}


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_as_many_calls_as_a_run_makes(rate: float, tmp_path: Path) -> None:
    plan = planned("reproduce", roles=("judge", "confirm"), confirm="confirm", **PLAIN)
    main_, judge, second = leaking(rate), judging(1, 0), judging(1, 0, name="second")
    played(plan, tmp_path, concurrency=1, main=main_, judge=judge, confirm=second)
    share = second.calls / judge.calls
    assert bill(plan, exploit=main_.calls, second=share).calls == pytest.approx(judge.calls + second.calls)
    assert roles_asked(plan) == ["confirm", "judge"]


def test_its_prompt_is_that_of_a_run(tmp_path: Path) -> None:
    plan = planned("reproduce", roles=("judge", "confirm"), confirm="confirm", **PLAIN)
    heard: list[Request] = []

    def answer(request: Request) -> Reply:
        heard.append(request)
        return Reply(text='{"reason": "", "verdict": "no"}', sent=b"{}")

    played(plan, tmp_path, concurrency=1, main=leaking(0), judge=Scripted(answer), confirm=judging(1, 0))
    first = next(one for one in asked(plan, plan.plan.cells[0]) if not one.second)
    letters = sum(len(message["content"]) for message in heard[0].messages)
    answered = 4 * plan.requests[plan.plan.cells[0].key].params["max_tokens"]
    assert 0 <= 4 * first.into - letters <= answered + 40, "the longest answer is reckoned with"
    assert first.out == heard[0].params["max_tokens"]


def test_money_is_by_the_price_of_the_role() -> None:
    prices = {"price": Price(per_million_in=1), "judge_price": Price(per_million_in=10, per_million_out=100)}
    plan = planned("reproduce", roles=("judge", "confirm"), confirm="confirm", **PLAIN, **prices)
    dear = bill(plan, exploit=1_000)
    assert dear.cost == pytest.approx((dear.tokens_in * 10 + dear.tokens_out * 100) / 1e6, rel=1e-3)
    free = planned("reproduce", roles=("judge", "confirm"), confirm="confirm", **PLAIN)
    assert bill(free, exploit=1_000).cost is None


def test_the_second_look_is_as_rare_as_the_labels_say() -> None:
    plan = planned("reproduce", roles=("judge", "confirm"), confirm="confirm", **PLAIN)
    assert looked_twice(plan, 0.2) == 0.2
    version = judge_version(plan.detectors["success"], plan.targets)
    labels = JudgeError(found=90, successes=100, called=5, failures=100, version=version)
    known = planned("reproduce", roles=("judge", "confirm"), confirm="confirm", judge=labels, **PLAIN)
    assert looked_twice(known, 0.0) == 0.05
    assert looked_twice(known, 1.0) == 0.9


def test_a_harmless_request_is_judged_where_its_own_rule_asks() -> None:
    calm = planned("reproduce", rule={"contains": "blue"}, **{**PLAIN, "benign_n": 4})
    assert bill(calm, exploit=10, benign=4).calls == 0
    useful = {"benign": {"conversation": [{"role": "user", "content": "Hours?"}], "useful": JUDGED}}
    asks = planned("verify", rule={"contains": "blue"}, file=useful, roles=("judge",))
    assert bill(asks, exploit=10, benign=4).calls == 4


@pytest.fixture
def finding(tmp_path: Path) -> str:
    place = tmp_path / "judged.poc.yaml"
    place.write_text(yaml.safe_dump({**yaml.safe_load(EXAMPLE), "success": JUDGED}))
    return str(place)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["plan", *words, "--seed", "1", "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("question", ["reproduce", "verify", "map"])
def test_plan_tells_it_apart_and_counts_it_in(
    question: str, finding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = tmp_path / "plain.poc.yaml"
    plain.write_text(Path(finding).read_text().replace("judge:", "x-judge:"))
    data = yaml.safe_load(EXAMPLE)
    plain.write_text(yaml.safe_dump({**data, "success": {"contains": "blue"}}))
    prices = ["--price-in", "1", "--price-out", "2"]
    words = ["--question", question, *prices, *(["--tau", "0.05"] if question == "verify" else [])]
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({
        "format": "manyeyes.calibration/1", "vuln_class": "", "version": "", "found": 100, "successes": 100,
        "called": 0, "failures": 100, "models": [], "people": [],
    }))  # fmt: skip
    named = ["--judge", "http://127.0.0.1:9/v1", "--judge-model", "j", "--confirm", "human"]
    code, judged = told(capsys, finding, *words, "--calibration", str(labels), *named)
    assert code == 0, judged
    code, bare = told(capsys, str(plain), *words)
    assert code == 0
    assert "judges" not in bare
    row = judged["judges"]
    assert row["roles"] == ["judge"]
    assert row["worst_calls"] > 0
    assert judged["worst_calls"] > row["worst_calls"]
    assert judged["worst_cost"] > row["worst_cost"] > 0
    assert judged["points"][0]["expected_calls"] > bare["points"][0]["expected_calls"]
    assert main(["plan", finding, *words, "--seed", "1", *named, "--calibration", str(labels)]) == 0
    assert "of these, calls of judges (judge): at worst" in capsys.readouterr().out


def test_labels_need_the_judge_that_they_are_of(
    finding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, data = told(capsys, finding, "--calibration", str(tmp_path / "labels.json"))
    assert code == 2
    assert "--judge and --judge-model" in data["error"]["message"]


def test_a_scored_run_says_what_lies_behind_what_the_judge_reported(tmp_path: Path) -> None:
    bare = planned("score", roles=("judge",), rated_n=60)
    assert bare.plan.judge is None, "a count needs no labels"
    version = judge_version(bare.detectors["success"], bare.targets)
    labels = JudgeError(found=90, successes=100, called=5, failures=100, version=version)
    plan = planned("score", roles=("judge",), rated_n=60, judge=labels)
    result = played(plan, tmp_path, main=leaking(0.5), judge=judging(0.9, 0.05))
    data = result.to_json()
    assert data["verdict"] == "scored"
    expected = labels.true_rate(data["k"], data["n"])
    assert expected is not None
    assert data["judge"]["rate"] == dict(zip(("asr", "low", "high"), expected, strict=True))
    assert "Behind what the judge reported at the rated setting lies about" in told_of(result)
