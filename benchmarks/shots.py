"""How well shots are found, and at what cost.

`python -m benchmarks.shots [--quick] [--no-accurate] [--joins 300]` in a checkout, with the shared data beside it or
named by CINESCOPE_TEST_DATA.

A boundary counts as found when it lies within one picture of a cut, or within two pictures of a dissolve's or fade's
transition; each true boundary can be found once, everything else that is reported is false. F1 = 2 found / (2 found +
false + missed), over all renderings of a kind: see `render_joins.py` for what the kinds hold. In the kinds flash, whip
and fast the one true boundary is a plain cut, and what they measure is the false ones beside it, printed too.

Thresholds, the project's and those of PySceneDetect's detectors, are chosen on even seeds; every number here is of odd
ones. A detector runs over a video at one setting, so its best setting is the one with the highest mean F1 over the six
kinds on even seeds: this project's mean must be above that mean. Kind by kind it must not be below either (equal is
enough: a perfect score cannot be beaten), not even below what the detector reaches at the setting that is best on that
kind alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks import shot_rivals
from benchmarks.bars import Bars
from benchmarks.render_joins import KINDS, RATE, Join, load, render
from cinescope.analysers.shots import SIZE, Shots
from cinescope.types import Frames, Material, Segment, Span, Video, Window

GRADUAL = ("dissolve", "fade")
KNOWN = {  # seconds, from the README of the shared data; fades.mp4 in pictures at 25 a second
    "media/torchcodec__nasa_13013.mp4": [8.08],
    "media/moviepy__big_buck_bunny_0_30.webm": [11.79, 15.67, 22.96],
    "media/pyscenedetect__fades.mp4": [84 / 25, 167 / 25],
}
Tally = dict[str, list[int]]  # kind -> found, false, missed


def data_folder() -> Path:
    return Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def feed(analyser: Shots, frames: np.ndarray, times: np.ndarray, durations: np.ndarray) -> list[Segment]:
    """All of a video in windows of 50 pictures; `frames` as the analyser needs them."""
    analyser.begin(Material(Video("", None, ())))
    found: list[Segment] = []
    for i in range(0, len(frames), 50):
        part = slice(i, i + 50)
        span = Span(float(times[i]), float(times[part][-1] + durations[part][-1]))
        shown = Frames(frames[part], times[part], "yuv")
        found += analyser.feed(Window(span, shown, tuple(durations[part].tolist())))
    return found + analyser.finish()


def read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from cinescope.media import VideoReader

    with VideoReader(path) as reader:
        rows = [(p.array(SIZE, "yuv"), p.time, p.duration) for p in reader.pictures()]
    return np.stack([r[0] for r in rows]), np.array([r[1] for r in rows]), np.array([r[2] for r in rows])


def to_yuv(frames: np.ndarray) -> np.ndarray:
    """RGB renderings as `Picture.array(SIZE, "yuv")` would give them."""
    small = [cv2.cvtColor(cv2.resize(f, SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2YCrCb) for f in frames]
    return np.stack(small)[..., [0, 2, 1]]


def within(join: Join, at: float) -> bool:
    margin = 1 if join.start == join.end else 2
    return join.start - margin - 1e-6 <= at <= join.end + margin + 1e-6


def tally(joins: list[Join], detect: Callable[[int], list[float]]) -> Tally:
    """`detect` gives the boundaries of the i-th rendering, in pictures."""
    counts: Tally = {kind: [0, 0, 0] for kind in KINDS}
    for i, join in enumerate(joins):
        found = detect(i)
        hit = any(within(join, at) for at in found)
        for place, value in enumerate((int(hit), len(found) - int(hit), int(not hit))):
            counts[join.kind][place] += value
    return counts


def f1(counts: list[int]) -> float:
    found, false, missed = counts
    return 2 * found / max(1, 2 * found + false + missed)


def mean_f1(counts: Tally) -> float:
    return float(np.mean([f1(counts[kind]) for kind in KINDS]))


def show(name: str, counts: Tally) -> None:
    cells = "  ".join(f"{kind} {f1(counts[kind]):.3f} ({counts[kind][1]} false)" for kind in KINDS)
    print(f"{name:12s} mean {mean_f1(counts):.3f}  {cells}", flush=True)


def measure_known(bars: Bars, data: Path, name: str, make: Callable[[], Shots]) -> None:
    for clip, truths in KNOWN.items():
        frames, times, durations = read(data / clip)
        step = float(np.median(durations))
        starts = np.array([s.span.start for s in feed(make(), frames, times, durations)[1:]])
        worst = max(float(np.abs(starts - t).min()) / step if len(starts) else np.inf for t in truths)
        # The README gives hundredths of a second; half of one is no error.
        bars.at_most(f"shots.{name}.known.{Path(clip).stem.split('__')[1]}.frames", worst, 1.0 + 0.005 / step)


def measure_single(bars: Bars, data: Path, name: str, make: Callable[[], Shots]) -> None:
    lines = (Path(__file__).parent / "single_shot_clips.txt").read_text().splitlines()
    false = 0
    for clip in (line for line in lines if line and not line.startswith("#")):
        found = [round(s.span.start, 2) for s in feed(make(), *read(data / clip))[1:]]
        if found:
            print(f"{clip} is one shot, {name} cuts it at {found}", flush=True)
        false += len(found)
    bars.at_most(f"shots.{name}.single_shot_clips.false", false, 0)


def measure_joins(joins: list[Join], yuv: list[np.ndarray], make: Callable[[], Shots]) -> Tally:
    def detect(i: int) -> list[float]:
        times = np.arange(len(yuv[i])) / RATE
        found = feed(make(), yuv[i], times, np.full(len(times), 1 / RATE))
        return [s.span.start * RATE for s in found[1:]]

    return tally(joins, detect)


def best_rivals(joins: list[Join], measured: list[shot_rivals.Measured], quick: bool) -> dict[str, dict[str, float]]:
    """Detector -> kind -> F1 on odd seeds, at the setting that was best on even ones; see the module's text."""
    started = time.perf_counter()
    parts = [[i for i, j in enumerate(joins) if j.seed % 2 == parity] for parity in (0, 1)]

    def run(name: str, arguments: dict[str, object], part: list[int]) -> Tally:
        found = [[float(b) for b in shot_rivals.boundaries(name, arguments, measured[i])] for i in part]
        return tally([joins[i] for i in part], lambda i: found[i])

    tried: dict[str, list[tuple[dict[str, object], Tally]]] = {}
    for name, arguments in shot_rivals.settings(quick):
        tried.setdefault(name, []).append((arguments, run(name, arguments, parts[0])))
    best: dict[str, dict[str, float]] = {}
    for name, runs in tried.items():
        overall = max(runs, key=lambda r: mean_f1(r[1]))[0]
        counts = run(name, overall, parts[1])
        show(name, counts)
        print(f"{'':12s} at {overall}, best of {len(runs)} settings on even seeds", flush=True)
        best[name] = {"mean": mean_f1(counts)}
        for kind in KINDS:
            alone = max(runs, key=lambda r: f1(r[1][kind]))[0]  # noqa: B023
            best[name][kind] = max(f1(counts[kind]), f1(run(name, alone, parts[1])[kind]))
    print(f"PySceneDetect took {time.perf_counter() - started:.0f} s", flush=True)
    return best


