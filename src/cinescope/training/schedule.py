"""The learning rate at a step, as a share of the highest. Plain functions of numbers."""

from __future__ import annotations

import math


def share(schedule: str, step: int, steps: int, warmup: float) -> float:
    """0 to 1 at `step` (from 0) of `steps`. Warm-up is linear; onecycle falls to 0 linearly (Smith and Topin 2017),
    cosine by half a wave (Loshchilov and Hutter 2016, eq. 5 without restarts)."""
    warm = max(1, round(warmup * steps)) if warmup else 0
    if step < warm:
        return (step + 1) / (warm + 1)
    left = (steps - step) / max(steps - warm, 1)
    match schedule:
        case "constant":
            return 1.0
        case "linear" | "onecycle":
            return max(left, 0.0)
        case "cosine":
            return 0.5 * (1 - math.cos(math.pi * max(left, 0.0)))
        case other:
            raise ValueError(f"no schedule '{other}'")
