"""Tiny random checkpoints of every family, saved by transformers itself as the real ones are, once a test session."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinescope.types import Clip, Frames, Span, Waveform, Word

pytest.importorskip("transformers", reason="pretrained backbones need transformers")

import torch  # noqa: E402
import transformers as hf  # noqa: E402

torch.set_num_threads(1)
SIDE = 32
_WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "a",
    "red",
    "car",
    "stands",
    "in",
    "the",
    "garden",
    ".",
    "sea",
    "##side",
    "!",
]
_SMALL: dict[str, Any] = {
    "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 2,
}  # fmt: skip
_TEXT = _SMALL | {"vocab_size": len(_WORDS), "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
_VISION = _SMALL | {"image_size": SIDE, "patch_size": 8}
_SQUARE = {"height": SIDE, "width": SIDE}


def tokenizer(folder: Path) -> None:
    """A WordPiece tokenizer with BERT's own pieces, as tokenizer.json."""
    from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece

    made = Tokenizer(WordPiece({w: i for i, w in enumerate(_WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    hf.PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)


def saved(folder: Path, model: Any, *parts: Any) -> Path:
    # Random in every weight: what transformers sets to 0 or 1 at first would hide a part that was not loaded.
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, weight in [*model.named_parameters(), *model.named_buffers()]:
            if not weight.is_floating_point():
                continue
            drawn = torch.randn(weight.shape, generator=generator)
            if "running_var" in name:
                weight.copy_(drawn.abs() + 0.5)
            elif weight.ndim == 1 and name.endswith("weight"):  # of a norm
                weight.copy_(1 + 0.2 * drawn)
            else:
                weight.copy_(drawn * (1.5 / weight[0].numel() ** 0.5 if weight.ndim > 1 else 0.1))
    model.eval().save_pretrained(folder)
    for part in parts:
        part.save_pretrained(folder)
    return folder


def _clip(folder: Path) -> Path:
    config = hf.CLIPConfig(
        text_config=_TEXT | {"max_position_embeddings": 12}, vision_config=_VISION, projection_dim=12
    )
    image = hf.CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=_SQUARE)
    tokenizer(saved(folder, hf.CLIPModel(config), image))
    return folder


def _siglip(folder: Path) -> Path:
    text = _TEXT | {"max_position_embeddings": 12, "projection_size": 16}
    config = hf.SiglipConfig(text_config=text, vision_config=_VISION)
    tokenizer(saved(folder, hf.SiglipModel(config), hf.SiglipImageProcessorPil(size=_SQUARE)))
    return folder


def _vit(folder: Path) -> Path:
    # With a classifier and without a pooler, as google/vit-base-patch16-224 is.
    return saved(folder, hf.ViTForImageClassification(hf.ViTConfig(**_VISION)), hf.ViTImageProcessorPil(size=_SQUARE))


def _dinov2(folder: Path) -> Path:
    config = hf.Dinov2Config(**_VISION | {"mlp_ratio": 2})
    return saved(folder, hf.Dinov2Model(config), hf.BitImageProcessorPil(size={"shortest_edge": 40}, crop_size=_SQUARE))


def _resnet(folder: Path) -> Path:
    config = hf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], layer_type="basic")
    return saved(
        folder, hf.ResNetForImageClassification(config), hf.ConvNextImageProcessorPil(size={"shortest_edge": SIDE})
    )


def _mobilenet(folder: Path) -> Path:
    config = hf.MobileNetV2Config(depth_multiplier=0.1, min_depth=4, image_size=SIDE)
    image = hf.MobileNetV2ImageProcessorPil(size={"shortest_edge": 40}, crop_size=_SQUARE)
    return saved(folder, hf.MobileNetV2Model(config), image)


def _efficientnet(folder: Path) -> Path:
    config = hf.EfficientNetConfig(
        image_size=SIDE, width_coefficient=0.25, depth_coefficient=0.3, hidden_dim=320, kernel_sizes=[3, 5],
        in_channels=[8, 16], out_channels=[16, 24], strides=[1, 2], num_block_repeats=[1, 1], expand_ratios=[1, 2],
        depthwise_padding=[],
    )  # fmt: skip
    return saved(folder, hf.EfficientNetModel(config), hf.EfficientNetImageProcessorPil(size=_SQUARE))


def _videomae(folder: Path) -> Path:
    config = hf.VideoMAEConfig(**_VISION | {"num_frames": 16, "tubelet_size": 2, "patch_size": 16})
    image = hf.VideoMAEImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=_SQUARE)
    return saved(folder, hf.VideoMAEForVideoClassification(config), image)


def _wav2vec2(folder: Path) -> Path:
    config = hf.Wav2Vec2Config(
        **_SMALL, conv_dim=[8] * 7, num_feat_extract_layers=7, num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2, vocab_size=8, num_codevectors_per_group=4, codevector_dim=8,
        proj_codevector_dim=8,
    )  # fmt: skip
    return saved(folder, hf.Wav2Vec2ForCTC(config), hf.Wav2Vec2FeatureExtractor())


