"""What a question gives back: moments, each with the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from cinescope.types.span import Span


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row that speaks for a moment."""

    kind: str  # the modality: "speech", "screen", "title", "note" ...
    span: Span
    text: str
    source: str  # Source.key, or "person"
    matched: tuple[tuple[int, int], ...] = ()  # [start, end) character offsets of the matching words in `text`
    score: float = 0.0
    language: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    video_id: str
    span: Span
    score: float
    by_modality: dict[str, float] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()  # best first

    @property
    def address(self) -> str:
        """`3fa9c21b@62.5-70`: what `open` and `clip` take."""
        times = "-".join(f"{t:.3f}".rstrip("0").rstrip(".") for t in (self.span.start, self.span.end))
        return f"{self.video_id[:8]}@{times}"


@dataclass(frozen=True, slots=True)
class SearchResult:
    moments: tuple[Moment, ...]  # best first
    query: str = ""  # as it was understood
    note: str = ""  # why there is nothing, or what could not be looked at
    spellings: tuple[str, ...] = ()  # near spellings that do occur in these videos
    total: int = 0  # moments before the limit; a lower bound where `more` is true
    more: bool = False
    looked_at: tuple[str, ...] = ()  # modalities
    not_looked_at: tuple[str, ...] = ()  # what could have been and was not, each with the reason: "meaning: ..."
    absent: bool = False  # it seems not to be said or written in these videos; the moments are only the nearest
