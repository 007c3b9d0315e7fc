"""What is seen, as vectors that lie near the texts that describe it. Sees a picture a second; a picture model embeds.

Makes the kind "picture": `data.vector`, D numbers of length 1, `data.space` (model and version), `data.of` "picture".
A segment lasts as long as the view stays nearly the same: its vector is of its first picture. A new one begins where
the view has changed and the last one is `every` seconds old, or at once where the change is great (a cut). Pictures
in which nothing is to be seen (black, white) belong to none.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from cinescope.types import FrameNeed, Material, MissingPartError, Needs, Segment, Source, Span, Window

if TYPE_CHECKING:
    from cinescope.features.backbones.picture_encoder import PictureEncoder

RATE = 1.0  # pictures per second that are looked at
SIZE = 640  # pixels of the longest side: what models take is 224 to 384, and 16:9 leaves 360
EVERY = 3.0  # seconds
GRID = 16  # views are compared as so many squares of colour each way
SAME = (
    4.0  # mean difference of the squares (0 to 255) up to which it is the same view: noise has 1, a slow pan 5 and more
)
CUT = 25.0  # and from which it is quite another one
BLANK = 3.0  # deviation of the squares below which nothing is to be seen


class PictureMeaning:
    name = "picture_meaning"
    version = "1"
    summary = "what is seen, by meaning: pictures found by words"
    cost = "a picture a second, 640 wide; about 0.1 s for each changed view"
    requires = "a picture model: cinescope models get clip (605 MB, English)"
    by_default = True
    where_possible = True  # without a model it is left out by default, and nothing is said: few have one
    needs = Needs(frames=FrameNeed(rate=RATE, size=SIZE, pixels="rgb"))

    def __init__(self, model: str = "", every: float = EVERY) -> None:
        """`model`: a picture model on this machine, "" for the first there; `every`: seconds between views."""
        if not every > 0:
            raise ValueError(f"pictures are more than 0 seconds apart, got {every}")
        self._model = model
        self._every = every
        self._clear()

    @staticmethod
    def available() -> str:
        from cinescope.features.models import picture_models

        return "" if picture_models() else "no picture model is on this machine: cinescope models get clip"

    @cached_property
    def _encoder(self) -> PictureEncoder:
        from cinescope.features.backbones.picture_encoder import read_meta
        from cinescope.features.models import find, folder_name, picture_models

        found = find(folder_name(self._model)) if self._model else next(iter(picture_models().values()), None)
        if found is None:
            name = self._model or "clip"
            raise MissingPartError(
                f"the picture model '{name}' is not on this machine", f"run: cinescope models get {name}"
            )
        return _loaded(str(found), read_meta(found).version)

    @property
    def source(self) -> Source:
        meta = self._encoder.meta
        settings = {"model": meta.name, "model_version": meta.version, "dimension": meta.dimension}
        return Source(self.name, self.version, settings | {"every": self._every})

    def _clear(self) -> None:
        self._since: float | None = None  # when the running view began; None: there is none
        self._view = np.zeros((GRID, GRID, 3), np.float32)
        self._vector = np.zeros(0, np.float32)
        self._end = 0.0  # until when the last picture stands
        self._last = float("inf")  # the end of the video, where it is known

    def begin(self, material: Material) -> None:
        self._clear()
        if material.video.duration is not None:
            self._last = material.video.duration

    def feed(self, window: Window) -> list[Segment]:
        if window.frames is None:
            return []
        made: list[Segment] = []
        for picture, time in zip(window.frames.data, window.frames.times, strict=True):
            made += self._see(picture, float(time))
        stands = window.frame_durations[-1] if window.frame_durations else 0.0
        self._end = max(self._end, float(window.frames.times[-1]) + stands)
        return made

    def finish(self) -> list[Segment]:
        made = self._close(max(self._since or 0.0, min(self._end, self._last)))
        self._clear()
        return made

    def _see(self, picture: np.ndarray, time: float) -> list[Segment]:
        view = cv2.resize(picture, (GRID, GRID), interpolation=cv2.INTER_AREA).astype(np.float32)
        if float(view.std(axis=(0, 1)).max()) < BLANK:
            return self._close(time)
        if self._since is not None:
            change = float(np.abs(view - self._view).mean())
            if change <= SAME or (change < CUT and time - self._since < self._every):
                return []
        made = self._close(time)
        self._since, self._view = time, view
        self._vector = self._encoder.pictures([picture])[0]
        return made

    def _close(self, end: float) -> list[Segment]:
        since, self._since = self._since, None
        if since is None:
            return []
        data = {"vector": self._vector.tolist(), "space": self._encoder.meta.space, "of": "picture"}
        return [Segment(Span(since, end), "picture", self.source, data=data)]

    def state(self) -> dict[str, Any]:
        return {"since": self._since, "view": self._view.copy(), "vector": self._vector.copy(), "end": self._end}

    def restore(self, state: dict[str, Any]) -> None:
        self._since, self._end = state["since"], float(state["end"])
        self._view = np.asarray(state["view"], np.float32)
        self._vector = np.asarray(state["vector"], np.float32)


@lru_cache(maxsize=1)
def _loaded(folder: str, version: str) -> PictureEncoder:
    """Of that version. One is kept: loading hundreds of megabytes for each video would cost seconds each time."""
    from cinescope.features.backbones.picture_encoder import PictureEncoder

    del version  # a model that was fetched anew is another one
    return PictureEncoder(folder)
