"""What the tasks share: building parts by name, asking a model without training it, rows of targets. Knows no task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cinescope.nn import Batch, Fused, Outputs
from cinescope.objectives import CORRUPTIONS, OBJECTIVES
from cinescope.types import BadQueryError, Catalogue

Named = str | Mapping[str, Any]  # "focal", or {"name": "focal", "gamma": 2.0}


def built(catalogue: Catalogue, part: Any, **defaults: Any) -> Any:
    """A part by name, by {"name": ..., **settings}, or as it is where it is one already."""
    if isinstance(part, str):
        return catalogue.create(part, **defaults)
    if isinstance(part, Mapping):
        if "name" not in part:
            raise BadQueryError(f"the {catalogue.kind} {dict(part)} has no name", "give it one under name")
        settings = {k: v for k, v in part.items() if k != "name"}
        return catalogue.create(str(part["name"]), **(defaults | settings))
    if not callable(part):
        raise BadQueryError(f"{part!r} is no {catalogue.kind}", "give its name, or name and settings")
    return part


def make_objective(part: Any, **defaults: Any) -> Any:
    return built(OBJECTIVES, part, **defaults)


def make_corruptions(parts: Sequence[Any]) -> list[Any]:
    return [built(CORRUPTIONS, part) for part in parts]


def corrupted(batch: Batch, augment: Sequence[Any], seed: int, epoch: int) -> Batch:
    """The batch after all corruptions, one after the other."""
    for corruption in augment:
        batch = corruption(batch, seed, epoch)
    return batch


def changes_presence(augment: Sequence[Any]) -> bool:
    """Whether a corruption may make a role of a row absent: then counts must look at the corrupted batch."""
    return any(getattr(corruption, "changes_presence", True) for corruption in augment)


def ask(model: Any, batch: Batch, *heads: str) -> tuple[Fused, Batch, Outputs]:
    """encode, fuse, and these heads."""
    encoded = model.encode(batch)
    fused = model.fuse(encoded)
    return fused, encoded, ask_heads(model, fused, encoded, *heads)


def ask_heads(model: Any, fused: Fused, encoded: Batch, *heads: str) -> Outputs:
    outputs: Outputs = {}
    for name in heads:
        if name not in model.heads:
            raise BadQueryError(f"the model has no head '{name}'", f"it has {', '.join(model.heads) or 'none'}")
        outputs |= model.heads[name](fused, encoded)
    return outputs


@contextmanager
def answering(model: Any) -> Iterator[None]:
    """No gradients and no dropout; every part is put back into the mode it was in."""
    modes = [(m, m.training) for m in model.modules()] if isinstance(model, nn.Module) else []
    for part, _ in modes:
        part.training = False
    try:
        with torch.no_grad():
            yield
    finally:
        for part, was in modes:
            part.training = was


def rows(target: Any) -> list[np.ndarray]:
    """One array for each row of a target: of a tensor or array (N, ...), or of a list of rows, which may differ in
    length."""
    if isinstance(target, Tensor):
        return list(target.detach().cpu().numpy())
    return [np.asarray(row.detach().cpu() if isinstance(row, Tensor) else row) for row in target]


def keyed(batch: Batch, row: int) -> dict[str, Any]:
    """The beginning of an answer: the key of its row where the batch has keys."""
    return {"key": batch.keys[row]} if batch.keys else {}


def shares_of(fused: Fused, row: int) -> list[float] | None:
    """How much each role of a row weighed, where the fusion says so."""
    return None if fused.shares is None else [float(s) for s in fused.shares[row].float()]


def known_rows(targets: Mapping[str, Any], name: str) -> np.ndarray:
    """(N,) bool: rows whose number target is known throughout, by `NAME.known`; all where nothing is said."""
    if f"{name}.known" not in targets:
        return np.ones(len(targets[name]), dtype=bool)
    return np.array([bool(np.all(known)) for known in rows(targets[f"{name}.known"])])
