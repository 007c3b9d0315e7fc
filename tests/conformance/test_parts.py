"""Every encoder, pooling, fusion and head of the catalogues is held to the conformance suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from cinescope.models.conformance import Finding, check_encoder, check_fusion, check_head, check_pooling  # noqa: E402
from cinescope.nn.encoders import ENCODERS  # noqa: E402
from cinescope.nn.fusion import FUSIONS  # noqa: E402
from cinescope.nn.heads import HEADS  # noqa: E402
from cinescope.nn.pooling import POOLINGS  # noqa: E402
from cinescope.types import Catalogue  # noqa: E402

# What a part cannot do without. The weights of this one are fresh: the suite asks what it does, not what it knows.
BERT = {"model_type": "bert", "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 32, "max_position_embeddings": 64}  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {"pretrained_text": {"config": BERT, "dropout": 0.0}}


def held(catalogue: Catalogue, name: str, check: Callable[..., list[Finding]]) -> None:
    failed = [f for f in check(catalogue.load(name), SETTINGS.get(name)) if f.result == "failed"]
    assert not failed, f"{catalogue.kind} {name}:\n" + "\n".join(f"{f.check}: {f.note}" for f in failed)


@pytest.mark.parametrize("name", ENCODERS.names())
def test_encoder(name: str) -> None:
    held(ENCODERS, name, check_encoder)


@pytest.mark.parametrize("name", POOLINGS.names())
def test_pooling(name: str) -> None:
    held(POOLINGS, name, check_pooling)


@pytest.mark.parametrize("name", FUSIONS.names())
def test_fusion(name: str) -> None:
    held(FUSIONS, name, check_fusion)


@pytest.mark.parametrize("name", HEADS.names())
def test_head(name: str) -> None:
    held(HEADS, name, check_head)
