"""What the checks of every kind share: findings, the bench a part is put on, comparing results. Knows no kind."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from cinescope.nn import Sequences
from cinescope.types import BadQueryError, CinescopeError

Inputs = Mapping[str, Sequences]
Result = dict[str, tuple[Tensor, Tensor | None]]  # name -> (values, mask (B, T) of the true steps or None)

CLOSE = 1e-4  # largest difference of float32 results, relative to their largest value or 1
BF16 = 0.1  # largest difference under bf16, relative to the norm of the float32 result

_T = TypeVar("_T")


class FailedCheck(Exception):
    """What a check found, in one sentence."""


class SkippedCheck(Exception):
    """Why a check does not apply."""


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    demands: str  # what the check asks for, one sentence
    result: Literal["ok", "failed", "skipped"]
    note: str = ""  # on failure what was found, on skipping why


@dataclass(frozen=True, slots=True)
class Report:
    part: str
    kind: str
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> list[Finding]:
        return [f for f in self.findings if f.result == "failed"]

    @property
    def ok(self) -> bool:
        return not self.failed

    def __str__(self) -> str:
        lines = [f"{self.part}: {self.kind}, {_count(self.findings)}"]
        for f in self.findings:
            lines.append(f"  {f.result:7} {f.check}" + (f": {f.note}" if f.note else ""))
            if f.result == "failed":
                lines.append(f"          demanded: {f.demands}")
        return "\n".join(lines)


def _count(findings: Sequence[Finding]) -> str:
    each = {r: sum(f.result == r for f in findings) for r in ("ok", "failed", "skipped")}
    return ", ".join(f"{n} {r}" for r, n in each.items() if n)


@dataclass(frozen=True, slots=True)
class Bench:
    """A part, how to build it by its convention, and tiny inputs to try it on.

    `inputs` has rows with all steps, with fewer, with a hole in the mask, and one without any: `absent` is its index.
    """

    kind: str
    part: Callable[..., Any]
    arguments: tuple[Any, ...]  # by the convention of its kind
    settings: Mapping[str, Any]
    inputs: Inputs
    absent: int
    call: Callable[[Any, Inputs], Result]
    dirt: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # what to put into padding, by input

    def build(self, seed: int = 0) -> nn.Module:
        with seeded(seed):
            return self.part(*self.arguments, **self.settings)

    def ready(self, training: bool = False, seed: int = 0) -> nn.Module:
        """Built, moved off its initial values (a gate that starts at zero hides what is behind it), dropout at 0."""
        module = self.build(seed)
        with torch.no_grad(), seeded(seed + 1):
            for parameter in module.parameters():
                if parameter.is_floating_point():
                    parameter.add_(0.05 * torch.randn_like(parameter))
        without_dropout(module)
        return module.train(training)

    def result(self, module: nn.Module, inputs: Inputs | None = None) -> Result:
        with seeded(7):
            return self.call(module, self.inputs if inputs is None else inputs)


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    demands: str
    run: Callable[[Bench], None]  # raises FailedCheck or SkippedCheck


def run_checks(checks: Sequence[Check], bench: Bench, only: str | None = None) -> list[Finding]:
    """All of them, or the first and the one named; nothing more is tried on what could not be built.

    No check stops another. BadQueryError where there is none of that name.
    """
    if only is not None:
        if only not in (c.name for c in checks):
            raise BadQueryError(
                f"there is no check '{only}' for the kind {bench.kind}",
                f"the checks are {', '.join(c.name for c in checks)}",
            )
        checks = [c for c in checks if c is checks[0] or c.name == only]
    findings: list[Finding] = []
    with _one_thread():
        for check in checks:
            findings.append(_one(check, bench))
            if check is checks[0] and findings[0].result == "failed":
                break
    return findings


def _one(check: Check, bench: Bench) -> Finding:
    try:
        check.run(bench)
    except FailedCheck as found:
        return Finding(check.name, check.demands, "failed", str(found))
    except SkippedCheck as why:
        return Finding(check.name, check.demands, "skipped", str(why))
    except Exception as error:  # noqa: BLE001  a stranger's part may raise anything, and that is a finding
        first = (str(error).strip().splitlines() or [""])[0]
        note = str(error) if isinstance(error, CinescopeError) else f"raises {type(error).__name__}: {first[:300]}"
        return Finding(check.name, check.demands, "failed", note)
    return Finding(check.name, check.demands, "ok")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tensors are tiny here: handing them out to threads takes many times longer than computing with them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's random numbers from `seed`; the global state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def without_dropout(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.modules.dropout._DropoutNd):
            part.p = 0.0
        for name in ("drop", "dropout", "dropout_p", "drop_path", "attention_dropout"):
            if isinstance(getattr(part, name, None), float):
                setattr(part, name, 0.0)


def fill_settings(
    part: Callable[..., Any], given: Mapping[str, Any], conventional: int, roles: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """`given` and a small value for each other setting that has no default: 5 for a count, a role in turn for a name.

    `roles` {role: width} are those of the inputs; FailedCheck for a setting of which nothing is known.
    """
    settings, roles = dict(given), dict(roles or {})
    names = iter(roles)
    named = [p for p in inspect.signature(part).parameters.values() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    for parameter in named[conventional:]:
        if parameter.default is not inspect.Parameter.empty or parameter.name in settings:
            continue
        kind = getattr(parameter.annotation, "__name__", str(parameter.annotation)).lower()
        values: dict[str, Any] = {
            "int": 5,
            "float": 0.5,
            "str": next(names, parameter.name) if kind == "str" else "",
            "mapping[str, int]": roles,
            "dict[str, int]": roles,
            "sequence[str]": tuple(roles)[:2],
            "tuple[str, ...]": tuple(roles)[:2],
        }
        if kind not in values:
            raise FailedCheck(f"the setting '{parameter.name}' has no default, and no value for {kind} is known here")
        settings[parameter.name] = values[kind]
    return settings


# What stands in padding


def dirty(inputs: Inputs, number: float) -> dict[str, Sequences]:
    """The same inputs with `number` where there is no step, in values and in times."""
    return {name: _fill(s, number) for name, s in inputs.items()}


def _fill(s: Sequences, number: float) -> Sequences:
    wide = s.mask.reshape(*s.mask.shape, *[1] * (s.values.ndim - 2)).expand_as(s.values)
    values = torch.where(wide, s.values, torch.full_like(s.values, _fit(number, s.values.dtype)))
    times = torch.where(s.mask[..., None], s.times, torch.full_like(s.times, number))
    return Sequences(values, s.mask, times)


def _fit(number: float, dtype: torch.dtype) -> float:
    if dtype.is_floating_point:
        return number
    return 3 if number != number else -1  # token ids: another token, and one that no vocabulary has


def longer(inputs: Inputs, more: int, only: str | None = None) -> dict[str, Sequences]:
    """The same inputs with `more` steps of padding, full of 1e9."""
    return {name: _extend(s, more) if only in (None, name) else s for name, s in inputs.items()}


def _extend(s: Sequences, more: int) -> Sequences:
    rows = len(s.values)
    values = torch.cat([s.values, torch.zeros(rows, more, *s.values.shape[2:], dtype=s.values.dtype)], 1)
    mask = torch.cat([s.mask, torch.zeros(rows, more, dtype=torch.bool)], 1)
    return _fill(Sequences(values, mask, torch.cat([s.times, torch.zeros(rows, more, 2).double()], 1)), 1e9)


def rows_of(inputs: Inputs, index: Sequence[int]) -> dict[str, Sequences]:
    return {name: s.rows(torch.tensor(index)) for name, s in inputs.items()}


# Comparing


def true_steps(result: Result) -> dict[str, Tensor]:
    """Each result at its true steps only: (N, ...) where there is a mask."""
    return {name: t if mask is None else t[mask] for name, (t, mask) in result.items()}


def row_of(result: Result, index: int) -> Result:
    one = slice(index, index + 1)
    return {name: (t[one] if t.ndim else t, None if mask is None else mask[one]) for name, (t, mask) in result.items()}


def compare(expected: Result, got: Result, what: str, close: float = CLOSE) -> None:
    """FailedCheck naming the first result that differs, by how much and of which shape."""
    if set(expected) != set(got):
        raise FailedCheck(f"{what}: the results are {sorted(got)} instead of {sorted(expected)}")
    left, right = true_steps(expected), true_steps(got)
    for name in expected:
        a, b = left[name], right[name]
        if a.shape != b.shape:
            raise FailedCheck(
                f"{what}: {name} has {_steps(b, got[name])} instead of {_steps(a, expected[name])}"
                f" (shapes {tuple(got[name][0].shape)} and {tuple(expected[name][0].shape)})"
            )
        difference = distance(a, b)
        if not difference <= close:
            raise FailedCheck(
                f"{what}: {name} {tuple(expected[name][0].shape)} differs by {difference:.3g} of its largest value, "
                f"{close:g} is allowed"
            )


def _steps(flat: Tensor, of: tuple[Tensor, Tensor | None]) -> str:
    return f"shape {tuple(flat.shape)}" if of[1] is None else f"{len(flat)} true steps"


def distance(a: Tensor, b: Tensor) -> float:
    """The largest difference relative to the largest value or 1; NaN where only one of them is NaN."""
    if not a.numel() or torch.equal(a, b):
        return 0.0
    a, b = a.detach().double(), b.detach().double()
    apart = (a - b).abs()
    same = (a == b) | (a.isnan() & b.isnan())  # infinities that are equal are no difference
    apart = torch.where(same, torch.zeros_like(apart), apart)
    finite = a[a.isfinite()].abs()
    return float(apart.max() / max(1.0, float(finite.max()) if finite.numel() else 1.0))


def demand_finite(result: Result, what: str) -> None:
    for name, flat in true_steps(result).items():
        bad = int((~flat.isfinite()).sum()) if flat.is_floating_point() else 0
        if bad:
            raise FailedCheck(f"{what}: {bad} of {flat.numel()} numbers of {name} are not finite")


def weighted_sum(result: Result) -> Tensor:
    """One number that depends on every true number of the results, each with its own weight."""
    generator = torch.Generator().manual_seed(3)
    total = torch.zeros(())
    for flat in true_steps(result).values():
        if flat.is_floating_point() and flat.requires_grad:
            kept = torch.where(flat.isfinite(), flat, torch.zeros_like(flat))
            total = total + (kept * torch.randn(flat.shape, generator=generator).to(flat.dtype)).sum()
    return total


def noise(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def clock(mask: Tensor, step: float = 0.5) -> Tensor:
    """(B, T) -> times (B, T, 2): steps of `step` seconds one after another, each row from its own second."""
    start = torch.arange(mask.shape[1], dtype=torch.float64) * step + torch.arange(len(mask)).double()[:, None]
    return torch.stack([start, start + step], -1) * mask[..., None]


def masks(lengths: Sequence[int], steps: int, hole: tuple[int, int] | None = None) -> Tensor:
    """(B, T) of these many first steps each; one step more is taken out at `hole` (row, step)."""
    mask = torch.arange(steps)[None] < torch.tensor(lengths)[:, None]
    if hole is not None:
        mask[hole] = False
    return mask
