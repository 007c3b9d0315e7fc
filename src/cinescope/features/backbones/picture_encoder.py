"""Pictures and texts as vectors of one space, by ONNX Runtime: CLIP and SigLIP. Never imports torch.

A model folder holds `vision_model.onnx`, `text_model.onnx` (each perhaps with `..._data` beside it), `tokenizer.json`
and `picture.json` (what `PictureMeta` says, how pixels are prepared). `picture_build.py` makes one from a checkpoint.
Knows nothing about videos.
"""

from __future__ import annotations

import json
import os
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cinescope.features.backbones.picture_input import PictureInput
from cinescope.types import MissingPartError

VISION, TEXT = "vision_model.onnx", "text_model.onnx"
PICTURE_FILES = (VISION, TEXT, "tokenizer.json", "picture.json")  # of a model folder
SPACE = "picture:"  # begins the names of their spaces, so that they are known from those of texts alone
_PUNCTUATION = str.maketrans("", "", string.punctuation)

Writing = Literal["as it is", "lower", "plain"]


@dataclass(frozen=True, slots=True)
class TextInput:
    """How a text is prepared. CLIP takes it as it is, SigLIP 2 in lower case, SigLIP without punctuation as well."""

    longest: int  # tokens; what is longer is cut
    writing: Writing = "as it is"
    pad: int | None = None  # the token that fills a text up to the longest; None: not filled


@dataclass(frozen=True, slots=True)
class PictureMeta:
    name: str
    version: str  # changes with the weights and with how pictures are prepared
    dimension: int
    languages: tuple[str, ...]  # BCP 47 primary tags that the texts may be in; () for every language
    pixels: PictureInput
    text: TextInput

    @property
    def space(self) -> str:
        """Vectors of different spaces are never compared."""
        return f"{SPACE}{self.name}@{self.version}"


class PictureEncoder:
    """(N pictures) or (N texts) -> (N, D) float32 of length 1. Each half is loaded when it is first asked."""

    def __init__(self, folder: str | os.PathLike[str], threads: int = 0) -> None:
        self.folder = Path(folder)
        self.threads = threads  # 0: as many as there are processors
        self.meta = read_meta(self.folder)

    def pictures(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """(H, W, 3) uint8 each, any size -> (N, D). One by one, so that a vector never depends on its neighbours."""
        vectors = np.zeros((len(pictures), self.meta.dimension), np.float32)
        for row, picture in enumerate(pictures):
            vectors[row] = self._vision.run({"pixel_values": self.meta.pixels(picture)[None]})
        return _of_length_one(vectors)

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """(N, D); an empty text gives zeros, which are like nothing."""
        vectors = np.zeros((len(texts), self.meta.dimension), np.float32)
        for row, text in enumerate(texts):
            written = prepared(text, self.meta.text.writing)
            if written:
                encoded = self._tokenizer.encode(written)
                feed = {"input_ids": np.array([encoded.ids], np.int64)}
                vectors[row] = self._text.run(feed)
        return _of_length_one(vectors)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        told = self.meta.text
        try:
            tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
            tokenizer.enable_truncation(told.longest)
            if told.pad is None:
                tokenizer.no_padding()
            else:
                tokenizer.enable_padding(pad_id=told.pad, length=told.longest)
        except Exception as error:
            raise _damaged(self.folder, error) from error
        return tokenizer

    @cached_property
    def _vision(self) -> _Session:
        return _Session(self.folder / VISION, ("image_embeds", "pooler_output"), self.threads)

    @cached_property
    def _text(self) -> _Session:
        return _Session(self.folder / TEXT, ("text_embeds", "pooler_output"), self.threads)


class _Session:
    """A graph of ours or one that Optimum exported: fed by name, with a mask where it wants one."""

    def __init__(self, graph: Path, outputs: tuple[str, ...], threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise _damaged(graph.parent, error) from error
        self._folder = graph.parent
        self._inputs = {i.name: i.type for i in self._session.get_inputs()}
        given = [o.name for o in self._session.get_outputs()]
        self._output = next((name for name in outputs if name in given), "")
        if not self._output or set(self._inputs) - {"pixel_values", "input_ids", "attention_mask", "position_ids"}:
            raise MissingPartError(
                f"'{graph.name}' in '{graph.parent}' takes {', '.join(self._inputs)} and gives {', '.join(given)}",
                f"use an export with a graph for pictures and one for texts, which gives {outputs[0]}",
            )

    def run(self, feed: dict[str, np.ndarray]) -> np.ndarray:
        """(D,): the embedding of the one picture or text in `feed`."""
        if "attention_mask" in self._inputs:
            feed["attention_mask"] = np.ones_like(feed["input_ids"])
        if "position_ids" in self._inputs:
            feed["position_ids"] = np.arange(feed["input_ids"].shape[1], dtype=np.int64)[None]
        kinds = {"tensor(float16)": np.float16, "tensor(int32)": np.int32}
        typed = {n: v.astype(kinds[t]) if (t := self._inputs[n]) in kinds else v for n, v in feed.items()}
        try:
            values: np.ndarray = self._session.run([self._output], typed)[0][0]
        except Exception as error:
            raise _damaged(self._folder, error) from error
        return values.astype(np.float32)


def prepared(text: str, writing: Writing) -> str:
    """The text as the model was taught to read; "" where nothing is left of it."""
    if writing != "as it is":
        text = text.lower()
    if writing == "plain":
        text = text.translate(_PUNCTUATION)
    return re.sub(r"\s+", " ", text).strip()


def _of_length_one(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


def is_picture_model(folder: Path) -> bool:
    """Whether all the files of a picture model are there."""
    return all((folder / name).is_file() for name in PICTURE_FILES)


def read_meta(folder: Path) -> PictureMeta:
    """MissingPartError where there is none, or a damaged one."""
    try:
        raw = json.loads((folder / "picture.json").read_text(encoding="utf-8"))
        pixels, text = PictureInput.from_json(raw["pixels"]), TextInput(**raw["text"])
        return PictureMeta(raw["name"], raw["version"], raw["dimension"], tuple(raw["languages"]), pixels, text)
    except FileNotFoundError as error:
        raise MissingPartError(
            f"there is no picture model in '{folder}'", f"fetch one: cinescope models get {_as_typed(folder)}"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error


def _as_typed(folder: Path) -> str:
    """`openai--clip` is what `models get openai/clip` makes."""
    return folder.name.replace("--", "/", 1)


def _damaged(folder: Path, error: Exception) -> MissingPartError:
    said = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
    return MissingPartError(
        f"the picture model in '{folder}' is damaged or of another kind ({said})",
        f"delete that folder and run: cinescope models get {_as_typed(folder)}",
    )
