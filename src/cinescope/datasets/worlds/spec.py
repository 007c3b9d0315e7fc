"""What a world is, as plain data: which modalities carry the label, and how hard it is. Renders nothing.

An example of a specification file:

    {"label": "relation", "carriers": ["picture", "sound"], "picture_by": "shape", "picture_noise": 20}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from cinescope.types import BadQueryError

Label = Literal["pair", "relation", "one", "redundant", "dominant"]
Modality = Literal["picture", "sound", "text"]
PictureBy = Literal["shape", "colour", "motion"]
SoundBy = Literal["pitch", "melody", "vowel"]
LABELS, MODALITIES = get_args(Label), get_args(Modality)
VALUES = 4  # what each modality tells is one of 0, 1, 2, 3
_SHORTEST_WORD = 0.002  # seconds; subtitles know milliseconds


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """A clip is `beats` equal stretches; in each, every modality gives one sign of its value 0 to 3.

    The label, of the values of the `carriers`: "pair" all of them side by side (4^n classes); "relation" their sum
    mod 4; "one" the value of the first, the others are noise; "redundant" all carriers have the same value, the
    label; "dominant" the first carrier has it, each other one with probability `agreement`.
    """

    label: Label = "pair"
    carriers: tuple[Modality, ...] = ("picture", "sound")
    modalities: tuple[Modality, ...] = ("picture", "sound", "text")  # those there are; no carrier: noise
    picture_by: PictureBy = "shape"  # what of the moving object is the sign; the rest of it is noise
    sound_by: SoundBy = "pitch"  # of a tone, how it glides, or the vowel of a syllable
    seconds: float = 2.0
    beats: int = 4
    size: tuple[int, int] = (64, 48)  # width, height
    rate: int = 10  # pictures a second
    sample_rate: int = 16000
    events: int = 1  # flash, click and the word "bell" at exact times, on the grid of the pictures
    event_modalities: tuple[Modality, ...] = MODALITIES
    event_seconds: float = 0.2
    object_size: float = 0.22  # radius, of the shorter side
    contrast: float = 1.0  # of the object against its ground, above 0
    distractors: int = 2  # small grey objects that stand still
    fillers: int = 1  # words without meaning beside each that has one
    picture_noise: float = 6.0  # deviation of each number of each pixel, of 255
    sound_noise: float = 0.05  # root mean square of white noise; that of a tone is about 0.2
    confusion: dict[str, float] = field(default_factory=dict)  # modality -> probability that a sign is another value's
    missing: dict[str, float] = field(default_factory=dict)  # modality -> probability that a clip lacks it
    agreement: float = 0.5  # see "dominant"

    def __post_init__(self) -> None:
        _known("label", self.label, LABELS)
        _known("picture_by", self.picture_by, get_args(PictureBy))
        _known("sound_by", self.sound_by, get_args(SoundBy))
        for name in ("carriers", "modalities", "event_modalities"):
            for modality in getattr(self, name):
                _known(name, modality, MODALITIES)
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise BadQueryError(f"a world's {name} name a modality twice")
        lacking = [m for m in self.carriers if m not in self.modalities]
        least = 1 if self.label in ("one", "redundant", "dominant") else 2
        if lacking or len(self.carriers) < least:
            raise BadQueryError(
                f"the label '{self.label}' cannot be carried by {', '.join(self.carriers) or 'nothing'} "
                f"among {', '.join(self.modalities) or 'nothing'}",
                f"name {least} or more of the modalities that there are",
            )
        for name in ("confusion", "missing"):
            for modality, chance in getattr(self, name).items():
                _known(name, modality, MODALITIES)
                _between(f"{name} of {modality}", chance, 0, 1)
        _between("agreement", self.agreement, 0, 1)
        _between("seconds", self.seconds, 0.2, 600)
        _between("beats", self.beats, 1, 1000)
        _between("rate", self.rate, 1, 120)
        _between("sample_rate", self.sample_rate, 8000, 96000)
        _between("width", self.size[0], 16, 4096)
        _between("height", self.size[1], 16, 4096)
        _between("events", self.events, 0, 20)
        _between("contrast", self.contrast, 0.01, 1)
        _between("object_size", self.object_size, 0.02, 0.5)
        for name in ("distractors", "fillers", "picture_noise", "sound_noise"):
            _between(name, getattr(self, name), 0, 1000)
        if self.frames / self.beats < 2:
            raise BadQueryError(
                f"{self.beats} beats in {self.seconds:g} s at {self.rate} pictures a second have less than 2 pictures",
                "give fewer beats or a higher rate",
            )
        if self.events * (self.event_frames + 1) > self.frames // 2:
            raise BadQueryError(
                f"{self.events} events of {self.event_seconds:g} s fill more than half of {self.seconds:g} s",
                "give fewer or shorter ones",
            )
        if "text" in self.modalities and self._speaking < _SHORTEST_WORD * (self.fillers + 1):
            raise BadQueryError(
                f"a beat of {self.seconds / self.beats:.3g} s has no time for {self.fillers + 1} words beside events",
                "give fewer beats, shorter events or fewer fillers",
            )

    @property
    def _speaking(self) -> float:
        """Seconds of a beat that are left for its words at the least: between its events, or beside the only one."""
        beat = self.seconds / self.beats
        if not self.events or "text" not in self.event_modalities:
            return beat
        beside = (beat - self.event_frames / self.rate) / 2
        return beside if self.events == 1 else min(beside, 1 / self.rate)

    @property
    def frames(self) -> int:
        return round(self.seconds * self.rate)

    @property
    def event_frames(self) -> int:
        """Pictures that an event lasts: its times are on their grid."""
        return max(1, round(self.event_seconds * self.rate))

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their numbers."""
        if self.label != "pair":
            return tuple(str(v) for v in range(VALUES))
        digits = len(self.carriers)
        return tuple(
            "".join(str(number // VALUES ** (digits - 1 - d) % VALUES) for d in range(digits))
            for number in range(VALUES**digits)
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any], name: str = "the specification") -> WorldSpec:
        """BadQueryError for a key that there is not, with the nearest one."""
        known = {f.name: f for f in fields(cls)}
        for key in data:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                raise BadQueryError(
                    f"{name}: there is no dial '{key}'",
                    f"did you mean '{near[0]}'?" if near else f"the dials are {', '.join(known)}",
                )
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        try:
            return cls(**plain)
        except (TypeError, AttributeError) as error:
            raise BadQueryError(f"{name}: a dial has a value of the wrong kind", str(error)) from error

    def changed(self, **dials: Any) -> WorldSpec:
        """The same with other dials."""
        return WorldSpec.from_json({**self.to_json(), **dials}) if dials else replace(self)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; BadQueryError where the file is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadQueryError(f"'{path}' cannot be read as JSON", "give a specification of a world") from error
    if not isinstance(data, dict):
        raise BadQueryError(f"'{path}' is no specification of a world: it has no keys")
    return data


def _known(what: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        near = get_close_matches(str(value), known, n=1)
        raise BadQueryError(
            f"a world's {what} cannot be '{value}'",
            f"did you mean '{near[0]}'?" if near else f"it can be {', '.join(known)}",
        )


def _between(what: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadQueryError(f"a world's {what} cannot be {value!r}", f"give a number from {low:g} to {high:g}")
