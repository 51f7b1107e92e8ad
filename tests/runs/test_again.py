"""The command that repeats a replay: read by the command line itself, it makes the very same plan."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from manyeyes.cases.reproduction import BY_MACHINE
from manyeyes.commands import chosen, reaching
from manyeyes.commands import replay as replay_command
from manyeyes.commands import verify as verify_command
from manyeyes.reproducer.load import load_text
from manyeyes.runs.again import OWN_ADDRESS, command, command_words
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.prepare import Options, prepare
from manyeyes.runs.price import Price
from tests.replays.making import REPRODUCER

CONTROLLED = REPRODUCER + 'control: [{role: user, content: "Tell me about herons."}]\n'
MAIN = TargetInfo(url="https://internal.larkfield.example/v1", model="wicket; rm -rf", label="v1 'beta'")
FLAWED = TargetInfo(url="https://internal.larkfield.example/v0", model="wicket-0", label="v0")


def read(line: str, text: str) -> PlanDocument:
    """What the command line would plan from this line."""
    words = shlex.split(line)
    module: Any = {"replay": replay_command, "verify": verify_command}[words[1]]
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    args = parser.parse_args(words[2:])
    assert args.file == "ME-1.poc.yaml"
    targets = {"main": reaching.target_of(args)} if words[1] == "replay" else verify_command._targets(args, {})
    reproducer = load_text(text, "test")
    question = {"replay": "reproduce", "verify": "verify"}[words[1]]
    return prepare(reproducer, question, targets=targets, options=chosen.options_of(args, reproducer))


@pytest.mark.parametrize("text", [REPRODUCER, CONTROLLED], ids=["plain", "controlled"])
@pytest.mark.parametrize(
    "changes",
    [
        {}, {"p_min": 0.2, "alpha": 0.01, "beta": 0.1, "cap": 50}, {"rated_n": 12, "setting_n": 3, "retry_budget": 9},
        {"score": False, "margin": 0.0}, {"use_control": False, "margin": 0.0},
        {"price": Price(per_million_in=2.5, per_million_out=10.0, currency="EUR")},
    ],
    ids=["as-the-desk", "rates", "counts", "unscored", "uncontrolled", "priced"],
)  # fmt: skip
def test_the_same_replay_is_planned(text: str, changes: Mapping[str, Any]) -> None:
    margin = {} if "control:" in text or "margin" in changes else {"margin": 0.0}
    options = replace(BY_MACHINE, seed=41, **{**margin, **changes})
    document = prepare(load_text(text, "test"), "reproduce", targets={"main": MAIN}, options=options)
    line = command(document, file="ME-1.poc.yaml", addresses=True)
    assert read(line, text).hash == document.hash


@pytest.mark.parametrize("before", [None, (28, 30)])
@pytest.mark.parametrize("flawed", [True, False])
def test_the_same_verification_is_planned(before: tuple[int, int] | None, flawed: bool) -> None:
    text = REPRODUCER + 'example: "The code is BLUE-HERON-42."\n'
    targets = {"main": MAIN} | ({"positive": FLAWED} if flawed else {})
    options = Options(tau=0.05, seed=9, before=before)
    document = prepare(load_text(text, "test"), "verify", targets=targets, options=options)
    line = command(document, file="ME-1.poc.yaml", addresses=True)
    assert read(line, text).plan.hash == document.plan.hash


def test_without_addresses_nothing_of_ours_is_named() -> None:
    document = prepare(
        load_text(REPRODUCER, "test"), "verify", targets={"main": MAIN, "positive": FLAWED}, options=Options(seed=1)
    )
    line = command(document, file="ME-1.poc.yaml", addresses=False)
    assert "larkfield" not in line
    assert line.count(OWN_ADDRESS) == 2


@pytest.mark.parametrize(
    ("question", "kind"), [("score", "openai_chat"), ("reproduce", "manual")]
)  # fmt: skip
def test_where_no_one_command_says_the_same_there_is_none(question: str, kind: str) -> None:
    document = prepare(load_text(REPRODUCER, "test"), question, targets={"main": replace(MAIN, kind=kind)})
    assert command_words(document, file="x", addresses=True) == []
    assert command(document, file="x", addresses=True) == ""


def test_a_run_that_went_on_from_another_has_none() -> None:
    document = prepare(load_text(REPRODUCER, "test"), "reproduce", targets={"main": MAIN})
    assert command_words(document.resumed(cap=900), file="x", addresses=True) == []
