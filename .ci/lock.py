"""Pins every dependency: writes requirements.lock (hashes, no addresses) and mirrors it into pyproject.toml."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START, END = "# pins: begin (written by .ci/lock.py)", "# pins: end"


def pins(lock: str) -> list[str]:
    """Every `name==version ; marker` line of a lock, without its hashes."""
    rows = re.findall(r"^([A-Za-z0-9][\w.\-\[\]]*==[^\s\\]+(?: ; [^\\\n]+)?)", lock, flags=re.MULTILINE)
    return sorted(row.strip() for row in rows)


def main() -> int:
    project = ROOT / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    if "--keep" not in sys.argv:  # resolve afresh, not under yesterday's pins
        block = re.compile(re.escape(START) + r".*?" + re.escape(END), flags=re.DOTALL)
        project.write_text(block.sub(f"{START}\nconstraint-dependencies = []\n{END}", text), encoding="utf-8")
    command = ["uv", "pip", "compile", "pyproject.toml", "--group", "dev", "--group", "model", "--universal"]
    command += ["--generate-hashes", "--no-header", "--no-annotate", "--quiet", "--output-file", "requirements.lock"]
    subprocess.run(command, cwd=ROOT, check=True)
    rows = pins((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    body = "\n".join(f'  "{row}",' for row in rows)
    text = project.read_text(encoding="utf-8")
    before, rest = text.split(START)
    after = rest.split(END)[1]
    project.write_text(f"{before}{START}\nconstraint-dependencies = [\n{body}\n]\n{END}{after}", encoding="utf-8")
    print(f"{len(rows)} packages pinned")
    return 0


if __name__ == "__main__":
    sys.exit(main())
