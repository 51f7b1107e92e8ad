"""The options that every question about a finding shares, and what they mean."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from manyeyes.charts.inert import terminal
from manyeyes.reproducer.load import load_file
from manyeyes.reproducer.model import Reproducer
from manyeyes.reproducer.parse import Problem, ReproducerError
from manyeyes.reproducer.variants import FAMILIES, KNOWN


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


def add_question(parser: argparse.ArgumentParser, *, errors: bool = True, several: bool = False) -> None:
    """The options of every question. `errors` false where it has error rates of its own, `several` for many files."""
    if several:
        parser.add_argument("directory", metavar="DIR", help="where the reproducers are (*.poc.yaml, *.poc.json)")
    else:
        parser.add_argument("file", metavar="FILE", help="the reproducer (YAML or JSON)")
    group = parser.add_argument_group("question")
    if errors:
        add_errors(group)
    group.add_argument("--cap", type=whole(1), help=f"most trials {'of one finding' if several else 'that decide'}")
    if not several:
        group.add_argument("--retry-budget", type=whole(1), metavar="K", help="how often an attacker may try")
    group.add_argument("--seed", type=whole(0), help="fixes order, wordings and seeds (default: drawn, and told)")
    group.add_argument("--json", action="store_true", help="print exactly one JSON object")
    add_limits(parser)


def add_errors(group: argparse._ArgumentGroup) -> None:
    """Error rates, and what is drawn from."""
    group.add_argument("--alpha", type=float, default=0.05, help="chance of a wrong claim (default .05)")
    group.add_argument("--beta", type=float, default=0.05, help="chance of a wrong refusal of the claim (default .05)")
    group.add_argument("--all-settings", action="store_true", help="draw from every setting, not the rated one only")


def add_limits(parser: argparse.ArgumentParser) -> None:
    """What may be spent."""
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
    before = "successes of trials before the fix, for example 28/30 (default: as the version with the flaw has it)"
    group.add_argument("--before", metavar="K/N", help=before)
    known = f"{', '.join(KNOWN)}, pyrit, pyrit:NAME"
    families = f"of variants, with commas; a plus composes them. Known: {known} (default the first three)"
    group.add_argument("--families", default=",".join(FAMILIES), metavar="NAMES", help=families)
    group.add_argument("--per-family", type=whole(0), default=4, metavar="N", help="variants of each (default 4)")
    group.add_argument("--benign-trials", type=whole(1), metavar="N", help="harmless requests asked (default 20)")
    group.add_argument("--benign-need", type=whole(0), metavar="N", help="of which useful (default 17, or 85 in 100)")
    group.add_argument("--positive-need", type=whole(0), default=3, metavar="N", help="successes on it (default 3)")


def add_map(parser: argparse.ArgumentParser) -> None:
    """What only a map needs."""
    group = parser.add_argument_group("map")
    group.add_argument(
        "--certificate",
        choices=("practical", "rigorous"),
        default="practical",
        help="practical: on a budget, not proven (default); rigorous: until it is proven",
    )
    group.add_argument("--budget", type=whole(1), default=12, metavar="N", help="trials per setting (default 12)")
    group.add_argument("--epsilon", type=float, default=0.1, help="by how much a worse one would matter (default .1)")
    group.add_argument("--delta", type=float, default=0.05, help="chance of a wrong worst setting (default .05)")
    group.add_argument("--all-wordings", action="store_true", help="map every wording, not the first one only")
    group.add_argument("--fresh", type=whole(0), default=30, metavar="N", help="trials at the worst one (default 30)")


def add_compare(parser: argparse.ArgumentParser) -> None:
    """What only a comparison needs."""
    group = parser.add_argument_group("compare")
    group.add_argument("--unpaired", action="store_true", help="independent trials, where seeds mean nothing")
    group.add_argument(
        "--least", type=float, default=0.0, metavar="M", help="by how much one must be higher (needs --unpaired)"
    )


def add_sweep(parser: argparse.ArgumentParser) -> None:
    """What only a sweep needs."""
    group = parser.add_argument_group("sweep")
    group.add_argument("--allowed", type=float, default=0.01, metavar="P", help="rate each may keep (default .01)")
    group.add_argument("--fdr", type=float, default=0.05, help="share of false alarms among the flagged (default .05)")
    group.add_argument("--p-reg", type=float, default=0.2, help="rate that must not be missed (default .2)")
    group.add_argument("--miss", type=float, default=0.1, help="chance to miss one at that rate (default .1)")


QUESTIONS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "reproduce": add_reproduce,
    "verify": add_verify,
    "map": add_map,
    "compare": add_compare,
    "sweep": add_sweep,
}
"""The options that only one question takes."""


def other_question(args: argparse.Namespace, question: str) -> None:
    """Raises UsageError where an option was given that only the other question takes, which would be passed over."""
    for asked, add in QUESTIONS.items():
        if asked != question:
            bare = argparse.ArgumentParser(add_help=False)
            add(bare)
            for name, usual in vars(bare.parse_args([])).items():
                if getattr(args, name) != usual:
                    raise UsageError(f"--{name.replace('_', '-')}: belongs to --question {asked}; say that too")
    own = {"map": "--delta", "sweep": "--fdr and --miss"}.get(question)
    if own and (args.alpha, args.beta) != (0.05, 0.05):
        raise UsageError(f"--alpha and --beta: a {question} has {own} instead")


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
    return _in_environment(found, getattr(args, "environment", None))


def _in_environment(reproducer: Reproducer, name: str | None) -> Reproducer:
    """The reproducer in another environment than its file names."""
    if name is None:
        return reproducer
    if reproducer.environment is None:
        raise UsageError("--environment: this file needs no environment; leave it out")
    return reproducer.model_copy(update={"environment": reproducer.environment.model_copy(update={"name": name})})


def show(args: argparse.Namespace, data: dict[str, Any], text: str) -> None:
    """Prints the one object, or the text for people: the one door by which words of a file or a target come out."""
    print(json.dumps(data, allow_nan=False) if args.json else terminal(text))


def refuse(args: argparse.Namespace, error: Exception, *, kind: str, code: int, **known: Any) -> int:
    """Says on standard error what is wrong; with --json also as the one object."""
    print(terminal(f"manyeyes: {error}"), file=sys.stderr)
    if args.json:
        problems = [problem._asdict() for problem in getattr(error, "problems", [])]
        data = {"verdict": None, "error": {"kind": kind, "message": str(error), "problems": problems}, **known}
        print(json.dumps(data, allow_nan=False))
    return code


def run_directory(args: argparse.Namespace, name: str) -> Path:
    """Where the run is kept: the named directory, else a new one below ./manyeyes-runs."""
    return Path(args.out) if args.out else Path("manyeyes-runs") / name
