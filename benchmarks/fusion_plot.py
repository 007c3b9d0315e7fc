"""The fusions as a plot: a dot and its interval for each. Knows results, not how they came."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cinescope.metrics.compare import Interval, t_interval

INK, JOINT, ADDITIVE, LIMIT = "#333333", "#2b6cb0", "#c05621", "#999999"


def draw(results: Any, fusions: Sequence[str], additive: set[str], path: Path) -> None:
    """Four panels as SVG (or what the suffix says); the grey line is what is asked for."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pair, relation = ([t_interval(results.of(w, f, "both")) for f in fusions] for w in ("pair", "relation"))
    panels: list[tuple[str, list[Interval], float]] = [
        ("Pair of halves\n(accuracy, chance 6)", pair, 95),
        ("Relation of roles\n(accuracy, chance 25)", relation, 90),
        ("A role missing\n(points lost, worse role)", [_lost(results, f) for f in fusions], 3),
        ("Digits of new speakers\n(points above best role)", [t_interval(results.gains(f)) for f in fusions], 10),
    ]  # fmt: skip
    with pyplot.rc_context({"font.size": 9, "svg.hashsalt": "cinescope", "axes.edgecolor": INK}):
        figure, axes = pyplot.subplots(1, len(panels), figsize=(10, 0.27 * len(fusions) + 1.2), sharey=True)
        for axis, (title, intervals, limit) in zip(axes, panels, strict=True):
            axis.axvline(limit, color=LIMIT, linewidth=1, linestyle=":")
            for row, (name, i) in enumerate(zip(fusions, intervals, strict=True)):
                colour = ADDITIVE if name in additive else JOINT
                if i.high < float("inf"):
                    axis.plot([i.low, i.high], [row, row], color=colour, linewidth=1.5)
                axis.plot(i.value, row, "o", color=colour, markersize=4.5)
            axis.set_title(title, fontsize=9, color=INK)
            axis.grid(axis="y", color="#eeeeee")
            axis.set_axisbelow(True)
            for side in ("top", "right"):
                axis.spines[side].set_visible(False)
        axes[0].set_yticks(range(len(fusions)), [f"{n} (additive)" if n in additive else n for n in fusions])
        axes[0].invert_yaxis()
        figure.tight_layout()
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
        pyplot.close(figure)


def _lost(results: Any, fusion: str) -> Interval:
    """Of the two roles, the one without whose counterpart more is lost."""
    lost = []
    for role in ("picture", "sound"):
        trained, left = (results.of("redundant", fusion, v) for v in (role, f"{role} left"))
        lost.append(t_interval([a - b for a, b in zip(trained, left, strict=True)]))
    return max(lost, key=lambda i: i.value)
