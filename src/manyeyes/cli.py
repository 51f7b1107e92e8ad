"""The command line: a table of commands, each in a module of its own that is imported when it is asked for."""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import keyword
import sys
from collections.abc import Sequence
from typing import NoReturn

COMMANDS: dict[str, str] = {
    "demo": "play a whole program on a small local model, then serve it",
    "init": "make a small real program",
    "serve": "serve the pages, with the worker beside",
    "worker": "work on queued replays",
    "check": "look whether settings, keys and tables are in order, or what a program lacks to go public",
    "securitytxt": "write a program's security.txt, signed where it has a key",
    "policy": "lint a policy, or write a program's policy out",
    "taxonomy": "list or search public catalogues of flaws, or read in a new edition",
    "plan": "exact error rates and price of a question, before spending",
    "replay": "ask whether a finding can be reproduced, on a live model",
    "verify": "ask whether a fix holds, on a live model",
    "map": "find the setting at which a finding is worst, on a live model",
    "compare": "ask whether a new version is worse or better than an old one, on live models",
    "sweep": "try all closed findings again on a new version, and say which came back",
    "import": "read a result file of another tool: drafts, counts, and what is missing",
    "submit": "send a finding with its measurement to a program",
    "label": "say what answers were that no rule decided, or check a judge against people",
    "rejudge": "judge the stored answers of a run again, by another rule or another judge",
    "bundle": "make a signed evidence bundle of a finished run",
    "verify-bundle": "check an evidence bundle and score it again, offline",
}
"""Name and help; `module_name` tells the module, which has `add_arguments(parser)` and `run(args) -> int`."""

USAGE = 2
INTERRUPTED = 130
RARELY = 100_000
"""New objects that may come together until they are searched for cycles that nobody can reach any more."""
SERVERS = frozenset({"demo", "serve"})
"""Commands that are searched as often as Python does it: what a request leaves behind may hold a large file."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the options on standard error, and with --json also as the one object."""

    as_json = False

    def error(self, message: str) -> NoReturn:
        if self.as_json:
            print(json.dumps({"verdict": None, "error": {"kind": "usage", "message": message, "problems": []}}))
        super().error(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code. Without `argv` the process is taken to be there for nothing else."""
    if argv is not None:
        return _command(list(argv))
    if SERVERS.isdisjoint(sys.argv[1:2]):
        # Modules and calls in flight stay, and searching them took a quarter of a command's time to find nothing.
        gc.set_threshold(RARELY)
    try:
        return _command(sys.argv[1:])
    finally:
        gc.freeze()  # the memory goes back as a whole, so the search that Python makes last is for nothing too


def _command(args: list[str]) -> int:
    if not args or args[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if args else USAGE
    if args[0] == "--version":
        from importlib.metadata import version

        print(f"manyeyes {version('manyeyes')}")
        return 0
    name = args[0]
    if name not in COMMANDS:
        print(f"manyeyes: there is no command {name!r}\n\n{_overview()}", file=sys.stderr)
        return USAGE
    module = importlib.import_module(f"manyeyes.commands.{module_name(name)}")
    parser = _Parser(prog=f"manyeyes {name}", description=COMMANDS[name])
    parser.as_json = "--json" in args
    module.add_arguments(parser)
    try:
        asked = parser.parse_args(args[1:])
        asked.parser = parser  # what was asked can be written down again as options
        code: int = module.run(asked)
    except KeyboardInterrupt:
        if parser.as_json:
            print(json.dumps({"verdict": None, "error": {"kind": "interrupted", "message": "stopped", "problems": []}}))
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away, for example `| head`.
        sys.stderr.close()
        return USAGE
    return code


def module_name(command: str) -> str:
    """The module of a command; a word that Python keeps for itself gets an underscore.

    >>> module_name("verify-bundle"), module_name("import")
    ('verify_bundle', 'import_')
    """
    name = command.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def _overview() -> str:
    rows = "\n".join(f"  {name:<14} {said}" for name, said in COMMANDS.items())
    return f"usage: manyeyes COMMAND …\n\n{rows}\n\nmanyeyes COMMAND --help tells the options of one."


if __name__ == "__main__":
    sys.exit(main())
