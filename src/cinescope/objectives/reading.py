"""Finding outputs and targets by name, and which of them are known. Knows no loss."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from cinescope.nn import UNKNOWN
from cinescope.types import BadQueryError


def read_output(outputs: Mapping[str, Tensor], name: str) -> Tensor:
    """What a head said under `name`. BadQueryError names what there is instead."""
    if name not in outputs:
        raise BadQueryError(
            f"the model gives no output '{name}'", f"its heads give {', '.join(sorted(outputs)) or 'none'}"
        )
    return outputs[name]


def read_target(targets: Mapping[str, Tensor], name: str) -> Tensor:
    """What is to be learned under `name`. BadQueryError names what there is instead."""
    if name not in targets:
        there = sorted(n for n in targets if not n.endswith((".known", ".mask")))
        raise BadQueryError(f"the batch has no target '{name}'", f"it has {', '.join(there) or 'none'}")
    return targets[name]


def known_classes(targets: Mapping[str, Tensor], name: str) -> Tensor:
    """Bool of the shape of the class target: where it is known."""
    return read_target(targets, name) != UNKNOWN


def known_values(targets: Mapping[str, Tensor], name: str) -> Tensor:
    """Bool of the shape of the number target: where it is known, by `NAME.known` (B,) or of its own shape."""
    values = read_target(targets, name)
    known = targets.get(f"{name}.known")
    if known is None:
        return torch.ones_like(values, dtype=torch.bool)
    if known.shape[0] != values.shape[0] or (known.ndim > 1 and known.shape != values.shape):
        raise ValueError(f"'{name}.known' {tuple(known.shape)} does not fit '{name}' {tuple(values.shape)}")
    return known.reshape(*known.shape, *[1] * (values.ndim - known.ndim)).expand_as(values)


def where_known(logits: Tensor, known: Tensor) -> Tensor:
    """Logits (..., K) with zeros where known (...) is false: a NaN there would come back through 0 * NaN."""
    return torch.where(known[..., None], logits, torch.zeros((), dtype=logits.dtype, device=logits.device))


def where_known_values(values: Tensor, known: Tensor) -> Tensor:
    """The same for numbers of the same shape as `known`."""
    return torch.where(known, values, torch.zeros((), dtype=values.dtype, device=values.device))


def same_shape(said: Tensor, true: Tensor, output: str, target: str) -> None:
    if said.shape != true.shape:
        raise ValueError(
            f"the output '{output}' {tuple(said.shape)} does not fit the target '{target}' {tuple(true.shape)}"
        )


def check_classes(classes: Tensor, logits: Tensor, name: str) -> None:
    """ValueError where logits (..., K) and classes (...) do not fit; BadQueryError where a class is beyond what the
    head knows. The latter is not looked at on an accelerator, where looking would wait for it."""
    if logits.shape[:-1] != classes.shape:
        raise ValueError(f"logits {tuple(logits.shape)} do not fit the target '{name}' {tuple(classes.shape)}")
    if classes.device.type != "cpu":
        return
    count = logits.shape[-1]
    wrong = classes[((classes < 0) | (classes >= count)) & (classes != UNKNOWN)]
    if len(wrong):
        raise BadQueryError(
            f"the target '{name}' has the class {int(wrong[0])}, but the head knows 0 to {count - 1}",
            "give the head as many classes as there are labels",
        )
