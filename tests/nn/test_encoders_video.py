"""Encoders that look over time: against 3D convolutions and plain loops, masks, strides of the clock."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from cinescope.nn import Sequences  # noqa: E402
from cinescope.nn.encoders import ENCODERS  # noqa: E402
from cinescope.nn.encoders.r2plus1d import FactorisedConv, between  # noqa: E402
from cinescope.nn.encoders.slowfast import Lateral, SlowFast  # noqa: E402
from cinescope.nn.encoders.timesformer import DividedBlock  # noqa: E402
from cinescope.nn.encoders.x3d import ChannelAttention, DepthwiseConv  # noqa: E402
from cinescope.nn.video import SpatialConv, TemporalConv, covered, covered_times  # noqa: E402
from cinescope.types import BadQueryError  # noqa: E402

SMALL: dict[str, dict[str, Any]] = {
    "r2plus1d": {"widths": (4, 6), "depths": (1, 1), "time_strides": (1, 2)},
    "slowfast": {"widths": (8, 12), "rate": 3, "share": 0.25},
    "timesformer": {"width": 16, "depth": 2, "heads": 2, "patch": 4},
    "x3d": {"widths": (4,), "depths": (2,)},
}
STRIDE = {"r2plus1d": 2, "slowfast": 3, "timesformer": 1, "x3d": 1}
MASK = torch.tensor([[1, 1, 1, 1, 1, 1, 1], [1, 1, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0]]).bool()


def built(name: str, **more: Any) -> Any:
    torch.manual_seed(0)
    return ENCODERS.create(name, 3, 5, **(SMALL[name] | more))


def noise(*shape: int, seed: int = 0, dtype: Any = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def clips(dirt: float = float("nan"), more: int = 0) -> Sequences:
    """Rows of 7, 3 (one after a hole) and 0 true frames, `dirt` in the padding, `more` steps of it behind."""
    mask = functional.pad(MASK, (0, more))
    values = functional.pad(noise(3, 7, 3, 8, 8), (0, 0) * 3 + (0, more))
    start = torch.arange(7 + more, dtype=torch.float64) * 0.5
    times = torch.stack([start, start + 0.4], -1) * mask[..., None]
    return Sequences(values.masked_fill(~mask[:, :, None, None, None], dirt), mask, times)


def close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_neither_what_stands_in_padding_nor_how_much_matters(name: str, training: bool) -> None:
    encoder = built(name).train(training)
    plain = encoder(clips())
    assert torch.equal(plain.mask, covered(MASK, STRIDE[name]))
    assert torch.equal(plain.times, covered_times(clips().times, MASK, STRIDE[name]))
    for dirt, more in ((1e9, 0), (float("inf"), 1), (0.0, 5)):
        other = encoder(clips(dirt, more))
        steps = plain.mask.shape[1]
        assert torch.equal(other.mask[:, :steps], plain.mask)
        assert not other.mask[:, steps:].any()
        assert torch.equal(other.times[:, :steps], plain.times)
        close(other.values[:, :steps], plain.values)
        assert not other.values[~other.mask].any()


@pytest.mark.parametrize("name", SMALL)
def test_rows_do_not_see_one_another(name: str) -> None:
    encoder = built(name).eval()
    together = encoder(clips())
    for row in range(3):
        alone = encoder(clips().rows(torch.tensor([row])))
        close(together.values[row], alone.values[0])


@pytest.mark.parametrize("name", SMALL)
def test_every_frame_is_looked_at_over_time(name: str) -> None:
    encoder = built(name).eval()
    values = noise(1, 6, 3, 8, 8).requires_grad_()
    out = encoder(Sequences.of(values)).values
    (gradient,) = torch.autograd.grad(out[0, 0].square().sum(), values)
    seen = gradient[0].flatten(1).abs().sum(1) > 0
    assert seen[:2].all()


@pytest.mark.parametrize("name", SMALL)
def test_gradients_reach_every_parameter_and_no_padding(name: str) -> None:
    encoder = built(name)
    given_ = clips()
    values = given_.values.clone().requires_grad_()
    encoder(given_.with_values(values)).values.square().sum().backward()
    for label, parameter in encoder.named_parameters():
        assert parameter.grad is not None, label
        assert parameter.grad.isfinite().all(), label
        assert parameter.grad.any(), label
    assert not values.grad[~MASK].any()  # type: ignore[index]


@pytest.mark.parametrize("name", SMALL)
def test_gradients_are_the_differences(name: str) -> None:
    encoder = built(name).double().eval()
    mask = torch.tensor([[1, 1, 0, 1]]).bool()
    pictures = noise(1, 4, 3, 8, 8, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: encoder(Sequences.of(p, mask)).values, pictures, fast_mode=True)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_nothing_but_absent_rows_is_harmless(name: str, training: bool) -> None:
    encoder = built(name).train(training)
    out = encoder(clips().without(torch.ones(3, dtype=torch.bool)))
    out.values.sum().backward()
    assert not out.mask.any()
    assert not out.values.any()
    assert all(p.grad is None or p.grad.isfinite().all() for p in encoder.parameters())
    assert all(b.isfinite().all() for b in encoder.buffers())


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
@pytest.mark.parametrize("name", SMALL)
def test_fewer_frames_than_a_stride_or_a_kernel_work(name: str, steps: int) -> None:
    encoder = built(name)
    start = torch.arange(steps, dtype=torch.float64)[None] + 10
    given_ = Sequences.of(noise(1, steps, 3, 8, 8), times=torch.stack([start, start + 1], -1))
    for training in (False, True):
        out = encoder.train(training)(given_)
        assert out.values.shape == (1, -(-steps // STRIDE[name]), 5)
        assert out.values.isfinite().all()
        assert out.mask.all()
        assert out.times[0, 0, 0] == 10
        assert out.times[0, -1, 1] == 10 + steps


@pytest.mark.parametrize("name", SMALL)
def test_too_small_pictures_are_refused(name: str) -> None:
    encoder = built(name)
    side = encoder.smallest
    assert side == 4
    assert encoder(Sequences.of(noise(1, 2, 3, side, side + 3))).values.isfinite().all()
    with pytest.raises(BadQueryError, match=f"smallest size is {side} x {side}"):
        encoder(Sequences.of(noise(1, 2, 3, side - 1, 16)))


@pytest.mark.parametrize(
    ("name", "wrong", "says"),
    [
        ("r2plus1d", {"time_strides": (1,)}, "one number a stage"),
        ("r2plus1d", {"widths": (4, 0)}, "widths"),
        ("slowfast", {"share": 2.0}, "share 2.0"),
        ("slowfast", {"rate": 0}, "rate 0"),
        ("timesformer", {"heads": 5}, "16 into 5 heads"),
        ("x3d", {"expand": 0.0}, "expand 0.0"),
    ],
)
def test_impossible_settings_are_said(name: str, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(BadQueryError, match=says):
        built(name, **wrong)


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=9), min_size=1, max_size=3), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_a_covering_step_is_true_and_lasts_as_its_true_steps_do(rows: list[list[bool]], stride: int) -> None:
    steps = max(map(len, rows))
    mask = torch.tensor([row + [False] * (steps - len(row)) for row in rows])
    start = torch.arange(steps, dtype=torch.float64) * 2 + 1
    times = torch.stack([start, start + 1.5], -1)[None] * mask[..., None]
    few, span = covered(mask, stride), covered_times(times, mask, stride)
    assert few.shape == (len(rows), -(-steps // stride))
    for row in range(len(rows)):
        for step in range(few.shape[1]):
            inside = [k for k in range(step * stride, min(steps, (step + 1) * stride)) if mask[row, k]]
            assert bool(few[row, step]) == bool(inside)
            expected = [2 * inside[0] + 1, 2 * inside[-1] + 2.5] if inside else [0, 0]
            assert span[row, step].tolist() == expected


@pytest.mark.parametrize(("stride", "time_stride"), [(1, 1), (2, 1), (2, 2)])
def test_a_factorised_convolution_is_two_3d_ones(stride: int, time_stride: int) -> None:
    torch.manual_seed(0)
    conv = FactorisedConv(3, 6, stride=stride, time_stride=time_stride)
    x = noise(2, 3, 5, 8, 8)
    space, time = conv.space.conv.weight[:, :, None], conv.time.conv.weight[..., None]
    middle = functional.conv3d(x, space, stride=(1, stride, stride), padding=(0, 1, 1))
    middle = torch.relu(nn.BatchNorm3d(middle.shape[1])(middle))
    expected = functional.conv3d(middle, time, stride=(time_stride, 1, 1), padding=(1, 0, 0))
    close(conv(x, torch.ones(2, 5, dtype=torch.bool)), expected)


def test_the_middle_width_keeps_the_number_of_parameters() -> None:
    # Tran et al. 2018, 3.5: as many as the 3D convolution, up to rounding down; 64 -> 64 goes through 144.
    assert between(64, 64) == 144
    full = 3 * 3 * 3 * 64 * 128
    factorised = between(64, 128) * (9 * 64 + 3 * 128)
    assert full - (9 * 64 + 3 * 128) < factorised <= full


def test_convolutions_keep_time_and_space_apart() -> None:
    torch.manual_seed(0)
    mask = torch.ones(1, 5, dtype=torch.bool)
    x = noise(1, 2, 5, 6, 6)
    changed = x.clone()
    changed[:, :, 2, 3, 3] += 1
    space, time = SpatialConv(2, 2, 3), TemporalConv(2, 2, 3)
    moved = (space(changed) - space(x)).abs().sum((0, 1)) > 1e-6
    assert moved.any((1, 2)).tolist() == [False, False, True, False, False]
    assert moved[2].sum() == 9
    moved = (time(changed, mask) - time(x, mask)).abs().sum((0, 1)) > 1e-6
    assert moved[:, 3, 3].tolist() == [False, True, True, True, False]
    assert moved.sum() == 3


def test_a_masked_step_counts_as_zeros_in_time() -> None:
    torch.manual_seed(0)
    conv, deep = TemporalConv(2, 2, 3), DepthwiseConv(2, 3, 3)
    x, mask = noise(1, 2, 4, 4, 4), torch.tensor([[1, 0, 1, 1]]).bool()
    zeroed = x.clone()
    zeroed[:, :, 1] = 0
    close(conv(x, mask), conv(zeroed, torch.ones_like(mask)))
    close(deep(x, mask), functional.conv3d(zeroed, deep.conv.weight, padding=1, groups=2))


def test_channel_attention_is_the_mean_over_true_steps() -> None:
    torch.manual_seed(0)
    attention = ChannelAttention(4)
    x, mask = noise(2, 4, 3, 2, 2), torch.tensor([[1, 1, 1], [1, 0, 0]]).bool()
    mean = x[1, :, 0].mean((1, 2))
    share = torch.sigmoid(attention.excite(torch.relu(attention.squeeze(mean))))
    close(attention(x, mask)[1], x[1] * share[:, None, None, None])


def test_divided_attention_is_a_plain_loop() -> None:
    torch.manual_seed(0)
    block = DividedBlock(8, 2).eval()
    x, mask = noise(2, 3, 4, 8), torch.tensor([[1, 1, 1], [1, 0, 1]]).bool()

    def attend(part: Any, queries: Tensor, keys: Tensor) -> Tensor:
        """queries (Q, D), keys (K, D): each head's softmax(q k / sqrt(d)) v."""
        q = functional.linear(queries, part.qkv.weight[:8], part.qkv.bias[:8]).reshape(-1, 2, 4)
        k = functional.linear(keys, part.qkv.weight[8:16], part.qkv.bias[8:16]).reshape(-1, 2, 4)
        v = functional.linear(keys, part.qkv.weight[16:], part.qkv.bias[16:]).reshape(-1, 2, 4)
        heads = [((q[:, h] @ k[:, h].T) / 2).softmax(-1) @ v[:, h] for h in range(2)]
        done: Tensor = part.out(torch.cat(heads, -1))
        return done

    expected = x.clone()
    for row in range(2):
        true = mask[row]
        for place in range(4):  # along its own place, true frames only
            line = block.norm_time(x[row, :, place])
            expected[row, :, place] = x[row, :, place] + attend(block.time, line, line[true])
        for step in range(3):  # within the frame
            frame = block.norm_space(expected[row, step])
            expected[row, step] = expected[row, step] + attend(block.space, frame, frame)
    expected = expected + block.mlp(block.norm_mlp(expected))
    got = block(x, mask)
    close(got[mask], expected[mask])


