"""What every fusion must do whatever its formula: conformance of variants, dropping roles, the clock, relations."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from cinescope.models.conformance import check_fusion
from cinescope.nn import Batch, Sequences
from cinescope.nn.fusion import FUSIONS
from cinescope.types import BadQueryError

DIMS = {"video": 5, "sound": 3, "speech": 4}
# The suite over all defaults runs elsewhere.
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("bilinear", {"kind": "full"}),
    ("bottleneck", {"pool": "class"}),
    ("co_attention", {"kind": "parallel"}),
    ("concat", {"pool": "attention"}),
    ("cross_attention", {"pool": {"name": "netvlad", "clusters": 3}}),
    ("gated", {"tied": False}),
    ("self_attention", {"pool": "class"}),
]
CLOCKED = ["bottleneck", "co_attention", "cross_attention", "graph_conv", "mult", "self_attention"]


def batch(rows: int = 4, steps: int = 3) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch({r: Sequences.of(torch.randn(rows, steps, w, generator=generator)) for r, w in DIMS.items()})


@pytest.mark.parametrize(("name", "settings"), VARIANTS)
def test_the_conformance_suite_finds_nothing(name: str, settings: dict[str, Any]) -> None:
    findings = check_fusion(FUSIONS.load(name), settings)
    assert [f"{f.check}: {f.note}" for f in findings if f.result == "failed"] == []


@pytest.mark.parametrize("name", FUSIONS.names())
def test_dropped_roles_are_absent_never_all_and_only_in_training(name: str) -> None:
    torch.manual_seed(0)
    fusion = FUSIONS.create(name, DIMS, 8, dropout=0.0, drop=0.6)
    given = batch(rows=300)
    here = torch.stack([s.present for s in fusion.train()(given).parts.values()], 1)
    assert bool(here.any(1).all())
    assert 0.4 < float(here.float().mean()) < 0.6  # 0.4, and those that stay where all would go
    assert all(bool(s.present.all()) for s in fusion.eval()(given).parts.values())


@pytest.mark.parametrize("name", CLOCKED)
def test_fused_steps_are_those_of_the_clock(name: str) -> None:
    given = batch()
    times = given.inputs["sound"].times * 0.25
    inputs = dict(given.inputs) | {"sound": Sequences(given.inputs["sound"].values, given.inputs["sound"].mask, times)}
    assert torch.equal(FUSIONS.create(name, DIMS, 8, clock="sound")(Batch(inputs)).steps.times, times)
    assert torch.equal(FUSIONS.create(name, DIMS, 8)(Batch(inputs)).steps.times, inputs["video"].times)
    with pytest.raises(BadQueryError, match="the clock 'smell' is not a role"):
        FUSIONS.create(name, DIMS, 8, clock="smell")


def test_what_cannot_be_built_says_so() -> None:
    with pytest.raises(BadQueryError, match="at least one role"):
        FUSIONS.create("concat", {}, 8)
    with pytest.raises(BadQueryError, match="widths"):
        FUSIONS.create("concat", {"video": 0}, 8)
    with pytest.raises(BadQueryError, match="'drop' is a probability"):
        FUSIONS.create("concat", DIMS, 8, drop=1.0)
    with pytest.raises(BadQueryError, match="3 heads cannot share a width of 8"):
        FUSIONS.create("mult", DIMS, 8, heads=3)
    with pytest.raises(BadQueryError, match="gate or parallel"):
        FUSIONS.create("co_attention", DIMS, 8, kind="both")
    with pytest.raises(ValueError, match=r"'sound' as \(B, T, 4\), got \(4, 3, 3\)"):
        FUSIONS.create("concat", {"sound": 4}, 8)(batch())


@pytest.mark.parametrize("name", FUSIONS.names())
def test_joint_fusions_learn_a_relation_and_additive_ones_cannot(name: str) -> None:
    """(a + b) mod 4 from a one-hot a and a one-hot b under a linear head: all 16 pairs, by heart or not at all."""
    torch.manual_seed(0)
    a, b = torch.arange(16) // 4, torch.arange(16) % 4
    given = Batch({"a": Sequences.of(torch.eye(4)[a][:, None]), "b": Sequences.of(torch.eye(4)[b][:, None])})
    fusion = FUSIONS.create(name, {"a": 4, "b": 4}, 16, dropout=0.0)
    head = nn.Linear(16, 4)
    optimiser = torch.optim.Adam([*fusion.parameters(), *head.parameters()], 1e-2)
    target = (a + b) % 4
    for _ in range(150):
        logits = head(fusion(given).pooled)
        if not fusion.additive and bool((logits.argmax(1) == target).all()):
            break
        optimiser.zero_grad()
        functional.cross_entropy(logits, target).backward()
        optimiser.step()
    right = int((head(fusion(given).pooled).argmax(1) == target).sum())
    assert right <= 10 if fusion.additive else right == 16
