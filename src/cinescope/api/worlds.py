"""Worlds as files: rendered films whose labels need a chosen set of modalities. Trains nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def render_world(
    folder: str | Path,
    label: str = "pair",
    count: int = 20,
    seed: int = 0,
    *,
    subtitles: bool = True,
    tell: Callable[[int, int], object] | None = None,
    **dials: Any,
) -> list[Path]:
    """`count` MP4 files in `folder`, with truths.jsonl and world.json beside them; the same for the same seed.

    `dials` are those of `cinescope.datasets.worlds.spec.WorldSpec`; sizes are larger than there, for people's eyes.
    BadQueryError for a dial that there is not, and where the folder holds a world already.
    """
    from cinescope.datasets.worlds.rendering import render
    from cinescope.datasets.worlds.spec import WorldSpec

    told = {"label": label, "size": [320, 240], "rate": 25, **dials}
    if label == "one" and "carriers" not in dials:
        told["carriers"] = ["picture"]
    return render(Path(folder).expanduser(), WorldSpec.from_json(told, "this world"), count, seed, subtitles, tell)
