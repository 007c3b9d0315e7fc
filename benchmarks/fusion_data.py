"""What the fusions are tried on: the frozen worlds, and spoken digits with noisy pictures of digits, as arrays.

Features are made once and kept in a folder. Knows no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.datasets import DATASETS
from cinescope.datasets.worlds.reading import Benchmark, benchmark, rendered
from cinescope.features import EXTRACTORS
from cinescope.features.clips import load_clip

STEPS = 8  # of each role in a world: one a picture
NOISE = 9.0  # deviation, of pictures whose numbers go from 0 to 16
TUNING = ({"train": 901, "val": 902, "test": 903}, {"train": 911, "val": 912, "test": 913})
SHOWN_AS = {"relation": "pair"}  # worlds that show the same clips and ask another question of them
DIGIT_PICTURES = 1797
TEST_PICTURES = 297  # of them, for the speaker held out; chosen anew for each speaker and seed


@dataclass(frozen=True, slots=True)
class Rows:
    """N rows; the numbers of a role are (N, T, D) float32, to mean 0 and deviation 1 over the training rows."""

    inputs: dict[str, np.ndarray]
    labels: np.ndarray  # (N,) int64
    classes: int


def world(name: str, run: int, folder: Path, tuning: bool = False, share: float = 1.0) -> tuple[Rows, Rows]:
    """Training and test rows of one run of a frozen world (or of seeds that are for tuning); `share` of each."""
    frozen: Benchmark = benchmark()
    seeds = TUNING[run] if tuning else frozen.runs[run]
    counts = {split: round(share * frozen.counts[split]) for split in ("train", "test")}
    spec = frozen.worlds[name]
    dataset = rendered(spec, seeds, counts)
    number = {label: i for i, label in enumerate(spec.labels)}
    place = folder / f"{SHOWN_AS.get(name, name)}-{seeds['train']}-{counts['train']}.npz"
    if not place.exists():
        picture = EXTRACTORS.create("colour_moments", grid=(1, 1))
        sound = EXTRACTORS.create("mfcc", sample_rate=spec.sample_rate, coefficients=13, deltas=0, hop=250)
        made: dict[str, list[np.ndarray]] = {"picture": [], "sound": []}
        for example in dataset.examples:
            assert example.clip is not None
            clip = example.clip()
            made["picture"].append(picture(clip).values)
            made["sound"].append(thinned(sound(clip).values, STEPS))
        _save(place, **{role: np.stack(rows) for role, rows in made.items()})
    held = dict(np.load(place))
    labels = np.array([number[e.targets["label"]] for e in dataset.examples])
    return split_rows(held, labels, np.array([e.split == "test" for e in dataset.examples]), len(spec.labels))


def digits(data: Path, speaker: str, seed: int, folder: Path, plain: bool = False) -> tuple[Rows, Rows]:
    """Recordings of all other speakers and of this one, each with a noisy picture of the same digit, as one step.

    Sound: 13 MFCC, the mean of each quarter of the recording; unless `plain`, less that of all four, which is more of
    the voice and the microphone than of the word (cepstral mean normalisation, Atal 1974), and the speaker is new.
    Picture: 8 x 8 numbers from 0 to 16 with noise. No picture is both in training and in test.
    """
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    quarters, labels, speakers = spoken(data, folder)
    sound = (quarters if plain else quarters - quarters.mean(1, keepdims=True)).reshape(len(labels), -1)
    drawn = load_digits()
    chance = np.random.default_rng([seed, sorted(set(speakers.tolist())).index(speaker)])
    order = chance.permutation(DIGIT_PICTURES)
    test = speakers == speaker
    pictures = np.zeros((len(labels), 64))
    for part, pool in ((test, order[:TEST_PICTURES]), (~test, order[TEST_PICTURES:])):
        for digit in range(10):
            rows = np.flatnonzero(part & (labels == digit))
            pictures[rows] = drawn.data[chance.choice(pool[drawn.target[pool] == digit], len(rows))]
    pictures += chance.normal(0, NOISE, pictures.shape)
    return split_rows({"sound": sound[:, None], "picture": pictures[:, None]}, labels, test, 10)


def spoken(data: Path, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """MFCC (N, 4, 13) of the quarters, digits (N,) and speakers (N,) of the recordings."""
    place = folder / "spoken.npz"
    if not place.exists():
        extract = EXTRACTORS.create("mfcc", sample_rate=8000, coefficients=13, deltas=0)
        rows, labels, speakers = [], [], []
        for example in DATASETS.create("fsdd", data / "spoken_digits").examples:
            values = extract(load_clip(example.media, extract.needs)).values
            rows.append(thinned(values, 4))
            labels.append(int(example.targets["digit"]))
            speakers.append(example.group)
        _save(place, rows=np.stack(rows), labels=np.array(labels), speakers=np.array(speakers))
    held = _load(place)
    return held["rows"], held["labels"], held["speakers"]


@cache
def _load(place: Path) -> dict[str, np.ndarray]:
    return dict(np.load(place))


def split_rows(inputs: dict[str, np.ndarray], labels: np.ndarray, test: np.ndarray, classes: int) -> tuple[Rows, Rows]:
    """Training and test rows, scaled by the training rows alone."""
    scaled = {}
    for role, values in inputs.items():
        known = values[~test].reshape(-1, values.shape[-1]).astype(np.float64)
        mean, deviation = known.mean(0), known.std(0)
        scaled[role] = ((values - mean) / np.where(deviation > 1e-9, deviation, 1)).astype(np.float32)
    train, held = ({role: v[part] for role, v in scaled.items()} for part in (~test, test))
    return Rows(train, labels[~test], classes), Rows(held, labels[test], classes)


def thinned(values: np.ndarray, steps: int) -> np.ndarray:
    """(T, D) -> (steps, D): means of equal stretches; the shortest recording has five rows."""
    return np.stack([part.mean(0) for part in np.array_split(values, steps)])


def _save(place: Path, **arrays: Any) -> None:
    """Whole or not at all: two processes may make the same file."""
    import os

    work = place.with_name(f".{place.stem}.{os.getpid()}.npz")
    np.savez_compressed(work, **arrays)
    os.replace(work, place)
