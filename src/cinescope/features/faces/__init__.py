"""Where faces are in a picture: detectors behind one protocol, by name. Nothing is imported until it is asked for."""

from __future__ import annotations

from importlib import import_module

from cinescope.features.faces.detector import FaceDetector
from cinescope.types import BadQueryError

CATALOGUE: dict[str, str] = {
    "haar": "cinescope.features.faces.haar:Haar",
}


def create(name: str) -> FaceDetector:
    """A detector by its name. BadQueryError where there is none of that name, MissingPartError where its model is not
    on this machine."""
    if name not in CATALOGUE:
        raise BadQueryError(f"there is no face detector '{name}'", f"the ones here are {', '.join(sorted(CATALOGUE))}")
    module, _, attribute = CATALOGUE[name].partition(":")
    made: FaceDetector = getattr(import_module(module), attribute)()
    return made
