"""Signal and neural features of pictures, sound and text: `Clip -> Features`, one line here for each.

Nothing is imported until it is asked for. `cinescope features VIDEO --with hog,mfcc` reads this table.
"""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    # pictures
    "pixels": "cinescope.features.signal.pixels:Pixels",
    "frame_statistics": "cinescope.features.signal.pixels:FrameStatistics",
    "hog": "cinescope.features.signal.hog:Hog",
    "gradient_sum": "cinescope.features.signal.hog:GradientSum",
    "lbp": "cinescope.features.signal.lbp:Lbp",
    "colour_histogram": "cinescope.features.signal.colour_features:ColourHistogram",
    "colour_moments": "cinescope.features.signal.colour_features:ColourMoments",
    "sift_bow": "cinescope.features.signal.sift:SiftBow",
    "sift_vlad": "cinescope.features.signal.sift:SiftVlad",
    "flow": "cinescope.features.signal.flow_features:Flow",
    "hof": "cinescope.features.signal.flow_features:Hof",
    "mbh": "cinescope.features.signal.flow_features:Mbh",
    # pretrained backbones: `model` has no default, and nothing is fetched (docs/backbones.md)
    "clip": "cinescope.features.backbones.pictures:ClipPictures",
    "siglip": "cinescope.features.backbones.pictures:SiglipPictures",
    "vit": "cinescope.features.backbones.pictures:VitPictures",
    "resnet": "cinescope.features.backbones.pictures:ResNetPictures",
    "mobilenet": "cinescope.features.backbones.pictures:MobileNetPictures",
    "efficientnet": "cinescope.features.backbones.pictures:EfficientNetPictures",
    "inception": "cinescope.features.backbones.pictures:InceptionPictures",
    "videomae": "cinescope.features.backbones.videos:VideoMae",
    "wav2vec2": "cinescope.features.backbones.sounds:Wav2Vec2",
    "whisper": "cinescope.features.backbones.sounds:WhisperEncoder",
    "clap": "cinescope.features.backbones.sounds:Clap",
    "bert": "cinescope.features.backbones.texts:Bert",
    "clip_text": "cinescope.features.backbones.texts:ClipText",
    "siglip_text": "cinescope.features.backbones.texts:SiglipText",
    "clap_text": "cinescope.features.backbones.texts:ClapText",
    "backbone": "cinescope.features.backbones.generic:AnyBackbone",
    # sound
    "stft": "cinescope.features.signal.stft:Stft",
    "log_mel": "cinescope.features.signal.mel:LogMel",
    "mfcc": "cinescope.features.signal.mfcc:Mfcc",
    "chroma": "cinescope.features.signal.chroma:Chroma",
    "pitch": "cinescope.features.signal.pitch:Pitch",
    "spectral": "cinescope.features.signal.spectral:Spectral",
    "loudness": "cinescope.features.signal.loudness:LoudnessRows",
    # text
    "tokens": "cinescope.features.text.tokens:Tokens",
    "word_vectors": "cinescope.features.text.embeddings:WordVectors",
    "tfidf": "cinescope.features.text.tfidf:TfIdf",
    "sentence": "cinescope.features.text.sentence:Sentence",
    # place and time of recording
    "place": "cinescope.features.place:Place",
    "recorded": "cinescope.features.place:Recorded",
}
EXTRACTORS = Catalogue("feature", "cinescope.features", CATALOGUE)
