"""The analyser protocol: it is fed, it does not call, so the same analyser works on a file and on a live stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from cinescope.types.segment import Segment, Source
from cinescope.types.signal import Frames, Pixels, Waveform
from cinescope.types.span import Span
from cinescope.types.subtitle import Cue, SubtitleTrack
from cinescope.types.video import Video


@dataclass(frozen=True, slots=True)
class FrameNeed:
    """Which pictures an analyser wants to see.

    `rate`: pictures per second, None for every frame. At a rate, the pictures are those shown at the times
    k / rate: for each such time the last frame that is not later (so a frame that stands long comes several times),
    and `Frames.times` are these times; the very first frame comes at its own time too. `size`: an int is the longest
    side at most (aspect kept, never enlarged), a pair is exactly (width, height), None is as shown.
    """

    rate: float | None = None
    size: int | tuple[int, int] | None = None
    pixels: Pixels = "rgb"


@dataclass(frozen=True, slots=True)
class SoundNeed:
    sample_rate: int = 16_000  # hertz
    channels: int | None = 1  # None: as recorded


@dataclass(frozen=True, slots=True)
class Needs:
    """What an analyser must be fed. The ingest reads it before the pass."""

    frames: FrameNeed | None = None
    sound: SoundNeed | None = None
    subtitles: bool = False
    tracks: tuple[str, ...] = ()  # names of analysers whose segments it gets in the same pass
    look_back: float = 0.0  # seconds its windows are held back, so that those tracks are complete for them
    more_frames: tuple[FrameNeed, ...] = ()  # further pictures of the same pass, at other rates or sizes
    more_sound: tuple[SoundNeed, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of media, fed in order and without gaps.

    `frames` and `sound` follow the analyser's needs; they are None where the video has none there. Sound is
    exact to the sample: windows join without gap or overlap, missing sound is silence.
    """

    span: Span
    frames: Frames | None = None
    frame_durations: tuple[float, ...] = ()  # seconds each frame stands; at a rate, until the next sample
    sound: Waveform | None = None
    cues: dict[int, tuple[Cue, ...]] = field(
        default_factory=dict
    )  # index into `Material.subtitles` -> cues that start here
    tracks: dict[str, tuple[Segment, ...]] = field(default_factory=dict)  # segments made final since the last window
    # What `Needs.more_frames` and `more_sound` ask for: pictures with the seconds that each stands. What the video has
    # none of here is left out.
    more_frames: dict[FrameNeed, tuple[Frames, tuple[float, ...]]] = field(default_factory=dict)
    more_sound: dict[SoundNeed, Waveform] = field(default_factory=dict)
    # Where, within `span`, the file is damaged: what is shown, or heard, is not what was recorded. As far as the
    # decoder can tell, and only where the analyser is fed pictures, or sound.
    damage: tuple[Span, ...] = ()
    sound_damage: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """What an analyser is told before the first window."""

    video: Video
    subtitles: tuple[SubtitleTrack, ...] = ()  # headers: language, origin; the cues come in the windows


@runtime_checkable
class Analyser(Protocol):
    """One instance serves one video: begin, feed ..., finish. Settings are given to the constructor.

    `state` returns JSON values and numpy arrays (no pickles) from which `restore`, called after `begin` on a
    fresh instance, goes on exactly where it left off. An analyser without memory returns {}.
    """

    name: str
    version: str
    needs: Needs

    @property
    def source(self) -> Source: ...

    def begin(self, material: Material) -> None: ...

    def feed(self, window: Window) -> list[Segment]:
        """The segments made final since the last call."""
        ...

    def finish(self) -> list[Segment]: ...

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: dict[str, Any]) -> None: ...
