"""Server-made SVG charts and the inert rendering of hostile text: plain values in, strings out."""

from manyeyes.charts.bars import clock_bar, rate_bar, severity_bars, strip
from manyeyes.charts.comparison import BeforeAfter, before_after
from manyeyes.charts.evidence import FunnelPoint, PathPoint, evidence_path, funnel
from manyeyes.charts.heat import Cell, Panel, heat_map
from manyeyes.charts.icons import ICONS, icon, mark
from manyeyes.charts.inert import Segment, counted, escaped, segments
from manyeyes.charts.table import SameTable, rate_table

__all__ = [
    "ICONS",
    "BeforeAfter",
    "Cell",
    "FunnelPoint",
    "Panel",
    "PathPoint",
    "SameTable",
    "Segment",
    "before_after",
    "clock_bar",
    "counted",
    "escaped",
    "evidence_path",
    "funnel",
    "heat_map",
    "icon",
    "mark",
    "rate_bar",
    "rate_table",
    "segments",
    "severity_bars",
    "strip",
]
