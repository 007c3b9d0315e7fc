"""Analysers that are quick and whose every output depends on all they were fed, so that a lost, doubled or shifted
window shows."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from cinescope.types import FrameNeed, Material, Needs, Segment, SoundNeed, Source, Span, Window


class Base:
    version = "1"
    needs = Needs()
    name = ""
    summary = cost = requires = "for tests"

    def __init__(self, flavour: str = "plain") -> None:
        self.flavour = flavour
        self.windows = 0
        self.digest = b""

    @staticmethod
    def available() -> str:
        return ""

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, {"flavour": self.flavour})

    def begin(self, material: Material) -> None:
        self.material = material

    def state(self) -> dict[str, Any]:
        return {"windows": self.windows, "digest": np.frombuffer(self.digest, np.uint8)}

    def restore(self, state: dict[str, Any]) -> None:
        self.windows = state["windows"]
        self.digest = np.asarray(state["digest"], np.uint8).tobytes()

    def _chain(self, *pieces: bytes) -> str:
        self.digest = hashlib.blake2b(self.digest + b"".join(pieces), digest_size=8).digest()
        self.windows += 1
        return self.digest.hex()

    def _segment(self, span: Span, text: str, kind: str = "speech") -> Segment:
        return Segment(span, kind, self.source, text=text, language="en")

    def finish(self) -> list[Segment]:
        return []


class Eye(Base):
    """Every frame, small."""

    name = "eye"
    needs = Needs(frames=FrameNeed(None, (16, 9), "yuv"))

    def feed(self, window: Window) -> list[Segment]:
        if window.frames is None:
            return [self._segment(window.span, f"nothing {self._chain()}")]
        pieces = [window.frames.data.tobytes(), np.round(window.frames.times, 6).tobytes()]
        return [self._segment(window.span, f"seen{len(window.frames)} {self._chain(*pieces)}", "screen")]


class Glance(Base):
    """Three pictures a second."""

    name = "glance"
    needs = Needs(frames=FrameNeed(3.0, 64, "rgb"))

    def feed(self, window: Window) -> list[Segment]:
        if window.frames is None:
            return []
        times = ",".join(f"{t:.3f}" for t in window.frames.times)
        return [self._segment(window.span, f"{times} {self._chain(window.frames.data.tobytes())}", "screen")]


class Ear(Base):
    name = "ear"
    needs = Needs(sound=SoundNeed(16_000))

    def feed(self, window: Window) -> list[Segment]:
        if window.sound is None:
            return [self._segment(window.span, f"quiet {self._chain()}")]
        return [self._segment(window.span, f"{window.sound.data.shape[1]} {self._chain(window.sound.data.tobytes())}")]


class Late(Base):
    """Sees frames and what `eye` said, four seconds late."""

    name = "late"
    needs = Needs(frames=FrameNeed(1.0, 32, "grey"), tracks=("eye",), look_back=4.0)

    def feed(self, window: Window) -> list[Segment]:
        said = [s.text for s in window.tracks.get("eye", ())]
        return [self._segment(window.span, f"{len(said)} of {self._chain(*map(str.encode, said))}")]


class Broken(Base):
    name = "broken"
    needs = Needs(sound=SoundNeed(16_000))

    def feed(self, window: Window) -> list[Segment]:
        if self.windows == 2:
            raise RuntimeError("it broke")
        self._chain()
        return [self._segment(window.span, "whole")]


class Shots(Base):
    """A thumbnail at each window."""

    name = "shots"
    needs = Needs(frames=FrameNeed(1.0, 64, "rgb"))

    def feed(self, window: Window) -> list[Segment]:
        jpeg = b"\xff\xd8" + self._chain().encode() * 20
        return [Segment(Span(window.span.start, window.span.start), "thumbnail", self.source, data={"jpeg": jpeg})]


class Sense(Base):
    """A vector at each window."""

    name = "sense"
    needs = Needs(sound=SoundNeed(16_000))

    def feed(self, window: Window) -> list[Segment]:
        digest = np.frombuffer(bytes.fromhex(self._chain(str(window.span.start).encode())), np.uint8)
        vector = digest.astype(np.float32) / np.float32(np.linalg.norm(digest))
        data = {"vector": vector, "space": "fake@1", "of": "speech"}
        return [Segment(window.span, "meaning", self.source, text="what it means", data=data)]


CATALOGUE = {c.name: f"{__name__}:{c.__name__}" for c in (Eye, Glance, Ear, Late, Shots, Sense)}
