from __future__ import annotations

import logging
import math
from typing import Any

import jiwer
import numpy as np
import pytest
from hearing import RATE, VIDEO, data_file, say, through_json, transcribe, windows
from hypothesis import given
from hypothesis import strategies as st

from cinescope.analysers.transcript import BEHIND, HOLD, Transcript, spread
from cinescope.analysers.voice import LONGEST, Voice
from cinescope.features import speech
from cinescope.features.speech import Heard
from cinescope.media import read_subtitles
from cinescope.types import (
    BadQueryError,
    Cue,
    Material,
    Segment,
    Source,
    Span,
    Stream,
    SubtitleTrack,
    Video,
    Window,
    Word,
)


class Ears:
    """A recogniser that remembers what it was given and answers with its length and a mark of its samples."""

    name = "ears:1"
    settings = {"model": "ears one"}  # noqa: RUF012 - as the protocol has it
    languages = ("en",)

    def __init__(self) -> None:
        self.given: list[tuple[float, np.ndarray]] = []

    def transcribe(self, samples: np.ndarray, start: float) -> Heard:
        self.given.append((start, samples.copy()))
        text = f"{len(samples)} {samples.astype(np.float64).sum():.6f}"
        word = Word(text, Span(start, start + len(samples) / RATE), 0.5)
        return Heard(text, (word,), "en", 0.5)


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch) -> Ears:
    made = Ears()
    monkeypatch.setattr(speech, "recogniser", lambda *args: made)
    return made


