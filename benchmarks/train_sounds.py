"""Trains the net that tells kinds of sound apart, and writes its weights into the package.

    python -m benchmarks.train_sounds

Drawn applause, music and noise of even seeds (benchmarks/senses_sound.py) and the training half of the recorded
speakers. Nothing of the shared clips, and no odd seed, is seen.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from benchmarks.senses_sound import KINDS, RATE, sound
from cinescope.features.signal import sound_classes
from cinescope.features.signal.sound_descriptors import NAMES, PER_SECOND, PULSE, SIZE, describe, envelope, spectra

HIDDEN = 16
SEEDS = range(0, 700, 2)
EPOCHS, BATCH, RATE_OF_STEP, DECAY, NOISE = 60, 256, 3e-3, 1e-3, 0.15
VERSION = "1"


def descriptors(samples: np.ndarray, step: float = 0.5) -> np.ndarray:
    """(S,) -> (N, D), one second each, `step` seconds apart."""
    power = spectra(np.pad(samples, (SIZE // 2, SIZE // 2)))
    pulses = envelope(samples[: len(samples) // PULSE * PULSE])
    starts = np.arange(0, len(samples) / RATE - 1 + 1e-9, step)
    per_pulse = RATE // PULSE
    of_power, of_pulses = np.round(starts * PER_SECOND).astype(int), np.round(starts * per_pulse).astype(int)
    pairs = zip(of_power, of_pulses, strict=True)
    return np.stack([describe(power[a : a + PER_SECOND], pulses[b : b + per_pulse]) for a, b in pairs])


def examples(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    values, kinds = [], []
    for number, kind in enumerate(KINDS):
        for seed in SEEDS:
            made = descriptors(sound(kind, seed, shared))
            values.append(made)
            kinds += [number] * len(made)
    return np.concatenate(values), np.array(kinds)


def train(values: np.ndarray, kinds: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
    """Adam (Kingma and Ba 2015) on the cross entropy, with weight decay, noise on the inputs, and a falling rate."""
    rng = np.random.default_rng(seed)
    mean, deviation = values.mean(axis=0), values.std(axis=0) + 1e-6
    x = np.clip((values - mean) / deviation, -sound_classes.CLIP, sound_classes.CLIP)
    width = x.shape[1]
    net = {
        "into": rng.normal(0, width**-0.5, (width, HIDDEN)),
        "into_bias": np.zeros(HIDDEN),
        "out": rng.normal(0, HIDDEN**-0.5, (HIDDEN, len(KINDS))),
        "out_bias": np.zeros(len(KINDS)),
    }
    first = {k: np.zeros_like(v) for k, v in net.items()}
    second = {k: np.zeros_like(v) for k, v in net.items()}
    count = 0
    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        for at in range(0, len(order), BATCH):
            rows = order[at : at + BATCH]
            batch = x[rows] + rng.normal(0, NOISE, (len(rows), width))
            slopes = _slopes(net, batch, kinds[rows])
            count += 1
            rate = RATE_OF_STEP * (1 - epoch / EPOCHS)
            for name, slope in slopes.items():
                first[name] = 0.9 * first[name] + 0.1 * slope
                second[name] = 0.999 * second[name] + 0.001 * slope**2
                moment = first[name] / (1 - 0.9**count)
                net[name] -= rate * moment / (np.sqrt(second[name] / (1 - 0.999**count)) + 1e-8)
    return {"mean": mean, "deviation": deviation, **net}


def _slopes(net: dict[str, np.ndarray], x: np.ndarray, kinds: np.ndarray) -> dict[str, np.ndarray]:
    hidden = np.tanh(x @ net["into"] + net["into_bias"])
    score = hidden @ net["out"] + net["out_bias"]
    share = np.exp(score - score.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    share[np.arange(len(x)), kinds] -= 1
    share /= len(x)
    back = (share @ net["out"].T) * (1 - hidden**2)
    return {
        "into": x.T @ back + DECAY * net["into"], "into_bias": back.sum(axis=0),
        "out": hidden.T @ share + DECAY * net["out"], "out_bias": share.sum(axis=0),
    }  # fmt: skip


def main() -> None:
    shared = Path(os.environ.get("CINESCOPE_TEST_DATA", "../shared/data"))
    net = train(*examples(shared))
    kept = {
        "version": VERSION,
        "made by": f"benchmarks/train_sounds.py from drawn sounds of seeds {SEEDS[0]} to {SEEDS[-1]}, even ones",
        "kinds": KINDS,
        "descriptors": NAMES,
        **{name: np.round(values, 4).tolist() for name, values in net.items()},
    }
    sound_classes.FILE.write_text(json.dumps(kept, separators=(",", ":")) + "\n")
    print(f"wrote {sound_classes.FILE} ({sound_classes.FILE.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
