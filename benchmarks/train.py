"""What the shipped recipes reach on real data: `python -m benchmarks.train [--seeds 3] [--only digits,pictures,...]`.

Nothing is chosen on what is held out: which rows those are stands in the recipes. `--data` names the shared data; each
seed of each recipe is a run in `--work`, and what is done is not done again. Bars are those of the issue; intervals are
over rows (whole groups are drawn: speakers, videos), and over seeds where there are several.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bars import Bars
from cinescope.api import recipe as recipes
from cinescope.api.answers import difference, interval, statistic_of
from cinescope.api.features import cache_folder
from cinescope.api.report import Told, told_of
from cinescope.api.train import MAIN, Summary, run
from cinescope.metrics.compare import t_interval

FLOORS = (
    "MFCC + SVM 71, a small CNN 77 to 80 | ridge on pixels 39, a ResNet-9 after 8 minutes 71 | "
    "MiniLM + logistic regression: MELD 50.5, CMU-MOSI 78.4"
)


@dataclass(frozen=True, slots=True)
class Runs:
    """One recipe trained with several seeds. `told`: the answers of each seed, of all folds."""

    summaries: list[Summary]
    told: list[Told]
    seconds: float  # of this process's processor; what was done before costs nothing

    def each(self, metric: str) -> list[dict[str, float]]:
        """Of each seed: fold -> figure."""
        return [{r.fold: r.metrics[metric] for r in s.of(MAIN)} for s in self.summaries]

    def value(self, metric: str) -> float:
        return float(np.mean([v for seed in self.each(metric) for v in seed.values()]))

    def say(self, name: str, metric: str) -> None:
        """Figures of each seed, and their intervals."""
        for seed, folds in enumerate(self.each(metric)):
            of = f" ({', '.join(f'{k} {v:.3f}' for k, v in folds.items())})" if len(folds) > 1 else ""
            print(f"{name}, seed {seed}: {metric} {np.mean(list(folds.values())):.4f}{of}")
        over = [float(np.mean(list(folds.values()))) for folds in self.each(metric)]
        statistic = statistic_of(self.told[0].kind, metric)
        if statistic is not None:
            rows = interval(self.told[0].rows, statistic)
            print(f"  seed 0 over rows: {rows.value:.4f} ({rows.low:.4f} to {rows.high:.4f})")
        if len(over) > 1:
            found = t_interval(over)
            print(f"  over {len(over)} seeds: {found.value:.4f} ({found.low:.4f} to {found.high:.4f})")
        trained = np.mean([r.seconds for s in self.summaries for r in s.of(MAIN)])
        print(f"  {trained:.0f} s of training a model, {self.seconds:.0f} s of processor in this call")


def trained(name: str, told: Any, data: Path) -> Runs:
    """A shipped recipe with every seed, without controls: they are not what is measured here."""
    recipe = recipes.load(name)
    before, summaries, answers = time.process_time(), [], []
    for seed in range(told.seeds):
        place = told.work / f"{name}-{seed}"
        summaries.append(
            run(
                recipe,
                place,
                data=data,
                seeds=[recipe.train.seed + seed],
                controls=False,
                resume=place.exists(),
                cache=cache_folder().parent / "prepared",
            )
        )
        answers.append(told_of(summaries[-1].of(MAIN), place))
    return Runs(summaries, answers, time.process_time() - before)


def digits(told: Any, bars: Bars) -> None:
    runs = trained("spoken_digits", told, told.data / "spoken_digits")
    runs.say("spoken digits", "accuracy")
    each = runs.each("accuracy")
    speakers = {k: float(np.mean([seed[k] for seed in each])) for k in each[0]}
    print("  by speaker, over seeds:", ", ".join(f"{k} {v:.3f}" for k, v in speakers.items()))
    bars.at_least("train.digits.mean", runs.value("accuracy"), 0.85)
    bars.at_least("train.digits.worst", min(speakers.values()), 0.75)


def pictures(told: Any, bars: Bars) -> None:
    runs = trained("cifar10", told, told.data / "images_cifar10_train10k.tar")
    runs.say("CIFAR-10", "accuracy")
    bars.at_least("train.pictures.accuracy", runs.value("accuracy"), 0.75)
    longest = max(r.seconds for s in runs.summaries for r in s.of(MAIN))
    bars.at_most("train.pictures.minutes", longest / 60, 30.0)


def emotion(told: Any, bars: Bars) -> None:
    runs = trained("meld_emotion", told, told.data / "text_emotion")
    runs.say("MELD", "weighted_f1")
    bars.at_least("train.emotion.weighted_f1", runs.value("weighted_f1"), 0.53)


def opinions(told: Any, bars: Bars) -> None:
    text, both = (trained(name, told, told.data / "mosi_train") for name in ("mosi_text", "mosi_text_audio"))
    text.say("CMU-MOSI, words", "accuracy")
    both.say("CMU-MOSI, words and voice", "accuracy")
    statistic = statistic_of(text.told[0].kind, "accuracy")
    assert statistic is not None
    for seed, (with_voice, without) in enumerate(zip(both.told, text.told, strict=True)):
        found = difference(with_voice.rows, without.rows, statistic)
        assert found is not None
        print(f"  seed {seed}, gained by the voice: {100 * found.value:+.1f} points "
              f"({100 * found.low:+.1f} to {100 * found.high:+.1f}, paired over rows)")  # fmt: skip
    bars.at_least("train.opinions.text", text.value("accuracy"), 0.79)
    bars.at_least("train.opinions.fusion.gain", both.value("accuracy") - text.value("accuracy"), -0.01)


PARTS = {"digits": digits, "pictures": pictures, "emotion": emotion, "opinions": opinions}


def main(given: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--only", default=",".join(PARTS), help=", ".join(PARTS))
    options.add_argument("--seeds", type=int, default=1, metavar="N")
    options.add_argument("--data", type=Path, default=Path(os.environ.get("CINESCOPE_TEST_DATA", "../shared/data")))
    options.add_argument("--work", type=Path, default=Path("runs/benchmark"))
    told = options.parse_args(given)
    unknown = set(told.only.split(",")) - set(PARTS)
    if unknown:
        options.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    bars = Bars()
    print(f"floors: {FLOORS}")
    for name in told.only.split(","):
        PARTS[name](told, bars)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
