"""Which pictures are not as they were recorded, from what a decoder says of single ones.

Knows how pictures build on one another, nothing of files or of how they are decoded.

A decoder says that a picture is damaged, or refuses the packet that holds it (the picture is lost). What else is hurt
depends on who builds on it:

- **Nobody** on a picture that is marked so: B pictures of MPEG-1, 2, 4 and VC-1; `nal_ref_idc` 0 of H.264 (7.4.1); the
  sub-layer non-reference types of HEVC (7.4.2.2). Only itself is hurt. That a lost picture was of type B is told by its
  packet's place: after one that is shown later.
- **Its neighbours** on a B picture that others refer to: those between the two pictures of another kind around it.
  Later ones may, but were never seen to.
- **All** until the next intact key picture on any other, and the B pictures right before it.
- dav1d refuses also what builds on a lost picture: there, hurt ends with the last refusal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Reach = Literal["alone", "between", "on"]

_B = 3  # FFmpeg's AV_PICTURE_TYPE_B
_B_ALONE = (
    "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2", "wmv3", "vc1", "h263", "flv1",
    "rv10", "rv20", "rv30", "rv40",
)  # fmt: skip
_KEPT = 64  # packets whose NAL header is remembered: more than any decoder delays
_HEALED = 0.6  # seconds without a refusal, after which dav1d's pictures are whole again


@dataclass(frozen=True, slots=True)
class Trouble:
    """A packet that the decoder refused."""

    time: float  # seconds: when its picture was to be shown, where the file says so
    why: str
    reach: Reach = "on"


class Reaches:
    """How far damage of a picture goes, by the headers of its packet."""

    def __init__(self, codec: str, timed: bool = True) -> None:
        """`timed`: the container says when pictures are shown; without, FFmpeg guesses by what damage may have hit."""
        self._codec = codec
        self._timed = timed
        self._size = 0  # bytes of the size before each NAL unit; 0 where start codes stand there
        self._of: dict[int, Reach] = {}  # by presentation time in ticks
        self._latest = -math.inf  # the latest presentation time so far, in ticks

    def open(self, extradata: bytes | None) -> None:
        """Before the first packet, wherever decoding is tried from: what the container says to the decoder."""
        self._of, self._latest = {}, -math.inf
        # avcC and hvcC say how long the sizes before NAL units are; without them start codes stand there.
        at = {"h264": 4, "hevc": 21}.get(self._codec, 0)
        if at and extradata is not None and len(extradata) > at and extradata[0] == 1:
            self._size = (extradata[at] & 3) + 1

    def see(self, packet: Any) -> Reach:
        """Of a packet, before it is decoded, should it be refused."""
        if packet is None or packet.pts is None:
            return "on"
        is_b = self._timed and packet.pts < self._latest
        self._latest = max(self._latest, packet.pts)
        if self._codec in _B_ALONE:
            return "alone" if is_b else "on"
        if self._codec not in ("h264", "hevc"):
            return "on"
        reach: Reach = "alone" if self._disposable(memoryview(packet)) else "on"
        self._of[packet.pts] = reach
        if len(self._of) > _KEPT:
            del self._of[next(iter(self._of))]
        return "between" if is_b and reach == "on" and self._codec == "h264" else reach

    def of(self, frame: Any) -> Reach:
        """Of a damaged frame."""
        is_b = int(frame.pict_type) == _B
        if self._codec in _B_ALONE:
            return "alone" if is_b else "on"
        known = self._of.get(frame.pts, "on") if frame.pts is not None else "on"
        return "between" if is_b and known == "on" else known

    def _disposable(self, data: memoryview) -> bool:
        """Whether the first NAL unit with a picture in it says that no other refers to it."""
        at = 0
        while at + 5 < len(data):
            if self._size:
                length, begin = int.from_bytes(data[at : at + self._size], "big"), at + self._size
                at = begin + length
            else:
                start = bytes(data[at : at + 4096]).find(b"\0\0\1")
                if start < 0:
                    return False
                begin = at + start + 3
                at = begin
            if begin >= len(data):
                return False
            head = data[begin]
            if self._codec == "h264" and head & 31 in (1, 5):
                return head >> 5 & 3 == 0
            if self._codec == "hevc" and head >> 1 & 63 < 32:
                return head >> 1 & 63 in (0, 2, 4, 6, 8)
        return False


class Spoilt:
    """Told of losses as they are met and of frames in order of presentation; says which of these are hurt."""

    def __init__(self, codec: str, reaches: Reaches) -> None:
        self._heals = codec == "av1"
        self._reaches = reaches
        self._lost: list[Trouble] = []  # by time; those of frames that are not given out yet
        self._on = False  # until the next intact key picture
        self._between = False  # until the next picture that is not of type B
        self._since = 0.0  # seconds: the last loss

    def lose(self, trouble: Trouble) -> None:
        self._lost.append(trouble)
        self._lost.sort(key=lambda t: t.time)

    def lost_before(self, time: float) -> Iterator[Trouble]:
        """The losses whose pictures were to be shown before `time`, which has come."""
        while self._lost and self._lost[0].time < time:
            trouble = self._lost.pop(0)
            self._hurt(trouble.reach, trouble.time)
            yield trouble

    def _hurt(self, reach: Reach, time: float) -> None:
        self._on = self._on or reach == "on"
        self._between = self._between or reach == "between"
        self._since = time

    def hurts(self, frame: Any, time: float, later: Sequence[Any], later_times: Sequence[float]) -> bool:
        """Whether this frame is not as it was recorded; `later` are those that follow, as far as they are known."""
        damaged = bool(frame.is_corrupt) or any(trouble.time == time for trouble in self._lost)
        is_b = int(frame.pict_type) == _B
        if not is_b:
            self._between = False
        if frame.key_frame and not damaged:
            self._on = False
        if self._heals and self._on and time - self._since > _HEALED:
            self._on = False
        if self._heals and self._on and not any(t.time <= time + _HEALED for t in self._lost):
            self._on = False
        if damaged:
            self._hurt(self._reaches.of(frame) if frame.is_corrupt else "on", time)
        return damaged or self._on or self._between or (is_b and self._before_hurt(time, later, later_times))

    def _before_hurt(self, time: float, later: Sequence[Any], later_times: Sequence[float]) -> bool:
        """Whether a picture that a B picture is made from, and that is shown after it, is hurt."""
        until = time
        for frame, shown in zip(later, later_times, strict=True):
            if frame.is_corrupt and self._reaches.of(frame) != "alone":
                return True
            until = shown
            if int(frame.pict_type) != _B:
                break
        return any(time < trouble.time < until and trouble.reach != "alone" for trouble in self._lost)
