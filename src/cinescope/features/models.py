"""The models that can be fetched: what for, how large, whose, and whether they are on this machine.

Nothing here fetches unless `get` is called, which happens on a person's word only. What is fetched is files of formats
that hold numbers and text and cannot run code (ONNX, safetensors, CTranslate2, JSON). Knows nothing of what runs them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cinescope.features.backbones.shelf import BACKBONES, FAMILIES
from cinescope.types import CinescopeError, MissingPartError

Progress = Callable[[int, int], None]  # bytes done, bytes in all (about)
Kind = Literal["files", "backbone", "text encoder", "picture model", "checkpoint"]

WHISPER = "faster-whisper-"
_WHISPER_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
_MIT_OPENAI = "MIT (OpenAI)"
# Pickles run code when loaded; a checkpoint in PyTorch's own format is one, or a zip archive of one.
# A sentence-transformers checkpoint: weights, tokenizer, how it pools, how long texts may be, which languages it reads.
CHECKPOINT_FILES = (
    "config.json", "model.safetensors", "tokenizer.json", "modules.json", "sentence_bert_config.json",
    "1_Pooling/config.json", "README.md",
)  # fmt: skip
# A checkpoint of CLIP or SigLIP without its weights, and these: as ready graphs, or from which graphs are written.
PICTURE_CHECKPOINT_FILES = (
    "config.json", "preprocessor_config.json", "processor_config.json", "tokenizer.json", "tokenizer_config.json",
    "vocab.json", "merges.txt", "README.md",
)  # fmt: skip
_GRAPHS = tuple(f"onnx/{half}_model.onnx{data}" for half in ("vision", "text") for data in ("", "_data"))
_SAFETENSORS = "model.safetensors"
# A checkpoint that features read as it is: weights (in several files where they are large), what prepares its inputs.
BACKBONE_FILES = (
    "config.json", _SAFETENSORS, "model.safetensors.index.json", "model-*.safetensors", "preprocessor_config.json",
    "processor_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt",
    "vocab.json", "merges.txt", "modules.json", "1_Pooling/config.json", "README.md",
)  # fmt: skip
_BACKBONE, _KEPT = "backbone:", "backbone--"  # as a person types it, and as its folder is called
_ON_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_UNSAFE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


@dataclass(frozen=True, slots=True)
class Model:
    """One model that `cinescope models get NAME` can fetch."""

    name: str
    purpose: str
    size: int  # bytes to fetch, about
    licence: str
    repository: str  # on the Hugging Face hub
    files: tuple[str, ...]  # patterns; nothing else is fetched
    needed: tuple[str, ...]  # without these it is not there
    without: str  # what works without it
    # "backbone": a checkpoint that is kept as it is; others: what is fetched is a checkpoint, which `get` makes into
    # one; which, it says itself
    kind: Kind = "files"
    folder: str = ""  # a checkpoint on this machine; nothing is fetched then


def _whisper(size: str, megabytes: int, purpose: str, repository: str = "") -> Model:
    return Model(
        WHISPER + size, purpose, megabytes * 1_000_000, _MIT_OPENAI, repository or f"Systran/{WHISPER}{size}",
        _WHISPER_FILES, ("config.json", "model.bin", "tokenizer.json"),
        "without it, English speech is recognised by pocketsphinx, with more errors",
    )  # fmt: skip


def _encoder(name: str, megabytes: int, purpose: str, licence: str, repository: str) -> Model:
    from cinescope.features.backbones.text_encoder import ENCODER_FILES

    return Model(
        name, purpose, megabytes * 1_000_000, licence, repository,
        CHECKPOINT_FILES, ENCODER_FILES, "without it, words are found by their letters only", "text encoder",
    )  # fmt: skip


def _pictures(name: str, megabytes: int, purpose: str, licence: str, repository: str) -> Model:
    from cinescope.features.backbones.picture_encoder import PICTURE_FILES

    return Model(
        name, purpose, megabytes * 1_000_000, licence, repository, (*PICTURE_CHECKPOINT_FILES, *_GRAPHS),
        PICTURE_FILES, "without it, what is seen is not searched, and all else is", "picture model",
    )  # fmt: skip


def _checkpoint(name: str, repository: str, folder: str = "") -> Model:
    without = "without it, words are found by their letters only and what is seen is not searched"
    return Model(
        name, "meaning or pictures in search", 500_000_000, "see its model card", repository, ("config.json",), (),
        without, "checkpoint", folder,
    )  # fmt: skip


def _backbone(name: str, purpose: str, megabytes: int, licence: str, repository: str, needed: tuple[str, ...]) -> Model:
    return Model(
        name, purpose, megabytes * 1_000_000, licence, repository, BACKBONE_FILES, needed,
        "without it, its features cannot be computed, and all others can", "backbone",
    )  # fmt: skip


# Sizes: the files on the hub. For speech from the least to the most accurate, by the word error rates of the Whisper
# paper (Radford et al. 2022, appendix D); turbo by its model card.
MODELS: tuple[Model, ...] = (
    _whisper("tiny", 78, "speech in 99 languages, quickest"),
    _whisper("base", 148, "speech in 99 languages, quick"),
    _whisper("small", 486, "speech in 99 languages, a good choice without a GPU"),
    _whisper("medium", 1_530, "speech in 99 languages, accurate and slow"),
    _whisper(
        "large-v3-turbo", 1_620, "speech in 99 languages, accurate", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"
    ),
    _whisper("large-v3", 3_090, "speech in 99 languages, most accurate, wants a GPU"),
    _encoder("minilm", 91, "meaning in search, English", "Apache-2.0", "sentence-transformers/all-MiniLM-L6-v2"),
    _encoder(
        "multilingual-minilm",
        480,
        "meaning in search, 50 languages",
        "Apache-2.0",
        "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
    ),
    _pictures("clip", 605, "pictures by words, English", "MIT (OpenAI)", "Xenova/clip-vit-base-patch32"),
    _pictures(
        "siglip",
        815,
        "pictures, English, more accurate and slower",
        "Apache-2.0 (Google)",
        "Xenova/siglip-base-patch16-224",
    ),
    *(
        _backbone(b.name, b.purpose, b.megabytes, b.licence, b.repository, ("config.json", _SAFETENSORS))
        for b in BACKBONES
    ),
)


def models_folder() -> Path:
    """Where fetched models are kept: `CINESCOPE_MODELS`, else `~/.cache/cinescope/models`."""
    stated = os.environ.get("CINESCOPE_MODELS")
    if stated:
        return Path(stated).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "cinescope" / "models"


def known(name: str) -> Model:
    """The model of that name; `OWNER/NAME` is a checkpoint of the hub, `./NAME` or `/NAME` one on this machine: a text
    encoder or a picture model. `backbone:OWNER/NAME` is a checkpoint that is kept as it is, for features.
    MissingPartError where there is none."""
    for model in MODELS:
        if model.name == name:
            return model
    if name.startswith((".", "/", "~")) and Path(name).expanduser().is_dir():
        place = Path(name).expanduser().resolve()
        return _checkpoint(place.name, str(place), str(place))
    if name.startswith(_BACKBONE) and _ON_HUB.fullmatch(name.removeprefix(_BACKBONE)):
        repository = name.removeprefix(_BACKBONE)
        return _backbone(
            _KEPT + folder_name(repository), "features", 500, "see its model card", repository, ("config.json",)
        )
    if _ON_HUB.fullmatch(name):
        return _checkpoint(name.replace("/", "--"), name)
    raise MissingPartError(
        f"there is no model '{name}' to fetch",
        f"the ones known here are {', '.join(m.name for m in MODELS)}; "
        "a text encoder or picture model of the hub is named OWNER/NAME, one in a folder ./FOLDER, "
        "a model for features backbone:OWNER/NAME",
    )


def find(name: str) -> Path | None:
    """The folder of a model on this machine, known here or put there by hand; None where it is not here.

    Looks in the models folder, then in the Hugging Face cache. Never asks the network. A folder of that name is
    returned even where files are missing in it: who loads it says what is wrong.
    """
    own = models_folder() / name
    if name and Path(name).name == name and own.is_dir():
        return own
    model = next((m for m in MODELS if m.name == name), None)
    # What the hub has of a text encoder is not one yet.
    return _in_hub_cache(model) if model is not None and model.kind in ("files", "backbone") else None


def present(prefix: str = "") -> dict[str, Path]:
    """Name -> folder of the models here whose names begin so: by hand first, then from the least to the most able."""
    folder = models_folder()
    try:
        names = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise MissingPartError(
            f"cannot look into the models folder '{folder}' ({error.strerror})", "check its permissions"
        ) from error
    listed = [m.name for m in MODELS]
    found = {name: folder / name for name in names if name not in listed and name.startswith(prefix)}
    for name in listed:
        place = find(name) if name.startswith(prefix) else None
        if place is not None:
            found[name] = place
    return found


def encoders() -> dict[str, Path]:
    """Name -> folder of the text encoders that are whole and on this machine: MiniLM first, others by name.

    They are in the models folder only: the Hugging Face cache holds checkpoints, and asking it costs a second.
    """
    from cinescope.features.backbones.text_encoder import MINILM, is_encoder

    return _made(is_encoder, (MINILM,))


def _made(is_one: Callable[[Path], bool], first: Sequence[str]) -> dict[str, Path]:
    folder = models_folder()
    try:
        names = sorted(p.name for p in folder.iterdir() if not p.name.startswith(".") and is_one(p))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise MissingPartError(
            f"cannot look into the models folder '{folder}' ({error.strerror})", "check its permissions"
        ) from error
    order = {name: at for at, name in enumerate(first)}
    return {name: folder / name for name in sorted(names, key=lambda name: (order.get(name, len(order)), name))}


def picture_models() -> dict[str, Path]:
    """Name -> folder of the picture models that are whole and on this machine: CLIP first, others by name."""
    from cinescope.features.backbones.picture_encoder import is_picture_model

    return _made(is_picture_model, [m.name for m in MODELS if m.kind == "picture model"])


def backbones() -> dict[str, str]:
    """Name -> feature of the catalogue that reads it, of the checkpoints in the models folder."""
    from cinescope.features.backbones.checkpoints import find_checkpoint, is_checkpoint

    found = {}
    for name in _made(is_checkpoint, ()):
        with suppress(MissingPartError):  # a configuration that cannot be read is told of when it is used
            kind = find_checkpoint(str(models_folder() / name)).kind
            if kind in FAMILIES:
                found[name] = f"feature {FAMILIES[kind].feature}"
    return found


def folder_name(name: str) -> str:
    """The name of the folder in which a model lies that was fetched as `OWNER/NAME`."""
    return name.replace("/", "--")


def get(name: str, progress: Progress | None = None) -> Path:
    """Fetch a model into the models folder and return its folder; at once where it is on this machine already.

    Raises MissingPartError where the hub cannot be reached or does not have it, CinescopeError where it cannot be
    written. A fetch that is broken off leaves nothing behind that could be taken for the model.
    """
    model = known(name)
    here = find(model.name)
    if here is not None and _is_whole(model, here):
        return here
    folder = models_folder()
    place = folder / model.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as work:
            fetched = Path(work) / model.name
            if model.kind not in ("files", "backbone"):
                fetched = _built(model, Path(work), progress)
            else:
                _fetch(model, fetched, progress)
                _check(model, fetched, model.needed)
                if model.kind == "backbone":
                    _check_backbone(model, fetched)
            if place.exists():  # damaged: it lacks what is needed, see above
                shutil.rmtree(place)
            os.replace(fetched, place)
    except OSError as error:
        raise CinescopeError(
            f"cannot write the model '{name}' to '{folder}' ({error.strerror or error})",
            f"free {model.size / 1e6:.0f} MB there, or set CINESCOPE_MODELS to another folder",
        ) from error
    return place


def is_packaged(model: Model) -> bool:
    """Whether an installed package carries its weights, so that nothing need be fetched."""
    from cinescope.features.backbones import text_encoder

    return model.name == text_encoder.MINILM and text_encoder.packaged_minilm() is not None


def _is_whole(model: Model, place: Path) -> bool:
    from cinescope.features.backbones.picture_encoder import is_picture_model
    from cinescope.features.backbones.text_encoder import is_encoder

    if model.kind == "checkpoint":
        return is_encoder(place) or is_picture_model(place)
    if model.kind == "backbone":
        from cinescope.features.backbones.checkpoints import is_checkpoint

        return is_checkpoint(place)
    return all((place / file).exists() for file in model.needed)


def _built(model: Model, work: Path, progress: Progress | None) -> Path:
    """What a checkpoint is made into: from the package that carries its weights, its folder here, or the hub."""
    from cinescope.features.backbones import picture_build, text_encoder
    from cinescope.features.backbones.onnx_graph import require_builder

    out = work / model.name
    if is_packaged(model):
        text_encoder.build_minilm(out)
        return out
    checkpoint = Path(model.folder) if model.folder else work / "checkpoint"
    if not model.folder:
        _fetch(model, checkpoint, progress, ("config.json",))
        _check(model, checkpoint, ("config.json",))
    if _kind_of(model, checkpoint) == "picture model":
        if not model.folder:
            _fetch(model, checkpoint, progress, (*PICTURE_CHECKPOINT_FILES, *_GRAPHS))
            if picture_build.graphs_in(checkpoint) is None:
                require_builder("a picture model")  # before hundreds of megabytes come for nothing
                _fetch(model, checkpoint, progress, (_SAFETENSORS,))
            _check(model, checkpoint, ("config.json",))
        picture_build.build_picture_model(checkpoint, out, model.name)
        return out
    require_builder("a text encoder")
    if not model.folder:
        _fetch(model, checkpoint, progress, CHECKPOINT_FILES)
        _check(model, checkpoint, ("config.json", _SAFETENSORS, "tokenizer.json"))
    text_encoder.build_fetched(checkpoint, out, model.name)
    return out


def _kind_of(model: Model, checkpoint: Path) -> Kind:
    """What its config.json says that a checkpoint is. MissingPartError for what is of no use here."""
    from cinescope.features.backbones import bert_graph, picture_build

    if model.kind != "checkpoint":
        return model.kind
    try:
        stated = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
        kind = stated.get("model_type") or "unknown"
    except (OSError, ValueError, AttributeError) as error:
        raise MissingPartError(
            f"'{model.repository}' has no config.json that can be read ({_first_line(error)})", "take another model"
        ) from error
    if kind in bert_graph.FAMILIES:
        return "text encoder"
    if str(kind).startswith(("clip", "siglip")):
        picture_build.read_config(checkpoint)  # says why where it is only half of one
        return "picture model"
    as_feature = f"; for features: `cinescope models get {_BACKBONE}{model.repository}`" if kind in FAMILIES else ""
    raise MissingPartError(
        f"'{model.repository}' is a model of the kind '{kind}', neither a text encoder nor a picture model",
        f"take a sentence-transformers model of {', '.join(bert_graph.FAMILIES)}, or a checkpoint of CLIP or SigLIP"
        + as_feature,
    )


def _check_backbone(model: Model, fetched: Path) -> None:
    """MissingPartError where features could not read it: said before it is kept."""
    from cinescope.features.backbones.checkpoints import Checkpoint, find_checkpoint

    found = find_checkpoint(str(fetched))
    if found.kind not in FAMILIES:
        raise MissingPartError(
            f"'{model.repository}' is a model of the kind '{found.kind}', which no feature reads",
            f"take one of {', '.join(FAMILIES)}",
        )
    Checkpoint(model.repository, fetched, found.config).weights  # noqa: B018 - says what is wrong with the files


def _fetch(model: Model, place: Path, progress: Progress | None, files: tuple[str, ...] = ()) -> None:
    """Into `place`, what there is of `files` (patterns), or of the model's own."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.utils import disable_progress_bars
    except ImportError as error:
        raise MissingPartError(
            "models cannot be fetched without huggingface_hub", "pip install huggingface_hub"
        ) from error
    try:
        disable_progress_bars()
        with _watched(place, model.size, progress):
            snapshot_download(model.repository, local_dir=str(place), allow_patterns=list(files or model.files))
    except Exception as error:
        # Out of disk is ours to tell; all else, of the client's many classes, means that the hub did not deliver.
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
            raise
        raise MissingPartError(
            f"the model '{model.name}' could not be fetched from the Hugging Face hub ({_first_line(error)})",
            f"check the connection and run `cinescope models get {_as_typed(model)}` again; {model.without}",
        ) from error
    shutil.rmtree(place / ".cache", ignore_errors=True)  # the client's own notes on the download


