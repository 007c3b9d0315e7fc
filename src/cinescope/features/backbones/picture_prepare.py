"""A picture as any checkpoint's own preprocessing says: what transformers' image processors do, with Pillow and numpy.

Read from preprocessor_config.json (or processor_config.json); needs neither transformers nor torchvision. Does for
every family what picture_input.py does for the ONNX graphs of CLIP and SigLIP. Knows pixels only, no model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cinescope.features.backbones.checkpoints import Checkpoint
from cinescope.types import MissingPartError

_HALF = [0.5, 0.5, 0.5]  # IMAGENET_STANDARD_MEAN and _STD of transformers
_CLIP_MEAN, _CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
_BILINEAR, _BICUBIC = 2, 3  # Pillow's numbers
_SHORTEST = {"shortest_edge": 224}
_SQUARE = {"height": 224, "width": 224}
_CONVNEXT_WARPS = 384  # ConvNextImageProcessor: from this size on pictures are warped, not cut
_CONVNEXT_SHARE = 224 / 256

_MOBILENET: dict[str, Any] = {
    "size": {"shortest_edge": 256}, "do_center_crop": True, "resample": _BILINEAR, "by_shortest": True,
}  # fmt: skip
# What a checkpoint's file may leave out: the class attributes of transformers' image processors (5.23).
_DEFAULTS: dict[str, dict[str, Any]] = {
    "CLIP": {"size": _SHORTEST, "do_center_crop": True, "image_mean": _CLIP_MEAN, "image_std": _CLIP_STD},
    "Bit": {"size": _SHORTEST, "do_center_crop": True, "image_mean": _CLIP_MEAN, "image_std": _CLIP_STD},
    "Siglip": {"size": _SQUARE, "by_shortest": True},
    "ViT": {"size": _SQUARE, "resample": _BILINEAR},
    "DeiT": {"size": {"height": 256, "width": 256}, "do_center_crop": True},
    "ConvNext": {"size": {"shortest_edge": 384}, "by_shortest": True},
    "MobileNetV1": _MOBILENET,
    "MobileNetV2": _MOBILENET,
    "EfficientNet": {"size": {"height": 346, "width": 346}, "crop_size": {"height": 289, "width": 289}},
    "VideoMAE": {"size": _SHORTEST, "do_center_crop": True, "resample": _BILINEAR, "by_shortest": True},
}
_DEFAULTS["CLIP"]["by_shortest"] = _DEFAULTS["Bit"]["by_shortest"] = True
_COMMON: dict[str, Any] = {
    "do_resize": True, "do_center_crop": False, "do_rescale": True, "do_normalize": True, "resample": _BICUBIC,
    "rescale_factor": 1 / 255, "crop_size": _SQUARE, "image_mean": _HALF, "image_std": _HALF, "by_shortest": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PicturePreparation:
    """The steps in their order: resize, cut the middle out, scale, normalise. Sizes are (height, width) in pixels."""

    shortest: int  # resize so that the shorter side has so many; 0: resize to `resized`
    resized: tuple[int, int]  # (0, 0): not resized
    cut: tuple[int, int]  # (0, 0): not cut
    resample: int  # Pillow's number: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic
    scale: float  # multiplies the values 0 to 255
    shift: float  # added after that
    mean: tuple[float, ...]
    std: tuple[float, ...]
    twice: bool  # EfficientNet's include_top: divided by the deviation once more

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> PicturePreparation:
        """MissingPartError where the checkpoint does not say how pictures are prepared, or as is not known here."""
        if "pretrained_cfg" in checkpoint.config:
            return cls.of_timm(checkpoint)
        stated = checkpoint.json("preprocessor_config.json")
        whole = (checkpoint.json("processor_config.json") or {}) if stated is None else {}
        for key in ("image_processor", "video_processor"):
            if stated is None and isinstance(whole.get(key), dict):
                stated = whole[key]
        if stated is None:
            raise MissingPartError(
                f"'{checkpoint.name}' does not say how its pictures are prepared: it has no preprocessor_config.json",
                "fetch the model again",
            )
        try:
            return cls.read(stated, checkpoint.kind)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise MissingPartError(
                f"how '{checkpoint.name}' prepares its pictures cannot be read ({error})", "fetch the model again"
            ) from error

    @classmethod
    def of_timm(cls, checkpoint: Checkpoint) -> PicturePreparation:
        """From timm's config.json: its `create_transform` for evaluation, shorter side to input / crop_pct, then cut.

        Where the two borders of the cut cannot be equal, the left or upper one is the smaller; timm takes turns.
        """
        stated = checkpoint.config["pretrained_cfg"]
        try:
            channels, height, width = stated["input_size"]
            if stated.get("crop_mode", "center") != "center" or height != width or channels != 3:
                raise ValueError(f"pictures of {stated['input_size']} cut by '{stated.get('crop_mode')}'")
            side = _positive(height)
            made = cls(
                _positive(math.floor(side / stated["crop_pct"])), (0, 0), (side, side),
                {"bicubic": _BICUBIC, "bilinear": _BILINEAR}[stated["interpolation"]], 1 / 255, 0.0,
                tuple(float(v) for v in stated["mean"]), tuple(float(v) for v in stated["std"]), False,
            )  # fmt: skip
            if len(made.mean) != 3 or len(made.std) != 3 or not all(made.std):
                raise ValueError(f"the mean {made.mean} and deviation {made.std}")
        except (TypeError, ValueError, KeyError, AttributeError, ZeroDivisionError) as error:
            raise MissingPartError(
                f"how '{checkpoint.name}' prepares its pictures cannot be read ({error})", "fetch the model again"
            ) from error
        return made

    @classmethod
    def read(cls, stated: dict[str, Any], kind: str = "") -> PicturePreparation:
        """From the JSON object; ValueError for what is not known here."""
        family = _family(stated, kind)
        with_defaults: dict[str, Any] = _COMMON | _DEFAULTS[family] | {k: v for k, v in stated.items() if v is not None}
        get = with_defaults.__getitem__
        shortest, resized = _size(get("size"), bool(get("by_shortest"))) if get("do_resize") else (0, (0, 0))
        cut = _pair(get("crop_size")) if get("do_center_crop") else (0, 0)
        if family == "ConvNext" and get("do_resize"):
            side = shortest or resized[0]
            if side < _CONVNEXT_WARPS:
                shortest, resized, cut = (
                    int(side / with_defaults.get("crop_pct", _CONVNEXT_SHARE)),
                    (0, 0),
                    (side, side),
                )
            else:
                shortest, resized = 0, (side, side)
        mean, std = (get("image_mean"), get("image_std")) if get("do_normalize") else ([0.0] * 3, [1.0] * 3)
        if len(mean) != 3 or len(std) != 3 or not all(std):
            raise ValueError(f"its mean {mean} and deviation {std} are not of three colours")
        made = cls(
            shortest, resized, cut, int(get("resample")),
            float(get("rescale_factor")) if get("do_rescale") else 1.0,
            -1.0 if family == "EfficientNet" and with_defaults.get("rescale_offset", False) else 0.0,
            tuple(float(v) for v in mean), tuple(float(v) for v in std),
            family == "EfficientNet" and bool(with_defaults.get("include_top", True)),
        )  # fmt: skip
        made.check()
        return made

    def check(self) -> None:
        """ValueError where pictures of several sizes would come out: a batch needs one."""
        if self.cut == (0, 0) and self.resized == (0, 0):
            raise ValueError("its pictures are not brought to one size")

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of what is given out."""
        return self.cut if self.cut != (0, 0) else self.resized

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 -> (3, height, width) float32."""
        values = _cut(self._resize(picture), self.cut).astype(np.float32) * np.float32(self.scale)
        values += np.float32(self.shift)
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        values = (values - mean) / std
        if self.twice:
            values /= std
        return np.ascontiguousarray(values.transpose(2, 0, 1), np.float32)

    def _resize(self, picture: np.ndarray) -> np.ndarray:
        from PIL import Image

        rows, columns = picture.shape[:2]
        width, height = self.resized[1], self.resized[0]
        if self.shortest:
            # Cut, not rounded: transformers' get_resize_output_image_size.
            long = int(self.shortest * max(rows, columns) / min(rows, columns))
            width, height = (self.shortest, long) if columns <= rows else (long, self.shortest)
        if (height, width) in ((0, 0), (rows, columns)):
            return picture
        return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling(self.resample)))


def _family(stated: dict[str, Any], kind: str) -> str:
    """ "CLIP" of "CLIPImageProcessorFast"; files of old name a feature extractor, or nothing."""
    keys = ("image_processor_type", "video_processor_type", "feature_extractor_type")
    named = str(next((stated[key] for key in keys if stated.get(key)), ""))
    for end in ("Fast", "Pil", "ImageProcessor", "VideoProcessor", "FeatureExtractor"):
        named = named.removesuffix(end)
    if not named:
        named = next((name for name in _DEFAULTS if name.lower() == kind.split("_")[0]), "")
    if named not in _DEFAULTS:
        raise ValueError(f"its image processor '{named or 'of no name'}' is not known here")
    return named


def _size(stated: Any, by_shortest: bool) -> tuple[int, tuple[int, int]]:
    """-> (shortest side or 0, (height, width) or (0, 0))."""
    if isinstance(stated, dict) and "longest_edge" in stated:
        raise ValueError(f"the size {stated} is not known here")
    if isinstance(stated, dict) and "shortest_edge" in stated:
        return _positive(stated["shortest_edge"]), (0, 0)
    if isinstance(stated, int) and by_shortest:
        return _positive(stated), (0, 0)
    return 0, _pair(stated)


def _pair(stated: Any) -> tuple[int, int]:
    if isinstance(stated, dict):
        if not {"height", "width"} <= stated.keys():
            raise ValueError(f"the size {stated} is not known here")
        return _positive(stated["height"]), _positive(stated["width"])
    if isinstance(stated, list | tuple) and len(stated) == 2:
        return _positive(stated[0]), _positive(stated[1])
    return _positive(stated), _positive(stated)


def _positive(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 8192:
        raise ValueError(f"a side of {value!r} pixels is not known here")
    return value


def _cut(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The middle; a picture that is smaller gets black around it, as in transformers' center_crop."""
    if size == (0, 0):
        return picture
    height, width = size
    rows, columns = picture.shape[:2]
    if rows >= height and columns >= width:
        top, left = (rows - height) // 2, (columns - width) // 2
        return picture[top : top + height, left : left + width]
    large = np.zeros((max(height, rows), max(width, columns), 3), picture.dtype)
    top, left = -((rows - large.shape[0]) // 2), -((columns - large.shape[1]) // 2)
    large[top : top + rows, left : left + columns] = picture
    return _cut(large, size)
