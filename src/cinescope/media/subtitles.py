"""Subtitles of a video: embedded in its container and in files beside it. Knows nothing of what the cues are for.

What is odd about one track is said through `warn`, one sentence each, and the other tracks go on; a picture subtitle
(PGS, VobSub, DVB) has no text to read and is left out that way.
"""

from __future__ import annotations

import logging
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinescope.media.cues import Warn, mend, parse_cues, plain_text, sniff, voices
from cinescope.media.languages import language_tag
from cinescope.media.opening import FilePath, ascii_safe, open_media, reason, shown_name
from cinescope.types import Cue, MediaError, SubtitleTrack

SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
FOLDERS = ("subs", "subtitles")  # beside the video, in any case: where discs and downloads put them

# A day of densely set ASS is some 30 MB of text; more is not subtitles and would be read into memory whole.
MAX_BYTES = 64 * 1024 * 1024

_BITMAPS = {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub", "dvb_teletext", "arib_caption"}
# Words that tools put beside the language in names: talk.en.forced.srt.
_FLAGS = {"forced", "foreign", "sdh", "cc", "default", "full", "auto", "signs", "songs", "dub", "hearing", "impaired"}
# Their clock starts anywhere (ISO 13818-1), so that players count side files from the first picture or sound.
_FREE_CLOCKS = {"mpegts", "mpeg", "hls"}
_MEDIA_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".m2ts", ".mts", ".wmv", ".flv", ".ogv",
    ".3gp", ".gif", ".mp3", ".m4a", ".flac", ".wav", ".ogg", ".opus", ".aac", ".mka",
}  # fmt: skip
# Encodings tried where a text is not Unicode, for a language the file's name states; "" for all others.
_ENCODINGS = {
    "zh": ["gb18030", "big5"], "ja": ["cp932", "euc_jp"], "ko": ["cp949"], "ru": ["cp1251", "koi8_r"], "uk": ["cp1251"],
    "bg": ["cp1251"], "el": ["cp1253"], "tr": ["cp1254"], "he": ["cp1255"], "ar": ["cp1256"], "fa": ["cp1256"],
    "th": ["cp874"], "vi": ["cp1258"], "pl": ["cp1250"], "cs": ["cp1250"], "sk": ["cp1250"], "hu": ["cp1250"],
    "": ["gb18030", "big5", "cp932", "cp949", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256"],
}  # fmt: skip

_log = logging.getLogger(__name__)


def read_subtitles(path: FilePath, warn: Warn = _log.warning) -> list[SubtitleTrack]:
    """The embedded tracks in stream order, then the files beside it; cues on the container's clock, by start.

    A track without any cue is left out. Raises MediaError where the video itself cannot be opened.
    """
    container = open_media(path)
    try:
        tracks = _embedded(container, warn)
        free = bool(_FREE_CLOCKS & set(container.format.name.split(",")))
        # FFmpeg's AV_TIME_BASE: containers count in microseconds.
        shift = (container.start_time or 0) / 1_000_000 if free else 0.0
    finally:
        container.close()
    for side in side_files(path, warn):
        if side.suffix.lower() in SUFFIXES:
            try:
                tracks.append(read_side_file(side, _rest(side.stem, Path(os.fspath(path)).stem) or "", shift, warn))
            except MediaError as error:
                warn(str(error))
    return [track for track in tracks if track.cues]


def side_files(path: FilePath, warn: Warn = _log.warning) -> list[Path]:
    """Files that belong to a video by name, sorted: subtitles beside it or in `subs/`, and `NAME.info.json`.

    A subtitle belongs where its name is the video's stem, then nothing or a language and marks (talk.en.forced.srt).
    """
    video = Path(os.fspath(path))
    here = _listing(video.parent, warn)
    others = {
        Path(entry.name).stem for entry in here if Path(entry.name).suffix.lower() in _MEDIA_SUFFIXES
    } - {video.stem}  # fmt: skip
    found = []
    for entry in here:
        if entry.name.lower() in FOLDERS and _is(entry, stat.S_ISDIR):
            found += [e for e in _listing(video.parent / entry.name, warn) if _belongs(e, video.stem, others)]
        elif _belongs(entry, video.stem, others) or entry.name in (
            f"{video.stem}.info.json",
            f"{video.name}.info.json",
        ):
            found.append(entry)
    return sorted(Path(entry.path) for entry in found if _is(entry, stat.S_ISREG))


def read_side_file(path: FilePath, marks: str = "", shift: float = 0.0, warn: Warn = _log.warning) -> SubtitleTrack:
    """One subtitle file. `marks` is what its name holds besides the video's ("en", "zh-Hans.forced"); `shift`, in
    seconds, is added to every time. Raises MediaError for what cannot be read or holds no cue."""
    name = shown_name(os.path.basename(os.fspath(path)))
    try:
        size = os.stat(path).st_size
        if size > MAX_BYTES:
            raise MediaError(f"subtitle file '{name}' has {size >> 20} MB, too many for subtitles", "check the file")
        data = Path(os.fspath(path)).read_bytes()
    except OSError as error:
        raise MediaError(f"cannot read subtitle file '{name}' ({reason(error)})", "check its permissions") from error
    words = marks.split(".") if marks else []
    language = next((tag for tag in map(language_tag, words) if tag), "")
    decoded = decode_text(data, language)
    if decoded is None:
        raise MediaError(f"subtitle file '{name}' is not text in any encoding known here", "save it as UTF-8")
    if decoded.doubt:
        warn(f"{name}: {decoded.doubt}")
    form = sniff(decoded.text, Path(os.fspath(path)).suffix)
    cues = parse_cues(decoded.text, form, lambda text: warn(f"{name}: {text}"))
    if not cues:
        raise MediaError(
            f"subtitle file '{name}' holds no subtitles that could be read", "check that it is SRT, VTT or ASS"
        )
    if shift:
        cues = [Cue(cue.span.shift(shift), cue.text, cue.speaker) for cue in cues]
    title = " ".join(word for word in words if word.lower() in _FLAGS)
    return SubtitleTrack(tuple(cues), language, f"beside:{name}", title)


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    encoding: str
    doubt: str = ""  # a sentence where the encoding had to be guessed or bytes were lost


def decode_text(data: bytes, language: str = "") -> Decoded | None:
    """Bytes of a text file -> text: by its mark (BOM), as UTF-8, as UTF-16 without mark, else by a guess that
    `language` narrows. None for what is no text."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"),
        (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"),
    ):  # fmt: skip
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, "replace")
            return Decoded(text, encoding, _lost(text, encoding))
    if b"\0" not in data:
        text = data.decode("utf-8", "replace")
        bad, good = text.count("\ufffd"), sum(c > "\x7f" for c in text)
        # A few broken bytes among many good sequences: still UTF-8, for other encodings hardly ever look like it.
        if bad == 0 or good > 20 * bad:
            return Decoded(text, "utf-8", _lost(text, "utf-8") if bad else "")
    for encoding, start in (("utf-16-le", 1), ("utf-16-be", 0)):
        # Headings and digits of subtitles are ASCII, so that every other byte of theirs is zero.
        if data[start::2].count(0) > max(4, len(data) // 8) and data[1 - start :: 2].count(0) == 0:
            text = data.decode(encoding, "replace")
            return Decoded(text, encoding, _lost(text, encoding))
    if b"\0" in data:
        return None
    from charset_normalizer import from_bytes

    tried = _ENCODINGS.get(language.split("-")[0], _ENCODINGS[""])
    matches = from_bytes(data, cp_isolation=tried)
    # Both read any text of Western Europe without complaint; far more of those files are about than of the other.
    western = [m for m in matches if "cp1252" in m.could_be_from_charset and m.chaos < 0.1]
    best = western[0] if western else matches.best()
    if best is None:
        return None
    name = "cp1252" if western else best.encoding
    return Decoded(str(best), name, f"not Unicode, read as {name}, which is a guess")


def _lost(text: str, encoding: str) -> str:
    lost = text.count("\ufffd")
    return f"{lost} characters could not be read as {encoding}" if lost else ""


def _listing(folder: Path, warn: Warn) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        warn(f"cannot look for subtitles in folder '{shown_name(folder)}' ({reason(error)})")
        return []


def _is(entry: os.DirEntry[str], test: Any) -> bool:
    try:
        return bool(test(entry.stat().st_mode))
    except OSError:  # a link to nowhere or to itself, or a file gone meanwhile: not there
        return False


def _belongs(entry: os.DirEntry[str], stem: str, others: set[str]) -> bool:
    side = Path(entry.name)
    if side.suffix.lower() not in SUFFIXES:
        return False
    # talk.en.srt belongs to talk.en.mp4 where there is one, not to talk.mp4.
    if any(len(other) > len(stem) and _rest(side.stem, other) is not None for other in others):
        return False
    return _rest(side.stem, stem) is not None


def _rest(side: str, stem: str) -> str | None:
    """What stands in a side file's stem after the video's; None where they do not belong together."""
    if side == stem:
        return ""
    if not side.startswith(stem + "."):
        return None
    rest = side[len(stem) + 1 :]
    return rest if all(word.lower() in _FLAGS or language_tag(word) for word in rest.split(".")) else None


def _embedded(container: Any, warn: Warn) -> list[SubtitleTrack]:
    import av

    readable = []
    for stream in container.streams:
        if stream.type != "subtitle":
            continue
        codec = stream.codec_context.codec.canonical_name if stream.codec_context is not None else "an unknown codec"
        if codec in _BITMAPS or stream.codec_context is None:
            what = "pictures, not text" if codec in _BITMAPS else "of an unknown kind"
            warn(f"subtitle stream {stream.index} ({codec}) is {what}, and was left out")
        else:
            readable.append((stream, codec))
    if not readable:
        return []
    for stream in container.streams:
        if stream not in [s for s, _ in readable]:
            stream.discard = av.stream.Discard.all  # the demuxer need not even read it where the container has an index
    raw: dict[int, list[tuple[float, float | None, str, str]]] = {stream.index: [] for stream, _ in readable}
    codecs = {stream.index: codec for stream, codec in readable}
    refused: set[int] = set()
    try:
        for packet in container.demux([stream for stream, _ in readable]):
            if not packet.size or packet.pts is None:
                continue
            start = float(packet.pts * packet.time_base)
            end = start + float(packet.duration * packet.time_base) if packet.duration else None
            index = packet.stream.index
            try:
                raw[index] += [(start, end, text, who) for who, text in _payload(packet, codecs[index])]
            except (av.error.FFmpegError, ValueError) as error:
                if index not in refused:
                    refused.add(index)
                    warn(f"subtitle stream {index} ({codecs[index]}) has cues that cannot be read ({reason(error)})")
    except (av.error.FFmpegError, OSError) as error:
        warn(f"the container is damaged, later subtitles are missing ({reason(error)})")
    tracks = []
    for stream, _ in readable:
        cues = mend(raw[stream.index], lambda text, n=stream.index: warn(f"subtitle stream {n}: {text}"))  # type: ignore[misc]
        title = stream.metadata.get("title", "") or (
            "forced" if stream.disposition & av.stream.Disposition.forced else ""
        )
        language = language_tag(stream.metadata.get("language"))
        tracks.append(SubtitleTrack(tuple(cues), language, f"embedded:{stream.index}", ascii_safe(title)))
    return tracks


def _payload(packet: Any, codec: str) -> list[tuple[str, str]]:
    """(speaker, text) pairs of one packet. Read from its bytes where they are text, since FFmpeg's decoders turn
    everything into ASS and lose WebVTT's voices on the way."""
    data = bytes(packet)
    if codec == "mov_text":  # 3GPP TS 26.245, section 5.17: length, text, then style boxes
        data = data[2 : 2 + int.from_bytes(data[:2], "big")]
        text = data[2:].decode("utf-16-be", "replace") if data[:2] == b"\xfe\xff" else data.decode("utf-8", "replace")
        return [("", plain_text(text, "plain"))]
    if codec == "webvtt":
        return voices(data.decode("utf-8", "replace"))
    if codec in ("subrip", "srt", "text"):
        return [("", plain_text(data.decode("utf-8", "replace"), "srt"))]
    # Matroska's ASS: ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect, Text.
    lines = (
        [data] if codec in ("ass", "ssa") else [r.ass for r in packet.stream.decode2(packet) or () if hasattr(r, "ass")]
    )
    pairs = []
    for line in lines:
        fields = line.decode("utf-8", "replace").split(",", 8)
        if len(fields) < 9:
            raise ValueError("an ASS event has nine fields")
        if "\\p1" not in fields[8]:  # a drawing, not words
            pairs.append((" ".join(fields[3].split()), plain_text(fields[8], "ass")))
    return pairs