@pytest.fixture(scope="module")
def sentence(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    quiet = np.zeros(RATE, np.float32)
    return np.concatenate([quiet, say("the weather is very good today", tmp_path_factory.mktemp("said")), quiet])


def voiced(*spans: tuple[float, float], goes_on: bool = False) -> tuple[Segment, ...]:
    data = {"goes_on": True} if goes_on else {}
    return tuple(Segment(Span(*s), "voice", Source("voice", "1"), data=data) for s in spans)


def fed_with(sound: np.ndarray, told: dict[int, tuple[Segment, ...]]) -> list[Window]:
    """Windows of 2 s; `told` says after which of them voice tells what."""
    made = windows(sound)
    return [Window(w.span, sound=w.sound, tracks={"voice": told.get(i, ())}) for i, w in enumerate(made)]


def run(fed: list[Window], **settings: Any) -> list[Segment]:
    transcript = Transcript(**settings)
    transcript.begin(Material(VIDEO))
    return [s for w in fed for s in transcript.feed(w)] + transcript.finish()


def subtitled(*tracks: SubtitleTrack) -> list[Window]:
    """Windows of 2 s without sound that carry the cues, as the ingest deals them out."""
    end = max(cue.span.end for track in tracks for cue in track.cues)
    made = []
    for n in range(math.ceil(end / 2)):
        span = Span(2.0 * n, 2.0 * n + 2)
        cues = {i: tuple(c for c in t.cues if span.contains(c.span.start)) for i, t in enumerate(tracks)}
        made.append(Window(span, cues={i: c for i, c in cues.items() if c}))
    return made


def test_subtitles_are_taken_as_they_are_in_every_language() -> None:
    english = SubtitleTrack((Cue(Span(0.5, 2.5), "Good morning,\neverybody!", "Anna"),), "en", "embedded:2", "SDH")
    chinese = SubtitleTrack((Cue(Span(0.5, 2.5), "大家早上好！"), Cue(Span(3, 4), " \n")), "zh", "beside:talk.zh.srt")
    fed = subtitled(english, chinese)
    found = transcribe(fed, tracks=(english, chinese))
    first, second = found
    assert (first.kind, first.text, first.language, first.who) == ("speech", "Good morning,\neverybody!", "en", "Anna")
    assert first.span == Span(0.5, 2.5)
    assert first.data == {"origin": "embedded:2", "word_times": "estimated", "title": "SDH"}
    assert [w.text for w in first.words] == ["Good", "morning,", "everybody!"]
    assert first.words[1].span.start == pytest.approx(0.5 + 2 * 4 / 22)
    assert (second.text, second.language) == ("大家早上好！", "zh")
    assert second.data == {"origin": "beside:talk.zh.srt", "word_times": "estimated"}
    assert [w.text for w in second.words] == ["大", "家", "早", "上", "好！"]


def test_with_subtitles_the_sound_is_not_recognised(ears: Ears) -> None:
    track = SubtitleTrack((Cue(Span(0, 2), "words"),), "en", "beside:a.srt")
    told = {"voice": voiced((0.5, 1.5))}
    fed = [
        Window(w.span, sound=w.sound, cues={0: track.cues} if w.span.start == 0 else {}, tracks=told)
        for w in windows(np.ones(4 * RATE) * 0.1)
    ]
    transcript = Transcript()
    transcript.begin(Material(VIDEO, (track,)))
    assert [s.text for w in fed for s in transcript.feed(w)] == ["words"]
    assert transcript.finish() == []
    assert not ears.given
    assert transcript.state()["sound"].size == 0


def test_never_means_that_subtitles_are_left_alone(ears: Ears) -> None:
    track = SubtitleTrack((Cue(Span(0, 2), "words"),), "en", "beside:a.srt")
    transcript = Transcript(subtitles="never")
    transcript.begin(Material(VIDEO, (track,)))
    (window, _) = windows(np.ones(4 * RATE) * 0.1)
    found = transcript.feed(
        Window(window.span, sound=window.sound, cues={0: track.cues}, tracks={"voice": voiced((0.5, 1.5))})
    )
    assert [s.data["origin"] for s in found + transcript.finish()] == ["ears:1"]


def test_subtitles_of_signs_alone_do_not_stand_for_the_speech(ears: Ears) -> None:
    track = SubtitleTrack((Cue(Span(0, 2), "[in Dutch] welcome"),), "en", "embedded:3", "English (Forced)")
    transcript = Transcript()
    transcript.begin(Material(VIDEO, (track,)))
    (window, _) = windows(np.ones(4 * RATE) * 0.1)
    found = transcript.feed(
        Window(window.span, sound=window.sound, cues={0: track.cues}, tracks={"voice": voiced((0.5, 1.5))})
    )
    assert [s.data["origin"] for s in found + transcript.finish()] == ["embedded:3", "ears:1"]
    unheard = Transcript()
    unheard.begin(Material(VIDEO))
    assert unheard.feed(Window(Span(0, 2), tracks={"voice": voiced((0.5, 1.5))})) + unheard.finish() == []


def test_cues_come_in_order_once_they_have_ended_and_survive_a_kill() -> None:
    long = SubtitleTrack((Cue(Span(0, 5), "long", "Bo"), Cue(Span(7, 8), "later")), "en", "embedded:2")
    short = SubtitleTrack((Cue(Span(1, 2), "court"), Cue(Span(3, 3.5), "bref")), "fr", "embedded:3")
    first, second = Transcript(), Transcript()
    for transcript in (first, second):
        transcript.begin(Material(VIDEO, (long, short)))
    fed = subtitled(long, short)
    assert [first.feed(w) for w in fed[:2]] == [[], []]
    second.restore(through_json(first.state()))
    given = [[s.text for s in second.feed(w)] for w in fed[2:]]
    assert given == [["long", "court", "bref"], ["later"]]


def test_the_same_cue_in_two_tracks_is_one_segment() -> None:
    cues = (Cue(Span(0, 1), "one"), Cue(Span(1, 2), "one"))
    tracks = (SubtitleTrack(cues, "en", "embedded:2"), SubtitleTrack(cues, "en", "beside:a.en.srt"))
    assert [s.data["origin"] for s in transcribe(subtitled(*tracks), tracks=tracks)] == ["embedded:2"] * 2


def test_embedded_subtitles_of_a_real_file() -> None:
    tracks = tuple(read_subtitles(data_file("media/torchcodec__nasa_13013.mp4")))
    found = transcribe(subtitled(*tracks), tracks=tracks)
    assert [(round(s.span.start, 6), round(s.span.end, 6), s.text) for s in found[:3]] == [
        (0.21, 4.26, "NAR: This is the optical and science segment of the Webb"),
        (4.26, 8.35, "space telescope in one of the largest cleanrooms in the world"),
        (8.35, 12.47, "at NASA’s Goddard Space Flight Center in Greenbelt, Maryland."),
    ]
    assert {(s.language, s.data["origin"]) for s in found} == {("en", "embedded:2")}


@given(st.text(max_size=60), st.floats(-5, 1e5), st.floats(0, 30))
def test_spread_words_lie_in_the_cue_in_order(text: str, start: float, length: float) -> None:
    span = Span(start, start + length)
    words = spread(text, span)
    at = span.start
    for word in words:
        assert word.text in text
        assert at <= word.span.start + 1e-6
        assert word.span.start <= word.span.end <= span.end
        at = word.span.end
    assert bool(words) == any(c.isalnum() for c in text)


def test_an_utterance_is_what_voice_told_and_a_little_more(ears: Ears) -> None:
    sound = np.arange(10 * RATE, dtype=np.float32) / (10 * RATE)
    found = run(fed_with(sound, {1: voiced((1.0, 2.0)), 3: voiced((3.9, 5.9))}))
    assert [round(start, 6) for start, _ in ears.given] == [0.8, 3.7]
    assert np.array_equal(ears.given[0][1], sound[round(0.8 * RATE) : round(2.2 * RATE)])
    # The sound after 5.9 s came with a later window: the utterance waited for it.
    assert np.array_equal(ears.given[1][1], sound[round(3.7 * RATE) : round(6.1 * RATE)])
    assert [(s.kind, s.language, s.score, s.data) for s in found] == [("speech", "en", 0.5, {"origin": "ears:1"})] * 2
    assert found[0].span == found[0].words[0].span


def test_pieces_of_speech_that_goes_on_share_no_sound(ears: Ears) -> None:
    sound = np.random.default_rng(0).random(64 * RATE).astype(np.float32)
    told = {16: voiced((1.0, 31.0), goes_on=True), 31: voiced((31.0, 60.0))}
    run(fed_with(sound, told))
    (first, before), (second, after) = ears.given
    assert first + len(before) / RATE == pytest.approx(31.0, abs=1e-4)
    assert second == pytest.approx(31.0, abs=1e-4)
    assert max(len(before), len(after)) <= LONGEST * RATE


def test_what_is_told_early_late_or_at_the_end_is_heard_alike(ears: Ears) -> None:
    sound = np.random.default_rng(0).random(20 * RATE).astype(np.float32)
    segments = voiced((1.0, 2.0), (4.0, 7.0), (18.0, 20.0))
    one = run(fed_with(sound, {1: segments[:1], 4: segments[1:2], 9: segments[2:]}))
    two = run(fed_with(sound, {0: segments[:1], 3: segments[1:2], 9: segments[2:]}))
    fed = fed_with(sound, {2: segments[:1], 9: segments[1:2]})
    three = run([*fed, Window(Span(20, 20), tracks={"voice": segments[2:]})])
    assert len(one) == 3
    assert one == two == three


def test_a_restored_transcript_goes_on_where_it_was(ears: Ears) -> None:
    sound = np.random.default_rng(0).random(20 * RATE).astype(np.float32)
    segments = voiced((1.0, 2.0), (4.0, 7.9), (9.0, 16.0))
    fed = fed_with(sound, {1: segments[:1], 3: segments[1:2], 8: segments[2:]})
    whole = run(fed)
    assert len(whole) == 3
    for kill in range(1, len(fed)):
        first, second = Transcript(), Transcript()
        first.begin(Material(VIDEO))
        found = [s for w in fed[:kill] for s in first.feed(w)]
        second.begin(Material(VIDEO))
        second.restore(through_json(first.state()))
        found += [s for w in fed[kill:] for s in second.feed(w)] + second.finish()
        assert found == whole


def test_words_come_a_fixed_while_after_they_were_said(ears: Ears) -> None:
    sound = np.random.default_rng(0).random(60 * RATE).astype(np.float32)
    transcript = Transcript()
    transcript.begin(Material(VIDEO))
    came = {
        s.text: w.span.end for w in fed_with(sound, {1: voiced((1.0, 2.0)), 3: voiced((5.0, 6.0))})
        for s in transcript.feed(w)
    }  # fmt: skip
    # Told in the windows that end at 4 and 8 s, the sound of both was there by then.
    assert list(came.values()) == [4 + BEHIND, 8 + BEHIND]


def test_memory_is_bounded(ears: Ears) -> None:
    transcript = Transcript()
    transcript.begin(Material(VIDEO))
    for window in windows(np.zeros(300 * RATE, np.float32)):
        transcript.feed(window)
        assert transcript.state()["sound"].size <= (HOLD + 2) * RATE
    window = windows(np.zeros(2 * RATE, np.float32), 300.0)[0]
    transcript.feed(Window(window.span, sound=window.sound, tracks={"voice": voiced((290.0, 301.0))}))
    assert transcript.state()["sound"].size <= 2 * RATE


def test_the_longest_speech_is_still_in_memory_when_voice_tells_it(ears: Ears) -> None:
    class Loud:
        """Voice that hears speech in everything, and so tells it as late as it ever may."""

        def clear(self) -> None:
            pass

        def __call__(self, samples: np.ndarray) -> np.ndarray:
            return np.full(len(samples) // 512, 0.9, np.float32)

    voice = Voice()
    net = voice._net
    voice._net = Loud()  # type: ignore[assignment]
    voice._net.file = net.file
    found = transcribe(windows(np.ones(100 * RATE, np.float32)), voice=voice)
    assert sum(len(samples) for _, samples in ears.given) == pytest.approx(100 * RATE, abs=4)
    assert len(found) == 4


def test_a_language_the_recogniser_does_not_know_is_said_not_guessed(
    ears: Ears, caplog: pytest.LogCaptureFixture
) -> None:
    video = Video("", 4.0, (Stream(0, "audio", "aac", language="de"),))
    with caplog.at_level(logging.WARNING):
        assert transcribe(windows(np.ones(4 * RATE) * 0.1), video=video) == []
    assert "'de'" in caplog.text
    assert "models get" in caplog.text
    assert not ears.given


def test_speech_is_recognised_with_times_and_origin(sentence: np.ndarray) -> None:
    (found,) = transcribe(windows(sentence, 100.0), transcript=Transcript(recogniser="pocketsphinx"))
    assert jiwer.wer("the weather is very good today", found.text) <= 0.2
    assert found.language == "en"
    assert found.data == {"origin": "pocketsphinx"}
    assert found.score is not None
    assert 0 < found.score <= 1
    starts = [w.span.start for w in found.words]
    assert starts == sorted(starts)
    assert 101.0 <= starts[0] <= 101.6
    assert found.span.end <= 100 + len(sentence) / RATE - 0.9
    today = found.words[-1]
    assert today.text == "today"
    assert today.span.start > 101.0 + (len(sentence) / RATE - 2) / 2


def test_the_source_names_the_recogniser_that_ran() -> None:
    source = Transcript(recogniser="pocketsphinx").source
    assert source.settings["recogniser"] == "pocketsphinx"
    assert source.settings["model"] == "en-us"
    silent = Transcript(recogniser="none")
    assert silent.source.settings == {"subtitles": "first", "recogniser": "none"}
    assert silent.source.key != source.key
    silent.begin(Material(VIDEO))
    assert [s for w in windows(np.ones(4 * RATE)) for s in silent.feed(w)] + silent.finish() == []


def test_settings_that_mean_nothing_are_refused() -> None:
    for wrong in ({"subtitles": "perhaps"}, {"recogniser": "parrot"}):
        with pytest.raises(BadQueryError):
            Transcript(**wrong)


def test_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Transcript.available() == ""
    monkeypatch.setattr("cinescope.features.speech.pocketsphinx.find_spec", lambda name: None)
    monkeypatch.setattr("cinescope.features.speech.whisper.find_spec", lambda name: None)
    assert "pip install pocketsphinx" in Transcript.available()
