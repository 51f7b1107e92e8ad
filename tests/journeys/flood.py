"""Many reports with a file each at the same time, while the server is killed and started again; what came of each."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.journeys.site import REPORT

PATIENCE = 600.0
MARK = f"flood-{secrets.token_hex(8)}"
"""Each file begins with it: what lies in the clear after a kill is found by it."""


@dataclass
class Sender:
    """Somebody with one report and one file, who sends the same form again until a receipt is shown.

    They try again where the server is gone, and where it says that it is busy; any other failure ends it.
    """

    base: str
    slug: str
    target: str
    size: int
    submission: str = field(default_factory=lambda: str(uuid.uuid4()))
    ref: str = ""
    digits: str = ""
    tries: int = 0
    busy: int = 0
    told: str = ""
    refusals: list[int] = field(default_factory=list)
    digest: str = ""

    def run(self) -> None:
        """Until it is shown that the report arrived."""
        content = MARK.encode() + secrets.token_bytes(self.size)
        self.digest = hashlib.sha256(content).hexdigest()
        body, kind = self._form(content)
        del content  # two hundred of these lie in memory at once
        end = time.monotonic() + PATIENCE
        while not self.ref and time.monotonic() < end:
            self.tries += 1
            address = f"{self.base}/p/{self.slug}/report/"
            request = urllib.request.Request(address, data=body, headers={"Content-Type": kind, "Origin": self.base})
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:
                    page = answer.read().decode()
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    self.refusals.append(error.code)
                    return
                self.busy += 1
                self.told = error.read().decode()
                time.sleep(float(error.headers["Retry-After"]))
                continue
            except OSError:  # the server is gone: nobody knows whether the report arrived
                time.sleep(0.2)
                continue
            except Exception:  # http.client: an answer that broke off in the middle
                continue
            self._shown(page)

    def _shown(self, page: str) -> None:
        digits = re.findall(r"<span>(\d{4})</span>", page)
        named = re.search(r'data-case="([^"]+)"', page)
        if named and len(digits) == 6:
            self.ref, self.digits = named.group(1), " ".join(digits)

    def _form(self, content: bytes) -> tuple[bytes, str]:
        edge = f"edge-{uuid.uuid4().hex}"
        values = {**REPORT, "target": self.target, "identity": "anonymous", "submission": self.submission,
                  "steps": f"{REPORT['steps']} {self.submission}", "reproducer": "", "action": "send"}  # fmt: skip
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in values.items()
        ]
        head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{self.submission}.bin"\r\n\r\n'
        return b"".join(
            [*parts, head.encode(), content, f"\r\n--{edge}--\r\n".encode()]
        ), f"multipart/form-data; boundary={edge}"


def flood(senders: Sequence[Sender], *, kills: int, kill: Callable[[], None], again: Callable[[], None]) -> None:
    """All send at once; the server is killed `kills` times, each time when some have arrived and others have not."""
    threads = [threading.Thread(target=sender.run, daemon=True) for sender in senders]
    for thread in threads:
        thread.start()
    for number in range(kills):
        due = (number + 1) * len(senders) // (kills + 2)
        end = time.monotonic() + PATIENCE
        while sum(1 for one in senders if one.ref) < due and time.monotonic() < end:
            time.sleep(0.01)
        kill()
        again()
    for thread in threads:
        thread.join(PATIENCE)


def problems(senders: Sequence[Sender], whole: dict[str, Any]) -> list[str]:
    """What is wrong with what is stored (as `furnish.whole` tells it), beside what was shown to the senders."""
    found = [f"{one.submission}: refused {one.refusals}" for one in senders if one.refusals]
    found += [f"{one.submission}: no receipt" for one in senders if not one.ref]
    rows = {row["submission"]: row for row in whole["cases"]}
    for one in senders:
        row = rows.get(one.submission)
        if row is None or row["ref"] != one.ref:
            found.append(f"{one.submission}: the case of the receipt is not there")
        elif row["files"] != [one.digest] or not row["as_sent"] or row["events"] != 1:
            found.append(f"{one.submission}: not whole: {row}")
    if len(whole["cases"]) != len(senders):
        found.append(f"{len(whole['cases'])} cases of {len(senders)} reports")
    return found + [f"half: {name}" for name in whole["half"]]
