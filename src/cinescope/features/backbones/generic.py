"""`backbone`: whichever pretrained model is named, read by the extractor of its family. Knows no model itself."""

from __future__ import annotations

import inspect
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

from cinescope.features.backbones.checkpoints import find_checkpoint
from cinescope.features.backbones.extractor import BackboneExtractor
from cinescope.features.backbones.loading import part_of
from cinescope.features.backbones.pictures import PictureBackbone
from cinescope.features.backbones.shelf import FAMILIES, Part
from cinescope.features.backbones.sounds import Clap, Wav2Vec2, WhisperEncoder
from cinescope.features.backbones.texts import TextBackbone
from cinescope.features.backbones.videos import VideoMae
from cinescope.types import BadQueryError, Clip, Features, MissingPartError, Modality, Needs, Source

_BY_PART: dict[Part, type[BackboneExtractor]] = {"picture": PictureBackbone, "text": TextBackbone, "video": VideoMae}
_SOUNDS: dict[str, type[BackboneExtractor]] = {"wav2vec2": Wav2Vec2, "whisper": WhisperEncoder, "clap": Clap}


class AnyBackbone:
    """Whichever pretrained model is named, read as the feature of its family reads it.

    `part`: of a model with several (CLIP, SigLIP: picture, text; CLAP: sound, text), which; by default the first. The
    other settings are those of the family's own feature, None being its default; `rate` means nothing to sound and
    texts, and any other that the family does not have is an error.
    """

    name: ClassVar[str] = "backbone"
    version: ClassVar[str] = "1"
    modality: Modality = "picture"
    needs: Needs = Needs()

    def __init__(
        self, model: str | None = None, part: Part | None = None, layer: int | None = None, pool: str | None = None,
        rate: float | None = None, hop: int | None = None, short: str | None = None, window: float | None = None,
        level: str | None = None, batch: int | None = None, dtype: str = "float32", device: str = "auto",
    ) -> None:  # fmt: skip
        if model is None:
            raise MissingPartError(
                "the feature 'backbone' needs a pretrained model, and none is named",
                "--set backbone.model=FOLDER, or a name of `cinescope models` after `cinescope models get NAME`",
            )
        checkpoint = find_checkpoint(model)
        chosen = part_of(checkpoint, part)
        family = _SOUNDS[FAMILIES[checkpoint.kind].feature] if chosen == "sound" else _BY_PART[chosen]
        self._given = {
            "layer": layer, "pool": pool, "rate": rate, "hop": hop, "short": short, "window": window, "level": level,
        }  # fmt: skip
        settings = {k: v for k, v in (self._given | {"batch": batch}).items() if v is not None}
        known = inspect.signature(family).parameters
        if "rate" not in known:
            settings.pop("rate", None)
        foreign = sorted(settings.keys() - known.keys())
        if foreign:
            raise BadQueryError(
                f"'{checkpoint.name}' ({checkpoint.kind}) is read without a setting '{foreign[0]}'",
                f"its settings are {', '.join(known)}",
            )
        # Under this name, so that messages name the settings as the person gave them, and any family's model is read.
        named = type(family.__name__, (family,), {"name": self.name, "feature": ""})
        self.inner: BackboneExtractor = named(model, **settings, dtype=dtype, device=device)
        self.modality = self.inner.modality
        self.needs = self.inner.needs

    @property
    def dim(self) -> int:
        return self.inner.dim

    @cached_property
    def source(self) -> Source:
        return Source(self.name, self.version, self._given | self.inner.source.settings)

    def __call__(self, clip: Clip) -> Features:
        made = self.inner(clip)
        return replace(made, source=self.source)
