"""What a request of the console costs with few cases and with many. Run: uv run python bench/scale.py

Loads 1,000 cases, measures, loads on to 100,000 cases with 1,000,000 events in the same database, measures again.
The cost is CPU of the web process and, on PostgreSQL, of its backend, read from the kernel; parallel workers are off,
for their CPU would be nobody's. Ends with 1 when a page costs more than the bound, or takes more queries than the kinds
of rows on it explain.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import django

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "bench")]
BOUND = 1.5
ROUNDS = 40
MORE = 3
"""Queries more or less that rows of other kinds on a page may take: a page without a fix asks for none."""
RUNGS = (
    "new", "acknowledged", "triaged", "reproduced", "rated", "signed", "confirmed", "remediating", "fix_deployed",
    "retesting", "resolved", "resolved", "resolved", "resolved", "resolved", "resolved", "resolved", "resolved",
)  # fmt: skip


class Cost(NamedTuple):
    """CPU-seconds of one request, the part of them that is the database's backend, and its queries."""

    spent: float
    backend: float
    queries: int


def main() -> int:
    """One database, two sizes, one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--database", default="", help="an empty PostgreSQL database in place of the embedded one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scale-") as place:
        os.environ["MANYEYES_DATA_DIR"] = place
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        os.environ["MANYEYES_REQUIRE_MFA"] = "0"  # signing in is no part of what is measured
        if options.database:
            os.environ["MANYEYES_DATABASE_URL"] = options.database
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        return _measured(options)


def _measured(options: argparse.Namespace) -> int:
    import loading

    from tests.people import make_case, make_cast

    cast = make_cast()
    made = [make_case(cast, at=rung) for rung in sorted(RUNGS, key=lambda rung: rung == "retesting")]
    templates = [loading.Template(case) for case in made]
    figures: list[dict[str, Cost]] = []
    for cases in (options.few, options.cases):
        began = time.monotonic()
        loading.fill(templates, cases=cases, events=cases * 10, seed=7)
        _settle()
        figures.append(_pages(cast, made))
        print(f"{_held()}, loaded in {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(f"database: {'PostgreSQL' if options.database else 'SQLite, embedded'}")
    print("CPU-ms a request (of these the backend's), queries; with few, with many")
    worst, changed = 0.0, False
    for name, few in figures[0].items():
        many = figures[1][name]
        times = many.spent / few.spent
        worst, changed = max(worst, times), changed or many.queries > few.queries + MORE
        told = "   ".join(f"{one.spent * 1000:7.1f} ({one.backend * 1000:5.1f}) {one.queries:4}" for one in (few, many))
        print(f"{name:34} {told}   {times:.2f} times")
    print(f"worst {worst:.2f} times; bound {BOUND}")
    return 1 if worst > BOUND or changed else 0


def _settle() -> None:
    """Let the database learn what it holds, as it does by itself in time."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("analyze")
        if connection.vendor == "postgresql":
            cursor.execute("set max_parallel_workers_per_gather = 0")


def _held() -> str:
    from manyeyes.cases.models import Case
    from manyeyes.events.models import Event

    return f"{Case.objects.count():,} cases, {Event.objects.count():,} events"


def _pages(cast: Any, made: list[Any]) -> dict[str, Cost]:
    """Name of a page → what it costs."""
    from django.test import Client

    theo, rhea = Client(), Client()
    theo.force_login(cast.theo)
    rhea.force_login(cast.rhea)
    of = {case.status: case.ref for case in made}
    found = {
        f"queue, {view}": _cost(theo, f"/desk/?view={view}") for view in ("all", "mine", "late", "needs_me", "ended")
    }
    found["queue, gravest first"] = _cost(theo, "/desk/?sort=severity")
    found["queue, one kind, newest first"] = _cost(theo, "/desk/?kind=HC&sort=newest")
    found["queue, tenth page"] = _cost(theo, "/desk/?page=10")
    found["queue, search by number"] = _cost(theo, f"/desk/?q={of['triaged']}")
    found["queue, search by system"] = _cost(theo, "/desk/?q=wicket")
    found["today"] = _cost(theo, "/desk/today/")
    found["what is new"] = _cost(theo, f"/desk/news/?since={_an_hour_ago()}")
    found["case, triaged"] = _cost(theo, f"/desk/cases/{of['triaged']}/")
    found["case, resolved"] = _cost(theo, f"/desk/cases/{of['resolved']}/")
    found["a report, to its researcher"] = _cost(rhea, f"/my/{of['resolved']}/")
    return found


def _an_hour_ago() -> str:
    """What an open page asks with: nobody leaves it for years."""
    from manyeyes.rules import clock

    return quote((clock.now() - timedelta(hours=1)).isoformat())


def _cost(client: Any, path: str) -> Cost:
    """The lower quartile of ROUNDS: what else runs on the machine can only make a request dearer."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code, answer.get("Location"))
    queries, spent = len(asked), []  # counted before the next request, which empties the log
    for _ in range(ROUNDS):
        web, backend = time.process_time(), _backend()
        client.get(path)
        web, backend = time.process_time() - web, _backend() - backend
        spent.append((web + backend, backend))
    return Cost(*(statistics.quantiles(column)[0] for column in zip(*spent, strict=True)), queries=queries)


def _backend() -> float:
    """Seconds of CPU of the PostgreSQL process that serves this connection; 0 on SQLite, which has none."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    told = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return int(told.split()[0]) / 1e9


if __name__ == "__main__":
    raise SystemExit(main())
