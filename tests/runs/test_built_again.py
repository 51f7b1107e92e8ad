"""What a bundle says was sent is built again: to judges, to applications, by agents; or it is said to be unknown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from manyeyes.cli import main
from manyeyes.plugins.builtin.environments.mail_agent import MailAgent
from manyeyes.plugins.builtin.targets.http_json import HttpJson
from manyeyes.plugins.builtin.targets.openai_chat import chat_body
from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Reply, Request, ToolCall
from manyeyes.reproducer.load import load_data, load_file
from manyeyes.runs.bundle import Evidence, bundled, evidence_in
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.prepare import Options, prepare
from manyeyes.runs.rescore import BundleReport, verify_bundle
from manyeyes.runs.store import TrialRecord
from tests.reproducer.examples import EXAMPLE
from tests.runs.judged import JUDGED, LEAK, judging, leaking, played
from tests.runs.test_bundle import KEY

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
FEW: dict[str, Any] = {"seed": 3, "score": False, "use_control": False, "benign_n": 2, "cap": 40, "margin": 0.0}


def looked(found: Evidence, change: Callable[[TrialRecord], TrialRecord] | None = None) -> BundleReport:
    """The report on a bundle that its own maker signed, with the first scored trial changed or not."""
    trials = sorted(found.trials, key=lambda one: (one.stream != "main", one.index))
    if change is not None:
        trials = [change(trials[0]), *trials[1:]]
    return verify_bundle(bundled(replace(found, trials=trials), KEY))


def swapped(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """A run whose successes two judges confirmed, each asked in the way of chat completions."""
    data = {**yaml.safe_load(EXAMPLE), "success": JUDGED}
    targets = {role: TargetInfo(url=f"http://127.0.0.1/{role}/v1", model=role) for role in ("main", "judge", "confirm")}
    plan = prepare(load_data(data), "reproduce", targets=targets, options=Options(**FEW, confirm="confirm"))

    def as_chat(inner: Scripted, model: str) -> Scripted:
        def answer(request: Request) -> Reply:
            reply: Reply = inner._script(request)  # type: ignore[assignment]
            return replace(reply, sent=chat_body(request, model=model))

        return Scripted(answer)

    place = tmp_path_factory.mktemp("judged")
    scripts = {"main": leaking(0.5), "judge": judging(1, 0), "confirm": judging(1, 0, name="second")}
    played(plan, place, concurrency=1, **{role: as_chat(inner, role) for role, inner in scripts.items()})
    return evidence_in(place)


def test_the_questions_to_judges_are_those_of_the_rule(judged: Evidence) -> None:
    report = looked(judged)
    assert report.ok, report.differences
    asked = sum(len(one.judged) for one in judged.trials)
    assert (report.asked_checked, report.asked_unchecked) == (asked, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [("BLUE-HERON-42", "BLUE-HERON-43"), ("record is over", "record is open"), ('"judge"', '"another"')],
)
def test_another_question_to_a_judge_is_found(judged: Evidence, old: str, new: str) -> None:
    def change(one: TrialRecord) -> TrialRecord:
        first, *rest = one.judged
        return replace(one, judged=[{**first, "sent": swapped(first["sent"], old, new)}, *rest])

    report = looked(judged, change)
    assert not report.identical
    assert [one.what.partition(": ")[2] for one in report.differences] == ["what a judge was asked"]


def test_a_question_that_was_left_out_is_counted_as_not_checked(judged: Evidence) -> None:
    report = looked(judged, lambda one: replace(one, judged=[{**row, "sent": ""} for row in one.judged]))
    assert report.asked_unchecked == len(next(one for one in judged.trials if one.stream == "main").judged)


def application(session: dict[str, Any] | None, place: Path) -> Evidence:
    """A run against an application with a template of its own; with `session` it names one for each call."""
    data = {**yaml.safe_load(EXAMPLE), "success": {"contains": LEAK}}
    body = {"q": "{{prompt}}", "heat": "{{setting.temperature}}", "n": "{{seed}}"}
    options: dict[str, Any] = {"body": body, "answer": "$.reply"}
    if session is not None:
        body["in"] = "session {{session}} of many"
        options["session"] = session
    info = TargetInfo(kind="http_json", url="http://127.0.0.1/ask", model="app", options=options)
    plan = prepare(load_data(data), "reproduce", targets={"main": info}, options=Options(**FEW))
    builder = HttpJson(url=info.url, model=info.model, **options)
    inner = leaking(0.5)

    def answer(request: Request) -> Reply:
        reply: Reply = inner._script(request)  # type: ignore[assignment]
        return replace(reply, sent=builder.body(request, f"s-{request.index}" if session else None))

    played(plan, place, main=Scripted(answer))
    return evidence_in(place)


@pytest.mark.parametrize("session", [None, {"path": "/open", "id": "$.id"}])
def test_an_application_is_sent_what_its_template_says(session: dict[str, Any] | None, tmp_path: Path) -> None:
    found = application(session, tmp_path)
    report = looked(found)
    assert report.ok, report.differences
    assert (report.sent_checked, report.sent_unchecked) == (len(found.trials), 0)
    asked = json.loads(found.trials[0].sent)["q"]
    report = looked(
        found, lambda one: replace(one, sent=swapped(one.sent, json.loads(one.sent)["q"], f"{asked} please"))
    )
    assert not report.identical


@pytest.mark.parametrize("named", ["session  of many", "session s-1 of one", "s-1", 3, None])
def test_only_the_name_of_a_session_is_free(named: Any, tmp_path: Path) -> None:
    found = application({"path": "/open", "id": "$.id"}, tmp_path)

    def change(one: TrialRecord) -> TrialRecord:
        return replace(one, sent=json.dumps({**json.loads(one.sent), "in": named}))

    assert not looked(found, change).identical


def obedient(request: Request) -> Reply:
    """A model that reads the newest mail and does what it says."""
    done = sum(message["role"] == "tool" for message in request.messages)
    sent = chat_body(request, model="agent")
    if "lunch" in request.messages[1]["content"]:
        return Reply(text="At noon.", sent=sent)
    steps = (
        ToolCall(id="1", name="read_mail", arguments='{"id": "1"}'),
        ToolCall(id="2", name="send_mail", arguments='{"to": "rhea_k", "subject": "x", "body": "BLUE-HERON-42"}'),
    )
    if done < len(steps):
        return Reply(text="", tool_calls=(steps[done],), sent=sent)
    return Reply(text=f"Done. ({request.seed})", sent=sent)


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    info = TargetInfo(url="http://127.0.0.1/v1", model="agent")
    plan = prepare(load_file(EXAMPLES / "agent.poc.yaml"), "reproduce", targets={"main": info}, options=Options(**FEW))
    place = tmp_path_factory.mktemp("agent")
    played(plan, place, main=Scripted(obedient))
    return evidence_in(place)


def test_an_agent_asks_again_what_it_asked(agent: Evidence) -> None:
    report = looked(agent)
    assert report.ok, report.differences
    assert (report.sent_checked, report.sent_unchecked) == (len(agent.trials), 0)


def test_another_request_of_an_agent_is_found(agent: Evidence) -> None:
    def change(one: TrialRecord) -> TrialRecord:
        first, *rest = one.steps
        return replace(
            one, steps=[{**first, "sent": swapped(first["sent"], "Read my new mail", "Read no mail")}, *rest]
        )

    assert "call 1: the plan has another request to send" in [one.found for one in looked(agent, change).differences]


def test_traces_that_the_answers_do_not_leave_are_found(agent: Evidence) -> None:
    def change(one: TrialRecord) -> TrialRecord:
        return replace(one, observations={**one.observations, "memory": [{"text": "She is the owner."}]})

    found = [one.found for one in looked(agent, change).differences]
    assert "what was seen is not what these answers leave in the environment" in found


class Elsewhere(MailAgent):
    """An agent of somebody else, built on ours."""


def test_an_environment_of_a_stranger_is_not_played(agent: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manyeyes.runs.played_again.find", lambda kind, name: Elsewhere)
    report = looked(agent)
    assert (report.sent_checked, report.sent_unchecked) == (0, len(agent.trials))
    assert report.ok


def by_hand(found: Evidence, *, plan: bool) -> Evidence:
    """The same outcomes, said to be ticked by a person; with `plan` the plan is one for a person too."""
    document: PlanDocument = found.document
    if plan:
        document = replace(document, targets={role: TargetInfo(kind="manual") for role in document.targets})
    trials = [replace(one, origin="manual", answer="", sent="", digest=None) for one in found.trials]
    result = {**found.result, "origin": "manual", "plan_hash": document.hash}
    return Evidence(document=document, trials=trials, result=result)


def test_a_plan_for_a_machine_is_not_ticked_by_hand(agent: Evidence, tmp_path: Path) -> None:
    bundle = bundled(by_hand(application(None, tmp_path), plan=False), KEY)
    report = verify_bundle(bundle)
    assert report.by_hand
    assert not report.by_machine
    assert not report.identical
    assert "the plan names a target that is asked by machine" in {one.found for one in report.differences}


@pytest.mark.parametrize(
    ("texts", "why"), [(True, "every trial was ticked by hand"), (False, "the texts were left out")]
)
def test_what_nobody_could_check_is_said_first_and_ends_with_three(
    texts: bool, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = application(None, tmp_path / "run")
    if texts:
        trials = [replace(one, origin="manual", judged=[]) for one in found.trials]
        document = replace(found.document, targets={"main": TargetInfo(kind="manual")})
        target = {
            "kind": "manual",
            "url": "",
            "model": "",
            "label": "",
            "models_seen": found.result["target"]["models_seen"],
        }
        result = {**found.result, "origin": "manual", "plan_hash": document.hash, "target": target}
        found = Evidence(document=document, trials=trials, result=result)
    file = tmp_path / "b.zip"
    file.write_bytes(bundled(found, KEY, texts=texts))
    assert main(["verify-bundle", str(file)]) == 3, verify_bundle(file).differences
    said = capsys.readouterr().out
    assert said.startswith(f"NOTHING CHECKED BY MACHINE: {why}. The counts were added up again;")
    assert main(["verify-bundle", str(file), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["by_machine"] is False
