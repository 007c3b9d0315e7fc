"""A whole model as an ONNX graph with free batch size and length, held against PyTorch before it counts.

Inputs are `ROLE.values`, `ROLE.mask` and, where the model reads the clock, `ROLE.times`; outputs are the heads'.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from cinescope.models.multimodal import Multimodal
from cinescope.nn import Batch, Sequences
from cinescope.types import CinescopeError, MissingPartError

FIELDS = ("values", "mask", "times")
CLOSE = 1e-3  # relative to the largest output: the kernels of two runtimes sum in another order
OPSET = 18


@dataclass(frozen=True, slots=True)
class Exported:
    path: Path
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    difference: float  # the largest, relative to the largest output, over all batches it was checked on


class _Flat(nn.Module):
    def __init__(self, model: Multimodal, roles: Sequence[str]) -> None:
        super().__init__()
        self.model, self.roles = model, tuple(roles)
        self.names: tuple[str, ...] = ()
        self.train(model.training)  # the exporter puts the mode of the whole back when it is done

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        batch = Batch({role: Sequences(*tensors[3 * i : 3 * i + 3]) for i, role in enumerate(self.roles)})
        outputs = self.model(batch)
        self.names = tuple(outputs)
        # `+ 0`: an output that is an input loses its name in the graph.
        return tuple(value + 0 for value in outputs.values())


def parts_without_onnx(model: Multimodal) -> list[str]:
    """The parts that do not claim to export."""
    parts = {**dict(model.encoders.items()), "fusion": model.fusion, **dict(model.heads.items())}
    return [f"{name} ({type(part).__name__})" for name, part in parts.items() if not getattr(part, "onnx", False)]


def export_onnx(model: Multimodal, example: Batch, path: Path, checked_on: Sequence[Batch] = ()) -> Exported:
    """Write `path`. `example` needs two rows or more; `checked_on` are batches of other sizes and lengths.

    MissingPartError where a part cannot be exported or the exporter is not installed, CinescopeError where the graph
    gives something else than PyTorch: then nothing is written.
    """
    try:
        import onnx  # noqa: F401 - what torch's exporter needs
        import onnxruntime
    except ImportError as error:
        raise MissingPartError(f"the export needs the package '{error.name}'", f"pip install {error.name}") from error
    unable = parts_without_onnx(model)
    if unable:
        raise MissingPartError(f"these parts cannot be exported to ONNX: {', '.join(unable)}", "train with other parts")
    roles = list(example.inputs)
    flat = _Flat(model.eval(), roles)
    names = [f"{role}.{f}" for role in roles for f in FIELDS]
    work = path.with_name(f".{path.stem}-{os.getpid()}.onnx")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with torch.no_grad(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            flat(*_tensors(example, roles))  # names the outputs
            torch.onnx.export(
                flat, _tensors(example, roles), str(work), dynamo=False, opset_version=OPSET,
                input_names=names, output_names=list(flat.names),
                dynamic_axes={n: {0: "B", 1: f"T_{n.rsplit('.', 1)[0]}"} for n in names}
                | {n: {0: "B"} for n in flat.names},
            )  # fmt: skip
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(str(work), options, providers=["CPUExecutionProvider"])
        worst = max(_difference(session, flat, batch, roles, names) for batch in (example, *checked_on))
        if not worst <= CLOSE:
            raise CinescopeError(
                f"the ONNX graph differs from PyTorch by {worst:.2g} of the largest output (allowed: {CLOSE:g})",
                "it was not written; please report the recipe",
            )
        os.replace(work, path)
        return Exported(path, tuple(i.name for i in session.get_inputs()), flat.names, worst)
    finally:
        work.unlink(missing_ok=True)


def _difference(session: object, flat: _Flat, batch: Batch, roles: Sequence[str], names: Sequence[str]) -> float:
    tensors = _tensors(batch, roles)
    with torch.no_grad():
        expected = flat(*tensors)
    fed: Mapping[str, np.ndarray] = {n: t.numpy() for n, t in zip(names, tensors, strict=True)}
    got = session.run(None, {i.name: fed[i.name] for i in session.get_inputs()})  # type: ignore[attr-defined]
    return max(
        float(np.abs(g - e.numpy()).max(initial=0)) / max(float(e.abs().max()), 1e-6)
        for g, e in zip(got, expected, strict=True)
    )


def _tensors(batch: Batch, roles: Sequence[str]) -> tuple[Tensor, ...]:
    return tuple(getattr(batch.inputs[role], f) for role in roles for f in FIELDS)
