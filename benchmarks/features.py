"""Features beside scikit-image and librosa: the same values, and at least as fast, in the same run on one thread.

python -m benchmarks.features [--only hog ...] [--seconds 2]     needs scikit-image and librosa

Each line is (name, ours, reference, check); the two are run in turns, first the one and then the other, and the speed
is the median of the pairs' ratios: 2 is twice as fast as the reference. `features.<name>.same` says whether the values
agree, `features.<name>.speed` how fast.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from statistics import median, quantiles
from typing import Any

from benchmarks.bars import Bars

TABLES = ("benchmarks.features_picture", "benchmarks.features_sound")
LEAST_PAIRS = 7
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def pairs(ours: Callable[[], Any], reference: Callable[[], Any], seconds: float) -> list[tuple[float, float]]:
    """Seconds that each took, in turns, for about so long and at least seven times."""
    made: list[tuple[float, float]] = []
    until = time.perf_counter() + seconds
    while len(made) < LEAST_PAIRS or (time.perf_counter() < until and len(made) < 1000):
        first, second = (ours, reference) if len(made) % 2 else (reference, ours)
        times = [_timed(first), _timed(second)]
        made.append((times[0], times[1]) if first is ours else (times[1], times[0]))
    return made


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(bars: Bars, only: list[str], seconds: float) -> None:
    for module in TABLES:
        for name, ours, reference, check in import_module(module).lines():
            if only and not any(name.startswith(wanted) for wanted in only):
                continue
            bars.equal(f"features.{name}.same", bool(check(ours(), reference())), True)  # and both are warm now
            times = pairs(ours, reference, seconds)
            ratios = [theirs / own for own, theirs in times]
            low, _, high = quantiles(ratios, n=4)
            own, theirs = (median(t) * 1000 for t in zip(*times, strict=True))
            print(
                f"{name}: {own:.3f} ms, reference {theirs:.3f} ms, {median(ratios):.2f} times as fast "
                f"(half of {len(ratios)} pairs in {low:.2f} to {high:.2f})"
            )
            bars.at_least(f"features.{name}.speed", median(ratios), 1.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], help="names, or how they begin")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each line")
    given = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # Numpy's libraries read these when they are loaded, so the whole process starts again with them.
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.features", *sys.argv[1:]], os.environ | ONE_THREAD)
    import cv2

    cv2.setNumThreads(1)
    bars = Bars()
    measure(bars, given.only, given.seconds)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
