"""The models that can be fetched: what for, how large, whose, and whether they are on this machine.

Nothing here fetches unless `get` is called, which happens on a person's word only. What is fetched is files of formats
that hold numbers and text and cannot run code (ONNX, safetensors, CTranslate2, JSON). Knows nothing of what runs them.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cinescope.types import CinescopeError, MissingPartError

Progress = Callable[[int, int], None]  # bytes done, bytes in all (about)
Kind = Literal["files", "text encoder"]

WHISPER = "faster-whisper-"
_WHISPER_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
_MIT_OPENAI = "MIT (OpenAI Whisper, converted)"
# Pickles run code when loaded; a checkpoint in PyTorch's own format is one, or a zip archive of one.
# A sentence-transformers checkpoint: weights, tokenizer, how it pools, how long texts may be, which languages it reads.
CHECKPOINT_FILES = (
    "config.json", "model.safetensors", "tokenizer.json", "modules.json", "sentence_bert_config.json",
    "1_Pooling/config.json", "README.md",
)  # fmt: skip
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
    kind: Kind = "files"  # "text encoder": what is fetched is a checkpoint, which `get` makes into one


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
)


def models_folder() -> Path:
    """Where fetched models are kept: `CINESCOPE_MODELS`, else `~/.cache/cinescope/models`."""
    stated = os.environ.get("CINESCOPE_MODELS")
    if stated:
        return Path(stated).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "cinescope" / "models"


def known(name: str) -> Model:
    """The model of that name; `OWNER/NAME` is a text encoder of the hub. MissingPartError where there is none."""
    for model in MODELS:
        if model.name == name:
            return model
    if _ON_HUB.fullmatch(name):
        return _encoder(name.replace("/", "--"), 500, "meaning in search", "see its model card", name)
    raise MissingPartError(
        f"there is no model '{name}' to fetch",
        f"the ones known here are {', '.join(m.name for m in MODELS)}; a text encoder of the hub is named OWNER/NAME",
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
    return _in_hub_cache(model) if model is not None and model.kind == "files" else None


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

    folder = models_folder()
    try:
        names = sorted(p.name for p in folder.iterdir() if not p.name.startswith(".") and is_encoder(p))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise MissingPartError(
            f"cannot look into the models folder '{folder}' ({error.strerror})", "check its permissions"
        ) from error
    return {name: folder / name for name in sorted(names, key=lambda name: (name != MINILM, name))}


def get(name: str, progress: Progress | None = None) -> Path:
    """Fetch a model into the models folder and return its folder; at once where it is on this machine already.

    Raises MissingPartError where the hub cannot be reached or does not have it, CinescopeError where it cannot be
    written. A fetch that is broken off leaves nothing behind that could be taken for the model.
    """
    model = known(name)
    here = find(model.name)
    if here is not None and all((here / file).exists() for file in model.needed):
        return here
    folder = models_folder()
    place = folder / model.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as work:
            fetched = Path(work) / model.name
            if model.kind == "text encoder":
                fetched = _built(model, Path(work), progress)
            else:
                _fetch(model, fetched, progress)
                _check(model, fetched, model.needed)
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


def _built(model: Model, work: Path, progress: Progress | None) -> Path:
    """A text encoder, made from the package that carries its weights where it is installed, else from the hub."""
    from cinescope.features.backbones import text_encoder

    out = work / model.name
    if is_packaged(model):
        text_encoder.build_minilm(out)
        return out
    checkpoint = work / "checkpoint"
    _fetch(model, checkpoint, progress)
    _check(model, checkpoint, ("config.json", "model.safetensors", "tokenizer.json"))
    text_encoder.build_fetched(checkpoint, out, model.name)
    return out


def _fetch(model: Model, place: Path, progress: Progress | None) -> None:
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
            snapshot_download(model.repository, local_dir=str(place), allow_patterns=list(model.files))
    except Exception as error:
        # Out of disk is ours to tell; all else, of the client's many classes, means that the hub did not deliver.
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
            raise
        raise MissingPartError(
            f"the model '{model.name}' could not be fetched from the Hugging Face hub ({_first_line(error)})",
            f"check the connection and run `cinescope models get {model.name}` again; {model.without}",
        ) from error
    shutil.rmtree(place / ".cache", ignore_errors=True)  # the client's own notes on the download


def _check(model: Model, place: Path, needed: tuple[str, ...]) -> None:
    missing = [file for file in needed if not (place / file).is_file()]
    if missing:
        raise MissingPartError(
            f"what the hub has as '{model.repository}' lacks {' and '.join(missing)}",
            f"use another model; {model.without}",
        )
    for file in sorted(place.rglob("*")):
        if file.is_file() and is_pickle(file):
            raise MissingPartError(
                f"'{file.name}' of '{model.repository}' is a pickle, which could run code when loaded",
                f"use another model; {model.without}",
            )


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
