"""MES 1.0, the severity rubric every program begins with; its weights are judgement, so they are data and versioned."""

from __future__ import annotations

from importlib import resources

from manyeyes.rules.rubric import Rubric, read_text

STANDARD: Rubric = read_text(resources.files("manyeyes.rules").joinpath("mes-1.0.json").read_text(encoding="utf-8"))
