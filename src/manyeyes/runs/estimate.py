"""How many tokens a call of a plan takes, before one is made."""

from __future__ import annotations

from collections.abc import Sequence

from manyeyes.runs.document import PlanDocument

ANSWER = 256
"""Tokens expected of an answer where no setting names max_tokens."""


def tokens(document: PlanDocument) -> tuple[float, float]:
    """An estimate per call: four letters a token for the prompt, the whole of max_tokens for the answer."""
    requests = [document.requests[cell.key] for cell in document.plan.cells]
    into = [sum(len(str(message.get("content", ""))) / 4 + 4 for message in one.messages) for one in requests]
    out = [float(one.params.get("max_tokens", ANSWER)) for one in requests]
    return _mean(into), _mean(out)


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 1)