def _whisper(folder: Path) -> Path:
    config = hf.WhisperConfig(
        d_model=16, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=16, decoder_ffn_dim=16, num_mel_bins=20, max_source_positions=100, vocab_size=20,
        max_target_positions=8, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
    )  # fmt: skip
    prepare = hf.WhisperFeatureExtractor(feature_size=20, chunk_length=2)
    return saved(folder, hf.WhisperForConditionalGeneration(config), prepare)


def _clap(folder: Path, fusion: bool = False) -> Path:
    text = _TEXT | {"max_position_embeddings": 24}
    audio = {
        "hidden_size": 16, "num_mel_bins": 16, "spec_size": 64, "window_size": 4, "patch_size": 4,
        "patch_stride": [4, 4], "depths": [1, 1], "num_attention_heads": [2, 2], "patch_embeds_hidden_size": 8,
        "projection_dim": 12, "enable_fusion": fusion,
    }  # fmt: skip
    config = hf.ClapConfig(text_config=text, audio_config=audio, projection_dim=12)
    prepare = hf.ClapFeatureExtractor(
        feature_size=16, sampling_rate=8_000, hop_length=80, fft_window_size=256, max_length_s=2, frequency_max=4_000,
        truncation="fusion" if fusion else "rand_trunc",
    )  # fmt: skip
    tokenizer(saved(folder, hf.ClapModel(config), prepare))
    return folder


def _clap_fused(folder: Path) -> Path:
    return _clap(folder, fusion=True)


def _bert(folder: Path) -> Path:
    model = hf.BertForMaskedLM(hf.BertConfig(**_TEXT | {"max_position_embeddings": 16}))
    tokenizer(saved(folder, model))
    return folder


def _roberta(folder: Path) -> Path:
    model = hf.RobertaForMaskedLM(hf.RobertaConfig(**_TEXT | {"max_position_embeddings": 17}))
    tokenizer(saved(folder, model))
    return folder


def _distilbert(folder: Path) -> Path:
    config = hf.DistilBertConfig(
        vocab_size=len(_WORDS), dim=16, hidden_dim=20, n_layers=2, n_heads=2, max_position_embeddings=16, pad_token_id=0
    )
    tokenizer(saved(folder, hf.DistilBertForMaskedLM(config)))
    return folder


_MAKERS: dict[str, Callable[[Path], Path]] = {
    "clip": _clip, "siglip": _siglip, "vit": _vit, "dinov2": _dinov2, "resnet": _resnet, "mobilenet": _mobilenet,
    "efficientnet": _efficientnet, "videomae": _videomae, "wav2vec2": _wav2vec2, "whisper": _whisper, "clap": _clap,
    "clap_fused": _clap_fused, "bert": _bert, "roberta": _roberta, "distilbert": _distilbert,
}  # fmt: skip
Tiny = Callable[[str], Path]


def checkpoint(name: str, base: Path) -> Path:
    """The folder of a family's tiny checkpoint in `base`; made where it is not there."""
    place = base / name
    if not place.is_dir():
        place.mkdir(parents=True)
        torch.manual_seed(3)
        hf.utils.logging.set_verbosity_error()
        hf.utils.logging.disable_progress_bar()
        _MAKERS[name](place)
    return place


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """The folder of a family's tiny checkpoint; it is made when first asked for, and nobody may change it."""
    base = tmp_path_factory.getbasetemp() / "tiny-backbones"
    return lambda name: checkpoint(name, base)


def copy_of(place: Path, folder: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(place, folder / place.name))


def pictures(count: int, rate: float = 5.0, start: float = 3.0, size: tuple[int, int] = (48, 70)) -> Clip:
    """A clip of noisy pictures, each of another colour."""
    rng = np.random.default_rng(1)
    data = rng.integers(0, 120, (count, *size, 3)) + rng.integers(0, 130, (count, 1, 1, 3))
    times = start + np.arange(count) / rate
    frames = Frames(data.astype(np.uint8), times)
    return Clip(Span(start, start + count / rate), frames, frame_durations=(1 / rate,) * count)


def sound(seconds: float, rate: int = 16_000, start: float = 2.0) -> Clip:
    samples = np.random.default_rng(2).normal(0, 0.1, round(seconds * rate)).astype(np.float32)
    return Clip(Span(start, start + seconds), waveform=Waveform(samples[None], rate, start))


def said(text: str, start: float = 1.0, each: float = 0.5) -> Clip:
    words = tuple(Word(w, Span(start + i * each, start + (i + 0.8) * each)) for i, w in enumerate(text.split()))
    return Clip(Span(0.0, 20.0), words=words)
