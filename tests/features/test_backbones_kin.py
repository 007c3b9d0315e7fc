"""The families' kin: each kind of the table is saved by transformers and read back to the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.features.tiny_backbones import pictures, said, saved, sound, tokenizer

import transformers as hf  # isort: skip
import torch  # isort: skip

from cinescope.features.backbones.generic import AnyBackbone

_SMALL: dict[str, Any] = {
    "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 2,
}  # fmt: skip
_TEXT = _SMALL | {"vocab_size": 15, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
_SOUND = _SMALL | {
    "conv_dim": [8] * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2, "vocab_size": 8,
}  # fmt: skip
_SQUARE = {"height": 32, "width": 32}
TEXTS = {
    "xlm-roberta": hf.XLMRobertaConfig(**_TEXT | {"max_position_embeddings": 20}),
    "camembert": hf.CamembertConfig(**_TEXT | {"max_position_embeddings": 20}),
    "mpnet": hf.MPNetConfig(**_TEXT | {"max_position_embeddings": 20}),
    "albert": hf.AlbertConfig(**_TEXT | {"embedding_size": 12, "max_position_embeddings": 20}),
    "electra": hf.ElectraConfig(**_TEXT | {"embedding_size": 12, "max_position_embeddings": 20}),
    "deberta-v2": hf.DebertaV2Config(**_TEXT | {"max_position_embeddings": 20}),
    "modernbert": hf.ModernBertConfig(**_TEXT | {"cls_token_id": 2, "sep_token_id": 3, "max_position_embeddings": 20}),
}
PICTURES = {
    "deit": (
        hf.DeiTConfig(**_SMALL, image_size=32, patch_size=8),
        hf.DeiTImageProcessorPil(size=_SQUARE, crop_size=_SQUARE),
    ),
    "regnet": (hf.RegNetConfig(embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], groups_width=4), None),
    "convnext": (hf.ConvNextConfig(hidden_sizes=[8, 12], depths=[1, 1], num_stages=2), None),
    "mobilenet_v1": (
        hf.MobileNetV1Config(depth_multiplier=0.1, image_size=32),
        hf.MobileNetV1ImageProcessorPil(size={"shortest_edge": 36}, crop_size=_SQUARE),
    ),
    "clip_vision_model": (
        hf.CLIPVisionConfig(**_SMALL, image_size=32, patch_size=8, projection_dim=12),
        hf.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=_SQUARE),
    ),
    "siglip_vision_model": (
        hf.SiglipVisionConfig(**_SMALL, image_size=32, patch_size=8), hf.SiglipImageProcessorPil(size=_SQUARE),
    ),
}  # fmt: skip
SOUNDS = {"hubert": hf.HubertConfig(**_SOUND), "wavlm": hf.WavLMConfig(**_SOUND)}


@pytest.mark.parametrize("kind", TEXTS)
def test_texts(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    tokenizer(saved(tmp_path, hf.AutoModelForMaskedLM.from_config(TEXTS[kind])))
    extractor = AnyBackbone(model=str(tmp_path), level="token")
    assert extractor.inner.checkpoint.kind == kind
    ids = torch.tensor([[2, 4, 5, 6, 8, 9, 10, 3]])
    model = hf.AutoModel.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        wanted = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0, 1:-1].numpy()
    np.testing.assert_allclose(extractor(said("a red car in the garden")).values, wanted, atol=1e-5)


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config, image = PICTURES[kind]
    image = image or hf.ConvNextImageProcessorPil(size={"shortest_edge": 32})
    name = "CLIPVisionModelWithProjection" if kind == "clip_vision_model" else ""
    model = getattr(hf, name)(config) if name else hf.AutoModel.from_config(config)
    saved(tmp_path, model, image)
    extractor = AnyBackbone(model=str(tmp_path))
    assert extractor.inner.checkpoint.kind == kind
    clip = pictures(3)
    assert clip.frames is not None
    with torch.no_grad():
        out = model.eval()(**image(list(clip.frames.data), return_tensors="pt", input_data_format="channels_last"))
    if kind == "deit":
        wanted = out.last_hidden_state[:, 0]
    else:
        wanted = (out.image_embeds if name else out.pooler_output).flatten(1)
    np.testing.assert_allclose(extractor(clip).values, wanted.numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", SOUNDS)
def test_sounds(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    prepare = hf.Wav2Vec2FeatureExtractor()
    saved(tmp_path, hf.AutoModelForCTC.from_config(SOUNDS[kind]), prepare)
    extractor = AnyBackbone(model=str(tmp_path))
    assert extractor.inner.checkpoint.kind == kind
    clip = sound(0.7)
    assert clip.waveform is not None
    inputs = prepare(clip.waveform.data[0], sampling_rate=16_000, return_tensors="pt")
    with torch.no_grad():
        wanted = hf.AutoModel.from_pretrained(tmp_path).eval()(**inputs).last_hidden_state[0].numpy()
    np.testing.assert_allclose(extractor(clip).values, wanted, atol=1e-5)
