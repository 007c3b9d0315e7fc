"""Recurrence over masked steps, forwards and backwards. Knows shapes and masks; knows no modality.

True steps are moved to the front of their row first, so that padding and holes are never read before a true step,
and back afterwards. Nothing depends on a length as a number, so it exports with free batch size and length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from cinescope.types import BadQueryError

Cell = Literal["rnn", "lstm", "gru"]
CELLS: dict[str, Callable[..., nn.Module]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def recur(x: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor, h: Tensor | None = None) -> Tensor:
    """x (B, T, D), w_x (H, D), w_h (H, H), b (H,), first state h (B, H) or zeros -> all states (B, T, H).

    The articles' h_t = tanh(W_x x_t + W_h h_{t-1} + b) (Elman 1990), written out: the reference that `torch.nn.RNN`,
    whose two biases sum to b, is held to.
    """
    state = x.new_zeros(len(x), len(b)) if h is None else h
    states = []
    for t in range(x.shape[1]):
        state = torch.tanh(x[:, t] @ w_x.T + state @ w_h.T + b)
        states.append(state)
    return torch.stack(states, 1)


def to_front(mask: Tensor) -> Tensor:
    """mask (B, T) -> (B, T) int64, where each step goes: true steps to the front in their order, the others behind."""
    there = mask.long()
    behind = there.sum(1, keepdim=True) + (1 - there).cumsum(1) - 1
    return torch.where(mask, there.cumsum(1) - 1, behind)


def to_front_reversed(mask: Tensor) -> Tensor:
    """The same with the last true step first."""
    return torch.where(mask, mask.sum(1, keepdim=True) - mask.long().cumsum(1), to_front(mask))


class Recurrence(nn.Module):
    """x (B, T, D) and mask (B, T) -> (B, T, dim), zeros where there is no step.

    "rnn" (h_t = tanh(W_x x_t + W_h h_{t-1} + b), Elman 1990), "lstm" (Hochreiter and Schmidhuber 1997; with a forget
    gate, Gers 2000) or "gru" (Cho et al. 2014). With `bidirectional` half of `dim` reads forwards and half backwards
    from the last true step (Schuster and Paliwal 1997). The same as torch's own modules on packed rows.
    """

    def __init__(
        self, cell: Cell, in_dim: int, dim: int, layers: int = 1, bidirectional: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise BadQueryError(f"there is no recurrent cell '{cell}'", f"give one of {', '.join(CELLS)}")
        if layers < 1 or dim < 1:
            raise BadQueryError(f"a recurrent layer cannot have {layers} layers of {dim}", "give numbers above 0")
        if bidirectional and dim % 2:
            raise BadQueryError(f"a width of {dim} cannot be read half forwards, half backwards", "give an even width")
        width = dim // 2 if bidirectional else dim
        inputs = [in_dim] + [dim] * (layers - 1)
        self.forwards = nn.ModuleList([CELLS[cell](d, width, batch_first=True) for d in inputs])
        self.backwards = nn.ModuleList([CELLS[cell](d, width, batch_first=True) for d in inputs if bidirectional])
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        front, reverse = to_front(mask), to_front_reversed(mask)
        x = x.masked_fill(~mask[..., None], 0.0)
        for i, forwards in enumerate(self.forwards):
            if i:
                x = self.drop(x)
            done = [_along(forwards, x, front)]
            if len(self.backwards):
                done.append(_along(self.backwards[i], x, reverse))
            x = torch.cat(done, -1).masked_fill(~mask[..., None], 0.0)
        return x


def _along(cell: nn.Module, x: Tensor, order: Tensor) -> Tensor:
    """x (B, T, D) through the cell with step t at place order[:, t]; the states at the steps' own places."""
    place = order[..., None]
    # Every place is written to, so what it is scattered into does not matter; zeros would be exported as a constant of
    # the traced size where x comes from pictures.
    states, _ = cell(x.scatter(1, place.expand_as(x), x))
    return states.gather(1, place.expand(-1, -1, states.shape[2]))
