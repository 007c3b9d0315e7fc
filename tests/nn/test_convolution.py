"""Convolution, correlation and pooling against scipy and torch's own layers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import convolve2d as scipy_convolve
from scipy.signal import correlate2d as scipy_correlate

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from cinescope.nn.convolution import convolve2d, correlate2d, max_pool, mean_pool  # noqa: E402


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_both_are_those_of_scipy() -> None:
    picture, kernel = numbers(9, 11), numbers(3, 4, seed=1)
    np.testing.assert_allclose(convolve2d(picture, kernel), scipy_convolve(picture, kernel, "valid"))
    np.testing.assert_allclose(correlate2d(picture, kernel), scipy_correlate(picture, kernel, "valid"))
    square = numbers(3, 3, seed=2)
    np.testing.assert_allclose(convolve2d(picture, square, padding=2), scipy_convolve(picture, square, "full"))


def test_what_torch_calls_convolution_is_correlation() -> None:
    picture, kernel = numbers(2, 8, 8), numbers(3, 3, seed=1)
    layer = functional.conv2d(picture[:, None], kernel[None, None], padding=1, stride=2)[:, 0]
    torch.testing.assert_close(correlate2d(picture, kernel, padding=1, stride=2), layer)
    assert not torch.allclose(convolve2d(picture, kernel, padding=1, stride=2), layer)


def test_they_agree_on_a_symmetric_kernel_only() -> None:
    picture, kernel = numbers(6, 6), numbers(3, 3, seed=1)
    even = kernel + kernel.flip(0, 1)
    torch.testing.assert_close(convolve2d(picture, even), correlate2d(picture, even))
    assert not torch.allclose(convolve2d(picture, kernel), correlate2d(picture, kernel))


def test_only_convolution_commutes() -> None:
    a, b = numbers(4, 4), numbers(4, 4, seed=1)
    torch.testing.assert_close(convolve2d(a, b, padding=3), convolve2d(b, a, padding=3))
    assert not torch.allclose(correlate2d(a, b, padding=3), correlate2d(b, a, padding=3))


@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, 2), (2, 3)])
def test_pooling_is_that_of_torch(size: int, stride: int | None) -> None:
    picture = numbers(2, 3, 7, 9)
    torch.testing.assert_close(max_pool(picture, size, stride), functional.max_pool2d(picture, size, stride))
    torch.testing.assert_close(mean_pool(picture, size, stride), functional.avg_pool2d(picture, size, stride))


def test_gradients_flow() -> None:
    picture, kernel = numbers(4, 4).requires_grad_(), numbers(2, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(convolve2d, (picture, kernel, 1, 2))


def test_a_window_that_does_not_fit_is_said() -> None:
    with pytest.raises(ValueError, match=r"window \(3, 3\) does not fit"):
        correlate2d(numbers(2, 5), numbers(3, 3))
    with pytest.raises(ValueError, match="stride 0"):
        max_pool(numbers(4, 4), 2, 0)
