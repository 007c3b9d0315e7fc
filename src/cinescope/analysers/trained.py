"""What models that were trained here say of a video, stretch by stretch: `cinescope train` and `fit` write them.

Makes the kind "label": `text` is the label, `score` its probability, `data.model` whose it is and `data.probabilities`
the likeliest labels; one segment a stretch, for a model of several labels one for each that it says. Of a model that
tells a number, the kind "score": `data.score`, `data.target`. Neighbouring stretches are not joined: each has a
probability of its own. `data.absent` names the inputs that the video does not have there.

Where the length of the video is known the stretches are those of `cinescope predict`, and so are the answers. Knows
no terminal and no library; torch is imported when one is made.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cinescope.analysers.held_clips import HeldClips
from cinescope.analysers.transcript import BEHIND, HOLD
from cinescope.types import BadQueryError, Material, MissingPartError, Needs, Segment, Source, Span, Video, Window

if TYPE_CHECKING:
    from cinescope.tasks.trained import TrainedModel

_SPEECH = "transcript"
# Seconds until all words that begin in a window are told: as long as the transcript holds sound and waits, and a
# window of the ingest (2 s).
_WORDS_BEHIND = HOLD + BEHIND + 2.0
_TASKS = ("classification", "multilabel", "regression")
_LIKELIEST = 10  # labels whose probability is kept
_SAME = 1e-6  # seconds


class TrainedLabels:
    """`model`: a folder that train or fit wrote, or several with commas between; `window`: seconds of a stretch, 0 for
    the length that each model was trained on."""

    name = "trained"
    version = "1"
    summary = "what models say that you trained yourself"
    cost = "that of the model and of what it looks at; keeps one stretch of it in memory"
    requires = "a model: --set trained.model=FOLDER, from cinescope train or fit; pip install 'cinescope[train]'"
    by_default = False

    def __init__(self, model: str = "", window: float = 0.0) -> None:
        places = [p.strip() for p in model.split(",") if p.strip()] if isinstance(model, str) else []
        if not places:
            raise MissingPartError("trained: no model is named", "add --set trained.model=FOLDER, from cinescope train")
        if isinstance(window, bool) or not isinstance(window, int | float) or not 0 <= window < math.inf:
            raise BadQueryError(f"trained: window is {window}", "give seconds, or 0 for the length it was trained on")
        missing = self.available()
        if missing:
            raise MissingPartError(f"trained: {missing}", "pip install 'cinescope[train]'")
        self._window = float(window)
        self._models = _named([_opened(p) for p in places])
        self._lengths = [self._window or _length(m) for m in self._models]
        needs = [need for m in self._models for need in m.trained.preparer.needs()]
        reads = any(n.subtitles for n in needs)
        self._held = HeldClips(needs, _SPEECH if reads else "")
        fed = self._held.needs
        self.needs = Needs(
            fed.frames, fed.sound, fed.subtitles, fed.tracks, _WORDS_BEHIND if reads else 0.0,
            fed.more_frames, fed.more_sound,
        )  # fmt: skip
        self.source = Source(
            self.name,
            self.version,
            {
                "model": ", ".join(m.name for m in self._models),
                "weights": [m.digest for m in self._models],
                "window": self._window,
            },
        )
        self.begin(Material(Video("", None, ())))

    @staticmethod
    def available() -> str:
        absent = [p for p in ("torch", "safetensors") if find_spec(p) is None]
        return f"{absent[0]} is not installed: pip install 'cinescope[train]'" if absent else ""

    def begin(self, material: Material) -> None:
        self._held.begin(material)
        self._start = material.video.start
        self._told = [0] * len(self._models)  # stretches that each model is done with
        self._pending: list[Segment] = []  # behind stretches that another model is still waiting for
        self._fed = -math.inf  # seconds
        self._planned: list[list[Span]] | None = None  # of each model, where the end is known
        end = material.video.duration
        if end is not None:
            whole = Span(self._start, max(self._start, end))
            pairs = zip(self._models, self._lengths, strict=True)
            self._planned = [m.trained.windows(whole, length) for m, length in pairs]

    def feed(self, window: Window) -> list[Segment]:
        self._held.keep(window)
        self._fed = max(self._fed, window.span.end)
        for number in range(len(self._models)):
            while (span := self._next(number)) is not None and span.end <= self._fed + _SAME:
                self._ask(number, span)
        waiting = [span.start for n in range(len(self._models)) if (span := self._next(n)) is not None]
        if waiting:
            self._held.forget(min(waiting))
        return self._told_until(min(waiting, default=math.inf))

    def finish(self) -> list[Segment]:
        """What is left: the rest of a stream without an end, and stretches that end behind what could be read."""
        for number in range(len(self._models)):
            while (span := self._next(number)) is not None and span.start < self._fed - _SAME:
                self._ask(number, span if self._planned is not None else Span(span.start, self._fed))
        return self._told_until(math.inf)

    def _next(self, number: int) -> Span | None:
        """The stretch that a model is waiting for."""
        at = self._told[number]
        if self._planned is not None:
            return self._planned[number][at] if at < len(self._planned[number]) else None
        length = self._lengths[number]
        return Span(self._start + at * length, self._start + (at + 1) * length)

    def _ask(self, number: int, span: Span) -> None:
        from cinescope.datasets.example import Example

        self._told[number] += 1
        if span.duration <= 0:
            return
        model = self._models[number].trained
        key = f"{span.start:.3f}"
        example = Example(key, span=span, clip=lambda needs: self._held.clip(needs, span, key))
        rows = model.rows([example])
        absent = [role for role, ragged in rows.inputs.items() if not ragged.lengths[0]]
        if len(absent) == len(rows.inputs):
            return  # nothing of what it looks at is there: it says nothing
        shown = Span(span.start, max(span.start, min(span.end, self._fed)))
        data: dict[str, Any] = {"model": self._models[number].name} | ({"absent": absent} if absent else {})
        self._pending += self._said(model, shown, model.answer_rows(rows)[0], data)

    def _said(self, model: TrainedModel, span: Span, answer: dict[str, Any], data: dict[str, Any]) -> list[Segment]:
        if "probabilities" not in answer:
            told = data | {"score": round(model.said(answer)[1], 6), "target": model.target}
            return [Segment(span, "score", self.source, data=told)]
        likely = sorted(zip(answer["probabilities"], model.labels, strict=True), key=lambda p: -p[0])
        told = data | {"probabilities": {label: round(p, 6) for p, label in likely[:_LIKELIEST]}}
        labels = answer["labels"] if "labels" in answer else [answer["label"]]
        return [
            Segment(
                span, "label", self.source, model.labels[n], score=min(1.0, float(answer["probabilities"][n])),
                data=dict(told),
            )
            for n in labels
        ]  # fmt: skip

    def _told_until(self, start: float) -> list[Segment]:
        """In order of time, whichever model is done first."""
        self._pending.sort(key=lambda s: s.span.start)
        done = [s for s in self._pending if s.span.start < start]
        self._pending = self._pending[len(done) :]
        return done

    def state(self) -> dict[str, Any]:
        pending = [[s.span.start, s.span.end, s.kind, s.text, s.score, s.data] for s in self._pending]
        fed = None if math.isinf(self._fed) else self._fed
        return {"held": self._held.state(), "told": list(self._told), "fed": fed, "pending": pending}

    def restore(self, state: dict[str, Any]) -> None:
        self._held.restore(state["held"])
        self._told = [int(n) for n in state["told"]]
        self._fed = -math.inf if state["fed"] is None else float(state["fed"])
        self._pending = [
            Segment(Span(start, end), kind, self.source, text, score=score, data=data)
            for start, end, kind, text, score, data in state["pending"]
        ]


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    trained: TrainedModel
    name: str
    digest: str  # of the weights, the preparation and the labels: another training is another source


def _opened(place: str) -> _Opened:
    """CinescopeError for what is no checkpoint, MissingPartError for a model that has nothing to say of a video."""
    from cinescope.tasks import TASKS
    from cinescope.tasks.trained import find
    from cinescope.training import checkpoint

    folder = find(Path(place).expanduser())
    checkpoint.describe(folder)  # says what is wrong with a folder that is none
    files = [folder / f for f in (checkpoint.ABOUT, checkpoint.MODEL, checkpoint.ARRAYS)]
    stamps = tuple((f.stat().st_mtime_ns, f.stat().st_size) if f.exists() else (0, 0) for f in files)
    opened = _loaded(str(folder.resolve()), stamps)
    trained = opened.trained
    task = trained.about["task"]["name"]
    if task not in _TASKS and task in TASKS.all():
        raise MissingPartError(
            f"trained: '{place}' was trained for {task}, which says nothing of a stretch of video",
            f"name a model of {', '.join(_TASKS[:-1])} or {_TASKS[-1]}",
        )
    if trained.context:
        raise MissingPartError(
            f"trained: '{place}' reads neighbouring utterances, and a video has none", "use `cinescope evaluate`"
        )
    specs = trained.preparer.specs
    if all(spec.given for spec in specs.values()):
        raise MissingPartError(
            f"trained: '{place}' reads published features ({', '.join(specs)}), which a video does not have",
            "train on features that are made of video, sound or words",
        )
    return opened


@lru_cache(maxsize=4)
def _loaded(folder: str, stamps: tuple[tuple[int, int], ...]) -> _Opened:
    """As the files were at these times. Kept: an ingest makes several of each analyser, and weights may be large."""
    from cinescope.tasks.trained import load
    from cinescope.training import checkpoint

    del stamps  # files that changed are another model
    digest = hashlib.blake2b(digest_size=8)
    for name in (checkpoint.ABOUT, checkpoint.MODEL, checkpoint.ARRAYS):
        file = Path(folder) / name
        if file.exists():
            with open(file, "rb") as opened:
                digest.update(hashlib.file_digest(opened, "blake2b").digest())
    trained = load(folder)
    return _Opened(trained, str(trained.about.get("name") or Path(folder).name), digest.hexdigest())


def _named(models: Sequence[_Opened]) -> list[_Opened]:
    """Two of one name (two seeds of a recipe) are told apart by their digests."""
    names = [m.name for m in models]
    return [m if names.count(m.name) == 1 else _Opened(m.trained, f"{m.name} {m.digest[:6]}", m.digest) for m in models]


def _length(model: _Opened) -> float:
    length = model.trained.window
    if math.isinf(length):
        raise BadQueryError(
            f"trained: '{model.name}' was trained on clips of no length", "add --set trained.window=SECONDS"
        )
    return length
