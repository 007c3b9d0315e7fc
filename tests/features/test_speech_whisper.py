from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tiny_whisper import WORDS, save_tiny_whisper

from cinescope.analysers.transcript import Transcript
from cinescope.features.speech import Recogniser, recogniser
from cinescope.features.speech.whisper import Whisper
from cinescope.types import Material, MissingPartError, Segment, Source, Span, Video, Waveform, Window

pytest.importorskip("faster_whisper")
NOISE = (0.1 * np.random.default_rng(0).standard_normal(3 * 16_000)).astype(np.float32)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_tiny_whisper(folder / "faster-whisper-tiny-test")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the models folder that a test may damage, and no Hugging Face cache."""
    shutil.copytree(made, tmp_path / "models")
    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "models" / "faster-whisper-tiny-test"


def test_words_have_times_scores_and_a_detected_language(folder: Path) -> None:
    whisper = Whisper("tiny-test")
    assert isinstance(whisper, Recogniser)
    heard = whisper.transcribe(NOISE, 100.0)
    assert heard.language == "de"
    assert heard.words
    assert heard.text == " ".join(w.text for w in heard.words)
    at = 100.0
    for word in heard.words:
        assert f"Ġ{word.text}" in WORDS
        assert at <= word.span.start <= word.span.end <= 103.0
        assert word.score is not None
        assert 0 <= word.score <= 1
        at = word.span.start
    assert whisper.transcribe(NOISE[:8000], 0.0) is not None
    assert whisper.transcribe(NOISE, 100.0) == heard
    assert whisper.transcribe(NOISE[:0], 0.0).text == ""


def test_a_loop_of_the_decoder_is_not_taken_for_speech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path))
    save_tiny_whisper(tmp_path / "faster-whisper-loop", seed=0)  # says the same word over and over
    whisper = Whisper("loop")
    assert whisper.transcribe(NOISE, 0.0).text == ""
    monkeypatch.setattr("cinescope.features.speech.whisper.LOOP", 100.0)
    assert whisper.transcribe(NOISE, 0.0).text.count("welt") > 10


def test_the_best_recogniser_here_is_chosen_and_named(folder: Path) -> None:
    chosen = recogniser("auto")
    assert chosen is not None
    assert chosen.name == "faster-whisper:tiny-test"
    source = Transcript().source
    assert source.settings["recogniser"] == "faster-whisper:tiny-test"
    assert source.key != Transcript(recogniser="pocketsphinx").source.key
    save_tiny_whisper(folder, seed=1)  # another model of the same name is another source
    assert Transcript().source.key != source.key
    shutil.rmtree(folder)
    assert Transcript().source.settings["recogniser"] == "pocketsphinx"


def test_a_transcript_by_it_has_well_formed_segments(folder: Path) -> None:
    transcript = Transcript()
    # A sound marked as German: the recogniser reads many languages, so it listens.
    transcript.begin(Material(Video("", 3.0, (), language="de")))
    told = (Segment(Span(0.5, 2.5), "voice", Source("voice", "1")),)
    window = Window(Span(0, 3), sound=Waveform(NOISE[None], 16_000, 0.0), tracks={"voice": told})
    (segment,) = transcript.feed(window) + transcript.finish()
    assert (segment.kind, segment.language) == ("speech", "de")
    assert segment.data == {"origin": "faster-whisper:tiny-test"}
    assert segment.source.settings["recogniser"] == "faster-whisper:tiny-test"
    assert segment.words
    assert segment.span.start == segment.words[0].span.start
    for word in segment.words:
        assert 0.3 <= word.span.start <= word.span.end <= 2.7


def test_a_model_that_is_not_here_is_one_sentence(folder: Path) -> None:
    with pytest.raises(MissingPartError, match="cinescope models get faster-whisper-small"):
        recogniser("faster-whisper:small")
    shutil.rmtree(folder)
    with pytest.raises(MissingPartError, match="cinescope models get"):
        recogniser("faster-whisper")


def use_the_best() -> None:
    found = recogniser("auto")
    assert found is not None
    found.transcribe(NOISE, 0.0)


def damage_missing(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def damage_truncated(folder: Path) -> None:
    data = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(data[: len(data) // 2])


def damage_empty(folder: Path) -> None:
    (folder / "model.bin").write_bytes(b"")


def damage_kind(folder: Path) -> None:
    data = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(data.replace(b"\x0c\0WhisperSpec\0", b"\x10\0TransformerSpec\0", 1))


def damage_pickle(folder: Path) -> None:
    (folder / "model.bin").write_bytes(b"PK\x03\x04 a PyTorch checkpoint")


def damage_settings(folder: Path) -> None:
    (folder / "config.json").write_text("{not json")


def damage_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text(json.dumps({"version": "1.0"}))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damage_missing, "tokenizer.json missing"),
        (damage_truncated, "cannot be loaded"),
        (damage_empty, "damaged or of another format"),
        (damage_kind, "of the kind TransformerSpec"),
        (damage_pickle, "pickle"),
        (damage_settings, "cannot be loaded"),
        (damage_tokenizer, "cannot be loaded"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_damaged_model_is_one_sentence_and_never_another_recogniser(folder: Path, damage: object, said: str) -> None:
    assert callable(damage)
    damage(folder)
    with pytest.raises(MissingPartError) as caught:
        use_the_best()
    assert said in caught.value.what
    assert "\n" not in str(caught.value)
    assert "models get" in caught.value.do or "convert" in caught.value.do
