"""Draws one plot: bars with ranges, in colours that can be read on white and on black.

``python -m benchmarks.plot`` takes JSON: the file, and panels of bars. It needs matplotlib, which
has an environment of its own.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK = "#7d8590"  # in the middle between black and white
OURS = "#2f81f7"
THEIRS = "#9aa4af"
BAR_INCHES = 0.32
HEAD_INCHES = 0.9
WIDTH_INCHES = 10.0


def main() -> None:
    told = json.load(sys.stdin)
    mpl.rcParams.update(
        {
            "svg.fonttype": "none",  # text stays text
            "svg.hashsalt": "chronos",  # the same figures give the same file
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    )
    most = max(len(panel["bars"]) for panel in told["panels"])
    size = (WIDTH_INCHES, HEAD_INCHES + BAR_INCHES * most)
    figure = Figure(figsize=size, layout="constrained")
    for place, panel in enumerate(told["panels"], start=1):
        draw(figure.add_subplot(1, len(told["panels"]), place), panel)
    figure.savefig(told["file"], transparent=True, metadata={"Date": None})


def draw(axes: Any, panel: dict[str, Any]) -> None:
    """The first bar is on top; a whisker reaches from the lowest to the highest repetition."""
    bars = panel["bars"][::-1]
    middles = [bar["median"] for bar in bars]
    below = [bar["median"] - bar["low"] for bar in bars]
    above = [bar["high"] - bar["median"] for bar in bars]
    colours = [OURS if bar["ours"] else THEIRS for bar in bars]
    axes.barh(range(len(bars)), middles, color=colours, height=0.7)
    axes.errorbar(middles, range(len(bars)), xerr=[below, above], fmt="none", ecolor=INK, capsize=2)
    axes.set_yticks(range(len(bars)), [bar["name"] for bar in bars])
    axes.set_title(panel["title"], fontsize=10)
    if min(middles) > 0 and max(middles) > 100 * min(middles):
        axes.set_xscale("log")
    for place, bar in enumerate(bars):
        axes.annotate(f" {bar['median']:.3g}", (bar["high"], place), va="center", fontsize=8)
    axes.margins(x=0.15)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


if __name__ == "__main__":
    main()
