from __future__ import annotations

import shutil
import subprocess
import wave

import jiwer
import numpy as np
import pytest

from cinescope.features.speech import Recogniser, recogniser
from cinescope.features.speech.pocketsphinx import LEVEL, PocketSphinx, levelled
from cinescope.types import MissingPartError

RATE = 16_000


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    if shutil.which("flite") is None:
        pytest.skip("flite, which speaks the test sentences, is not installed")
    file = tmp_path_factory.mktemp("said") / "said.wav"
    subprocess.run(["flite", "-voice", "rms", "-t", "we will meet at the station", "-o", str(file)], check=True)
    with wave.open(str(file)) as opened:
        return np.frombuffer(opened.readframes(opened.getnframes()), "<i2").astype(np.float32) / 32768


@pytest.fixture(scope="module")
def shared() -> PocketSphinx:
    return PocketSphinx()


def test_words_have_times_and_scores(spoken: np.ndarray, shared: PocketSphinx) -> None:
    heard = shared.transcribe(spoken, 50.0)
    assert jiwer.wer("we will meet at the station", heard.text) <= 0.2
    assert heard.text == " ".join(w.text for w in heard.words)
    assert heard.language == "en"
    assert heard.score is not None
    at = 50.0
    for word in heard.words:
        assert at - 1e-6 <= word.span.start < word.span.end <= 50.0 + len(spoken) / RATE + 1e-6
        assert word.score is not None
        assert 0 <= word.score <= 1
        assert not set(word.text) & set("<>[]()+")
        at = word.span.end


def test_the_same_sound_gives_the_same_words_whatever_came_before(spoken: np.ndarray, shared: PocketSphinx) -> None:
    """Also when something loud, something long and noisy, or nothing was heard before: words, times and scores."""
    alone = PocketSphinx().transcribe(spoken, 0.0)
    random = np.random.default_rng(0)
    befores = [
        np.clip(spoken[::-1].copy() * 4, -1, 1),
        (0.2 * random.standard_normal(2 * RATE)).astype(np.float32),
        np.zeros(RATE, np.float32),
        spoken[: RATE // 20],
    ]
    for before in befores:
        shared.transcribe(before, 0.0)
        assert shared.transcribe(spoken, 0.0) == alone


def test_how_loud_it_is_does_not_change_the_words(spoken: np.ndarray, shared: PocketSphinx) -> None:
    texts = {shared.transcribe(spoken * np.float32(gain), 0.0).text for gain in (0.05, 0.5, 0.95)}
    assert len(texts) == 1


def test_the_level_of_the_speech_is_that_of_the_standard() -> None:
    tone = np.sin(np.arange(2 * RATE) * 0.3).astype(np.float32)
    speech = np.concatenate([np.zeros(RATE, np.float32), 0.003 * tone, np.zeros(RATE, np.float32)])
    active = levelled(speech)[RATE : 3 * RATE]
    assert 10 * np.log10(np.mean(np.square(active))) == pytest.approx(LEVEL, abs=0.1)
    assert levelled(speech * 50) == pytest.approx(levelled(speech), abs=1e-6)
    clicked = speech.copy()
    clicked[10] = 1.0
    assert np.abs(levelled(clicked)).max() <= 1


@pytest.mark.parametrize("sound", [np.zeros(0), np.zeros(3 * RATE), np.ones(100), np.full(RATE, 1e-30)])
def test_nothing_is_heard_in_nothing(sound: np.ndarray, shared: PocketSphinx) -> None:
    heard = shared.transcribe(sound.astype(np.float32), 1.0)
    assert (heard.text, heard.words, heard.score) == ("", (), None)


def test_the_wrong_kind_of_array_is_refused(shared: PocketSphinx) -> None:
    for wrong in (np.zeros((1, RATE), np.float32), np.zeros(RATE)):
        with pytest.raises(ValueError, match="float32"):
            shared.transcribe(wrong, 0.0)


def test_it_is_found_by_name_and_says_what_it_is() -> None:
    made = recogniser("pocketsphinx")
    assert isinstance(made, Recogniser)
    assert set(made.settings) == {"model", "pocketsphinx"}


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cinescope.features.speech.pocketsphinx.find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match="pip install pocketsphinx"):
        PocketSphinx()
