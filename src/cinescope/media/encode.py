"""Pictures, sound and subtitles into one file, each at its own time. Knows nothing of where they come from.

The file appears whole under its name when it is closed, or not at all.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np

from cinescope.media.cues import plain_text, write_cues
from cinescope.media.encoders import choose, container_for, sound_rate
from cinescope.media.languages import three_letters
from cinescope.media.opening import FilePath, shown_name
from cinescope.media.writing import whole_file
from cinescope.types import BadQueryError, Chapter, Cue, MediaError, Span, SubtitleTrack, Waveform

# Divides evenly into frames of 24, 25, 30, 50, 60, 24000/1001, 30000/1001 and 60000/1001 a second and milliseconds,
# so that their times are kept exactly in MP4 and MOV. Matroska and WebM count in milliseconds, GIF in hundredths.
TICKS = 120_000


class VideoWriter:
    """Writes one file by its suffix: .mp4, .m4v, .mov and .mkv (H.264, AAC), .webm (VP9, Opus), .gif.

    Give the pictures in order with their times, and the sound in order; both may alternate in any way. Subtitles,
    chapters and titles are given at the start. A picture stands until the next one; the last one for its `duration`.

        with VideoWriter("out.mp4", size=(640, 360), rate=25, sound=(48000, 2)) as out:
            out.picture(array, time=0.04)
            out.sound(waveform)
    """

    def __init__(
        self,
        path: FilePath,
        size: tuple[int, int] | None,
        rate: float | Fraction = 25,
        sound: tuple[int, int] | None = None,
        subtitles: Sequence[SubtitleTrack] = (),
        title: str = "",
        metadata: Mapping[str, str] | None = None,
        chapters: Sequence[Chapter] = (),
        rotation: int = 0,
        options: Mapping[str, str] | None = None,
        language: str = "",
    ) -> None:
        """`size` is (width, height), None for sound alone; `rate` in frames per second is a hint (for the encoder and
        the last picture's duration), the times decide. `sound` is (sample rate, channels). `rotation` is by how many
        degrees clockwise a player turns the pictures: 0, 90, 180, 270. `options` go to the video encoder (crf, preset,
        g). `metadata` are the container's tags. H.264 needs even sides: an odd one is filled up by repeating its edge.
        """
        self.path = Path(os.fspath(path))
        self.kind = container_for(self.path.suffix)
        if size is None and sound is None:
            raise BadQueryError("a file without pictures and without sound is nothing to write")
        if self.kind.format == "gif" and (size is None or sound is not None or subtitles):
            raise BadQueryError("a GIF holds pictures alone, without sound and subtitles")
        if rotation not in (0, 90, 180, 270):
            raise BadQueryError(f"a rotation is 0, 90, 180 or 270 degrees, not {rotation}")
        self.encoders: dict[str, str] = {}  # what ran: {"video": "libx264", "sound": "aac"}
        self._rate = Fraction(rate).limit_denominator(1001)
        self._size = size
        self._held: tuple[Any, int] | None = None  # the last frame and its pts, until its duration is known
        self._durations: dict[int, int] = {}
        self._wave_at = 0  # samples of sound written
        self._graph: Any = None
        self._last: float | None = None  # duration of the held picture, where the caller said it
        self._written = False
        self._last_packet: Any = None
        self._span = (math.inf, -math.inf, math.inf)  # first and last time shown, first time decoded, in ticks
        with ExitStack() as stack:
            part = stack.enter_context(whole_file(self.path))
            self._out = av.open("file:" + os.fspath(part.absolute()), "w", format=self.kind.format,
                                container_options=self.kind.options)  # fmt: skip
            stack.callback(self._out.close)
            self._out.metadata.update({**(metadata or {}), **({"title": title} if title else {})})
            self._video = self._add_video(size, rotation, dict(options or {})) if size else None
            self._sound = self._add_sound(sound, language) if sound else None
            cues = [
                cue for track in subtitles if track.cues for cue in self._packets(self._add_subtitles(track), track)
            ]
            self._cues = sorted(cues, key=lambda packet: packet.pts, reverse=True)  # the next one last
            if chapters:
                self._out.set_chapters([chapter_entry(n, chapter) for n, chapter in enumerate(chapters)])
            self._stack = stack.pop_all()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._stack.__exit__(kind, error, trace)

    def picture(self, array: np.ndarray, time: float, duration: float | None = None) -> None:
        """uint8 (H, W, 3) RGB or (H, W, 1) grey, shown from `time` (seconds, rising) on."""
        if self._video is None or self._size is None:
            raise ValueError("this file was opened without pictures")
        width, height = self._size
        if array.shape[:2] != (height, width) or array.ndim != 3 or array.dtype != np.uint8:
            raise ValueError(
                f"pictures of this file are uint8 ({height}, {width}, 1 or 3), got {array.dtype} {array.shape}"
            )
        pts = round(time * self._ticks)
        with self._guard():
            if self._held is not None:
                if pts <= self._held[1]:
                    raise MediaError(f"picture at {time:.6f} s is not later than the one before it")
                self._flush_held(pts - self._held[1])
            self._held = self._frame(array), pts
        self._last = duration

    def sound(self, wave: Waveform) -> None:
        """The next stretch. A gap before it is filled with silence; times before 0 or before what is written are an
        error."""
        if self._sound is None:
            raise ValueError("this file was opened without sound")
        rate, channels = self._sound[2:]
        if wave.sample_rate != rate or wave.data.shape[0] != channels:
            raise ValueError(
                f"sound of this file is {channels} x {rate} Hz, got {wave.data.shape[0]} x {wave.sample_rate}"
            )
        first = round(wave.start * rate)
        if first < self._wave_at:
            raise MediaError(f"sound at {wave.start:.6f} s overlaps what is written up to {self._wave_at / rate:.6f} s")
        with self._guard():
            while first > self._wave_at:
                self._encode_sound(np.zeros((channels, min(rate, first - self._wave_at)), np.float32))
            for at in range(0, wave.data.shape[1], rate):
                self._encode_sound(wave.data[:, at : at + rate])

    def close(self) -> None:
        """Finishes the file. Raises MediaError where it could not be written; then there is none."""
        with self._guard():
            if self._held is not None:
                self._flush_held(max(1, round((self._last or float(1 / self._rate)) * self._ticks)))
            if self._video is not None:
                if self._graph is not None:
                    self._graph.push(None)
                    self._pull()
                self._mux(self._video.encode(None))
                self._mux_last()
            if self._sound is not None:
                stream, resampler, _, _ = self._sound
                for frame in resampler.resample(None):
                    self._mux(stream.encode(frame))
                self._mux(stream.encode(None))
            while self._cues:
                self._out.mux(self._cues.pop())
            if not self._written:
                raise MediaError(f"nothing was given to write to '{shown_name(self.path)}'")
        self._stack.close()

    # --- the streams -------------------------------------------------------------------------------------------

    def _add_video(self, size: tuple[int, int], rotation: int, options: dict[str, str]) -> Any:
        encoder = choose(self.kind.video, "H.264" if self.kind.format != "webm" else "VP9")
        self.encoders["video"] = encoder.name
        width, height = size
        if min(size) < 1:
            raise BadQueryError(f"pictures of {width} x {height} cannot be written")
        self._even = encoder.name not in ("gif", "libvpx-vp9")
        self._ticks = 100 if encoder.name == "gif" else TICKS
        stream = self._out.add_stream(encoder.name, rate=self._rate, options={**encoder.options, **options},
                                      time_base=Fraction(1, self._ticks),
                                      width=width + (width % 2 if self._even else 0),
                                      height=height + (height % 2 if self._even else 0))  # fmt: skip
        if encoder.name == "gif":
            stream.pix_fmt = "pal8"
            self._graph = _palette_graph(width, height)
        else:
            stream.pix_fmt = "yuv420p"
            stream.codec_context.thread_type = "AUTO"
            # BT.709 in limited range, and said so, so that no player has to guess (ITU-T H.273: 1 is BT.709).
            for name in ("colorspace", "color_primaries", "color_trc", "color_range"):
                setattr(stream.codec_context, name, 1)
        if rotation:
            stream.set_display_rotation((360 - rotation) % 360)  # FFmpeg counts counter-clockwise
        return stream

    def _add_sound(self, sound: tuple[int, int], language: str) -> tuple[Any, Any, int, int]:
        encoder = choose(self.kind.sound, "sound")
        self.encoders["sound"] = encoder.name
        rate, channels = sound
        if not 1 <= channels <= 8 or rate < 1:
            raise BadQueryError(f"sound of {channels} channels at {rate} Hz cannot be written", "use 1 to 8 channels")
        encoded_rate = sound_rate(encoder.name, rate)
        stream = self._out.add_stream(encoder.name, rate=encoded_rate, options=dict(encoder.options))
        layout = _LAYOUTS[channels]
        stream.codec_context.layout = layout
        if language:
            stream.metadata["language"] = self._language(language)
        resampler = av.AudioResampler(stream.codec_context.format, layout, encoded_rate)
        return stream, resampler, rate, channels

    def _add_subtitles(self, track: SubtitleTrack) -> Any:
        if not self.kind.subtitles:
            raise BadQueryError(f"{self.path.suffix} files hold no subtitles")
        stream = self._out.add_stream(self.kind.subtitles)
        stream.codec_context.subtitle_header = _ASS_HEADER
        if track.language:
            stream.metadata["language"] = self._language(track.language)
        if track.title:
            stream.metadata["title"] = track.title
        return stream

    def _language(self, tag: str) -> str:
        return three_letters(tag, bibliographic=self.kind.format != "mp4")

    # --- the packets -------------------------------------------------------------------------------------------

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """What goes wrong inside becomes one sentence, and the unfinished file goes."""
        try:
            yield
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise

    def _mux(self, packets: Sequence[Any]) -> None:
        for packet in packets:
            if packet.stream is self._video and packet.pts in self._durations:
                packet.duration = self._durations.pop(packet.pts)
            if packet.stream is self._video and self.kind.subtitles == "mov_text":
                self._span = (
                    min(self._span[0], packet.pts),
                    max(self._span[1], packet.pts + (packet.duration or 0)),
                    min(self._span[2], packet.dts),
                )
                packet, self._last_packet = self._last_packet, packet
            if packet is not None:
                self._write(packet)

    def _mux_last(self) -> None:
        """MP4 gives a track the length of its packets in decoding order, where the picture shown last need not be the
        last one: the last packet gets what is missing, so that the last picture stands as long as it should."""
        if self._last_packet is not None:
            begin, end, decoded = self._span
            self._last_packet.duration = max(1, round(end - begin - (self._last_packet.dts - decoded)))
            self._write(self._last_packet)

    def _write(self, packet: Any) -> None:
        # Cues go in where their time comes: Matroska is read front to back.
        now = packet.dts * packet.time_base * 1000 if packet.dts is not None else 0
        while self._cues and self._cues[-1].pts <= now:
            self._out.mux(self._cues.pop())
        self._out.mux(packet)
        self._written = True

    def _frame(self, array: np.ndarray) -> Any:
        if self._even and (array.shape[0] % 2 or array.shape[1] % 2):
            array = np.pad(array, ((0, array.shape[0] % 2), (0, array.shape[1] % 2), (0, 0)), mode="edge")
        if array.shape[2] == 1:
            array = np.repeat(array, 3, axis=2)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(array), "rgb24")
        if self._graph is not None:
            return frame
        return frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")

    def _flush_held(self, duration: int) -> None:
        assert self._held is not None
        assert self._video is not None
        frame, pts = self._held
        frame.pts = pts
        frame.time_base = Fraction(1, self._ticks)
        frame.duration = duration
        self._durations[pts] = duration
        if self._graph is not None:
            self._graph.push(frame)
            self._pull()
        else:
            self._mux(self._video.encode(frame))
        self._held = None

    def _pull(self) -> None:
        assert self._video is not None
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            self._mux(self._video.encode(frame))

    def _encode_sound(self, data: np.ndarray) -> None:
        assert self._sound is not None
        stream, resampler, rate, channels = self._sound
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(np.clip(data, -1, 1)), "fltp", _LAYOUTS[channels])
        frame.sample_rate = rate
        frame.time_base = Fraction(1, rate)
        frame.pts = self._wave_at
        self._wave_at += data.shape[1]
        for made in resampler.resample(frame):
            self._mux(stream.encode(made))

    def _packets(self, stream: Any, track: SubtitleTrack) -> Iterator[Any]:
        codec = self.kind.subtitles
        for cue in one_at_a_time(track.cues) if codec == "mov_text" else track.cues:
            start, end = round(cue.span.start * 1000), round(cue.span.end * 1000)
            if start >= 0 and end > start:
                packet = av.Packet(_payload(cue, codec))
                packet.stream = stream
                packet.time_base = Fraction(1, 1000)
                packet.pts = packet.dts = start
                packet.duration = end - start
                packet.is_keyframe = True
                yield packet


_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}

# The least that FFmpeg's text subtitle encoders ask for: one style, and the order of an event's fields.
_ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def one_at_a_time(cues: Sequence[Cue]) -> list[Cue]:
    """Overlapping cues as a sequence: MP4's text tracks show one sample at a time, so that what stands together is
    written together, line under line."""
    edges = sorted({t for cue in cues for t in (cue.span.start, cue.span.end)})
    ordered = sorted(cues, key=lambda cue: cue.span.start)
    made: list[Cue] = []
    standing: list[Cue] = []
    nxt = 0
    for start, end in itertools.pairwise(edges):
        while nxt < len(ordered) and ordered[nxt].span.start <= start:
            standing.append(ordered[nxt])
            nxt += 1
        standing = [cue for cue in standing if cue.span.end > start]
        if not standing:
            continue
        text = "\n".join(cue.text for cue in standing)
        if made and made[-1].text == text and made[-1].span.end == start:
            made[-1] = Cue(Span(made[-1].span.start, end), text)
        else:
            made.append(Cue(Span(start, end), text))
    return made


def _payload(cue: Cue, codec: str) -> bytes:
    if codec == "mov_text":  # 3GPP TS 26.245, section 5.17: the length in two bytes, then the text
        text = plain_text(cue.text, "plain").encode()[:65_535]
        return len(text).to_bytes(2, "big") + text
    # The cue as its file form has it, without number and times.
    return (
        write_cues([cue], "vtt" if codec == "webvtt" else "srt").split(" --> ", 1)[1].split("\n", 1)[1].strip().encode()
    )


def chapter_entry(number: int, chapter: Chapter) -> dict[str, Any]:
    return {
        "id": number, "start": round(chapter.span.start * 1000), "end": round(chapter.span.end * 1000),
        "time_base": Fraction(1, 1000), "metadata": {"title": chapter.title},
    }  # fmt: skip


def _palette_graph(width: int, height: int) -> Any:
    """RGB -> 256 colours chosen anew for each picture, dithered; whole-film palettes would need it all in memory."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format="rgb24", time_base=Fraction(1, 100))
    split, make, use = (
        graph.add("split"),
        graph.add("palettegen", "stats_mode=single"),
        graph.add("paletteuse", "new=1"),
    )
    source.link_to(split)
    split.link_to(make, 0, 0)
    split.link_to(use, 1, 0)
    make.link_to(use, 0, 1)
    use.link_to(graph.add("buffersink"))
    graph.configure()
    return graph
