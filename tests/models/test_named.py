"""The articles' models are what their recipes build, and each is a model that answers every row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")

from cinescope.api import recipe as recipes  # noqa: E402
from cinescope.api.building import Preparation, Ready, folds_of, open_dataset  # noqa: E402
from cinescope.models.named import cnn_lstm_text, cnn_rnn_attention, frame_cnn, three_transformers  # noqa: E402
from cinescope.models.spec import ModelSpec  # noqa: E402

BANDS = 40

Named = Callable[[Ready], ModelSpec]
NAMED: dict[str, Named] = {
    "frame_cnn": lambda ready: frame_cnn(4),
    "cnn_lstm_text": lambda ready: cnn_lstm_text(16, words(ready)),
    "cnn_rnn_attention": lambda ready: cnn_rnn_attention(16, BANDS),
    "three_transformers": lambda ready: three_transformers(4, words(ready), BANDS),
}


def words(ready: Ready) -> int:
    return ready.preparer.width("speech")


def ready(name: str) -> Ready:
    """The recipe, on few rows."""
    told = recipes.load(name)
    settings = {**told.data.settings, "counts": {"train": 12, "val": 2, "test": 2}}
    told = told.model_copy(update={"data": told.data.model_copy(update={"settings": settings})})
    dataset = open_dataset(told)
    return Preparation(told, dataset).ready(folds_of(told, dataset)[0])


@pytest.mark.parametrize("name", NAMED)
def test_the_recipe_builds_the_named_model(name: str) -> None:
    made = ready(name)
    spec = NAMED[name](made)
    assert made.spec() == spec
    assert ModelSpec.from_json(spec.to_json()) == spec

    source = made.source(made.train)
    model = spec.build(0).eval()
    with torch.no_grad():
        said = model(source.batch(range(4)))["classes"]
        one = model(source.batch([2]))["classes"]
    assert said.shape == (4, spec.heads["classes"].settings["classes"])
    assert torch.allclose(said[2], one[0], atol=1e-5), "a row's answer depends on its neighbours"