def test_lateral_connections_bring_the_fast_pathway_to_the_slow_clock() -> None:
    torch.manual_seed(0)
    lateral = Lateral(3, 4).eval()
    for steps, few in ((1, 1), (4, 1), (5, 2), (8, 2), (9, 3)):
        out = lateral(noise(2, 3, steps, 4, 4), torch.ones(2, steps, dtype=torch.bool))
        assert out.shape == (2, 6, few, 4, 4)
    encoder = SlowFast(3, 5, widths=(8, 12), rate=4, share=0.25)
    slow, fast = encoder.pathways(noise(2, 9, 3, 16, 16), torch.ones(2, 9, dtype=torch.bool))
    assert slow.shape == (2, 12, 3, 4, 4)
    assert fast.shape == (2, 3, 9, 4, 4)


def test_the_slow_pathway_sees_the_first_true_frame_of_each_window() -> None:
    encoder = SlowFast(1, 5, widths=(8, 12), rate=3)
    pictures = torch.arange(7.0)[None, :, None, None, None].expand(1, 7, 1, 2, 2)
    mask = torch.tensor([[1, 1, 1, 0, 0, 1, 0]]).bool()
    few = encoder.few(pictures * mask[:, :, None, None, None], mask)
    assert few[0, :, 0, 0, 0].tolist() == [0.0, 5.0, 0.0]


def test_a_step_holds_the_slow_features_and_the_mean_of_the_fast_ones_that_are_there() -> None:
    torch.manual_seed(0)
    encoder = SlowFast(1, 5, widths=(8, 12), rate=3)
    slow, fast = noise(1, 12, 2, 2, 2), noise(1, 3, 5, 2, 2)
    encoder.pathways = lambda pictures, mask: (slow, fast)  # type: ignore[method-assign]
    mask = torch.tensor([[1, 0, 1, 1, 0]]).bool()
    places = fast.mean((3, 4))[0].T
    means = torch.stack([(places[0] + places[2]) / 2, places[3]])
    expected = encoder.out(torch.cat([slow.mean((3, 4))[0].T, means], 1))
    close(encoder(Sequences.of(noise(1, 5, 1, 8, 8), mask)).values[0], expected)
