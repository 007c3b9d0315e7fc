"""What is so in one clip of a world: values, label, signs, events. Draws it; shows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cinescope.datasets.worlds.spec import MODALITIES, VALUES, WorldSpec
from cinescope.types import Span

# The streams of chance of one clip: a dial that changes one of them leaves the others as they are.
DRAW, SIGNS, MISSING, EVENTS, PICTURE, SOUND, TEXT, PICTURE_NOISE, SOUND_NOISE = range(9)


@dataclass(frozen=True, slots=True)
class Truth:
    """All that a clip tells, and when."""

    seed: int
    index: int
    label: int  # the number of the class
    values: dict[str, int]  # modality -> 0 to 3
    signs: dict[str, tuple[int, ...]]  # modality -> what it shows in each beat
    absent: tuple[str, ...]  # modalities that the clip lacks
    events: tuple[Span, ...]  # seconds, by start

    @property
    def key(self) -> str:
        return f"{self.seed}-{self.index:05d}"

    def to_json(self, spec: WorldSpec) -> dict[str, Any]:
        return {
            "key": self.key,
            "label": spec.labels[self.label],
            "values": self.values,
            "signs": {m: list(s) for m, s in self.signs.items()},
            "absent": list(self.absent),
            "events": [[e.start, e.end] for e in self.events],
        }


def random(seed: int, index: int, stream: int) -> np.random.Generator:
    """Chance as a function of the clip and of what it is for."""
    return np.random.default_rng([seed, index, stream])


def draw(spec: WorldSpec, seed: int, index: int) -> Truth:
    """A pure function of its arguments."""
    chance = random(seed, index, DRAW)
    free = dict(zip(MODALITIES, chance.integers(0, VALUES, len(MODALITIES)).tolist(), strict=True))
    agrees = dict(zip(MODALITIES, chance.random(len(MODALITIES)).tolist(), strict=True))
    first, values = free[spec.carriers[0]], dict(free)
    for modality in spec.carriers[1:]:
        if spec.label == "redundant" or (spec.label == "dominant" and agrees[modality] < spec.agreement):
            values[modality] = first
    carried = [values[m] for m in spec.carriers]
    label = first
    if spec.label == "relation":
        label = sum(carried) % VALUES
    elif spec.label == "pair":
        label = int(sum(v * VALUES ** (len(carried) - 1 - i) for i, v in enumerate(carried)))
    return Truth(
        seed, index, label, {m: values[m] for m in spec.modalities}, _signs(spec, values, seed, index),
        _absent(spec, seed, index), _events(spec, seed, index),
    )  # fmt: skip


def _signs(spec: WorldSpec, values: dict[str, int], seed: int, index: int) -> dict[str, tuple[int, ...]]:
    chance = random(seed, index, SIGNS)
    luck = chance.random((len(MODALITIES), spec.beats))
    other = chance.integers(1, VALUES, (len(MODALITIES), spec.beats))
    signs = {}
    for i, modality in enumerate(MODALITIES):
        wrong = luck[i] < spec.confusion.get(modality, 0.0)
        if modality in spec.modalities:
            signs[modality] = tuple(((values[modality] + wrong * other[i]) % VALUES).tolist())
    return signs


def _absent(spec: WorldSpec, seed: int, index: int) -> tuple[str, ...]:
    luck = random(seed, index, MISSING).random(len(MODALITIES))
    there = {m: luck[i] >= spec.missing.get(m, 0.0) for i, m in enumerate(MODALITIES)}
    return tuple(m for m in spec.modalities if not there[m])


def _events(spec: WorldSpec, seed: int, index: int) -> tuple[Span, ...]:
    """Spans of whole pictures, with a picture at least between them."""
    if not spec.events:
        return ()
    length = spec.event_frames
    room = spec.frames - spec.events * (length + 1) + 1
    starts = np.sort(random(seed, index, EVENTS).integers(0, room, spec.events))
    first = [int(s) + i * (length + 1) for i, s in enumerate(starts)]
    return tuple(Span(f / spec.rate, (f + length) / spec.rate) for f in first)
