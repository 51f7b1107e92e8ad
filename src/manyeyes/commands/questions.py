"""The options that every question about a finding shares, and what they mean."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from manyeyes.engine import per_trial_tau
from manyeyes.reproducer.load import load_file
from manyeyes.reproducer.model import Reproducer
from manyeyes.reproducer.parse import Problem, ReproducerError
from manyeyes.reproducer.variants import FAMILIES
from manyeyes.runs.document import Caps
from manyeyes.runs.prepare import Options
from manyeyes.runs.price import Price


class UsageError(Exception):
    """Something the caller asked for that cannot be done; `problems` as a reproducer error has them."""

    def __init__(self, message: str, problems: list[Problem] | None = None) -> None:
        super().__init__(message)
        self.problems = problems or []


def whole(least: int) -> Callable[[str], int]:
    """What reads a whole number of at least `least`."""

    def read(text: str) -> int:
        if not text.strip().lstrip("+-").isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"give a whole number of at least {least}, not {text!r}")
        return int(text)

    return read


def amount(text: str) -> float:
    """A finite number above 0."""
    with contextlib.suppress(ValueError):
        if 0 < float(text) < float("inf"):
            return float(text)
    raise argparse.ArgumentTypeError(f"give a number above 0, not {text!r}")


def add_question(parser: argparse.ArgumentParser) -> None:
    """The statistical options."""
    parser.add_argument("file", metavar="FILE", help="the reproducer (YAML or JSON)")
    group = parser.add_argument_group("question")
    group.add_argument("--alpha", type=float, default=0.05, help="chance of a wrong claim (default .05)")
    group.add_argument("--beta", type=float, default=0.05, help="chance of a wrong refusal of the claim (default .05)")
    group.add_argument("--cap", type=whole(1), help="most trials of the main stream")
    group.add_argument("--retry-budget", type=whole(1), metavar="K", help="how often an attacker may try")
    group.add_argument("--seed", type=whole(0), help="fixes order, wordings and seeds (default: drawn, and told)")
    group.add_argument("--all-settings", action="store_true", help="draw from every setting, not the rated one only")
    group.add_argument("--json", action="store_true", help="print exactly one JSON object")
    caps = parser.add_argument_group("limits and price")
    caps.add_argument("--max-calls", type=whole(1), metavar="N", help="hard limit on requests sent")
    caps.add_argument("--max-tokens", type=whole(1), metavar="N", help="hard limit on tokens")
    caps.add_argument("--max-cost", type=amount, metavar="M", help="hard limit on money; needs prices")
    caps.add_argument("--price-in", type=float, metavar="M", help="money per million tokens sent")
    caps.add_argument("--price-out", type=float, metavar="M", help="money per million tokens answered")
    caps.add_argument("--currency", default="USD", help="of the prices (default USD)")


def add_reproduce(parser: argparse.ArgumentParser) -> None:
    """What only a reproduction needs."""
    group = parser.add_argument_group("reproduce")
    group.add_argument("--p0", type=float, default=0.01, help="a rate that would be no finding (default .01)")
    group.add_argument("--p-min", type=float, default=0.05, help="the smallest rate looked for (default .05)")
    group.add_argument("--min-successes", type=whole(1), default=1, metavar="N", help="successes needed (default 1)")
    group.add_argument("--margin", type=float, default=0.0, help="how far above the control it must be (default 0)")
    group.add_argument("--no-control", action="store_true", help="leave out the reproducer's control conversation")
    group.add_argument("--no-score", action="store_true", help="leave out the fixed trials per setting")
    group.add_argument(
        "--rated-trials", type=whole(1), default=30, metavar="N", help="at the rated setting (default 30)"
    )
    group.add_argument("--setting-trials", type=whole(1), default=8, metavar="N", help="at each other one (default 8)")


def add_verify(parser: argparse.ArgumentParser) -> None:
    """What only a verification needs."""
    group = parser.add_argument_group("verify")
    group.add_argument("--tau", type=float, help="the rate per trial that must not be reached (default .01)")
    group.add_argument("--attack-tau", type=float, metavar="T", help="the same for an attacker with K tries")
    group.add_argument("--before", metavar="K/N", help="successes of trials before the fix, for example 28/30")
    families = ", ".join(FAMILIES)
    group.add_argument("--families", default=",".join(FAMILIES), help=f"of variants, with commas (default {families})")
    group.add_argument("--per-family", type=whole(0), default=4, metavar="N", help="variants of each (default 4)")
    group.add_argument("--benign-need", type=whole(0), default=4, metavar="N", help="useful answers of 8 (default 4)")
    group.add_argument(
        "--positive-need", type=whole(0), default=3, metavar="N", help="successes of 8 before (default 3)"
    )


def other_question(args: argparse.Namespace, question: str) -> None:
    """Raises UsageError where an option was given that only the other question takes, which would be passed over."""
    for asked, add in (("reproduce", add_reproduce), ("verify", add_verify)):
        if asked != question:
            bare = argparse.ArgumentParser(add_help=False)
            add(bare)
            for name, usual in vars(bare.parse_args([])).items():
                if getattr(args, name) != usual:
                    raise UsageError(f"--{name.replace('_', '-')}: belongs to --question {asked}; say that too")


def reproducer_of(args: argparse.Namespace) -> Reproducer:
    """The reproducer in the named file. Raises UsageError."""
    try:
        found = load_file(args.file)
    except ReproducerError as error:
        raise UsageError(str(error), error.problems) from None
    except OSError as error:
        raise UsageError(f"{args.file}: {error.strerror or error}") from None
    if found.effects == "irreversible" and not getattr(args, "sandbox", True):
        raise UsageError("effects: this reproducer cannot be undone; run it in a sandbox and say --sandbox")
    return found


def options_of(args: argparse.Namespace, reproducer: Reproducer) -> Options:
    """The options, with τ worked out per trial. Raises UsageError."""
    said = vars(args)
    retries = args.retry_budget if args.retry_budget is not None else reproducer.retry_budget
    shared: dict[str, Any] = {
        "alpha": args.alpha,
        "beta": args.beta,
        "cap": args.cap,
        "retry_budget": retries,
        "seed": args.seed or 0,
        "mix": "all" if args.all_settings else "rated",
        "caps": Caps(max_calls=args.max_calls, max_tokens=args.max_tokens, max_cost=args.max_cost),
        "price": _price(args),
    }
    if "p0" in said:
        shared |= {"p0": args.p0, "p_min": args.p_min, "min_successes": args.min_successes, "margin": args.margin}
        shared |= {"use_control": not args.no_control, "score": not args.no_score}
        shared |= {"rated_n": args.rated_trials, "setting_n": args.setting_trials}
    if "tau" in said:
        families = [name for name in args.families.split(",") if name]
        shared |= {"tau": _tau(args, retries), "families": families, "per_family": args.per_family}
        shared |= {"before": _before(args.before), "benign_need": args.benign_need, "positive_need": args.positive_need}
    return Options(**shared)


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


def _before(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    k, slash, n = text.partition("/")
    if not (slash and k.strip().isdigit() and n.strip().isdigit()):
        raise UsageError(f"--before: give successes/trials, for example 28/30, not {text!r}")
    return int(k), int(n)


def show(args: argparse.Namespace, data: dict[str, Any], text: str) -> None:
    """Prints the one object, or the text for people."""
    print(json.dumps(data, allow_nan=False) if args.json else text)


def refuse(args: argparse.Namespace, error: Exception, *, kind: str, code: int, **known: Any) -> int:
    """Says on standard error what is wrong; with --json also as the one object."""
    print(f"manyeyes: {error}", file=sys.stderr)
    if args.json:
        problems = [problem._asdict() for problem in getattr(error, "problems", [])]
        data = {"verdict": None, "error": {"kind": kind, "message": str(error), "problems": problems}, **known}
        print(json.dumps(data, allow_nan=False))
    return code


def run_directory(args: argparse.Namespace, name: str) -> Path:
    """Where the run is kept: the named directory, else a new one below ./manyeyes-runs."""
    return Path(args.out) if args.out else Path("manyeyes-runs") / name
