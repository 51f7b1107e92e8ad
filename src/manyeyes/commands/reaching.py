"""The options that say what a run reaches: the target, a judge, a second oracle; and where their keys are."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping
from typing import Any

from manyeyes.commands.questions import UsageError, amount, whole
from manyeyes.plugins.detection import roles
from manyeyes.plugins.options import OptionsError, check_options
from manyeyes.plugins.registry import UnknownPluginError, names
from manyeyes.reproducer.model import Reproducer
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.judges import MACHINES, confirmed_rule

OPENAI = "openai_chat"
NOT_HERE = frozenset({"scripted"})
"""Kinds of targets that only a program can give what they need."""
CONFIRMING = "confirm"


def add_target(parser: argparse.ArgumentParser) -> None:
    """Where the model is, and how hard it may be asked."""
    group = parser.add_argument_group("target")
    group.add_argument("--target", default="", metavar="URL", help="address of the server (not needed by every kind)")
    group.add_argument("--model", default="", metavar="NAME", help="the model's name there (default: none is sent)")
    group.add_argument("--key-env", metavar="VAR", help="environment variable that holds the key")
    group.add_argument("--label", default="", help="what to call this version")
    add_kind(group)
    group.add_argument(
        "--concurrency", type=whole(1), default=8, metavar="N", help="calls at once, at most (default 8)"
    )
    group.add_argument("--timeout", type=amount, default=120.0, metavar="S", help="seconds to wait for an answer")
    group.add_argument("--retries", type=whole(0), default=5, metavar="N", help="repeats of a failed call (default 5)")
    group.add_argument("--out", metavar="DIR", help="keep the run here; with the same DIR it goes on")
    group.add_argument("--record", metavar="FILE", help="add every answer to this recording, to be played again")
    group.add_argument("--environment", metavar="NAME", help="the environment that stands for the one the file names")
    group.add_argument("--sandbox", action="store_true", help="the target is a sandbox: irreversible effects are fine")


def add_kind(group: argparse._ArgumentGroup) -> None:
    """What kind of target it is."""
    group.add_argument(
        "--target-kind", default=OPENAI, metavar="KIND", help="how it is reached (default openai_chat; see plugins.md)"
    )
    group.add_argument(
        "--target-option", action="append", default=[], metavar="K=V", help="an option of that kind; may be repeated"
    )


def add_judge(parser: argparse.ArgumentParser) -> None:
    """Who judges, where the success rule asks a model."""
    group = parser.add_argument_group("judge: a model that the success rule asks")
    group.add_argument("--judge", default="", metavar="URL", help="its address")
    group.add_argument("--judge-model", default="", metavar="NAME", help="its name")
    group.add_argument("--judge-key-env", metavar="VAR", help="environment variable with its key")
    group.add_argument(
        "--confirm",
        choices=("human", "target"),
        help="look again at every success: you do, or the judge model named by --confirm-model does",
    )
    group.add_argument("--calibration", metavar="FILE", help="what labels say of this judge (see manyeyes label)")
    group.add_argument(
        "--confirm-url", default="", metavar="URL", help="address of the second judge (default: --judge)"
    )
    group.add_argument("--judge-price-in", type=float, metavar="M", help="its money per million tokens sent")
    group.add_argument(
        "--judge-price-out", type=float, metavar="M", help="the same for tokens answered (default: the target's prices)"
    )
    group.add_argument("--confirm-model", default="", metavar="NAME", help="its name")
    group.add_argument("--confirm-key-env", metavar="VAR", help="environment variable with its key")


def add_paraphrase(parser: argparse.ArgumentParser) -> None:
    """Who makes further wordings before the plan is frozen."""
    group = parser.add_argument_group("paraphrases: a model that is shown the reported wording, before trial 1")
    group.add_argument("--paraphrase", default="", metavar="URL", help="its address (default: nobody is asked)")
    group.add_argument("--paraphrase-model", default="", metavar="NAME", help="its name")
    group.add_argument("--paraphrase-key-env", metavar="VAR", help="environment variable with its key")
    group.add_argument("--paraphrases", type=whole(1), default=4, metavar="N", help="wordings wanted (default 4)")


def target_of(args: argparse.Namespace, *, url: str | None = None, model: str | None = None) -> TargetInfo:
    """The main target, or the same kind elsewhere. Raises UsageError where its kind does not take what was given."""
    options = dict(_option(text) for text in args.target_option)
    address = args.target if url is None else url
    if args.target_kind in NOT_HERE:
        raise UsageError(f"--target-kind: {args.target_kind} is for programs; choose one of {', '.join(kinds())}")
    try:
        read = check_options(args.target_kind, url=address, model=args.model, options=options)
    except UnknownPluginError:
        raise UsageError(f"--target-kind: choose one of {', '.join(kinds())}, not {args.target_kind!r}") from None
    except OptionsError as error:
        raise UsageError(_named(error)) from None
    label = args.label if url is None else ""
    return TargetInfo(
        kind=args.target_kind, url=address, model=args.model if model is None else model, label=label, options=read
    )


def kinds() -> list[str]:
    """Every kind of target that can be named here."""
    return [name for name in names("targets") if name not in NOT_HERE]


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--target-option: give NAME=VALUE, for example stream=yes, not {text!r}")
    return name.strip(), value


def _named(error: OptionsError) -> str:
    said = str(error)
    if error.field == "url":
        return f"--target: {said.partition(': ')[2]}"
    return f"--target-option {said}" if error.field != "kind" else f"--target-kind: {said.partition(': ')[2]}"


def key_from(variable: str | None, option: str = "--key-env") -> str | None:
    """The key in an environment variable. Raises UsageError where it is not set."""
    if variable is None:
        return None
    if not os.environ.get(variable):
        raise UsageError(f"{option}: the environment variable {variable} is not set")
    return os.environ[variable]


def judged(
    args: argparse.Namespace,
    reproducers: Iterable[Reproducer],
    targets: dict[str, TargetInfo],
    keys: dict[str, str | None],
) -> None:
    """Adds the targets of the judges that the success rules ask. Raises UsageError."""
    models = asked(args, reproducers)
    if "judge" in models:
        if not args.judge:
            raise UsageError("--judge: the success rule asks a model; name its address, and --judge-model")
        targets["judge"] = TargetInfo(url=args.judge, model=args.judge_model, label="judge")
        keys["judge"] = key_from(args.judge_key_env, "--judge-key-env")
    elif args.judge:
        raise UsageError("--judge: the success rule of this file asks no model; leave it out")
    if CONFIRMING in models:
        if not args.confirm_model and not args.confirm_url:
            raise UsageError("--confirm target: name the second judge with --confirm-model (and --confirm-url)")
        url = args.confirm_url or args.judge
        targets[CONFIRMING] = TargetInfo(url=url, model=args.confirm_model, label="second oracle")
        same = url == args.judge  # a key belongs to one address
        keys[CONFIRMING] = key_from(args.confirm_key_env or (args.judge_key_env if same else None), "--confirm-key-env")


def foreseen(args: argparse.Namespace, reproducers: Iterable[Reproducer]) -> dict[str, TargetInfo]:
    """The judges of a plan that is only looked at: none need be named, unless their labels are. Raises UsageError."""
    models = asked(args, reproducers)
    if args.calibration and "judge" in models and not args.judge:
        raise UsageError("--calibration: say whose labels these are, with --judge and --judge-model")
    confirming = TargetInfo(url=args.confirm_url or args.judge, model=args.confirm_model, label="second oracle")
    known = {"judge": TargetInfo(url=args.judge, model=args.judge_model, label="judge"), CONFIRMING: confirming}
    return {role: info for role, info in known.items() if role in models}


def asked(args: argparse.Namespace, reproducers: Iterable[Reproducer]) -> frozenset[str]:
    """The roles of models that the success rules ask. Raises UsageError."""
    try:
        return frozenset(role for one in reproducers for role in roles(_rule(args, one))) & MACHINES
    except ValueError as error:
        raise UsageError(f"--{error}; say --confirm human") from None
    except UnknownPluginError as error:
        raise UsageError(f"success: {error}") from None


def _rule(args: argparse.Namespace, reproducer: Reproducer) -> Mapping[str, Any]:
    rule = reproducer.success.to_json()
    if args.confirm is None:
        return rule
    return confirmed_rule(rule, "human" if args.confirm == "human" else "confirm")
