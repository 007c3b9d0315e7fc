"""Checks that hold for every kind of part: padding, batches, absence, gradients, saving, precision, export."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from cinescope.models.conformance.common import (
    BF16,
    Bench,
    Check,
    FailedCheck,
    Result,
    SkippedCheck,
    compare,
    demand_finite,
    dirty,
    longer,
    row_of,
    rows_of,
    seeded,
    true_steps,
    weighted_sum,
)
from cinescope.models.conformance.onnx_export import differs_in_onnx


def builds(bench: Bench) -> None:
    module = bench.build()
    if not isinstance(module, nn.Module):
        raise FailedCheck(f"what is built is {type(module).__name__}, not a torch.nn.Module")
    other = bench.build()
    for (name, a), b in zip(module.state_dict().items(), other.state_dict().values(), strict=True):
        if not torch.equal(a, b):
            raise FailedCheck(f"built twice from the same seed, '{name}' {tuple(a.shape)} is not the same")


def padding_content(bench: Bench) -> None:
    for training in (False, True):
        mode = "in train mode" if training else "in eval mode"
        clean = bench.ready(training)
        expected = bench.result(clean)
        for number in (float("nan"), 1e9):
            module = bench.ready(training)
            got = bench.result(module, dirty(bench.inputs, number))
            compare(expected, got, f"with {number:g} in padding {mode}")
            for (name, a), b in zip(clean.state_dict().items(), module.state_dict().values(), strict=True):
                if not torch.allclose(a.double(), b.double(), rtol=1e-4, atol=1e-5):
                    raise FailedCheck(f"with {number:g} in padding {mode} the state '{name}' comes out another")
            _finite_gradients(bench, module, got, f"with {number:g} in padding {mode}")


def padding_amount(bench: Bench) -> None:
    for training in (False, True):
        mode = "in train mode" if training else "in eval mode"
        expected = bench.result(bench.ready(training))
        for name in (None, *bench.inputs) if bench.kind == "fusion" else (None,):
            where = f" of '{name}'" if name else ""
            got = bench.result(bench.ready(training), longer(bench.inputs, 5, name))
            compare(expected, got, f"with 5 more steps of padding{where} {mode}")


def batch_composition(bench: Bench) -> None:
    module = bench.ready()
    together = bench.result(module)
    rows = len(next(iter(bench.inputs.values())).values)
    for row in range(rows):
        alone = bench.result(module, rows_of(bench.inputs, [row]))
        compare(_pairs(row_of(together, row), row, rows), _pairs(alone, 0, 1), f"row {row} alone and in a batch")
    order = list(reversed(range(rows)))
    turned = bench.result(module, rows_of(bench.inputs, order))
    for row in range(rows):
        expected = _pairs(row_of(together, row), row, rows)
        got = _pairs(row_of(turned, order.index(row)), order.index(row), rows)
        compare(expected, got, f"row {row} when the rows are in another order")


def _pairs(row: Result, index: int, rows: int) -> Result:
    """A row's similarity to all rows (1, B) cannot be the same in another batch; that to itself must be."""
    return {
        name: (t[:, index : index + 1] if name.endswith("|rows") and t.ndim == 2 and t.shape[1] == rows else t, mask)
        for name, (t, mask) in row.items()
    }


def absent_rows(bench: Bench) -> None:
    rows = len(next(iter(bench.inputs.values())).values)
    for training in (False, True):
        mode = "in train mode" if training else "in eval mode"
        for index, what in (
            (list(range(rows)), f"with one absent row {mode}"),
            ([bench.absent] * 2, f"with absent rows only {mode}"),
        ):
            module = bench.ready(training)
            result = bench.result(module, rows_of(bench.inputs, index))
            demand_finite(result, what)
            for name, (t, mask) in result.items():
                gone = index.index(bench.absent)
                if mask is not None and bool(mask[gone].any()):
                    raise FailedCheck(f"{what}: {name} {tuple(t.shape)} has true steps for the absent row")
            _finite_gradients(bench, module, result, what)


def _finite_gradients(bench: Bench, module: nn.Module, result: Result, what: str) -> None:
    total = weighted_sum(result)
    if not total.requires_grad:
        return
    module.zero_grad()
    total.backward()
    for name, parameter in module.named_parameters():
        if parameter.grad is not None and not bool(parameter.grad.isfinite().all()):
            raise FailedCheck(f"{what}: the gradient of '{name}' {tuple(parameter.shape)} is not finite")


