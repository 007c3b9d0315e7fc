"""The multimodal auto-encoder: what it hears, what it says, what counts."""

from __future__ import annotations

import pytest
import torch

from cinescope.models.autoencoder import autoencoder
from cinescope.nn import Batch, Sequences
from cinescope.types import BadQueryError

WIDTHS = {"video": 5, "sound": 3, "speech": 4}


def batch() -> Batch:
    """Four rows: all roles, no sound, sound alone, none."""
    generator = torch.Generator().manual_seed(3)
    lengths = {"video": [4, 3, 0, 0], "sound": [2, 0, 5, 0], "speech": [1, 2, 0, 0]}
    inputs = {}
    for role, width in WIDTHS.items():
        mask = torch.arange(5)[None] < torch.tensor(lengths[role])[:, None]
        values = torch.randn(4, 5, width, generator=generator)
        inputs[role] = Sequences.of(values, mask)
    return Batch(inputs)


@pytest.mark.parametrize("level", ["steps", "pooled"])
def test_what_a_role_says_of_itself_is_not_heard(level: str) -> None:
    torch.manual_seed(0)
    model = autoencoder(WIDTHS, 8, level=level).eval()
    given = batch()
    louder = given.with_inputs({"video": given.inputs["video"].with_values(given.inputs["video"].values * 9)})
    before, after = model(given), model(louder)
    assert torch.equal(before["reconstruct.video"], after["reconstruct.video"])
    assert not torch.allclose(before["reconstruct.sound"], after["reconstruct.sound"])
    everything = autoencoder(WIDTHS, 8, level=level, hears="all").eval()
    assert not torch.allclose(everything(given)["reconstruct.video"], everything(louder)["reconstruct.video"])


def test_shapes_and_what_counts() -> None:
    model, given = autoencoder(WIDTHS, 8), batch()
    said, true = model(given), model.targets(given)
    for role, width in WIDTHS.items():
        name = f"reconstruct.{role}"
        assert said[name].shape == true[name].shape == (4, 5, width)
    assert true["reconstruct.sound.mask"].sum(1).tolist() == [2, 0, 0, 0]  # row 2 has nothing to say it from
    assert true["reconstruct.video.mask"].sum(1).tolist() == [4, 3, 0, 0]
    row = autoencoder(WIDTHS, 8, level="pooled")
    assert row(given)["reconstruct.video"].shape == (4, 5)
    assert row.targets(given)["reconstruct.sound.known"].tolist() == [True, False, False, False]
    mean = given.inputs["video"].values[1, :3].mean(0)
    assert torch.allclose(row.targets(given)["reconstruct.video"][1], mean, atol=1e-6)


@pytest.mark.parametrize("junk", [float("nan"), 1e9])
def test_padding_changes_nothing(junk: float) -> None:
    torch.manual_seed(0)
    model, given = autoencoder(WIDTHS, 8).eval(), batch()

    def spoilt(s: Sequences) -> Sequences:
        return Sequences(
            s.values.masked_fill(~s.mask[..., None], junk), s.mask, s.times.masked_fill(~s.mask[..., None], junk)
        )

    dirty = given.with_inputs({role: spoilt(s) for role, s in given.inputs.items()})
    clean, got = model(given), model(dirty)
    for name, said in clean.items():
        assert torch.allclose(said, got[name], atol=1e-6), name
    total = sum(said.square().sum() for said in got.values())
    total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_learns_to_say_one_role_from_the_other() -> None:
    """`sound` is a rotation of `video`."""
    torch.manual_seed(0)
    video = torch.randn(64, 1, 4)
    turn = torch.linalg.qr(torch.randn(4, 4))[0]
    sound = video @ turn + torch.tensor([0.0, 1.0, -1.0])[None, :, None]
    given = Batch({"video": Sequences.of(video), "sound": Sequences.of(sound)})
    model = autoencoder({"video": 4, "sound": 4}, 32, fusion_settings={"dropout": 0.0}, hidden=32)
    true = model.targets(given)["reconstruct.sound"]
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)

    def loss() -> torch.Tensor:
        return (model(given)["reconstruct.sound"] - true).square().mean()

    first = float(loss().detach())
    for _ in range(60):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert float(loss().detach()) < 0.2 * first


def test_what_cannot_be() -> None:
    with pytest.raises(BadQueryError, match="alone"):
        autoencoder({"video": 4}, 8)
    with pytest.raises(BadQueryError, match="cannot hear"):
        autoencoder(WIDTHS, 8, hears="nobody")  # type: ignore[arg-type]
    assert "reconstruct.video" in autoencoder({"video": 4}, 8, hears="all")(
        Batch({"video": Sequences.of(torch.ones(2, 3, 4))})
    )
