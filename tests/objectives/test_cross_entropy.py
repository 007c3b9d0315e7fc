"""Cross-entropy is torch's where torch has it; the articles' softmax divided by V is shown to be none."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from cinescope.objectives.cross_entropy import CrossEntropy  # noqa: E402
from cinescope.objectives.focal import Focal  # noqa: E402
from cinescope.types import BadQueryError  # noqa: E402

LOGITS = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
CLASSES = torch.tensor([0, 1, 2, 3, 4, 0, 1, -100])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 0.5, 1.0, 3.0]])
def test_it_is_torchs(smoothing: float, weights: list[float] | None) -> None:
    ours = CrossEntropy(label_smoothing=smoothing, class_weights=weights)({"classes": LOGITS}, {"label": CLASSES})
    expected = functional.cross_entropy(
        LOGITS, CLASSES, None if weights is None else torch.tensor(weights), label_smoothing=smoothing, reduction="sum"
    )
    assert torch.allclose(ours.terms["cross_entropy"][0], expected)
    assert int(ours.terms["cross_entropy"][1]) == 7


def test_balanced_weights_keep_the_scale() -> None:
    """n / (K n_k): a model that knows nothing costs log K a row, whatever the imbalance."""
    classes = torch.tensor([0] * 9 + [1])
    loss = CrossEntropy(class_weights=[10 / 18, 10 / 2])({"classes": torch.zeros(10, 2)}, {"label": classes})
    assert loss.mean() == pytest.approx(float(torch.tensor(2.0).log()))


def test_softmax_divided_by_v_is_no_distribution_and_no_loss() -> None:
    """The articles' p_k = exp(z_k) / V beside the right one."""

    def wrong(z: torch.Tensor) -> torch.Tensor:
        return z.exp() / z.shape[-1]

    assert not torch.allclose(wrong(LOGITS).sum(-1), torch.ones(8), atol=0.1)
    assert torch.allclose(LOGITS.softmax(-1).sum(-1), torch.ones(8))
    known = CLASSES >= 0
    z = torch.zeros(8, 5, requires_grad=True)
    loss = -wrong(z)[known].gather(1, CLASSES[known, None]).log().mean()
    loss.backward()
    assert z.grad is not None
    assert (z.grad[known].sum(-1) < 0).all(), "raising all logits alike lowers it without end"
    higher = -wrong(z + 100)[known].gather(1, CLASSES[known, None]).log().mean()
    assert higher < loss - 99
    right = CrossEntropy()
    at_0 = right({"classes": z}, {"label": CLASSES}).mean()
    at_100 = right({"classes": z + 100}, {"label": CLASSES}).mean()
    assert float(at_0) == pytest.approx(float(at_100), rel=1e-4)


def test_steps_and_rows_are_the_same() -> None:
    steps = CrossEntropy()({"classes": LOGITS.reshape(2, 4, 5)}, {"label": CLASSES.reshape(2, 4)})
    rows = CrossEntropy()({"classes": LOGITS}, {"label": CLASSES})
    assert torch.allclose(steps.mean(), rows.mean())


def test_focal_without_focus_is_cross_entropy_and_with_it_counts_what_is_right_little() -> None:
    said, true = {"classes": LOGITS}, {"label": CLASSES}
    assert torch.allclose(Focal(gamma=0)(said, true).mean(), CrossEntropy()(said, true).mean())
    p = LOGITS[0].softmax(0)[0]
    one = Focal(gamma=2)({"classes": LOGITS[:1]}, {"label": CLASSES[:1]}).mean()
    assert torch.allclose(one, -((1 - p) ** 2) * p.log())
    sure = torch.tensor([[40.0, 0.0]], requires_grad=True)
    loss = Focal(gamma=0.5)({"classes": sure}, {"label": torch.tensor([0])}).mean()
    loss.backward()
    assert sure.grad is not None
    assert sure.grad.isfinite().all()


def test_a_class_that_the_head_lacks_is_one_sentence() -> None:
    with pytest.raises(BadQueryError, match="class 5, but the head knows 0 to 4"):
        CrossEntropy()({"classes": LOGITS[:1]}, {"label": torch.tensor([5])})
    with pytest.raises(BadQueryError, match="class -1"):
        CrossEntropy()({"classes": LOGITS[:1]}, {"label": torch.tensor([-1])})


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(BadQueryError, match=r"no output 'classes'.*labels"):
        CrossEntropy()({"labels": LOGITS}, {"label": CLASSES})
    with pytest.raises(BadQueryError, match=r"no target 'label'.*emotion"):
        CrossEntropy()({"classes": LOGITS}, {"emotion": CLASSES})
    with pytest.raises(ValueError, match="do not fit"):
        CrossEntropy()({"classes": LOGITS}, {"label": CLASSES[:3]})
