"""200 reports of 5 MB each at once while the server is killed and started again. Run: uv run python bench/flood.py

Needs 2 GB of memory and as much room on the disk. Prints how long people wait, how often they had to send again, and
what is stored beside what was shown. Ends with 1 when a report whose receipt was shown is missing, half or double.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]


def main() -> int:
    """One flood, one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=200)
    parser.add_argument("--megabytes", type=float, default=5.0)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--database", default="", help="an empty PostgreSQL database in place of the embedded one")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.journeys.flood import Sender, flood, problems
    from tests.journeys.test_marker import House

    with tempfile.TemporaryDirectory(prefix="flood-") as place:
        house = House(Path(place))
        house.environment["MANYEYES_ARGON2_MEMORY_KIB"] = "65536"  # as in production
        if options.database:
            house.environment["MANYEYES_DATABASE_URL"] = options.database
        house.patience = 900.0  # to read a gigabyte again, and to try each receipt
        house.call("-m", "manyeyes.cli", "init", "--no-program")
        made = house.furnish("make", "http://127.0.0.1:9/v1")
        house.serve()
        try:
            size = int(options.megabytes * 1_000_000)
            senders = [Sender(house.base, made["slug"], made["target"], size) for _ in range(options.reports)]
            began = time.monotonic()
            flood(senders, kills=options.kills, kill=house.kill, again=house.start)
            seconds = time.monotonic() - began
            whole = house.furnish("whole", *(one.digits for one in senders if one.digits))
        finally:
            house.end()
    wrong = problems(senders, whole)
    rows = {
        "database": "PostgreSQL" if options.database else "SQLite, embedded",
        "reports at once": options.reports,
        "megabytes each": options.megabytes,
        "times killed": options.kills,
        "seconds until all had a receipt": round(seconds, 1),
        "megabytes a second, sent again included": round(
            sum(one.tries for one in senders) * options.megabytes / seconds, 1
        ),
        "receipts shown": sum(bool(one.ref) for one in senders),
        "sent more than once": sum(one.tries > 1 for one in senders),
        "told to wait (503)": sum(one.busy for one in senders),
        "answered with any other failure": sum(len(one.refusals) for one in senders),
        "cases stored": len(whole["cases"]),
        "receipts that open their case": sum(whole["opened"].get(one.digits) == one.ref for one in senders),
        "missing, half or double": len(wrong),
    }
    for name, value in rows.items():
        print(f"{name:42} {value}")
    for problem in wrong[:20]:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
