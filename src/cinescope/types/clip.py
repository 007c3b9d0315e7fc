"""What a feature extractor or a dataset sees: a stretch of a video with what is shown, heard and said in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from cinescope.types.segment import Word
from cinescope.types.signal import Frames, Waveform
from cinescope.types.span import Span
from cinescope.types.video import Video


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """`span` is on the video's clock, and so are the times of frames, waveform and words.

    What is None or empty is not there: a modality that is missing is never zeros. `text` is for texts whose words
    have no times; where there are words, it may be left empty.
    """

    span: Span
    frames: Frames | None = None
    waveform: Waveform | None = None
    words: tuple[Word, ...] = ()
    text: str = ""
    video: Video | None = None  # as probed, where the clip is of a file
    name: str = ""  # for messages: the file's name, or the row's key
    frame_durations: tuple[float, ...] = field(default=())  # seconds each frame stands; () where unknown

    @property
    def said(self) -> str:
        """The text, or the words joined by blanks."""
        return self.text or " ".join(word.text for word in self.words)
