"""Pure statistics of probabilistic exploits: plans in, trials out, outcomes in, a verdict out; no I/O."""

from manyeyes.engine.difference import paired_difference, unpaired_difference
from manyeyes.engine.drive import drive
from manyeyes.engine.foresight import Foresight, foresee_compare, foresee_map, foresee_sweep
from manyeyes.engine.intervals import (
    anytime_interval,
    exact_interval,
    exact_lower,
    exact_upper,
    lower_bound,
    per_trial_tau,
    residual_at,
    upper_bound,
    wilson_lower,
    wilson_upper,
)
from manyeyes.engine.judge import JudgeError
from manyeyes.engine.make import plan_reproduce, plan_score, plan_verify, zeros_needed
from manyeyes.engine.make_wider import plan_compare, plan_map, plan_sweep
from manyeyes.engine.patched import PatchForesight, foresee_patch
from manyeyes.engine.path import PathPoint, evidence_path
from manyeyes.engine.plan import (
    Answer,
    Arm,
    Batch,
    Cell,
    Feed,
    Fixed,
    Outcome,
    Plan,
    Progress,
    Question,
    Stream,
    SweepItem,
    Trial,
)
from manyeyes.engine.planner import Characteristics, Point, characteristics
from manyeyes.engine.replay import replay
from manyeyes.engine.resume import resumable, resumed
from manyeyes.engine.sweep import e_bh
from manyeyes.engine.verdict import ArmResult, Check, ItemVerdict, Pairs, PartVerdict, SettingRate, Verdict

__all__ = [
    "Answer",
    "Arm",
    "ArmResult",
    "Batch",
    "Cell",
    "Characteristics",
    "Check",
    "Feed",
    "Fixed",
    "Foresight",
    "ItemVerdict",
    "JudgeError",
    "Outcome",
    "Pairs",
    "PartVerdict",
    "PatchForesight",
    "PathPoint",
    "Plan",
    "Point",
    "Progress",
    "Question",
    "SettingRate",
    "Stream",
    "SweepItem",
    "Trial",
    "Verdict",
    "anytime_interval",
    "characteristics",
    "drive",
    "e_bh",
    "evidence_path",
    "exact_interval",
    "exact_lower",
    "exact_upper",
    "foresee_compare",
    "foresee_map",
    "foresee_patch",
    "foresee_sweep",
    "lower_bound",
    "paired_difference",
    "per_trial_tau",
    "plan_compare",
    "plan_map",
    "plan_reproduce",
    "plan_score",
    "plan_sweep",
    "plan_verify",
    "replay",
    "residual_at",
    "resumable",
    "resumed",
    "unpaired_difference",
    "upper_bound",
    "wilson_lower",
    "wilson_upper",
    "zeros_needed",
]
