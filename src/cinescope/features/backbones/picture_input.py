"""A picture as a picture model wants it: resized, cut and scaled as the checkpoint's own preprocessing says.

Does what transformers' image processors for CLIP and SigLIP do with Pillow, and so gives the same numbers. Knows pixels
only, no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cinescope.types import MissingPartError

# What a preprocessor_config.json leaves out, from transformers' CLIPImageProcessor and SiglipImageProcessor.
_MEAN = {"clip": (0.48145466, 0.4578275, 0.40821073), "siglip": (0.5, 0.5, 0.5)}
_STD = {"clip": (0.26862954, 0.26130258, 0.27577711), "siglip": (0.5, 0.5, 0.5)}
_BICUBIC = 3  # Pillow's number


@dataclass(frozen=True, slots=True)
class PictureInput:
    """How to make pixels into numbers. Sizes in pixels; 0 where a step is left out."""

    height: int  # of what is given out
    width: int
    shortest: int  # resize so that the shorter side has so many, then cut the middle out; 0: resize to height x width
    resample: int  # Pillow's number: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic
    scale: float  # multiplies the values 0 to 255
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def read(cls, config: dict[str, Any], family: str, size: int) -> PictureInput:
        """From a preprocessor_config.json; `size` is what the model takes. MissingPartError where they do not fit."""
        if not config.get("do_resize", True):
            raise MissingPartError("its pictures are not brought to one size, which is not known here")
        stated = config.get("size", size)
        by_shortest = isinstance(stated, dict) and "shortest_edge" in stated
        by_shortest = by_shortest or (isinstance(stated, int) and family == "clip")
        resized = _pair(stated)
        shape = resized
        if config.get("do_center_crop", family == "clip"):
            shape = _pair(config.get("crop_size", size))
            if min(resized) < max(shape):
                raise MissingPartError(f"it cuts {shape} out of pictures of {resized}, which is not known here")
        elif by_shortest:
            raise MissingPartError("its pictures keep their proportions uncut, which is not known here")
        if shape != (size, size):
            raise MissingPartError(
                f"its preprocessing makes pictures of {shape}, and the model takes {size} x {size}",
                "fetch the model again, or take another",
            )
        if not by_shortest and resized != shape:
            raise MissingPartError(f"it resizes pictures to {resized} and cuts them, which is not known here")
        return cls(
            *shape,
            resized[0] if by_shortest else 0,
            int(config.get("resample", _BICUBIC)),
            float(config.get("rescale_factor", 1 / 255)) if config.get("do_rescale", True) else 1.0,
            *_normal(config, family),
        )

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 -> (3, height, width) float32."""
        from PIL import Image

        rows, columns = picture.shape[:2]
        size = (self.width, self.height)
        if self.shortest:
            long = int(self.shortest * max(rows, columns) / min(rows, columns))
            size = (self.shortest, long) if columns <= rows else (long, self.shortest)
        resized = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling(self.resample)))
        cut = _middle(resized, self.height, self.width)
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        values = (cut.astype(np.float32) * np.float32(self.scale) - mean) / std
        return np.ascontiguousarray(values.transpose(2, 0, 1), np.float32)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> PictureInput:
        """What `dataclasses.asdict` made, after JSON."""
        return cls(**raw | {"mean": tuple(raw["mean"]), "std": tuple(raw["std"])})


def _pair(stated: Any) -> tuple[int, int]:
    """`224`, `{"shortest_edge": 224}`, `{"height": 224, "width": 224}` -> (224, 224)."""
    if isinstance(stated, dict) and {"height", "width"} <= stated.keys():
        return int(stated["height"]), int(stated["width"])
    one = stated.get("shortest_edge") if isinstance(stated, dict) and "longest_edge" not in stated else stated
    if isinstance(one, int) and one > 0:
        return one, one
    raise MissingPartError(f"its preprocessing states the size {stated}, which is not known here")


def _normal(config: dict[str, Any], family: str) -> tuple[Any, Any]:
    if not config.get("do_normalize", True):
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    mean, std = config.get("image_mean", _MEAN[family]), config.get("image_std", _STD[family])
    if len(mean) != 3 or len(std) != 3 or not all(std):
        raise MissingPartError(f"its preprocessing states the mean {mean} and deviation {std}, which is not known here")
    return tuple(float(v) for v in mean), tuple(float(v) for v in std)


def _middle(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle of a picture that is at least so large."""
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]
