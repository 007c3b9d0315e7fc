"""Checks of a pooling: `Pooling(dim, **settings)`, Sequences (B, T, D) -> (B, dim). Knows no pooling by name."""

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
from cinescope.nn import Sequences

DIM = 12
STEPS = 6


def check_pooling(
    part: Callable[..., Any], settings: Mapping[str, Any] | None = None, only: str | None = None
) -> list[Finding]:
    """What the suite finds on a pooling class, or a factory that is called as one; all checks, or `only` one."""
    mask = masks([STEPS, 4, 2, 0], STEPS, hole=(1, 1))
    given = Sequences(noise(*mask.shape, DIM, seed=6) * mask[..., None], mask, clock(mask))
    filled = fill_settings(part, settings or {}, conventional=1)
    bench = Bench("pooling", part, (DIM,), filled, {"x": given}, 3, _call)
    return run_checks((BUILDS, ATTRIBUTES, SHAPES, ABSENT, *SHARED), bench, only)


def _call(module: Any, inputs: Inputs) -> Result:
    return {"pooled": (module(inputs["x"]), None)}


def _attributes(bench: Bench) -> None:
    dim = getattr(bench.build(), "dim", None)
    if not isinstance(dim, int) or dim < 1:
        raise FailedCheck(f"its dim is {dim!r}, not the width of what it gives")


def _shapes(bench: Bench) -> None:
    module = bench.ready()
    given = bench.inputs["x"]
    wanted = (len(given.values), module.dim)
    got = tuple(module(given).shape)
    if got != wanted:
        raise FailedCheck(f"values {tuple(given.values.shape)} give {got} instead of {wanted}")
    one = Sequences(given.values[:1, :1], given.mask[:1, :1], given.times[:1, :1])
    if tuple(module(one).shape) != (1, module.dim):
        raise FailedCheck(f"one row of one step gives {tuple(module(one).shape)} instead of {(1, module.dim)}")


def _absent(bench: Bench) -> None:
    row = bench.ready()(bench.inputs["x"])[bench.absent].detach()
    if bool((row != 0).any()) or bool(torch.isnan(row).any()):
        raise FailedCheck(f"the row without steps gives numbers up to {float(row.abs().max()):g}")


ATTRIBUTES = Check("attributes", "It says how wide its result is (dim).", _attributes)
SHAPES = Check("shapes", "It gives (B, dim), also of one row with one step.", _shapes)
ABSENT = Check("zeros", "A row without true steps gives zeros.", _absent)
