"""Contrast in both directions, over ranks as in one process, with several captions, past what is absent."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from cinescope.objectives import contrastive, mil_nce, ranks  # noqa: E402
from cinescope.objectives.contrastive import Contrastive  # noqa: E402
from cinescope.objectives.mil_nce import MilNce  # noqa: E402


def leaf(*shape: int, seed: int) -> Tensor:
    made = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return functional.normalize(made, dim=-1).requires_grad_()


def said(left: Tensor, right: Tensor, known: Tensor, scale: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
    outputs = {"left": left, "right": right, "known": known, "scale": scale}
    return {f"similarities.{n}": o for n, o in (outputs | ({} if mask is None else {"mask": mask})).items()}


class Ranks:
    """Two ranks in one process: what each gathers is kept in the first round and joined in the second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch, self.kept = monkeypatch, []  # type: ignore[var-annotated]

    def losses(self, objective: Any, outputs: list[dict[str, Tensor]], targets: list[dict[str, Tensor]]) -> list[Any]:
        for r, own in enumerate(outputs):
            calls: list[Tensor] = []
            self.monkeypatch.setattr(ranks, "this_rank", lambda r=r: r)
            objective(own, targets[r], lambda x, calls=calls: calls.append(x) or x)
            self.kept.append(calls)
        found = []
        for r, own in enumerate(outputs):
            nth = iter(range(100))
            self.monkeypatch.setattr(ranks, "this_rank", lambda r=r: r)

            def gather(x: Tensor, nth: Any = nth) -> Tensor:
                n = next(nth)
                return torch.cat([calls[n] for calls in self.kept])

            found.append(objective(own, targets[r], gather))
        return found


@pytest.mark.parametrize("items", [0, 3])
def test_two_ranks_are_one_process_to_the_last_gradient(items: int, monkeypatch: pytest.MonkeyPatch) -> None:
    objective = MilNce() if items else Contrastive(group="clip")
    left, right = leaf(7, 5, seed=0), leaf(7, items, 5, seed=1) if items else leaf(7, 5, seed=1)
    known = torch.tensor([True, True, False, True, True, True, True])
    scale = torch.tensor(6.0, dtype=torch.float64, requires_grad=True)
    mask = (torch.arange(3)[None] < torch.tensor([3, 1, 2, 3, 2, 1, 3])[:, None]) if items else None
    clip = torch.tensor([0, 1, 2, 3, 0, 4, 5])

    whole = objective(said(left, right, known, scale, mask), {"clip": clip})
    (total, count) = next(iter(whole.terms.values()))
    expected = torch.autograd.grad(total, [left, right, scale])

    cuts = (slice(0, 3), slice(3, 7))
    outputs = [said(left[c], right[c], known[c], scale, None if mask is None else mask[c]) for c in cuts]
    parts = Ranks(monkeypatch).losses(objective, outputs, [{"clip": clip[c]} for c in cuts])
    sums = [next(iter(p.terms.values())) for p in parts]
    assert torch.allclose(sums[0][0] + sums[1][0], total)
    assert int(sums[0][1] + sums[1][1]) == int(count) == 6
    found = torch.autograd.grad(sums[0][0] + sums[1][0], [left, right, scale])
    assert all(torch.allclose(a, b) for a, b in zip(found, expected, strict=True))


def test_absent_rows_are_no_negatives() -> None:
    left, right, scale = leaf(4, 5, seed=0), leaf(4, 5, seed=1), torch.tensor(6.0, dtype=torch.float64)
    known = torch.tensor([True, False, True, True])
    some = Contrastive()(said(left, right, known, scale), {})
    alone = Contrastive()(said(left[known], right[known], known[known], scale), {})
    assert torch.allclose(some.mean(), alone.mean())


def test_captions_of_one_clip_are_not_set_against_each_other() -> None:
    same = leaf(1, 5, seed=0).expand(3, 5)
    known, scale = torch.ones(3, dtype=torch.bool), torch.tensor(6.0, dtype=torch.float64)
    against = Contrastive()(said(same, same, known, scale), {}).mean()
    together = Contrastive(group="clip")(said(same, same, known, scale), {"clip": torch.tensor([4, 4, 4])}).mean()
    assert float(against) == pytest.approx(float(torch.tensor(3.0).log()))
    assert float(together) == pytest.approx(0)


def test_the_temperature_is_learned() -> None:
    rows = leaf(6, 8, seed=0)
    known, scale = torch.ones(6, dtype=torch.bool), torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    Contrastive()(said(rows, rows, known, scale), {}).mean().backward()
    assert scale.grad is not None
    assert scale.grad < 0, "where the pairs are right, a higher scale is better"


def test_mil_nce_counts_the_right_pairs_once_unlike_the_published_code() -> None:
    left, right = leaf(4, 5, seed=0).detach(), leaf(4, 2, 5, seed=1).detach()
    known, mask = torch.ones(4, dtype=torch.bool), torch.ones(4, 2, dtype=torch.bool)
    scale = torch.tensor(3.0, dtype=torch.float64)
    ours = MilNce()(said(left, right, known, scale, mask), {}).mean()
    pairs = scale * torch.einsum("ap,bnp->abn", left, right)
    good = pairs[torch.arange(4), torch.arange(4)].logsumexp(1)
    published = torch.cat([pairs, pairs.transpose(0, 1)], 1).flatten(1).logsumexp(1) - good
    own = pairs.masked_fill(~torch.eye(4, dtype=torch.bool)[..., None], -torch.inf).flatten(1)
    once = (published + good).exp() - own.exp().sum(1)
    assert torch.allclose(ours, (once.log() - good).mean())
    assert ours < published.mean()


def test_one_of_several_captions_may_be_wrong() -> None:
    """A clip that fits one of its captions costs little, however bad the other is."""
    x = torch.eye(3, dtype=torch.float64)
    right = torch.stack([x, -x], 1)
    known, mask = torch.ones(3, dtype=torch.bool), torch.ones(3, 2, dtype=torch.bool)
    loss = MilNce()(said(x, right, known, torch.tensor(20.0, dtype=torch.float64), mask), {}).mean()
    assert loss < 1e-6


def test_the_modules_ask_for_their_rank_when_they_are_called() -> None:
    assert contrastive.own_rows is mil_nce.own_rows is ranks.own_rows
    assert ranks.this_rank() == 0
