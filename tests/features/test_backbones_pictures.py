from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from tests.features.tiny_backbones import SIDE, Tiny, copy_of, pictures, tiny

from cinescope.features import EXTRACTORS
from cinescope.features.backbones.generic import AnyBackbone
from cinescope.types import BadQueryError, Clip, Frames, MissingPartError, Span

__all__ = ["tiny"]
CLIP = pictures(5)


def reference(folder: Path, clip: Clip, model: type, processor: type) -> Any:
    """transformers' own model on transformers' own preparation of the frames."""
    assert clip.frames is not None
    loaded = model.from_pretrained(folder).eval()
    inputs = processor.from_pretrained(folder)(list(clip.frames.data), return_tensors="pt")
    with torch.no_grad():
        return loaded(**inputs, output_hidden_states=True)


OWN = {
    "vit": ("vit", hf.ViTForImageClassification, hf.ViTImageProcessorPil, None),
    "dinov2": ("vit", hf.Dinov2Model, hf.BitImageProcessorPil, "pooler_output"),
    "resnet": ("resnet", hf.ResNetModel, hf.ConvNextImageProcessorPil, "pooler_output"),
    "mobilenet": ("mobilenet", hf.MobileNetV2Model, hf.MobileNetV2ImageProcessorPil, "pooler_output"),
    "efficientnet": ("efficientnet", hf.EfficientNetModel, hf.EfficientNetImageProcessorPil, "pooler_output"),
}


@pytest.mark.parametrize("name", OWN)
def test_the_rows_are_what_transformers_gives(tiny: Tiny, name: str) -> None:
    feature, model, processor, output = OWN[name]
    made = EXTRACTORS.create(feature, model=str(tiny(name)))(CLIP)
    out = reference(tiny(name), CLIP, model, processor)
    if output is None:  # before its classifier: the class token after the last norm
        vit = model.from_pretrained(tiny(name)).vit.eval()
        with torch.no_grad():
            wanted = vit.layernorm(out.hidden_states[-1])[:, 0]
    else:
        wanted = out[output].flatten(1)
    np.testing.assert_allclose(made.values, wanted.numpy(), atol=1e-5)
    assert made.values.std(0).max() > 1e-3  # frames differ, and so do their rows


@pytest.mark.parametrize(
    ("name", "processor"), [("clip", hf.CLIPImageProcessorPil), ("siglip", hf.SiglipImageProcessorPil)]
)
def test_rows_lie_in_the_space_of_pictures_and_texts(tiny: Tiny, name: str, processor: type) -> None:
    made = EXTRACTORS.create(name, model=str(tiny(name)))(CLIP)
    whole = hf.AutoModel.from_pretrained(tiny(name)).eval()
    inputs = processor.from_pretrained(tiny(name))(list(CLIP.frames.data), return_tensors="pt")
    with torch.no_grad():
        wanted = whole.get_image_features(**inputs)
    wanted = getattr(wanted, "pooler_output", wanted)
    np.testing.assert_allclose(made.values, wanted.numpy(), atol=1e-5)


def test_layers_and_pools(tiny: Tiny) -> None:
    out = reference(tiny("clip"), CLIP, hf.CLIPVisionModel, hf.CLIPImageProcessorPil)
    for layer in (0, 1, -1):
        hidden = out.hidden_states[layer].numpy()
        for pool, wanted in (("class", hidden[:, 0]), ("mean", hidden[:, 1:].mean(1))):
            made = EXTRACTORS.create("clip", model=str(tiny("clip")), layer=layer, pool=pool)
            np.testing.assert_allclose(made(CLIP).values, wanted, atol=1e-5)
            assert made.dim == 16
    maps = reference(tiny("resnet"), CLIP, hf.ResNetModel, hf.ConvNextImageProcessorPil).hidden_states
    for layer in (0, 1, 2):
        made = EXTRACTORS.create("resnet", model=str(tiny("resnet")), layer=layer)
        np.testing.assert_allclose(made(CLIP).values, maps[layer].mean((2, 3)).numpy(), atol=1e-5)
        assert made.dim == maps[layer].shape[1]
    for wrong in ({"layer": 7}, {"pool": "class"}):
        with pytest.raises(BadQueryError):
            EXTRACTORS.create("resnet", model=str(tiny("resnet")), **wrong)(CLIP)


def test_rows_stand_as_long_as_their_frames_and_none_where_there_are_none(tiny: Tiny) -> None:
    extractor = EXTRACTORS.create("clip", model=str(tiny("clip")), rate=5.0)
    made = extractor(CLIP)
    np.testing.assert_allclose(made.times, [[3 + k / 5, 3 + (k + 1) / 5] for k in range(5)])
    assert extractor.needs.frames.rate == 5.0
    assert made.modality == "picture"
    assert made.source == extractor.source
    empty = extractor(Clip(Span(0, 1)))
    assert empty.values.shape == (0, extractor.dim) == (0, 12)
    none = extractor(Clip(Span(0, 1), Frames(np.zeros((0, 8, 8, 3), np.uint8), np.zeros(0))))
    assert len(none) == 0


