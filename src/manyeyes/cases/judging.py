"""A judge for a replay of a case: which may answer, what it costs, and in words why it may not."""

from __future__ import annotations

from dataclasses import replace

from manyeyes.cases.models import Case
from manyeyes.plugins.detection import roles
from manyeyes.programs import judges
from manyeyes.programs.models import TargetVersion
from manyeyes.programs.targets import price_of
from manyeyes.reproducer.model import Reproducer
from manyeyes.rules.permits import Refusal, Why
from manyeyes.runs.prepare import Options

NONE_CHOSEN = (
    "The success rule asks a judge model, and none is chosen. Choose one that the program allows, attach a rule "
    "without a judge, or make the trials by hand."
)


def asks(reproducer: Reproducer | None) -> bool:
    """Whether the success rule of a reproducer asks a model."""
    return reproducer is not None and "judge" in roles(reproducer.to_json()["success"])


def before(case: Case) -> TargetVersion | None:
    """The judge that somebody chose for the case's last replay that had one: the next is told by the same."""
    links = case.reproductions.filter(replay__judge_version__isnull=False).select_related("replay__judge_version")
    last = links.order_by("-asked_at").first()
    return last.replay.judge_version if last else None


def told(options: Options, judge: TargetVersion) -> Options:
    """The options with a person's look at each success: nobody has labelled this judge, so its word alone is none."""
    price, own = options.price, price_of(judge)
    same = price is not None and own is not None and own.currency == price.currency
    return replace(options, confirm="human", judge_price=own if same else options.judge_price)


def problems(case: Case, reproducer: Reproducer, judge: TargetVersion | None) -> list[Refusal]:
    """Why the replay may not start for its judge's sake; empty where it may, and where it needs none."""
    if not asks(reproducer):
        return []
    if judge is None:
        return [Refusal(Why.JUDGE, NONE_CHOSEN)]
    classes = sorted({reproducer.hazard or "", case.hazard} - {""}) or [""]
    return [one for name in classes for one in judges.refused(judge, name)]
