"""Checks of a head: `Head(dim, **settings)`, (Fused, Batch) -> Outputs. Knows no head by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from cinescope.models.conformance.common import (
    Bench,
    Check,
    FailedCheck,
    Finding,
    Inputs,
    Result,
    clock,
    fill_settings,
    masks,
    noise,
    run_checks,
)
from cinescope.models.conformance.shared import BUILDS, SHARED
from cinescope.nn import Batch, Fused, Sequences

DIM = 16
STEPS = 7  # a result with this many columns is one per step; no other size here is 7
ROLES = ("video", "sound", "speech")


def example() -> dict[str, Sequences]:
    """Four rows: all steps, five with a hole, two, none. `pooled` is a step of its own, so that it can be absent."""
    mask = masks([STEPS, 5, 2, 0], STEPS, hole=(1, 1))
    one = mask.any(1, keepdim=True)
    inputs = {
        "steps": Sequences(noise(*mask.shape, DIM, seed=1) * mask[..., None], mask, clock(mask)),
        "pooled": Sequences(noise(len(mask), 1, DIM, seed=2) * one[..., None], one, clock(one)),
    }
    for i, role in enumerate(ROLES):
        inputs[role] = Sequences(noise(*mask.shape, DIM, seed=3 + i) * mask[..., None], mask, clock(mask))
    return inputs


def check_head(
    part: Callable[..., Any], settings: Mapping[str, Any] | None = None, only: str | None = None
) -> list[Finding]:
    """What the suite finds on a head class, or a factory that is called as one; all checks, or `only` one.

    Settings without a default get a small value: a count 5, a name a role in turn.
    """
    filled = fill_settings(part, settings or {}, conventional=1, roles=dict.fromkeys(ROLES, DIM))
    bench = Bench("head", part, (DIM,), filled, example(), 3, _call)
    return run_checks((BUILDS, SHAPES, *SHARED), bench, only)


def fused_of(inputs: Inputs) -> tuple[Fused, Batch]:
    parts = {role: inputs[role] for role in ROLES}
    steps = inputs["steps"]
    return Fused(steps, inputs["pooled"].zeroed()[:, 0], parts), Batch(parts)


def _call(module: Any, inputs: Inputs) -> Result:
    outputs = module(*fused_of(inputs))
    mask = inputs["steps"].mask
    rows, steps = mask.shape
    result: Result = {}
    for name, value in outputs.items():
        if value.ndim >= 2 and value.shape[:2] == (rows, steps):
            result[name] = (value, mask)
        elif value.ndim == 2 and value.shape == (rows, rows):
            result[f"{name}|rows"] = (value, None)
        else:
            result[name] = (value, None)
    return result


def _shapes(bench: Bench) -> None:
    outputs = bench.ready()(*fused_of(bench.inputs))
    if not isinstance(outputs, dict) or not outputs:
        raise FailedCheck(f"it gives {type(outputs).__name__} of {len(outputs)}, not a dict of named tensors")
    rows = len(bench.inputs["steps"].values)
    for name, value in outputs.items():
        if not isinstance(value, torch.Tensor):
            raise FailedCheck(f"{name} is {type(value).__name__}, not a tensor")
        if value.ndim and value.shape[0] != rows:
            raise FailedCheck(f"{name} is {tuple(value.shape)}, its first axis is not the {rows} rows")


SHAPES = Check("shapes", "It gives named tensors whose first axis is the rows.", _shapes)
