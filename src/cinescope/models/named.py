"""The models that the articles name, each a short function from parts; `recipes/` has a recipe for each.

They give a `ModelSpec`: plain data that a checkpoint can carry, built by `.build(seed)`. Widths are what the prepared
inputs have: colour channels, size of the vocabulary, mel bands.
"""

from __future__ import annotations

from cinescope.models.spec import EncoderSpec, ModelSpec, PartSpec


def frame_cnn(labels: int, channels: int = 3, dim: int = 64) -> ModelSpec:
    """Each frame through a CNN, the mean over frames, a linear classifier: what a picture alone tells."""
    return ModelSpec({"video": EncoderSpec("cnn", channels, dim)}, PartSpec("concat"), dim, _classes(labels))


def cnn_lstm_text(labels: int, vocabulary: int, channels: int = 3, dim: int = 64) -> ModelSpec:
    """Frames through a CNN and an LSTM, words through embeddings and an LSTM, concatenated (Donahue et al. 2015 for
    the video side). The articles feed the LSTM whole batches as time; here time is time."""
    return ModelSpec(
        {
            "video": EncoderSpec("chain", channels, dim, {"parts": [{"name": "cnn"}, {"name": "lstm"}]}),
            "speech": EncoderSpec("word_rnn", vocabulary, dim),
        },
        PartSpec("concat"),
        dim,
        _classes(labels),
    )


def cnn_rnn_attention(labels: int, bands: int, channels: int = 3, dim: int = 64) -> ModelSpec:
    """Frames through a CNN, a spectrogram through a recurrent network, weighed by attention over the two."""
    return ModelSpec(
        {"video": EncoderSpec("cnn", channels, dim), "sound": EncoderSpec("audio_rnn", bands, dim)},
        PartSpec("attention"),
        dim,
        _classes(labels),
    )


def three_transformers(labels: int, vocabulary: int, bands: int, channels: int = 3, dim: int = 64) -> ModelSpec:
    """A Transformer each for frames, sound and words, joined by one more over all their steps. The articles feed a
    decoder with zeros as its target; what a classifier needs is an encoder, and no target is fed."""
    return ModelSpec(
        {
            "video": EncoderSpec("chain", channels, dim, {"parts": [{"name": "vit"}, {"name": "transformer"}]}),
            "sound": EncoderSpec("transformer", bands, dim),
            "speech": EncoderSpec("text_transformer", vocabulary, dim),
        },
        PartSpec("self_attention"),
        dim,
        _classes(labels),
    )


def _classes(labels: int) -> dict[str, PartSpec]:
    return {"classes": PartSpec("classes", {"name": "classes", "classes": labels, "hidden": 0, "dropout": 0.0})}
