"""Decoded samples as floats, and channels mixed down. Knows nothing of time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# ITU-R BS.775-3, table 2: centre and surround go into the front channels at -3 dB; LFE is left out.
_MINUS_3_DB = 0.7071
_LEFT = {"FL": 1.0, "FC": _MINUS_3_DB, "BL": _MINUS_3_DB, "SL": _MINUS_3_DB, "FLC": _MINUS_3_DB, "BC": 0.5, "DL": 1.0}
_RIGHT = {"FR": 1.0, "FC": _MINUS_3_DB, "BR": _MINUS_3_DB, "SR": _MINUS_3_DB, "FRC": _MINUS_3_DB, "BC": 0.5, "DR": 1.0}

_INTEGERS = {"u8": 128.0, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63}


def as_floats(data: np.ndarray, form: str, channels: int) -> np.ndarray:
    """What `av.AudioFrame.to_ndarray` gives of a sample format (u8, s16p ...) -> (C, S) float32, full scale is 1."""
    if not form.endswith("p"):  # interleaved: (1, S * C)
        data = data.reshape(-1, channels).T
    kind = form.removesuffix("p")
    if kind in _INTEGERS:
        scale = _INTEGERS[kind]
        data = data.astype(np.float64 if scale > 2**15 else np.float32)
        data = (data - 128 if kind == "u8" else data) / scale
    return np.ascontiguousarray(data, np.float32)


def mixed(data: np.ndarray, names: Sequence[str], channels: int) -> np.ndarray:
    """(C, S) of channels with these names (FFmpeg's: FL, FR, FC, LFE ...) -> (channels, S), never too loud.

    One channel is the mean of left and right. Raises ValueError where no rule says how, as for 4 channels out of 2.
    """
    here = data.shape[0]
    if here == channels:
        return data
    if channels == 1:
        left, right = _weights(names, _LEFT, here), _weights(names, _RIGHT, here)
        return _sum(data, [(a + b) / 2 for a, b in zip(left, right, strict=True)])[None]
    if channels == 2:
        if here == 1:
            return np.repeat(data, 2, axis=0)
        return np.stack([_sum(data, _weights(names, side, here)) for side in (_LEFT, _RIGHT)])
    raise ValueError(f"cannot make {channels} channels of {here}")


def _weights(names: Sequence[str], side: dict[str, float], here: int) -> list[float]:
    weights = [side.get(name, 0.0) for name in names]
    total = sum(weights)
    if len(weights) != here or total == 0:
        return [1 / here] * here  # channels without known names: all alike
    return [w / total for w in weights]


def _sum(data: np.ndarray, weights: list[float]) -> np.ndarray:
    out = np.zeros(data.shape[1], np.float32)
    for row, weight in zip(data, weights, strict=True):
        if weight:
            out += row * np.float32(weight)
    return out
