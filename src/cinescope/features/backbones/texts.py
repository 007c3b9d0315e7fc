"""Pretrained text backbones: BERT and its kin, and the text halves of CLIP, SigLIP and CLAP. Words keep their times.

Knows tokens and what they are averaged to. Long texts are computed in windows of whole words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cinescope.features.backbones.checkpoints import Checkpoint
from cinescope.features.backbones.extractor import BackboneExtractor, numpy
from cinescope.features.backbones.loading import require_transformers
from cinescope.features.backbones.pictures import hidden_of, is_layer
from cinescope.features.backbones.shelf import FAMILIES
from cinescope.features.common import check_setting
from cinescope.types import Clip, Features, MissingPartError, Needs

LEVELS = ("text", "sentence", "word", "token")
POOLS = ("own", "mean", "class")
_SENTENCE_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"'\u201d\u2019)\]]*$")
_ROW = 16  # texts at once
_OFFSET_POSITIONS = (
    "roberta",
    "xlm-roberta",
    "camembert",
    "mpnet",
    "clap",
)  # their positions begin after the padding's
_VOCABULARIES = (("vocab.txt",), ("vocab.json", "merges.txt"))
_POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "class", "mean": "mean", "cls": "class"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text with the seconds in which it is said."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """One window of a text. `words`: of each token the index of its piece, -1 for the model's own tokens ([CLS])."""

    ids: tuple[int, ...]
    words: tuple[int, ...]


