"""Targets of every kind, judges and second oracles, as they are named on the command line."""

from __future__ import annotations

import argparse

import pytest

from manyeyes.commands import reaching
from manyeyes.commands.questions import UsageError
from manyeyes.reproducer.load import load_text
from manyeyes.runs.document import TargetInfo
from tests.reproducer.examples import EXAMPLE

JUDGED = EXAMPLE.replace('{canary: "BLUE-HERON-42"}', '{judge: {question: "Did it give the code away?"}}')


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    reaching.add_target(parser)
    reaching.add_judge(parser)
    return parser.parse_args(words)


def test_options_of_a_kind_are_read_and_checked() -> None:
    info = reaching.target_of(parsed("--target", "http://127.0.0.1:9", "--target-option", "stream=yes"))
    assert (info.kind, info.options) == ("openai_chat", {"stream": True})
    info = reaching.target_of(
        parsed(
            "--target-kind", "http_json", "--target", "http://127.0.0.1:9/ask",
            "--target-option", 'body={"say": "{{prompt}}"}', "--target-option", "answer=$.reply",
        )
    )  # fmt: skip
    assert info.options == {"body": {"say": "{{prompt}}"}, "answer": "$.reply"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--target: "),
        (["--target-kind", "telepathy"], "--target-kind: choose one of openai_chat, "),
        (["--target-kind", "scripted"], "--target-kind: scripted is for programs"),
        (["--target", "http://x", "--target-option", "stream"], "--target-option: give NAME=VALUE"),
        (["--target", "http://x", "--target-option", "stream=perhaps"], "--target-option stream: "),
        (["--target", "http://x", "--target-option", "colour=red"], "--target-option colour: "),
        (["--target-kind", "gguf", "--target", "http://x"], "--target: gguf reaches no server"),
    ],
)
def test_what_a_target_does_not_take_is_named(words: list[str], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        reaching.target_of(parsed(*words))
    assert str(refused.value).startswith(said)


def judged(text: str, *words: str) -> tuple[dict[str, TargetInfo], dict[str, str | None]]:
    targets: dict[str, TargetInfo] = {}
    keys: dict[str, str | None] = {}
    reaching.judged(parsed(*words), [load_text(text)], targets, keys)
    return targets, keys


def test_a_judge_gets_a_target_and_its_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "j-1")
    words = ("--judge", "http://127.0.0.1:8", "--judge-model", "referee", "--judge-key-env", "JUDGE_KEY")
    targets, keys = judged(JUDGED, *words)
    assert targets["judge"].model == "referee"
    assert keys == {"judge": "j-1"}


def test_a_second_oracle_is_asked_the_same_question() -> None:
    words = ("--judge", "http://127.0.0.1:8", "--confirm", "target", "--confirm-model", "umpire")
    targets, _ = judged(JUDGED, *words)
    assert set(targets) == {"judge", "confirm"}
    assert (targets["confirm"].url, targets["confirm"].model) == ("http://127.0.0.1:8", "umpire")


def test_a_person_may_look_at_every_success() -> None:
    assert judged(EXAMPLE, "--confirm", "human") == ({}, {})


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        (JUDGED, [], "--judge: the success rule asks a model"),
        (EXAMPLE, ["--judge", "http://x"], "--judge: the success rule of this file asks no model"),
        (EXAMPLE, ["--confirm", "target"], "--confirm: the success rule asks no judge"),
        (JUDGED, ["--judge", "http://x", "--confirm", "target"], "--confirm target: name the second judge"),
        (JUDGED, ["--judge", "http://x", "--judge-key-env", "NO_KEY"], "--judge-key-env: the environment variable"),
    ],
)
def test_missing_judges_are_named(text: str, words: list[str], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        judged(text, *words)
    assert str(refused.value).startswith(said)
