"""All analysers of one video over one pass, in stretches that can be committed. Knows nothing about tables.

An analyser that needs another's segments is fed `look_back` seconds late. At the end of a stretch each analyser's
state is taken together with how far it was fed; a later run goes on from there and feeds again only those that were
behind.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from cinescope.library.codec import json_segment, pack, segment_json, unpack
from cinescope.library.feeding import WINDOW, Reel, Slice
from cinescope.types import (
    Analyser,
    CinescopeError,
    FrameNeed,
    Material,
    Segment,
    SoundNeed,
    Span,
    SubtitleTrack,
    Video,
    Window,
)

_Need = TypeVar("_Need", FrameNeed, SoundNeed)

STRETCH = 60.0  # seconds of media between commits, at most


@dataclass(frozen=True, slots=True)
class Job:
    """What one analyser has to do on a video, and where it stands."""

    name: str
    settings: dict[str, Any]
    source_key: str
    fed_until: float | None = None  # seconds; None: not begun
    state: bytes = b""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One video's work. Small enough to be sent to another process."""

    path: str
    video: Video
    subtitles: tuple[SubtitleTrack, ...]
    jobs: tuple[Job, ...]
    tracks: dict[str, tuple[Segment, ...]] = field(default_factory=dict)  # of analysers that are complete already


@dataclass(frozen=True, slots=True)
class Part:
    """What one analyser made in a stretch."""

    source_key: str
    segments: tuple[Segment, ...]
    fed_until: float
    state: bytes
    complete: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """A committable piece of work; `parts` is empty for a mere sign of progress."""

    seconds: float  # media time reached
    parts: tuple[Part, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)  # source key -> what went wrong, one sentence
    warnings: tuple[str, ...] = ()
    decoded_twice: float = 0.0
    final: bool = False


class _Runner:
    """One analyser at work: windows wait here until the tracks it needs are complete for them."""

    def __init__(self, job: Job, material: Material, tracks: dict[str, tuple[Segment, ...]], start: float) -> None:
        from cinescope.analysers import create

        self.job = job
        self.analyser: Analyser = create(job.name, **job.settings)
        self.needs = self.analyser.needs
        self.analyser.begin(material)
        self.fed_until = start if job.fed_until is None else job.fed_until
        self.undelivered: dict[str, list[Segment]] = {name: [] for name in self.needs.tracks}
        self.stored = {name: deque(tracks[name]) for name in self.needs.tracks if name in tracks}
        self.waiting: deque[Window] = deque()
        self.made: list[Segment] = []
        self.failure = ""
        if job.fed_until is not None:
            saved = unpack(job.state)
            self.analyser.restore(saved["analyser"])
            for name, segments in saved["undelivered"].items():
                self.undelivered[name] = [json_segment(s) for s in segments]
            for name, queue in self.stored.items():
                for _ in range(saved["taken"].get(name, 0)):
                    queue.popleft()
        self.taken = {name: len(tracks.get(name, ())) - len(q) for name, q in self.stored.items()}

    def receive(self, name: str, segments: list[Segment]) -> None:
        if name in self.undelivered and name not in self.stored:
            self.undelivered[name].extend(segments)

    def offer(self, piece: Slice) -> None:
        """Keep of the piece what this analyser needs, no more: the pictures of others would fill the memory."""
        if piece.span.start < self.fed_until - 1e-9:
            return
        frames = piece.frames.get(self.needs.frames) if self.needs.frames is not None else None
        window = Window(
            span=piece.span,
            frames=frames[0] if frames else None,
            frame_durations=frames[1] if frames else (),
            sound=piece.sound.get(self.needs.sound) if self.needs.sound is not None else None,
            cues=piece.cues if self.needs.subtitles else {},
            more_frames={n: piece.frames[n] for n in self.needs.more_frames if n in piece.frames},
            more_sound={n: piece.sound[n] for n in self.needs.more_sound if n in piece.sound},
            damage=piece.damage if self.needs.frames is not None else (),
            sound_damage=piece.sound_damage if self.needs.sound is not None else (),
        )
        self.waiting.append(window)

    def run(self, reached: float) -> list[Segment]:
        """Feed what may be fed now that the tracks are complete until `reached`."""
        made: list[Segment] = []
        while self.waiting and self.waiting[0].span.end + self.needs.look_back <= reached + 1e-9:
            made.extend(self._feed(self.waiting.popleft()))
        return made

    def _feed(self, window: Window) -> list[Segment]:
        tracks = self._deliver(window.span.end + self.needs.look_back)
        made = self.analyser.feed(replace(window, tracks=tracks))
        self.fed_until = window.span.end
        self.made.extend(made)
        return made

    def _deliver(self, until: float) -> dict[str, tuple[Segment, ...]]:
        delivered = {}
        for name in self.needs.tracks:
            if name in self.stored:
                queue = self.stored[name]
                while queue and queue[0].span.end <= until:
                    self.undelivered[name].append(queue.popleft())
                    self.taken[name] += 1
            delivered[name] = tuple(self.undelivered[name])
            self.undelivered[name] = []
        return delivered

    def finish(self, end: float) -> list[Segment]:
        made = self.run(math.inf)
        last = self._deliver(math.inf)
        if any(last.values()):
            end = max(end, self.fed_until)
            made += self._keep(self.analyser.feed(Window(Span(end, end), tracks=last)))
        return made + self._keep(self.analyser.finish())

    def _keep(self, segments: list[Segment]) -> list[Segment]:
        self.made.extend(segments)
        return segments

    def part(self, complete: bool) -> Part:
        state = b""
        if not complete:
            undelivered = {n: [segment_json(s) for s in held] for n, held in self.undelivered.items()}
            state = pack({"analyser": self.analyser.state(), "undelivered": undelivered, "taken": self.taken})
        segments, self.made = tuple(self.made), []
        return Part(self.job.source_key, segments, self.fed_until, state, complete)


