"""Encoders of spectrograms: strides and their clock, the front against numpy, settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cinescope.models.conformance import check_encoder  # noqa: E402
from cinescope.nn import Sequences  # noqa: E402
from cinescope.nn.encoders import ENCODERS  # noqa: E402
from cinescope.nn.encoders.audio_cnn import SpectrogramFront  # noqa: E402
from cinescope.nn.encoders.audio_light import strided_mean  # noqa: E402
from cinescope.types import BadQueryError  # noqa: E402


def spectrogram(steps: int = 7, bands: int = 5) -> Sequences:
    values = torch.randn(2, steps, bands, generator=torch.Generator().manual_seed(2))
    mask = torch.arange(steps)[None] < torch.tensor([[steps], [3]])
    mask[0, 2] = False
    values[~mask] = float("nan")
    return Sequences.of(values, mask)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("audio_cnn", {"stride": 3}),
        ("audio_cnn", {"channels": (4,), "stride": 2}),
        ("audio_rnn", {"stride": 1, "cell": "lstm", "bidirectional": False}),
        ("audio_light", {"stride": 2, "layers": 1}),
    ],
)
def test_settings_conform(name: str, settings: dict[str, Any]) -> None:
    failed = [f for f in check_encoder(ENCODERS.load(name), settings) if f.result == "failed"]
    assert not failed, "\n".join(f"{f.check}: {f.note}" for f in failed)


@pytest.mark.parametrize("name", ["audio_cnn", "audio_rnn", "audio_light"])
def test_strided_steps_keep_the_clock(name: str) -> None:
    out = ENCODERS.create(name, 5, 8, stride=3)(spectrogram())
    assert out.values.shape == (2, 3, 8)
    assert out.times[0].tolist() == [[0, 2], [3, 6], [6, 7]]  # step 2 is a hole: the first ends at 2 s
    assert out.times[1].tolist() == [[0, 3], [0, 0], [0, 0]]
    assert out.mask.tolist() == [[True] * 3, [True, False, False]]


def test_front_by_hand() -> None:
    torch.manual_seed(0)
    front = SpectrogramFront(5, (2,), stride=2).eval()
    given = spectrogram()
    got = front(given).values.detach().numpy()
    kernel = front.convs[0].weight.detach().double().numpy()[:, 0]
    for row in range(2):
        clean = np.zeros((9, 7))  # one of zeros around (T + 2, bands + 2)
        clean[1:-1, 1:-1] = np.nan_to_num(given.values[row].double().numpy())
        mask = given.mask[row].numpy()
        # Fresh running statistics: mean 0, variance 1.
        raw = np.zeros((2, 7, 5))
        for c in range(2):
            for t in range(7):
                for f in range(5):
                    raw[c, t, f] = (clean[t : t + 3, f : f + 3] * kernel[c]).sum() / np.sqrt(1 + 1e-5)
        raw = np.maximum(raw, 0) * mask[None, :, None]
        for t in range(4):
            pair = raw[:, 2 * t : 2 * t + 2].max(1)
            wanted = np.stack([pair[:, 0:2].max(1), pair[:, 2:4].max(1), pair[:, 4]], 1)
            np.testing.assert_allclose(got[row, t], wanted.ravel(), atol=1e-5)


def test_strided_mean_counts_true_steps() -> None:
    mask = torch.tensor([[True, False, True, True, True]])
    x = torch.arange(1.0, 6.0)[None, :, None] * mask[..., None]
    assert strided_mean(x, mask, 2)[0, :, 0].tolist() == [1.0, 3.5, 5.0]


@pytest.mark.parametrize(
    ("name", "settings"),
    [("audio_cnn", {"channels": ()}), ("audio_rnn", {"stride": 0}), ("audio_light", {"size": 4})],
)
def test_impossible_settings(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(BadQueryError):
        ENCODERS.create(name, 5, 8, **settings)
