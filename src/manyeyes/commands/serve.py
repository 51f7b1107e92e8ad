"""`manyeyes serve`: one web process with threads, and the worker as its child; nothing else to start."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import subprocess
import sys
import threading
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from manyeyes.commands.unreadable import LONGEST_LINE, Threads
from manyeyes.logs import NoContent

HELP = "serve the pages and run the worker beside them"
THREADS = 8
GRACE = 20.0  # how long the worker may take to store the trials in flight
LONGEST_WAIT = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen, and whether to run the worker."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default 8000)")
    parser.add_argument("--threads", type=int, default=THREADS, help=f"requests answered at once (default {THREADS})")
    parser.add_argument("--no-worker", action="store_true", help="serve pages only; run `manyeyes worker` elsewhere")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; 2 when the installation is not ready."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manyeyes.settings")
    # Links in mails and passkeys need the site's own name; behind a proxy it is given by the setting.
    os.environ.setdefault("MANYEYES_BASE_URL", f"http://localhost:{args.port}")
    try:
        problem = _not_ready()
    except ImproperlyConfigured as error:
        problem = str(error)
    if problem:
        print(f"manyeyes serve: {problem}", file=sys.stderr)
        return 2
    if taken(args.host, args.port):
        print(f"manyeyes serve: port {args.port} is in use; choose another with --port.", file=sys.stderr)
        return 2
    worker = None if args.no_worker else WorkerChild()
    Site(args, worker).run()
    return 0


def taken(host: str, port: int) -> bool:
    """Whether something listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself will
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


class WorkerChild:
    """Keeps one worker process running beside the pages, and ends it with them."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        # Starting a child waits for the end of a pipe. A web process that is forked in between inherits the pipe and
        # keeps it open, and the wait would last as long as that process: so the two never happen at once.
        self._forking = threading.Lock()
        release = self._forking.release
        os.register_at_fork(before=self._forking.acquire, after_in_parent=release, after_in_child=release)
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start it. One thread starts every child: Linux ends a child when the thread that made it ends."""
        self._thread = threading.Thread(target=self._keep, name="worker-child", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it: the trials in flight are stored, its replays go back to the queue."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()

    def _keep(self) -> None:
        wait = 1.0
        while not self._stopping.is_set():
            # The whole command line is ours: this interpreter, our own module, our process id.
            # A session of its own: Ctrl-C reaches us, and we end it in order.
            with self._forking:
                self._process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "manyeyes.cli", "worker", "--parent", str(os.getpid())],
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            while self._process.poll() is None and not self._stopping.is_set():
                self._stopping.wait(0.5)
            if not self._stopping.is_set():
                print(f"manyeyes serve: the worker ended; starting it again in {wait:.0f} s", file=sys.stderr)
                self._stopping.wait(wait)
                wait = min(wait * 2, LONGEST_WAIT)


class QuietLogger(Logger):  # type: ignore[misc]
    """Gunicorn's own log without what was sent and by whom."""

    def setup(self, cfg: Any) -> None:
        """Set up as always, with our filter on it."""
        super().setup(cfg)
        self.error_log.addFilter(NoContent())


class Site(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our settings: one process, threads, no access log, no control socket."""

    def __init__(self, args: argparse.Namespace, worker: WorkerChild | None) -> None:
        self.args, self.worker = args, worker
        super().__init__()

    def load_config(self) -> None:
        """Set everything here, so that no stray configuration file has a say."""
        worker, host = self.worker, self.args.host
        where = f"[{host}]:{self.args.port}" if ":" in host else f"{host}:{self.args.port}"

        def ready(_arbiter: Any) -> None:
            shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::1", "::") else host  # noqa: S104
            print(f"manyeyes is at http://{shown}:{self.args.port}/ (Ctrl-C ends it)", flush=True)
            if worker is not None:
                worker.start()

        def ended(_arbiter: Any) -> None:
            if worker is not None:
                worker.stop()

        values = {
            "bind": [where],
            "workers": 1,
            "worker_class": Threads,
            "limit_request_line": LONGEST_LINE,
            "threads": self.args.threads,
            "timeout": 120,
            "graceful_timeout": 15,
            "loglevel": "warning",
            "logger_class": QuietLogger,
            "accesslog": None,  # it would hold addresses
            "control_socket_disable": True,
            "when_ready": ready,
            "on_exit": ended,
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application, loaded in the web process."""
        from manyeyes.wsgi import application

        return application


def _not_ready() -> str:
    import django
    from django.db import connections

    django.setup()
    from manyeyes.commands.check import directories, master_key, tables

    try:
        for look in (directories, master_key, tables):
            for problem in look():
                return problem
        return ""
    finally:
        # Nothing of the database may be inherited by the web process: a forked pool would wait for ever.
        for connection in connections.all(initialized_only=True):
            connection.close()
            if hasattr(connection, "close_pool"):
                connection.close_pool()