def in_order(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """The jobs so that each comes after those whose tracks it needs."""
    from cinescope.analysers import analyser_class

    needs = {j.name: tuple(analyser_class(j.name)(**j.settings).needs.tracks) for j in jobs}
    placed: list[str] = []

    def place(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"the analysers {', '.join(above)} need one another in a circle")
        if name in needs and name not in placed:
            for other in needs[name]:
                place(other, (*above, name))
            placed.append(name)

    for job in jobs:
        place(job.name, ())
    by_name = {j.name: j for j in jobs}
    return tuple(by_name[n] for n in placed)


def analyse(work: Assignment) -> Iterator[Stretch]:
    """Run the jobs; yields progress after each window and parts to commit after each stretch and at the end.

    An analyser that raises is reported in `failed` and left out from there on, together with those that need its
    track; the others go on.
    """
    material = Material(work.video, work.subtitles)
    reel = Reel(work.path, work.video, work.subtitles)
    failed: dict[str, str] = {}
    runners: list[_Runner] = []
    for job in in_order(work.jobs):
        try:
            runners.append(_Runner(job, material, work.tracks, reel.start))
        except CinescopeError as error:
            failed[job.source_key] = str(error)
        except Exception as error:  # noqa: BLE001 - any analyser may fail in any way; the failure is reported
            failed[job.source_key] = f"{job.name} failed when it began ({type(error).__name__}: {error})"
    reel.frame_needs = _distinct((r.needs.frames, *r.needs.more_frames) for r in runners)
    reel.sound_needs = _distinct((r.needs.sound, *r.needs.more_sound) for r in runners)

    begun = min((r.fed_until for r in runners), default=reel.start)
    furthest = max((r.fed_until for r in runners), default=reel.start)
    end = begun
    for piece in reel.slices(begun) if runners else ():
        end = piece.span.end
        for runner in runners:
            runner.offer(piece)
        _round(runners, failed, end)
        at_stretch = round(end / WINDOW) % round(STRETCH / WINDOW) == 0
        if at_stretch:
            parts = tuple(r.part(complete=False) for r in runners if not r.failure)
            yield Stretch(end, parts, dict(failed), _drain(reel), decoded_twice=max(0.0, min(end, furthest) - begun))
            begun = max(begun, min(end, furthest))
        else:
            yield Stretch(end)
    _round(runners, failed, end, finishing=True)
    parts = tuple(r.part(complete=True) for r in runners if not r.failure)
    again = max(0.0, min(end, furthest) - begun)
    yield Stretch(end, parts, failed, _drain(reel), again, final=True)


def _distinct(needs: Iterable[tuple[_Need | None, ...]]) -> tuple[_Need, ...]:
    return tuple(dict.fromkeys(need for some in needs for need in some if need is not None))


def _round(runners: list[_Runner], failed: dict[str, str], reached: float, finishing: bool = False) -> None:
    """Let every analyser do what it can, those first whose tracks others wait for."""
    for runner in runners:
        if runner.failure:
            continue
        broken = [r.job.name for r in runners if r.failure and r.job.name in runner.needs.tracks]
        try:
            if broken:
                raise CinescopeError(f"{runner.job.name} needs {' and '.join(broken)}, which failed")
            made = runner.finish(reached) if finishing else runner.run(reached)
        except CinescopeError as error:
            runner.failure = str(error)
        except Exception as error:  # noqa: BLE001 - as above
            at = f"{runner.fed_until:.0f} s"
            runner.failure = f"{runner.job.name} failed at {at} ({type(error).__name__}: {error})"
        else:
            for other in runners:
                other.receive(runner.job.name, made)
            continue
        runner.waiting.clear()
        failed[runner.job.source_key] = runner.failure


def _drain(reel: Reel) -> tuple[str, ...]:
    warnings, reel.warnings = tuple(reel.warnings), []
    return warnings
