"""`manyeyes worker`: drives replays and delivers mails until told to stop, or until its server is gone."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import signal
import sys
import threading
import time

HELP = "drive replays and deliver mails (serve starts one by itself)"
PR_SET_PDEATHSIG = 1
ORPHAN_POLL = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Only serve needs these."""
    parser.add_argument("--parent", type=int, default=0, help="end when this process is gone (serve sets it)")
    parser.add_argument("--once", action="store_true", help="end when nothing is waiting any more")


def run(args: argparse.Namespace) -> int:
    """Work; 0 after an orderly end, 2 when the installation is not ready."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manyeyes.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
        from manyeyes import worker
        from manyeyes.vault import keyring

        keyring.require_master()
    except ImproperlyConfigured as error:
        print(f"manyeyes worker: {error}", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if args.parent:
        end_with(args.parent, stop)
    worker.work(stop, once=args.once)
    return 0


def end_with(parent: int, stop: threading.Event) -> None:
    """Set `stop` as soon as `parent` is gone: at once on Linux, within a second elsewhere."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(ORPHAN_POLL)
        stop.set()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
