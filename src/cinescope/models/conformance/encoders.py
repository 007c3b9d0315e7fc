"""Checks of an encoder: `Encoder(in_dim, dim, **settings)`, Sequences -> Sequences. Knows no encoder by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

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

IN_DIMS = {"steps": 20, "pictures": 3, "tokens": 32}
DIM = 16
STEPS = 8
SIDE = 32  # pixels


def example(takes: str) -> Sequences:
    """Four rows: all steps, five with a hole, three, none."""
    mask = masks([STEPS, 5, 3, 0], STEPS, hole=(1, 2))
    shape = mask.shape
    values: Tensor
    if takes == "tokens":
        generator = torch.Generator().manual_seed(5)
        values = torch.randint(1, IN_DIMS["tokens"], shape, generator=generator) * mask
    elif takes == "pictures":
        values = noise(*shape, IN_DIMS["pictures"], SIDE, SIDE, seed=5) * mask[:, :, None, None, None]
    else:
        values = noise(*shape, IN_DIMS["steps"], seed=5) * mask[..., None]
    return Sequences(values, mask, clock(mask))


def check_encoder(
    part: Callable[..., Any], settings: Mapping[str, Any] | None = None, only: str | None = None
) -> list[Finding]:
    """What the suite finds on an encoder class, or a factory that is called as one; all checks, or `only` one."""
    return run_checks((BUILDS, ATTRIBUTES, SHAPES, TIMES, *SHARED), _bench(part, settings or {}), only)


def _bench(part: Callable[..., Any], settings: Mapping[str, Any]) -> Bench:
    takes = getattr(part, "takes", "steps")
    takes = takes if takes in IN_DIMS else "steps"
    filled = fill_settings(part, settings, conventional=2)
    return Bench("encoder", part, (IN_DIMS[takes], DIM), filled, {"x": example(takes)}, 3, _call)


def _call(module: Any, inputs: Inputs) -> Result:
    out = module(inputs["x"])
    return {"values": (out.values, out.mask), "times": (out.times, out.mask)}


def _attributes(bench: Bench) -> None:
    module = bench.build()
    takes = getattr(bench.part, "takes", None)
    if takes not in IN_DIMS:
        raise FailedCheck(f"its class attribute takes is {takes!r}, not one of {', '.join(IN_DIMS)}")
    if getattr(module, "dim", None) != DIM:
        raise FailedCheck(f"built for {DIM} numbers, its dim is {getattr(module, 'dim', None)!r}")


def _shapes(bench: Bench) -> None:
    module = bench.ready()
    one = bench.inputs["x"].rows(torch.tensor([0]))
    single = Sequences(one.values[:, :1], one.mask[:, :1], one.times[:, :1])
    for what, given in (("four rows", bench.inputs["x"]), ("one row of one step", single)):
        out = module(given)
        if not isinstance(out, Sequences):
            raise FailedCheck(f"{what} give {type(out).__name__}, not Sequences")
        rows = len(given.values)
        if out.values.ndim != 3 or out.values.shape[0] != rows or out.values.shape[2] != DIM:
            raise FailedCheck(f"{what} give values {tuple(out.values.shape)} instead of ({rows}, T, {DIM})")
        if out.times.dtype != torch.float64:
            raise FailedCheck(f"{what} give times of {out.times.dtype}, not float64")
        if not torch.equal(out.mask.any(1), given.present):
            raise FailedCheck(f"{what}: rows with true steps were {given.present.tolist()}, are {out.present.tolist()}")


def _times(bench: Bench) -> None:
    given = bench.inputs["x"]
    out = bench.ready()(given)
    for row in range(len(given.values)):
        before, after = given.times[row][given.mask[row]], out.times[row][out.mask[row]]
        if not len(before):
            continue
        first, last = float(before[:, 0].min()), float(before[:, 1].max())
        if bool((after[:, 1] < after[:, 0]).any()) or bool((after[1:, 0] < after[:-1, 0]).any()):
            raise FailedCheck(f"row {row}: the {len(after)} times do not rise: {_short(after)}")
        if float(after.min()) < first - 1e-9 or float(after.max()) > last + 1e-9:
            raise FailedCheck(f"row {row}: times {_short(after)} leave the input's {first:g} to {last:g} seconds")


def _short(times: Tensor) -> str:
    return ", ".join(f"{a:g}-{b:g}" for a, b in times.tolist()[:4]) + (" ..." if len(times) > 4 else "")


ATTRIBUTES = Check(
    "attributes", "It says what it takes (class attribute) and how wide its steps are (dim).", _attributes
)
SHAPES = Check("shapes", "It gives Sequences (B, T', dim), also of one row with one step.", _shapes)
TIMES = Check("times", "Times of true steps rise and stay within the seconds of the input's true steps.", _times)
