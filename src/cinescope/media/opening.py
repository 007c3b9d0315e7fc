"""Opens a file as a container, or says in one sentence why not. Knows nothing of pictures, sound or times.

Only the named file is read: no network, no other files (a playlist could name them), no numbered image sequences.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av

from cinescope.types import MediaError

# Larger pictures are refused: 16384 is the side limit of HEVC level 7 and of most texture units, and one such picture
# as RGB takes 805 MB. FFmpeg's own limit would let a 100-byte header ask for 2 GB.
MAX_SIDE = 16_384

# Playlists and scripts are lists of other files, not media.
_PLAYLISTS = {"hls", "concat", "dash", "sdp", "rtsp", "imf", "ffmetadata", "tty", "live_flv"}

_OPTIONS = {
    "protocol_whitelist": "file",
    "pattern_type": "none",  # "100%d.jpg" is a name, not a numbered sequence
    "max_pixels": str(MAX_SIDE * MAX_SIDE),
}

FilePath = str | os.PathLike[str]


def shown_name(path: FilePath) -> str:
    """The name for an error message: one line, printable, whatever the bytes of the name are."""
    return ascii_safe(os.fspath(path))


def ascii_safe(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def check_file(path: FilePath) -> os.stat_result:
    """The file's stat. Raises MediaError where there is no readable, non-empty file."""
    name = shown_name(path)
    if "\0" in os.fspath(path):
        raise MediaError(f"'{name}' is no possible file name")
    try:
        info = os.stat(path)
    except FileNotFoundError:
        raise MediaError(f"there is no file '{name}'", "check the path") from None
    except OSError as error:
        raise MediaError(f"cannot look at '{name}' ({error.strerror})", "check the path and its permissions") from error
    if stat.S_ISDIR(info.st_mode):
        raise MediaError(f"'{name}' is a folder, not a media file", "give a file")
    if not stat.S_ISREG(info.st_mode):
        raise MediaError(f"'{name}' is not a regular file", "give a file")
    if info.st_size == 0:
        raise MediaError(f"'{name}' is empty (0 bytes)", "copy it again from its source")
    return info


def open_media(path: FilePath) -> Any:
    """An open `av.container.InputContainer`; the caller closes it. Raises MediaError."""
    check_file(path)
    name = shown_name(path)
    with reading(path):
        # "file:" keeps FFmpeg from taking "a:b.mp4" for a protocol; PyAV encodes surrogate escapes back to bytes.
        container = av.open("file:" + os.path.abspath(os.fspath(path)), options=_OPTIONS, metadata_errors="replace")
    try:
        if set(container.format.name.split(",")) & _PLAYLISTS:
            raise MediaError(
                f"'{name}' is a list of other files ({container.format.name}), not media", "give the files"
            )
        for stream in container.streams:
            if stream.type == "video" and stream.codec_context is not None:
                width, height = stream.codec_context.width, stream.codec_context.height
                if max(width, height) > MAX_SIDE:
                    raise MediaError(
                        f"'{name}' claims pictures of {width} x {height}, more than {MAX_SIDE} x {MAX_SIDE}",
                        "check the file: it is damaged or made to exhaust memory",
                    )
    except BaseException:
        container.close()
        raise
    return container


@contextmanager
def reading(path: FilePath) -> Iterator[None]:
    """Turn what FFmpeg and the system raise while a file is opened into MediaError."""
    name = shown_name(path)
    try:
        yield
    except MediaError:
        raise
    except PermissionError as error:
        raise MediaError(f"no permission to read '{name}'", "change its permissions or run as its owner") from error
    except (av.error.InvalidDataError, av.error.EOFError) as error:
        raise MediaError(
            f"'{name}' is not a media file, or its beginning or index is missing ({reason(error)})",
            "copy it again from its source",
        ) from error
    except MemoryError as error:
        raise MediaError(f"'{name}' claims more memory than there is", "check the file: it is damaged") from error
    except (av.error.FFmpegError, OSError, ValueError, RuntimeError) as error:
        raise MediaError(f"cannot read '{name}' ({reason(error)})", "check the file") from error


def reason(error: BaseException) -> str:
    """What FFmpeg or the system said, on one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return ascii_safe(str(text).strip().rstrip("."))
