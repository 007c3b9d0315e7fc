"""Each role from the others. An example: the log-mel steps of a spoken digit, said from the picture of the digit.

Answers: {"key": "george_7_03", "errors": {"sound": 0.41}, "powers": {"sound": 0.98}}: mean squares, of the error and of
what was to be said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from cinescope.nn import Batch, Gather, Loss, Outputs, Sequences, alone
from cinescope.objectives import OBJECTIVES
from cinescope.tasks.common import answering, ask_heads, built, corrupted, keyed, make_corruptions
from cinescope.types import BadQueryError

Hide = Literal["each", "none"]


class Autoencoding:
    """Head `reconstruct`. hide "each": every role of `roles` {role: width} in turn is absent, and is said from the
    rest (Ngiam et al. 2011, cross-modality learning); "none": all roles are said from all, which corruptions in
    `augment` make a task. Clean values are the target, on the clock of the fused steps: the mean of the values within
    each fused step, weighted by how much of it they last.

    A row's error is the mean over its steps; rows count one for each role that they have and that can be said.
    """

    best: ClassVar[str] = "error"
    higher_is_better: ClassVar[bool] = False

    def __init__(
        self,
        roles: Mapping[str, int],
        hide: Hide = "each",
        level: Literal["steps", "pooled"] = "steps",
        head: str = "reconstruct",
        objective: Any = "reconstruction",
        augment: Sequence[Any] = (),
        hidden: int = 0,
        dropout: float = 0.0,
    ) -> None:
        if hide not in ("each", "none"):
            raise BadQueryError(f"hide cannot be '{hide}'", "give each or none")
        if not roles:
            raise BadQueryError("autoencoding needs the width of at least one role", "roles: {sound: 40}, for example")
        self.roles = dict(roles)
        self.hide: Hide = hide
        self.level = level
        self.head = head
        self.objectives = {
            role: built(
                OBJECTIVES, objective, output=f"{head}.{role}", target=role, per="row", term=f"reconstruct.{role}"
            )
            for role in roles
        }
        self.augment = make_corruptions(augment)
        self.hidden = hidden
        self.dropout = dropout

    def heads(self, labels: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
        settings = {
            "name": self.head,
            "roles": self.roles,
            "level": self.level,
            "hidden": self.hidden,
            "dropout": self.dropout,
        }
        return {self.head: {"name": "reconstruct", "settings": settings}}

    def loss(self, model: Any, batch: Batch, seed: int, epoch: int, gather: Gather = alone) -> Loss:
        seen = corrupted(batch, self.augment, seed, epoch)
        loss = Loss({})
        for role, outputs, targets in self._said(model, batch, seen):
            loss = loss + self.objectives[role](outputs, targets, gather)
        return loss

    def counts(self, batch: Batch, seed: int, epoch: int) -> dict[str, int]:
        seen = corrupted(batch, self.augment, seed, epoch)
        return {self.objectives[role].term: int(self._known(role, batch, seen).sum()) for role in self.roles}

    def answer(self, model: Any, batch: Batch, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = [{**keyed(batch, i), "errors": {}, "powers": {}} for i in range(len(batch))]
        with answering(model):
            for role, outputs, targets in self._said(model, batch, batch):
                said, true = outputs[f"{self.head}.{role}"].float(), targets[role].float()
                mask = targets.get(f"{role}.mask", targets[f"{role}.known"][:, None])
                if said.ndim == 2:
                    said, true = said[:, None], true[:, None]
                errors, powers = ((v.square().mean(-1) * mask).sum(1) / mask.sum(1) for v in (said - true, true))
                for i in (targets[f"{role}.known"] & mask.any(1)).nonzero()[:, 0].tolist():
                    answers[i]["errors"][role] = float(errors[i])
                    answers[i]["powers"][role] = float(powers[i])
        return answers

    def metrics(self, answers: Sequence[Mapping[str, Any]], targets: Mapping[str, Any]) -> dict[str, float]:
        """error.ROLE, the mean square error; explained.ROLE, 1 - error / power (saying 0 has 0: for values of mean 0
        the best constant); error, the mean over the roles."""
        found: dict[str, float] = {}
        for role in self.roles:
            errors = [a["errors"][role] for a in answers if role in a["errors"]]
            if errors:
                power = float(np.mean([a["powers"][role] for a in answers if role in a["errors"]]))
                found[f"error.{role}"] = float(np.mean(errors))
                found[f"explained.{role}"] = 1 - found[f"error.{role}"] / power if power > 0 else 0.0
        each = [value for name, value in found.items() if name.startswith("error.")]
        return found | ({"error": float(np.mean(each))} if each else {})

    def _known(self, role: str, clean: Batch, seen: Batch) -> Tensor:
        """(B,) bool: rows that have the role, and of which the model sees something to say it from."""
        if role not in clean.inputs:
            raise BadQueryError(f"the batch has no role '{role}'", f"it has {', '.join(clean.inputs) or 'none'}")
        from_roles = [s.present for r, s in seen.inputs.items() if self.hide == "none" or r != role]
        some = torch.stack(from_roles).any(0) if from_roles else torch.zeros_like(clean.inputs[role].present)
        return clean.inputs[role].present & some

    def _said(self, model: Any, clean: Batch, seen: Batch) -> list[tuple[str, Outputs, dict[str, Tensor]]]:
        """(role, outputs, targets) for each role; roles are encoded once."""
        encoded = model.encode(seen)
        whole = ask_heads(model, model.fuse(encoded), encoded, self.head) if self.hide == "none" else None
        found = []
        for role in self.roles:
            known = self._known(role, clean, seen)
            outputs = whole
            if outputs is None:
                without = encoded.without(role)
                outputs = ask_heads(model, model.fuse(without), without, self.head)
            targets = {f"{role}.known": known}
            if self.level == "pooled":
                mask = clean.inputs[role].mask
                times = torch.tensor([[[-torch.inf, torch.inf]]], dtype=torch.float64, device=mask.device)
                one = mask.new_ones(len(mask), 1)
                targets[role] = on_clock(clean.inputs[role], times.expand(len(mask), 1, 2), one)[0][:, 0]
            else:
                at, there = outputs[f"{self.head}.times"], outputs[f"{self.head}.mask"]
                targets[role], covered = on_clock(clean.inputs[role], at, there)
                targets[f"{role}.mask"] = covered & known[:, None]
            found.append((role, outputs, targets))
        return found


def on_clock(steps: Sequences, times: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Steps (B, T, W) on other steps' times (B, N, 2) and mask (B, N) -> (values (B, N, W), covered (B, N) bool).

    Each value is the mean of what lies within its time, weighted by how long; what lasts no time counts a little.
    """
    if steps.values.ndim != 3 or not steps.values.is_floating_point():
        raise BadQueryError(
            f"only steps of numbers (B, T, W) can be said again, got {steps.values.dtype} {tuple(steps.values.shape)}",
            "leave this role out of roles",
        )
    (start, end), (first, last) = times[:, :, None].unbind(-1), steps.times[:, None].unbind(-1)  # (B, N, 1), (B, 1, T)
    shared = torch.minimum(end, last) - torch.maximum(start, first)  # (B, N, T)
    touches = (shared > 0) | ((first == last) & (start <= first) & (first < end))
    touches = touches & mask[:, :, None] & steps.mask[:, None]
    weights = torch.where(touches, shared.clamp_min(1e-9), 0.0)
    weights = weights / weights.sum(2, keepdim=True).clamp_min(1e-12)
    return weights.to(steps.values.dtype) @ steps.zeroed(), touches.any(2)
