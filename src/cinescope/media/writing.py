"""Writes a file whole or not at all. Knows nothing of what is in it."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cinescope.media.opening import FilePath, reason, shown_name
from cinescope.types import CinescopeError, MediaError


@contextmanager
def whole_file(path: FilePath) -> Iterator[Path]:
    """A name beside `path`, with its suffix, to write to; it becomes `path` when the block ends well.

    Whatever ends the block otherwise (an error, Ctrl-C) leaves nothing behind and `path` as it was. A full disk, a
    missing or read-only folder and the like are a MediaError.
    """
    target = Path(os.fspath(path))
    name = shown_name(path)
    check_target(target)
    part = target.with_name(f".cinescope-{secrets.token_hex(6)}.part{target.suffix}")
    try:
        with writing(path):
            yield part
            if not part.exists():
                raise MediaError(f"nothing was written to '{name}'")
            os.replace(part, target)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def check_target(target: Path) -> None:
    """Raises MediaError where no file can stand under this name: a folder, a device, no folder around it."""
    name = shown_name(target)
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        mode = None
    except (OSError, ValueError) as error:
        raise MediaError(f"cannot write '{name}' ({reason(error)})", "choose another name") from error
    if mode is not None and stat.S_ISDIR(mode):
        raise MediaError(f"cannot write '{name}': it is a folder", "give a file name in it")
    if mode is not None and not stat.S_ISREG(mode):
        raise MediaError(f"cannot write '{name}': it is not a regular file", "give a file name")
    if not target.parent.is_dir():
        raise MediaError(f"cannot write '{name}': there is no folder '{shown_name(target.parent)}'", "make it first")


@contextmanager
def writing(path: FilePath) -> Iterator[None]:
    """Turn what the system raises while a file is written into MediaError. PyAV's errors are OSErrors too."""
    name = shown_name(path)
    try:
        yield
    except CinescopeError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MediaError(f"the disk is full while writing '{name}'", "make room and try again") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise MediaError(f"no permission to write '{name}'", "choose another folder") from error
        raise MediaError(f"cannot write '{name}' ({reason(error)})", "check the folder and the disk") from error
