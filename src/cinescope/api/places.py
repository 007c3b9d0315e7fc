"""Where things are kept when nobody says where. Knows the customs of operating systems, nothing about libraries."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def _home_folder(variable: str, unix: str, mac: str, windows: str) -> Path:
    if given := os.environ.get(variable):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / mac
    if sys.platform == "win32":
        return Path(os.environ.get(windows) or Path.home() / "AppData" / "Local")
    return Path.home() / unix


def default_library() -> str:
    """`$CINESCOPE_LIBRARY`, else a folder for this user's data (XDG base directories; their like elsewhere)."""
    if given := os.environ.get("CINESCOPE_LIBRARY"):
        return given
    data = _home_folder("XDG_DATA_HOME", ".local/share", "Library/Application Support", "LOCALAPPDATA")
    return str(data / "cinescope" / "library")


def state_folder() -> Path:
    """For what may be lost without harm, such as the addresses of the last search."""
    return _home_folder("XDG_STATE_HOME", ".local/state", "Library/Application Support", "LOCALAPPDATA") / "cinescope"
