"""The recurrent layers against the articles' equation in numpy and torch's own modules on packed rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence  # noqa: E402

from cinescope.nn.recurrence import CELLS, Recurrence, recur, to_front, to_front_reversed  # noqa: E402
from cinescope.types import BadQueryError  # noqa: E402

LENGTHS = [6, 3, 1]
MASK = torch.arange(6)[None] < torch.tensor(LENGTHS)[:, None]


def values(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(4))


def test_the_articles_equation() -> None:
    x, w_x, w_h, b = values(2, 5, 3), values(4, 3), values(4, 4) / 2, values(4)
    got = recur(x, w_x, w_h, b).numpy()
    for row in range(2):
        h = np.zeros(4)
        for t in range(5):
            h = np.tanh(w_x.double().numpy() @ x[row, t].double().numpy() + w_h.double().numpy() @ h + b.numpy())
            np.testing.assert_allclose(got[row, t], h, atol=1e-5)


def test_the_rnn_is_the_articles_equation() -> None:
    torch.manual_seed(0)
    layer = Recurrence("rnn", 3, 4)
    cell: Any = layer.forwards[0]
    x = values(3, 6, 3)
    by_hand = recur(x, cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0 + cell.bias_hh_l0)
    got = layer(x, MASK)
    torch.testing.assert_close(got[MASK], by_hand[MASK], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_as_torch_on_packed_rows(cell: Any, bidirectional: bool, layers: int) -> None:
    torch.manual_seed(1)
    ours = Recurrence(cell, 3, 4, layers, bidirectional)
    width = 2 if bidirectional else 4
    theirs = CELLS[cell](3, width, num_layers=layers, bidirectional=bidirectional, batch_first=True)
    state = {}
    for name in theirs.state_dict():
        kind, _, rest = name.rpartition("_l")
        back, level = rest.endswith("_reverse"), int(rest.split("_")[0])
        state[name] = (ours.backwards if back else ours.forwards)[level].state_dict()[f"{kind}_l0"]
    theirs.load_state_dict(state)
    x = values(3, 6, 3)
    packed, _ = theirs(pack_padded_sequence(x, torch.tensor(LENGTHS), batch_first=True))
    expected, _ = pad_packed_sequence(packed, batch_first=True)
    torch.testing.assert_close(ours(x, MASK), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_holes_are_passed_over(bidirectional: bool) -> None:
    torch.manual_seed(2)
    layer = Recurrence("gru", 3, 4, 2, bidirectional)
    x = values(1, 6, 3)
    mask = torch.tensor([[False, True, True, False, True, False]])
    tight = layer(x[mask][None], torch.ones(1, 3, dtype=torch.bool))
    x[~mask] = float("nan")
    torch.testing.assert_close(layer(x, mask)[mask][None], tight)


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_orders_are_permutations_that_undo(flags: list[bool]) -> None:
    mask = torch.tensor([flags])
    true = [i for i, flag in enumerate(flags) if flag]
    for order, wanted in ((to_front(mask), true), (to_front_reversed(mask), true[::-1])):
        assert sorted(order[0].tolist()) == list(range(len(flags)))
        moved = torch.zeros(1, len(flags), dtype=torch.long).scatter(1, order, torch.arange(len(flags))[None])
        assert moved[0, : len(true)].tolist() == wanted
        assert moved.gather(1, order)[0].tolist() == list(range(len(flags)))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("elman", 3, 4), "'elman'"), (("gru", 3, 4, 0), "0 layers"), (("gru", 3, 5, 1, True), "width of 5")],
)
def test_impossible_layers(arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(BadQueryError, match=says):
        Recurrence(*arguments)
