"""Encoders of token ids: embeddings under a recurrent network or a Transformer. Know no tokenizer and no language."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from cinescope.nn.attention import TransformerStack
from cinescope.nn.protocols import Takes
from cinescope.nn.recurrence import Cell, Recurrence
from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError


class WordRNN(nn.Module):
    """Token ids (B, T) below in_dim -> (B, T, dim): embeddings of `width`, then "rnn", "lstm" or "gru".

    Id 0 is padding, whose embedding stays zero. Vectors trained elsewhere come in by `load_vectors`.
    """

    takes: ClassVar[Takes] = "tokens"
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        in_dim: int,
        dim: int,
        width: int = 100,
        cell: Cell = "gru",
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.words = _embedding(in_dim, width)
        self.drop = nn.Dropout(dropout)
        self.states = Recurrence(cell, width, dim, layers, bidirectional, dropout)

    def forward(self, sequences: Sequences) -> Sequences:
        return sequences.with_values(self.states(self.drop(self.words(_ids(sequences, self.words))), sequences.mask))

    def load_vectors(self, vectors: Tensor, known: Tensor | None = None, freeze: bool = False) -> None:
        """vectors (V, width) by token id; rows where `known` (V,) is false keep their random start.

        With `freeze` the embedding is not trained. BadQueryError for another shape, or numbers that are not finite.
        """
        _load(self.words, vectors, known, freeze)


class TextTransformer(nn.Module):
    """Token ids (B, T) below in_dim -> (B, T, dim): embeddings and positions, then pre-norm Transformer blocks.

    Each token sees all others (BERT's encoder, Devlin et al. 2019, section 3), or with `causal` those before it.
    Positions as in Transformer.
    """

    takes: ClassVar[Takes] = "tokens"
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        in_dim: int,
        dim: int,
        layers: int = 2,
        heads: int | None = None,
        hidden: int | None = None,
        positions: str = "learned",
        longest: int = 512,
        causal: bool = False,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.dim, self.causal = dim, causal
        self.words = _embedding(in_dim, dim)
        self.stack = TransformerStack(dim, layers, heads, hidden, positions, longest, dropout)

    def forward(self, sequences: Sequences) -> Sequences:
        x = self.words(_ids(sequences, self.words))
        return sequences.with_values(self.stack(x, sequences.mask, self.causal))

    def load_vectors(self, vectors: Tensor, known: Tensor | None = None, freeze: bool = False) -> None:
        """As `WordRNN.load_vectors`, with vectors (V, dim)."""
        _load(self.words, vectors, known, freeze)


def _embedding(words: int, width: int) -> nn.Embedding:
    if words < 2 or width < 1:
        raise BadQueryError(
            f"an embedding of {words} words in {width} numbers holds nothing", "give the size of the vocabulary"
        )
    made = nn.Embedding(words, width, padding_idx=0)
    with torch.no_grad():
        made.weight.mul_(width**-0.5)  # rows of about length 1: torch's own start drowns positions and gates
    return made


def _ids(sequences: Sequences, words: nn.Embedding) -> Tensor:
    """The ids with 0 where there is no step. BadQueryError for what is not ids, or an id beyond the vocabulary."""
    ids = sequences.values
    if ids.ndim != 2 or ids.is_floating_point():
        raise BadQueryError(
            f"an encoder of words takes token ids (rows, steps), got {ids.dtype} {tuple(ids.shape)}",
            "tokenize the text first",
        )
    ids = sequences.zeroed()
    if not (torch.jit.is_tracing() or torch.compiler.is_compiling() or ids.is_cuda) and ids.numel():
        low, high = int(ids.min()), int(ids.max())
        if low < 0 or high >= words.num_embeddings:
            raise BadQueryError(
                f"token ids go from {low} to {high}, the vocabulary has {words.num_embeddings} words",
                "use the tokenizer that the model was built for",
            )
    return ids


def _load(words: nn.Embedding, vectors: Tensor, known: Tensor | None, freeze: bool) -> None:
    wanted = tuple(words.weight.shape)
    if tuple(vectors.shape) != wanted:
        raise BadQueryError(
            f"word vectors of shape {tuple(vectors.shape)} do not fit an embedding of {wanted}",
            "give one row a token id, as wide as the embedding",
        )
    keep = torch.ones(wanted[0], dtype=torch.bool) if known is None else known.to(torch.bool)
    if not bool(vectors[keep].isfinite().all()):
        raise BadQueryError("some word vectors are not finite numbers", "leave those rows out by 'known'")
    with torch.no_grad():
        words.weight[keep] = vectors[keep].to(words.weight)
        words.weight[0] = 0
    words.weight.requires_grad_(not freeze)
