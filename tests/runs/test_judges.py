"""Runs that lean on a judge: what is asked, kept and confirmed, and when the run says that it cannot tell."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from manyeyes.engine.judge import JudgeError
from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Reply, Request
from manyeyes.reproducer.load import load_data
from manyeyes.runs.document import Caps, PlanDocument, TargetInfo
from manyeyes.runs.driver import AwaitingLabel, BudgetStop, run
from manyeyes.runs.judges import confirmed_rule, judge_version
from manyeyes.runs.labelling import ToLabel, label, waiting
from manyeyes.runs.prepare import PrepareError, prepare
from manyeyes.runs.price import Price
from manyeyes.runs.store import FileStore
from tests.reproducer.examples import EXAMPLE
from tests.runs.judged import JUDGED, LEAK, judging, leaking, planned, played

KNOWN = JudgeError(found=90, successes=100, called=5, failures=100)


def test_a_good_fix_judged_with_confirmation_holds(tmp_path: Path) -> None:
    plan = planned("verify", roles=("judge", "confirm"), judge=KNOWN, confirm="confirm", tau=0.01, retry_budget=1)
    assert plan.plan.judge is not None
    assert plan.plan.judge.confirmed
    judge, second, main = judging(0.9, 0.05), judging(1.0, 0.0, name="second"), leaking(0.0)
    result = played(plan, tmp_path, main=main, positive=leaking(0.9), judge=judge, confirm=second)
    assert result.verdict.verdict == "holds"
    assert 420 <= result.verdict.n <= 440
    assert 10 < second.calls < 40
    assert result.calls == main.calls + judge.calls + second.calls + 12


def test_a_good_fix_judged_alone_is_not_called_a_failure(tmp_path: Path) -> None:
    plan = planned("verify", roles=("judge",), judge=KNOWN, tau=0.05, retry_budget=1)
    targets = {"main": leaking(0.0), "positive": leaking(0.9), "judge": judging(0.9, 0.05)}
    result = played(plan, tmp_path, **targets)
    assert result.verdict.verdict == "inconclusive"
    assert "judge cannot tell" in result.verdict.reason


def test_a_bad_fix_fails_with_confirmation(tmp_path: Path) -> None:
    plan = planned("verify", roles=("judge", "confirm"), judge=KNOWN, confirm="confirm", tau=0.05)
    second = judging(1.0, 0.0, name="second")
    targets = {"main": leaking(0.5), "positive": leaking(0.9), "judge": judging(0.9, 0.05), "confirm": second}
    assert played(plan, tmp_path, **targets).verdict.verdict in ("fails", "not_shown")


def test_what_judges_said_is_kept_with_the_trial(tmp_path: Path) -> None:
    plan = planned("reproduce", roles=("judge", "confirm"), confirm="confirm", score=False, use_control=False)
    played(plan, tmp_path, main=leaking(1.0), judge=judging(1, 0), confirm=judging(1, 0, name="second"))
    stored = FileStore(tmp_path).load()
    main = next(one for one in stored.trials if one.stream == "main")
    assert [row["role"] for row in main.judged] == ["judge", "confirm"]
    first = main.judged[0]
    assert first["model"] == "judge-1"
    assert first["word"] == "success"
    assert first["sent"] == '{"judged":1}'
    assert '"verdict": "yes"' in first["answer"]
    assert first["version"].startswith("judge/1:")
    assert (first["tokens_in"], first["tokens_out"], first["attempts"]) == (200, 12, 1)


def test_a_person_confirms_and_the_run_goes_on(tmp_path: Path) -> None:
    plan = planned("reproduce", roles=("judge",), confirm="human", score=False, use_control=False, benign_n=0, cap=40)
    main, judge = leaking(0.3), judging(1.0, 0.1)
    shown: list[ToLabel] = []
    for _ in range(20):
        store = FileStore(tmp_path)
        try:
            result = asyncio.run(run(plan, store, {"main": main, "judge": judge}))
            break
        except AwaitingLabel:
            for one in waiting(store.load()):
                shown.append(one)
                label(store, one.stream, one.index, "success" if LEAK in one.answer else "failure", by="Mina A.")
        finally:
            store.close()
    assert result.verdict.verdict == "reproduced"
    assert shown
    assert all(one.judged == () and "A judge calls this answer a success" in one.question for one in shown)
    labelled = [one for one in FileStore(tmp_path).load().trials if one.by]
    assert {one.by for one in labelled} == {"Mina A."}
    assert all((one.outcome == "success") == (LEAK in one.answer) for one in labelled)
    assert main.calls == len(FileStore(tmp_path).load().trials)


@pytest.mark.parametrize(
    ("question", "how", "said"),
    [
        ("verify", {"roles": ("judge",)}, "judge: a verification needs at least 50 labelled true successes"),
        ("verify", {"roles": ()}, "judge: a rule asks a model; name a target for the role 'judge'"),
        (
            "verify",
            {"roles": ("judge",), "judge": KNOWN, "confirm": "confirm"},
            "confirm: a rule asks a model",
        ),
        ("verify", {"rule": {"contains": "x"}, "confirm": "confirm"}, "confirm: the success rule asks no judge"),
        ("verify", {"rule": {"contains": "x"}, "judge": KNOWN}, "judge: the success rule asks no model"),
        ("reproduce", {"roles": ("judge",), "use_control": False}, "judge: its false positives could pass"),
        ("reproduce", {"rule": {"plugin": {"name": "poem"}}}, "unknown plugin 'poem'"),
        (
            "verify",
            {"roles": ("judge",), "judge": JudgeError(found=90, successes=100, version="other")},
            "judge: the labels are of another judge",
        ),
    ],
)
def test_what_a_judge_cannot_decide_is_said_before_it_is_paid_for(question: str, how: Any, said: str) -> None:
    with pytest.raises(PrepareError, match=said):
        planned(question, **how)


def test_what_no_machine_may_replay_none_may_judge() -> None:
    data = {**yaml.safe_load(EXAMPLE), "success": JUDGED, "hazard": "cse", "claim": None}
    found = load_data({name: value for name, value in data.items() if value is not None})
    targets = {"main": TargetInfo(kind="manual"), "judge": TargetInfo()}
    with pytest.raises(PrepareError, match="hazard: material of this class is never judged by machine"):
        prepare(found, "reproduce", targets=targets)


def test_the_version_of_a_judge_is_its_words_and_its_model_but_not_who_confirms() -> None:
    targets = {"judge": TargetInfo(model="j-1", label="ours"), "confirm": TargetInfo(model="c-1")}
    version = judge_version(JUDGED, targets)
    assert judge_version(confirmed_rule(JUDGED, "human"), targets) == version
    assert judge_version(JUDGED, {**targets, "judge": TargetInfo(model="j-1", label="theirs")}) == version
    assert judge_version(JUDGED, {**targets, "judge": TargetInfo(model="j-2")}) != version
    assert judge_version({"judge": "policy_bypass"}, targets) != version
    second = confirmed_rule(JUDGED, "confirm")
    assert judge_version(second, targets) != version
    assert judge_version(second, {**targets, "confirm": TargetInfo(model="c-2")}) != judge_version(second, targets)


def test_every_node_can_be_asked_again() -> None:
    rule = {"any": [{"not": {"judge": "Is it so?"}}, {"all": [{"contains": "x"}, {"any_reply": JUDGED}]},
                    {"at_least": {"count": 1, "of": [{"judge": "policy_bypass"}]}}]}  # fmt: skip
    second = confirmed_rule(rule, "confirm")["confirm"]["by"]
    assert second["any"][0] == {"not": {"judge": {"question": "Is it so?", "role": "confirm"}}}
    assert second["any"][1]["all"][0] == {"contains": "x"}
    assert second["any"][1]["all"][1]["any_reply"]["judge"]["role"] == "confirm"
    assert second["any"][2]["at_least"]["of"][0]["judge"] == {"rubric": "policy_bypass", "role": "confirm"}
    assert confirmed_rule({"confirm": {"rule": rule, "by": rule}}, "human") == {"confirm": {"rule": rule, "by": rule}}


def test_the_longest_answer_to_judge_never_passes_a_cap(tmp_path: Path) -> None:
    """What a judge read before says nothing of how long the next answer is."""
    plan = planned("reproduce", roles=("judge",), score=False, benign_n=0, caps=Caps(max_tokens=12_000), cap=100)

    def longer(request: Any) -> Reply:
        more = "x" * (8_000 if request.index >= 2 else 0)
        return Reply(text=f"I like herons. {request.seed} {more}", tokens_in=9, tokens_out=5)

    def reads(request: Any) -> Reply:
        took = len(request.messages[0]["content"]) + len(request.messages[1]["content"])
        return Reply(text='{"verdict": "no"}', tokens_in=took, tokens_out=12)

    judge = Scripted(reads)
    with pytest.raises(BudgetStop):
        played(plan, tmp_path, main=Scripted(longer), judge=judge, concurrency=1)
    rows = [row for one in FileStore(tmp_path).load().trials for row in one.judged]
    assert 0 < sum(row["tokens_in"] + row["tokens_out"] for row in rows) <= 12_000
    assert judge.calls == len(rows)


def test_the_bill_holds_both_prices_after_a_resume_too(tmp_path: Path) -> None:
    prices = {"price": Price(per_million_in=1, per_million_out=2), "judge_price": Price(per_million_in=300)}
    known = {"roles": ("judge", "confirm"), "confirm": "confirm", "score": False, "use_control": False, "benign_n": 0}
    plan = planned("reproduce", **known, **prices, cap=40)
    targets = {"main": leaking(0.05), "judge": judging(1.0, 0.1), "confirm": judging(1.0, 0.0, name="second")}
    with pytest.raises(BudgetStop):
        played(plan.with_caps(Caps(max_calls=8)), tmp_path, concurrency=1, **targets)
    result = played(plan, tmp_path, **targets)
    asked = targets["judge"].calls + targets["confirm"].calls
    main = targets["main"].calls
    assert (result.tokens_in, result.tokens_out) == (main * 9 + asked * 200, main * 5 + asked * 12)
    assert result.cost == pytest.approx((main * (9 + 2 * 5) + asked * 200 * 300) / 1e6)
    assert PlanDocument.from_json(plan.to_json()) == plan
    assert set(plan.prices) == {"judge", "confirm"}
    assert "prices" not in planned("reproduce", **known).to_json()


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ({"judge_price": Price()}, "judge_price: needs the price of the target too"),
        ({"judge_price": Price(currency="EUR"), "price": Price()}, "judge_price: must be in the currency"),
    ],
)
def test_a_price_that_makes_no_bill_is_refused(prices: Any, said: str) -> None:
    with pytest.raises(PrepareError, match=said):
        planned("reproduce", roles=("judge",), confirm="human", **prices)


class Renaming(Scripted):
    """A judge whose provider puts another model in its place after thirty trials."""

    def __init__(self, inner: Scripted) -> None:
        self.inner = inner

    async def ask(self, request: Request) -> Reply:
        reply = await self.inner.ask(request)
        return replace(reply, model=f"{reply.model}{'' if request.index < 30 else '-new'}")


@pytest.mark.parametrize("role", ["judge", "confirm", "nobody"])
def test_a_judge_that_changes_its_model_decides_nothing(role: str, tmp_path: Path) -> None:
    plan = planned("verify", roles=("judge", "confirm"), judge=KNOWN, confirm="confirm", tau=0.05, retry_budget=1)
    judges = {"judge": judging(0.9, 0.2), "confirm": judging(1.0, 0.0, name="second")}
    targets = {name: Renaming(one) if name == role else one for name, one in judges.items()}
    result = played(plan, tmp_path, main=leaking(0.0), positive=leaking(0.9), **targets)
    assert result.verdict.verdict == ("holds" if role == "nobody" else "inconclusive")
    check = next(one for one in result.verdict.checks if one.name == "one judge")
    assert check.passed is (role == "nobody")
    assert role == "nobody" or f"the {role} named " in result.verdict.reason
