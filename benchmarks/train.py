"""What the shipped recipes reach on real data: `python -m benchmarks.train [--only digits,pictures,emotion,loop]`.

Nothing is chosen on what is held out: which rows those are stands in the recipes. `--data` names the shared data; each
run is kept in `--work` and taken from there the next time. Bars are those of the issue; intervals are printed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.bars import Bars
from cinescope.api import recipe as recipes
from cinescope.api.features import cache_folder
from cinescope.api.train import MAIN, Summary, read_predictions, run
from cinescope.metrics.compare import bootstrap

FLOORS = "MFCC + SVM 71, a small CNN 77 to 80 | ridge on pixels 39, a ResNet-9 after 8 minutes 71 | MiniLM + LR 50.5"


def trained(name: str, data: Path, work: Path) -> tuple[Summary, float]:
    """The summary of a shipped recipe and the processor seconds of this process; what is done is not done again."""
    told = recipes.load(name)
    before = time.process_time()
    place = work / name
    summary = run(
        told,
        place,
        data=data,
        resume=place.exists(),
        cache=cache_folder().parent / "prepared",
    )
    return summary, time.process_time() - before


def interval(summary: Summary, work: Path) -> str:
    """The share of right answers over all held-out rows, with whole groups drawn."""
    lines = [p for r in summary.of(MAIN) for p in read_predictions(work / r.folder / "predictions.jsonl")]
    right = np.array([float(p["target"] == p.get("label")) for p in lines])
    groups = [p["group"] for p in lines]
    found = bootstrap(right, groups=groups if len(set(groups)) > 2 else None)
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def digits(data: Path, work: Path, bars: Bars) -> None:
    summary, seconds = trained("spoken_digits", data / "spoken_digits", work)
    each = {r.fold: r.metrics["accuracy"] for r in summary.of(MAIN)}
    print("spoken digits:", ", ".join(f"{k} {v:.3f}" for k, v in each.items()), f"{seconds:.0f} s of processor")
    print("  all rows, by speakers:", interval(summary, work / "spoken_digits"))
    bars.at_least("train.digits.mean", float(np.mean(list(each.values()))), 0.85)
    bars.at_least("train.digits.worst", min(each.values()), 0.75)


def pictures(data: Path, work: Path, bars: Bars) -> None:
    summary, seconds = trained("cifar10", data / "images_cifar10_train10k.tar", work)
    result = summary.of(MAIN)[0]
    print(f"CIFAR-10: {interval(summary, work / 'cifar10')}, training {result.seconds / 60:.1f} min, {seconds:.0f} s")
    bars.at_least("train.pictures.accuracy", result.metrics["accuracy"], 0.75)
    bars.at_most("train.pictures.minutes", result.seconds / 60, 30.0)


def emotion(data: Path, work: Path, bars: Bars) -> None:
    summary, seconds = trained("meld_emotion", data / "text_emotion", work)
    for variant in summary.variants():
        print(
            f"MELD, {variant}:", {k: round(v, 4) for k, v in summary.of(variant)[0].metrics.items()}, f"{seconds:.0f} s"
        )
    bars.at_least("train.emotion.weighted_f1", summary.of(MAIN)[0].metrics["weighted_f1"], 0.53)


PARTS = {"digits": digits, "pictures": pictures, "emotion": emotion}


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--only", default=",".join(PARTS))
    options.add_argument("--data", type=Path, default=Path(os.environ.get("CINESCOPE_TEST_DATA", "../shared/data")))
    options.add_argument("--work", type=Path, default=Path("runs/benchmark"))
    told = options.parse_args()
    bars = Bars()
    print(f"floors: {FLOORS}")
    for name in told.only.split(","):
        PARTS[name](told.data, told.work, bars)
    sys.exit(bars.finish())


if __name__ == "__main__":
    main()
