"""What is said and written, as vectors that lie near each other where texts mean alike. Sees two tracks, no media.

Makes the kind "passage": `text`, `language`, `data.vector` (D,) float32 of length 1, `data.space` (model and version)
and `data.of` ("speech" or "screen"). A passage of speech is a few sentences that belong together: one sentence alone
often says too little ("Yes, that one."), minutes of talk are about too much. A line of screen text is one.

Texts in a language that the model cannot read are left out: their vectors would be like anything.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cinescope.types import Material, MissingPartError, Needs, Segment, Source, Span, Window

if TYPE_CHECKING:
    from cinescope.features.backbones.text_encoder import TextEncoder

LONGEST = 30.0  # seconds of speech in one passage: what still feels like one place in a video
SENTENCES = 3
WORDS = 60  # about 80 word pieces, far below what text encoders take in (128 to 512)
PAUSE = 4.0  # seconds without speech after which something new begins
_FEWEST_LETTERS = 3  # a shorter line on the screen ("12", "km") means nothing by itself
_REMEMBERED = 512  # texts whose vectors are kept: a line on the screen comes back again and again
_SENTENCE_END = re.compile(r"[.!?…。！？]+[\"'”’)\]]*(?=\s|$)|[。！？]")
_SPEECH, _SCREEN = "transcript", "screen_text"


class Meaning:
    name = "meaning"
    version = "1"
    summary = "what is said and written, by meaning"
    cost = "about 10 ms for each passage"
    requires = "a text encoder: cinescope models get minilm (91 MB, English)"
    by_default = True
    needs = Needs(tracks=(_SPEECH, _SCREEN))

    def __init__(self, model: str = "", longest: float = LONGEST) -> None:
        """`model`: a text encoder in the models folder, "" for the best there; `longest`: seconds of a passage."""
        if not longest > 0:
            raise ValueError(f"a passage is longer than 0 seconds, got {longest}")
        self._model = model
        self._longest = longest
        self._vectors: OrderedDict[str, Any] = OrderedDict()
        self._open: list[list[Any]] = []

    @staticmethod
    def available() -> str:
        from cinescope.features.models import encoders

        return "" if encoders() else "no text encoder is on this machine: cinescope models get minilm"

    @cached_property
    def _encoder(self) -> TextEncoder:
        from cinescope.features.backbones.text_encoder import TextEncoder
        from cinescope.features.models import encoders, find

        place = find(self._model) if self._model else next(iter(encoders().values()), None)
        if place is None:
            name = self._model or "minilm"
            raise MissingPartError(
                f"the text encoder '{name}' is not on this machine", f"run: cinescope models get {name}"
            )
        return TextEncoder(place)

    @property
    def source(self) -> Source:
        meta = self._encoder.meta
        settings = {"model": meta.name, "model_version": meta.version, "dimension": meta.dimension}
        return Source(self.name, self.version, settings | {"longest": self._longest})

    def begin(self, material: Material) -> None:
        del material
        self._open = []  # segments of the running passage: start, end, text, language

    def feed(self, window: Window) -> list[Segment]:
        made: list[Segment] = []
        for segment in window.tracks.get(_SPEECH, ()):
            if segment.kind == "speech" and segment.text.strip():
                made += self._say(segment)
        for segment in window.tracks.get(_SCREEN, ()):
            if segment.kind == "screen" and sum(c.isalpha() for c in segment.text) >= _FEWEST_LETTERS:
                made += self._passage(segment.span, segment.text, segment.language, "screen")
        return made

    def finish(self) -> list[Segment]:
        return self._close()

    def state(self) -> dict[str, Any]:
        return {"open": [list(item) for item in self._open]}

    def restore(self, state: dict[str, Any]) -> None:
        self._open = [list(item) for item in state["open"]]

    def _say(self, segment: Segment) -> list[Segment]:
        made = self._close() if self._open and not self._goes_on(segment) else []
        self._open.append([segment.span.start, segment.span.end, segment.text.strip(), segment.language])
        return made

    def _goes_on(self, segment: Segment) -> bool:
        """Whether the running passage and this segment are still one."""
        last = self._open[-1]
        if segment.language != last[3] or segment.span.start - last[1] > PAUSE:
            return False
        if segment.span.end - self._open[0][0] > self._longest:
            return False
        said = " ".join(item[2] for item in self._open)
        return len(said.split()) + len(segment.text.split()) <= WORDS and len(_SENTENCE_END.findall(said)) < SENTENCES

    def _close(self) -> list[Segment]:
        if not self._open:
            return []
        said, self._open = self._open, []
        span = Span(said[0][0], max(item[1] for item in said))
        return self._passage(span, " ".join(item[2] for item in said), said[0][3], "speech")

    def _passage(self, span: Span, text: str, language: str, of: str) -> list[Segment]:
        meta = self._encoder.meta
        if not meta.reads(language):
            return []
        data = {"vector": self._vector(text), "space": meta.space, "of": of}
        return [Segment(span, "passage", self.source, text=text, language=language, data=data)]

    def _vector(self, text: str) -> Any:
        """One text at a time: in a batch the last bits would depend on its neighbours, and on where a run began."""
        if text not in self._vectors:
            self._vectors[text] = self._encoder.encode([text])[0]
            while len(self._vectors) > _REMEMBERED:
                self._vectors.popitem(last=False)
        else:
            self._vectors.move_to_end(text)
        return self._vectors[text]
