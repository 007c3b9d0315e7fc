"""Sequences -> Sequences: `Encoder(in_dim, dim, **settings)`, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "cnn": "cinescope.nn.encoders.picture_cnn:PictureCNN",
    "mobilenet": "cinescope.nn.encoders.mobilenet:MobileNet",
    "r2plus1d": "cinescope.nn.encoders.r2plus1d:R2Plus1D",
    "resnet": "cinescope.nn.encoders.resnet:ResNet",
    "resnet9": "cinescope.nn.encoders.resnet:ResNet9",
    "slowfast": "cinescope.nn.encoders.slowfast:SlowFast",
    "timesformer": "cinescope.nn.encoders.timesformer:TimeSformer",
    "vit": "cinescope.nn.encoders.vit:ViT",
    "x3d": "cinescope.nn.encoders.x3d:X3D",
}
ENCODERS = Catalogue("encoder", "cinescope.encoders", CATALOGUE)
