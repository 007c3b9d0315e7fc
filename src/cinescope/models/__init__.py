"""Whole architectures: parts put together, and named builders, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "autoencoder": "cinescope.models.autoencoder:autoencoder",
    "cnn_lstm_text": "cinescope.models.named:cnn_lstm_text",
    "cnn_rnn_attention": "cinescope.models.named:cnn_rnn_attention",
    "frame_cnn": "cinescope.models.named:frame_cnn",
    "three_transformers": "cinescope.models.named:three_transformers",
}
MODELS = Catalogue("named model", "cinescope.models", CATALOGUE)
