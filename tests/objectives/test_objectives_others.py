"""Labels, numbers, candidates, reconstructions, teachers, spans: torch's values where it has them, else by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from cinescope.objectives.binary import Binary  # noqa: E402
from cinescope.objectives.distillation import Distillation  # noqa: E402
from cinescope.objectives.ranking import Ranking  # noqa: E402
from cinescope.objectives.reconstruction import Reconstruction  # noqa: E402
from cinescope.objectives.regression import Regression  # noqa: E402
from cinescope.objectives.span import Span, steps_of_spans  # noqa: E402
from cinescope.types import BadQueryError  # noqa: E402


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_labels_are_torchs() -> None:
    said, true = noise(5, 3), (noise(5, 3, seed=1) > 0).float()
    weights = [1.0, 2.0, 5.0]
    loss = Binary(positive_weights=weights)({"labels": said}, {"labels": true}).mean()
    expected = functional.binary_cross_entropy_with_logits(said, true, pos_weight=torch.tensor(weights))
    assert torch.allclose(loss, expected)


@pytest.mark.parametrize(
    ("kind", "torchs"),
    [("mse", functional.mse_loss), ("mae", functional.l1_loss), ("huber", functional.huber_loss)],
)
@pytest.mark.parametrize("shape", [(6,), (6, 2)])
def test_numbers_are_torchs(kind: str, torchs: object, shape: tuple[int, ...]) -> None:
    said, true = 3 * noise(*shape), noise(*shape, seed=1)
    assert torch.allclose(Regression(kind=kind)({"score": said}, {"score": true}).mean(), torchs(said, true))


def test_each_number_may_be_known_on_its_own() -> None:
    known = torch.tensor([[True, False], [True, True]])
    targets = {"score": torch.tensor([[1.0, torch.nan], [2.0, 3.0]]), "score.known": known}
    assert Regression(kind="mae")({"score": torch.zeros(2, 2)}, targets).mean() == 2


def test_listwise_is_cross_entropy_over_those_that_are_there() -> None:
    scores = noise(2, 4)
    mask = torch.tensor([[True, True, True, False], [True, True, True, True]])
    loss = Ranking()({"ranking": scores, "ranking.mask": mask}, {"answer": torch.tensor([1, 3])}).mean()
    first = functional.cross_entropy(scores[:1, :3], torch.tensor([1]))
    assert torch.allclose(loss, (first + functional.cross_entropy(scores[1:], torch.tensor([3]))) / 2)


def test_pairwise_is_a_hinge_on_each_pair() -> None:
    scores = torch.tensor([[2.0, 1.5, -1.0]])
    one = Ranking(kind="pairwise")({"ranking": scores}, {"answer": torch.tensor([0])}).mean()
    assert one == pytest.approx((0.5 + 0) / 2)
    graded = Ranking(kind="pairwise")({"ranking": scores}, {"answer": torch.tensor([[1.0, 2.0, 0.0]])}).mean()
    assert graded == pytest.approx((1.5 + 0 + 0) / 3)  # 1 before 0; 0 before 2; 1 before 2
    flat = Ranking(kind="pairwise")({"ranking": scores}, {"answer": torch.ones(1, 3)})
    assert flat.mean() == 0


def test_listnet_is_least_where_scores_are_the_fitness() -> None:
    fitness = noise(3, 4)
    best = Ranking()({"ranking": fitness}, {"answer": fitness}).mean()
    assert torch.allclose(best, -(fitness.softmax(1) * fitness.log_softmax(1)).sum(1).mean())
    assert best < Ranking()({"ranking": fitness.flip(1)}, {"answer": fitness}).mean()


def test_a_right_candidate_that_is_not_there_is_one_sentence() -> None:
    mask = torch.tensor([[True, False]])
    with pytest.raises(BadQueryError, match="masked"):
        Ranking()({"ranking": noise(1, 2), "ranking.mask": mask}, {"answer": torch.tensor([1])})
    with pytest.raises(BadQueryError, match="candidate 2 of 2"):
        Ranking()({"ranking": noise(1, 2)}, {"answer": torch.tensor([2])})


def test_reconstruction_by_step_and_by_row() -> None:
    said, true = torch.zeros(2, 2, 2), torch.tensor([[[1.0, 1.0], [3.0, 3.0]], [[2.0, 0.0], [torch.nan] * 2]])
    targets = {"reconstruct": true, "reconstruct.mask": torch.tensor([[True, True], [True, False]])}
    by_step = Reconstruction()({"reconstruct": said}, targets).mean()
    by_row = Reconstruction(per="row")({"reconstruct": said}, targets).mean()
    assert by_step == pytest.approx((1 + 9 + 2) / 3)
    assert by_row == pytest.approx((5 + 2) / 2)
    turned = Reconstruction(kind="cosine")({"reconstruct": 7 * true.nan_to_num()}, targets).mean()
    assert turned == pytest.approx(0, abs=1e-6)


def test_a_teacher_is_followed_at_a_temperature() -> None:
    student, teacher = noise(4, 3), noise(4, 3, seed=1)
    loss = Distillation(temperature=3.0)({"classes": student}, {"teacher": teacher}).mean()
    kl = functional.kl_div((student / 3).log_softmax(1), (teacher / 3).softmax(1), reduction="batchmean")
    assert torch.allclose(loss, 9 * kl)
    assert Distillation()({"classes": teacher}, {"teacher": teacher}).mean() == pytest.approx(0, abs=1e-6)


def test_the_gradient_of_a_teacher_keeps_its_size_as_it_gets_warmer() -> None:
    """Hinton et al. 2015, section 2.1: at high temperature T^2 times the gradient tends to (z - v) / K."""
    student, teacher = noise(1, 3).double().requires_grad_(), noise(1, 3, seed=1).double()
    Distillation(temperature=500.0)({"classes": student}, {"teacher": teacher}).mean().backward()
    apart = (student - student.mean()) - (teacher - teacher.mean())
    assert student.grad is not None
    assert torch.allclose(student.grad, (apart / 3).detach(), atol=1e-2)


TIMES = torch.tensor([[[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [5.0, 6.0]]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("span", "steps"),
    [
        ((0.2, 0.8), (0, 0)),
        ((1.0, 2.0), (1, 1)),  # half-open: 1.0 is of the second step, and 2.0 ends it
        ((0.0, 3.0), (0, 2)),
        ((3.2, 4.9), (2, 3)),  # in a hole: the nearest
        ((-4.0, 9.0), (0, 3)),
    ],
)
def test_seconds_fall_into_steps(span: tuple[float, float], steps: tuple[int, int]) -> None:
    mask = torch.ones(1, 4, dtype=torch.bool)
    assert steps_of_spans(torch.tensor([span]), TIMES, mask)[0].tolist() == list(steps)


def test_seconds_never_fall_into_padding() -> None:
    mask = torch.tensor([[True, True, False, False]])
    assert steps_of_spans(torch.tensor([[2.5, 6.0]]), TIMES, mask)[0].tolist() == [1, 1]


def test_a_span_is_two_cross_entropies() -> None:
    start, end, mask = noise(1, 4), noise(1, 4, seed=1), torch.ones(1, 4, dtype=torch.bool)
    outputs = {"span.start": start, "span.end": end, "span.mask": mask, "span.times": TIMES}
    expected = functional.cross_entropy(start, torch.tensor([1])) + functional.cross_entropy(end, torch.tensor([2]))
    for target in (torch.tensor([[1.1, 2.9]]), torch.tensor([[1, 2]])):
        assert torch.allclose(Span()(outputs, {"span": target}).mean(), expected / 2)
    nothing = outputs | {"span.mask": torch.zeros_like(mask)}
    assert Span()(nothing, {"span": torch.tensor([[1.1, 2.9]])}).mean() == 0
