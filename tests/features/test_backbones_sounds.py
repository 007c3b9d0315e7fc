from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from tests.features.tiny_backbones import Tiny, copy_of, sound, tiny

from cinescope.features import EXTRACTORS
from cinescope.features.backbones.sounds import receptive_field
from cinescope.types import BadQueryError, Clip, MissingPartError, Span, Waveform

__all__ = ["tiny"]


def make(tiny: Tiny, name: str, **settings: Any) -> Any:
    return EXTRACTORS.create(name.removesuffix("_fused"), model=str(tiny(name)), **settings)


def run(model: Any, **inputs: Any) -> Any:
    with torch.no_grad():
        return model.eval()(**inputs)


def wav2vec2(tiny: Tiny, samples: np.ndarray) -> Any:
    prepare = hf.Wav2Vec2FeatureExtractor.from_pretrained(tiny("wav2vec2"))
    inputs = prepare(samples, sampling_rate=16_000, return_tensors="pt")
    return run(hf.Wav2Vec2Model.from_pretrained(tiny("wav2vec2")), **inputs, output_hidden_states=True)


def test_wav2vec2_gives_what_transformers_gives_fifty_times_a_second(tiny: Tiny) -> None:
    clip = sound(1.7)
    extractor = make(tiny, "wav2vec2")
    made = extractor(clip)
    out = wav2vec2(tiny, clip.waveform.data[0])
    np.testing.assert_allclose(made.values, out.last_hidden_state[0].numpy(), atol=1e-5)
    assert len(made) == 84
    np.testing.assert_allclose(made.times, [[2 + k / 50, 2 + (k + 1) / 50] for k in range(84)])
    assert made.modality == "sound"
    assert (extractor.hop, extractor.field, extractor.sample_rate) == (320, 400, 16_000)
    assert extractor.needs.sound.sample_rate == 16_000
    layer = make(tiny, "wav2vec2", layer=1)(clip)
    np.testing.assert_allclose(layer.values, out.hidden_states[1][0].numpy(), atol=1e-5)


def test_long_sound_is_computed_in_windows_that_join(tiny: Tiny) -> None:
    clip = sound(2.5)
    made = make(tiny, "wav2vec2", window=0.5)(clip)
    whole = make(tiny, "wav2vec2")(clip)
    np.testing.assert_array_equal(made.times, whole.times)
    rows, samples = 24, clip.waveform.data[0]  # (8000 - 400) // 320 + 1
    for first in (0, 24, 48):
        window = samples[first * 320 : first * 320 + 23 * 320 + 400]
        wanted = wav2vec2(tiny, window).last_hidden_state[0].numpy()
        np.testing.assert_allclose(made.values[first : first + rows], wanted, atol=1e-5)
    rest = wav2vec2(tiny, samples[120 * 320 :]).last_hidden_state[0].numpy()
    np.testing.assert_allclose(made.values[120:], rest, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "settings"), [("wav2vec2", {"window": 0.2}), ("whisper", {}), ("clap", {"window": 0.5})]
)
def test_a_batch_changes_nothing(tiny: Tiny, name: str, settings: dict[str, Any]) -> None:
    one, many = (make(tiny, name, batch=b, **settings) for b in (1, 5))
    clip = sound(5.3, one.sample_rate)
    a, b = one(clip), many(clip)
    np.testing.assert_allclose(a.values, b.values, atol=1e-5)
    np.testing.assert_array_equal(a.times, b.times)


def test_whisper_gives_the_rows_that_have_sound(tiny: Tiny) -> None:
    clip = sound(3.31)
    made = make(tiny, "whisper")(clip)
    prepare = hf.WhisperFeatureExtractor.from_pretrained(tiny("whisper"))
    encoder = hf.WhisperModel.from_pretrained(tiny("whisper")).encoder
    wanted = []
    for first in (0, 32_000):
        mel = prepare(clip.waveform.data[0][first : first + 32_000], sampling_rate=16_000, return_tensors="pt")
        wanted.append(run(encoder, input_features=mel.input_features).last_hidden_state[0].numpy())
    np.testing.assert_allclose(made.values, np.concatenate(wanted)[:166], atol=1e-5)
    np.testing.assert_allclose(made.times[:2], [[2, 2.02], [2.02, 2.04]])
    np.testing.assert_allclose(made.times[-1], [5.3, 5.31])


