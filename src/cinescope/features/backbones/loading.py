"""`load_backbone`: a pretrained model of transformers from files on this machine, whole or not at all.

Every weight of the part that is used must come from the checkpoint, in its shape: what is missing, foreign, cut off
or a pickle is an error, and no weight is ever left at random. Knows loading; not what is done with the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from cinescope.features.backbones.checkpoints import Checkpoint, find_checkpoint
from cinescope.features.backbones.shelf import FAMILIES, Family, Part
from cinescope.types import BadQueryError, MissingPartError

# Read in training only: the vector that stands for masked sound (wav2vec 2.0), the count of batches seen by BatchNorm.
_UNREAD = ("masked_spec_embed", "num_batches_tracked", "position_ids")
_SHOWN = 3  # names of weights in a message


@dataclass(frozen=True, eq=False)
class Backbone:
    """A loaded model in eval mode. Call it with arrays by transformers' names: `backbone(pixel_values=...)`."""

    checkpoint: Checkpoint
    part: Part
    family: Family
    model: Any  # torch.nn.Module
    config: Any  # the part's own configuration
    dtype: str
    device: str

    def __call__(self, hidden: bool = False, **inputs: np.ndarray) -> Any:
        """What the model gives for one batch, as transformers' output object of tensors; no gradients are kept."""
        import torch

        with torch.inference_mode():
            given = {name: self._tensor(value) for name, value in inputs.items()}
            more = {"output_hidden_states": True} if hidden else {}
            return self.model(**given, **more)

    def _tensor(self, value: np.ndarray) -> Any:
        import torch

        made = torch.from_numpy(np.ascontiguousarray(value)).to(self.device)
        return made.to(getattr(torch, self.dtype)) if made.is_floating_point() else made


def load_backbone(
    name_or_folder: str, part: Part | None = None, dtype: str = "float32", device: str = "auto"
) -> Backbone:
    """A folder, a model that was fetched, or OWNER/NAME of the Hugging Face cache. Nothing is ever fetched.

    `part`: of a model with several ("picture" and "text" of CLIP), which one; None where there is one, or the first.
    `dtype`: float32, bfloat16, or auto (bfloat16 where measured faster); `device`: cpu, cuda, or auto.
    MissingPartError says what is wrong with a checkpoint that cannot be loaded whole.
    """
    checkpoint = find_checkpoint(name_or_folder)
    return load_checkpoint(checkpoint, part_of(checkpoint, part), dtype, device)


def part_of(checkpoint: Checkpoint, part: Part | None = None) -> Part:
    """The part that is asked for, or the first that the checkpoint has. MissingPartError for what is not read here."""
    family = FAMILIES.get(checkpoint.kind)
    if family is None:
        raise MissingPartError(
            f"'{checkpoint.name}' is a model of the kind '{checkpoint.kind}', which is not read here",
            f"take one of {', '.join(FAMILIES)}",
        )
    if part is None:
        return next(iter(family.classes))
    if part not in family.classes:
        raise BadQueryError(
            f"'{checkpoint.name}' ({checkpoint.kind}) has no part '{part}'", f"ask for {' or '.join(family.classes)}"
        )
    return part


def load_checkpoint(checkpoint: Checkpoint, part: Part, dtype: str = "float32", device: str = "auto") -> Backbone:
    """As `load_backbone`, for a checkpoint that was found before."""
    family = FAMILIES[checkpoint.kind]
    own = family.classes[part].startswith("cinescope.")
    require("torch") if own else require_transformers()
    import torch

    from cinescope.nn.precision import device_of, dtype_of

    checkpoint.weights  # noqa: B018 - says in one sentence what is wrong with the files
    device = device_of(device)
    dtype = dtype_of(dtype, device)
    if own:
        model = _own(checkpoint, family, part).to(getattr(torch, dtype))
        return Backbone(checkpoint, part, family, model.to(device), checkpoint.config, dtype, device)
    with _quiet():
        config = _config(checkpoint, family, part)
        try:
            model, info = _class(family.classes[part]).from_pretrained(
                str(checkpoint.folder), config=config, local_files_only=True, use_safetensors=True,
                ignore_mismatched_sizes=True, output_loading_info=True, dtype=getattr(torch, dtype),
                **({"key_mapping": dict(family.renamed)} if family.renamed else {}), **family.arguments,
            )  # fmt: skip
        except Exception as error:
            raise _cannot(checkpoint, error) from error
    _check_whole(checkpoint, part, info)
    with torch.no_grad():
        for key in info["missing_keys"]:  # what nothing reads, see _UNREAD: even so it is not left at random
            model.get_submodule(key.rpartition(".")[0]).__getattr__(key.rpartition(".")[2]).zero_()
    model.eval()
    model.requires_grad_(False)
    return Backbone(checkpoint, part, family, model.to(device), config, dtype, device)


