"""Whether a model can be trained on this machine, told before any of it is made. Knows specs and memory."""

from __future__ import annotations

import os
from dataclasses import replace

import torch

from cinescope.models.spec import ModelSpec
from cinescope.nn.encoders import ENCODERS
from cinescope.types import BadQueryError

_BYTES = 16  # of a number in training: itself, its gradient and Adam's two moments, float32 each


def parameters_of(spec: ModelSpec) -> int:
    """How many numbers the parts have that are made from the spec alone; nothing is allocated.

    Encoders that were pretrained are left out: their size is that of their files.
    """
    made = {r: e for r, e in spec.encoders.items() if e.name == "none" or not hasattr(ENCODERS.load(e.name), "saved")}
    held = {r: e if r in made else replace(e, name="none", in_dim=e.dim, settings={}) for r, e in spec.encoders.items()}
    with torch.device("meta"):
        return sum(p.numel() for p in replace(spec, encoders=held).build().parameters())


def check_size(spec: ModelSpec, memory: int | None = None) -> None:
    """BadQueryError where training needs more than `memory` bytes (default: all that this machine has)."""
    there = memory if memory is not None else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        count = parameters_of(spec)
    except (NotImplementedError, RuntimeError, TypeError):
        # A stranger's part that reads numbers as it is made (`item`, `numpy`) has none to read here. Nothing is hidden:
        # the model is built in earnest next, and what is wrong with it is told there.
        return
    if count * _BYTES > there:
        raise BadQueryError(
            f"the model has {count:,} parameters, and to train it takes {count * _BYTES / 1e9:,.0f} GB of the "
            f"{there / 1e9:,.0f} GB that this machine has",
            "make the dims of its encoders or of its fusion smaller",
        )
