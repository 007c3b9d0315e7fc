"""Camera, faces, kinds of sound, picture quality, loudness: how right they are, and what they cost.

`python -m benchmarks.senses [--quick] [--only camera ...]` in a checkout, with the shared data beside it or named by
CINESCOPE_TEST_DATA.

Thresholds and weights were chosen on even seeds; what is printed is of odd seeds that were not looked at while
building, and of the shared clips, which were (so those lines tell less). Recall: a true stretch counts as found when
at least 60% of it, less 0.2 s at its ends, is told as its kind; precision: a told stretch is right when at least 60% of
it is of that kind. Quality besides wants both ends within 0.3 s. Sound is counted by the quarter second, less half a
second at the ends.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import senses_camera, senses_cost, senses_damage, senses_faces_measure, senses_quality, senses_sound
from benchmarks.bars import Bars
from cinescope.types import Analyser, Frames, Material, Segment, Span, Video, Waveform, Window

LEAST = 0.9  # precision and recall of an analyser that runs by default
CAMERA_SEEDS = range(81, 201, 2)
QUALITY_SEEDS = range(121, 201, 2)
SOUND_SEEDS = range(61, 121, 2)
DAMAGE_SEEDS = range(101, 161, 2)
WINDOW = 2.0
Stretch = tuple[float, float, str]


def data_folder() -> Path:
    return Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


class Tally:
    """Found and true, right and told, by kind."""

    def __init__(self) -> None:
        self.true: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.right: Counter[str] = Counter()

    def claim(self, bars: Bars, name: str, kinds: Iterable[str]) -> None:
        for kind in kinds:
            if not self.true[kind]:
                continue
            word = kind.replace(" ", "_")
            recall = self.found[kind] / self.true[kind]
            # A kind that is there and never told has no precision worth speaking of.
            precision = self.right[kind] / self.told[kind] if self.told[kind] else 0.0
            bars.at_least(f"senses.{name}.{word}.recall", recall, LEAST)
            bars.at_least(f"senses.{name}.{word}.precision", precision, LEAST)
        print(f"{name}: true {dict(self.true)}, told {dict(self.told)}")


def covered(start: float, end: float, stretches: Iterable[Stretch], kind: str) -> float:
    return sum(max(0.0, min(end, b) - max(start, a)) for a, b, k in stretches if k == kind)


def stretches_of(segments: Iterable[Segment]) -> list[Stretch]:
    return [(s.span.start, s.span.end, s.text) for s in segments]


def camera(bars: Bars, quick: bool) -> None:
    from cinescope.analysers.camera import RATE, Camera

    media, tally = data_folder() / "media", Tally()
    for seed in CAMERA_SEEDS[:10] if quick else CAMERA_SEEDS:
        pictures, events = senses_camera.scene(seed, media, RATE)
        told = stretches_of(feed_pictures(Camera(), pictures[..., None], RATE))
        true = [(e.start, e.end, e.kind) for e in events]
        for start, end, kind in true:
            tally.true[kind] += 1
            least = 0.6 * (end - start - 0.4)
            tally.found[kind] += covered(start + 0.2, end - 0.2, told, kind) >= least
        for start, end, kind in told:
            tally.told[kind] += 1
            tally.right[kind] += covered(start, end, true, kind) >= 0.6 * (end - start)
    tally.claim(bars, "camera", senses_camera.KINDS)
    moved = 0.0
    for name in senses_camera.STANDING:
        told = stretches_of(read_pictures(Camera(), media / name))
        moved += sum(b - a for a, b, kind in told if kind != "still")
    bars.at_most("senses.camera.standing_clips.moved_seconds", moved, 0.0)


def quality(bars: Bars, quick: bool) -> None:
    from cinescope.analysers.quality import Quality

    media, tally, worst = data_folder() / "media", Tally(), []
    with tempfile.TemporaryDirectory() as folder:
        for seed in QUALITY_SEEDS[:8] if quick else QUALITY_SEEDS:
            path = Path(folder) / f"{seed}.mp4"
            true = [(f.start, f.end, f.kind) for f in senses_quality.video(seed, media, path)]
            told = stretches_of(read_pictures(Quality(), path))
            for start, end, kind in true:
                tally.true[kind] += 1
                away = [max(abs(a - start), abs(b - end)) for a, b, k in told if k == kind]
                tally.found[kind] += min(away, default=9.0) <= 0.3
                worst += [min(away)] if away and min(away) <= 0.3 else []
            for start, end, kind in told:
                tally.told[kind] += 1
                tally.right[kind] += covered(start, end, true, kind) >= 0.6 * (end - start)
            path.unlink()
    tally.claim(bars, "quality", senses_quality.KINDS)
    print(f"quality: ends of what is found are within {np.median(worst):.3f} s (median), {max(worst):.3f} s (all)")
    false = 0
    for name in sorted({name for name, _, _ in senses_quality.MOVING}):
        told = read_pictures(Quality(), media / name)
        # The rabbit's film does begin with 0.75 s of black.
        false += sum(s.data["fault"] and not (s.text == "black" and s.span.start < 0.1) for s in told)
    bars.at_most("senses.quality.clean_clips.faults", false, 0)


def damage(bars: Bars, quick: bool) -> None:
    """By the picture. Precision: of those told, how many differ from the intact file's at all; recall: of those that
    differ to be seen, how many are told."""
    media = data_folder() / "media"
    for form in senses_damage.CLAIMED if quick else senses_damage.FORMS:
        told, right, seen, found = 0, 0, 0, 0
        for seed in DAMAGE_SEEDS[:6] if quick else DAMAGE_SEEDS:
            with tempfile.TemporaryDirectory() as folder:
                path, pictures = senses_damage.video(seed, form, media, Path(folder))
                stretches = quality_of(path)
            for picture in pictures:
                says = any(a - 1e-3 <= picture.time < b - 1e-3 for a, b, k in stretches if k == "corrupted")
                told, right = told + says, right + (says and picture.other)
                seen, found = seen + picture.visible, found + (says and picture.visible)
        precision, recall = right / max(1, told), found / max(1, seen)
        print(f"damage {form}: {told} pictures told, {right} of them hurt; {seen} hurt to be seen, {found} told")
        if form in senses_damage.CLAIMED:
            bars.at_least(f"senses.damage.{form}.precision", precision, LEAST)
            bars.at_least(f"senses.damage.{form}.recall", recall, LEAST)
        else:
            print(f"damage {form}: precision {precision:.3f}, recall {recall:.3f} (not claimed)")
    false = sum(k == "corrupted" for path in sorted(media.iterdir()) for *_, k in quality_of(path))
    bars.at_most("senses.damage.clean_clips", false, 0)


def quality_of(path: Path) -> list[Stretch]:
    """What `quality` says of a file, fed as `index` feeds it."""
    from cinescope.library.analysis import Assignment, Job, analyse
    from cinescope.media import probe

    made: list[Segment] = []
    for stretch in analyse(Assignment(str(path), probe(path), (), (Job("quality", {}, "quality"),))):
        made += [segment for part in stretch.parts for segment in part.segments]
        if stretch.failed:
            raise RuntimeError(f"{path.name}: {stretch.failed}")
    return stretches_of(made)


def sound(bars: Bars, quick: bool) -> None:
    shared, drawn, real = data_folder(), Tally(), Tally()
    kinds = ("silence", *senses_sound.KINDS)
    for seed in SOUND_SEEDS[:6] if quick else SOUND_SEEDS:
        samples, true = senses_sound.sequence(seed, shared)
        count_sound(drawn, true, kinds_of(samples))
    drawn.claim(bars, "sound.drawn", kinds)
    from cinescope.media import probe, read_sound

    for name, heard in senses_sound.HEARD:
        path = shared / name
        samples = read_sound(path, 0.0, probe(path).duration or 0.0, senses_sound.RATE, 1).data[0]
        count_sound(real, heard, kinds_of(samples))
    real.claim(bars, "sound.shared", kinds)


def kinds_of(samples: np.ndarray) -> list[Stretch]:
    from cinescope.analysers.sound_kinds import SoundKinds
    from cinescope.analysers.voice import Voice

    voice = [s for s in feed_sound(Voice(), samples[None]) if s.kind == "voice"]
    return stretches_of(feed_sound(SoundKinds(), samples[None], voice))


def count_sound(tally: Tally, true: Iterable[Stretch], told: list[Stretch]) -> None:
    for start, end, kind in true:
        for time in np.arange(start + 0.5, end - 0.4, 0.25):
            heard = next((k for a, b, k in told if a <= time < b), "nothing")
            tally.true[kind] += 1
            tally.told[heard] += 1
            tally.found[kind] += heard == kind
            tally.right[heard] += heard == kind


def loudness(bars: Bars, quick: bool) -> None:
    """Against ffmpeg's meter on every shared clip with at least a second of sound (it counts blocks that are not whole
    at the beginning, which the standard does not, and which tells in shorter ones), and silences drawn into noise."""
    from cinescope.analysers.loudness import Loudness
    from cinescope.media import SoundReader, probe

    apart, peaks, count = 0.0, 0.0, 0
    native: list[tuple[float, str]] = []
    for path in sorted((data_folder() / "media").glob("*")) if shutil.which("ffmpeg") else []:
        if probe(path).first("audio") is None:
            continue
        with SoundReader(path) as reader:
            samples = reader.read(0.0, (probe(path).duration or 60.0) + 1.0, 48_000, None).data
            theirs = ffmpeg_says(path, reader.stream.index)
        sounding = np.flatnonzero(samples.any(axis=0))
        if len(sounding) < 48_000 or theirs is None:
            continue
        ours = feed_sound(Loudness(), samples[:, sounding[0] : sounding[-1] + 1])[-1].data
        if ours["integrated"] is None or theirs[0] <= -70:
            continue
        apart = max(apart, abs(ours["integrated"] - theirs[0]))
        peaks = max(peaks, abs(ours["true_peak"] - theirs[1]))
        count += 1
        as_recorded = ffmpeg_says(path, reader.stream.index, resampled=False)
        native += [(abs(ours["integrated"] - as_recorded[0]), path.name)] if as_recorded else []
    print(f"loudness: {count} clips beside ffmpeg's ebur128 at 48 kHz")
    over = ", ".join(f"{name} {value:.2f} LU" for value, name in sorted(native, reverse=True) if value > 0.1)
    print(f"loudness: beside ffmpeg's ebur128 at the rate as recorded, apart by more than 0.1: {over or 'none'}")
    bars.at_most("senses.loudness.integrated_apart_lu", apart if count else float("nan"), 0.1)
    bars.at_most("senses.loudness.true_peak_apart_db", peaks if count else float("nan"), 0.3)
    worst, missed = 0.0, 0
    for seed in range(1, 11 if quick else 41, 2):
        rng = np.random.default_rng([19, seed])
        noise = rng.normal(0, 10 ** (-rng.uniform(12, 30) / 20), (2, 20 * 48_000)).astype(np.float32)
        edges = np.sort(rng.uniform(0.5, 19.5, 6)).reshape(3, 2)
        for a, b in edges:
            noise[:, round(a * 48_000) : round(b * 48_000)] *= 0.0003
        told = [s.span for s in feed_sound(Loudness(), noise) if s.kind == "silence"]
        for a, b in (e for e in edges if e[1] - e[0] >= 0.55):
            away = min((max(abs(s.start - a), abs(s.end - b)) for s in told), default=9.0)
            # Two silences with less than a unit of sound between them are one.
            missed += away > 0.05
            worst = max(worst, away if away <= 0.05 else 0.0)
    print(f"loudness: ends of silences are within {worst:.3f} s")
    bars.at_most("senses.loudness.silences_missed_or_off_by_50_ms", missed, 0)


def ffmpeg_says(path: Path, stream: int, resampled: bool = True) -> tuple[float, float] | None:
    """Integrated loudness and true peak of a stream; None where ffmpeg cannot read the sound.

    `resampled`: at 48 kHz, for which BS.1770 states its filter's coefficients; else at the rate as recorded, for which
    ffmpeg derives its own.
    """
    meter = ("aresample=48000," if resampled else "") + "ebur128=peak=true"
    command = ["ffmpeg", "-nostats", "-hide_banner", "-i", str(path), "-map", f"0:{stream}", "-af", meter]
    log = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True, timeout=120, check=False).stderr
    if "Summary:" not in log:
        return None
    summary = log[log.rindex("Summary:") :]
    found = [re.search(rf"{what}:\s+(-?[\d.]+|-inf)", summary) for what in ("I", "Peak")]
    if None in found:
        return None
    return float(found[0].group(1)), float(found[1].group(1))  # type: ignore[union-attr]


def faces(bars: Bars, quick: bool) -> None:
    senses_faces_measure.measure(bars, quick, data_folder())


def cost(bars: Bars, quick: bool) -> None:
    """Processor seconds for a minute of 720p."""
    if shutil.which("ffmpeg") is None:
        print("cost: ffmpeg is not installed, nothing is measured", file=sys.stderr)
        bars.at_most("senses.cost.picture_and_loudness_over_planes", float("nan"), 2.0)
        return
    times = 1 if quick else 3
    with tempfile.TemporaryDirectory() as folder:
        path = senses_cost.clip(data_folder() / "media", Path(folder))
        bare = senses_cost.spent(lambda: senses_cost.decode(path), times)
        base = senses_cost.spent(lambda: senses_cost.planes(path, senses_cost.PICTURES), times)
        print(f"cost: one minute of 720p: decode {bare:.2f} s, with the planes {base:.2f} s")
        for name in senses_cost.ANALYSERS:
            names = ("shots", "picture_stats") if name == "picture_stats" else (name,)
            alone = senses_cost.spent(lambda names=names: senses_cost.analyse(path, names), times)  # type: ignore[misc]
            print(f"cost: {name} with what it reads {alone:.2f} s, {alone / bare:.2f} times decode")
        everything = senses_cost.spent(lambda: senses_cost.analyse(path, senses_cost.ANALYSERS), times)
        print(f"cost: all of them together {everything:.2f} s, {everything / bare:.2f} times decode")
    bars.at_most("senses.cost.picture_and_loudness_over_planes", everything / base, 2.0)


def feed_pictures(analyser: Analyser, pictures: np.ndarray, rate: float) -> list[Segment]:
    """(T, H, W, C) at k / rate, as already scaled."""
    length = len(pictures) / rate
    analyser.begin(Material(Video("", length, ())))
    made: list[Segment] = []
    per_window = round(WINDOW * rate)
    need = analyser.needs.frames
    assert need is not None
    for at in range(0, len(pictures), per_window):
        part = pictures[at : at + per_window]
        times = np.arange(at, at + len(part)) / rate
        span = Span(at / rate, (at + per_window) / rate)
        made += analyser.feed(Window(span, Frames(part, times, need.pixels), (1 / rate,) * len(part)))
    return made + analyser.finish()


def read_pictures(analyser: Analyser, path: Path) -> list[Segment]:
    """Of a file, as the ingest feeds them."""
    from cinescope.library.feeding import Reel
    from cinescope.media import probe

    video = probe(path)
    analyser.begin(Material(video))
    need = analyser.needs.frames
    assert need is not None
    reel = Reel(str(path), video, frame_needs=(need,))
    made: list[Segment] = []
    for piece in reel.slices(reel.start):
        frames = piece.frames.get(need)
        window = Window(piece.span, frames[0] if frames else None, frames[1] if frames else ())
        made += analyser.feed(window)
    return made + analyser.finish()


def feed_sound(analyser: Analyser, samples: np.ndarray, voice: Iterable[Segment] = ()) -> list[Segment]:
    """(C, S) at the rate the analyser wants."""
    need = analyser.needs.sound
    assert need is not None
    rate, length = need.sample_rate, samples.shape[1] / need.sample_rate
    analyser.begin(Material(Video("", length, ())))
    size, made = round(WINDOW * rate), []
    voice = list(voice)
    for number in range(-(-samples.shape[1] // size)):
        part = samples[:, number * size : (number + 1) * size]
        part = np.pad(part, ((0, 0), (0, size - part.shape[1]))).astype(np.float32)
        span = Span(number * WINDOW, (number + 1) * WINDOW)
        tracks = {n: tuple(s for s in voice if span.start < s.span.end <= span.end) for n in analyser.needs.tracks}
        made += analyser.feed(Window(span, sound=Waveform(part, rate, span.start), tracks=tracks))
    return made + analyser.finish()


SENSES: dict[str, Callable[[Bars, bool], Any]] = {
    "camera": camera, "faces": faces, "quality": quality, "damage": damage, "sound": sound,
    "loudness": loudness, "cost": cost,
}  # fmt: skip


def run(bars: Bars, quick: bool, only: Iterable[str] = ()) -> None:
    for name in only or SENSES:
        SENSES[name](bars, quick)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer seeds, about a minute")
    parser.add_argument("--only", nargs="+", choices=list(SENSES), default=[])
    given = parser.parse_args()
    if not (data_folder() / "media").is_dir():
        print(f"the shared clips are not at {data_folder()}; set CINESCOPE_TEST_DATA", file=sys.stderr)
        return 2
    bars = Bars()
    run(bars, given.quick, given.only)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
