"""Each task learns what it is for, on rows small enough for a second; conformance is in tests/conformance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from cinescope.models.multimodal import Multimodal  # noqa: E402
from cinescope.nn import UNKNOWN, Batch, Fused, Sequences  # noqa: E402
from cinescope.nn.heads import HEADS  # noqa: E402
from cinescope.tasks import TASKS  # noqa: E402
from cinescope.tasks.autoencoding import on_clock  # noqa: E402
from cinescope.types import BadQueryError  # noqa: E402

TURN = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(9)))[0]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Such small products only wait for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Small(nn.Module):
    """Sum and product of the roles' projected means; steps are the first role's, each with the row's sum."""

    additive = False

    def __init__(self, roles: tuple[str, ...], dim: int = 12) -> None:
        super().__init__()
        self.roles, self.dim = roles, 2 * dim
        self.views = nn.ModuleDict({r: nn.Linear(6, dim) for r in roles})

    def forward(self, batch: Batch) -> Fused:
        each = [self.views[r](s.zeroed().sum(1) / s.lengths.clamp_min(1)[:, None]) for r, s in batch.inputs.items()]
        stacked = torch.stack(each)
        pooled = torch.cat([stacked.sum(0), stacked.prod(0)], 1)
        steps = next((s for s in batch.inputs.values() if s.mask.any()), next(iter(batch.inputs.values())))
        role = next(r for r, s in batch.inputs.items() if s is steps)
        own = self.views[role](steps.zeroed())
        return Fused(steps.with_values(torch.cat([own, own * 0], 2) + pooled[:, None]), pooled, batch.inputs)


