"""What can go wrong, said so that a person knows what to do.

Every error that reaches a person is a `CinescopeError`: one sentence that says what happened and where, and
optionally what to do about it. The command line prints it without a traceback and exits with `exit_code`.
"""

from __future__ import annotations


class CinescopeError(Exception):
    """`what` (and where) is one sentence without a full stop; `do` says what to do."""

    exit_code = 1

    def __init__(self, what: str, do: str = "") -> None:
        self.what = what
        self.do = do
        super().__init__(f"{what}: {do}" if do else what)


class MediaError(CinescopeError):
    """A file cannot be read as the video, sound, picture or subtitles it should be."""


class LibraryError(CinescopeError):
    """The library folder is missing, damaged, of another version, or cannot be written."""


class LibraryBusyError(LibraryError):
    """Another process is writing to the library."""

    exit_code = 75  # EX_TEMPFAIL in sysexits.h: try again later


class BadQueryError(CinescopeError):
    """A query, a time or an option that means nothing."""

    exit_code = 2


class MissingPartError(CinescopeError):
    """A part that is not installed or a model that is not on this machine."""

    exit_code = 3