@pytest.mark.parametrize("name", ["clip", "resnet", "mobilenet"])
def test_the_size_of_a_batch_changes_nothing(tiny: Tiny, name: str) -> None:
    one, many = (EXTRACTORS.create(name, model=str(tiny(name)), batch=b)(CLIP).values for b in (1, 4))
    np.testing.assert_allclose(one, many, atol=1e-5)


def test_the_source_tells_model_weights_and_settings_and_no_path(tiny: Tiny, tmp_path: Path) -> None:
    place = tiny("clip")
    one = EXTRACTORS.create("clip", model=str(place))
    settings = one.source.settings
    assert settings["model"] == "clip"
    assert settings["dtype"] == "float32"
    assert str(place.parent) not in str(settings)
    copy = copy_of(place, tmp_path)
    assert EXTRACTORS.create("clip", model=str(copy)).source == one.source
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-3] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert EXTRACTORS.create("clip", model=str(copy)).source.key != one.source.key
    assert EXTRACTORS.create("clip", model=str(place), layer=1).source.key != one.source.key
    assert EXTRACTORS.create("clip", model=str(place), batch=3).source == one.source


def test_bfloat16_is_close_and_another_source(tiny: Tiny) -> None:
    exact = EXTRACTORS.create("vit", model=str(tiny("vit")))
    half = EXTRACTORS.create("vit", model=str(tiny("vit")), dtype="bfloat16")
    assert half.source.key != exact.source.key
    made, wanted = half(CLIP).values, exact(CLIP).values
    assert made.dtype == np.float32
    assert 0 < np.abs(made - wanted).max() < 0.05 * np.abs(wanted).max() + 0.02


@pytest.mark.parametrize("feature", ["clip", "siglip", "vit", "resnet", "mobilenet", "efficientnet", "backbone"])
def test_no_model_is_no_default(feature: str) -> None:
    with pytest.raises(MissingPartError) as caught:
        EXTRACTORS.create(feature)
    assert "cinescope models get" in caught.value.do
    assert f"--set {feature}.model=" in caught.value.do


def test_a_model_of_another_family_is_refused_with_the_right_feature(tiny: Tiny) -> None:
    with pytest.raises(MissingPartError, match="use the feature 'resnet'"):
        EXTRACTORS.create("clip", model=str(tiny("resnet")))


@pytest.mark.parametrize(
    "wrong",
    [{"rate": 0}, {"rate": "fast"}, {"batch": 0}, {"pool": "max"}, {"layer": "last"}, {"layer": True}, {"colour": 1}],
)
def test_wrong_settings_are_named(tiny: Tiny, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadQueryError, match=next(iter(wrong))):
        EXTRACTORS.create("clip", model=str(tiny("clip")), **wrong)


@pytest.mark.parametrize("wrong", [{"dtype": "int8"}, {"device": "tpu"}])
def test_precision_and_device_are_checked_when_used(tiny: Tiny, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadQueryError, match=next(iter(wrong.values()))):
        EXTRACTORS.create("clip", model=str(tiny("clip")), **wrong)(CLIP)


def test_backbone_reads_whatever_is_named(tiny: Tiny) -> None:
    named = EXTRACTORS.create("clip", model=str(tiny("clip")), pool="mean")(CLIP)
    generic = AnyBackbone(model=str(tiny("clip")), pool="mean")
    made = generic(CLIP)
    np.testing.assert_array_equal(made.values, named.values)
    assert (generic.modality, generic.dim) == ("picture", 16)
    assert made.source == generic.source
    assert (made.source.analyser, made.source.settings["pool"], made.source.settings["rate"]) == (
        "backbone",
        "mean",
        1.0,
    )
    assert AnyBackbone(model=str(tiny("clip")), rate=5.0).needs.frames.rate == 5.0
    assert AnyBackbone(model=str(tiny("wav2vec2")), rate=5.0, window=5).inner.window == 5.0
    with pytest.raises(BadQueryError, match=r"'clip' .* without a setting 'level'"):
        AnyBackbone(model=str(tiny("clip")), level="word")
    assert AnyBackbone(model=str(tiny("clip")), part="text").modality == "text"
    with pytest.raises(BadQueryError, match="has no part 'sound'"):
        AnyBackbone(model=str(tiny("clip")), part="sound")
    with pytest.raises(BadQueryError, match="pool"):
        EXTRACTORS.create("backbone", model=str(tiny("clip")), pool="max")


def test_a_picture_of_one_pixel_and_a_long_one(tiny: Tiny) -> None:
    for size in ((1, 1), (3, 400), (400, 3)):
        made = EXTRACTORS.create("clip", model=str(tiny("clip")))(pictures(2, size=size))
        assert made.values.shape == (2, 12)
    assert SIDE == 32
