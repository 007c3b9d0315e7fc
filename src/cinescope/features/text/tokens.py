"""Tokens: parts of words as numbers, by a vocabulary that is learnt from training texts or read from tokenizer.json.

By the library `tokenizers`: byte-pair merges (Sennrich et al. 2016), WordPiece (Schuster and Nakajima 2012), or whole
words. [PAD] is 0, [UNK] 1, [CLS] 2, [SEP] 3, [MASK] 4 in what is learnt here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cinescope.features.common import check_setting, is_count, rows, settings_of
from cinescope.features.text.said import Said, times_of, words_of
from cinescope.types import Clip, Features, MissingPartError, Modality, Needs, Source

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
KINDS = ("wordpiece", "bpe", "word")
_LARGEST = 1 << 24  # what float32 counts up to without a gap


def learn_tokenizer(texts: Iterable[str], kind: str, size: int, lowercase: bool) -> Any:
    """A `tokenizers.Tokenizer` of at most `size` entries, the special ones included (more where the letters alone are
    more). The same texts give the same one.

    "wordpiece" marks what continues a word by ##, "bpe" what begins one by a low line; both can be decoded.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    said = list(texts)
    small = [normalizers.Lowercase()] if lowercase else []
    normalizer = normalizers.Sequence([normalizers.NFC(), *small])
    splitter = pre_tokenizers.Metaspace() if kind == "bpe" else pre_tokenizers.Whitespace()
    made: Any = {"wordpiece": models.WordPiece, "bpe": models.BPE, "word": models.WordLevel}[kind]
    tokenizer = Tokenizer(made(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
    common: dict[str, Any] = {"vocab_size": size, "special_tokens": list(SPECIAL), "show_progress": False}
    if kind == "word":
        tokenizer.train_from_iterator(said, trainers.WordLevelTrainer(**common))
    elif kind == "bpe":
        tokenizer.train_from_iterator(said, trainers.BpeTrainer(**common))
        tokenizer.decoder = decoders.Metaspace()
    else:
        # The library numbers ##a, ##b ... in the order of a hash table, which differs from run to run, and breaks ties
        # by these numbers. Given as special ones they have fixed numbers; the model is then made anew without that.
        inner: set[str] = set()
        for text in said:
            inner.update(c for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)) for c in word[1:])
        common["special_tokens"] = [*SPECIAL, *(f"##{c}" for c in sorted(inner))]
        tokenizer.train_from_iterator(said, trainers.WordPieceTrainer(**common))
        tokenizer = Tokenizer(models.WordPiece(tokenizer.get_vocab(), unk_token="[UNK]"))
        tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
        tokenizer.decoder = decoders.WordPiece()
        tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def read_tokenizer(file: str | Path) -> Any:
    """From a tokenizer.json. MissingPartError where it is not there, or is none."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise MissingPartError(f"there is no file '{file}'", "give a tokenizer.json") from error
    except (OSError, ValueError) as error:
        raise MissingPartError(f"'{file}' cannot be read ({error})", "give a tokenizer.json") from error
    return parse_tokenizer(text, str(file))


def tokenizer_file(named: str) -> Path:
    """A file as it is named, else the tokenizer of a pretrained checkpoint of that name."""
    place = Path(named).expanduser()
    if place.is_file():
        return place
    from cinescope.features.backbones.checkpoints import find_checkpoint
    from cinescope.features.backbones.text_encoder import MINILM, packaged_minilm

    packaged = packaged_minilm() if named == MINILM else None
    return (packaged or find_checkpoint(named).folder) / "tokenizer.json"


def parse_tokenizer(text: str, where: str) -> Any:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:
        said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise MissingPartError(f"'{where}' is no tokenizer ({said})", "give a tokenizer.json") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@dataclass(eq=False)
class Tokens:
    """Ids of the tokens of what is said, one a row. Exact as float32 up to 16,777,216, and no vocabulary is so large.

    Each token has the times of its word. `special`: [CLS] before and [SEP] behind, with the times of the whole clip and
    of the last word. `file`: a tokenizer.json, or the name of a pretrained text encoder whose own is taken (`minilm`);
    then nothing is learnt.
    """

    kind: str = "wordpiece"
    size: int = 8000
    lowercase: bool = True
    special: bool = False
    file: str | None = None
    tokenizer: Any = field(default=None, init=False, repr=False)

    name: ClassVar[str] = "tokens"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "text"
    needs: ClassVar[Needs] = Needs(subtitles=True)

    def __post_init__(self) -> None:
        check_setting(self.name, "kind", self.kind, self.kind in KINDS, " or ".join(KINDS))
        holds = is_count(self.size, len(SPECIAL) + 1) and self.size < _LARGEST
        check_setting(self.name, "size", self.size, holds, f"a whole number above {len(SPECIAL)}")

    @property
    def dim(self) -> int:
        return 1

    @property
    def source(self) -> Source:
        settings = settings_of(self)
        if self.tokenizer is None and self.file is not None:
            self._learnt()
        if self.tokenizer is not None:
            settings["vocabulary"] = hashlib.blake2b(self.tokenizer.to_str().encode(), digest_size=8).hexdigest()
        return Source(self.name, self.version, settings)

    @property
    def vocabulary_size(self) -> int:
        return int(self._learnt().get_vocab_size())

    def fit(self, clips: Iterable[Clip], seed: int = 0) -> None:
        """Nothing is drawn, so `seed` changes nothing; with a `file` nothing is learnt either."""
        if self.file is None:
            texts = (" ".join(w.text for w in words_of(clip)) for clip in clips)
            self.tokenizer = learn_tokenizer(texts, self.kind, self.size, self.lowercase)

    def state(self) -> dict[str, Any]:
        return {"tokenizer": self._learnt().to_str()}

    def restore(self, state: dict[str, Any]) -> None:
        self.tokenizer = parse_tokenizer(state["tokenizer"], "the saved state")

    def encode(self, words: list[Said]) -> tuple[list[int], list[int]]:
        """Ids, and of each the number of its word."""
        encoded = self._learnt().encode([w.text for w in words], is_pretokenized=True, add_special_tokens=False)
        return list(encoded.ids), [int(i) for i in encoded.word_ids]

    def decode(self, ids: Iterable[int]) -> str:
        return str(self._learnt().decode([int(i) for i in ids]))

    def __call__(self, clip: Clip) -> Features:
        tokenizer, words = self._learnt(), words_of(clip)
        if not words:
            return rows([], np.zeros((0, 2)), 1, self.modality, self.source)
        ids, owners = self.encode(words)
        times = times_of(words)[owners] if owners else np.zeros((0, 2))
        if self.special:
            first, last = (tokenizer.token_to_id(t) for t in ("[CLS]", "[SEP]"))
            if first is None or last is None:
                raise MissingPartError(f"'{self.file}' has no [CLS] and [SEP]", "leave out special")
            whole = np.array([[clip.span.start, clip.span.end]])
            ids, times = [first, *ids, last], np.concatenate([whole, times, times_of(words[-1:])])
        return rows(np.array(ids, np.float32)[:, None], times, 1, self.modality, self.source)

    def _learnt(self) -> Any:
        # Read when it is first needed: a saved model brings its own, and the file may be elsewhere.
        if self.tokenizer is None and self.file is not None:
            self.tokenizer = read_tokenizer(tokenizer_file(self.file))
        if self.tokenizer is None:
            raise MissingPartError(
                "the feature 'tokens' has no vocabulary yet",
                "fit it on training texts, or set file to a tokenizer.json",
            )
        return self.tokenizer