def _own(checkpoint: Checkpoint, family: Family, part: Part) -> Any:
    """A network that stands in this package, with every one of its weights from the checkpoint."""
    import torch
    from safetensors.torch import load_file

    with torch.device("meta"):  # no weight is drawn: until it is loaded it is not there
        model = _class(family.classes[part])()
    held = {name: value for file in checkpoint.weights for name, value in load_file(file).items()}
    wanted = {k: v for k, v in model.state_dict().items() if not k.endswith(_UNREAD)}
    found = {k: held[k] for k in wanted.keys() & held.keys()}
    mismatched = [(k, v.shape, wanted[k].shape) for k, v in found.items() if v.shape != wanted[k].shape]
    _check_whole(checkpoint, part, {"missing_keys": wanted.keys() - held.keys(), "mismatched_keys": mismatched})
    unread = {k: torch.zeros_like(v, device="cpu") for k, v in model.state_dict().items() if k not in wanted}
    model.load_state_dict({k: v.float() for k, v in found.items()} | unread, assign=True)
    model.eval()
    model.requires_grad_(False)
    return model


def part_config(checkpoint: Checkpoint, part: Part) -> Any:
    """The configuration of a part, with what transformers fills in."""
    require_transformers()
    with _quiet():
        return _config(checkpoint, FAMILIES[checkpoint.kind], part)


def _config(checkpoint: Checkpoint, family: Family, part: Part) -> Any:
    from transformers import AutoConfig

    try:
        whole = AutoConfig.from_pretrained(str(checkpoint.folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise _cannot(checkpoint, error) from error
    if part not in family.inner:
        return whole
    inner = getattr(whole, family.inner[part])
    # Older checkpoints state the width of the shared space once, for the whole.
    if isinstance(getattr(whole, "projection_dim", None), int):
        inner.projection_dim = whole.projection_dim
    return inner


def _class(name: str) -> Any:
    if ":" in name:
        module, _, name = name.partition(":")
        return getattr(import_module(module), name)
    import transformers

    return getattr(transformers, name)


def _check_whole(checkpoint: Checkpoint, part: str, info: Mapping[str, Any]) -> None:
    """MissingPartError where a weight of the model did not come from the checkpoint, or came in another shape."""
    again = "take a checkpoint that was saved whole by transformers"
    missing = sorted(k for k in info["missing_keys"] if not k.endswith(_UNREAD))
    if missing:
        raise MissingPartError(
            f"{_told(checkpoint)} lacks {_count(missing)} of its {part} part: {_some(missing)}",
            again,
        )
    mismatched = sorted(info["mismatched_keys"], key=str)
    if mismatched:
        key, found, wanted = mismatched[0]
        raise MissingPartError(
            f"{_told(checkpoint)} has {_count(mismatched)} of another shape than its config.json says: {key} is "
            f"{tuple(found)}, not {tuple(wanted)}",
            again,
        )
    if info.get("error_msgs"):
        raise MissingPartError(f"'{checkpoint.name}' cannot be loaded ({_line(info['error_msgs'][0])})", again)


def _told(checkpoint: Checkpoint) -> str:
    return f"'{checkpoint.name}' ({checkpoint.kind})"


def _count(names: list[Any]) -> str:
    return f"{len(names)} weight{'s' if len(names) > 1 else ''}"


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _cannot(checkpoint: Checkpoint, error: BaseException) -> MissingPartError:
    return MissingPartError(
        f"{_told(checkpoint)} cannot be loaded ({_line(error)})",
        "fetch it again, or take another checkpoint",
    )


def _line(error: object) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__


def require_transformers() -> None:
    """MissingPartError where torch or transformers is not installed."""
    require("torch")
    require("transformers")


def require(package: str) -> None:
    try:
        import_module(package)
    except ImportError as error:
        raise MissingPartError(
            f"pretrained backbones need {package}, which is not installed", f"pip install {package}"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers prints reports and bars of its own; what matters of them is said by `_check_whole`."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