def gradients(bench: Bench) -> None:
    module = bench.ready(training=True)
    learned = [(n, p) for n, p in module.named_parameters() if p.requires_grad]
    if not learned:
        raise SkippedCheck("it has no parameters")
    total = weighted_sum(bench.result(module))
    if not total.requires_grad:
        raise FailedCheck(f"no result depends on any of the {len(learned)} parameters")
    total.backward()
    none = [n for n, p in learned if p.grad is None or not bool((p.grad != 0).any())]
    if none:
        more = f" and {len(none) - 3} others" if len(none) > 3 else ""
        raise FailedCheck(f"no gradient reaches {', '.join(none[:3])}{more} (of {len(learned)} parameters)")


def deterministic(bench: Bench) -> None:
    module = bench.build().eval()
    before = copy.deepcopy(module.state_dict())
    with torch.no_grad():
        with seeded(1):
            first = bench.call(module, bench.inputs)
        with seeded(2):
            second = bench.call(module, bench.inputs)
    compare(first, second, "called twice in eval mode", close=0.0)
    for name, value in module.state_dict().items():
        if not torch.equal(before[name], value):
            raise FailedCheck(f"a call in eval mode changes '{name}' {tuple(value.shape)}")


def save_and_load(bench: Bench) -> None:
    module = bench.ready(training=True, seed=11)
    bench.result(module)  # running statistics move
    module.eval()
    other = bench.ready(seed=12)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.safetensors"
        safetensors.torch.save_model(module, str(path))
        missing, unexpected = safetensors.torch.load_model(other, path)
        if missing or unexpected:
            raise FailedCheck(f"after loading, {sorted(missing)} are missing and {sorted(unexpected)} unexpected")
    with torch.no_grad():
        compare(bench.result(module), bench.result(other), "saved and loaded", close=0.0)


def bf16(bench: Bench) -> None:
    module = bench.ready()
    with torch.no_grad():
        exact = true_steps(bench.result(module))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = true_steps(bench.result(module))
    for name, a in exact.items():
        b = rough[name]
        if not a.is_floating_point() or not a.numel():
            continue
        if a.shape != b.shape:
            raise FailedCheck(f"{name} has shape {tuple(b.shape)} under bf16 and {tuple(a.shape)} without")
        kept = a.isfinite()
        if not bool(b[kept].isfinite().all()):
            raise FailedCheck(f"{name} {tuple(a.shape)} is not finite under bf16")
        apart = float((a[kept].double() - b[kept].double()).norm() / a[kept].double().norm().clamp_min(1e-3))
        if apart > BF16:
            raise FailedCheck(f"{name} {tuple(a.shape)} differs by {apart:.1%} of its norm, {BF16:.0%} is allowed")
    loss_module = bench.ready(training=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total = weighted_sum(bench.result(loss_module))
    if total.requires_grad:
        total.backward()


def exports(bench: Bench) -> None:
    module = bench.ready()
    if not getattr(module, "onnx", False):
        raise SkippedCheck("it does not claim to export (class attribute onnx)")
    differs_in_onnx(bench, module)


BUILDS = Check("builds", "It is built by its kind's convention, and twice alike from the same seed.", builds)

_EVERY = (
    (
        "padding content",
        "What stands where the mask is false (NaN, 1e9) changes no result at a true step, in eval and in train mode.",
        padding_content,
    ),
    (
        "padding amount",
        "How much padding there is changes no result at a true step, in eval and in train mode.",
        padding_amount,
    ),
    (
        "batch composition",
        "In eval mode a row gives the same alone, in a batch, and in any order.",
        batch_composition,
    ),
    ("absent rows", "A row without true steps gives finite values and finite gradients.", absent_rows),
    ("gradients", "Every parameter gets a gradient from a weighted sum of all results.", gradients),
    ("deterministic", "In eval mode it gives the same twice, bit for bit, and changes no state.", deterministic),
    (
        "save and load",
        "Saved as safetensors and loaded into a fresh one, it gives the same bit for bit.",
        save_and_load,
    ),
    ("bf16", f"Under bf16 autocast results stay within {BF16:.0%} of the norm of those in float32.", bf16),
    (
        "onnx",
        "Where it claims to export, ONNX Runtime gives what PyTorch gives, also for other batch sizes and lengths.",
        exports,
    ),
)
SHARED = tuple(Check(*each) for each in _EVERY)
