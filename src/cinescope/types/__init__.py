"""The nouns and the protocols. Importing them costs the standard library and numpy, never torch.

Every noun is a frozen dataclass that checks itself where it is born and carries its own time and origin.
Times are the container's presentation times in seconds; spans are half-open, ``[start, end)``.
"""

from cinescope.types.analyser import Analyser, FrameNeed, Material, Needs, SoundNeed, Window
from cinescope.types.catalogue import Catalogue
from cinescope.types.clip import Clip
from cinescope.types.errors import (
    BadQueryError,
    CinescopeError,
    LibraryBusyError,
    LibraryError,
    MediaError,
    MissingPartError,
)
from cinescope.types.features import FeatureExtractor, Features, FittedExtractor, Modality
from cinescope.types.moment import Evidence, Moment, SearchResult
from cinescope.types.segment import Note, Segment, Source, Timeline, Track, Word
from cinescope.types.signal import Frames, Waveform
from cinescope.types.span import Span, format_time, parse_time
from cinescope.types.subtitle import Cue, SubtitleTrack
from cinescope.types.video import Chapter, Location, Stream, Video

__all__ = [
    "Analyser",
    "BadQueryError",
    "Catalogue",
    "Chapter",
    "CinescopeError",
    "Clip",
    "Cue",
    "Evidence",
    "FeatureExtractor",
    "Features",
    "FittedExtractor",
    "FrameNeed",
    "Frames",
    "LibraryBusyError",
    "LibraryError",
    "Location",
    "Material",
    "MediaError",
    "MissingPartError",
    "Modality",
    "Moment",
    "Needs",
    "Note",
    "SearchResult",
    "Segment",
    "SoundNeed",
    "Source",
    "Span",
    "Stream",
    "SubtitleTrack",
    "Timeline",
    "Track",
    "Video",
    "Waveform",
    "Window",
    "Word",
    "format_time",
    "parse_time",
]  # fmt: skip
