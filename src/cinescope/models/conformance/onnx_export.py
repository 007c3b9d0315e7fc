"""A part as an ONNX graph with free batch size and length, held against PyTorch. Knows the bench, not the kinds."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cinescope.models.conformance.common import (
    Bench,
    FailedCheck,
    Inputs,
    Result,
    SkippedCheck,
    compare,
    dirty,
    longer,
    rows_of,
)
from cinescope.nn import Sequences

FIELDS = ("values", "mask", "times")
ONNX_CLOSE = 1e-3  # the kernels of two runtimes sum in another order


class _Flat(nn.Module):
    """(values, mask, times) of each input in turn -> every result and its mask, as plain tensors."""

    def __init__(self, bench: Bench, module: nn.Module) -> None:
        super().__init__()
        self.bench, self.module = bench, module
        self.names: list[tuple[str, bool]] = []
        self.train(module.training)  # the exporter puts the mode of the whole back when it is done

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        inputs = {n: Sequences(*tensors[3 * i : 3 * i + 3]) for i, n in enumerate(self.bench.inputs)}
        result = self.bench.call(self.module, inputs)
        self.names = [(name, mask is not None) for name, (_, mask) in result.items()]
        # `+ 0` and `|`: an output that is an input, or comes twice, loses its name in the graph.
        flat: list[Tensor] = []
        for values, mask in result.values():
            flat.append(values + 0)
            if mask is not None:
                flat.append(mask | (mask & ~mask))
        return tuple(flat)


def differs_in_onnx(bench: Bench, module: nn.Module) -> None:
    """FailedCheck where the exported graph gives something else, on three batches of different shapes."""
    try:
        import onnx  # noqa: F401  what torch's exporter writes with
        import onnxruntime
    except ImportError as error:
        raise SkippedCheck(f"the package '{error.name}' is not installed") from error

    flat = _Flat(bench, module)
    names = [f"{name}.{f}" for name in bench.inputs for f in FIELDS]
    with warnings.catch_warnings(), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        path = str(Path(folder) / "part.onnx")
        # The classic exporter: that of torch.export fixes the length of recurrent layers to the example's.
        with contextlib.redirect_stdout(io.StringIO()):  # on failure it prints the whole graph
            torch.onnx.export(
                flat,
                _tensors(bench.inputs),
                path,
                dynamo=False,
                opset_version=18,
                input_names=names,
                dynamic_axes={n: {0: "B", 1: f"T_{n.rsplit('.', 1)[0]}"} for n in names},
            )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        others: list[tuple[str, Inputs]] = [
            ("the example itself", bench.inputs),
            ("two rows and 3 more steps of padding", dirty(longer(rows_of(bench.inputs, [1, 0]), 3), 1e9)),
            ("one row and half the steps", {n: _half(s) for n, s in rows_of(bench.inputs, [0]).items()}),
        ]
        for what, inputs in others:
            expected = bench.call(module, inputs)
            fed = dict(zip(names, (t.numpy() for t in _tensors(inputs)), strict=True))
            try:
                got = session.run(None, {i.name: fed[i.name] for i in session.get_inputs()})
            except Exception as error:  # its errors have no common type
                first = str(error).splitlines()[0][:200]
                raise FailedCheck(f"ONNX Runtime on {what}: {first}") from error
            compare(expected, _named(flat.names, got), f"ONNX Runtime on {what}", close=ONNX_CLOSE)


def _tensors(inputs: Inputs) -> tuple[Tensor, ...]:
    return tuple(t for s in inputs.values() for t in (s.values, s.mask, s.times))


def _half(s: Sequences) -> Sequences:
    end = max(1, s.values.shape[1] // 2)
    return Sequences(s.values[:, :end], s.mask[:, :end], s.times[:, :end])


def _named(names: list[tuple[str, bool]], arrays: list[Any]) -> Result:
    wanted = sum(1 + masked for _, masked in names)
    if len(arrays) != wanted:
        raise FailedCheck(f"the ONNX graph gives {len(arrays)} tensors instead of {wanted}")
    left = iter(torch.from_numpy(np.asarray(a)) for a in arrays)
    return {name: (next(left), next(left) if masked else None) for name, masked in names}
