"""Checks that the demo told the story it promises: `check_demo.py RESULT.json` exits 1 naming what fails."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def problems(demo: dict[str, object]) -> list[str]:
    """What in the demo's result differs from the promise; empty when all holds."""
    v1, v2, v3 = demo["v1"], demo["v2"], demo["v3"]
    assert isinstance(v1, dict)
    assert isinstance(v2, dict)
    assert isinstance(v3, dict)
    passing = [part["part"] for part in v2["parts"] if part["verdict"] == "fails"]
    reported = [part for part in v2["parts"] if part["part"] == "reported"]
    temperatures = {row["parameters"]["temperature"] for row in v1["settings"]}
    limits = {row["parameters"]["max_tokens"] for row in v1["settings"]}
    checks = {
        "v1 is reproduced": v1["verdict"] == "reproduced",
        "v2 is symptom_patched": v2["verdict"] == "symptom_patched",
        "v2's reported wording is blocked": bool(reported) and reported[0]["k"] == 0,
        "v2 names the variants that pass": bool(passing) and "reported" not in passing,
        "v3 holds": v3["verdict"] == "holds",
        "v3's residual is below 5 %": v3["bound"] <= 0.05,
        "v3 took 59 to 64 scored trials, or 124 after one success": 59 <= v3["n"] <= 64 or v3["n"] == 124,
        "calls equal the model server's own counter": demo["calls"] == demo["model_server_requests"],
        "at most 330 calls": int(str(demo["calls"])) <= 330,
        "two temperatures and temperature 0": {0.0, 0.7, 1.2} <= temperatures,
        "two token limits": len(limits) >= 2,
        "temperature 0 is one observation": all(
            row["one_answer"] for row in v1["settings"] if row["parameters"]["temperature"] == 0 and row["n"] > 1
        ),
    }
    return [name for name, holds in checks.items() if not holds]


def main() -> int:
    demo = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    wrong = problems(demo)
    print("the demo kept its promises" if not wrong else "not so: " + "; ".join(wrong))
    print(f"{demo['calls']} calls, {demo['seconds']:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
