"""In which precision to compute: bfloat16 where it is measured faster on this machine, float32 elsewhere.

Knows a matrix product's time, no model.
"""

from __future__ import annotations

import os
import time
from functools import cache
from statistics import median

from cinescope.types import BadQueryError

DTYPES = ("float32", "bfloat16", "float16")
_VARIABLE = "CINESCOPE_DTYPE"
_SIDE = {"cpu": 512, "cuda": 4096}  # of the square matrices: a Transformer's usual widths
_TIMES = 7
# bfloat16 keeps 8 bits of the fraction: not given up for a gain that is within the noise of such a measurement.
_WORTH = 1.3


def best_dtype(device: str = "cpu", asked: str | None = None) -> str:
    """`asked`, else the environment's CINESCOPE_DTYPE, else bfloat16 where a matrix product takes less time in it.

    Measured once a process and device, in about 0.05 s. BadQueryError for what is no precision.
    """
    stated = asked or os.environ.get(_VARIABLE, "").strip() or "auto"
    if stated == "auto":
        return "bfloat16" if bfloat16_gain(device.split(":")[0]) >= _WORTH else "float32"
    if stated not in DTYPES:
        where = "the precision" if asked else _VARIABLE
        raise BadQueryError(f"{where} cannot be '{stated}'", f"give auto or one of {', '.join(DTYPES)}")
    return stated


@cache
def bfloat16_gain(device: str) -> float:
    """How many times faster one matrix product is in bfloat16 than in float32; 0 where it cannot be computed."""
    import torch

    side = _SIDE.get(device, _SIDE["cpu"])
    taken = {}
    for name in ("float32", "bfloat16"):
        dtype = getattr(torch, name)
        try:
            a = torch.ones(side, side, dtype=dtype, device=device)
            taken[name] = median(_seconds(a, device) for _ in range(_TIMES))
        except RuntimeError:
            if name == "float32":
                raise  # there is no such device: that is not about precision
            return 0.0
    return taken["float32"] / max(taken["bfloat16"], 1e-9)


def _seconds(a: object, device: str) -> float:
    import torch

    assert isinstance(a, torch.Tensor)
    began = time.perf_counter()
    a @ a
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def dtype_of(stated: str, device: str) -> str:
    """A setting `dtype` as one of DTYPES: "auto" is `best_dtype`. float16 on a processor is refused: it is slow."""
    if stated == "auto":
        return best_dtype(device)
    if stated not in DTYPES:
        raise BadQueryError(f"the precision cannot be '{stated}'", f"give auto or one of {', '.join(DTYPES)}")
    return stated


def device_of(stated: str) -> str:
    """ "auto" is cuda where there is one. MissingPartError for cuda where there is none."""
    import torch

    from cinescope.types import MissingPartError

    if stated == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if stated != "cpu" and not stated.startswith("cuda"):
        raise BadQueryError(f"the device cannot be '{stated}'", "give auto, cpu or cuda")
    if stated.startswith("cuda") and not torch.cuda.is_available():
        raise MissingPartError("this machine has no CUDA device that torch can use", "give --set ...device=cpu")
    return stated
