"""VideoMAE: one row for each window of frames. Knows windows of frames and their times."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from cinescope.features.backbones.extractor import BackboneExtractor, in_batches, numpy
from cinescope.features.backbones.picture_prepare import PicturePreparation
from cinescope.features.backbones.pictures import hidden_of, is_layer
from cinescope.features.common import check_setting, frame_times, is_count, is_rate, rgb_pictures
from cinescope.types import Clip, Features, FrameNeed, MissingPartError, Needs

SHORTS = ("drop", "repeat")
POOLS = ("mean", "steps")


class VideoMae(BackboneExtractor):
    """VideoMAE (Tong et al. 2022): (T frames) -> a row for each window of as many frames as the model takes (16).

    `rate`: frames a second; 7.5 is the paper's stride of 4 at 30 (section 4). `hop`: frames from window to window, by
    default the window. `short`: what becomes of frames that fill no window: "drop" (a clip shorter than a window gives
    no rows) or "repeat" (the last frame is repeated until they do). `pool`: "mean" of all patches, or "steps", a row
    for each pair of frames (the model's tubelets) with its own times. A row's times are those of the frames in it.
    """

    name: ClassVar[str] = "videomae"
    modality = "picture"

    def __init__(
        self, model: str | None = None, rate: float | None = 7.5, hop: int | None = None, short: str = "drop",
        layer: int | None = None, pool: str = "mean", batch: int = 2, dtype: str = "float32", device: str = "auto",
    ) -> None:  # fmt: skip
        super().__init__(model, "video", dtype, device, batch)
        check_setting(self.name, "rate", rate, is_rate(rate), "frames per second above 0, or null for every frame")
        check_setting(self.name, "hop", hop, hop is None or is_count(hop), "frames from window to window, above 0")
        check_setting(self.name, "short", short, short in SHORTS, " or ".join(SHORTS))
        check_setting(self.name, "layer", layer, is_layer(layer), "a whole number, or null for the last")
        check_setting(self.name, "pool", pool, pool in POOLS, " or ".join(POOLS))
        config = self.config
        self.window, self.tubelet = int(config.num_frames), int(config.tubelet_size)
        self.rate, self.hop, self.short, self.layer, self.pool = rate, hop or self.window, short, layer, pool
        self.preparation = PicturePreparation.of(self.checkpoint)
        if self.preparation.size != (config.image_size, config.image_size):
            raise MissingPartError(
                f"'{self.checkpoint.name}' prepares pictures of {self.preparation.size} and takes "
                f"{config.image_size} x {config.image_size}",
                "fetch the model again, or take another",
            )
        self.needs = Needs(frames=FrameNeed(rate=rate))

    def settings(self) -> dict[str, Any]:
        return {"rate": self.rate, "hop": self.hop, "short": self.short, "layer": self.layer, "pool": self.pool}

    def __call__(self, clip: Clip) -> Features:
        pictures, times = rgb_pictures(clip), frame_times(clip)
        windows = frame_windows(len(pictures), self.window, self.hop, self.short == "repeat")

        def prepare(window: list[int]) -> np.ndarray:
            return np.stack([self.preparation(pictures[i]) for i in window])

        rows: list[np.ndarray] = []
        for pixels in in_batches(windows, self.batch, prepare):
            rows.extend(self.describe(pixels).reshape(-1, self.dim))
        shown = [part for window in windows for part in self._parts(window)]
        return self.features(rows, [(times[p[0], 0], times[p[-1], 1]) for p in shown], clip)

    def _parts(self, window: list[int]) -> list[list[int]]:
        """The frames of each row that a window gives."""
        if self.pool == "mean":
            return [window]
        return [
            window[k : k + self.tubelet] for k in range(0, len(window) // self.tubelet * self.tubelet, self.tubelet)
        ]

    def describe(self, pixels: np.ndarray) -> np.ndarray:
        """(B, T, 3, H, W) prepared windows -> (B, D), or (B, T / tubelet, D) for pool="steps"."""
        out = self.backbone(hidden=self.layer is not None, pixel_values=pixels)
        steps = out.last_hidden_state if self.layer is None else hidden_of(out.hidden_states, self.layer, self.name)
        if self.pool == "mean":
            return numpy(steps.mean(1))
        # Patches are in order of time first: transformers' VideoMAEPatchEmbeddings flattens (time, row, column).
        return numpy(steps.unflatten(1, (self.window // self.tubelet, -1)).mean(2))

    @property
    def dim(self) -> int:  # type: ignore[override]
        return int(self.config.hidden_size)


def frame_windows(frames: int, window: int, hop: int, repeat: bool) -> list[list[int]]:
    """Indices of the frames of each window. Whole windows only; with `repeat`, frames that are in none get one more,
    in which the last frame is repeated."""
    made = [list(range(start, start + window)) for start in range(0, frames - window + 1, hop)]
    covered = made[-1][-1] + 1 if made else 0
    if repeat and covered < frames:
        start = len(made) * hop
        # A hop beyond the window leaves frames out, and may leave the last ones.
        made += [[min(i, frames - 1) for i in range(start, start + window)]] if start < frames else []
    return made
