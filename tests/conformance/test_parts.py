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


def held(catalogue: Catalogue, name: str, check: Callable[[Any], list[Finding]]) -> None:
    failed = [f for f in check(catalogue.load(name)) if f.result == "failed"]
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
