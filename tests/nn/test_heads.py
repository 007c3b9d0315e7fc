"""What the heads say, one by one; shapes, masks and export are held in tests/conformance/test_parts.py."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from cinescope.nn import Batch, Fused, Sequences  # noqa: E402
from cinescope.nn.heads import HEADS  # noqa: E402

MASK = torch.tensor([[True, True, True], [True, False, False], [False, False, False]])


def fused(width: int = 4) -> tuple[Fused, Batch]:
    generator = torch.Generator().manual_seed(0)
    values = torch.where(MASK[..., None], torch.randn(3, 3, width, generator=generator), torch.nan)
    steps = Sequences.of(values, MASK)
    other = Sequences.of(torch.randn(3, 5, 6, generator=generator))
    parts = {"video": steps, "caption": other}
    return Fused(steps, steps.zeroed().sum(1), parts), Batch({"video": steps, "caption": other})


def test_one_score_is_a_number_and_several_are_columns() -> None:
    assert HEADS.create("score", 4)(*fused())["score"].shape == (3,)
    assert HEADS.create("score", 4, scores=2, name="mood")(*fused())["mood"].shape == (3, 2)


def test_a_hidden_layer_and_dropout_are_there_when_asked_for() -> None:
    head = HEADS.create("classes", 4, classes=3, hidden=9, dropout=0.5)
    assert sum(p.numel() for p in head.parameters()) == 4 * 9 + 9 + 9 * 3 + 3
    f, b = fused()
    assert not torch.equal(head(f, b)["classes"], head(f, b)["classes"])
    head.eval()
    assert torch.equal(head(f, b)["classes"], head(f, b)["classes"])
    with pytest.raises(ValueError, match="dropout in"):
        HEADS.create("classes", 4, classes=3, dropout=1.0)


def test_spans_hide_what_is_no_step_and_carry_the_times() -> None:
    said = HEADS.create("span", 4)(*fused())
    assert (said["span.start"][~MASK] == -1e4).all()
    assert said["span.start"][0].softmax(0).sum().item() == pytest.approx(1)
    assert torch.equal(said["span.times"], fused()[0].steps.times)


def test_the_score_of_a_candidate_is_its_own() -> None:
    """Another order of the candidates is another order of the scores, and one more changes none."""
    head = HEADS.create("ranking", 4, role="caption", role_dim=6)
    f, b = fused()
    scores = head(f, b)["ranking"]
    turned = Fused(f.steps, f.pooled, {"caption": Sequences.of(f.parts["caption"].values.flip(1))})
    assert torch.allclose(head(turned, b)["ranking"].flip(1), scores)
    fewer = Fused(f.steps, f.pooled, {"caption": Sequences.of(f.parts["caption"].values[:, :3])})
    assert torch.allclose(head(fewer, b)["ranking"], scores[:, :3])


def test_similarities_are_of_length_1_and_read_before_fusion() -> None:
    head = HEADS.create("similarities", 4, left="video", right="caption", dims={"caption": 6}, width=8)
    f, b = fused()
    said = head(f, b)
    assert said["similarities.known"].tolist() == [True, True, False]
    assert torch.allclose(said["similarities.left"].norm(dim=1), torch.tensor([1.0, 1.0, 0.0]))
    assert torch.allclose(said["similarities.right"].norm(dim=1), torch.ones(3))
    assert said["similarities.scale"].item() == pytest.approx(1 / 0.07, rel=1e-5)
    mixed = Fused(f.steps, f.pooled, {r: s.with_values(torch.zeros_like(s.values)) for r, s in f.parts.items()})
    assert torch.equal(head(mixed, b)["similarities.right"], said["similarities.right"])
    after = HEADS.create("similarities", 4, left="video", right="caption", dims={"caption": 6}, source="parts")
    assert not after(mixed, b)["similarities.right"].any()


def test_the_scale_is_learned_and_kept_below_100() -> None:
    head = HEADS.create("similarities", 4, left="video", right="video", temperature=0.001)
    assert head(*fused())["similarities.scale"] == 100
    assert "log_scale" in dict(head.named_parameters())
    with pytest.raises(ValueError, match="temperature"):
        HEADS.create("similarities", 4, left="video", right="video", temperature=0)


def test_items_are_embedded_one_by_one() -> None:
    head = HEADS.create("similarities", 4, left="caption", right="video", dims={"caption": 6}, items=True, width=8)
    said = head(*fused())
    assert said["similarities.right"].shape == (3, 3, 8)
    assert torch.allclose(said["similarities.right"].norm(dim=2), MASK.float())
    assert torch.equal(said["similarities.mask"], MASK)


def test_reconstructions_have_the_width_of_their_role() -> None:
    f, b = fused()
    said = HEADS.create("reconstruct", 4, roles={"video": 7, "caption": 2})(f, b)
    assert said["reconstruct.video"].shape == (3, 3, 7)
    assert not said["reconstruct.video"][~MASK].any()
    pooled = HEADS.create("reconstruct", 4, roles={"caption": 2}, level="pooled")(f, b)
    assert {n: tuple(o.shape) for n, o in pooled.items()} == {"reconstruct.caption": (3, 2)}
    with pytest.raises(ValueError, match="level"):
        HEADS.create("reconstruct", 4, roles={"caption": 2}, level="row")


def test_each_step_is_classified_from_itself() -> None:
    head = HEADS.create("steps_classes", 4, classes=3)
    f, b = fused()
    logits = head(f, b)["steps_classes"]
    assert torch.allclose(logits[0, 1], head.readout(f.steps.values[0, 1]))
    assert not logits[~MASK].any()
