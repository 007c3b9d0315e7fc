"""Checks of a fusion: `Fusion(dims, dim, **settings)`, Batch -> Fused. Knows no fusion by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
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
    compare,
    demand_finite,
    dirty,
    fill_settings,
    masks,
    noise,
    row_of,
    run_checks,
)
from cinescope.models.conformance.shared import BUILDS, SHARED
from cinescope.nn import Batch, Fused, Sequences, absent_like

DIMS = {"video": 12, "sound": 8, "speech": 10}
DIM = 16
JOINT = 1e-5  # a relation weaker than this, relative to the pooled row, is none


def example() -> dict[str, Sequences]:
    """Five rows: all roles, no sound, only speech, a hole in the video, none at all."""
    shown = {
        "video": masks([6, 4, 0, 5, 0], 6, hole=(3, 1)),
        "sound": masks([4, 0, 0, 2, 0], 4),
        "speech": masks([3, 5, 2, 1, 0], 5),
    }
    return {
        role: Sequences(noise(*mask.shape, DIMS[role], seed=i) * mask[..., None], mask, clock(mask, 0.5 + 0.25 * i))
        for i, (role, mask) in enumerate(shown.items())
    }


def check_fusion(
    part: Callable[..., Any], settings: Mapping[str, Any] | None = None, only: str | None = None
) -> list[Finding]:
    """What the suite finds on a fusion class, or a factory that is called as one; all checks, or `only` one."""
    filled = fill_settings(part, settings or {}, conventional=2)
    bench = Bench("fusion", part, (dict(DIMS), DIM), filled, example(), 4, _call)
    return run_checks(
        (BUILDS, ATTRIBUTES, SHAPES, TIMES, MISSING, ALONE, STRANGERS, SHARES, ADDITIVE, *SHARED), bench, only
    )


def _call(module: Any, inputs: Inputs) -> Result:
    fused = module(Batch(inputs))
    result: Result = {
        "pooled": (fused.pooled, None),
        "steps": (fused.steps.values, fused.steps.mask),
        "times": (fused.steps.times, fused.steps.mask),
    }
    for role, steps in fused.parts.items():
        result[f"parts.{role}"] = (steps.values, steps.mask)
    if fused.shares is not None:
        result["shares"] = (fused.shares, None)
    return result


def _attributes(bench: Bench) -> None:
    module = bench.build()
    for dims in (DIMS, dict(reversed(DIMS.items()))):
        roles = getattr(bench.part(dict(dims), DIM, **bench.settings), "roles", None)
        if roles != tuple(dims):
            raise FailedCheck(f"built with dims {dims}, its roles are {roles!r} instead of {tuple(dims)}")
    if not isinstance(getattr(bench.part, "additive", getattr(module, "additive", None)), bool):
        raise FailedCheck("it does not say whether it is additive (class attribute, true or false)")
    dim = getattr(module, "dim", None)
    if dim != DIM:
        raise FailedCheck(f"built for {DIM} numbers, its dim is {dim!r}")


def _shapes(bench: Bench) -> None:
    fused = bench.ready()(Batch(bench.inputs))
    if not isinstance(fused, Fused):
        raise FailedCheck(f"it gives {type(fused).__name__}, not Fused")
    rows = len(next(iter(bench.inputs.values())).values)
    if tuple(fused.pooled.shape) != (rows, DIM):
        raise FailedCheck(f"pooled is {tuple(fused.pooled.shape)} instead of {(rows, DIM)}")
    steps = tuple(fused.steps.values.shape)
    if len(steps) != 3 or steps[0] != rows or steps[2] != DIM:
        raise FailedCheck(f"steps are {steps} instead of ({rows}, T, {DIM})")
    if fused.steps.times.dtype != torch.float64:
        raise FailedCheck(f"times are {fused.steps.times.dtype}, not float64")
    if set(fused.parts) != set(DIMS):
        raise FailedCheck(f"parts are {sorted(fused.parts)} instead of {sorted(DIMS)}")
    if fused.shares is not None and tuple(fused.shares.shape) != (rows, len(DIMS)):
        raise FailedCheck(f"shares are {tuple(fused.shares.shape)} instead of {(rows, len(DIMS))}")


def _times(bench: Bench) -> None:
    steps = bench.ready()(Batch(bench.inputs)).steps
    for row in range(len(steps.values)):
        before = torch.cat([s.times[row][s.mask[row]] for s in bench.inputs.values()])
        after = steps.times[row][steps.mask[row]]
        if not len(after):
            continue
        if not len(before):
            raise FailedCheck(f"row {row} has no input, and yet {len(after)} true steps")
        if bool((after[:, 1] < after[:, 0]).any()):
            raise FailedCheck(f"row {row}: a step ends before it starts")
        first, last = float(before.min()), float(before.max())
        if float(after.min()) < first - 1e-9 or float(after.max()) > last + 1e-9:
            raise FailedCheck(
                f"row {row}: steps from {float(after.min()):g} to {float(after.max()):g} s "
                f"leave the inputs' {first:g} to {last:g} s"
            )


def _missing(bench: Bench) -> None:
    """Masked in all rows, one absent step, not in the batch: three ways to say the same; and row by row."""
    module = bench.ready()
    for role in DIMS:
        others = {r: s for r, s in bench.inputs.items() if r != role}
        gone = bench.inputs[role].without(torch.ones(len(bench.inputs[role].values), dtype=torch.bool))
        expected = _without_part(_call(module, {**bench.inputs, role: absent_like(gone, DIMS[role])}), role)
        demand_finite(expected, f"without '{role}'")
        for what, inputs in (
            ("masked in every row, with 1e9 in it", dirty({**bench.inputs, role: gone}, 1e9)),
            ("not in the batch", others),
        ):
            got = _without_part(_call(module, inputs), role)
            compare(expected, got, f"'{role}' {what}, and as one absent step")
        for row in range(len(gone.values)):
            only = torch.arange(len(gone.values)) == row
            mixed = {**bench.inputs, role: bench.inputs[role].without(only)}
            got = _without_part(_call(module, dirty(mixed, float("nan"))), role)
            compare(
                row_of(expected, row), row_of(got, row), f"'{role}' missing from row {row} alone, and from all rows"
            )


def _without_part(result: Result, role: str) -> Result:
    return {name: value for name, value in result.items() if name != f"parts.{role}"}


def _alone(bench: Bench) -> None:
    for role, dim in DIMS.items():
        single = replace(bench, arguments=({role: dim}, DIM), inputs={role: bench.inputs[role]})
        result = single.result(single.ready())
        demand_finite(result, f"built for '{role}' alone")
        if tuple(result["pooled"][0].shape) != (len(bench.inputs[role].values), DIM):
            raise FailedCheck(f"built for '{role}' alone, pooled is {tuple(result['pooled'][0].shape)}")
    pooled = bench.result(bench.ready())["pooled"][0]
    other = bench.result(bench.ready(), {r: _louder(s) for r, s in bench.inputs.items()})["pooled"][0]
    for row, role in ((2, "speech"), (0, "every role"), (1, "video and speech")):
        if torch.equal(pooled[row], other[row]):
            raise FailedCheck(f"the pooled row {row}, which has {role}, does not depend on what comes in")


def _louder(s: Sequences) -> Sequences:
    return s.with_values(s.values * 1.5 + 0.5)


def _strangers(bench: Bench) -> None:
    module = bench.ready()
    expected = bench.result(module)
    turned = dict(reversed(list(bench.inputs.items())))
    compare(expected, bench.result(module, turned), "with the roles of the batch in another order")
    caption = Sequences.of(noise(5, 3, 7, seed=9))
    got = bench.result(module, {"caption": caption, **bench.inputs})
    compare(expected, got, "with a role 'caption' in the batch that it was not built for")


def _shares(bench: Bench) -> None:
    fused = bench.ready()(Batch(bench.inputs))
    if fused.shares is None:
        return
    present = torch.stack([s.present for s in bench.inputs.values()], 1)
    shares = fused.shares
    if not bool(shares.isfinite().all()) or bool((shares < 0).any()):
        raise FailedCheck(f"shares go from {float(shares.min()):g} to {float(shares.max()):g}, not from 0 to 1")
    if bool((shares[~present & present.any(1, keepdim=True)] != 0).any()):
        raise FailedCheck("a role that is missing from a row has a share in it")
    sums = (shares * present).sum(1)[present.any(1)]
    if not torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
        raise FailedCheck(f"the shares of a row sum to {[round(x, 4) for x in sums.tolist()]}, not to 1")


def _additive(bench: Bench) -> None:
    """f(a, b) + f(a', b') = f(a, b') + f(a', b) if and only if no relation between a and b is seen."""
    module = bench.ready()
    claims = bool(module.additive)
    a, b = bench.inputs["video"], bench.inputs["speech"]

    def pooled(one: Sequences, two: Sequences) -> torch.Tensor:
        return module(Batch({"video": one, "sound": bench.inputs["sound"], "speech": two})).pooled[:2].double()

    mixed = pooled(a, b) + pooled(_louder(a), _louder(b)) - pooled(a, _louder(b)) - pooled(_louder(a), b)
    relation = float(mixed.detach().abs().max() / pooled(a, b).detach().abs().max().clamp_min(1e-9))
    if claims and relation > JOINT * 10:
        raise FailedCheck(f"it says it is additive, yet {relation:.2g} of its pooled row is a relation between roles")
    if not claims and relation < JOINT:
        raise FailedCheck(
            f"it says it is not additive, yet {relation:.2g} of its pooled row is a relation between roles"
        )


ATTRIBUTES = Check(
    "attributes", "roles are those of dims in their order; dim; additive says true or false.", _attributes
)
SHAPES = Check(
    "shapes", "Fused: pooled (B, dim), steps (B, T, dim), a part for each role, shares (B, R) or None.", _shapes
)
TIMES = Check("times", "The steps' times stay within the seconds of the true steps that came in.", _times)
MISSING = Check(
    "missing role", "A role masked in a row, in all rows, or not in the batch at all is one and the same.", _missing
)
ALONE = Check("one role alone", "Built for one role it works, and a row with some roles depends on them.", _alone)
STRANGERS = Check(
    "other roles", "The order of the batch's roles and roles it was not built for change nothing.", _strangers
)
SHARES = Check("shares", "Shares are 0 or more, 0 for missing roles, and sum to 1 over the present ones.", _shares)
ADDITIVE = Check("additive", "What it says of being additive is true of its pooled row.", _additive)
