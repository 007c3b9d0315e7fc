"""What happened when, matched: DTW, soft-DTW, CTC forced alignment, attention."""

from cinescope.nn.alignment.attention import (
    AttentionAlignment,
    attended,
    attended_spans,
    attention_alignment,
    strongest_spans,
)
from cinescope.nn.alignment.ctc import ForcedAlignment, LabelSpan, TimedLabel, align_labels, forced_alignment
from cinescope.nn.alignment.dtw import WarpingPath, distances, dtw, warped_spans
from cinescope.nn.alignment.soft_dtw import soft_dtw, soft_dtw_divergence, soft_path, squared_distances

__all__ = [
    "AttentionAlignment", "ForcedAlignment", "LabelSpan", "TimedLabel", "WarpingPath", "align_labels", "attended",
    "attended_spans", "attention_alignment", "distances", "dtw", "forced_alignment", "soft_dtw", "soft_dtw_divergence",
    "soft_path", "squared_distances", "strongest_spans", "warped_spans",
]  # fmt: skip
