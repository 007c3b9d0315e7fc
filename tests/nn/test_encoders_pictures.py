"""Encoders that see every frame alone: against torch's plain layers, and what padding may not do."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from cinescope.nn import Sequences  # noqa: E402
from cinescope.nn.encoders import ENCODERS  # noqa: E402
from cinescope.nn.encoders.mobilenet import InvertedResidual, SeparableConv  # noqa: E402
from cinescope.nn.encoders.resnet import BasicBlock  # noqa: E402
from cinescope.nn.frames import FrameNorm  # noqa: E402
from cinescope.nn.norm import MaskedBatchNorm  # noqa: E402
from cinescope.nn.patches import PatchEmbedding, Places, SelfAttention, sinusoidal_grid, sinusoids  # noqa: E402
from cinescope.types import BadQueryError  # noqa: E402

SMALL: dict[str, dict[str, Any]] = {
    "cnn": {"widths": (4, 8)},
    "resnet": {"widths": (4, 8), "depths": (1, 2)},
    "resnet9": {"widths": (4, 6, 8, 10)},
    "vit": {"width": 16, "depth": 2, "heads": 2, "pooling": "token", "positions": "learned", "picture": 8},
    "mobilenet": {"widths": (4, 6, 8), "depths": (1, 2, 1), "strides": (1, 2, 2)},
}
SMALLEST = {"cnn": 4, "resnet": 2, "resnet9": 8, "vit": 4, "mobilenet": 4}


def built(name: str, channels: int = 3, dim: int = 5, **more: Any) -> Any:
    torch.manual_seed(0)
    return ENCODERS.create(name, channels, dim, **(SMALL[name] | more))


def noise(*shape: int, seed: int = 0, dtype: Any = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.fixture
def clips() -> Sequences:
    """Three rows of 4, 2 (with a hole between them) and 0 true frames."""
    mask = torch.tensor([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0]]).bool()
    values = noise(3, 4, 3, 16, 16).masked_fill(~mask[:, :, None, None, None], float("nan"))
    return Sequences.of(values, mask)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_a_frame_is_seen_alone_and_padding_not_at_all(name: str, training: bool, clips: Sequences) -> None:
    encoder = built(name).train(training)
    true = clips.values[clips.mask]
    alone = encoder(Sequences.of(true[None])).values[0]
    together = encoder(clips)
    torch.testing.assert_close(together.values[clips.mask], alone, atol=1e-5, rtol=1e-4)
    assert not together.values[~clips.mask].any()
    assert together.mask is clips.mask
    if not training:
        torch.testing.assert_close(encoder(Sequences.of(true[None, 2:3])).values[0, 0], alone[2], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_gradients_reach_every_parameter_and_no_padding(name: str, clips: Sequences) -> None:
    encoder = built(name)
    values = clips.values.clone().requires_grad_()
    encoder(clips.with_values(values)).values.square().sum().backward()
    for label, parameter in encoder.named_parameters():
        assert parameter.grad is not None, label
        assert parameter.grad.isfinite().all(), label
        assert parameter.grad.any(), label
    assert values.grad is not None
    assert not values.grad[~clips.mask].any()
    assert values.grad[clips.mask].any()


@pytest.mark.parametrize("name", SMALL)
def test_gradients_are_the_differences(name: str) -> None:
    encoder = built(name).double().eval()
    pictures = noise(1, 2, 3, 8, 8, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: encoder(Sequences.of(p)).values, pictures, fast_mode=True)


@pytest.mark.parametrize("name", SMALL)
def test_nothing_but_absent_rows_in_training_is_harmless(name: str) -> None:
    encoder = built(name).train()
    gone = Sequences.of(noise(2, 2, 3, 16, 16), torch.zeros(2, 2, dtype=torch.bool))
    out = encoder(gone).values
    out.sum().backward()
    assert not out.any()
    assert all(p.grad is None or p.grad.isfinite().all() for p in encoder.parameters())
    assert all(b.isfinite().all() for b in encoder.buffers())


@pytest.mark.parametrize("name", SMALL)
def test_the_smallest_size_works_and_one_pixel_less_is_refused(name: str) -> None:
    encoder, side = built(name), SMALLEST[name]
    assert encoder.smallest == side
    for training in (True, False):  # one frame, one place: a batch norm with a single value a channel
        out = encoder.train(training)(Sequences.of(noise(1, 1, 3, side, side))).values
        assert out.isfinite().all()
    with pytest.raises(BadQueryError, match=rf"{side + 3} x {side - 1} are too small .*{side} x {side}"):
        encoder(Sequences.of(noise(1, 1, 3, side + 3, side - 1)))


@pytest.mark.parametrize("name", SMALL)
def test_other_sizes_and_odd_ones_work(name: str) -> None:
    encoder = built(name).eval()
    for high, wide in ((8, 8), (17, 23), (40, 12)):
        assert encoder(Sequences.of(noise(1, 2, 3, high, wide))).values.shape == (1, 2, 5)


@pytest.mark.parametrize("name", SMALL)
def test_wrong_inputs_are_said(name: str) -> None:
    encoder = built(name)
    with pytest.raises(BadQueryError, match="built for 3 channels"):
        encoder(Sequences.of(noise(1, 1, 1, 16, 16)))
    with pytest.raises(BadQueryError, match="takes pictures"):
        encoder(Sequences.of(noise(1, 4, 3)))
    with pytest.raises(BadQueryError, match="cannot have dim 0"):
        built(name, dim=0)


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("resnet", {"depths": (1, 1, 1)}, "one number a stage"),
        ("resnet", {"stem": "tiny"}, "no stem 'tiny'"),
        ("resnet9", {"widths": (4, 8)}, "four widths"),
        ("cnn", {"widths": ()}, "widths"),
        ("vit", {"heads": 3}, "16 into 3 heads"),
        ("vit", {"pooling": "max"}, "no pooling 'max'"),
        ("vit", {"positions": "none"}, "no positions 'none'"),
        ("vit", {"width": 6, "heads": 2, "positions": "sinusoidal"}, "4 divides"),
        ("mobilenet", {"block": "dense"}, "no block 'dense'"),
        ("mobilenet", {"strides": (1, 2, 0)}, "strides"),
    ],
)
def test_impossible_settings_are_said(name: str, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(BadQueryError, match=says):
        built(name, **settings)


def test_a_basic_block_is_that_of_plain_layers() -> None:
    torch.manual_seed(0)
    block = BasicBlock(3, 6, 2).train()
    conv1, conv2, short = block.path[0][0], block.path[1][0], block.shortcut[0]  # type: ignore[index]
    plain = nn.ModuleList(nn.BatchNorm2d(6) for _ in range(3))
    x = noise(4, 3, 8, 8)
    path = plain[1](conv2(torch.relu(plain[0](conv1(x)))))
    torch.testing.assert_close(block(x), torch.relu(path + plain[2](short(x))))


@pytest.mark.parametrize("block", [SeparableConv(4, 6, 2), InvertedResidual(4, 6, 2), InvertedResidual(4, 4)])
def test_light_blocks_convolve_channels_alone(block: nn.Module) -> None:
    deep = [m for m in block.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
    wide = [m for m in block.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1)]
    assert [m.groups for m in deep] == [deep[0].in_channels]
    assert {m.groups for m in wide} == {1}


def test_an_inverted_residual_adds_its_input() -> None:
    torch.manual_seed(0)
    block = InvertedResidual(4, 4).eval()
    x = noise(1, 4, 8, 8)
    torch.testing.assert_close(block(x), x + block.path(x))
    narrow = InvertedResidual(4, 6).eval()
    torch.testing.assert_close(narrow(x), narrow.path(x))


def test_the_fused_norm_is_the_plain_one() -> None:
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]]).bool()
    x = noise(2, 4, 3, 5, 5)
    fused, plain = FrameNorm(4), MaskedBatchNorm(4)
    for given in (mask, torch.ones_like(mask), None):
        torch.testing.assert_close(fused(x, given), plain(x, given))
    assert fused.state_dict().keys() == plain.state_dict().keys()
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(fused.state_dict()[name], value)
    fused.eval(), plain.eval()
    torch.testing.assert_close(fused(x, mask), plain(x, mask))


def test_patches_are_linear_maps_of_their_pixels() -> None:
    torch.manual_seed(0)
    embed = PatchEmbedding(3, 8, 4)
    frames = noise(2, 3, 10, 8)
    got = embed(frames)
    padded = nn.functional.pad(frames, (0, 0, 0, 2))
    weight, bias = embed.map.weight.flatten(1), embed.map.bias
    assert got.shape == (2, 3, 2, 8)
    for i in range(3):
        for j in range(2):
            patch = padded[:, :, 4 * i : 4 * i + 4, 4 * j : 4 * j + 4].flatten(1)
            torch.testing.assert_close(got[:, i, j], patch @ weight.T + bias)


def test_attention_is_that_of_torch_and_rows_without_keys_stay_finite() -> None:
    torch.manual_seed(0)
    ours, torchs = SelfAttention(8, 2), nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        torchs.in_proj_weight.copy_(ours.qkv.weight), torchs.in_proj_bias.copy_(ours.qkv.bias)
        torchs.out_proj.weight.copy_(ours.out.weight), torchs.out_proj.bias.copy_(ours.out.bias)
    x, keys = noise(2, 5, 8), torch.tensor([[1, 1, 1, 0, 1], [1, 0, 0, 0, 0]]).bool()
    torch.testing.assert_close(ours(x, keys), torchs(x, x, x, key_padding_mask=~keys)[0])
    assert ours(x, torch.zeros_like(keys)).isfinite().all()


def test_sinusoids_tell_places_apart() -> None:
    table = sinusoids(torch.arange(50), 16)
    assert table[0].tolist() == [0.0] * 8 + [1.0] * 8
    torch.testing.assert_close(table[7, 3], torch.tensor(7 * 10_000 ** (-3 / 8)).sin())
    grid = sinusoidal_grid(4, 6, 16)
    torch.testing.assert_close(grid[2, 5], torch.cat([sinusoids(torch.tensor(2), 8), sinusoids(torch.tensor(5), 8)]))
    assert len({tuple(place.tolist()) for place in grid.flatten(0, 1)}) == 24


def test_learned_places_are_themselves_on_their_own_grid_and_smooth_on_others() -> None:
    places = Places("learned", 8, 4)
    assert places.grid is not None
    torch.testing.assert_close(places(4, 4), places.grid[0].permute(1, 2, 0))
    with torch.no_grad():
        places.grid.copy_(torch.linspace(0, 1, 4)[None, None, :, None].expand(1, 8, 4, 4))
    tall = places(8, 4)[:, 0, 0]
    assert tall.shape == (8,)
    assert (tall.diff() > 0).all()


@pytest.mark.parametrize("pooling", ["token", "mean"])
def test_a_vision_transformer_is_its_equations(pooling: str) -> None:
    encoder = built("vit", pooling=pooling).eval()
    frames, net = noise(2, 3, 8, 8), encoder.network
    x = (net.embed(frames) + net.places(2, 2)).flatten(1, 2)  # equation 1
    if pooling == "token":
        x = torch.cat([net.token.expand(2, 1, 16), x], 1)
    for block in net.blocks:
        x = x + block.attention(block.norm1(x))  # equation 2
        x = x + block.mlp(block.norm2(x))  # equation 3
    y = net.norm(x)  # equation 4
    expected = encoder.out(y[:, 0] if pooling == "token" else y.mean(1))
    torch.testing.assert_close(encoder(Sequences.of(frames[None])).values[0], expected)
