"""Inception-v3 (Szegedy et al. 2015, arXiv 1512.00567, table 1), as timm and torchvision keep its weights.

transformers has no Inception, so the network stands here: a table of convolutions under the names of the published
files (`timm/inception_v3.*` on the hub: config.json with `architecture`, model.safetensors). The classifier and the
auxiliary one are not read. Knows the network; not how pictures are prepared.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

_EPSILON = 1e-3  # of the batch norms, as the weights were trained


class Convolution(nn.Module):
    """Convolution without bias, batch norm, ReLU. Padding keeps the size where the stride is 1 and `same` is set."""

    def __init__(self, wide: int, out: int, kernel: tuple[int, int], stride: int, same: bool) -> None:
        super().__init__()
        padding = ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2) if same else (0, 0)
        self.conv = nn.Conv2d(wide, out, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        # (B, C, H, W) -> (B, out, H', W')
        made: Tensor = torch.relu(self.bn(self.conv(x)))
        return made


# name, where its input comes from ("in", "mean", or another's name), channels out, kernel, stride
Row = tuple[str, str, int, tuple[int, int], int]


class Mixed(nn.Module):
    """One module of several ways, side by side: figures 5, 6, 7 and 10 of the paper."""

    def __init__(self, wide: int, rows: list[Row], joined: list[str]) -> None:
        super().__init__()
        widths = {"in": wide, "mean": wide}
        for name, source, out, kernel, stride in rows:
            self.add_module(name, Convolution(widths[source], out, kernel, stride, same=stride == 1))
            widths[name] = out
        self.sources = [(row[0], row[1]) for row in rows]
        self.joined = joined
        self.out = sum(wide if name == "max" else widths[name] for name in joined)

    def forward(self, x: Tensor) -> Tensor:
        # (B, C, H, W) -> (B, out, H', W')
        held = {"in": x}
        for name, source in self.sources:
            if source == "mean" and "mean" not in held:
                held["mean"] = nn.functional.avg_pool2d(x, 3, 1, 1)
            held[name] = self.get_submodule(name)(held[source])
        if "max" in self.joined:
            held["max"] = nn.functional.max_pool2d(x, 3, 2)
        return torch.cat([held[name] for name in self.joined], 1)


def _a(pool: int) -> tuple[list[Row], list[str]]:
    """Figure 5: 35 x 35."""
    rows: list[Row] = [
        ("branch1x1", "in", 64, (1, 1), 1),
        ("branch5x5_1", "in", 48, (1, 1), 1), ("branch5x5_2", "branch5x5_1", 64, (5, 5), 1),
        ("branch3x3dbl_1", "in", 64, (1, 1), 1), ("branch3x3dbl_2", "branch3x3dbl_1", 96, (3, 3), 1),
        ("branch3x3dbl_3", "branch3x3dbl_2", 96, (3, 3), 1),
        ("branch_pool", "mean", pool, (1, 1), 1),
    ]  # fmt: skip
    return rows, ["branch1x1", "branch5x5_2", "branch3x3dbl_3", "branch_pool"]


def _b() -> tuple[list[Row], list[str]]:
    """Figure 10: from 35 x 35 to 17 x 17."""
    rows: list[Row] = [
        ("branch3x3", "in", 384, (3, 3), 2),
        ("branch3x3dbl_1", "in", 64, (1, 1), 1), ("branch3x3dbl_2", "branch3x3dbl_1", 96, (3, 3), 1),
        ("branch3x3dbl_3", "branch3x3dbl_2", 96, (3, 3), 2),
    ]  # fmt: skip
    return rows, ["branch3x3", "branch3x3dbl_3", "max"]


def _c(c: int) -> tuple[list[Row], list[str]]:
    """Figure 6 with n = 7: 17 x 17."""
    rows: list[Row] = [
        ("branch1x1", "in", 192, (1, 1), 1),
        ("branch7x7_1", "in", c, (1, 1), 1), ("branch7x7_2", "branch7x7_1", c, (1, 7), 1),
        ("branch7x7_3", "branch7x7_2", 192, (7, 1), 1),
        ("branch7x7dbl_1", "in", c, (1, 1), 1), ("branch7x7dbl_2", "branch7x7dbl_1", c, (7, 1), 1),
        ("branch7x7dbl_3", "branch7x7dbl_2", c, (1, 7), 1), ("branch7x7dbl_4", "branch7x7dbl_3", c, (7, 1), 1),
        ("branch7x7dbl_5", "branch7x7dbl_4", 192, (1, 7), 1),
        ("branch_pool", "mean", 192, (1, 1), 1),
    ]  # fmt: skip
    return rows, ["branch1x1", "branch7x7_3", "branch7x7dbl_5", "branch_pool"]


def _d() -> tuple[list[Row], list[str]]:
    """From 17 x 17 to 8 x 8."""
    rows: list[Row] = [
        ("branch3x3_1", "in", 192, (1, 1), 1), ("branch3x3_2", "branch3x3_1", 320, (3, 3), 2),
        ("branch7x7x3_1", "in", 192, (1, 1), 1), ("branch7x7x3_2", "branch7x7x3_1", 192, (1, 7), 1),
        ("branch7x7x3_3", "branch7x7x3_2", 192, (7, 1), 1), ("branch7x7x3_4", "branch7x7x3_3", 192, (3, 3), 2),
    ]  # fmt: skip
    return rows, ["branch3x3_2", "branch7x7x3_4", "max"]


def _e() -> tuple[list[Row], list[str]]:
    """Figure 7: 8 x 8."""
    rows: list[Row] = [
        ("branch1x1", "in", 320, (1, 1), 1),
        ("branch3x3_1", "in", 384, (1, 1), 1), ("branch3x3_2a", "branch3x3_1", 384, (1, 3), 1),
        ("branch3x3_2b", "branch3x3_1", 384, (3, 1), 1),
        ("branch3x3dbl_1", "in", 448, (1, 1), 1), ("branch3x3dbl_2", "branch3x3dbl_1", 384, (3, 3), 1),
        ("branch3x3dbl_3a", "branch3x3dbl_2", 384, (1, 3), 1), ("branch3x3dbl_3b", "branch3x3dbl_2", 384, (3, 1), 1),
        ("branch_pool", "mean", 192, (1, 1), 1),
    ]  # fmt: skip
    return rows, ["branch1x1", "branch3x3_2a", "branch3x3_2b", "branch3x3dbl_3a", "branch3x3dbl_3b", "branch_pool"]


# name, channels out, kernel, stride, padded; "pool" is a maximum over 3 x 3 with stride 2
_STEM: list[tuple[str, int, int, int, bool]] = [
    ("Conv2d_1a_3x3", 32, 3, 2, False), ("Conv2d_2a_3x3", 32, 3, 1, False), ("Conv2d_2b_3x3", 64, 3, 1, True),
    ("pool", 0, 3, 2, False),
    ("Conv2d_3b_1x1", 80, 1, 1, False), ("Conv2d_4a_3x3", 192, 3, 1, False),
    ("pool", 0, 3, 2, False),
]  # fmt: skip
_MIXED = {
    "Mixed_5b": _a(32), "Mixed_5c": _a(64), "Mixed_5d": _a(64), "Mixed_6a": _b(), "Mixed_6b": _c(128),
    "Mixed_6c": _c(160), "Mixed_6d": _c(160), "Mixed_6e": _c(192), "Mixed_7a": _d(), "Mixed_7b": _e(), "Mixed_7c": _e(),
}  # fmt: skip


class InceptionV3(nn.Module):
    """(B, 3, H, W) -> 2048 channels, from 75 x 75 pixels on; 299 x 299 gives maps of 8 x 8 (table 1)."""

    def __init__(self) -> None:
        super().__init__()
        wide = 3
        for name, out, kernel, stride, same in _STEM:
            if name != "pool":
                self.add_module(name, Convolution(wide, out, (kernel, kernel), stride, same))
                wide = out
        for name, (rows, joined) in _MIXED.items():
            mixed = Mixed(wide, rows, joined)
            self.add_module(name, mixed)
            wide = mixed.out

    def forward(self, pixel_values: Tensor, output_hidden_states: bool = False) -> Any:
        """As transformers' CNNs give it out. Hidden state 0 is the stem's, k is what the k-th `Mixed` gives."""
        x = pixel_values
        for name, *_ in _STEM:
            x = nn.functional.max_pool2d(x, 3, 2) if name == "pool" else self.get_submodule(name)(x)
        hidden = [x]
        for name in _MIXED:
            hidden.append(self.get_submodule(name)(hidden[-1]))
        pooled = hidden[-1].mean((2, 3), keepdim=True)
        held = tuple(hidden) if output_hidden_states else None
        return SimpleNamespace(last_hidden_state=hidden[-1], pooler_output=pooled, hidden_states=held)
