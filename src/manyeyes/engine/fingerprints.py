"""Whether the fingerprints of a target changed in time: a mix of several that stays the same mix is one target.

An honest provider may serve one model from several builds, each with a fingerprint of its own. While each request is
sent to one of them by chance, their order can be told from no other order of the same fingerprints. An update in the
middle of a run can: the first part has one set, a later part another.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import exp, inf, lgamma

from manyeyes.engine.special import log_sum

MANY = 255
"""The number shared by all fingerprints after the first 254; how these changed is not looked at."""
PARTS = 8
SHOWN = 4


class Prints:
    """The fingerprints of one stream by the index of the trial, a byte each; 0 where the target gave none."""

    def __init__(self) -> None:
        self.codes = bytearray()

    def set(self, index: int, number: int) -> None:
        """Keep one."""
        if index >= len(self.codes):
            self.codes.extend(bytes(index + 1 - len(self.codes)))
        self.codes[index] = number


class Numbers:
    """A number from 1 for each name, the same every time; `MANY` for all that come after the first 254."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        return self.of.setdefault(name, min(MANY, len(self.of) + 1))


def change_p_value(codes: Sequence[int]) -> float:
    """How likely so uneven a mix of fingerprints is between earlier and later answers, if their order is chance alone.

    `codes` are numbers of fingerprints in the order of time, 0 where there was none. At each eighth of the way, every
    fingerprint's share before is held against its share after by Fisher's (1922) exact test; the smallest p-value is
    multiplied by the number of tests (Bonferroni), so that a steady mix is never below .001 more often than that.

    >>> change_p_value([1, 2] * 20), change_p_value([1] * 20 + [2] * 20) < 1e-6
    (1.0, True)
    """
    kept = bytes(code for code in codes if code)
    names = sorted(set(kept) - {MANY})
    ends = sorted({len(kept) * part // PARTS for part in range(1, PARTS)} - {0, len(kept)})
    tests = len(ends) * (len(names) if len(set(kept)) > 2 else 1)
    if len(set(kept)) < 2 or not ends:
        return 1.0
    least = 1.0
    for name in names:
        seen, total = 0, kept.count(name)
        for start, end in pairwise((0, *ends)):
            seen += kept.count(name, start, end)
            least = min(least, split_p_value(seen, end, total, len(kept)))
    return min(1.0, least * tests)


def split_p_value(k: int, n: int, total: int, size: int) -> float:
    """Fisher's exact two-sided p-value of k among the first n, where `size` trials have `total` in all.

    >>> round(split_p_value(8, 8, 8, 16), 6)
    0.000155
    """
    whole = _log_choose(size, n)
    counts = range(max(0, n - (size - total)), min(n, total) + 1)
    logs = array("d", (_log_choose(total, x) + _log_choose(size - total, n - x) - whole for x in counts))
    cut = logs[k - counts.start] + 1e-9
    return min(1.0, exp(log_sum(array("d", (value for value in logs if value <= cut)))))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) if 0 <= k <= n else -inf


def listed(counts: Mapping[str, int]) -> str:
    """Fingerprints with their counts, the commonest first.

    >>> listed({"fp-a": 3, "fp-b": 9})
    'fp-b (9), fp-a (3)'
    """
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return ", ".join(f"{name} ({count})" for name, count in rows[:SHOWN]) + more


def counted(codes: Sequence[int], numbers: Numbers) -> Counter[str]:
    """How often each fingerprint stands in `codes`; those that share a number are told as one."""
    names = {number: name for name, number in numbers.of.items() if number != MANY}
    tally = Counter(code for code in codes if code)
    return Counter({names.get(code, "others"): count for code, count in tally.items()})
