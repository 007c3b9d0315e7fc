"""Sentence embeddings by the text encoder that search uses too (MiniLM, ONNX Runtime, no torch). Knows no training.

The encoder gives one vector a text, the mean of its tokens; vectors of single tokens are not in its graph. For those
there is `bert` with level=token.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cinescope.features.backbones.text_encoder import MINILM, TextEncoder, is_encoder
from cinescope.features.common import check_setting, rows, settings_of
from cinescope.features.models import models_folder
from cinescope.features.text.said import sentences_of, span_of, words_of
from cinescope.types import Clip, Features, MissingPartError, Modality, Needs, Source

LEVELS = ("text", "sentence")


@dataclass(eq=False)
class Sentence:
    """What is said, as a vector of length 1 from a sentence encoder (Reimers and Gurevych 2019).

    `model`: a fetched one's name, or a folder with model.onnx, tokenizer.json and meta.json. `level`: "text" is one row
    for all of it, cut at the encoder's longest; "sentence" a row for each, ended by . ! ? and their kin.
    """

    model: str = MINILM
    level: str = "sentence"

    name: ClassVar[str] = "sentence"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "text"
    needs: ClassVar[Needs] = Needs(subtitles=True)

    def __post_init__(self) -> None:
        check_setting(self.name, "level", self.level, self.level in LEVELS, " or ".join(LEVELS))
        folder = Path(self.model).expanduser()
        place = folder if is_encoder(folder) else models_folder() / self.model
        if not is_encoder(place):
            raise MissingPartError(
                f"the text encoder '{self.model}' is not on this machine",
                f"cinescope models get {self.model}; or set model to the folder of one",
            )
        self._place = place

    @cached_property
    def encoder(self) -> TextEncoder:
        return TextEncoder(self._place)

    @property
    def dim(self) -> int:
        return self.encoder.meta.dimension

    @property
    def source(self) -> Source:
        settings: dict[str, Any] = settings_of(self) | {"model": self.encoder.meta.name}
        return Source(self.name, self.version, settings | {"weights": self.encoder.meta.version})

    def __call__(self, clip: Clip) -> Features:
        words = words_of(clip)
        texts = sentences_of(words) if self.level == "sentence" else [words] if words else []
        values = self.encoder.encode([" ".join(w.text for w in text) for text in texts])
        times = np.array([span_of(text) for text in texts]).reshape(-1, 2)
        return rows(values, times, self.dim, self.modality, self.source)
