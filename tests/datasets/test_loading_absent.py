"""Rows none of which has a role: the batch is that of a role that is absent, whatever kind it was trained as."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cinescope.datasets.example import Example  # noqa: E402
from cinescope.datasets.inputs import InputSpec, Preparer  # noqa: E402
from cinescope.datasets.loading import RowSource  # noqa: E402
from cinescope.datasets.rows import Rows  # noqa: E402
from cinescope.models.spec import EncoderSpec, ModelSpec, PartSpec  # noqa: E402


def test_a_role_that_no_row_has_is_an_absent_role() -> None:
    chance = np.random.default_rng(0)
    here = [Example(str(i), given={r: chance.normal(size=(3, 5)) for r in ("a", "b")}) for i in range(4)]
    gone = [Example(str(i), given={"a": chance.normal(size=(3, 5))}) for i in range(4)]
    preparer = Preparer({role: InputSpec(given=role) for role in ("a", "b")})
    preparer.fit_scales(preparer.inputs(here))
    rows = Rows(("0", "1", "2", "3"), preparer.inputs(gone), {})
    heads = {"classes": PartSpec("classes", {"classes": 3})}
    encoders = {role: EncoderSpec("mlp", 5, 8) for role in ("a", "b")}
    model = ModelSpec(encoders, PartSpec("concat"), 8, heads).build(0).eval()

    batch = RowSource(rows, preparer).batch([0, 2])
    zeros = RowSource(Rows(rows.keys, preparer.inputs(here), {}), preparer).batch([0, 2])
    same = batch.with_inputs({"b": zeros.without("b").inputs["b"]})
    assert torch.equal(model(batch)["classes"], model(same)["classes"])

    nobody = Rows(rows.keys, preparer.inputs([Example(str(i)) for i in range(4)]), {})
    said = model(RowSource(nobody, preparer).batch([1, 3]))["classes"]
    assert said.shape == (2, 3)
    assert torch.equal(said[0], said[1])
