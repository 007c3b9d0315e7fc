"""Convolution, correlation and pooling of one picture, written plainly. Knows no layers and no training.

The articles write "convolution" for what `nn.Conv2d` computes, which is correlation: the kernel is laid on the picture
as it is. Convolution turns it by half a turn first. A network that learns its kernels does not care which of the two
it runs, since it learns the turned kernel instead; with a given kernel (an edge filter, a measured blur) the two
differ unless the kernel is symmetric, and only convolution is commutative and associative.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def correlate2d(picture: Tensor, kernel: Tensor, padding: int = 0, stride: int = 1) -> Tensor:
    """picture (..., H, W), kernel (h, w) -> (..., H', W'), H' = (H + 2 padding - h) // stride + 1.

    out[i, j] = sum over u, v of picture[i + u, j + v] kernel[u, v]: what deep learning calls convolution
    (Goodfellow et al. 2016, equation 9.6). Zeros stand beyond the edges.
    """
    _check(picture, kernel.shape, padding, stride)
    if kernel.ndim != 2:
        raise ValueError(f"a kernel has two axes, got {tuple(kernel.shape)}")
    windows = _windows(picture, (kernel.shape[0], kernel.shape[1]), padding, stride)  # (..., H', W', h, w)
    return torch.einsum("...hw,hw->...", windows, kernel)


def convolve2d(picture: Tensor, kernel: Tensor, padding: int = 0, stride: int = 1) -> Tensor:
    """picture (..., H, W), kernel (h, w) -> (..., H', W'), true convolution: correlation with the kernel turned.

    out[i, j] = sum over u, v of picture[i - u, j - v] kernel[u, v] (Goodfellow et al. 2016, equation 9.4), counted
    from the first place where the whole kernel lies on the padded picture. With padding = h - 1 = w - 1 it is the full
    convolution (`scipy.signal.convolve2d`'s mode "full").
    """
    return correlate2d(picture, kernel.flip(-2, -1), padding, stride)


def max_pool(picture: Tensor, size: int, stride: int | None = None) -> Tensor:
    """picture (..., H, W) -> (..., H', W'): the largest value of each `size` x `size` window.

    Windows follow at `stride` (`size` where not given); what is left over at the lower and right edge is not used.
    """
    return _pooled(picture, size, stride).amax((-2, -1))


def mean_pool(picture: Tensor, size: int, stride: int | None = None) -> Tensor:
    """picture (..., H, W) -> (..., H', W'): the mean of each window, otherwise as `max_pool`."""
    return _pooled(picture, size, stride).mean((-2, -1))


def _pooled(picture: Tensor, size: int, stride: int | None) -> Tensor:
    step = size if stride is None else stride
    _check(picture, (size, size), 0, step)
    return _windows(picture, (size, size), 0, step)


def _windows(picture: Tensor, size: tuple[int, int], padding: int, stride: int) -> Tensor:
    """(..., H, W) -> (..., H', W', h, w), a view of the padded picture."""
    padded = functional.pad(picture, [padding] * 4)
    return padded.unfold(-2, size[0], stride).unfold(-2, size[1], stride)


def _check(picture: Tensor, size: tuple[int, ...], padding: int, stride: int) -> None:
    if picture.ndim < 2:
        raise ValueError(f"a picture has at least two axes, got {tuple(picture.shape)}")
    if padding < 0 or stride < 1 or min(size, default=0) < 1:
        raise ValueError(f"a window {tuple(size)} cannot go with padding {padding} and stride {stride}")
    high, wide = picture.shape[-2] + 2 * padding, picture.shape[-1] + 2 * padding
    if high < size[0] or wide < size[-1]:
        raise ValueError(f"a window {tuple(size)} does not fit a picture {tuple(picture.shape)} padded by {padding}")