def measure_cost(bars: Bars, yuv: list[np.ndarray]) -> None:
    """Microseconds of one core per picture, decoding and scaling left out."""
    frames = np.concatenate(yuv[:80])
    times = np.arange(len(frames)) / RATE
    durations = np.full(len(times), 1 / RATE)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    spent = []
    for _ in range(3):
        started = time.process_time()
        feed(Shots(), frames, times, durations)
        spent.append((time.process_time() - started) / len(frames) * 1e6)
    cv2.setNumThreads(threads)
    bars.at_most("shots.quick.microseconds_per_frame", min(spent), 150)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="96 joins, fewer settings of PySceneDetect")
    parser.add_argument("--joins", type=int, default=300, help="how many are rendered (default: 300)")
    parser.add_argument("--no-accurate", action="store_true", help="leave out the setting that needs torch")
    options = parser.parse_args()
    data, bars = data_folder(), Bars()
    if not data.is_dir():
        print(f"the shared data is not at {data}: set CINESCOPE_TEST_DATA", file=sys.stderr)
        return 1
    stretches = load(data)
    joins, yuv, measured = [], [], []
    for seed in range(96 if options.quick else options.joins):
        join = render(stretches, seed)
        yuv.append(to_yuv(join.frames))
        measured.append(shot_rivals.measure(join.frames))
        joins.append(replace(join, frames=np.empty((0, 0, 0, 3), np.uint8)))  # 20 MB each
    odd = [i for i, j in enumerate(joins) if j.seed % 2]
    print(f"{len(joins)} joins, {sum(len(y) for y in yuv)} pictures; reported: {len(odd)} of odd seeds", flush=True)

    rivals = best_rivals(joins, measured, options.quick)
    makers: dict[str, Callable[[], Shots]] = {"quick": Shots}
    limits = {"quick": (0.95, 0.85), "accurate": (0.98, 0.93)}
    if not options.no_accurate:
        makers["accurate"] = lambda: Shots(accurate=True)
    for name, make in makers.items():
        started = time.perf_counter()
        counts = measure_joins([joins[i] for i in odd], [yuv[i] for i in odd], make)
        spent = time.perf_counter() - started
        show(name, counts)
        print(f"{'':12s} {sum(len(yuv[i]) for i in odd) / spent:.0f} pictures a second", flush=True)
        for kind in KINDS:
            bars.at_least(f"shots.{name}.f1.{kind}", f1(counts[kind]), limits[name][0 if kind == "cut" else 1])
        for rival, scores in rivals.items():
            bars.at_least(f"shots.{name}.mean_f1_above.{rival}", mean_f1(counts), scores["mean"] + 1e-9)
            for kind in KINDS:
                bars.at_least(f"shots.{name}.f1_not_below.{rival}.{kind}", f1(counts[kind]), scores[kind])
        measure_known(bars, data, name, make)
        measure_single(bars, data, name, make)
    measure_cost(bars, yuv)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
