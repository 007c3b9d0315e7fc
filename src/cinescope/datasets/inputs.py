"""How the roles of a model are made of examples: extractors, pictures, tokens, published features; and normalisation.

What is fitted here (codebooks, vocabularies, means) is fitted on training examples only and is saved with the model,
because a raw video must go the same way. Knows no model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from cinescope.datasets.example import Example, takes_needs
from cinescope.datasets.rows import Ragged
from cinescope.features import EXTRACTORS
from cinescope.features.clips import load_clip
from cinescope.types import BadQueryError, CinescopeError, Clip, FittedExtractor, FrameNeed, Needs, Span

Summary = Literal["none", "mean", "stats"]
Cut = Literal["even", "first"]
Tell = Callable[[int, int], object]  # examples done, of how many
TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class PictureSpec:
    """Pictures as they are shown, for encoders that see pixels."""

    size: tuple[int, int] = (32, 32)  # width, height; the aspect is not kept
    rate: float | None = None  # pictures a second; None is every frame
    count: int | None = None  # so many, evenly spread over the clip, in place of a rate
    grey: bool = False

    def __post_init__(self) -> None:
        if min(self.size) < 1 or (self.count is not None and self.count < 1):
            raise BadQueryError(f"pictures of {self.size[0]}x{self.size[1]}, {self.count} of them, cannot be made")


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One role of a model. Exactly one of `features`, `pictures`, `tokens` and `given` says what it is made of."""

    features: tuple[str, ...] = ()  # extractors, side by side on the clock of the first
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)  # extractor -> its settings
    pictures: PictureSpec | None = None
    tokens: bool = False
    given: str = ""  # the role of the published features
    text: str = "speech"  # which text of the example text features and tokens read
    steps: int | None = None  # at most
    cut: Cut = "even"  # longer ones are thinned evenly, or cut after the first `steps`
    summary: Summary = "none"  # all steps become one: their mean, or mean and standard deviation side by side
    centre: bool = False  # each row's own mean over its steps is taken away: a channel's or a speaker's colour
    normalise: bool = True  # to mean 0 and deviation 1 over the training steps; pictures by channel

    def __post_init__(self) -> None:
        made = [bool(self.features), self.pictures is not None, self.tokens, bool(self.given)]
        if sum(made) != 1:
            raise BadQueryError(
                "an input is made of exactly one of features, pictures, tokens and given", f"this one names {sum(made)}"
            )
        if self.steps is not None and self.steps < 1:
            raise BadQueryError(f"an input of at most {self.steps} steps holds nothing", "give steps above 0")
        if (self.summary != "none" or self.centre) and (self.tokens or self.pictures is not None):
            raise BadQueryError("tokens and pictures have no summary and no centre", "use features, or leave it out")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> InputSpec:
        pictures = data.get("pictures")
        return cls(
            **{
                **data,
                "features": tuple(data.get("features", ())),
                "pictures": PictureSpec(**{**pictures, "size": tuple(pictures["size"])}) if pictures else None,
            }
        )


