"""Every objective, corruption and task of the catalogues is held to the same: what is not known counts nothing, what
is random is a function of seed, epoch and key, and counts are those of the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from cinescope.nn import UNKNOWN, Batch, Fused, Sequences  # noqa: E402
from cinescope.nn.heads import HEADS  # noqa: E402
from cinescope.objectives import CORRUPTIONS, OBJECTIVES  # noqa: E402
from cinescope.tasks import TASKS  # noqa: E402

Case = tuple[dict[str, Tensor], dict[str, Tensor]]
ROWS = 6


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def unit(*shape: int, seed: int = 0) -> Tensor:
    return nn.functional.normalize(noise(*shape, seed=seed), dim=-1)


def classes() -> Case:
    return {"classes": noise(ROWS, 4)}, {"label": torch.tensor([0, 1, 2, 3, 1, 0])}


def numbers() -> Case:
    return {"score": noise(ROWS)}, {"score": noise(ROWS, seed=1), "score.known": torch.ones(ROWS, dtype=torch.bool)}


def labels() -> Case:
    return {"labels": noise(ROWS, 4)}, {
        "labels": (noise(ROWS, 4, seed=1) > 0).float(),
        "labels.known": torch.ones(ROWS, dtype=torch.bool),
    }


def candidates() -> Case:
    mask = torch.ones(ROWS, 5, dtype=torch.bool)
    mask[2, 3:] = False
    return {"ranking": noise(ROWS, 5), "ranking.mask": mask}, {"answer": torch.tensor([0, 1, 2, 3, 4, 0])}


def pairs() -> Case:
    return {"match": noise(ROWS)}, {"match": torch.tensor([1, 0, 1, 1, 0, 0])}


def sides(items: bool = False) -> Case:
    right = unit(ROWS, 3, 8, seed=1) if items else unit(ROWS, 8, seed=1)
    outputs = {"left": unit(ROWS, 8), "right": right, "known": torch.ones(ROWS, dtype=torch.bool)}
    outputs |= {"scale": torch.tensor(5.0)} | ({"mask": torch.ones(ROWS, 3, dtype=torch.bool)} if items else {})
    return {f"similarities.{n}": o for n, o in outputs.items()}, {}


def in_time() -> Case:
    return sides()[0], {"match": torch.tensor([1, 0, 1, 1, 0, 0])}


def steps() -> Case:
    return {"reconstruct": noise(ROWS, 3, 4)}, {
        "reconstruct": noise(ROWS, 3, 4, seed=1),
        "reconstruct.mask": torch.ones(ROWS, 3, dtype=torch.bool),
    }


def taught() -> Case:
    return {"classes": noise(ROWS, 4)}, {
        "teacher": noise(ROWS, 4, seed=1),
        "teacher.known": torch.ones(ROWS, dtype=torch.bool),
    }


def span() -> Case:
    s = Sequences.of(noise(ROWS, 5, 1))
    outputs = {"start": noise(ROWS, 5), "end": noise(ROWS, 5, seed=1), "mask": s.mask, "times": s.times.contiguous()}
    return {f"span.{n}": o for n, o in outputs.items()}, {
        "span": torch.tensor([[0.2, 1.5]] * ROWS),
        "span.known": torch.ones(ROWS, dtype=torch.bool),
    }


CASES: dict[str, Callable[[], Case]] = {
    "binary": labels,
    "contrastive": sides,
    "correspondence": pairs,
    "cross_entropy": classes,
    "distillation": taught,
    "focal": classes,
    "matching": pairs,
    "mil_nce": lambda: sides(items=True),
    "ranking": candidates,
    "reconstruction": steps,
    "regression": numbers,
    "span": span,
    "synchrony": in_time,
}
PER_ROW = sorted(set(CASES) - {"contrastive", "mil_nce"})  # in those two a row is measured against the others
NAMES = OBJECTIVES.names()


def leaves(outputs: dict[str, Tensor]) -> dict[str, Tensor]:
    return {n: o.clone().requires_grad_() if o.dtype == torch.float32 else o for n, o in outputs.items()}


def forget(case: Case, rows: Tensor) -> Case:
    """The same with these rows not known, by whichever way the targets have, and NaN in what was said of them."""
    outputs, targets = dict(case[0]), dict(case[1])
    for name, t in case[1].items():
        if t.dtype == torch.int64:
            targets[name] = torch.where(rows, UNKNOWN, t)
        elif t.dtype == torch.bool:
            targets[name] = t & ~rows.reshape(-1, *[1] * (t.ndim - 1))
    if not targets:
        outputs = {
            n: o & ~rows.reshape(-1, *[1] * (o.ndim - 1)) if o.dtype == torch.bool else o for n, o in outputs.items()
        }
        return outputs, targets  # a head gives zeros, never NaN, where a side is absent
    for name, o in case[0].items():
        if o.dtype == torch.float32 and o.ndim:
            outputs[name] = torch.where(rows.reshape(-1, *[1] * (o.ndim - 1)), torch.nan, o)
    return outputs, targets


def only(case: Case, index: Tensor) -> Case:
    return {n: o[index] if o.ndim else o for n, o in case[0].items()}, {n: t[index] for n, t in case[1].items()}


def value(loss: Any) -> tuple[float, int]:
    ((total, count),) = loss.terms.values()
    return float(total), int(count)


def test_every_objective_has_a_case() -> None:
    assert set(NAMES) == set(CASES)


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_is_finite_and_reaches_what_was_said(name: str) -> None:
    outputs, targets = CASES[name]()
    outputs = leaves(outputs)
    loss = OBJECTIVES.create(name)(outputs, targets)
    loss.mean().backward()
    assert loss.mean().isfinite()
    assert value(loss)[0] >= 0
    for said, o in outputs.items():
        if o.dtype == torch.float32 and not (name == "synchrony" and said.endswith("scale")):
            assert o.grad is not None, said
            assert o.grad.isfinite().all(), said
            assert o.grad.abs().sum() > 0, said


@pytest.mark.parametrize("name", PER_ROW)
def test_sums_and_counts_add_up_over_parts_of_a_batch(name: str) -> None:
    case, objective = CASES[name](), OBJECTIVES.create(name)
    whole = value(objective(*case))
    parts = [value(objective(*only(case, index))) for index in (torch.arange(2), torch.arange(2, ROWS))]
    assert whole == (pytest.approx(sum(p[0] for p in parts), rel=1e-5), sum(p[1] for p in parts))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_known_counts_nothing_though_it_be_nan(name: str) -> None:
    case, objective = CASES[name](), OBJECTIVES.create(name)
    gone = torch.tensor([False, True, False, False, True, False])
    outputs, targets = forget(case, gone)
    outputs = leaves(outputs)
    loss = objective(outputs, targets)
    assert value(loss) == pytest.approx(value(objective(*only(case, (~gone).nonzero()[:, 0]))), rel=1e-5)
    loss.mean().backward()
    for o in outputs.values():
        if o.dtype == torch.float32 and o.grad is not None:
            assert o.grad.isfinite().all()
            assert not o.ndim or not o.grad[gone].any()


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_of_which_nothing_is_known_costs_nothing(name: str) -> None:
    outputs, targets = forget(CASES[name](), torch.ones(ROWS, dtype=torch.bool))
    outputs = leaves(outputs)
    loss = OBJECTIVES.create(name)(outputs, targets)
    assert value(loss) == (0.0, 0)
    loss.mean().backward()
    assert all(o.grad is None or not o.grad.any() for o in outputs.values())


@pytest.mark.parametrize("name", PER_ROW)
def test_counts_are_told_from_the_targets_alone(name: str) -> None:
    objective = OBJECTIVES.create(name)
    for rows in ([0], [1, 3], [0, 1, 2, 3, 4, 5]):
        case = forget(CASES[name](), torch.isin(torch.arange(ROWS), torch.tensor(rows)))
        ((term, count),) = objective.counts(case[1]).items()
        assert {term: count} == {n: int(c) for n, (_, c) in objective(*case).terms.items()}
        assert isinstance(count, int)


# ---- corruptions


def raw(padding: int = 0, order: tuple[int, ...] = tuple(range(ROWS))) -> Batch:
    """Rows of 12, 12, 7, 1, 0 and 12 steps; NaN in the padding."""
    lengths = [12, 12, 7, 1, 0, 12]
    mask = torch.arange(12 + padding)[None] < torch.tensor(lengths)[:, None]
    times = torch.stack([torch.arange(12.0 + padding), torch.arange(1.0, 13 + padding)], -1).double()
    times = torch.where(mask[..., None], times, 0.0)

    def role(*shape: int) -> Sequences:
        values = torch.full((ROWS, 12 + padding, *shape), torch.nan)
        values[:, :12] = noise(ROWS, 12, *shape)
        values = torch.where(mask.reshape(*mask.shape, *[1] * len(shape)), values, torch.nan)
        return Sequences(values, mask, times)

    batch = Batch({"sound": role(8), "video": role(2, 8, 8)}, {}, tuple(f"row {i}" for i in range(ROWS)))
    return batch.rows(torch.tensor(order))


def same(a: Batch, b: Batch, steps: int = 12) -> bool:
    """Equal true steps, masks and times, and the same steps as `b` beyond none."""
    return all(
        torch.equal(a.inputs[r].mask[:, :steps], b.inputs[r].mask[:, :steps])
        and torch.equal(a.inputs[r].zeroed()[:, :steps], b.inputs[r].zeroed()[:, :steps])
        and torch.equal(a.inputs[r].times[:, :steps], b.inputs[r].times[:, :steps])
        for r in a.inputs
    )


@pytest.mark.parametrize("name", CORRUPTIONS.names())
def test_a_corruption_is_a_function_of_seed_epoch_and_key(name: str) -> None:
    batch, corruption = raw(), CORRUPTIONS.create(name)
    before = raw()
    first = corruption(batch, 3, 7)
    torch.manual_seed(0)
    assert same(first, CORRUPTIONS.create(name)(raw(), 3, 7))
    assert same(batch, before), "it wrote into its batch"
    assert not all(same(first, corruption(batch, seed, epoch)) for seed, epoch in [(3, 8), (4, 7), (5, 9), (9, 1)])
    order = (4, 2, 0, 5)
    assert same(corruption(raw(order=order), 3, 7), first.rows(torch.tensor(order))), "rows are not on their own"
    assert not any(s.zeroed().isnan().any() for s in first.inputs.values())


@pytest.mark.parametrize("name", CORRUPTIONS.names())
def test_padding_changes_nothing_of_a_corruption(name: str) -> None:
    corruption = CORRUPTIONS.create(name)
    narrow, wide = corruption(raw(), 1, 2), corruption(raw(padding=5), 1, 2)
    for role, s in wide.inputs.items():
        assert not s.mask[:, 12:].any()
        assert torch.equal(s.lengths, narrow.inputs[role].lengths)
        assert torch.allclose(s.zeroed()[:, :12], narrow.inputs[role].zeroed(), atol=1e-6)


@pytest.mark.parametrize("name", CORRUPTIONS.names())
def test_a_corruption_leaves_a_row_something(name: str) -> None:
    before, corruption = raw(), CORRUPTIONS.create(name)
    for epoch in range(20):
        after = corruption(before, 0, epoch)
        present = torch.stack([s.present for s in after.inputs.values()]).any(0)
        assert present.tolist() == [True, True, True, True, False, True]
        if not corruption.changes_presence:
            assert all(torch.equal(s.present, before.inputs[r].present) for r, s in after.inputs.items())


@pytest.mark.parametrize("name", CORRUPTIONS.names())
def test_a_corruption_needs_keys_and_passes_over_a_role_that_is_not_there(name: str) -> None:
    batch = raw()
    with pytest.raises(ValueError, match="keys"):
        CORRUPTIONS.create(name)(Batch(batch.inputs), 0, 0)
    other = Batch({"speech": batch.inputs["sound"]}, {}, batch.keys)
    if name != "modality_dropout":
        assert same(CORRUPTIONS.create(name)(other, 0, 0), other)


# ---- tasks


class Mixing(nn.Module):
    """A fusion with a weight for each role: enough for every task to have something to learn."""

    additive = True

    def __init__(self, dims: dict[str, int], dim: int) -> None:
        super().__init__()
        self.roles, self.dim = tuple(dims), dim
        self.weights = nn.ModuleDict({role: nn.Linear(width, dim, bias=False) for role, width in dims.items()})

    def forward(self, batch: Batch) -> Fused:
        parts = {r: s.with_values(self.weights[r](s.zeroed())) for r, s in batch.inputs.items()}
        means = [s.zeroed().sum(1) / s.lengths.clamp_min(1)[:, None] for s in parts.values()]
        pooled = torch.stack(means).sum(0).tanh()
        some = next(s for s in parts.values() if s.mask.shape[1] == max(p.mask.shape[1] for p in parts.values()))
        mask = torch.stack([s.mask for s in parts.values() if s.mask.shape == some.mask.shape]).any(0)
        steps = Sequences(some.zeroed() + pooled[:, None], mask, some.times)
        return Fused(steps, pooled, parts)


def data(*roles: str, **targets: Tensor) -> Batch:
    batch = {}
    for i, role in enumerate(roles):
        mask = torch.ones(ROWS, 4, dtype=torch.bool)
        mask[i, 2:] = False
        mask[ROWS - 1 - i] = role == "candidates"
        batch[role] = Sequences.of(noise(ROWS, 4, 6, seed=i), mask)
    return Batch(batch, {n.replace("__", "."): t for n, t in targets.items()}, tuple(f"key {i}" for i in range(ROWS)))


LABEL = torch.tensor([0, 1, 2, UNKNOWN, 1, 0])
KNOWN = torch.tensor([True, False, True, True, True, True])
DROPPING = [{"name": "modality_dropout", "share": 0.5}]
TASK_CASES: dict[str, list[tuple[dict[str, Any], Batch]]] = {
    "classification": [
        ({"objective": o, "augment": DROPPING}, data("video", "sound", label=LABEL)) for o in ("cross_entropy", "focal")
    ],
    "multilabel": [({}, data("video", labels=(noise(ROWS, 3) > 0).float(), labels__known=KNOWN))],
    "regression": [
        ({"threshold": 0.0}, data("video", "sound", score=noise(ROWS), score__known=KNOWN)),
        ({"scores": 2, "objective": {"name": "regression", "kind": "huber"}}, data("video", score=noise(ROWS, 2))),
    ],
    "step_classification": [({}, data("video", "sound", label=torch.stack([LABEL] * 4, 1)))],
    "ranking": [
        (
            {"objective": {"name": "ranking", "kind": kind}, "joint": joint},
            data("video", "candidates", answer=LABEL % 3),
        )
        for kind in ("listwise", "pairwise")
        for joint in (False, True)
    ],
    "retrieval": [
        (
            {"right": "sound", "dims": {"video": 6, "sound": 6}, "augment": augment, "items": items},
            data("video", "sound"),
        )
        for augment in ([], DROPPING)
        for items in (False, True)
    ],
    "matching": [
        ({"role": "sound", "negatives": n, "augment": augment}, data("video", "sound"))
        for n, augment in ((1, []), (3, DROPPING))
    ],
    "correspondence": [
        ({"negatives": n, "objective": o, "dims": {"video": 6, "sound": 6}, "augment": a}, data("video", "sound"))
        for n in ("others", "shifted", "both")
        for o in ("correspondence", "synchrony")
        for a in ([], DROPPING)
    ],
    "autoencoding": [
        ({"roles": {"video": 6, "sound": 6}, "hide": hide, "level": level, "augment": augment}, data("video", "sound"))
        for hide in ("each", "none")
        for level in ("steps", "pooled")
        for augment in ([], DROPPING)
    ],
}
TASK_CASES["ranking"] = [
    (settings, Batch(b.inputs, {"answer": torch.tensor([0, 1, 0, UNKNOWN, 1, 0])}, b.keys))
    for settings, b in TASK_CASES["ranking"]
]
EACH = [(name, i) for name, cases in TASK_CASES.items() for i in range(len(cases))]


def ready(name: str, which: int) -> tuple[Any, Any, Batch]:
    from cinescope.models.multimodal import Multimodal

    settings, batch = TASK_CASES[name][which]
    task = TASKS.create(name, **settings)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        heads = {
            n: HEADS.create(h["name"], 5, **h["settings"] | ({"role_dim": 5} if h["name"] == "ranking" else {}))
            for n, h in task.heads(["a", "b", "c"]).items()
        }
        return task, Multimodal({}, Mixing(dict.fromkeys(batch.inputs, 6), 5), heads), batch


def counted(loss: Any) -> dict[str, int]:
    return {name: int(count) for name, (_, count) in loss.terms.items()}


def test_every_task_has_a_case() -> None:
    assert set(TASKS.names()) == set(TASK_CASES)


@pytest.mark.parametrize(("name", "which"), EACH)
def test_a_task_counts_what_its_loss_counts(name: str, which: int) -> None:
    task, model, batch = ready(name, which)
    for epoch in range(4):
        loss = task.loss(model, batch, 5, epoch)
        assert task.counts(batch, 5, epoch) == counted(loss)
        assert loss.mean().isfinite()


@pytest.mark.parametrize(("name", "which"), EACH)
def test_the_loss_of_a_task_reaches_every_weight_and_is_repeatable(name: str, which: int) -> None:
    task, model, batch = ready(name, which)
    first = task.loss(model, batch, 1, 2).mean()
    torch.manual_seed(99)
    assert torch.equal(first, task.loss(model, batch, 1, 2).mean())
    first.backward()
    for weight, p in model.named_parameters():
        apart = name in ("retrieval", "correspondence") and weight.startswith("fusion")  # sides are read before fusion
        if not apart and not weight.endswith("log_scale"):  # the scale is no part of Korbar's loss
            assert p.grad is not None, weight
            assert p.grad.isfinite().all(), weight


@pytest.mark.parametrize(("name", "which"), EACH)
def test_a_task_answers_each_row_and_measures_what_it_is_chosen_by(name: str, which: int) -> None:
    import json

    task, model, batch = ready(name, which)
    model.train()
    answers = task.answer(model, batch)
    assert model.training, "the model was left in another mode"
    assert [a["key"] for a in answers] == list(batch.keys)
    json.dumps(answers)
    metrics = task.metrics(answers, batch.targets)
    assert task.best in metrics
    assert task.higher_is_better in (True, False)
    assert all(torch.tensor(v).isfinite() for v in metrics.values())
    as_lists = {n: list(t.numpy()) for n, t in batch.targets.items()}
    assert task.metrics(answers, as_lists) == metrics


@pytest.mark.parametrize(("name", "which"), EACH)
def test_a_batch_without_any_input_is_no_reason_to_fail(name: str, which: int) -> None:
    if name == "ranking":
        pytest.skip("a right candidate that is not there is an error of the data")
    task, model, batch = ready(name, which)
    none = batch.without(*batch.inputs)
    loss = task.loss(model, none, 0, 0)
    assert task.counts(none, 0, 0) == counted(loss)
    loss.mean().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    task.metrics(task.answer(model, none), none.targets)
