"""Checkpoints: safetensors and JSON in a folder, written whole or not at all. Never a pickle. Knows no model by name.

A folder holds `checkpoint.json` (what it is, written last), `model.safetensors`, `arrays.safetensors` (what the
preparation of a raw video has learnt) and, where training may go on from it, `state.safetensors` and `state.json`.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from cinescope.types import CinescopeError, MissingPartError

FORMAT = "cinescope-checkpoint"
VERSION = 1
ABOUT = "checkpoint.json"
MODEL = "model.safetensors"
ARRAYS = "arrays.safetensors"
STATE = "state.safetensors"
STATE_ABOUT = "state.json"
_ARRAY = "$array"  # stands in JSON for an array that lies beside it


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """What a folder holds."""

    about: dict[str, Any]  # JSON values and numpy arrays
    model: dict[str, Tensor]
    state: dict[str, Any] | None = None  # JSON values and tensors; None where training cannot go on from it


def write(place: Path, about: Mapping[str, Any], model: Mapping[str, Tensor], state: Any = None) -> None:
    """Write a checkpoint folder; one that stands there is replaced only when the new one is whole on the disk.

    CinescopeError when the disk is full or cannot be written: the one before stays as it is.
    """
    place = Path(place)
    work = place.with_name(f".{place.name}.new")
    old = place.with_name(f".{place.name}.old")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        plain, arrays = _apart(dict(about))
        _put(work / MODEL, save({n: t.detach().cpu().contiguous() for n, t in model.items()}))
        _put(work / ARRAYS, save({n: _tensor(a) for n, a in arrays.items()}))
        if state is not None:
            told, tensors = _apart(state)
            _put(work / STATE, save({n: _tensor(t) for n, t in tensors.items()}))
            _put(work / STATE_ABOUT, _json(told))
        _put(work / ABOUT, _json({"format": FORMAT, "version": VERSION, **plain}))
        shutil.rmtree(old, ignore_errors=True)
        if place.exists():
            os.rename(place, old)
        os.rename(work, place)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        shutil.rmtree(work, ignore_errors=True)
        why = (
            "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else error.strerror or error
        )
        kept = "; the one before is whole" if recover(place) else ""
        raise CinescopeError(
            f"the checkpoint '{place}' could not be written: {why}{kept}",
            "make room and run the same command again with --resume",
        ) from error


def recover(place: Path) -> bool:
    """Whether there is a whole checkpoint at `place`; puts back the one that a kill between two renames left aside."""
    place = Path(place)
    for aside in (place.with_name(f".{place.name}.new"), place.with_name(f".{place.name}.old")):
        if not (place / ABOUT).exists() and (aside / ABOUT).exists():
            os.rename(aside, place)
    return (place / ABOUT).exists()


def read(place: Path, with_state: bool = False) -> Saved:
    """CinescopeError for what is no checkpoint of ours, truncated, a pickle, or of another version."""
    place = Path(place)
    about = _about(place)
    model = _tensors(place / MODEL)
    state = None
    if with_state and (place / STATE_ABOUT).exists():
        state = _together(_read_json(place / STATE_ABOUT), _tensors(place / STATE))
    arrays = {n: t.numpy() for n, t in _tensors(place / ARRAYS).items()} if (place / ARRAYS).exists() else {}
    return Saved(_together(about, arrays), model, state)


def describe(place: Path) -> dict[str, Any]:
    """The plain part of `checkpoint.json`: quick, no weights are read."""
    return _about(Path(place))


def load_weights(module: torch.nn.Module, weights: Mapping[str, Tensor], name: str) -> None:
    """Exactly these weights into the module. CinescopeError names the first missing, foreign or of another shape."""
    own = module.state_dict()
    missing, foreign = sorted(set(own) - set(weights)), sorted(set(weights) - set(own))
    if missing or foreign:
        which = f"lacks '{missing[0]}'" if missing else f"has '{foreign[0]}', which the model does not"
        raise CinescopeError(
            f"the weights of '{name}' do not fit the model: it {which} "
            f"({len(missing)} missing, {len(foreign)} foreign)",
            "use the checkpoint of this model, or train it again",
        )
    for key, tensor in own.items():
        if tensor.shape != weights[key].shape:
            raise CinescopeError(
                f"the weights '{key}' of '{name}' are {tuple(weights[key].shape)}, "
                f"and the model's are {tuple(tensor.shape)}",
                "use the checkpoint of this model, or train it again",
            )
    module.load_state_dict(dict(weights))


def _about(place: Path) -> dict[str, Any]:
    if place.is_file():
        with open(place, "rb") as opened:
            head = opened.read(4)
        if head.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")):
            raise CinescopeError(
                f"'{place}' is a pickle, which could run code when loaded; it is not opened",
                "convert it to safetensors where it comes from",
            )
        raise CinescopeError(f"'{place}' is a file, and a checkpoint is a folder with {ABOUT}", "name the folder")
    if not recover(place):
        if (place / "best" / ABOUT).exists():
            return _about(place / "best")
        what = (
            f"there is no folder '{place}'" if not place.exists() else f"'{place}' is no checkpoint: it has no {ABOUT}"
        )
        raise MissingPartError(what, "name a folder that `cinescope train` or `cinescope fit` has written")
    about = _read_json(place / ABOUT)
    if about.get("format") != FORMAT:
        raise CinescopeError(
            f"'{place}' is not a checkpoint of Cinescope", "name a folder that `cinescope train` wrote"
        )
    if about.get("version") != VERSION:
        raise CinescopeError(
            f"the checkpoint '{place}' is of version {about.get('version')}, and this Cinescope reads {VERSION}",
            "use the Cinescope that wrote it, or train it again",
        )
    return about


def _put(file: Path, data: bytes) -> None:
    with open(file, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=True).encode()


def _read_json(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CinescopeError(
            f"'{file}' cannot be read: it is truncated or not JSON", "use another checkpoint"
        ) from error
    if not isinstance(value, dict):
        raise CinescopeError(f"'{file}' is not what a checkpoint holds", "use another checkpoint")
    return value


def _tensors(file: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except FileNotFoundError as error:
        raise CinescopeError(
            f"the checkpoint lacks '{file.name}' in '{file.parent}'", "use another checkpoint"
        ) from error
    except (SafetensorError, OSError) as error:
        raise CinescopeError(
            f"'{file}' cannot be read: it is truncated or not safetensors", "use another checkpoint"
        ) from error


def _tensor(value: Any) -> Tensor:
    made = value.detach().cpu() if isinstance(value, Tensor) else torch.from_numpy(np.ascontiguousarray(value))
    # Storage of its own: safetensors refuses what is shared.
    return made.contiguous().clone()


def _apart(value: Any, at: str = "") -> tuple[Any, dict[str, Any]]:
    """JSON values with `{"$array": NAME}` in place of arrays and tensors, and those by name."""
    if isinstance(value, Tensor | np.ndarray):
        return {_ARRAY: at or "value"}, {at or "value": value}
    if isinstance(value, Mapping):
        plain: dict[str, Any] = {}
        arrays: dict[str, Any] = {}
        for key, item in value.items():
            plain[key], more = _apart(item, f"{at}/{key}" if at else str(key))
            arrays |= more
        return plain, arrays
    if isinstance(value, list | tuple):
        items = [_apart(item, f"{at}/{i}") for i, item in enumerate(value)]
        return [p for p, _ in items], {n: a for _, more in items for n, a in more.items()}
    if isinstance(value, np.generic):
        return value.item(), {}
    return value, {}


def _together(value: Any, arrays: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        if set(value) == {_ARRAY}:
            return arrays[value[_ARRAY]]
        return {key: _together(item, arrays) for key, item in value.items()}
    if isinstance(value, list):
        return [_together(item, arrays) for item in value]
    return value
