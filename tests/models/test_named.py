"""The articles' models are what their recipes build, and each is a model that answers every row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from cinescope.api import recipe as recipes  # noqa: E402
from cinescope.api.building import Preparation, Ready, folds_of, open_dataset  # noqa: E402
from cinescope.models.export import export_onnx  # noqa: E402
from cinescope.models.named import cnn_lstm_text, cnn_rnn_attention, frame_cnn, three_transformers  # noqa: E402
from cinescope.models.spec import EncoderSpec, ModelSpec, PartSpec  # noqa: E402
from cinescope.nn import Batch, Sequences  # noqa: E402
from cinescope.nn.encoders import ENCODERS  # noqa: E402

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


def test_an_lstm_that_takes_the_batch_for_time_runs_from_row_to_row() -> None:
    """The articles' reading of (B, T, D) beside the one of the package."""
    torch.manual_seed(0)
    rows = torch.randn(3, 5, 4)
    other = rows.clone()
    other[0] += 1
    wrong = torch.nn.LSTM(4, 6)  # (T, B, D)
    assert not torch.allclose(wrong(rows)[0][2], wrong(other)[0][2])
    right = ENCODERS.create("lstm", 4, 6)
    before, after = right(Sequences.of(rows)).values, right(Sequences.of(other)).values
    assert torch.equal(before[1:], after[1:])
    assert not torch.allclose(before[0], after[0])


def test_a_decoder_fed_zeros_says_the_same_at_every_step() -> None:
    """The articles' reading: no matter what the source says when. An encoder tells its steps apart."""
    torch.manual_seed(0)
    source = torch.randn(2, 7, 8)
    wrong = torch.nn.Transformer(8, 2, 1, 1, 16, dropout=0.0, batch_first=True)
    said = wrong(source, torch.zeros(2, 7, 8))
    assert torch.allclose(said, said[:, :1].expand_as(said), atol=1e-5)
    right = ENCODERS.create("transformer", 8, 8).eval()
    steps = right(Sequences.of(source)).values
    assert (steps - steps[:, :1]).abs().amax((0, 2))[1:].min() > 0.1


def test_a_recurrent_network_over_pictures_exports_with_free_rows_and_steps(tmp_path: Path) -> None:
    """What a picture network gives must not carry the numbers of rows and steps that it was traced with."""

    def batch(rows: int, steps: int) -> Batch:
        return Batch({"video": Sequences.of(torch.randn(rows, steps, 3, 16, 16))})

    pytest.importorskip("onnx")
    model = ModelSpec(
        {"video": EncoderSpec("chain", 3, 8)}, PartSpec("concat"), 8, {"classes": PartSpec("classes", {"classes": 3})}
    ).build(0)
    made = export_onnx(model, batch(2, 6), tmp_path / "model.onnx", [batch(3, 4), batch(1, 9)])
    assert made.difference < 1e-4
