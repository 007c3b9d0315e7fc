"""A checkpoint of the Hugging Face format on this machine: where it lies, whether it may be read, which one it is.

Knows files only (config.json, safetensors, what prepares inputs); imports neither torch nor transformers, fetches
nothing. The format: https://huggingface.co/docs/safetensors and transformers' `save_pretrained`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cinescope.types import MissingPartError

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
SHARDS = "model.safetensors.index.json"  # names the files where the weights are in several
OF_PICTURES = ("preprocessor_config.json", "processor_config.json")  # transformers before and from version 5
OF_TEXTS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)
OF_SENTENCES = ("modules.json", "1_Pooling/config.json")  # sentence-transformers
KEPT = "backbone--"  # folders of the models folder in which a checkpoint lies as it was fetched
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "model.pth", "pytorch_model.pt")
_OTHERS = {"tf_model.h5": "TensorFlow", "flax_model.msgpack": "Flax", "model.onnx": "ONNX"}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`config` is config.json as it stands. `name` never holds a path: it goes into caches' keys."""

    name: str
    folder: Path
    config: dict[str, Any]

    @property
    def kind(self) -> str:
        """transformers' `model_type`, as "clip" or "wav2vec2"; timm's `architecture`, as "inception_v3"."""
        return str(self.config.get("model_type") or self.config["architecture"])

    @property
    def weights(self) -> list[Path]:
        """The safetensors files, all of them there and begun rightly. MissingPartError where one is not."""
        return _weights(self.folder, self.name)

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that change with the weights, the configuration and how inputs are prepared."""
        found = [
            self.folder / f for f in (CONFIG, *OF_PICTURES, *OF_TEXTS, *OF_SENTENCES) if (self.folder / f).is_file()
        ]
        states = tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in [*found, *self.weights])
        return _digest(str(self.folder), states)

    def json(self, file: str) -> dict[str, Any] | None:
        """One of its other files; None where there is none. MissingPartError where it is no JSON object."""
        return _object(self.folder / file, self.name) if (self.folder / file).is_file() else None


def find_checkpoint(name: str) -> Checkpoint:
    """A folder, a model of the models folder, or OWNER/NAME there or in the Hugging Face cache; asks no network.

    MissingPartError says how to get it where there is none, and what is wrong with one that cannot be read.
    """
    if not isinstance(name, str) or not name.strip():
        raise MissingPartError("no model is named", "name a folder or a model of `cinescope models`")
    folder = _folder(name)
    shown = folder.resolve().name if _is_path(name) else name
    if not (folder / CONFIG).is_file():
        raise MissingPartError(f"'{name}' has no {CONFIG}, so it is no checkpoint of Hugging Face", "name its folder")
    config = _object(folder / CONFIG, shown)
    of_timm = isinstance(config.get("architecture"), str) and isinstance(config.get("pretrained_cfg"), dict)
    if not of_timm and (not isinstance(config.get("model_type"), str) or not config["model_type"]):
        raise MissingPartError(
            f"the {CONFIG} of '{shown}' names no model_type",
            "it is of another library: take a checkpoint of transformers",
        )
    return Checkpoint(shown, folder, config)


def is_checkpoint(folder: Path) -> bool:
    """Whether a folder holds a configuration and safetensors weights."""
    return (folder / CONFIG).is_file() and ((folder / WEIGHTS).is_file() or (folder / SHARDS).is_file())


def _is_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or (Path(name).is_dir() and not _kept(name))


def _kept(name: str) -> Path | None:
    """In the models folder: fetched as a backbone, or put there by hand."""
    from cinescope.features.models import folder_name, models_folder

    if name.startswith((".", "/", "~")):
        return None
    own = models_folder()
    for place in (own / (KEPT + folder_name(name)), own / folder_name(name)):
        if is_checkpoint(place):
            return place
    return None


def _folder(name: str) -> Path:
    kept = _kept(name)
    if kept is not None:
        return kept
    from cinescope.features.backbones.shelf import BACKBONES
    from cinescope.features.models import find

    if name in {entry.name for entry in BACKBONES}:
        found = find(name)  # in the cache, under its repository's name
        if found is not None:
            return found
    if _is_path(name):
        folder = Path(name).expanduser()
        if not folder.is_dir():
            raise MissingPartError(f"there is no folder '{name}'", "name the folder that holds config.json")
        return folder
    cached = _in_hub_cache(name)
    if cached is not None:
        return cached
    raise MissingPartError(f"the model '{name}' is not on this machine", how_to_get(name))


def how_to_get(name: str) -> str:
    from cinescope.features.backbones.shelf import BACKBONES

    if name in {entry.name for entry in BACKBONES}:
        return f"fetch it with `cinescope models get {name}`, or name a folder that holds config.json"
    if "/" in name:
        return f"fetch it with `cinescope models get backbone:{name}`, or name a folder that holds config.json"
    return "see `cinescope models` for names, or name a folder (./FOLDER) that holds config.json"


def _in_hub_cache(name: str) -> Path | None:
    if name.count("/") != 1:
        return None
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        place = try_to_load_from_cache(name, CONFIG)
    except HFValidationError:
        return None
    # An unfinished download has a configuration and no weights: it is not there.
    return Path(place).parent if isinstance(place, str) and _has_weights(Path(place).parent) else None


def _has_weights(folder: Path) -> bool:
    return is_checkpoint(folder) or any((folder / f).is_file() for f in _PICKLES)  # refused by name, later


def _object(file: Path, name: str) -> dict[str, Any]:
    try:
        stated = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise MissingPartError(
            f"the {file.name} of '{name}' cannot be read ({error})", "fetch the model again"
        ) from error
    if not isinstance(stated, dict):
        raise MissingPartError(f"the {file.name} of '{name}' is no JSON object", "fetch the model again")
    return stated


def _weights(folder: Path, name: str) -> list[Path]:
    if (folder / WEIGHTS).is_file():
        files = [folder / WEIGHTS]
    elif (folder / SHARDS).is_file():
        named = _object(folder / SHARDS, name).get("weight_map")
        if not isinstance(named, dict) or not named:
            raise MissingPartError(f"the {SHARDS} of '{name}' names no weights", "fetch the model again")
        inside = sorted({str(v) for v in named.values()})
        if any(Path(v).name != v or not v.endswith(".safetensors") for v in inside):
            raise MissingPartError(
                f"the {SHARDS} of '{name}' names files that are no safetensors", "take another model"
            )
        files = [folder / v for v in inside]
    else:
        raise _without_weights(folder, name)
    for file in files:
        _check_safetensors(file, name)
    return files


def _without_weights(folder: Path, name: str) -> MissingPartError:
    pickle = next((f for f in _PICKLES if (folder / f).is_file()), None)
    if pickle is not None:
        return MissingPartError(
            f"'{name}' has its weights as {pickle}, a pickle, which could run code when loaded",
            f"take a model that has {WEIGHTS}",
        )
    other = next((f for f in _OTHERS if (folder / f).is_file()), None)
    what = f"has weights of {_OTHERS[other]} only" if other else "has no weights"
    return MissingPartError(f"'{name}' {what}", f"take a model that has {WEIGHTS}")


def _check_safetensors(file: Path, name: str) -> None:
    from cinescope.features.models import is_pickle

    if not file.is_file():
        raise MissingPartError(f"'{name}' lacks its weights {file.name}", "fetch the model again")
    if is_pickle(file):
        raise MissingPartError(
            f"'{file.name}' of '{name}' is a pickle, which could run code when loaded", "take another model"
        )
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise MissingPartError("weights cannot be read without safetensors", "pip install safetensors") from error
    try:
        with safe_open(str(file), "np") as opened:  # reads the header, and that the file is as long as it says
            opened.keys()
    except (SafetensorError, OSError) as error:
        raise MissingPartError(
            f"'{file.name}' of '{name}' is cut off or no safetensors file ({error})", "fetch the model again"
        ) from error


@lru_cache(maxsize=32)
def _digest(folder: str, states: tuple[tuple[str, int, int], ...]) -> str:
    # The times of change are in the key only, so that a copy of the folder has the same digest.
    made = hashlib.blake2b(digest_size=8)
    for path, size, _ in states:
        made.update(f"{Path(path).relative_to(folder)}:{size}\n".encode())
        with open(path, "rb") as opened:
            while block := opened.read(1 << 22):
                made.update(block)
    return made.hexdigest()
