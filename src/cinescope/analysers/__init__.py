"""Video -> Track. One file per analyser, one line here; nothing is imported until it is asked for."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from cinescope.types import Analyser, MissingPartError

CATALOGUE: dict[str, str] = {
    "shots": "cinescope.analysers.shots:Shots",
    "thumbnails": "cinescope.analysers.thumbnails:Thumbnails",
    "voice": "cinescope.analysers.voice:Voice",
    "transcript": "cinescope.analysers.transcript:Transcript",
    "screen_text": "cinescope.analysers.screen_text:ScreenText",
    "picture_stats": "cinescope.analysers.picture_stats:PictureStats",
    "camera": "cinescope.analysers.camera:Camera",
    "faces": "cinescope.analysers.faces:Faces",
    "sound_kinds": "cinescope.analysers.sound_kinds:SoundKinds",
    "quality": "cinescope.analysers.quality:Quality",
    "loudness": "cinescope.analysers.loudness:Loudness",
    "meaning": "cinescope.analysers.meaning:Meaning",
    "picture_meaning": "cinescope.analysers.picture_meaning:PictureMeaning",
    "picture_print": "cinescope.analysers.picture_print:PicturePrint",
    "sound_print": "cinescope.analysers.sound_print:SoundPrint",
    "trained": "cinescope.analysers.trained:TrainedLabels",
}


def catalogue() -> dict[str, str]:
    """The analysers of this package and those that others add by the entry point `cinescope.analysers`."""
    return CATALOGUE | {e.name: e.value for e in entry_points(group="cinescope.analysers")}


def analyser_class(name: str) -> Any:
    """The class behind a name; importing it is the first thing that costs."""
    known = catalogue()
    if name not in known:
        raise MissingPartError(f"there is no analyser '{name}'", f"the ones here are {', '.join(sorted(known))}")
    module, _, attribute = known[name].partition(":")
    return getattr(import_module(module), attribute)


def create(name: str, **settings: Any) -> Analyser:
    """A fresh analyser for one video."""
    return analyser_class(name)(**settings)
