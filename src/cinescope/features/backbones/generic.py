"""`backbone`: whichever pretrained model is named, read by the extractor of its family. Knows no model itself."""

from __future__ import annotations

from typing import Any, ClassVar

from cinescope.features.backbones.checkpoints import find_checkpoint
from cinescope.features.backbones.extractor import BackboneExtractor
from cinescope.features.backbones.loading import part_of
from cinescope.features.backbones.pictures import PictureBackbone
from cinescope.features.backbones.shelf import FAMILIES, Part
from cinescope.features.backbones.sounds import Clap, Wav2Vec2, WhisperEncoder
from cinescope.features.backbones.texts import TextBackbone
from cinescope.features.backbones.videos import VideoMae
from cinescope.types import Clip, Features, MissingPartError, Modality, Needs, Source

_BY_PART: dict[Part, type[BackboneExtractor]] = {"picture": PictureBackbone, "text": TextBackbone, "video": VideoMae}
_SOUNDS: dict[str, type[BackboneExtractor]] = {"wav2vec2": Wav2Vec2, "whisper": WhisperEncoder, "clap": Clap}


class AnyBackbone:
    """`AnyBackbone(model="FOLDER", part="text", layer=-2, pool="mean")`: settings are those of the family's extractor.

    `part`: of a model with several (CLIP, SigLIP: picture, text; CLAP: sound, text), which; by default the first.
    """

    name: ClassVar[str] = "backbone"
    version: ClassVar[str] = "1"
    modality: Modality = "picture"
    needs: Needs = Needs()

    def __init__(self, model: str | None = None, part: Part | None = None, **settings: Any) -> None:
        if model is None:
            raise MissingPartError(
                "the feature 'backbone' needs a pretrained model, and none is named",
                "--set backbone.model=FOLDER, or a name of `cinescope models` after `cinescope models get NAME`",
            )
        checkpoint = find_checkpoint(model)
        chosen = part_of(checkpoint, part)
        base = _SOUNDS[FAMILIES[checkpoint.kind].feature] if chosen == "sound" else _BY_PART[chosen]
        # Under this name, so that messages name the settings as the person gave them, and any family's model is read.
        self.inner: BackboneExtractor = type(base.__name__, (base,), {"name": self.name, "feature": ""})(
            model, **settings
        )
        self.modality = self.inner.modality
        self.needs = self.inner.needs

    @property
    def dim(self) -> int:
        return self.inner.dim

    @property
    def source(self) -> Source:
        return self.inner.source

    def __call__(self, clip: Clip) -> Features:
        return self.inner(clip)
