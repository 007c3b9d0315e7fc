"""Which pretrained backbones there are: their families, what each gives, and one of each that can be fetched.

Plain tables; knows no torch, opens no file. Sizes and licences are the hub's, as their model cards have them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Part = Literal["picture", "video", "sound", "text"]


@dataclass(frozen=True, slots=True)
class Family:
    """One `model_type` of transformers. `classes`: which class loads each part, by its name there or as module:Class;
    `arguments`: for its constructor."""

    feature: str  # the name in the catalogue of features
    classes: dict[Part, str]
    arguments: dict[str, bool] = field(default_factory=dict)
    inner: dict[Part, str] = field(default_factory=dict)  # the part's own configuration within the whole one
    tokens: int | None = None  # of a picture Transformer: steps before the patches (class tokens); None: feature maps
    renamed: dict[str, str] = field(
        default_factory=dict
    )  # regular expression -> what replaces it in the weights' names


_BARE = {"add_pooling_layer": False}  # many checkpoints lack the pooler, and nothing here reads it


def _picture(feature: str, name: str, tokens: int | None = None, arguments: dict[str, bool] | None = None) -> Family:
    return Family(feature, {"picture": name}, arguments or {}, tokens=tokens)


def _text(name: str, arguments: dict[str, bool] | None = None) -> Family:
    return Family("bert", {"text": name}, _BARE if arguments is None else arguments)


FAMILIES: dict[str, Family] = {
    "clip": Family(
        "clip", {"picture": "CLIPVisionModelWithProjection", "text": "CLIPTextModelWithProjection"},
        inner={"picture": "vision_config", "text": "text_config"}, tokens=1,
    ),
    "clip_vision_model": _picture("clip", "CLIPVisionModelWithProjection", 1),
    "siglip": Family(
        "siglip", {"picture": "SiglipVisionModel", "text": "SiglipTextModel"},
        inner={"picture": "vision_config", "text": "text_config"}, tokens=0,
    ),
    "siglip_vision_model": _picture("siglip", "SiglipVisionModel", 0),
    "vit": _picture("vit", "ViTModel", 1, _BARE),
    "deit": _picture("vit", "DeiTModel", 2, _BARE),
    "dinov2": _picture("vit", "Dinov2Model", 1),
    "resnet": _picture("resnet", "ResNetModel"),
    "regnet": _picture("resnet", "RegNetModel"),
    "convnext": _picture("resnet", "ConvNextModel"),
    "mobilenet_v1": _picture("mobilenet", "MobileNetV1Model"),
    "mobilenet_v2": _picture("mobilenet", "MobileNetV2Model"),
    "efficientnet": _picture("efficientnet", "EfficientNetModel"),
    # Not in transformers: the network stands in inception.py, and reads what timm published.
    "inception_v3": _picture("inception", "cinescope.features.backbones.inception:InceptionV3"),
    "videomae": Family("videomae", {"video": "VideoMAEModel"}),
    "wav2vec2": Family("wav2vec2", {"sound": "Wav2Vec2Model"}),
    "hubert": Family("wav2vec2", {"sound": "HubertModel"}),
    "wavlm": Family("wav2vec2", {"sound": "WavLMModel"}),
    # The encoder alone: the decoder's weights are never read.
    "whisper": Family(
        "whisper", {"sound": "transformers.models.whisper.modeling_whisper:WhisperEncoder"},
        renamed={r"^(model\.)?encoder\.": ""},
    ),
    "clap": Family(
        "clap", {"sound": "ClapAudioModelWithProjection", "text": "ClapTextModelWithProjection"},
        inner={"sound": "audio_config", "text": "text_config"},
    ),
    "bert": _text("BertModel"),
    "roberta": _text("RobertaModel"),
    "xlm-roberta": _text("XLMRobertaModel"),
    "camembert": _text("CamembertModel"),
    "mpnet": _text("MPNetModel"),
    "albert": _text("AlbertModel"),
    "distilbert": _text("DistilBertModel", {}),
    "electra": _text("ElectraModel", {}),
    "deberta-v2": _text("DebertaV2Model", {}),
    "modernbert": _text("ModernBertModel", {}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fetchable:
    """A checkpoint of the hub that `cinescope models get NAME` fetches as it is."""

    name: str
    feature: str
    purpose: str
    megabytes: int
    licence: str
    repository: str


BACKBONES: tuple[Fetchable, ...] = (
    Fetchable(
        "backbone-clip",
        "clip",
        "feature clip: pictures beside words",
        605,
        "MIT (OpenAI)",
        "openai/clip-vit-base-patch32",
    ),
    Fetchable(
        "backbone-siglip",
        "siglip",
        "feature siglip: pictures beside words",
        815,
        "Apache-2.0",
        "google/siglip-base-patch16-224",
    ),
    Fetchable(
        "backbone-vit",
        "vit",
        "feature vit: pictures, ImageNet classes",
        346,
        "Apache-2.0",
        "google/vit-base-patch16-224",
    ),
    Fetchable(
        "backbone-dinov2",
        "vit",
        "feature vit: pictures, learnt without labels",
        346,
        "Apache-2.0",
        "facebook/dinov2-base",
    ),
    Fetchable(
        "backbone-resnet", "resnet", "feature resnet: pictures, ResNet-50", 102, "Apache-2.0", "microsoft/resnet-50"
    ),
    Fetchable(
        "backbone-mobilenet",
        "mobilenet",
        "feature mobilenet: pictures, light",
        14,
        "see its model card",
        "google/mobilenet_v2_1.0_224",
    ),
    Fetchable(
        "backbone-efficientnet",
        "efficientnet",
        "feature efficientnet: pictures, light",
        22,
        "Apache-2.0",
        "google/efficientnet-b0",
    ),
    Fetchable(
        "backbone-inception",
        "inception",
        "feature inception: pictures, Inception-v3",
        96,
        "Apache-2.0",
        "timm/inception_v3.tv_in1k",
    ),
    Fetchable(
        "backbone-videomae",
        "videomae",
        "feature videomae: what moves, 16 frames",
        377,
        "CC-BY-NC-4.0",
        "MCG-NJU/videomae-base",
    ),
    Fetchable(
        "backbone-wav2vec2",
        "wav2vec2",
        "feature wav2vec2: English speech, 50 a second",
        378,
        "Apache-2.0",
        "facebook/wav2vec2-base-960h",
    ),
    Fetchable(
        "backbone-whisper", "whisper", "feature whisper: speech, 50 a second", 290, "Apache-2.0", "openai/whisper-base"
    ),
    Fetchable(
        "backbone-clap", "clap", "feature clap: sounds beside words", 614, "Apache-2.0", "laion/clap-htsat-unfused"
    ),
    Fetchable(
        "backbone-bert", "bert", "feature bert: English texts", 440, "Apache-2.0", "google-bert/bert-base-uncased"
    ),
)


def kinds_of(feature: str) -> tuple[str, ...]:
    """The model types that a feature of the catalogue reads."""
    return tuple(kind for kind, family in FAMILIES.items() if family.feature == feature)


def fetchable(feature: str) -> str:
    """The name of a model for that feature that can be fetched; "" where there is none."""
    return next((entry.name for entry in BACKBONES if entry.feature == feature), "")
