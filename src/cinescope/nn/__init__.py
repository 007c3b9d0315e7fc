"""Shape-only blocks and the nouns that need torch: attention, recurrence, convolution, fusion. Knows no files."""

from cinescope.nn.batch import UNKNOWN, Batch, Fused, Loss, Outputs
from cinescope.nn.protocols import (
    Corruption,
    Decoder,
    Encoder,
    Fusion,
    Gather,
    Head,
    Model,
    Objective,
    Pooling,
    Task,
    alone,
)
from cinescope.nn.sequences import Sequences, absent_like, pad

__all__ = [
    "UNKNOWN", "Batch", "Corruption", "Decoder", "Encoder", "Fused", "Fusion", "Gather", "Head", "Loss", "Model",
    "Objective", "Outputs", "Pooling", "Sequences", "Task", "absent_like", "alone", "pad",
]  # fmt: skip
