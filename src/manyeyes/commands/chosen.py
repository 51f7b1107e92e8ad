"""Reads the options of a question into what a plan is made from."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from manyeyes.commands.questions import UsageError
from manyeyes.engine import per_trial_tau
from manyeyes.reproducer.model import Reproducer
from manyeyes.runs.document import Caps
from manyeyes.runs.prepare import Options
from manyeyes.runs.price import Price


def options_of(args: argparse.Namespace, reproducer: Reproducer | None = None) -> Options:
    """The options, with τ worked out per trial. Raises UsageError."""
    said = vars(args)
    known = 1 if reproducer is None else reproducer.retry_budget
    retries = known if said.get("retry_budget") is None else args.retry_budget
    shared: dict[str, Any] = {
        "alpha": said.get("alpha", 0.05),
        "beta": said.get("beta", 0.05),
        "cap": args.cap,
        "retry_budget": retries,
        "seed": args.seed or 0,
        "mix": "all" if said.get("all_settings") else "rated",
        "caps": Caps(max_calls=args.max_calls, max_tokens=args.max_tokens, max_cost=args.max_cost),
        "price": _price(args),
        "judge_price": _judge_price(args),
    }
    for question, read in (("reproduce", _reproduce), ("map", _map), ("compare", _compare), ("sweep", _sweep)):
        if _asks(args, question):
            shared |= read(args)
    if _asks(args, "verify"):
        shared |= _verify(args, retries)
    return Options(**shared, **_judge(args))


MARKS = {"reproduce": "p0", "verify": "tau", "map": "epsilon", "compare": "unpaired", "sweep": "fdr"}
"""An option that only one question has."""


def _asks(args: argparse.Namespace, question: str) -> bool:
    """Whether these are the options of this question; `plan` has all options and names the question."""
    return hasattr(args, MARKS[question]) and getattr(args, "question", question) == question


def _reproduce(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "p0": args.p0,
        "p_min": args.p_min,
        "min_successes": args.min_successes,
        "margin": args.margin,
        "use_control": not args.no_control,
        "score": not args.no_score,
        "rated_n": args.rated_trials,
        "setting_n": args.setting_trials,
    }


def _verify(args: argparse.Namespace, retries: int) -> dict[str, Any]:
    return {
        "tau": _tau(args, retries),
        "families": [name for name in args.families.split(",") if name],
        "per_family": args.per_family,
        "before": _before(args.before),
        "benign_n": args.benign_trials,
        "benign_need": args.benign_need,
        "positive_need": args.positive_need,
    }


def _map(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "certificate": args.certificate,
        "budget": args.budget,
        "epsilon": args.epsilon,
        "delta": args.delta,
        "wordings": "all" if args.all_wordings else "first",
        "rated_n": args.fresh,
        "score": args.fresh > 0,
    }


def _compare(args: argparse.Namespace) -> dict[str, Any]:
    return {"paired": not args.unpaired, "margin": args.least}


def _sweep(args: argparse.Namespace) -> dict[str, Any]:
    return {"tau": args.allowed, "fdr": args.fdr, "p_reg": args.p_reg, "clear_beta": args.miss}


def _judge(args: argparse.Namespace) -> dict[str, Any]:
    """What is known of the judge that the success rule asks."""
    found: dict[str, Any] = {}
    if confirm := getattr(args, "confirm", None):
        found["confirm"] = {"human": "human", "target": "confirm"}[confirm]
    if named := getattr(args, "calibration", None):
        from manyeyes.runs.calibration import Calibration, CalibrationError

        try:
            data = json.loads(Path(named).read_bytes())
            found["judge"] = Calibration.from_json(data).error()
        except OSError as error:
            raise UsageError(f"--calibration: {named}: {error.strerror or error}") from None
        except (CalibrationError, ValueError, RecursionError) as error:
            raise UsageError(f"--calibration: {named}: {error}") from None
    return found


def _tau(args: argparse.Namespace, retries: int) -> float:
    if args.tau is not None and args.attack_tau is not None:
        raise UsageError("give --tau (per trial) or --attack-tau (for K tries), not both")
    if args.attack_tau is None:
        return 0.01 if args.tau is None else float(args.tau)
    try:
        return per_trial_tau(args.attack_tau, retries)
    except ValueError as error:
        raise UsageError(f"--attack-tau: {error}") from None


def _price(args: argparse.Namespace) -> Price | None:
    if args.price_in is None and args.price_out is None:
        if args.max_cost is not None:
            raise UsageError(
                "--max-cost needs --price-in and --price-out; or limit --max-calls or --max-tokens instead"
            )
        return None
    return Price(per_million_in=args.price_in or 0.0, per_million_out=args.price_out or 0.0, currency=args.currency)


def _judge_price(args: argparse.Namespace) -> Price | None:
    """The price of the judges, where it was given."""
    into, out = getattr(args, "judge_price_in", None), getattr(args, "judge_price_out", None)
    if into is None and out is None:
        return None
    if args.price_in is None and args.price_out is None:
        raise UsageError("--judge-price-in: needs --price-in and --price-out too (0 where the target costs nothing)")
    return Price(per_million_in=into or 0.0, per_million_out=out or 0.0, currency=args.currency)


def _before(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    k, slash, n = text.partition("/")
    if not (slash and k.strip().isdigit() and n.strip().isdigit()):
        raise UsageError(f"--before: give successes/trials, for example 28/30, not {text!r}")
    return int(k), int(n)
