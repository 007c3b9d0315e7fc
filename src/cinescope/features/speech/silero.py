"""Silero's voice activity net through ONNX Runtime: chunks of sound to probabilities. Knows nothing of segments.

The net (https://github.com/snakers4/silero-vad, MIT) is the ONNX file that ships inside the package faster-whisper,
in the export whose batch is a run of consecutive chunks: it walks through them in order and hands its LSTM state on.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.types import MissingPartError

CHUNK = 512  # samples at 16 kHz that one probability speaks for (silero-vad, utils_vad.py)
CONTEXT = 64  # samples before the chunk that the net sees too (same place)
STATE = 128  # width of its LSTM


def model_file() -> Path:
    """The net's file, found without importing faster-whisper. Raises MissingPartError."""
    spec = find_spec("faster_whisper")
    folders = [Path(place) / "assets" for place in (spec.submodule_search_locations or [])] if spec else []
    # Sorted, so that the newest wins where a later release carries two.
    found = sorted(file for folder in folders for file in folder.glob("silero_vad*.onnx"))
    if not found:
        raise MissingPartError(
            "the voice activity net is not on this machine, it ships inside the package faster-whisper",
            "pip install faster-whisper",
        )
    return found[-1]


class Silero:
    """Streams: each call goes on where the last ended. `state` and `restore` are exact."""

    def __init__(self) -> None:
        self.file = model_file()
        self._session: Any = None
        self.clear()

    def clear(self) -> None:
        """Forget what was heard; the loaded net stays."""
        self._hidden = np.zeros((1, 1, STATE), np.float32)
        self._cell = np.zeros((1, 1, STATE), np.float32)
        self._context = np.zeros(CONTEXT, np.float32)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """float32 (S,) at 16 kHz, S a multiple of CHUNK -> (S / CHUNK,) probabilities of speech."""
        if samples.ndim != 1 or len(samples) % CHUNK or samples.dtype != np.float32:
            raise ValueError(f"need float32 (S,), S a multiple of {CHUNK}, got {samples.dtype} {samples.shape}")
        if not len(samples):
            return np.zeros(0, np.float32)
        if self._session is None:
            self._session = _open(self.file)
        joined = np.concatenate([self._context, samples])
        steps = len(samples) // CHUNK
        rows = np.lib.stride_tricks.as_strided(
            joined, (steps, CONTEXT + CHUNK), (joined.strides[0] * CHUNK, joined.strides[0])
        )
        values, self._hidden, self._cell = self._session.run(
            None, {"input": np.ascontiguousarray(rows), "h": self._hidden, "c": self._cell}
        )
        self._context = joined[-CONTEXT:].copy()
        return np.asarray(values, np.float32).reshape(-1)

    def state(self) -> dict[str, Any]:
        return {"hidden": self._hidden.copy(), "cell": self._cell.copy(), "context": self._context.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        self._hidden = np.array(state["hidden"], np.float32).reshape(1, 1, STATE)
        self._cell = np.array(state["cell"], np.float32).reshape(1, 1, STATE)
        self._context = np.array(state["context"], np.float32).reshape(CONTEXT)


def _open(file: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread: the net is small, and the sums come out the same on every machine with the same instructions.
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - the runtime's own exception classes are not public
        raise MissingPartError(
            f"the voice activity net '{file.name}' cannot be loaded ({str(error).splitlines()[0]})",
            "pip install --force-reinstall faster-whisper",
        ) from error
