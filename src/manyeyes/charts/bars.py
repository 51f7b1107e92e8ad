"""The small bars that stand beside words: a rate with its interval, a clock, a severity band, outcomes in order."""

from __future__ import annotations

from collections.abc import Sequence

from manyeyes.charts.draw import check_counts, check_rate, line, picture, rect, shape, text, whole

BANDS = ("none", "low", "medium", "high", "critical")
CLOCK_STATES = {"run": "time is passing", "soon": "nearly used up", "late": "late", "met": "kept", "paused": "paused"}


def rate_bar(
    k: int, n: int, low: float, high: float, claimed: float | None = None, *, width: int = 120, scale: bool = False
) -> str:
    """A rate on 0 to 100 %: thick bar for the interval, upright tick for the rate, diamond for what was claimed.

    Zero hits give a hollow bar with an end cap at the upper bound and no tick: how high the rate could still be.
    """
    check_counts(k, n, low, high)

    def at(p: float) -> float:
        return 1 + p * (width - 2)

    words = f"{k} of {n}, interval {whole(low)} to {whole(high)}" if k else f"0 of {n}, at most {whole(high)}"
    drawn = [line("axis", 1, 13, width - 1, 13)] + [line("axis", at(p), 11, at(p), 15) for p in (0, 0.5, 1)]
    if k == 0:
        drawn += [rect("iv-open", at(0), 3.5, at(high) - at(0), 5), line("cap", at(high), 1, at(high), 11)]
    else:
        drawn += [rect("iv", at(low), 3.5, at(high) - at(low), 5), line("point", at(k / n), 0, at(k / n), 12)]
    if claimed is not None:
        check_rate("claimed", claimed)
        x = min(max(at(claimed), 5), width - 5)
        drawn.append(shape("path", "claim", d=f"M{x:.1f} 10.5l4 -4l-4 -4l-4 4z"))
        words += f", claimed {whole(claimed)}"
    if scale:
        drawn += [text("0", 0, 28, "dim"), text("50", at(0.5), 28, "dim mid"), text("100\u202f%", width, 28, "dim end")]
    return picture("".join(drawn), width, 30 if scale else 16, words)


def strip(outcomes: Sequence[bool | None], *, width: int = 360, height: int = 16) -> str:
    """One tick a trial in the order they ran: tall for a success, short for a miss, hollow for undecided (None)."""
    total = len(outcomes)
    if total == 0:
        return picture("", width, height, "no trial has run yet")
    hits = sum(outcome is True for outcome in outcomes)
    return picture(strip_marks(outcomes, 0, 0, width, height), width, height, f"{hits} of {total} succeeded, in order")


def strip_marks(outcomes: Sequence[bool | None], x: float, y: float, width: float, height: float) -> str:
    """The ticks alone, to stand under another chart."""
    pitch = width / len(outcomes)
    wide = min(max(pitch * 0.72, min(1.0, pitch)), 6.0)  # few trials are still ticks, not blocks
    drawn = []
    for index, outcome in enumerate(outcomes):
        left = x + index * pitch
        if outcome is None:
            drawn.append(rect("open-tick", left, y + height * 0.4, wide, height * 0.6))
        elif outcome:
            drawn.append(rect("hit-tick", left, y, wide, height))
        else:
            drawn.append(rect("miss-tick", left, y + height * 0.62, wide, height * 0.38))
    return "".join(drawn)


def clock_bar(fraction: float, *, state: str = "run", width: int = 326) -> str:
    """How much of a promise is used up. The word beside it says late or kept; the colour only helps."""
    if state not in CLOCK_STATES:
        raise ValueError(f"state is {state!r}; it is one of {', '.join(CLOCK_STATES)}")
    share = min(max(fraction, 0.0), 1.0)
    end = share * width
    drawn = rect("track-bg", 0, 4, width, 4) + rect(state, 0, 4, end, 4)
    if state not in ("met", "paused"):
        drawn += line("point", min(max(end, 1), width - 1), 0, min(max(end, 1), width - 1), 12)
    return picture(drawn, width, 12, f"{whole(share)} of the time used, {CLOCK_STATES[state]}")


def severity_bars(band: str) -> str:
    """Four rising bars, filled up to the band; never coloured, the word always beside them."""
    known = band.lower()
    if known not in BANDS:
        raise ValueError(f"band is {band!r}; it is one of {', '.join(BANDS)}")
    filled = BANDS.index(known)
    bars = "".join(
        f'<rect x="{1 + i * 7}" y="{12 - 3 * (i + 1)}" width="5" height="{3 * (i + 1)}" stroke="currentColor" '
        f'fill="{"currentColor" if i < filled else "none"}"/>'
        for i in range(4)
    )
    return f'<svg class="icon" viewBox="0 0 29 13" width="29" height="13" aria-hidden="true">{bars}</svg>'
