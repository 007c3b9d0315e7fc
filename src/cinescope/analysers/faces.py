"""Faces: who is to be seen when, each followed through a shot, with the picture in which it is sharpest. No names.

Sees 2 pictures a second. Makes the kind "face", one segment for each face in each shot: `box` is where it is at
`data.sharpest`, `score` how sure it is that this is a face; `data` as docs/internals.md says. Faces are counted by the
segments whose span holds a time. The detector is a part that can be replaced (features/faces).
"""

from __future__ import annotations

import base64
from bisect import bisect_right
from typing import Any

import cv2
import numpy as np

from cinescope.analysers.shot_boundaries import LAG
from cinescope.features.faces import create
from cinescope.features.faces.detector import Box, Found
from cinescope.features.faces.following import FaceTrack, same_face
from cinescope.types import FrameNeed, Material, Needs, Segment, Source, Span, Window

RATE = 2.0
SIZE = 640
EVERY = 1.0  # seconds between searches of the whole picture, where the detector is not quick
PATIENCE = 1.5  # seconds that a face may be lost before it is another
LIKELY = 0.75  # score from which a track is told
THUMB = 96  # pixels, longest side of the face that is kept
AROUND = 0.25  # of the box, on each side, that is kept with it
MAYBE = 0.4  # score from which it is worth looking for a face where it was; others wait for the next search
PAST = 4  # pictures kept, in which a new face is looked for backwards
STANDS = 3  # of 255: pictures that differ nowhere by more are the same picture


