"""Folders of short clips whose class is their colour, for the tests of training: `class/clip.mp4`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.conftest import write_clip

COLOURS = {"red": (200, 40, 40), "green": (40, 170, 60), "blue": (50, 70, 200), "grey": (120, 120, 120)}


def class_clips(
    folder: Path, each: int = 6, classes: tuple[str, ...] = ("red", "green", "blue"), seed: int = 0, noise: float = 20.0
) -> Path:
    """`each` clips of 0.8 s for each class. The tone is the same in all: sound tells nothing."""
    random = np.random.default_rng(seed)
    for name in classes:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            colour = np.clip(np.array(COLOURS[name]) + random.normal(0, noise, 3), 0, 255).astype(int)
            shade = np.clip(colour + random.normal(0, noise, 3), 0, 255).astype(int)
            write_clip(
                folder / name / f"{name}{number}.mp4",
                [("", tuple(map(int, colour))), ("", tuple(map(int, shade)))],
                0.4,
            )
    return folder


RECIPE = """# cinescope train colours.yaml --data clips
name: colours
about: Clips of one colour each, with a tone that tells nothing.
data: {reader: folders}
split: {by: folds, count: 3, val: 0.25}
inputs:
  picture:
    features: [colour_moments]
    settings: {colour_moments: {rate: 5}}
    encoder: {name: gru, dim: 16}
  sound:
    features: [mfcc]
    steps: 40
    encoder: {name: gru, dim: 16}
fusion: {name: concat, dim: 16}
task: {name: classification, target: label}
train: {epochs: 8, batch: 8, lr: 0.02, save_every: 8}
"""


def shared_clips(factory: pytest.TempPathFactory) -> Path:
    """Three classes of five clips, rendered once for all tests; to be read only."""
    folder = factory.getbasetemp() / "class_clips"
    return folder if folder.is_dir() else class_clips(folder, 5)


def write_recipe(path: Path, **changes: str) -> Path:
    """The recipe above with lines replaced: `write_recipe(p, fusion="{name: gated}")`."""
    lines = [f"{line.split(':')[0]}: {changes[line.split(':')[0]]}" if line.split(":")[0] in changes else line
             for line in RECIPE.splitlines()]  # fmt: skip
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
