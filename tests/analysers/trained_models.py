"""Models that take seconds to train, on clips of two colours and two tones: for the analyser of trained models."""

from __future__ import annotations

from pathlib import Path

import numpy as np

COLOURS = {"red": (190, 30, 40), "blue": (30, 50, 190)}
TONES = {"red": 220.0, "blue": 880.0}
WORDS = {"red": "the rose is red", "blue": "the sea is blue"}
SECONDS = 2.0  # of a clip: what the models look at at once
RATE = 10

PICTURES = {
    "picture": {
        "pictures": {"size": [16, 12], "rate": 5},
        "encoder": {"name": "cnn", "dim": 8, "settings": {"widths": [4, 8]}},
    }
}
# Two rates and three sizes of pictures, sound at two rates, and words.
EVERYTHING = {
    **PICTURES,
    "colour": {"features": ["colour_moments"], "encoder": {"name": "mlp", "dim": 8}},
    "edges": {
        "features": ["hog"],
        "settings": {"hog": {"rate": 3, "size": [64, 64]}},
        "summary": "mean",
        "encoder": {"name": "mlp", "dim": 8},
    },
    "sound": {
        "features": ["log_mel"],
        "settings": {"log_mel": {"sample_rate": 8000, "bands": 16}},
        "steps": 20,
        "encoder": {"name": "gru", "dim": 8},
    },
    "timbre": {"features": ["mfcc"], "summary": "stats", "encoder": {"name": "mlp", "dim": 8}},
    "words": {"tokens": True, "encoder": {"name": "word_rnn", "dim": 8}},
}


def film(path: Path, labels: list[str], seconds: float = SECONDS, size: tuple[int, int] = (96, 64)) -> Path:
    """A colour and its tone for each label, `seconds` long; noise, a shade and a pitch of its own."""
    from cinescope.media.encode import VideoWriter
    from cinescope.types import Waveform

    rng = np.random.default_rng(list(f"{path.parent.name}/{path.name}".encode()))
    each = round(seconds * RATE)
    shade, pitch = rng.integers(-25, 26, 3), rng.uniform(0.9, 1.1)
    with VideoWriter(path, size, RATE, sound=(16_000, 1)) as out:
        for n in range(each * len(labels)):
            plain = np.full((size[1], size[0], 3), COLOURS[labels[n // each]]) + shade
            out.picture((plain + rng.integers(-20, 21, plain.shape)).clip(0, 255).astype(np.uint8), n / RATE)
        clock = np.arange(round(seconds * 16_000)) / 16_000
        tones = [0.2 * np.sin(2 * np.pi * TONES[label] * pitch * clock) for label in labels]
        tones = [tone + rng.normal(0, 0.01, len(tone)) for tone in tones]
        out.sound(Waveform(np.concatenate(tones)[None].astype(np.float32), 16_000, 0.0))
    return path


def clips(folder: Path, each: int = 4) -> Path:
    """`red/0.mp4` with `red/0.txt` beside it, and so on."""
    for label in COLOURS:
        (folder / label).mkdir(parents=True)
        for n in range(each):
            film(folder / label / f"{n}.mp4", [label])
            (folder / label / f"{n}.txt").write_text(f"{WORDS[label]} {n}", encoding="utf-8")
    return folder


def train(folder: Path, data: Path, inputs: dict[str, object], epochs: int = 8, seed: int = 0) -> Path:
    """The best checkpoint of a run in `folder`, named "colours"."""
    from cinescope.api.recipe import parse
    from cinescope.api.train import run

    recipe = {
        "name": "colours",
        "data": {"reader": "folders"},
        "split": {"by": "every", "count": 4, "val": 0},
        "inputs": inputs,
        "fusion": {"name": "concat", "dim": 8},
        "task": {"name": "classification", "target": "label"},
        "train": {"epochs": epochs, "batch": 4, "lr": 0.01, "threads": 1},
        "controls": False,
    }
    run(parse(recipe), folder, data=data, seeds=[seed])
    return next(folder.rglob("best"))


def everything(folder: Path) -> Path:
    """A model that is fed all that there is. It has learnt little: its answers are only compared with themselves."""
    return train(folder / "run", clips(folder / "clips", 2), EVERYTHING, epochs=1)