@pytest.mark.parametrize("name", ["clap", "clap_fused"])
def test_clap_gives_a_row_for_each_window(tiny: Tiny, name: str) -> None:
    clip = sound(5.0, 8_000)
    made = make(tiny, name)(clip)
    prepare = hf.ClapFeatureExtractor.from_pretrained(tiny(name))
    model = hf.ClapAudioModelWithProjection.from_pretrained(tiny(name))
    wanted = []
    for first in (0, 16_000, 32_000):
        inputs = prepare(clip.waveform.data[0][first : first + 16_000], sampling_rate=8_000, return_tensors="pt")
        inputs["is_longer"] = torch.zeros(1, 1, dtype=torch.bool)  # not one of them is cut
        wanted.append(run(model, **inputs).audio_embeds[0].numpy())
    np.testing.assert_allclose(made.values, wanted, atol=1e-5)
    np.testing.assert_allclose(made.times, [[2, 4], [4, 6], [6, 7]])
    np.testing.assert_array_equal(make(tiny, name)(clip).values, made.values)  # nothing is drawn at random


def test_clap_leaves_out_a_rest_of_nothing_much(tiny: Tiny) -> None:
    assert len(make(tiny, "clap")(sound(4.1, 8_000))) == 2
    assert len(make(tiny, "clap")(sound(4.3, 8_000))) == 3
    assert len(make(tiny, "clap")(sound(0.1, 8_000))) == 1


@pytest.mark.parametrize("name", ["wav2vec2", "whisper", "clap"])
def test_no_sound_gives_no_rows_and_several_channels_their_mean(tiny: Tiny, name: str) -> None:
    extractor = make(tiny, name)
    rate = extractor.sample_rate
    assert extractor(Clip(Span(0, 1))).values.shape == (0, extractor.dim)
    assert len(extractor(Clip(Span(0, 1), waveform=Waveform(np.zeros((1, 0), np.float32), rate, 0.0)))) == 0
    mono = sound(0.9, rate)
    both = Waveform(np.concatenate([mono.waveform.data * 2, mono.waveform.data * 0]), rate, 2.0)
    np.testing.assert_allclose(extractor(Clip(mono.span, waveform=both)).values, extractor(mono).values, atol=1e-5)
    with pytest.raises(BadQueryError, match="takes sound at"):
        extractor(sound(1, 11_025))
    with pytest.raises(MissingPartError, match="cinescope models get"):
        EXTRACTORS.create(name)


def test_sound_shorter_than_a_step_of_wav2vec2(tiny: Tiny) -> None:
    extractor = make(tiny, "wav2vec2")
    assert len(extractor(sound(399 / 16_000))) == 0
    assert len(extractor(sound(400 / 16_000))) == 1


def test_wrong_settings_and_wrong_files(tiny: Tiny, tmp_path: Path) -> None:
    for name, wrong in (("wav2vec2", {"window": 0.001}), ("clap", {"window": 60}), ("whisper", {"layer": "x"})):
        with pytest.raises(BadQueryError, match=next(iter(wrong))):
            make(tiny, name, **wrong)
    place = copy_of(tiny("whisper"), tmp_path)
    stated = json.loads((place / "preprocessor_config.json").read_text())
    (place / "preprocessor_config.json").write_text(json.dumps(stated | {"chunk_length": 30}))
    with pytest.raises(MissingPartError, match="prepares 480000 samples as 20 bands, and its encoder takes 32000"):
        EXTRACTORS.create("whisper", model=str(place))
    (place / "preprocessor_config.json").unlink()
    with pytest.raises(MissingPartError, match="does not say how its sound is prepared"):
        EXTRACTORS.create("whisper", model=str(place))


def test_what_one_step_sees() -> None:
    """wav2vec 2.0, section 4.2: a receptive field of 400 samples (25 ms) every 320."""
    assert receptive_field((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)) == 400
