"""A Whisper model of two layers with random weights, in the real CTranslate2 format, that says German words at random.

The biases of its last layer make it find German and prefer a few words, so that what comes out has words to look at.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEADS, MELS = 16, 2, 80
WORDS = ["Ġhallo", "Ġwelt", "Ġguten", "Ġtag", "Ġja"]


def save_tiny_whisper(folder: Path, seed: int = 2) -> Path:
    """`folder` gets model.bin, config.json, vocabulary.json, tokenizer.json and preprocessor_config.json."""
    from ctranslate2.specs import WhisperSpec
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in _LANGUAGE_CODES)]
    special += [
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
    ]
    special += [f"<|{i * 0.02:.2f}|>" for i in range(1501)]
    # CTranslate2 takes a model for multilingual when its vocabulary has the empty token (src/models/whisper.cc).
    text = [*letters, *WORDS, ""]
    number = {token: i for i, token in enumerate(text + special)}

    tokenizer = Tokenizer(models.BPE(vocab={t: number[t] for t in text}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": MELS}))

    spec = WhisperSpec(1, HEADS, 1, HEADS)
    random = np.random.default_rng(seed)

    def noise(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) * 0.3).astype(np.float32)

    def linear(part: Any, rows: int, columns: int = WIDTH) -> None:
        part.weight, part.bias = noise(rows, columns), noise(rows)

    def norm(part: Any) -> None:
        part.gamma, part.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    def attention(part: Any, *rows: int) -> None:
        norm(part.layer_norm)
        for each, count in zip(part.linear, rows, strict=True):
            linear(each, count)

    spec.encoder.conv1.weight, spec.encoder.conv1.bias = noise(WIDTH, MELS, 3), noise(WIDTH)
    spec.encoder.conv2.weight, spec.encoder.conv2.bias = noise(WIDTH, WIDTH, 3), noise(WIDTH)
    spec.encoder.position_encodings.encodings = noise(1500, WIDTH)
    # Strong, so that the words change from place to place instead of repeating themselves.
    spec.decoder.position_encodings.encodings = 10 * noise(448, WIDTH)
    spec.decoder.embeddings.weight = noise(len(number), WIDTH)
    for side in (spec.encoder, spec.decoder):
        norm(side.layer_norm)
        attention(side.layer[0].self_attention, 3 * WIDTH, WIDTH)
        norm(side.layer[0].ffn.layer_norm)
        linear(side.layer[0].ffn.linear_0, 4 * WIDTH)
        linear(side.layer[0].ffn.linear_1, WIDTH, 4 * WIDTH)
    attention(spec.decoder.layer[0].attention, WIDTH, 2 * WIDTH, WIDTH)

    preferred = np.full(len(number), -20.0, np.float32)
    preferred[[number[word] for word in WORDS]] = 2.0
    preferred[number["<|endoftext|>"]] = 2.0
    preferred[number["<|de|>"]] = 5.0
    preferred[[number[f"<|{i * 0.02:.2f}|>"] for i in (0, 150)]] = 2.0
    spec.decoder.projection.weight, spec.decoder.projection.bias = noise(len(number), WIDTH), preferred

    spec.register_vocabulary(list(number))
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [number["<|endoftext|>"]]
    spec.config.lang_ids = [number[f"<|{code}|>"] for code in _LANGUAGE_CODES]
    spec.config.alignment_heads = [(0, 0), (0, 1)]
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    return folder
