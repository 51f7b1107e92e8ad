"""The real settings with two seconds of patience for a locked database in place of twenty.

What holds the lock for long shows in a short test, and a sender who meets it is answered while the test looks on.
"""

from __future__ import annotations

from manyeyes.settings import *  # noqa: F403
from manyeyes.settings import DATABASES

DATABASES["default"]["OPTIONS"] = {**DATABASES["default"]["OPTIONS"], "timeout": 2}