def noise(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def batch(inputs: dict[str, Tensor], seed: int, **targets: Tensor) -> Batch:
    rows = len(next(iter(inputs.values())))
    return Batch({r: Sequences.of(v) for r, v in inputs.items()}, targets, tuple(f"{seed}.{i}" for i in range(rows)))


def learned(name: str, settings: dict[str, Any], train: Batch, test: Batch, steps: int = 120) -> dict[str, float]:
    task = TASKS.create(name, **settings)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fusion = Small(tuple(train.inputs))
        heads = {
            n: HEADS.create(h["name"], fusion.dim, **h["settings"]) for n, h in task.heads(["a", "b", "c"]).items()
        }
        model = Multimodal({}, fusion, heads)
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    for step in range(steps):
        optimiser.zero_grad()
        task.loss(model, train, 0, step).mean().backward()
        optimiser.step()
    return task.metrics(task.answer(model, test), test.targets)


def test_classification() -> None:
    def rows(seed: int) -> Batch:
        x = noise(800, 1, 6, seed=seed)
        return batch({"video": x, "sound": noise(800, 1, 6, seed=seed + 50)}, seed, label=x[:, 0, :3].argmax(1))

    for objective in ("cross_entropy", "focal", {"name": "cross_entropy", "label_smoothing": 0.1}):
        settings = {"objective": objective, "augment": [{"name": "noise", "most": 0.1}]}
        assert learned("classification", settings, rows(0), rows(1), 80)["accuracy"] > 0.9


def test_classification_watches_the_metric_that_it_is_told() -> None:
    answers = [{"label": said} for said in (0, 0, 0, 1)]
    targets = {"label": torch.tensor([0, 0, 1, 1])}
    for name in ("accuracy", "macro_f1", "weighted_f1"):
        task = TASKS.create("classification", watch=name)
        assert task.best == name == next(iter(task.metrics(answers, targets)))
        assert set(task.metrics(answers, targets)) == {"accuracy", "macro_f1", "weighted_f1"}
    assert TASKS.create("classification").best == "accuracy"
    with pytest.raises(BadQueryError, match="no metric 'f1' to watch") as raised:
        TASKS.create("classification", watch="f1")
    assert "weighted_f1" in raised.value.do


def test_multilabel() -> None:
    def rows(seed: int) -> Batch:
        x = noise(150, 1, 6, seed=seed)
        return batch({"video": x}, seed, labels=(x[:, 0, :3] > 0).float())

    found = learned("multilabel", {}, rows(0), rows(1))
    assert found["mean_average_precision"] > 0.95
    assert found["macro_f1"] > 0.85


@pytest.mark.parametrize("kind", ["mse", "mae", "huber"])
def test_regression(kind: str) -> None:
    def rows(seed: int) -> Batch:
        x = noise(150, 1, 6, seed=seed)
        return batch({"video": x}, seed, score=2 * x[:, 0, 0] - 1)

    found = learned("regression", {"objective": {"name": "regression", "kind": kind}, "threshold": 0}, rows(0), rows(1))
    assert found["mae"] < 0.4
    assert found["pearson"] > 0.97
    assert found["accuracy"] > 0.9


def test_step_classification() -> None:
    def rows(seed: int) -> Batch:
        x = noise(40, 5, 6, seed=seed)
        label = x[:, :, :3].argmax(2)
        label[:, 4] = UNKNOWN
        return batch({"speech": x}, seed, label=label)

    assert learned("step_classification", {}, rows(0), rows(1))["weighted_f1"] > 0.85


def test_steps_that_no_fusion_kept_are_one_sentence() -> None:
    train = batch({"speech": noise(4, 5, 6, seed=0)}, 0, label=torch.zeros(4, 3, dtype=torch.int64))
    with pytest.raises(BadQueryError, match="the fusion gives steps"):
        learned("step_classification", {}, train, train, 1)


@pytest.mark.parametrize("joint", [False, True])
def test_ranking(joint: bool) -> None:
    """The right candidate is the row's own numbers, turned."""

    def rows(seed: int) -> Batch:
        x, items = noise(150, 1, 6, seed=seed), noise(150, 4, 6, seed=seed + 50)
        answer = torch.arange(150) % 4
        items[torch.arange(150), answer] = x[:, 0] @ TURN
        return batch({"question": x, "candidates": items}, seed, answer=answer)

    settings = {"joint": joint, "role_dim": 6, "hidden": 0 if joint else 32}
    found = learned("ranking", settings, rows(0), rows(1), 200)
    assert found["accuracy"] > 0.75
    assert found["mrr"] > found["accuracy"]


def pairs(rows: int, seed: int, items: int = 0) -> Batch:
    x = noise(rows, 1, 6, seed=seed)
    if not items:
        return batch({"video": x, "caption": x @ TURN}, seed)
    captions = (x @ TURN) + 0.3 * noise(rows, items, 6, seed=seed + 1)
    return batch({"video": x, "caption": captions}, seed)


@pytest.mark.parametrize("items", [0, 3])
def test_retrieval(items: int) -> None:
    settings = {"dims": {"video": 6, "caption": 6}, "items": bool(items)}
    found = learned("retrieval", settings, pairs(100, 0, items), pairs(60, 1, items))
    assert found["mean_recall@1"] > 0.6
    assert found["left_to_right.recall@10"] > 0.9
    assert learned("retrieval", settings, pairs(100, 0, items), pairs(60, 1, items), 0)["mean_recall@1"] < 0.2


def test_retrieval_metrics_by_hand() -> None:
    task = TASKS.create("retrieval", group="clip")
    answers = [
        {"left": [1.0, 0.0], "right": [0.9, 0.1], "known": True},
        {"left": [0.0, 1.0], "right": [1.0, 0.0], "known": True},
        {"left": [0.0, 0.0], "right": [0.0, 0.0], "known": False},
    ]
    found = task.metrics(answers, {"clip": torch.tensor([0, 1, 2])})
    assert found["left_to_right.recall@1"] == 0  # the first finds the second's caption, and the second the first's
    assert found["right_to_left.recall@1"] == 0.5
    together = task.metrics(answers, {"clip": torch.tensor([7, 7, 2])})
    assert together["mean_recall@1"] == 1


@pytest.mark.parametrize("objective", ["correspondence", "synchrony"])
def test_correspondence(objective: str) -> None:
    def rows(seed: int) -> Batch:
        given = pairs(100, seed).inputs
        return Batch({"video": given["video"], "sound": given["caption"]}, {}, pairs(100, seed).keys)

    settings = {"objective": objective, "dims": {"video": 6, "sound": 6}}
    found = learned("correspondence", settings, rows(0), rows(1), 200)
    assert found["ahead"] > 0.9
    assert found["accuracy"] > 0.75


def test_autoencoding_says_one_role_from_the_other() -> None:
    settings = {"roles": {"video": 6, "caption": 6}}
    found = learned("autoencoding", settings, pairs(150, 0), pairs(60, 1), 300)
    assert found["explained.caption"] > 0.8
    assert found["explained.video"] > 0.8
    assert found["error"] == pytest.approx((found["error.video"] + found["error.caption"]) / 2)


def test_steps_on_another_clock_are_means_weighted_by_time() -> None:
    values = torch.tensor([[[1.0], [3.0], [5.0], [torch.nan]]])
    times = torch.tensor([[[0.0, 1.0], [1.0, 2.0], [2.0, 2.0], [0.0, 9.0]]], dtype=torch.float64)
    steps = Sequences(values, torch.tensor([[True, True, True, False]]), times)
    at = torch.tensor([[[0.5, 1.0], [0.5, 1.5], [1.5, 2.5], [4.0, 5.0], [0.0, 2.0]]], dtype=torch.float64)
    there = torch.tensor([[True, True, True, True, False]])
    found, covered = on_clock(steps, at, there)
    assert covered.tolist() == [[True, True, True, False, False]]
    assert found[0, :3, 0].tolist() == pytest.approx([1, 2, 3], abs=1e-6)  # a moment without length counts a little


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("matching", {"negatives": -1}),
        ("correspondence", {"negatives": "none"}),
        ("correspondence", {"least": 0.9}),
        ("autoencoding", {"roles": {}}),
        ("autoencoding", {"roles": {"video": 6}, "hide": "all"}),
        ("classification", {"objective": {"gamma": 2}}),
        ("classification", {"objective": 7}),
        ("classification", {"augment": [{"name": "noise", "mots": 1}]}),
    ],
)
def test_impossible_settings_are_one_sentence(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(BadQueryError):
        TASKS.create(name, **settings)


def test_a_head_that_the_model_lacks_is_told_with_those_it_has() -> None:
    model = Multimodal({}, Small(("video",)), {"labels": HEADS.create("labels", 24, labels=2)})
    with pytest.raises(BadQueryError, match=r"no head 'classes'.*labels"):
        TASKS.create("classification").loss(model, batch({"video": noise(2, 1, 6, seed=0)}, 0), 0, 0)
