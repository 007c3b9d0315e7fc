"""The only place that knows containers: probe, decode, encode, mux, subtitles. Knows nothing of analysers or libraries.

Names load on first use, so importing this package costs nothing: PyAV and OpenCV come with the first call.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cinescope.media.cutting import cut as cut
    from cinescope.media.cutting import mux as mux
    from cinescope.media.encode import VideoWriter as VideoWriter
    from cinescope.media.pictures import picture_bytes as picture_bytes
    from cinescope.media.pictures import read_picture as read_picture
    from cinescope.media.pictures import save_picture as save_picture
    from cinescope.media.probe import measure_duration as measure_duration
    from cinescope.media.probe import probe as probe
    from cinescope.media.sound import SoundReader as SoundReader
    from cinescope.media.sound import read_sound as read_sound
    from cinescope.media.sound import sound_extent as sound_extent
    from cinescope.media.subtitles import read_side_file as read_side_file
    from cinescope.media.subtitles import read_subtitles as read_subtitles
    from cinescope.media.subtitles import side_files as side_files
    from cinescope.media.video import Picture as Picture
    from cinescope.media.video import VideoReader as VideoReader

# Name -> module. A name here needs a line above too, for type checkers.
EXPORTS = {
    "Picture": "cinescope.media.video",
    "SoundReader": "cinescope.media.sound",
    "VideoReader": "cinescope.media.video",
    "VideoWriter": "cinescope.media.encode",
    "cut": "cinescope.media.cutting",
    "measure_duration": "cinescope.media.probe",
    "mux": "cinescope.media.cutting",
    "picture_bytes": "cinescope.media.pictures",
    "probe": "cinescope.media.probe",
    "read_picture": "cinescope.media.pictures",
    "read_side_file": "cinescope.media.subtitles",
    "read_sound": "cinescope.media.sound",
    "read_subtitles": "cinescope.media.subtitles",
    "save_picture": "cinescope.media.pictures",
    "side_files": "cinescope.media.subtitles",
    "sound_extent": "cinescope.media.sound",
}


class _Package(ModuleType):
    def __setattr__(self, name: str, value: Any) -> None:
        # Python puts each loaded submodule here; the one called `probe` would hide the function of that name.
        if not (name in EXPORTS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in EXPORTS:
        raise AttributeError(f"module 'cinescope.media' has no attribute '{name}'")
    value = getattr(importlib.import_module(EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *EXPORTS})
