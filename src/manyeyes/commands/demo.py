"""`manyeyes demo`: the whole program on a real small language model, live, and then the site to look around in."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path

HELP = "play one report through a whole program on a real small model, then serve the site"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How the demo ends, and what chance it plays with."""
    parser.add_argument("--once", action="store_true", help="end after the table instead of serving on")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--seed", type=int, default=1, help="seed of the trials (default 1)")
    parser.add_argument("--port", type=int, default=0, help="port of the site (default 8000, or a free one)")
    parser.add_argument("--keep", type=Path, help="keep the data in this directory")


def run(args: argparse.Namespace) -> int:
    """Set the stage, play, show the result; 0 when the story came out as promised, 1 when not, 2 when it broke."""
    from manyeyes.demo.browser import Lost
    from manyeyes.demo.children import StartError
    from manyeyes.demo.stage import stage

    start = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - start:5.0f} s] {line}", file=sys.stderr, flush=True)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with stage(say, port=args.port, keep=args.keep) as set_up:
            return _perform(args, set_up, say, start)
    except (Lost, StartError, RuntimeError) as error:
        print(f"manyeyes demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _perform(args: argparse.Namespace, set_up: object, say: object, start: float) -> int:
    from manyeyes.demo import result
    from manyeyes.demo.play import Show, play
    from manyeyes.demo.stage import Stage

    assert isinstance(set_up, Stage)
    assert callable(say)
    target = set_up.target
    show = Show(
        base=set_up.base, passwords=set_up.passwords, assistant_url=target.chat_url, seed=args.seed, say=say
    )  # fmt: skip
    play(show)
    seconds = time.monotonic() - start
    told = result.as_json(show, counted=target.requests_served(), seconds=seconds)
    if args.json:
        print(json.dumps(told, indent=2), flush=True)
    else:
        print("\n".join(("", result.table(show), "", result.settings_table(show), result.passing(show))), flush=True)
        counted = f"{told['calls']} model calls, counted by the model server itself: {told['model_server_requests']}"
        print(f"{counted}; {seconds:.0f} s.\n", flush=True)
    if not args.once:
        print(result.log_ins(show), file=sys.stderr if args.json else sys.stdout, flush=True)
        print("Ctrl-C ends the site and removes its data.", file=sys.stderr, flush=True)
        signal.pause()
    as_promised = [told[name]["verdict"] for name in ("v1", "v2", "v3")] == ["reproduced", "symptom_patched", "holds"]
    return 0 if as_promised else 1
