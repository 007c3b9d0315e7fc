from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hearing import RATE, data_file, listen, read_wave, say, through_json, windows
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.analysers import voice as module
from cinescope.analysers.voice import LONGEST, STEP, Voice, best_pause
from cinescope.features.speech.silero import CHUNK
from cinescope.types import BadQueryError, Material, Segment, Span, Video, Window


class Told:
    """A net that reads the probability off the sound itself: each chunk's first sample."""

    file = Path("told.onnx")

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        return samples.reshape(-1, CHUNK)[:, 0]

    def clear(self) -> None:
        pass

    def state(self) -> dict[str, object]:
        return {}

    def restore(self, state: dict[str, object]) -> None:
        pass


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Silero", Told)


def from_scores(scores: list[float]) -> np.ndarray:
    return np.repeat(np.array(scores, np.float32), CHUNK)


@pytest.fixture(scope="module")
def two_sentences(tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Two spoken sentences in silence, and where they stand."""
    folder = tmp_path_factory.mktemp("voice")
    first = say("The weather is fine today.", folder)
    second = say("We will go to the lake.", folder, "rms")
    quiet = np.zeros(RATE * 3 // 2, np.float32)
    sound = np.concatenate([quiet, first, quiet, second, quiet])
    begin = (len(quiet) / RATE, (2 * len(quiet) + len(first)) / RATE)
    return sound, [(begin[0], begin[0] + len(first) / RATE), (begin[1], begin[1] + len(second) / RATE)]


def test_speech_is_found_where_it_stands(two_sentences: tuple[np.ndarray, list[tuple[float, float]]]) -> None:
    sound, places = two_sentences
    found = listen(Voice(), windows(sound))
    assert [s.kind for s in found] == ["voice", "voice"]
    for segment, (start, end) in zip(found, places, strict=True):
        # flite begins and ends each sentence with a fifth of a second of silence.
        assert segment.span.start == pytest.approx(start + 0.1, abs=0.2)
        assert segment.span.end == pytest.approx(end - 0.1, abs=0.25)
        assert segment.score is not None
        assert segment.score > 0.6


def test_silence_hum_and_nothing_hold_no_voice() -> None:
    seconds = np.arange(6 * RATE) / RATE
    noise = np.random.default_rng(1).standard_normal(len(seconds)) * 0.01
    for sound in (np.zeros(6 * RATE), 0.3 * np.sin(2 * np.pi * 100 * seconds), noise):
        assert listen(Voice(), windows(sound)) == []
    silent = Voice()
    silent.begin(Material(Video("", 4.0, ())))
    assert silent.feed(Window(Span(0, 2))) == []
    assert silent.finish() == []


def test_where_windows_are_cut_changes_nothing(two_sentences: tuple[np.ndarray, list[tuple[float, float]]]) -> None:
    sound, _ = two_sentences
    whole = listen(Voice(), windows(sound, start=-1.5))
    random = np.random.default_rng(3)
    for _ in range(3):
        cuts = sorted(random.integers(1, len(sound), 9).tolist())
        assert listen(Voice(), windows(sound, -1.5, cuts)) == whole
    assert whole[0].span.start == pytest.approx(listen(Voice(), windows(sound))[0].span.start - 1.5)


def test_a_restored_voice_goes_on_where_it_was(two_sentences: tuple[np.ndarray, list[tuple[float, float]]]) -> None:
    sound, _ = two_sentences
    fed = windows(sound)
    whole = listen(Voice(), fed)
    for kill in range(1, len(fed)):
        first, second = Voice(), Voice()
        first.begin(Material(Video("", None, ())))
        found = [s for w in fed[:kill] for s in first.feed(w)]
        second.begin(Material(Video("", None, ())))
        second.restore(through_json(first.state()))
        first.feed(windows(np.ones(RATE))[0])  # what the first does afterwards is its own affair
        found += [s for w in fed[kill:] for s in second.feed(w)] + second.finish()
        assert found == whole


def test_samples_that_are_no_numbers_do_not_deafen_it(
    two_sentences: tuple[np.ndarray, list[tuple[float, float]]],
) -> None:
    sound, _ = two_sentences
    broken = sound.copy()
    broken[100:110] = np.nan
    broken[200] = np.inf
    assert len(listen(Voice(), windows(broken))) == 2


def test_speech_that_goes_on_is_cut_at_its_longest_pause(told: None) -> None:
    scores = [0.9] * 2200
    scores[500:503] = [0.1] * 3
    scores[600:608] = [0.1] * 8
    scores[700:704] = [0.1] * 4
    found = listen(Voice(), windows(from_scores(scores)))
    assert found[0].span.end == pytest.approx(600 * STEP + 0.1)
    assert found[0].data == {"goes_on": True}
    assert found[1].span.start == pytest.approx(608 * STEP - 0.1)
    assert [s.data for s in found][-1] == {}
    assert all(s.span.duration <= LONGEST for s in found)
    # Where there is no pause, nothing between the pieces is lost.
    assert found[2].span.start == pytest.approx(found[1].span.end)
    assert found[-1].span.end == pytest.approx(2200 * STEP)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_segments_are_ordered_short_and_the_same_however_fed(data: st.DataObject) -> None:
    runs = data.draw(st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(1, 900)), min_size=1, max_size=6))
    scores = [score for score, count in runs for _ in range(count)]
    sound = from_scores(scores)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(sound) - 1), max_size=4, unique=True)))

    def heard(marks: list[int] | None) -> list[Segment]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "Silero", Told)
            return listen(Voice(), windows(sound, 2.0, marks))

    found = heard(None)
    assert found == heard(cuts)
    ends = [2.0, *(s.span.end for s in found)]
    for segment, before in zip(found, ends, strict=False):
        assert before - 1e-9 <= segment.span.start < segment.span.end <= 2.0 + len(sound) / RATE + 1e-9
        assert segment.span.duration <= LONGEST + 1e-9
    covered = sum(s.span.duration for s in found)
    loud = sum(score >= 0.5 for score in scores) * STEP
    assert covered >= loud - 0.25 * len(runs) * 2 - 1e-6  # only what is shorter than a quarter of a second is left out


def test_nothing_is_longer_than_the_longest_with_its_margins(told: None) -> None:
    found = listen(Voice(), windows(from_scores([0.0] * 10 + [0.9] * 934 + [0.1] * 40)))
    assert max(s.span.duration for s in found) <= LONGEST
    assert sum(s.span.duration for s in found) >= 934 * STEP - 0.25


def test_a_pause_at_the_cut_ends_the_speech_there(told: None) -> None:
    found = listen(Voice(), windows(from_scores([0.9] * 920 + [0.1] * 4 + [0.4] * 14 + [0.9] * 100)))
    assert [s.data for s in found] == [{}, {}]
    assert found[0].span.end == pytest.approx(920 * STEP + 2 * STEP)
    assert found[1].span.start == pytest.approx(938 * STEP - 0.1)


def test_the_best_pause() -> None:
    assert best_pause([0.1] * 5 + [0.9] * 5 + [0.1, 0.1, 0.9, 0.1, 0.1, 0.9], 5, 0.35) == (13, 15)
    assert best_pause([0.9] * 20 + [0.6] * 5 + [0.9] * 20, 10, 0.35) == (22, 22)


def test_settings_that_mean_nothing_are_refused_and_those_that_do_are_in_the_source() -> None:
    for wrong in ({"threshold": 1.5}, {"min_silence": -1.0}, {"pad": 0.4}, {"min_silence": 20.0}):
        with pytest.raises(BadQueryError):
            Voice(**wrong)
    assert Voice().source.settings["model"].startswith("silero_vad")
    assert Voice(threshold=0.6).source.key != Voice().source.key


def test_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Voice.available() == ""
    monkeypatch.setattr("cinescope.features.speech.silero.find_spec", lambda name: None)
    assert "pip install faster-whisper" in Voice.available()


def test_activity_of_real_recordings() -> None:
    """Against the marks of the shared recordings, sample by sample; they leave pauses of a third of a second out."""
    right = wrong = missed = 0
    for marks, name in (("VAD_train.json", "train.wav"), ("VAD_dev.json", "valid.wav")):
        sound = read_wave(data_file(f"speech_activity/{name}"))
        entries = json.loads(data_file(f"speech/{marks}").read_text()).values()
        truth, found = np.zeros(len(sound), bool), np.zeros(len(sound), bool)
        for entry in entries:
            times = [float(t) for t in entry["speech"].split()]
            for start, end in zip(times[::2], times[1::2], strict=True):
                truth[entry["wav"]["start"] + int(start * RATE) : entry["wav"]["start"] + int(end * RATE)] = True
        for segment in listen(Voice(), windows(sound)):
            found[int(segment.span.start * RATE) : int(segment.span.end * RATE)] = True
        marked = max(entry["wav"]["stop"] for entry in entries)
        truth, found = truth[:marked], found[:marked]
        right, wrong, missed = (
            right + (truth & found).sum(),
            wrong + (found & ~truth).sum(),
            missed + (truth & ~found).sum(),
        )
    assert right / (right + missed) >= 0.95
    assert right / (right + wrong) >= 0.75
