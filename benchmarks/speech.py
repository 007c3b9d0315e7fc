"""Which words are heard offline, and where somebody speaks: real recordings, the recogniser of the default install.

python -m benchmarks.speech [--quick]     needs the shared data (CINESCOPE_TEST_DATA)

- jfk.flac at ten gains from 0.5 to 0.95, each through voice and transcript: the median word error rate.
- the short sentences that have a transcript (ASR_*.json), pooled: all errors over all words. Texts are compared in
  small letters without punctuation. Some references are themselves misheard ("KEN PAIRS" for canned pears, "TUE");
  they count as they are.
- intervals: 95%, percentile bootstrap; over the sentences, and for the one sentence of jfk over its words.
- the embedded subtitles of torchcodec__nasa_13013.mp4, whose first three cues are known.
- voice against the marks of VAD_*.json, sample by sample.
- the same sentence after different other ones: how many words, times or scores differ.

Nothing was chosen on these recordings: settings are the model's own, or come from speech rendered by flite.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.bars import Bars
from cinescope.analysers.transcript import Transcript
from cinescope.analysers.voice import Voice
from cinescope.features.speech.pocketsphinx import PocketSphinx
from cinescope.media import SoundReader, read_subtitles
from cinescope.types import Material, Segment, Span, Video, Waveform, Window

DATA = Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
JFK = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
NASA = (
    "NAR: This is the optical and science segment of the Webb",
    "space telescope in one of the largest cleanrooms in the world",
    "at NASA’s Goddard Space Flight Center in Greenbelt, Maryland.",
)
RATE = 16_000


def run(bars: Bars, quick: bool) -> None:
    """Measure and claim; `quick` takes 3 gains instead of 10."""
    voice_and_speed()
    jfk(bars, 3 if quick else 10)
    if not quick:
        beginnings()
    sentences(bars)
    subtitles(bars)
    repeatable(bars)


def jfk(bars: Bars, count: int) -> None:
    sound = read(DATA / "speech" / "jfk.flac")
    rates = []
    marks: list[int] = []
    for gain in np.linspace(0.5, 0.95, count):
        text = words_of(hear(sound * np.float32(gain)))
        marks = errors_by_word(JFK, text)
        rates.append(sum(marks) / len(JFK.split()))
        print(f"jfk gain {gain:.2f} word error {rates[-1]:.3f}: {text}")
    low, high = interval(marks, [1] * len(marks))
    print(f"jfk median {np.median(rates):.3f}, lowest {min(rates):.3f}, highest {max(rates):.3f}")
    print(f"jfk 95% over the words of the last: {low:.3f} to {high:.3f}")
    bars.at_most("speech.jfk.wer_median", float(np.median(rates)), 0.35)


def beginnings() -> None:
    """How much of the figure is chance: the same recording begun a few milliseconds later, less than a frame."""
    sound = read(DATA / "speech" / "jfk.flac")
    rates = []
    for late in (37, 80, 123, 400):
        text = words_of(hear(np.concatenate([np.zeros(late, np.float32), sound])))
        rates.append(sum(errors_by_word(JFK, text)) / len(JFK.split()))
    print(f"jfk begun 2 to 25 ms later: word error {', '.join(f'{rate:.3f}' for rate in rates)}")


def sentences(bars: Bars) -> None:
    wrong, total = [], []
    for name, reference in transcribed():
        text = words_of(hear(read(DATA / "speech" / f"{name}.wav")))
        marks = errors_by_word(reference, text)
        wrong.append(sum(marks))
        total.append(len(reference.split()))
        print(f"{name} {sum(marks)} of {len(reference.split())}: {reference} | {text}")
    low, high = interval(wrong, total)
    rate = float(np.sum(wrong) / np.sum(total))
    print(f"short sentences {len(wrong)}, words {np.sum(total)}, word error {rate:.3f}, 95% {low:.3f} to {high:.3f}")
    bars.equal("speech.short.sentences", len(wrong), 10)
    bars.at_most("speech.short.wer", rate, 0.42)


def subtitles(bars: Bars) -> None:
    tracks = tuple(read_subtitles(DATA / "media" / "torchcodec__nasa_13013.mp4"))
    transcript = Transcript()
    transcript.begin(Material(Video("", None, ()), tracks))
    found = transcript.feed(Window(Span(0, 60), cues={i: track.cues for i, track in enumerate(tracks)}))
    same = sum(s.text == text for s, text in zip(found, NASA, strict=False))
    bars.equal("speech.subtitles.as_they_are", same, len(NASA))


def repeatable(bars: Bars) -> None:
    sound = read(DATA / "speech" / "spk1_snt5.wav")
    shared, different = PocketSphinx(), 0
    alone = PocketSphinx().transcribe(sound, 0.0)
    for name, _ in transcribed():
        shared.transcribe(read(DATA / "speech" / f"{name}.wav"), 0.0)
        different += shared.transcribe(sound, 0.0) != alone
    bars.equal("speech.same_sound_other_words", different, 0)


def voice_and_speed() -> None:
    right = wrong = missed = 0
    for marks, name in (("VAD_train.json", "train.wav"), ("VAD_dev.json", "valid.wav")):
        sound = read(DATA / "speech_activity" / name)
        entries = json.loads((DATA / "speech" / marks).read_text()).values()
        truth, found = np.zeros(len(sound), bool), np.zeros(len(sound), bool)
        for entry in entries:
            times = [float(t) for t in entry["speech"].split()]
            for start, end in zip(times[::2], times[1::2], strict=True):
                truth[entry["wav"]["start"] + int(start * RATE) : entry["wav"]["start"] + int(end * RATE)] = True
        for segment in voiced(sound):
            found[int(segment.span.start * RATE) : int(segment.span.end * RATE)] = True
        marked = max(entry["wav"]["stop"] for entry in entries)
        truth, found = truth[:marked], found[:marked]
        right, wrong, missed = right + sum(truth & found), wrong + sum(found & ~truth), missed + sum(truth & ~found)
    print(f"voice precision {right / (right + wrong):.3f}, recall {right / (right + missed):.3f}, by samples")
    sound = np.tile(read(DATA / "speech" / "jfk.flac"), 6)
    begun = time.process_time()
    voiced(sound)
    print(f"voice costs {(time.process_time() - begun) / (len(sound) / RATE):.4f} CPU seconds a second of sound")
    recogniser, spent, seconds = PocketSphinx(), 0.0, 0.0
    recogniser.transcribe(sound[:RATE], 0.0)  # loads
    for name, _ in transcribed():
        sentence = read(DATA / "speech" / f"{name}.wav")
        begun = time.process_time()
        recogniser.transcribe(sentence, 0.0)
        spent, seconds = spent + time.process_time() - begun, seconds + len(sentence) / RATE
    begun = time.process_time()
    recogniser.transcribe(sound[: 11 * RATE], 0.0)
    jfk_cost = (time.process_time() - begun) / 11
    print(
        f"pocketsphinx costs {spent / seconds:.3f} (short sentences), {jfk_cost:.3f} (jfk) CPU seconds a second spoken"
    )


def read(path: Path) -> np.ndarray:
    """float32 (S,) at 16 kHz."""
    with SoundReader(path) as reader:
        end = reader.stream.duration or 0.0
        return reader.read(0.0, end, RATE, 1).data[0]


def transcribed() -> list[tuple[str, str]]:
    """The short sentences with a transcript: file stem, words in small letters."""
    found: dict[str, str] = {}
    for file in ("ASR_dev.json", "ASR_train.json"):
        found |= {name: plain(e["wrd"]) for name, e in json.loads((DATA / "speech" / file).read_text()).items()}
    return sorted(found.items())


def windows(sound: np.ndarray) -> Iterable[Window]:
    for low in range(0, len(sound), 2 * RATE):
        piece = sound[low : low + 2 * RATE]
        start = low / RATE
        yield Window(Span(start, start + len(piece) / RATE), sound=Waveform(piece[None], RATE, start))


def voiced(sound: np.ndarray) -> list[Segment]:
    voice = Voice()
    voice.begin(Material(Video("", None, ())))
    return [s for window in windows(sound) for s in voice.feed(window)] + voice.finish()


def hear(sound: np.ndarray) -> list[Segment]:
    """Through voice and transcript, as the ingest feeds them, by the recogniser of the default install."""
    voice, transcript = Voice(), Transcript(recogniser="pocketsphinx")
    material = Material(Video("", None, ()))
    voice.begin(material)
    transcript.begin(material)
    found: list[Segment] = []
    for window in windows(sound):
        told = {"voice": tuple(voice.feed(window))}
        found += transcript.feed(Window(window.span, sound=window.sound, tracks=told))
    end = len(sound) / RATE
    found += transcript.feed(Window(Span(end, end), tracks={"voice": tuple(voice.finish())}))
    return found + transcript.finish()


def words_of(segments: list[Segment]) -> str:
    return plain(" ".join(s.text for s in segments))


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9' ]", " ", text.lower().replace("’", "'")).split())


def errors_by_word(reference: str, heard: str) -> list[int]:
    """Errors that fall on each word of the reference; words too many fall on the one before them."""
    import jiwer

    marks = [0] * len(reference.split())
    for chunk in jiwer.process_words(reference, heard).alignments[0]:
        if chunk.type in ("substitute", "delete"):
            for at in range(chunk.ref_start_idx, chunk.ref_end_idx):
                marks[at] += 1
        elif chunk.type == "insert":
            marks[max(0, chunk.ref_start_idx - 1)] += chunk.hyp_end_idx - chunk.hyp_start_idx
    return marks


def interval(wrong: list[int], total: list[int]) -> tuple[float, float]:
    """95% of the pooled rate when the pieces are drawn again with replacement, 10,000 times (Efron 1979)."""
    errors, words = np.array(wrong), np.array(total)
    draws = np.random.default_rng(0).integers(0, len(errors), (10_000, len(errors)))
    low, high = np.quantile(errors[draws].sum(1) / words[draws].sum(1), [0.025, 0.975])
    return float(low), float(high)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="3 gains instead of 10")
    arguments = parser.parse_args()
    if not (DATA / "speech").is_dir():
        print(f"the shared data is not at {DATA}; set CINESCOPE_TEST_DATA", file=sys.stderr)
        return 2
    bars = Bars()
    run(bars, arguments.quick)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