class TextBackbone(BackboneExtractor):
    """What is said in a clip -> (T, D).

    `level`: "text", one row for all of it; "sentence", one each, ended by . ! ? and their kin; "word"; "token". A
    row's times are those of its words; where words have none, the clip's. `pool`, for "text" and "sentence": "own" is
    what a sentence-transformers checkpoint says, the projected embedding of CLIP, SigLIP and CLAP, else the mean of
    the tokens, the model's own ([CLS], [SEP]) included; "mean"; or "class", the first token. Words are the mean of
    their tokens. A text longer than the model takes is computed in windows of whole words and averaged by their
    lengths.
    """

    modality = "text"

    def __init__(
        self, model: str | None = None, level: str = "text", layer: int | None = None, pool: str = "own",
        batch: int = _ROW, dtype: str = "float32", device: str = "auto",
    ) -> None:  # fmt: skip
        super().__init__(model, "text", dtype, device, batch)
        check_setting(self.name, "level", level, level in LEVELS, " or ".join(LEVELS))
        check_setting(self.name, "layer", layer, is_layer(layer), "a whole number, or null for the last")
        check_setting(self.name, "pool", pool, pool in POOLS, " or ".join(POOLS))
        self.level, self.layer, self.pool = level, layer, pool
        self._shared = "text" in FAMILIES[self.checkpoint.kind].inner  # a model with a space for texts and others
        self._pooling, self._unit = stated_pooling(self.checkpoint) if pool == "own" else (pool, False)
        self.needs = Needs(subtitles=True)

    def settings(self) -> dict[str, Any]:
        return {"level": self.level, "layer": self.layer, "pool": self.pool}

    def __call__(self, clip: Clip) -> Features:
        texts = [t for t in split(clip, self.level) if t]
        windows = [(row, window) for row, text in enumerate(texts) for window in self.windows(text)]
        if self.level in ("word", "token"):
            return self._stepwise(windows, texts, clip)
        sums = np.zeros((len(texts), self.dim), np.float64) if texts else np.zeros((0, self.dim))
        lengths = np.zeros(len(texts))
        for (row, window), (vector, _) in zip(windows, self._run([w for _, w in windows]), strict=True):
            sums[row] += vector * len(window.ids)
            lengths[row] += len(window.ids)
        rows = (sums / np.maximum(lengths, 1)[:, None]).astype(np.float32)
        if self._unit:
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return self.features(list(rows), [(t[0].start, max(p.end for p in t)) for t in texts], clip)

    def _stepwise(self, windows: list[tuple[int, Tokens]], texts: list[list[Piece]], clip: Clip) -> Features:
        # A word that fills several windows is one word still: its tokens are gathered over all of them.
        found: dict[tuple[int, int], list[np.ndarray]] = {}
        for (row, window), (_, steps) in zip(windows, self._run([w for _, w in windows]), strict=True):
            owners = np.array(window.words)
            for word in dict.fromkeys(w for w in window.words if w >= 0):
                found.setdefault((row, word), []).append(steps[owners == word])
        rows: list[np.ndarray] = []
        times: list[tuple[float, float]] = []
        for (row, word), parts in found.items():
            piece, mine = texts[row][word], np.concatenate(parts)
            rows.extend(mine.mean(0, keepdims=True) if self.level == "word" else mine)
            times.extend([(piece.start, piece.end)] * (len(rows) - len(times)))
        return self.features(rows, times, clip)

    def _run(self, windows: list[Tokens]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of each window the pooled vector (D,) and the steps (T, D)."""
        found: list[tuple[np.ndarray, np.ndarray] | None] = [None] * len(windows)
        order = sorted(range(len(windows)), key=lambda i: len(windows[i].ids))  # padding is computed too
        for start in range(0, len(order), self.batch):
            chosen = order[start : start + self.batch]
            pooled, steps = self.describe([windows[i] for i in chosen])
            for at, i in enumerate(chosen):
                found[i] = (pooled[at], steps[at, : len(windows[i].ids)])
        return [f for f in found if f is not None]

    def describe(self, windows: Sequence[Tokens]) -> tuple[np.ndarray, np.ndarray]:
        """-> the pooled vectors (B, D), the steps (B, T, D)."""
        longest = self._padded or max(len(w.ids) for w in windows)
        ids = np.full((len(windows), longest), self._padding, np.int64)
        mask = np.zeros((len(windows), longest), np.int64)
        for row, window in enumerate(windows):
            ids[row, : len(window.ids)] = window.ids
            mask[row, : len(window.ids)] = 1
        # SigLIP was trained without a mask, on texts padded to one length (transformers' SiglipProcessor).
        more = {} if self.checkpoint.kind == "siglip" else {"attention_mask": mask}
        out = self.backbone(hidden=self.layer is not None, input_ids=ids, **more)
        steps = numpy(
            out.last_hidden_state if self.layer is None else hidden_of(out.hidden_states, self.layer, self.name)
        )
        if self.pool == "own" and self._shared and self.layer is None:
            embedded = getattr(out, "text_embeds", None)
            return numpy(embedded if embedded is not None else out.pooler_output), steps
        if self._pooling == "class":
            return steps[:, 0], steps
        weights = mask[..., None].astype(np.float32)
        return (steps * weights).sum(1) / np.maximum(weights.sum(1), 1), steps

    def windows(self, pieces: list[Piece]) -> list[Tokens]:
        """The text's tokens in as many windows as the model needs; a word that fills several is cut between them."""
        joined, starts = "", []
        for piece in pieces:
            joined += " " if joined else ""
            starts.append(len(joined))
            joined += piece.text
        encoded = self.tokenizer.encode(joined, add_special_tokens=False)
        if not encoded.ids:
            return []
        if max(encoded.ids) >= self.config.vocab_size:
            raise MissingPartError(
                f"the tokenizer of '{self.checkpoint.name}' knows more tokens than its model, which has "
                f"{self.config.vocab_size}",
                "its files are of different models: fetch it again",
            )
        # A token that begins with the blank before a word is that word's.
        owners = [int(np.searchsorted(starts, max(b - 1, a), side="right")) - 1 for a, b in encoded.offsets]
        front, back = self._special
        room = self._longest - len(front) - len(back)
        made, at = [], 0
        while at < len(encoded.ids):
            end = min(at + room, len(encoded.ids))
            if end < len(encoded.ids):
                whole = next((e for e in range(end, at, -1) if owners[e] != owners[e - 1]), end)
                end = whole
            made.append(
                Tokens(
                    (*front, *encoded.ids[at:end], *back),
                    (*[-1] * len(front), *owners[at:end], *[-1] * len(back)),
                )
            )
            at = end
        return made

    @cached_property
    def tokenizer(self) -> Any:
        return load_tokenizer(self.checkpoint)

    @cached_property
    def _special(self) -> tuple[list[int], list[int]]:
        """The tokens that the model wants before and after a text."""
        bare = self.tokenizer.encode("a", add_special_tokens=False).ids
        full = self.tokenizer.encode("a", add_special_tokens=True)
        inner = [i for i, special in enumerate(full.special_tokens_mask) if not special]
        if not bare or not inner:
            return [], []
        return list(full.ids[: inner[0]]), list(full.ids[inner[-1] + 1 :])

    @cached_property
    def _longest(self) -> int:
        """Tokens that the model takes."""
        positions = int(getattr(self.config, "max_position_embeddings", 512))
        if self.checkpoint.kind in _OFFSET_POSITIONS:
            positions -= int(getattr(self.config, "pad_token_id", 1) or 0) + 1
        front, back = self._special
        if positions <= len(front) + len(back):
            raise MissingPartError(
                f"'{self.checkpoint.name}' takes {positions} tokens, which is no text", "take another"
            )
        return positions

    @cached_property
    def _padded(self) -> int:
        """To how many tokens every text is filled up; 0: to the longest of the batch."""
        return int(self.config.max_position_embeddings) if self.checkpoint.kind == "siglip" else 0

    @cached_property
    def _padding(self) -> int:
        stated = getattr(self.config, "pad_token_id", None)
        return int(stated) if isinstance(stated, int) and stated >= 0 else 0

    def _probe(self) -> np.ndarray:
        front, back = self._special
        window = Tokens((*front, *self.tokenizer.encode("a", add_special_tokens=False).ids, *back), ())
        pooled, steps = self.describe([window])
        return steps[0] if self.level in ("word", "token") else pooled


class Bert(TextBackbone):
    """BERT (Devlin et al. 2019), RoBERTa, XLM-R, MPNet, ALBERT, DistilBERT, ELECTRA, DeBERTa, ModernBERT."""

    name: ClassVar[str] = "bert"


class ClipText(TextBackbone):
    """CLIP's texts: embeddings beside those of `clip`."""

    name: ClassVar[str] = "clip_text"
    feature: ClassVar[str] = "clip"


class SiglipText(TextBackbone):
    """SigLIP's texts: embeddings beside those of `siglip`."""

    name: ClassVar[str] = "siglip_text"
    feature: ClassVar[str] = "siglip"


class ClapText(TextBackbone):
    """CLAP's texts: embeddings beside those of `clap`."""

    name: ClassVar[str] = "clap_text"
    feature: ClassVar[str] = "clap"


def split(clip: Clip, level: str) -> list[list[Piece]]:
    """What is said, as texts of words: one for all of it, or one for each sentence."""
    if clip.words:
        pieces = [Piece(w.text.strip(), w.span.start, w.span.end) for w in clip.words if w.text.strip()]
    else:
        pieces = [Piece(t, clip.span.start, clip.span.end) for t in clip.said.split()]
    if level != "sentence":
        return [pieces] if pieces else []
    sentences: list[list[Piece]] = [[]]
    for piece in pieces:
        sentences[-1].append(piece)
        if _SENTENCE_END.search(piece.text):
            sentences.append([])
    return [s for s in sentences if s]


def load_tokenizer(checkpoint: Checkpoint) -> Any:
    """A `tokenizers.Tokenizer`: tokenizer.json, else what transformers makes of a vocabulary. Cuts and pads nothing."""
    file = checkpoint.folder / "tokenizer.json"
    try:
        if file.is_file():
            from tokenizers import Tokenizer

            made = Tokenizer.from_file(str(file))
        elif any(all((checkpoint.folder / f).is_file() for f in files) for files in _VOCABULARIES):
            require_transformers()
            from transformers import AutoTokenizer

            made = AutoTokenizer.from_pretrained(str(checkpoint.folder), local_files_only=True).backend_tokenizer
        else:  # without one, transformers makes an empty one, to which every word is unknown
            raise FileNotFoundError("it has neither tokenizer.json nor a vocabulary")
    except MissingPartError:
        raise
    except Exception as error:
        raise MissingPartError(
            f"'{checkpoint.name}' has no tokenizer that can be read ({(str(error).splitlines() or [''])[0][:200]})",
            "its folder must hold tokenizer.json: fetch the model again",
        ) from error
    made.no_truncation()
    made.no_padding()
    return made


def stated_pooling(checkpoint: Checkpoint) -> tuple[str, bool]:
    """How a sentence-transformers checkpoint makes one vector of many, and whether it gives that the length 1."""
    file = checkpoint.folder / "modules.json"
    if not file.is_file():
        return "mean", False
    try:
        modules = json.loads(file.read_text(encoding="utf-8"))
        parts = {str(module["type"]).rsplit(".", 1)[-1]: str(module.get("path", "")) for module in modules}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise MissingPartError(
            f"the modules.json of '{checkpoint.name}' cannot be read ({error})", "fetch the model again"
        ) from error
    foreign = sorted(set(parts) - {"Transformer", "Pooling", "Normalize"})
    if foreign:
        raise MissingPartError(
            f"'{checkpoint.name}' has a part '{foreign[0]}' after its tokens, which is not read here",
            "give pool=mean or pool=class to leave it out",
        )
    folder = parts.get("Pooling") or "1_Pooling"
    stated = (checkpoint.json(f"{folder}/config.json") or {}) if Path(folder).name == folder else {}
    # Since sentence-transformers 6 one word, before that a key for each way.
    word = stated.get("pooling_mode")
    modes = word if isinstance(word, list) else [word] if word else [k for k in _POOLINGS if stated.get(k) is True]
    others = [k for k, v in stated.items() if k.startswith("pooling_mode_") and v is True and k not in _POOLINGS]
    if len(modes) + len(others) > 1 or others or (modes and modes[0] not in _POOLINGS):
        raise MissingPartError(
            f"'{checkpoint.name}' pools its tokens by {' and '.join([*map(str, modes), *others])}, not known here",
            "give pool=mean or pool=class",
        )
    return _POOLINGS[modes[0]] if modes else "mean", "Normalize" in parts