class Preparer:
    """Example -> role -> (values (T, ...), times (T, 2)). `fit` once on training examples, or `restore`."""

    def __init__(self, specs: Mapping[str, InputSpec]) -> None:
        self.specs = dict(specs)
        self._extractors: dict[str, list[Any]] = {
            role: [_create(name, spec.settings.get(name, {})) for name in _names(spec)]
            for role, spec in self.specs.items()
        }
        self.scales: dict[str, tuple[np.ndarray, np.ndarray]] = {}  # role -> mean, deviation

    def sources(self) -> dict[str, list[str]]:
        """Role -> keys of its extractors: what ran, in which version, with which settings."""
        return {role: [e.source.key for e in made] for role, made in self._extractors.items()}

    def needs(self) -> tuple[Needs, ...]:
        """What a clip is asked for, role by role; each once."""
        wanted: list[Needs] = []
        for role, spec in self.specs.items():
            if spec.pictures is not None:
                wanted.append(_picture_needs(spec.pictures))
            wanted += [e.needs for e in self._extractors[role]]
        return tuple(dict.fromkeys(wanted))

    def fit(self, examples: Sequence[Example], seed: int = 0) -> None:
        """Vocabularies and codebooks, where there is something to learn."""
        for role, spec in self.specs.items():
            for extractor in self._extractors[role]:
                if isinstance(extractor, FittedExtractor):
                    extractor.fit(_Clips(examples, spec.text, extractor.needs), seed)

    def fit_scales(self, inputs: Mapping[str, Ragged]) -> None:
        """Means and deviations over the true steps of the training rows."""
        for role, spec in self.specs.items():
            if spec.normalise and not spec.tokens and len(inputs[role].values):
                self.scales[role] = _scale(inputs[role].values)

    def width(self, role: str, inputs: Mapping[str, Ragged] | None = None) -> int:
        """What an encoder of this role is built for: numbers a step, channels, or the vocabulary."""
        spec = self.specs[role]
        if spec.pictures is not None:
            return 1 if spec.pictures.grey else 3
        if spec.tokens:
            return int(self._extractors[role][0].vocabulary_size)
        if spec.given:
            if inputs is None or not len(inputs[role].values):
                raise BadQueryError(f"no example has the published features '{spec.given}'")
            return int(inputs[role].values.shape[1])
        each = sum(e.dim for e in self._extractors[role])
        return 2 * each if spec.summary == "stats" else each

    def fitted_roles(self) -> list[str]:
        """Roles of which something is learnt from the training examples: they differ from fold to fold."""
        return [r for r, made in self._extractors.items() if any(isinstance(e, FittedExtractor) for e in made)]

    def only(self, roles: Sequence[str]) -> Preparer:
        """The same for these roles alone; what was learnt is shared."""
        made = Preparer({})
        made.specs = {role: self.specs[role] for role in roles}
        made._extractors = {role: self._extractors[role] for role in roles}
        made.scales = {role: scale for role, scale in self.scales.items() if role in roles}
        return made

    def inputs(
        self, examples: Sequence[Example], tell: Tell | None = None, roles: Sequence[str] | None = None
    ) -> dict[str, Ragged]:
        """All roles (or these) of all examples, not yet normalised."""
        rows: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {role: [] for role in roles or self.specs}
        for done, example in enumerate(examples):
            for role, row in self.one(example, roles).items():
                rows[role].append(row)
            if tell is not None:
                tell(done + 1, len(examples))
        return {role: Ragged.of(made) for role, made in rows.items()}

    def one(self, example: Example, roles: Sequence[str] | None = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Role -> values (T, ...) and times (T, 2) of one example."""
        clips: dict[Needs, Clip] = {}

        def clip(needs: Needs, text: str) -> Clip:
            # One decode for extractors of the same needs, whichever role they serve.
            if needs not in clips:
                clips[needs] = clip_of(example, needs)
            return _with_text(clips[needs], example, text)

        wanted = {role: self.specs[role] for role in roles or self.specs}
        return {role: _limited(self._make(role, spec, example, clip), spec) for role, spec in wanted.items()}

    def _make(
        self, role: str, spec: InputSpec, example: Example, clip: Callable[[Needs, str], Clip]
    ) -> tuple[np.ndarray, np.ndarray]:
        if spec.given:
            values = np.asarray(example.given.get(spec.given, np.zeros((0, 1))), np.float32)
            if not np.isfinite(values).all():
                raise CinescopeError(
                    f"the features '{spec.given}' of '{example.key}' hold values that are no numbers (NaN or infinite)",
                    "mend the file or leave the row out; `cinescope check-data` lists all of them",
                )
            at = np.arange(len(values), dtype=np.float64)
            return values, np.stack([at, at + 1], 1)
        if spec.pictures is not None:
            return _pictures(clip(_picture_needs(spec.pictures), spec.text), spec.pictures)
        made = [e(clip(e.needs, spec.text)) for e in self._extractors[role]]
        if spec.tokens:
            return made[0].values[:, 0].astype(np.int64), made[0].times
        return _beside([(m.values, m.times) for m in made])

    def normalised(self, role: str, values: np.ndarray) -> np.ndarray:
        """Raw values of a role (..., D) or pictures (T, C, H, W) uint8 as the model is given them, float32."""
        spec = self.specs[role]
        if spec.tokens:
            return values
        scaled = values.astype(np.float32)
        if role in self.scales:
            mean, deviation = self.scales[role]
            scaled = (scaled - mean) / deviation
        elif spec.pictures is not None:
            scaled /= 255
        return scaled

    def state(self) -> dict[str, Any]:
        """JSON values and numpy arrays, from which `restore` makes a fresh instance the same."""
        return {
            "specs": {role: spec.to_json() for role, spec in self.specs.items()},
            "extractors": {
                role: [e.state() if isinstance(e, FittedExtractor) else {} for e in made]
                for role, made in self._extractors.items()
            },
            "sources": self.sources(),
            "scales": {role: {"mean": mean, "deviation": dev} for role, (mean, dev) in self.scales.items()},
        }

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Preparer:
        """CinescopeError where an extractor's numbers have changed since the model was trained."""
        made = cls({role: InputSpec.from_json(spec) for role, spec in state["specs"].items()})
        for role, extractors in made._extractors.items():
            for extractor, learnt in zip(extractors, state["extractors"][role], strict=True):
                if isinstance(extractor, FittedExtractor):
                    extractor.restore(learnt)
        made.scales = {role: (np.asarray(s["mean"]), np.asarray(s["deviation"])) for role, s in state["scales"].items()}
        for role, now in made.sources().items():
            before = state["sources"][role]
            if now != before:
                raise CinescopeError(
                    f"the model was trained on {', '.join(before)} and this version makes {', '.join(now)} of a video",
                    "train it again, or use the version of Cinescope that trained it",
                )
        return made


class _Clips:
    """The clips of examples, loaded one by one each time they are gone through: a fit may need several passes."""

    def __init__(self, examples: Sequence[Example], text: str, needs: Needs) -> None:
        self._examples, self._text, self._needs = examples, text, needs

    def __iter__(self) -> Any:
        for example in self._examples:
            yield _with_text(clip_of(example, self._needs), example, self._text)


def clip_of(example: Example, needs: Needs) -> Clip:
    """What there is of an example for these needs. CinescopeError where its media cannot be read."""
    if example.clip is not None:
        return example.clip(needs=needs) if takes_needs(example.clip) else example.clip()
    # The file's own subtitles, where the dataset does not say what is said.
    reads = needs.subtitles and not example.texts
    if example.media is not None and (needs.frames is not None or needs.sound is not None or reads):
        return load_clip(example.media, needs, example.span)
    return Clip(example.span or Span(0.0, 1.0), name=example.key)


def _with_text(clip: Clip, example: Example, role: str) -> Clip:
    from dataclasses import replace

    text = example.texts.get(role)
    return clip if text is None or clip.words else replace(clip, text=text, name=clip.name or example.key)


def _names(spec: InputSpec) -> Iterable[str]:
    return (TOKENS,) if spec.tokens else spec.features


def _create(name: str, settings: Mapping[str, Any]) -> Any:
    return EXTRACTORS.create(name, **settings)


def _picture_needs(spec: PictureSpec) -> Needs:
    return Needs(frames=FrameNeed(spec.rate, spec.size))


def _pictures(clip: Clip, spec: PictureSpec) -> tuple[np.ndarray, np.ndarray]:
    """(T, C, H, W) uint8 and times."""
    import cv2

    channels = 1 if spec.grey else 3
    if clip.frames is None or not len(clip.frames):
        return np.zeros((0, channels, spec.size[1], spec.size[0]), np.uint8), np.zeros((0, 2))
    times = clip.frames.times
    chosen = np.arange(len(times))
    if spec.count is not None:
        # The middle of each of `count` equal parts (TSN's test-time choice); a still stands for all of them.
        chosen = np.unique(((np.arange(spec.count) + 0.5) * len(times) / spec.count).astype(int))
    data = clip.frames.data[chosen]
    if data.shape[1:3] != (spec.size[1], spec.size[0]):
        data = np.stack([cv2.resize(p, spec.size, interpolation=cv2.INTER_AREA) for p in data]).reshape(
            len(data), spec.size[1], spec.size[0], -1
        )
    if spec.grey and data.shape[3] == 3:
        data = np.stack([cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in data])[..., None]
    if not spec.grey and data.shape[3] == 1:
        data = np.repeat(data, 3, 3)
    ends = np.append(times[1:], max(clip.span.end, times[-1]))[chosen]
    return np.ascontiguousarray(data.transpose(0, 3, 1, 2)), np.stack([times[chosen], ends], 1)


def _beside(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Side by side on the clock of the first: of each other one, the step whose middle is nearest in time."""
    values, times = parts[0]
    if len(parts) == 1 or not len(values):
        width = sum(v.shape[1] for v, _ in parts)
        return (values, times) if len(parts) == 1 else (np.zeros((0, width), np.float32), np.zeros((0, 2)))
    if any(not len(v) for v, _ in parts):
        return np.zeros((0, sum(v.shape[1] for v, _ in parts)), np.float32), np.zeros((0, 2))
    middles = times.mean(1)
    columns = [values]
    for other, clock in parts[1:]:
        centres = clock.mean(1)
        after = np.searchsorted(centres, middles).clip(1, max(len(centres) - 1, 1))
        before = after - 1
        after = np.minimum(after, len(centres) - 1)
        nearer = np.where(np.abs(centres[before] - middles) <= np.abs(centres[after] - middles), before, after)
        columns.append(other[nearer])
    return np.concatenate(columns, 1), times


def _limited(row: tuple[np.ndarray, np.ndarray], spec: InputSpec) -> tuple[np.ndarray, np.ndarray]:
    values, times = row
    if spec.centre and len(values):
        values = values - values.mean(0, keepdims=True)
    if spec.summary != "none" and len(values):
        parts = [values.mean(0)] if spec.summary == "mean" else [values.mean(0), values.std(0)]
        return np.concatenate(parts)[None].astype(np.float32), np.array([[times[0, 0], times[-1, 1]]])
    if spec.summary == "stats":
        return np.zeros((0, 2 * values.shape[1]), np.float32), times
    if spec.steps is None or len(values) <= spec.steps:
        return values, times
    chosen = (
        np.arange(spec.steps)
        if spec.cut == "first"
        else np.linspace(0, len(values) - 1, spec.steps).round().astype(int)
    )
    return values[chosen], times[chosen]


def _scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each number over steps; of pictures (N, C, H, W), of each channel (C, 1, 1)."""
    if values.ndim == 4:
        # Every picture, thinned where there are many: a channel's mean needs no more.
        some = values[:: max(1, len(values) // 4096)].astype(np.float64)
        mean, deviation = some.mean((0, 2, 3))[:, None, None], some.std((0, 2, 3))[:, None, None]
    else:
        mean = values.mean(0, dtype=np.float64)
        deviation = np.sqrt(np.mean((values - mean) ** 2, 0, dtype=np.float64))
    # A number that never changes tells nothing; dividing by its deviation would make noise of rounding.
    deviation = np.where(deviation < 1e-6 * np.maximum(np.abs(mean), 1), 1.0, deviation)
    return mean.astype(np.float32), deviation.astype(np.float32)
