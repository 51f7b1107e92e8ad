"""Runs the conformance tests of one plugin: `python -m manyeyes.plugins.conformance targets my_package:CASE`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

KINDS = ("targets", "environments", "detectors")
"""Each has a module here with `checks(case)`, which gives the tests of one case."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a line per test; 0 where every promise is kept, 1 where one is not, 2 where the case cannot be loaded."""
    parser = argparse.ArgumentParser(prog="python -m manyeyes.plugins.conformance", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("case", metavar="MODULE:CASE", help="where the case of your plugin is")
    asked = parser.parse_args(arguments)
    try:
        case = _loaded(asked.case)
        checks = import_module(f"manyeyes.plugins.conformance.{asked.kind}").checks(case)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        sys.stderr.write(f"{asked.case}: cannot be used: {error}\n")
        return 2
    failed = 0
    for check in checks:
        try:
            check()
        except Exception as error:
            failed += 1
            sys.stdout.write(f"not ok  {check.name}: {check.promise}\n        {type(error).__name__}: {error}\n")
        else:
            sys.stdout.write(f"ok      {check.name}: {check.promise}\n")
    sys.stdout.write(f"{len(checks) - failed} of {len(checks)} promises kept\n")
    return 1 if failed else 0


def _loaded(path: str) -> Any:
    """What a path names; a function is called for its case, and the current folder may hold the module."""
    module, colon, attribute = path.partition(":")
    if not colon or not module or not attribute:
        raise ValueError("write it as module:name")
    if "" not in sys.path:
        sys.path.insert(0, "")
    return getattr(import_module(module), attribute)


if __name__ == "__main__":
    raise SystemExit(main())
