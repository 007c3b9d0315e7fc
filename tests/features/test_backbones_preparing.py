from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import transformers as hf
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.features.backbones.picture_prepare import PicturePreparation

RNG = np.random.default_rng(5)
PICTURES = [RNG.integers(0, 256, size, dtype=np.uint8) for size in ((61, 90, 3), (90, 61, 3), (17, 20, 3), (40, 40, 3))]
PROCESSORS = [
    (hf.CLIPImageProcessorPil, {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}),
    (hf.CLIPImageProcessorPil, {"size": {"shortest_edge": 24}, "crop_size": {"height": 31, "width": 33}}),
    (hf.SiglipImageProcessorPil, {"size": {"height": 32, "width": 48}}),
    (hf.ViTImageProcessorPil, {"size": {"height": 32, "width": 32}, "image_mean": [0.1, 0.2, 0.3]}),
    (hf.ViTImageProcessorPil, {"do_normalize": False, "resample": 0}),
    (hf.DeiTImageProcessorPil, {}),
    (hf.BitImageProcessorPil, {"size": {"shortest_edge": 37}, "crop_size": {"height": 32, "width": 32}}),
    (hf.ConvNextImageProcessorPil, {"size": {"shortest_edge": 32}}),
    (hf.ConvNextImageProcessorPil, {"size": {"shortest_edge": 32}, "crop_pct": 0.95}),
    (hf.ConvNextImageProcessorPil, {"size": {"shortest_edge": 384}}),
    (hf.MobileNetV1ImageProcessorPil, {}),
    (hf.MobileNetV2ImageProcessorPil, {"do_rescale": True, "rescale_factor": 1 / 127.5}),
    (hf.EfficientNetImageProcessorPil, {"size": {"height": 32, "width": 32}}),
    (hf.EfficientNetImageProcessorPil, {"rescale_factor": 1 / 127.5, "rescale_offset": True, "include_top": False}),
    (hf.VideoMAEImageProcessorPil, {"size": {"shortest_edge": 36}, "crop_size": {"height": 32, "width": 32}}),
]


@pytest.mark.parametrize(("processor", "settings"), PROCESSORS, ids=lambda v: getattr(v, "__name__", ""))
def test_pixels_are_prepared_as_transformers_does(processor: Any, settings: dict[str, Any]) -> None:
    theirs = processor(**settings)
    for stated in (theirs.to_dict(), settings | {"image_processor_type": processor.__name__}):  # defaults left out
        ours = PicturePreparation.read(stated)
        for picture in PICTURES:
            wanted = np.asarray(
                theirs(picture, return_tensors="np", input_data_format="channels_last")["pixel_values"][0]
            )
            wanted = wanted[0] if wanted.ndim == 4 else wanted
            made = ours(picture)
            assert made.shape == wanted.shape == (3, *ours.size)
            assert made.dtype == np.float32
            np.testing.assert_allclose(made, wanted, atol=1e-5)


def test_files_of_old_releases_are_read() -> None:
    """As microsoft/resnet-50 and openai/clip-vit-base-patch32 have them: sizes as numbers, feature extractors."""
    resnet = {
        "crop_pct": 0.875, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "ConvNextFeatureExtractor",
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 3, "size": 224,
    }  # fmt: skip
    made = PicturePreparation.read(resnet)
    assert (made.shortest, made.cut, made.scale) == (256, (224, 224), 1 / 255)
    clip = {"crop_size": 224, "do_center_crop": True, "feature_extractor_type": "CLIPFeatureExtractor", "size": 224}
    made = PicturePreparation.read(clip)
    assert (made.shortest, made.cut, made.size) == (224, (224, 224), (224, 224))
    vit = PicturePreparation.read({"size": 224, "do_resize": True}, "vit")
    assert (vit.resized, vit.cut, vit.resample) == ((224, 224), (0, 0), 2)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"image_processor_type": "NobodysImageProcessor"}, "'Nobodys' is not known"),
        ({}, "of no name"),
        ({"image_processor_type": "ViTImageProcessor", "do_resize": False}, "not brought to one size"),
        ({"image_processor_type": "ViTImageProcessor", "size": {"shortest_edge": 224}}, "not brought to one size"),
        ({"image_processor_type": "ViTImageProcessor", "size": {"longest_edge": 224}}, "not known"),
        ({"image_processor_type": "ViTImageProcessor", "size": {"height": 0, "width": 2}}, "0 pixels"),
        ({"image_processor_type": "ViTImageProcessor", "size": 10**9}, "pixels"),
        ({"image_processor_type": "ViTImageProcessor", "image_std": [0, 1, 1]}, "not of three colours"),
    ],
)
def test_what_is_not_known_is_an_error(stated: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PicturePreparation.read(stated)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_every_picture_becomes_the_stated_size(rows: int, columns: int, shortest: int, height: int, width: int) -> None:
    stated = {
        "image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": shortest},
        "crop_size": {"height": height, "width": width},
    }  # fmt: skip
    picture = np.full((rows, columns, 3), 200, np.uint8)
    theirs = hf.CLIPImageProcessorPil(**{k: v for k, v in stated.items() if k != "image_processor_type"})
    wanted = theirs(picture, return_tensors="np", input_data_format="channels_last")["pixel_values"][0]
    made = PicturePreparation.read(stated)(picture)
    np.testing.assert_allclose(made, wanted, atol=1e-5)