class Faces:
    name = "faces"
    version = "1"
    summary = "faces: where, how large, when sharpest; without names"
    cost = "searches one picture a second at 480 pixels, follows at 2 a second"
    requires = ""
    by_default = True

    def __init__(self, detector: str = "haar", likely: float = LIKELY) -> None:
        """`detector`: a name in features/faces; `likely`: score, 0 to 1, below which a face is not told.

        MissingPartError where the detector's model is not on this machine.
        """
        if not 0 <= likely <= 1:
            raise ValueError(f"faces need likely from 0 to 1, got {likely}")
        self._detector = create(detector)
        self._settings = {"detector": detector, "likely": likely}
        self._likely = likely
        self.needs = Needs(FrameNeed(rate=RATE, size=SIZE, pixels="rgb"), tracks=("shots",), look_back=LAG)
        self._clear()

    @staticmethod
    def available() -> str:
        return ""

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, {**self._settings, "model": self._detector.name})

    def _clear(self) -> None:
        self._cuts: list[float] = []  # times at which shots end, rising, as told by the track; those passed go
        self._shot = -np.inf  # when the running shot began
        self._open: list[FaceTrack] = []
        self._done: list[dict[str, Any]] = []  # told once no face is open that began before
        self._past: list[tuple[float, bytes]] = []  # the last pictures of this shot, as JPEG: a state holds them
        self._before: np.ndarray | None = None  # the last picture, small and grey
        self._search = -np.inf  # time of the next search of the whole picture
        self._time: float | None = None  # of the last picture
        self._end = 0.0  # until when it stands
        self._until = np.inf  # end of the video

    def begin(self, material: Material) -> None:
        self._clear()
        self._until = material.video.duration or np.inf

    def feed(self, window: Window) -> list[Segment]:
        self._cuts = sorted({*self._cuts, *(s.span.end for s in window.tracks.get("shots", ()))})
        if window.frames is not None:
            for number, (picture, time) in enumerate(zip(window.frames.data, window.frames.times, strict=True)):
                stands = window.frame_durations[number] if number < len(window.frame_durations) else 1 / RATE
                self._see(picture, float(time), float(time) + stands)
        return self._told()

    def finish(self) -> list[Segment]:
        self._close_at(self._next_cut())
        made = self._told()
        self._clear()
        return made

    def _next_cut(self) -> float:
        """When the shot of the last picture ends, as far as it is known."""
        at = bisect_right(self._cuts, self._time if self._time is not None else -np.inf)
        return self._cuts[at] if at < len(self._cuts) else np.inf

    def _see(self, picture: np.ndarray, time: float, until: float) -> None:
        cut = self._next_cut()
        if cut <= time:
            self._close_at(cut)
            passed = bisect_right(self._cuts, time)
            self._shot, self._cuts = self._cuts[passed - 1], self._cuts[passed:]
            self._before, self._search, self._past = None, -np.inf, []
        small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (80, 45), interpolation=cv2.INTER_AREA)
        stands = self._before is not None and cv2.absdiff(small, self._before).max() <= STANDS
        last, self._time, self._end = self._end, time, until
        if stands:
            # What was seen is seen again; what was not would not be found now either.
            for track in self._open:
                track.end = until if track.end == last else track.end
        else:
            self._before = small
            self._follow(picture, time, until)
        self._past = [*self._past, (time, self._past[-1][1] if stands and self._past else _packed(picture))][-PAST:]
        lost = [t for t in self._open if time - t.end >= PATIENCE]
        self._open = [t for t in self._open if t not in lost]
        for track in lost:
            self._close(track)

    def _follow(self, picture: np.ndarray, time: float, until: float) -> None:
        height, width = picture.shape[:2]
        lost = False
        found: list[Found] = []
        whole = self._detector.quick or time >= self._search
        if whole:
            found = [_shares(f, width, height) for f in self._detector.find(picture)]
            self._search = time + EVERY - 1e-6
        # Surest tracks choose first.
        for track in sorted(self._open, key=lambda t: (-t.score, t.start, t.last)):
            near = [f for f in found if same_face(track.last, f.box)]
            one = max(near, key=lambda f: f.score, default=None)
            if (one is None or one.score < 0.5) and track.score >= MAYBE:
                one = self._look(track, picture, time) or one
            if one is None:
                lost |= track.score >= MAYBE
                continue
            found = [f for f in found if f is not one and not same_face(one.box, f.box)]
            track.see(time, until, one)
            self._keep_sharpest(track, picture, one, time)
        if lost and not whole:
            self._search = -np.inf  # a face went, or turned: the next picture is searched whole
        for fresh in found:
            # A face that is there in the first picture after a cut was there from the cut on.
            start = self._shot if time - self._shot < 1 / RATE else time
            track = FaceTrack(start, until, fresh.box)
            track.see(time, until, fresh)
            self._keep_sharpest(track, picture, fresh, time)
            self._date_back(track, fresh)
            self._open.append(track)

    def _look(self, track: FaceTrack, picture: np.ndarray, time: float) -> Found | None:
        """The face of a track near where it was last; None where it is not, or where another track's face is."""
        height, width = picture.shape[:2]
        x0, y0, x1, y1 = track.last
        seen = self._detector.look(picture, (x0 * width, y0 * height, x1 * width, y1 * height))
        if seen is None:
            return None
        one = _shares(seen, width, height)
        others = [o for o in self._open if o is not track and o.at == time]
        return None if any(same_face(o.last, one.box) for o in others) else one

    def _date_back(self, track: FaceTrack, fresh: Found) -> None:
        """A face may have been there before the search that found it: look where it is in the pictures before."""
        if fresh.score < 0.5:
            return
        for time, packed in reversed(self._past):
            coded = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR)
            if coded is None:
                raise ValueError("a kept picture of faces is no JPEG")
            picture = np.ascontiguousarray(coded[..., ::-1])
            height, width = picture.shape[:2]
            x0, y0, x1, y1 = track.boxes[0][1]
            seen = self._detector.look(picture, (x0 * width, y0 * height, x1 * width, y1 * height))
            if seen is None or seen.score < 0.5 or not seen.frontal:
                return
            one = _shares(seen, width, height)
            if any(o.start <= time and same_face(o.box_at(time), one.box) for o in self._open):
                return
            track.see_before(self._shot if time - self._shot < 1 / RATE else time, time, one)

    def _keep_sharpest(self, track: FaceTrack, picture: np.ndarray, found: Found, time: float) -> None:
        cut = _with_surroundings(picture, found.box)
        scale = THUMB / max(cut.shape[:2])
        size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
        # All brought to one size: what had to be enlarged is soft then, so larger faces win too.
        even = cv2.resize(cut, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        detail = float(np.abs(cv2.Laplacian(cv2.cvtColor(even, cv2.COLOR_RGB2GRAY), cv2.CV_16S)).mean())
        sharp = detail * (0.5 + found.score) * (1.0 if found.frontal else 0.5)
        if sharp > track.sharp:
            track.sharp, track.sharpest, track.best = sharp, time, found.box
            track.picture = even if scale < 1 else cut.copy()

    def _close_at(self, time: float) -> None:
        """Every face ends where its last picture does, at the latest at `time`."""
        for track in self._open:
            track.end = min(track.end, time)
            self._close(track)
        self._open = []

    def _close(self, track: FaceTrack) -> None:
        end = max(track.start, min(track.end, self._until))
        if track.score < self._likely or end <= track.start:
            return
        ok, jpeg = cv2.imencode(".jpg", track.picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
        if not ok:
            raise ValueError(f"OpenCV could not write a picture of shape {track.picture.shape} as JPEG")
        data: dict[str, Any] = {
            "boxes": track.known(),
            "size": round(track.height / track.seen, 4),
            "sharpest": round(track.sharpest, 3),
            "frontal": round(track.frontal / track.seen, 3),
            "seen": track.seen,
            "picture": base64.b64encode(jpeg.tobytes()).decode("ascii"),
        }
        box = [round(v, 4) for v in track.best]
        self._done.append({"start": track.start, "end": end, "score": round(track.score, 3), "box": box, "data": data})

    def _told(self) -> list[Segment]:
        """In the order in which they begin: a face that is still there may have begun before those that are gone."""
        first = min((t.start for t in self._open), default=np.inf)
        ready = sorted((d for d in self._done if d["start"] <= first), key=lambda d: (d["start"], d["end"], d["box"]))
        self._done = [d for d in self._done if d["start"] > first]
        source = self.source
        return [
            Segment(Span(d["start"], d["end"]), "face", source, score=d["score"], box=tuple(d["box"]), data=d["data"])
            for d in ready
        ]

    def state(self) -> dict[str, Any]:
        return {
            "cuts": list(self._cuts), "shot": None if np.isinf(self._shot) else self._shot,
            "open": [t.state() for t in self._open], "done": [dict(d) for d in self._done],
            "past": [[t, np.frombuffer(p, np.uint8).copy()] for t, p in self._past],
            "before": None if self._before is None else self._before.copy(),
            "search": None if np.isinf(self._search) else self._search, "time": self._time, "end": self._end,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self._cuts = [float(c) for c in state["cuts"]]
        self._shot, self._search = (-np.inf if state[n] is None else float(state[n]) for n in ("shot", "search"))
        self._open = [FaceTrack.from_state(t) for t in state["open"]]
        self._done = [dict(d) for d in state["done"]]
        self._past = [(float(t), np.asarray(p, np.uint8).tobytes()) for t, p in state["past"]]
        self._before = None if state["before"] is None else np.array(state["before"], np.uint8)
        self._time, self._end = state["time"], float(state["end"])


def _shares(found: Found, width: int, height: int) -> Found:
    x0, y0, x1, y1 = found.box
    return Found((x0 / width, y0 / height, x1 / width, y1 / height), found.score, found.frontal)


def _packed(picture: np.ndarray) -> bytes:
    ok, jpeg = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    if not ok:
        raise ValueError(f"OpenCV could not write a picture of shape {picture.shape} as JPEG")
    return jpeg.tobytes()


def _with_surroundings(picture: np.ndarray, box: Box) -> np.ndarray:
    """The part of an (H, W, 3) picture in a box of shares and a little around it, at least one pixel."""
    height, width = picture.shape[:2]
    across, down = AROUND * (box[2] - box[0]), AROUND * (box[3] - box[1])
    left, top = int(max(0.0, box[0] - across) * width), int(max(0.0, box[1] - down) * height)
    left, top = min(left, width - 1), min(top, height - 1)
    right, bottom = int(min(1.0, box[2] + across) * width), int(min(1.0, box[3] + down) * height)
    return picture[top : max(bottom, top + 1), left : max(right, left + 1)]
