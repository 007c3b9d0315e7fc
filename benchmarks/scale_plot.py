"""The figures of `benchmarks.scale` as one picture: time, recall and cost against the size of the library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_LINES = {  # label -> where it is among the figures
    "words": ("words",),
    "meaning": ("vectors",),
    "both": ("hybrid",),
    "both, keeping 50%": ("filtered", "0.5"),
    "both, keeping 1%": ("filtered", "0.01"),
    "both, keeping 0.1%": ("filtered", "0.001"),
}


def draw(figures: dict[int, dict[str, Any]], file: Path) -> None:
    """An SVG that is the same for the same figures."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "cinescope"
    import matplotlib.pyplot as plt

    sizes = sorted(figures)
    warm, cold, built = ([figures[s][part] for s in sizes] for part in ("warm", "cold", "built"))
    figure, (time, recall, cost) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for label, (first, *rest) in _LINES.items():
        time.plot(sizes, [w[first][rest[0]] if rest else w[first] for w in warm], marker="o", label=label)
    time.axhline(50, color="grey", linestyle=":", label="limit, both")
    time.axhline(100, color="grey", linestyle="--", label="limit, with a filter")
    time.set(title="warm search, median", ylabel="ms", ylim=(0, None))
    for name in warm[0]["recall"]:
        label = "all" if name == "all" else f"keeping {float(name):.1%}"
        recall.plot(sizes, [w["recall"][name] for w in warm], marker="o", label=label)
    recall.axhline(0.95, color="grey", linestyle=":", label="limit")
    recall.set(title="the ten nearest that are found", ylabel="recall@10", ylim=(0.9, 1.005))
    cost.plot(sizes, [c["cold"] for c in cold], marker="o", label="cold search, s")
    cost.plot(sizes, [c["no_cache"] for c in cold], marker="o", label="cold, files not in the disk cache, s")
    cost.plot(sizes, [w["peak_mb"] / 1024 for w in warm], marker="s", label="peak memory of searching, GB")
    cost.plot(sizes, [b["disk_mb"] / 1024 for b in built], marker="s", label="on disk, GB")
    cost.plot(sizes, [b["total"] / 60 for b in built], marker="^", label="building, minutes")
    cost.set(title="what it costs", ylim=(0, None))
    for axes in (time, recall, cost):
        axes.set(xscale="log", xlabel="segments")
        axes.legend(fontsize=8)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
