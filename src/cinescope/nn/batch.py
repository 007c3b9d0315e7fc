"""What goes through a model: Batch in, Fused in the middle, Outputs and Loss out. Knows no model and no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from cinescope.nn.sequences import Sequences

Outputs = dict[str, Tensor]
UNKNOWN = -100  # a class target that is not known; torch's own ignore_index


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B rows. A role says the use: video, speech, sound, question, candidates, caption.

    Targets: classes (B,) int64 with UNKNOWN where not known, or (B, T) one a step; scores (B,) float with a bool
    target `NAME.known` (B,) beside them where some are not known; several classes at once (B, C) float of 0 and 1.
    """

    inputs: Mapping[str, Sequences]
    targets: Mapping[str, Tensor] = field(default_factory=dict)
    keys: tuple[str, ...] = ()  # (B,) row keys: randomness is a function of them

    def __post_init__(self) -> None:
        rows = {len(s.values) for s in self.inputs.values()} | {len(t) for t in self.targets.values()}
        if len(rows | ({len(self.keys)} if self.keys else set())) > 1:
            shapes = {role: tuple(s.values.shape) for role, s in self.inputs.items()}
            shapes |= {name: tuple(t.shape) for name, t in self.targets.items()}
            raise ValueError(f"the rows of a Batch must be equally many, got {shapes} and {len(self.keys)} keys")

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())).values) if self.inputs else len(self.keys)

    def take(self, role: str, index: Tensor) -> Batch:
        """Re-pair: row i gets `role` of row index[i] (hard negatives), or with (B, N) repeats every row N times.

        With (N,) of another length than B the other roles must fit it: repeat them first with `rows`.
        """
        if index.ndim == 2:
            flat = self.rows(torch.arange(len(self), device=index.device).repeat_interleave(index.shape[1]))
            return replace(flat, inputs=dict(flat.inputs) | {role: self.inputs[role].rows(index.reshape(-1))})
        return replace(self, inputs=dict(self.inputs) | {role: self.inputs[role].rows(index)})

    def rows(self, index: Tensor) -> Batch:
        """The rows of `index` (N,), all roles and targets alike."""
        chosen = index.nonzero()[:, 0] if index.dtype == torch.bool else index
        return Batch(
            {role: s.rows(chosen) for role, s in self.inputs.items()},
            {name: t[chosen] for name, t in self.targets.items()},
            tuple(self.keys[i] for i in chosen.tolist()) if self.keys else (),
        )

    def without(self, *roles: str) -> Batch:
        """The same rows with these roles absent: their masks are all false."""
        gone = {r: s.without(torch.ones_like(s.present)) for r, s in self.inputs.items() if r in roles}
        return replace(self, inputs=dict(self.inputs) | gone)

    def with_inputs(self, inputs: Mapping[str, Sequences]) -> Batch:
        return replace(self, inputs=dict(self.inputs) | dict(inputs))

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Batch:
        return Batch(
            {role: s.to(device, non_blocking) for role, s in self.inputs.items()},
            {name: t.to(device, non_blocking=non_blocking) for name, t in self.targets.items()},
            self.keys,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """What every fusion returns. Where all roles of a row are absent, its pooled row is what the parts' absence gives,
    a constant: never NaN."""

    steps: Sequences  # (B, T, D): the fused steps on one clock; T = 1 where the fusion keeps no time
    pooled: Tensor  # (B, D)
    parts: Mapping[str, Sequences]  # role -> its steps after fusion (or as they came, where it does not change them)
    shares: Tensor | None = None  # (B, R), rows sum to 1 over the present roles, in the order of the fusion's roles


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """Sums and counts of terms. Divided only after summing over ranks and accumulation, so that the parts in which
    a batch was processed do not change the gradient."""

    terms: Mapping[str, tuple[Tensor, Tensor | int]]  # name -> (sum, count)
    weights: Mapping[str, float] = field(default_factory=dict)  # 1 where not given

    def mean(self, counts: Mapping[str, Tensor | float] | None = None) -> Tensor:
        """The weighted sum of the terms, each divided by its count (or by `counts`): what is minimised, a scalar.

        A term that counts nothing is 0, with its graph kept.
        """
        total: Tensor | None = None
        for name, (value, own) in self.terms.items():
            count = own if counts is None else counts[name]
            known = torch.as_tensor(count, dtype=value.dtype, device=value.device).clamp_min(1e-12)
            term = self.weights.get(name, 1.0) * value / torch.where(known < 1e-9, torch.ones_like(known), known)
            total = term if total is None else total + term
        if total is None:
            raise ValueError("a Loss without terms has no mean")
        return total

    def __add__(self, other: Loss) -> Loss:
        both = set(self.terms) & set(other.terms)
        if both:
            raise ValueError(f"two losses with the same term: {', '.join(sorted(both))}; rename one")
        return Loss({**self.terms, **other.terms}, {**self.weights, **other.weights})

    def named(self, prefix: str, weight: float = 1.0) -> Loss:
        """The same with `prefix.` before every name and all weights times `weight`."""
        return Loss(
            {f"{prefix}.{name}": term for name, term in self.terms.items()},
            {f"{prefix}.{name}": weight * self.weights.get(name, 1.0) for name in self.terms},
        )
