"""What is installed here, and what would improve with what. Looks, changes nothing, fetches nothing."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from cinescope.api.finding import Finding

# package on the registry -> (module, what it is for)
_NEEDED = {
    "av": ("av", "reads and writes videos"),
    "numpy": ("numpy", "arithmetic"),
    "opencv-python-headless": ("cv2", "looks at pictures"),
    "pylance": ("lance", "keeps the library"),
    "onnxruntime": ("onnxruntime", "runs models"),
    "rapidocr": ("rapidocr", "reads text on the screen"),
    "faster-whisper": ("faster_whisper", "hears speech and voice"),
    "pocketsphinx": ("pocketsphinx", "recognises English speech without a download"),
    "pysubs2": ("pysubs2", "reads subtitles"),
    "opentimelineio": ("opentimelineio", "writes lists for editing programs"),
    "watchdog": ("watchdog", "is told when a folder changes"),
}


def examine(library: str | None = None) -> list[Finding]:
    """Everything worth knowing, what is needed first."""
    return [
        _python(),
        *(_package(name, module, use) for name, (module, use) in _NEEDED.items()),
        *_analysers(),
        _player(),
        *_demo_voices(),
        _torch(),
        _library(library),
    ]


def _python() -> Finding:
    now = f"{sys.version.split()[0]}, {os.cpu_count()} processors"
    return Finding("Python", "ok", now)


def _package(name: str, module: str, use: str) -> Finding:
    if find_spec(module) is None:
        return Finding(name, "missing", f"not installed ({use})", f"pip install {name}")
    try:
        number = version(name)
    except PackageNotFoundError:
        number = "of unknown version"
    if name.startswith("opencv") and number.split(".")[0].isdigit() and int(number.split(".")[0]) >= 5:
        return Finding(
            name, "missing", number, "OpenCV 5 dropped parts that are needed: pip install 'opencv-python-headless<5'"
        )
    return Finding(name, "ok", f"{number}  {use}")


def _analysers() -> list[Finding]:
    from cinescope.api.health_senses import TOLD_HERE, senses
    from cinescope.api.parts import list_analysers

    found = []
    for part in list_analysers():
        if part.missing and part.name not in TOLD_HERE:
            found.append(Finding(f"analyser {part.name}", "could be better", "cannot run here", part.missing))
    return [*found, *senses()]


def _player() -> Finding:
    players = [p for p in ("mpv", "vlc", "ffplay") if shutil.which(p)]
    if players:
        return Finding("player", "ok", f"{players[0]}, for cinescope open")
    advice = "install mpv or VLC, and hits play at their second (until then: a page in the browser)"
    return Finding("player", "could be better", "none", advice)


def _demo_voices() -> list[Finding]:
    missing = [p for p in ("flite", "espeak-ng") if not shutil.which(p)]
    if not missing:
        return [Finding("demo voices", "ok", "flite, espeak-ng")]
    advice = f"install {' and '.join(missing)}, and the demo speaks more (nothing else needs it)"
    return [Finding("demo voices", "could be better", f"no {' and no '.join(missing)}", advice)]


def _torch() -> Finding:
    if find_spec("torch") is None:
        advice = "only training and accurate shots need it: pip install 'cinescope[train]'"
        return Finding("torch", "ok", "not installed; indexing and searching do without", advice)
    return Finding("torch", "ok", f"{version('torch')}, for training and accurate shots")


def _library(place: str | None) -> Finding:
    from cinescope.api.library import Library
    from cinescope.types import CinescopeError

    lib = Library(place)
    try:
        if not lib.exists:
            return Finding("library", "ok", f"none yet at {lib.place}", "make it with: cinescope index FOLDER")
        videos = lib.videos()
    except CinescopeError as error:
        return Finding("library", "missing", error.what, error.do)
    away = sum(v.state != "here" for v in videos)
    free = shutil.disk_usage(Path(lib.place)).free if lib.store.is_local else None
    now = f"{len(videos)} videos at {lib.place}"
    if free is not None and free < 1e9:
        return Finding("library", "could be better", now, f"its disk has only {free / 1e6:.0f} MB left")
    if away:
        return Finding(
            "library", "could be better", now, f"{away} are away: plug their drive in, or index where they are"
        )
    return Finding("library", "ok", now)
