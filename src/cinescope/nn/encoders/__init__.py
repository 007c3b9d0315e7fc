"""Sequences -> Sequences: `Encoder(in_dim, dim, **settings)`, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "audio_cnn": "cinescope.nn.encoders.audio_cnn:AudioCNN",
    "audio_light": "cinescope.nn.encoders.audio_light:AudioLight",
    "audio_rnn": "cinescope.nn.encoders.audio_cnn:AudioRNN",
    "cepstrum": "cinescope.nn.encoders.cepstrum:Cepstrum",
    "chain": "cinescope.nn.encoders.chain:Chain",
    "cnn": "cinescope.nn.encoders.picture_cnn:PictureCNN",
    "gru": "cinescope.nn.encoders.recurrent:GRU",
    "linear": "cinescope.nn.encoders.per_step:Linear",
    "lstm": "cinescope.nn.encoders.recurrent:LSTM",
    "mlp": "cinescope.nn.encoders.per_step:MLP",
    "mobilenet": "cinescope.nn.encoders.mobilenet:MobileNet",
    "pretrained_text": "cinescope.models.pretrained:PretrainedText",
    "r2plus1d": "cinescope.nn.encoders.r2plus1d:R2Plus1D",
    "resnet": "cinescope.nn.encoders.resnet:ResNet",
    "resnet9": "cinescope.nn.encoders.resnet:ResNet9",
    "rnn": "cinescope.nn.encoders.recurrent:RNN",
    "slowfast": "cinescope.nn.encoders.slowfast:SlowFast",
    "tcn": "cinescope.nn.encoders.tcn:TCN",
    "text_transformer": "cinescope.nn.encoders.words:TextTransformer",
    "timesformer": "cinescope.nn.encoders.timesformer:TimeSformer",
    "transformer": "cinescope.nn.encoders.transformer:Transformer",
    "vit": "cinescope.nn.encoders.vit:ViT",
    "word_rnn": "cinescope.nn.encoders.words:WordRNN",
    "x3d": "cinescope.nn.encoders.x3d:X3D",
}
ENCODERS = Catalogue("encoder", "cinescope.encoders", CATALOGUE)
