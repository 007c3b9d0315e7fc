"""Encoders of steps: every setting is held to the conformance suite, and TCN to a sum by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cinescope.models.conformance import check_encoder  # noqa: E402
from cinescope.nn import Sequences  # noqa: E402
from cinescope.nn.encoders import ENCODERS  # noqa: E402
from cinescope.nn.encoders.tcn import TCN, PaddedConv  # noqa: E402
from cinescope.types import BadQueryError  # noqa: E402


def values(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("rnn", {"bidirectional": True}),
        ("gru", {"layers": 2, "bidirectional": True}),
        ("lstm", {"layers": 2}),
        ("tcn", {"causal": True, "size": 2}),
        ("tcn", {"layers": 2, "size": 5}),
        ("transformer", {"positions": "rotary"}),
        ("transformer", {"positions": "learned", "causal": True}),
        ("transformer", {"positions": "none", "heads": 2, "hidden": 24}),
        ("mlp", {"layers": 2}),
        ("linear", {"norm": True}),
    ],
)
def test_settings_conform(name: str, settings: dict[str, Any]) -> None:
    failed = [f for f in check_encoder(ENCODERS.load(name), settings) if f.result == "failed"]
    assert not failed, "\n".join(f"{f.check}: {f.note}" for f in failed)


@pytest.mark.parametrize("causal", [False, True])
def test_dilated_convolution_by_hand(causal: bool) -> None:
    torch.manual_seed(0)
    conv = PaddedConv(2, 3, size=3, dilation=2, causal=causal)
    x = values(1, 2, 7)
    got = conv(x)[0].detach().numpy()
    w, b = conv.conv.weight.detach().double().numpy(), conv.conv.bias.detach().double().numpy()
    seen = [-4, -2, 0] if causal else [-2, 0, 2]
    for t in range(7):
        expected = b.copy()
        for u, offset in enumerate(seen):
            if 0 <= t + offset < 7:
                expected += w[:, :, u] @ x[0, :, t + offset].double().numpy()
        np.testing.assert_allclose(got[:, t], expected, atol=1e-5)


def test_tcn_reaches_as_far_as_it_says() -> None:
    torch.manual_seed(0)
    for causal in (False, True):
        tcn = TCN(3, 4, layers=3, causal=causal).eval()
        x = values(1, 40, 3).requires_grad_()
        tcn(Sequences.of(x)).values[0, 30].sum().backward()
        assert x.grad is not None
        touched = x.grad[0].abs().sum(-1).nonzero()[:, 0].tolist()
        assert touched[0] == 30 - tcn.sees
        assert touched[-1] == (30 if causal else min(39, 30 + tcn.sees))


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "tcn", "transformer"])
def test_order_matters_to_temporal_models(name: str) -> None:
    torch.manual_seed(0)
    encoder = ENCODERS.create(name, 3, 8).eval()
    x = values(1, 6, 3)
    forwards = encoder(Sequences.of(x)).values.sum(1)
    backwards = encoder(Sequences.of(x.flip(1))).values.sum(1)
    assert not torch.allclose(forwards, backwards, atol=1e-3)


@pytest.mark.parametrize("name", ["transformer", "tcn"])
def test_causal_encoders_see_no_later_step(name: str) -> None:
    torch.manual_seed(0)
    encoder = ENCODERS.create(name, 3, 8, causal=True).eval()
    x = values(1, 6, 3)
    other = torch.cat([x[:, :4], values(1, 2, 3) + 5], 1)
    first, second = (encoder(Sequences.of(v)).values for v in (x, other))
    torch.testing.assert_close(first[:, :4], second[:, :4])
    assert not torch.allclose(first[:, 4:], second[:, 4:])


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("tcn", {"size": 2}, "size 2"),
        ("tcn", {"layers": 0}, "0 layers"),
        ("transformer", {"heads": 3}, "3 heads"),
        ("transformer", {"layers": 0}, "0 layers"),
        ("mlp", {"layers": 0}, "0 hidden"),
    ],
)
def test_impossible_settings(name: str, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(BadQueryError, match=says):
        ENCODERS.create(name, 3, 8, **settings)
