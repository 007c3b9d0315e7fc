from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from cinescope.features import EXTRACTORS
from cinescope.features.backbones.checkpoints import find_checkpoint
from cinescope.features.backbones.inception import InceptionV3
from cinescope.features.backbones.picture_prepare import PicturePreparation
from cinescope.types import Clip, Frames, MissingPartError, Span

# As timm/inception_v3.tv_in1k has it; smaller pictures, so that the test is quick.
CONFIG = {
    "architecture": "inception_v3", "num_classes": 1000, "num_features": 2048,
    "pretrained_cfg": {
        "tag": "tv_in1k", "custom_load": False, "input_size": [3, 75, 75], "fixed_input_size": False,
        "interpolation": "bicubic", "crop_pct": 0.875, "crop_mode": "center", "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5], "num_classes": 1000, "pool_size": [8, 8], "first_conv": "Conv2d_1a_3x3.conv",
        "classifier": "fc",
    },
}  # fmt: skip


def random_model() -> InceptionV3:
    torch.manual_seed(5)
    model = InceptionV3().eval()
    with torch.no_grad():
        for name, value in [*model.named_parameters(), *model.named_buffers()]:
            if value.ndim == 4:
                value.normal_(0, (2 / value[0].numel()) ** 0.5)
            elif name.endswith(("running_var", "bn.weight")):
                value.uniform_(0.8, 1.2)
            elif value.is_floating_point():
                value.normal_(0, 0.1)
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("inception")
    (place / "config.json").write_text(json.dumps(CONFIG))
    classifier = {"fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}
    save_file(random_model().state_dict() | classifier, place / "model.safetensors", metadata={"format": "pt"})
    return place


def clip(count: int = 3) -> Clip:
    pictures = np.random.default_rng(0).integers(0, 256, (count, 90, 120, 3), dtype=np.uint8)
    return Clip(Span(0, count), Frames(pictures, np.arange(float(count))))


def test_the_sizes_are_those_of_the_paper() -> None:
    """Table 1: 35 x 35 x 288, 17 x 17 x 768, 8 x 8 x 1280 (before the last modules), 8 x 8 x 2048."""
    with torch.device("meta"):
        out = InceptionV3().eval()(torch.zeros(2, 3, 299, 299), True)
    shapes = [tuple(h.shape) for h in out.hidden_states]
    assert shapes[0] == (2, 192, 35, 35)
    assert (2, 288, 35, 35) in shapes
    assert (2, 768, 17, 17) in shapes
    assert shapes[-3:] == [(2, 1280, 8, 8), (2, 2048, 8, 8), (2, 2048, 8, 8)]
    assert out.pooler_output.shape == (2, 2048, 1, 1)


def test_it_has_as_many_parameters_as_the_published_one() -> None:
    """23 834 568 with the classifier (2048 x 1000 and 1000), which is not read here."""
    with torch.device("meta"):
        count = sum(p.numel() for p in InceptionV3().parameters())
    assert count + 2048 * 1000 + 1000 == 23_834_568


def test_a_module_is_its_ways_side_by_side() -> None:
    """The first one (figure 5), written out with plain functions."""
    mixed = random_model().Mixed_5b
    x = torch.randn(2, 192, 9, 9, generator=torch.Generator().manual_seed(1))

    def layer(name: str, at: torch.Tensor, padding: int = 0) -> torch.Tensor:
        part = mixed.get_submodule(name)
        bn = part.bn
        y = functional.conv2d(at, part.conv.weight, padding=padding)
        scale = bn.weight / (bn.running_var + 1e-3).sqrt()
        return ((y - bn.running_mean[:, None, None]) * scale[:, None, None] + bn.bias[:, None, None]).clamp(min=0)

    with torch.no_grad():
        one = layer("branch1x1", x)
        five = layer("branch5x5_2", layer("branch5x5_1", x), 2)
        three = layer("branch3x3dbl_3", layer("branch3x3dbl_2", layer("branch3x3dbl_1", x), 1), 1)
        pool = layer(
            "branch_pool", functional.conv2d(x, torch.eye(192)[:, :, None, None] * torch.ones(3, 3) / 9, padding=1)
        )
        torch.testing.assert_close(mixed(x), torch.cat([one, five, three, pool], 1), atol=1e-4, rtol=1e-4)


def test_rows_of_the_pooled_map_and_of_a_layer(folder: Path) -> None:
    extractor = EXTRACTORS.create("inception", model=str(folder), batch=2)
    made = extractor(clip())
    assert made.values.shape == (3, 2048)
    prepared = np.stack([PicturePreparation.of(find_checkpoint(str(folder)))(p) for p in clip().frames.data])
    with torch.no_grad():
        wanted = random_model()(torch.from_numpy(prepared), True)
    np.testing.assert_allclose(made.values, wanted.pooler_output.flatten(1), atol=1e-4, rtol=1e-4)
    layer = EXTRACTORS.create("backbone", model=str(folder), layer=3)(clip())
    np.testing.assert_allclose(layer.values, wanted.hidden_states[3].mean((2, 3)), atol=1e-4, rtol=1e-4)
    assert layer.values.shape == (3, 288)
    assert extractor.source.settings["model"] == folder.name


def test_pictures_are_prepared_as_timm_says(folder: Path) -> None:
    made = PicturePreparation.of(find_checkpoint(str(folder)))
    assert (made.shortest, made.cut, made.resample) == (85, (75, 75), 3)  # floor(75 / 0.875)
    np.testing.assert_allclose(made(np.full((40, 60, 3), 255, np.uint8)), 1.0)


def test_missing_and_misshapen_weights_and_odd_configurations(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    held = load_file(folder / "model.safetensors")
    taken = held.pop("Mixed_7c.branch3x3_2b.bn.running_var")
    save_file(held, tmp_path / "model.safetensors")
    with pytest.raises(
        MissingPartError, match=r"lacks 1 weight of its picture part: Mixed_7c\.branch3x3_2b\.bn\.running_var"
    ):
        EXTRACTORS.create("inception", model=str(tmp_path))(clip(1))
    save_file(held | {"Mixed_7c.branch3x3_2b.bn.running_var": taken[:5].clone()}, tmp_path / "model.safetensors")
    with pytest.raises(MissingPartError, match=r"1 weight of another shape .* is \(5,\), not \(384,\)"):
        EXTRACTORS.create("inception", model=str(tmp_path))(clip(1))
    for change in (
        {"crop_mode": "border"},
        {"input_size": [1, 75, 75]},
        {"interpolation": "cosmic"},
        {"std": [0, 1, 1]},
    ):
        stated = CONFIG | {"pretrained_cfg": CONFIG["pretrained_cfg"] | change}
        (tmp_path / "config.json").write_text(json.dumps(stated))
        with pytest.raises(MissingPartError, match="prepares its pictures cannot be read"):
            EXTRACTORS.create("inception", model=str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps(CONFIG | {"architecture": "vgg16"}))
    with pytest.raises(MissingPartError, match="of the kind 'vgg16', and the feature 'inception' reads inception_v3"):
        EXTRACTORS.create("inception", model=str(tmp_path))
    with pytest.raises(MissingPartError, match="models get backbone-inception"):
        EXTRACTORS.create("inception")
