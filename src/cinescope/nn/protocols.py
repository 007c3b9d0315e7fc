"""The learning protocols: shapes only, no code is shared through them. Reuse is calling a function.

How parts are built is part of the protocol, so that a recipe, the conformance suite and a stranger's part can do it
alike: `Encoder(in_dim, dim, **settings)`, `Pooling(dim, **settings)`, `Fusion(dims, dim, **settings)`,
`Head(dim, **settings)`. Tried on paper against what comes after (docs/decisions/0010-learning-protocols.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from torch import Tensor

from cinescope.nn.batch import Batch, Fused, Loss, Outputs
from cinescope.nn.sequences import Sequences

Takes = Literal["steps", "pictures", "tokens"]
Gather = Callable[[Tensor], Tensor]  # (B, ...) of this rank -> (sum of B, ...) of all, in order of rank, with gradients


def alone(rows: Tensor) -> Tensor:
    """The gather of a single process."""
    return rows


@runtime_checkable
class Encoder(Protocol):
    """Sequences -> Sequences (B, T', dim) on the same clock; temporal models are encoders.

    `takes` says what its values are: "steps" (B, T, in_dim) float; "pictures" (B, T, in_dim, H, W) float, in_dim the
    channels; "tokens" (B, T) int64 below in_dim, 0 the padding.
    """

    takes: ClassVar[Takes]
    dim: int

    def __call__(self, sequences: Sequences) -> Sequences: ...


@runtime_checkable
class Pooling(Protocol):
    """Sequences (B, T, D) -> (B, dim); an absent row gives zeros."""

    dim: int

    def __call__(self, sequences: Sequences) -> Tensor: ...


@runtime_checkable
class Fusion(Protocol):
    """Batch of encoded roles -> Fused. Built with `dims` {role: width}, whose order is that of `roles`.

    A role that is absent from a row, from all rows, or from the batch is one and the same: a mask.
    """

    roles: tuple[str, ...]
    dim: int  # width of pooled and steps
    additive: ClassVar[bool]  # pooled is a sum of functions of one role each: cannot tell relations between roles

    def __call__(self, batch: Batch) -> Fused: ...


@runtime_checkable
class Head(Protocol):
    """(Fused, Batch) -> Outputs: classes, scores, spans, words, similarities."""

    def __call__(self, fused: Fused, batch: Batch) -> Outputs: ...


@runtime_checkable
class Decoder(Head, Protocol):
    """A head that also writes: search (greedy, beam, sampling) sees only `step`."""

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """tokens (B,) and state -> (logits (B, V), state)."""
        ...


@runtime_checkable
class Model(Protocol):
    """encode, fuse, heads; the task decides what is asked of it."""

    heads: Mapping[str, Any]

    def encode(self, batch: Batch) -> Batch: ...

    def fuse(self, batch: Batch) -> Fused: ...


class Corruption(Protocol):
    """(Batch, seed, epoch) -> Batch: masks, shuffles or varies each row from its key; clean values become targets."""

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch: ...


class Objective(Protocol):
    """(Outputs, targets, gather) -> Loss. Never sees the model."""

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss: ...


class Task(Protocol):
    """The only place where corruption, model and objective meet. Owns no parameters.

    `counts` says, from the batch alone, what each term of `loss` will be divided by: the loop needs it before the
    first of several parts of a batch is sent back. `answer` gives one dict of plain values for each row.
    """

    def loss(self, model: Any, batch: Batch, seed: int, epoch: int, gather: Gather = alone) -> Loss: ...

    def counts(self, batch: Batch, seed: int, epoch: int) -> dict[str, int]: ...

    def answer(self, model: Any, batch: Batch, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]: ...
