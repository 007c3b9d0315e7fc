"""Matching learned with and without pairs that do not belong together: the articles' reading is the one that fails."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from cinescope.models.multimodal import Multimodal  # noqa: E402
from cinescope.nn import Batch, Fused, Sequences  # noqa: E402
from cinescope.nn.heads import HEADS  # noqa: E402
from cinescope.objectives.matching import Matching as Objective  # noqa: E402
from cinescope.objectives.synchrony import Synchrony  # noqa: E402
from cinescope.tasks.matching import Matching  # noqa: E402


class Product(nn.Module):
    roles, dim, additive = ("video", "caption"), 16, False

    def __init__(self) -> None:
        super().__init__()
        self.views = nn.ModuleDict({role: nn.Linear(8, 16) for role in self.roles})

    def forward(self, batch: Batch) -> Fused:
        a, b = (self.views[role](batch.inputs[role].zeroed()[:, 0]) for role in self.roles)
        return Fused(Sequences.of((a * b)[:, None]), a * b, batch.inputs)


def rows(count: int, seed: int) -> Batch:
    """A caption is its video's numbers, turned."""
    generator = torch.Generator().manual_seed(seed)
    video = torch.randn(count, 8, generator=generator)
    turn = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(5)))[0]
    keys = tuple(f"{seed}.{i}" for i in range(count))
    return Batch({"video": Sequences.of(video[:, None]), "caption": Sequences.of((video @ turn)[:, None])}, {}, keys)


def trained(negatives: int) -> dict[str, float]:
    task = Matching(negatives=negatives)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        (head,) = task.heads().values()
        model = Multimodal({}, Product(), {"match": HEADS.create(head["name"], 16, **head["settings"])})
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    batch = rows(128, 0)
    for epoch in range(150):
        optimiser.zero_grad()
        task.loss(model, batch, 0, epoch).mean().backward()
        optimiser.step()
    asked = Matching(negatives=1)
    answers = asked.answer(model, rows(200, 1))
    others = [p for a in answers for p in a["others"]]
    return asked.metrics(answers, {}) | {"yes_to_others": sum(p > 0.5 for p in others) / len(others)}


def test_with_negatives_it_learns_to_match() -> None:
    found = trained(negatives=1)
    assert found["accuracy"] > 0.9
    assert found["yes_to_others"] < 0.2


def test_with_positives_alone_it_says_yes_to_almost_anything() -> None:
    """The articles' reading: the loss falls to nearly 0, and the model is of no use."""
    found = trained(negatives=0)
    assert found["accuracy"] < 0.65
    assert found["yes_to_others"] > 0.7


def test_the_best_answer_to_positives_alone_is_infinity() -> None:
    logits = torch.linspace(-5, 50, 12)
    losses = [float(Objective()({"match": z[None]}, {"match": torch.tensor([1])}).mean()) for z in logits]
    assert losses == sorted(losses, reverse=True)


def test_two_logits_are_the_difference_of_them() -> None:
    match = torch.tensor([1, 0, -100])
    two = torch.tensor([[0.3, 1.2], [2.0, 0.1], [5.0, 5.0]])
    expected = nn.functional.cross_entropy(two, match, reduction="sum")
    assert torch.allclose(Objective()({"match": two}, {"match": match}).terms["matching"][0], expected)


def test_synchrony_is_korbars_equation() -> None:
    def loss(angle: float, match: int) -> Tensor:
        left = torch.tensor([[1.0, 0.0]])
        right = torch.tensor([[angle, 0.0]]).cos() * torch.tensor([[1.0, 0.0]]) + torch.tensor([[0.0, 1.0]]) * (
            torch.tensor(angle).sin()
        )
        outputs = {"similarities.left": left, "similarities.right": right}
        return Synchrony(margin=0.99)(outputs, {"match": torch.tensor([match])}).mean()

    apart = 2 * torch.tensor(0.2).sin()  # the chord of an angle of 0.4
    assert torch.allclose(loss(0.4, 1), apart**2, atol=1e-6)
    assert torch.allclose(loss(0.4, 0), (0.99 - apart) ** 2, atol=1e-6)
    assert loss(2.0, 0) == 0
