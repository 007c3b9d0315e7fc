"""The norms against numpy over the true steps alone, and over two ranks."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cinescope.nn.norm import ChannelLayerNorm, MaskedBatchNorm  # noqa: E402

MASK = torch.tensor([[True, True, True, False], [True, False, False, False], [False] * 4])


def steps(seed: int = 0, shape: tuple[int, ...] = (3, 5, 4, 2)) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 3 + 1


def test_statistics_are_those_of_the_true_steps() -> None:
    x = steps()
    norm = MaskedBatchNorm(5)
    x[2] = float("nan")
    x[0, :, 3] = 1e9
    out = norm(x, MASK)
    true = np.concatenate([x[0, :, :3].reshape(5, -1), x[1, :, :1].reshape(5, -1)], 1).astype(np.float64)
    mean, var = true.mean(1), true.var(1)
    expected = (x[0, :, 1, 1].numpy() - mean) / np.sqrt(var + 1e-5)
    np.testing.assert_allclose(out[0, :, 1, 1].detach().numpy(), expected, atol=1e-5)
    assert torch.equal(out[2], torch.zeros_like(out[2]))
    np.testing.assert_allclose(norm.running_mean.numpy(), 0.1 * mean, atol=1e-5)
    np.testing.assert_allclose(norm.running_var.numpy(), 0.9 + 0.1 * true.var(1, ddof=1), rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_without_mask_it_is_torch_batch_norm(training: bool) -> None:
    x = steps(shape=(6, 5, 4, 3))
    ours, theirs = MaskedBatchNorm(5), torch.nn.BatchNorm2d(5)
    theirs.weight.data.uniform_(0.5, 2, generator=torch.Generator().manual_seed(1))
    for norm in (ours, theirs):
        norm.train()
    ours.load_state_dict(theirs.state_dict())
    ours(x), theirs(x)
    ours.train(training), theirs.train(training)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)


def test_gradient_equals_torch_batch_norm() -> None:
    x = steps(shape=(6, 5, 4)).double()
    ours, theirs = MaskedBatchNorm(5).double(), torch.nn.BatchNorm1d(5).double()
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    (ours(a, torch.ones(6, 4, dtype=torch.bool)) ** 3).sum().backward()
    (theirs(b) ** 3).sum().backward()
    torch.testing.assert_close(a.grad, b.grad)


def test_no_true_step_leaves_the_running_statistics() -> None:
    norm = MaskedBatchNorm(5)
    x = torch.full((3, 5, 4), float("nan"), requires_grad=True)
    out = norm(x, torch.zeros(3, 4, dtype=torch.bool))
    out.sum().backward()
    assert torch.equal(out, torch.zeros_like(out))
    assert x.grad is not None
    assert torch.equal(x.grad, torch.zeros_like(x))
    assert torch.equal(norm.running_mean, torch.zeros(5))
    assert torch.equal(norm.running_var, torch.ones(5))
    assert int(norm.num_batches_tracked) == 0


def test_bf16_keeps_its_dtype_and_its_variance() -> None:
    norm = MaskedBatchNorm(5)
    x = steps(shape=(3, 5, 4)) + 100
    out = norm(x.bfloat16(), MASK)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), norm(x.bfloat16().float(), MASK), atol=0.02, rtol=0.02)


def test_layer_norm_over_channels() -> None:
    x = steps()
    x[2] = float("nan")
    norm = ChannelLayerNorm(5)
    out = norm(x, MASK)
    column = x[0, :, 2, 1].double().numpy()
    expected = (column - column.mean()) / np.sqrt(column.var() + 1e-6)
    np.testing.assert_allclose(out[0, :, 2, 1].detach().numpy(), expected, atol=1e-5)
    assert torch.equal(out[~MASK[:, None, :, None].expand_as(x)], torch.zeros(int((~MASK).sum()) * 10))


def _rank(rank: int, folder: str) -> None:
    os.environ |= {"GLOO_SOCKET_IFNAME": "lo"}
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    # Unequal shares: rank 0 has two rows, rank 1 one row with another length.
    rows = steps(shape=(3, 5, 4)).double()
    x = (rows[:2] if rank == 0 else rows[2:, :, :3]).clone().requires_grad_()
    mask = torch.tensor([[True, True, True, False], [True, True, False, False]])
    norm = MaskedBatchNorm(5).double()
    out = norm(x, mask if rank == 0 else torch.ones(1, 3, dtype=torch.bool))
    (out**3).sum().backward()
    torch.save({"out": out.detach(), "grad": x.grad, "var": norm.running_var}, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_ranks_are_one_batch(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(_rank, (str(tmp_path),), nprocs=2)
    x = steps(shape=(3, 5, 4)).double().requires_grad_()
    mask = torch.tensor([[True, True, True, False], [True, True, False, False], [True, True, True, False]])
    norm = MaskedBatchNorm(5).double()
    out = norm(x, mask)
    (out**3).sum().backward()
    first, second = (torch.load(tmp_path / f"{i}.pt") for i in range(2))
    torch.testing.assert_close(torch.cat([first["out"], second["out"].new_zeros(1, 5, 4)])[:2], out[:2])
    torch.testing.assert_close(second["out"], out[2:, :, :3].detach())
    assert x.grad is not None
    torch.testing.assert_close(first["grad"], x.grad[:2])
    torch.testing.assert_close(second["grad"], x.grad[2:, :, :3])
    torch.testing.assert_close(first["var"], second["var"])
    torch.testing.assert_close(first["var"], norm.running_var)
