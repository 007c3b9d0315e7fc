"""Words by Whisper through faster-whisper, where its weights are on this machine. Never fetches anything.

Reads only folders in the format of CTranslate2, which holds numbers and text and runs no code. Each utterance is
decoded by itself, without the text before it and without sampling, so the same sound gives the same words.
"""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.features.models import WHISPER, find, is_pickle, present
from cinescope.features.speech import Heard, mean_score
from cinescope.types import MissingPartError, Span, Word

# A piece that compresses better than this is a loop of the decoder, not speech (Radford et al. 2022, section 4.5).
LOOP = 2.4
_TAGS = {"jw": "jv"}  # Whisper's code for Javanese is not BCP 47's
_NEEDED = ("config.json", "model.bin", "tokenizer.json")


class Whisper:
    """`model` is a size ("small") or any name after "faster-whisper-" in the models folder; "" is the best one here.

    Raises MissingPartError where it is not on this machine or its folder does not hold such a model.
    """

    def __init__(self, model: str = "", device: str = "cpu") -> None:
        missing = available()
        if missing:
            raise MissingPartError(missing)
        chosen = model or best()
        folder = find(WHISPER + chosen) if chosen else None
        if folder is None:
            wanted = WHISPER + (chosen or "small")
            raise MissingPartError(f"the speech model '{wanted}' is not here", f"run `cinescope models get {wanted}`")
        self.name = f"faster-whisper:{chosen}"
        self.settings = {
            "model": f"{chosen} {_digest(folder)}",
            "device": device,
            "faster-whisper": version("faster-whisper"),
        }
        self.languages: tuple[str, ...] = ("en",) if chosen.endswith(".en") else ()
        self._folder = folder
        self._device = device
        self._model: Any = None

    def transcribe(self, samples: np.ndarray, start: float) -> Heard:
        if samples.ndim != 1 or samples.dtype != np.float32:
            raise ValueError(f"need float32 (S,), got {samples.dtype} {samples.shape}")
        if not len(samples):
            return Heard("", (), "")
        if self._model is None:
            self._model = _open(self._folder, self._device)
        pieces, told = self._model.transcribe(
            samples,
            beam_size=5,  # section 4.5 of the paper
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        end = len(samples) / 16_000
        words: list[Word] = []
        texts: list[str] = []
        for piece in pieces:
            if piece.compression_ratio > LOOP:
                continue
            texts.append(piece.text.strip())
            for word in piece.words or ():
                if not word.word.strip():
                    continue
                # Alignment may reach past the sound, into the padding of Whisper's 30 s window.
                first, last = min(word.start, end), min(max(word.start, word.end), end)
                span = Span(start + float(first), start + float(last))
                words.append(Word(word.word.strip(), span, min(1.0, max(0.0, float(word.probability)))))
        found = tuple(words)
        return Heard(
            " ".join(text for text in texts if text), found, _TAGS.get(told.language, told.language), mean_score(found)
        )


def available() -> str:
    """ "" when the package is here, whichever models are; else what is missing and what to do."""
    return "" if find_spec("faster_whisper") else "faster-whisper is not installed: pip install faster-whisper"


def best() -> str:
    """The most able model on this machine, "" where there is none."""
    names = list(present(WHISPER))
    return names[-1].removeprefix(WHISPER) if names else ""


def check(folder: Path) -> None:
    """Raises MissingPartError unless the folder holds a Whisper model of CTranslate2, as far as its headers tell."""
    again = f"remove the folder and run `cinescope models get {folder.name}`"
    missing = [file for file in _NEEDED if not (folder / file).is_file()]
    if missing:
        raise MissingPartError(
            f"the speech model in '{folder}' is not complete: {' and '.join(missing)} missing", again
        )
    if is_pickle(folder / "model.bin"):
        raise MissingPartError(
            f"'{folder / 'model.bin'}' is a PyTorch pickle, which could run code when loaded",
            "convert it with ct2-transformers-converter, or use a model from `cinescope models`",
        )
    kind = _kind(folder / "model.bin")
    if kind != "WhisperSpec":
        said = f"of the kind {kind}" if kind else "damaged or of another format"
        raise MissingPartError(f"the model in '{folder}' is {said}, not a Whisper model of CTranslate2", again)


def _kind(file: Path) -> str:
    """The name of the model's kind in the header of CTranslate2's binary format: version, then a counted text."""
    with open(file, "rb") as opened:
        head = opened.read(6)
        if len(head) < 6:
            return ""
        _, count = struct.unpack("<IH", head)
        text = opened.read(count) if count <= 64 else b""
    return text.rstrip(b"\0").decode("ascii", "replace") if text.rstrip(b"\0").isalnum() else ""


def _digest(folder: Path) -> str:
    """A short text that differs between models: their names do not say which conversion or fine-tuning it is."""
    check(folder)
    files = sorted(p for p in folder.iterdir() if p.is_file())
    return _digest_of(tuple((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files))


@lru_cache(maxsize=16)
def _digest_of(files: tuple[tuple[str, int, int], ...]) -> str:
    # Sizes, the small files whole and the first megabyte of the weights: the whole would be gigabytes to read.
    told = hashlib.blake2b(digest_size=6)
    for name, size, _ in files:
        with open(name, "rb") as opened:
            told.update(f"{Path(name).name} {size} ".encode() + opened.read(1 << 20))
    return told.hexdigest()


def _open(folder: Path, device: str) -> Any:
    import json

    from faster_whisper import WhisperModel

    try:
        return WhisperModel(
            str(folder), device=device, compute_type="int8" if device == "cpu" else "default", local_files_only=True
        )
    except Exception as error:  # the runtime raises bare RuntimeError, the tokenizer bare Exception
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError)):
            reason = f"its settings are not JSON: {reason}"
        raise MissingPartError(
            f"the speech model in '{folder}' cannot be loaded ({reason})",
            f"remove the folder and run `cinescope models get {folder.name}`, or choose recogniser=pocketsphinx",
        ) from error
