"""Differences are told in words, not in a programming language's own."""

from __future__ import annotations

from manyeyes.runs.differing import differing


def test_no_difference_speaks_python() -> None:
    on_record = {"arms": [{"arm": "benign", "need": None}], "bound": None, "sound": True}
    found = list(differing("result", on_record, {"arms": [], "bound": 0.5, "sound": False}))
    assert [(one.what, one.on_record, one.found) for one in found] == [
        ("result.arms", "arm: benign, need: nothing", "nothing"),
        ("result.bound", "nothing", "0.5"),
        ("result.sound", "yes", "no"),
    ]