def _check(model: Model, place: Path, needed: tuple[str, ...]) -> None:
    missing = [file for file in needed if not (place / file).is_file()]
    if missing:
        raise MissingPartError(
            f"what the hub has as '{model.repository}' lacks {' and '.join(missing)}",
            f"use another model ({_SAFETENSORS} or ONNX graphs, never a pickle); {model.without}",
        )
    for file in sorted(place.rglob("*")):
        if file.is_file() and is_pickle(file):
            raise MissingPartError(
                f"'{file.name}' of '{model.repository}' is a pickle, which could run code when loaded",
                f"use another model; {model.without}",
            )


def _as_typed(model: Model) -> str:
    if model.kind == "backbone" and model.name.startswith(_KEPT):
        return _BACKBONE + model.repository
    return model.repository if model.kind == "checkpoint" else model.name


def is_pickle(file: Path) -> bool:
    """Whether a file begins like a pickle or a PyTorch archive of one."""
    with open(file, "rb") as opened:
        return opened.read(4).startswith(_UNSAFE_STARTS)


def _in_hub_cache(model: Model) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    places = [try_to_load_from_cache(model.repository, file) for file in model.needed]
    folders = {Path(place).parent for place in places if isinstance(place, str)}
    # An unfinished download of somebody else's is not there.
    return folders.pop() if len(folders) == 1 and all(isinstance(place, str) for place in places) else None


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__


@contextmanager
def _watched(place: Path, total: int, progress: Progress | None) -> Iterator[None]:
    """Tell `progress` twice a second how many bytes lie in the folder: true whatever the hub's client does inside."""
    if progress is None:
        yield
        return
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            progress(min(_size(place), total), total)

    thread = threading.Thread(target=watch, name="models-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    progress(total, total)


def _size(place: Path) -> int:
    total = 0
    for folder, _, files in os.walk(place):
        for file in files:
            with suppress(OSError):  # renamed by the client between the listing and the question
                total += os.stat(os.path.join(folder, file)).st_size
    return total
