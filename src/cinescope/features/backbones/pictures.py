"""Pretrained picture backbones: one row a frame. CLIP, SigLIP, ViT, ResNet and their kin, MobileNet, EfficientNet.

Knows which of a model's outputs is its picture's description; what prepares the pixels is in picture_prepare.py.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from cinescope.features.backbones.extractor import BackboneExtractor, in_batches, numpy
from cinescope.features.backbones.picture_prepare import PicturePreparation
from cinescope.features.backbones.shelf import FAMILIES
from cinescope.features.common import check_setting, frame_times, is_rate, rgb_pictures
from cinescope.types import BadQueryError, Clip, Features, FrameNeed, MissingPartError, Needs

POOLS = ("own", "class", "mean")


class PictureBackbone(BackboneExtractor):
    """(T frames) -> (T, D), each row standing as long as its frame.

    `rate`: frames a second, None for every one. `pool`: "own" is what the family gives itself: CLIP's projected
    embedding, SigLIP's attention pooling, a Transformer's class token, a CNN's mean over the picture; "class" and
    "mean" are the class token and the mean of the patches (of the feature map) of `layer`: None is the last, 0 the
    embeddings, k what the k-th block gives, -1 what the last block gives before the last norm.
    """

    modality = "picture"

    def __init__(
        self, model: str | None = None, rate: float | None = 1.0, layer: int | None = None, pool: str = "own",
        batch: int = 16, dtype: str = "float32", device: str = "auto",
    ) -> None:  # fmt: skip
        super().__init__(model, "picture", dtype, device, batch)
        check_setting(self.name, "rate", rate, is_rate(rate), "frames per second above 0, or null for every frame")
        check_setting(self.name, "layer", layer, is_layer(layer), "a whole number, or null for the last")
        check_setting(self.name, "pool", pool, pool in POOLS, " or ".join(POOLS))
        self.rate, self.layer, self.pool = rate, layer, pool
        self.preparation = PicturePreparation.of(self.checkpoint)
        self.needs = Needs(frames=FrameNeed(rate=rate))
        self._check_size()

    def _check_size(self) -> None:
        """MissingPartError where a Transformer, which takes one size, would be given pictures of another."""
        stated = self.checkpoint.config.get("vision_config", self.checkpoint.config).get("image_size")
        side = stated if isinstance(stated, int) else None
        takes_any = self.checkpoint.kind == "dinov2" or self._tokens is None
        if side is not None and not takes_any and self.preparation.size != (side, side):
            raise MissingPartError(
                f"'{self.checkpoint.name}' prepares pictures of {self.preparation.size} and takes {side} x {side}",
                "fetch the model again, or take another",
            )

    @property
    def _tokens(self) -> int | None:
        return FAMILIES[self.checkpoint.kind].tokens

    def settings(self) -> dict[str, Any]:
        return {"rate": self.rate, "layer": self.layer, "pool": self.pool}

    def __call__(self, clip: Clip) -> Features:
        rows: list[np.ndarray] = []
        for pixels in in_batches(rgb_pictures(clip), self.batch, self.preparation):
            rows.extend(self.describe(pixels))
        return self.features(rows, frame_times(clip), clip)

    def describe(self, pixels: np.ndarray) -> np.ndarray:
        """(B, 3, H, W) prepared pictures -> (B, D)."""
        if self.layer is None and self.pool == "own":
            return self._own(self.backbone(pixel_values=pixels))
        out = self.backbone(hidden=self.layer is not None, pixel_values=pixels)
        steps = out.last_hidden_state if self.layer is None else hidden_of(out.hidden_states, self.layer, self.name)
        return numpy(pooled(steps, self.pool, self._tokens, self.name))

    def _own(self, out: Any) -> np.ndarray:
        embedded = getattr(out, "image_embeds", None)
        if embedded is None:
            embedded = getattr(out, "pooler_output", None)
        if embedded is None:
            return numpy(pooled(out.last_hidden_state, "own", self._tokens, self.name))
        return numpy(embedded.flatten(1))

    def _probe(self) -> np.ndarray:
        return self.describe(np.zeros((1, 3, *self.preparation.size), np.float32))


def is_layer(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def hidden_of(hidden: Any, layer: int, name: str) -> Any:
    """One of the hidden states. BadQueryError where the model has no such layer."""
    if not -len(hidden) <= layer < len(hidden):
        raise BadQueryError(f"'layer' of {name} cannot be {layer}", f"the model has 0 to {len(hidden) - 1}")
    return hidden[layer]


def pooled(steps: Any, pool: str, tokens: int | None, name: str) -> Any:
    """(B, T, D) steps of a Transformer or (B, D, H, W) of a CNN -> (B, D). `tokens`: steps before the patches."""
    if steps.ndim == 4:
        if pool == "class":
            raise BadQueryError(f"'pool' of {name} cannot be 'class'", "the model has no class token: use mean")
        return steps.mean((2, 3))
    if pool == "class" and not tokens:
        raise BadQueryError(f"'pool' of {name} cannot be 'class'", "the model has no class token: use mean")
    if tokens and pool in ("own", "class"):
        return steps[:, 0]
    return steps[:, tokens or 0 :].mean(1)


class ClipPictures(PictureBackbone):
    """CLIP (Radford et al. 2021): the embedding that lies beside those of texts; not normalised."""

    name: ClassVar[str] = "clip"


class SiglipPictures(PictureBackbone):
    """SigLIP (Zhai et al. 2023): the embedding that lies beside those of texts; not normalised."""

    name: ClassVar[str] = "siglip"


class VitPictures(PictureBackbone):
    """ViT (Dosovitskiy et al. 2021), DeiT, DINOv2: the class token after the last norm."""

    name: ClassVar[str] = "vit"


class ResNetPictures(PictureBackbone):
    """ResNet (He et al. 2016), RegNet, ConvNeXt: the pooled feature map."""

    name: ClassVar[str] = "resnet"


class MobileNetPictures(PictureBackbone):
    """MobileNet V1 and V2 (Sandler et al. 2018): the pooled feature map."""

    name: ClassVar[str] = "mobilenet"


class InceptionPictures(PictureBackbone):
    """Inception-v3 (Szegedy et al. 2015), as timm publishes it: the pooled feature map."""

    name: ClassVar[str] = "inception"


class EfficientNetPictures(PictureBackbone):
    """EfficientNet (Tan and Le 2019): the pooled feature map."""

    name: ClassVar[str] = "efficientnet"
