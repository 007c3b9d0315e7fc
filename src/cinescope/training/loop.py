"""The loop: steps, epochs, watching, saving, resuming. Knows no dataset, model or task by name.

Everything random in a step is a function of (seed, step, rank), so a run that was killed and resumed goes on bit for
bit as if it had not been (on the CPU, with as many ranks).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cinescope.nn import Batch, Task
from cinescope.nn.precision import best_dtype
from cinescope.training import checkpoint, parallel, ranks
from cinescope.training.data import Data, History, Source, Stopped
from cinescope.training.ema import Ema
from cinescope.training.lr_search import find_lr
from cinescope.training.schedule import share
from cinescope.training.settings import TrainSettings
from cinescope.training.watching import Log, Progress, Tell
from cinescope.types import BadQueryError, CinescopeError

AHEAD = 2  # batches made while the model is busy


@dataclass(slots=True)
class _Place:
    """Where a run is: what is saved with the weights."""

    epoch: int = 0  # being trained, from 0
    done: int = 0  # batches of it that are done
    step: int = 0  # of all
    sums: dict[str, list[float]] = field(default_factory=dict)  # term -> sum and count in this epoch
    bad: int = 0  # epochs without a better figure


def train(
    model: nn.Module,
    task: Task,
    data: Data,
    settings: TrainSettings,
    folder: Path,
    about: Mapping[str, Any],
    *,
    resume: bool = False,
    tell: Tell | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> History:
    """Train `model` in place; it ends with the best weights that were watched (the last where nothing was).

    `folder` gets log.jsonl, `last` (training can go on from it) and `best`; `about` is what a checkpoint says of
    itself.
    Raises CinescopeError when the loss is no number (the batch is saved), or a checkpoint cannot be written; Stopped.
    """
    threads, rng = torch.get_num_threads(), torch.get_rng_state()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    try:
        return _Run(model, task, data, settings, Path(folder), about, tell, cancelled).go(resume)
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(rng)


def autocast(precision: str) -> Any:
    """bf16 where asked for, or where it measures faster on this machine."""
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.autocast(kind, torch.bfloat16) if decided(precision) == "bf16" else nullcontext()


def decided(precision: str) -> str:
    """fp32 or bf16; "auto" is bf16 where that measures faster on this machine."""
    if precision != "auto":
        return precision
    return "bf16" if best_dtype("cuda" if torch.cuda.is_available() else "cpu") == "bfloat16" else "fp32"


@torch.no_grad()
def evaluate(
    model: nn.Module, task: Task, source: Source, batch: int = 64, precision: str = "fp32"
) -> list[dict[str, Any]]:
    """An answer for each row, in order, from the model as it is; it is left in the mode it was in."""
    was = model.training
    model.eval()
    answers: list[dict[str, Any]] = []
    try:
        with autocast(precision):
            for start in range(0, len(source), batch):
                answers += task.answer(model, source.batch(np.arange(start, min(start + batch, len(source)))))
    finally:
        model.train(was)
    return answers


class _Run:
    def __init__(
        self, model: nn.Module, task: Task, data: Data, settings: TrainSettings, folder: Path,
        about: Mapping[str, Any], tell: Tell | None, cancelled: Callable[[], bool] | None,
    ) -> None:  # fmt: skip
        self.model, self.task, self.data, self.settings, self.folder = model, task, data, settings, folder
        self.about, self.tell, self.cancelled = about, tell, cancelled
        self.module = parallel.spread(parallel.Trained(model, task), settings.shard)
        self.optimiser = _optimiser(model, settings)
        self.ema = Ema(model, settings.ema) if settings.ema else None
        if self.ema is not None and ranks.world() > 1 and settings.shard == "fsdp":
            raise BadQueryError("averaged weights (ema) and fsdp do not go together yet", "use shard: ddp")
        self.per_epoch = len(data.order.epoch(0))
        self.steps = self.per_epoch * settings.epochs
        self.lr = float(settings.lr) if settings.lr != "find" else math.nan
        # Decided once, and kept by a resumed run: another precision gives other numbers.
        self.precision = decided(settings.precision)
        self.place, self.history = _Place(), History()
        self.began = 0.0

    def go(self, resume: bool) -> History:
        last = self.folder / "last"
        if resume and checkpoint.recover(last):
            self._restore(checkpoint.read(last, with_state=True))
        elif self.settings.lr == "find":
            self.lr = find_lr(self.model, self.task, self.data, self.settings)
        log = Log(self.folder, self.settings.tensorboard, self.place.step) if ranks.is_first() else None
        before, self.began, self.first = self.history.seconds, time.monotonic(), self.place.step
        try:
            while self.place.epoch < self.settings.epochs and not self.history.stopped_early:
                self._epoch()
                self.history.seconds = before + time.monotonic() - self.began
                entry = self._watch()
                if log is not None:
                    log.write(entry)
                self.place.epoch, self.place.done, self.place.sums = self.place.epoch + 1, 0, {}
                whole = self.place.epoch == self.settings.epochs or self.history.stopped_early
                if whole or self.place.epoch % self.settings.save_every == 0:
                    self._save(last, with_state=True)
        finally:
            if log is not None:
                log.close()
        if checkpoint.recover(self.folder / "best"):
            ranks.wait()
            parallel.put_weights(self.model, checkpoint.read(self.folder / "best").model)
        return self.history

    def _epoch(self) -> None:
        place, settings = self.place, self.settings
        batches = self.data.order.epoch(place.epoch)
        self.module.train()
        for parts, counted in self._ahead(batches[place.done :]):
            if self.cancelled is not None and self.cancelled():
                self._save(self.folder / "last", with_state=True)
                raise Stopped
            loss = self._step(parts, counted)
            place.done, place.step = place.done + 1, place.step + 1
            if self.tell is not None:
                self._tell(loss)
            if settings.save_steps and place.step % settings.save_steps == 0 and place.done < len(batches):
                self._save(self.folder / "last", with_state=True)

    def _ahead(self, batches: Sequence[np.ndarray]) -> Iterator[tuple[list[Batch], bool]]:
        """The parts of this rank of each batch, made in a thread while the model is busy, and whether they count."""

        def make(rows: np.ndarray) -> tuple[list[Batch], bool]:
            own = rows[ranks.rank() :: ranks.world()]
            cuts = np.array_split(own, min(self.settings.parts, max(len(own), 1)))
            # A rank without a row takes one that does not count: all must call forward.
            return [self.data.train.batch(cut if len(cut) else rows[:1]) for cut in cuts], len(own) > 0

        with ThreadPoolExecutor(1, "batches") as pool:
            waiting: list[Future[tuple[list[Batch], bool]]] = []
            for rows in batches:
                waiting.append(pool.submit(make, rows))
                if len(waiting) > AHEAD:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()

    def _step(self, parts: list[Batch], counted: bool) -> float:
        settings, place, world = self.settings, self.place, ranks.world()
        _seed(settings.seed, place.step)
        lr = self.lr * share(settings.schedule, place.step, self.steps, settings.warmup)
        for group in self.optimiser.param_groups:
            group["lr"] = lr * group.get("scale", 1.0)
        weight = float(world) if counted else 0.0
        counts = None if world == 1 and len(parts) == 1 else self._counts(parts, weight)
        self.optimiser.zero_grad(set_to_none=True)
        sums: dict[str, list[float]] = {}
        total = 0.0
        for at, batch in enumerate(parts):
            with parallel.unsynced(self.module, at == len(parts) - 1):
                with autocast(self.precision):
                    loss, terms = self.module(batch, settings.seed, place.epoch, counts, weight)
                total += float(loss.detach()) / max(world, 1)
                if not math.isfinite(total):
                    self._no_number(batch, terms)
                loss.backward()
            if weight:
                for name, (value, count) in terms.items():
                    entry = sums.setdefault(name, [0.0, 0.0])
                    entry[0] += float(value)
                    entry[1] += float(count)
        if settings.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip_norm)
        self.optimiser.step()
        if self.ema is not None:
            self.ema.update()
        for name, (value, count) in sums.items():
            entry = place.sums.setdefault(name, [0.0, 0.0])
            entry[0] += value
            entry[1] += count
        return total

    def _counts(self, parts: list[Batch], weight: float) -> dict[str, float]:
        """What each term of the whole batch is divided by, over parts and ranks."""
        counts: dict[str, float] = {}
        for batch in parts:
            for name, count in self.task.counts(batch, self.settings.seed, self.place.epoch).items():
                counts[name] = counts.get(name, 0.0) + (float(count) if weight else 0.0)
        return ranks.summed(counts)

    def _watch(self) -> dict[str, Any]:
        """The figures of the epoch; keeps the weights where they are the best so far."""
        place, settings, history = self.place, self.settings, self.history
        flat = {f"{n}.{i}": v for n, pair in place.sums.items() for i, v in enumerate(pair)}
        flat = ranks.summed(flat)
        terms = {n: flat[f"{n}.0"] / max(flat[f"{n}.1"], 1e-12) for n in place.sums}
        metrics: dict[str, float] = {}
        if self.data.val is not None:
            with self.ema.in_place() if self.ema is not None else nullcontext():
                with parallel.whole(self.module):
                    answers = evaluate(self.model, self.task, self.data.val, settings.batch, self.precision)
                metrics = figures(self.task, answers, self.data.val)
                value = _watched(self.task, metrics)
                sign = 1 if getattr(self.task, "higher_is_better", True) else -1
                # The first of equal epochs stays the best; a figure that is no number never is.
                if history.best_epoch == 0 or sign * value > sign * history.best:
                    history.best, history.best_epoch, place.bad = value, place.epoch + 1, 0
                    self._write(self.folder / "best", parallel.weights_of(self.model), None)
                else:
                    place.bad += 1
            history.stopped_early = settings.patience is not None and place.bad >= settings.patience
        elif place.epoch + 1 == settings.epochs:
            with self.ema.in_place() if self.ema is not None else nullcontext():
                self._write(self.folder / "best", parallel.weights_of(self.model), None)
        entry = {
            "epoch": place.epoch + 1, "step": place.step, "train": terms, "val": metrics,
            "lr": self.optimiser.param_groups[0]["lr"], "seconds": round(history.seconds, 3),
        }  # fmt: skip
        history.entries.append(entry)
        if self.tell is not None:
            self._tell(sum(terms.values()), metrics)
        return entry

    def _tell(self, loss: float, metrics: Mapping[str, float] | None = None) -> None:
        assert self.tell is not None
        place, spent = self.place, time.monotonic() - self.began
        left = spent / max(place.step - self.first, 1) * (self.steps - place.step)
        lr = self.optimiser.param_groups[0]["lr"]
        shown = metrics or (self.history.entries[-1]["val"] if self.history.entries else {})
        epoch = min(place.epoch + 1, self.settings.epochs)
        self.tell(Progress(epoch, self.settings.epochs, place.step, self.steps, loss, lr, spent, left, shown))

    def _save(self, where: Path, with_state: bool) -> None:
        weights = parallel.weights_of(self.model)
        state: dict[str, Any] = {
            "place": {"epoch": self.place.epoch, "done": self.place.done, "step": self.place.step,
                      "sums": self.place.sums, "bad": self.place.bad},
            "history": {"entries": self.history.entries, "best_epoch": self.history.best_epoch,
                        "best": self.history.best, "stopped_early": self.history.stopped_early,
                        "seconds": self.history.seconds},
            "lr": self.lr,
            "precision": self.precision,
            "settings": {"batch": self.settings.batch, "seed": self.settings.seed, "epochs": self.settings.epochs},
            "optimiser": parallel.optimiser_state(self.model, self.optimiser),
            "random": torch.get_rng_state(),
        }  # fmt: skip
        if self.ema is not None:
            state["ema"] = {"average": dict(self.ema.average), "count": self.ema.count}
        self._write(where, weights, state if with_state else None)

    def _write(self, where: Path, weights: Mapping[str, Any], state: Any) -> None:
        if ranks.is_first():
            checkpoint.write(where, {**self.about, "step": self.place.step}, weights, state)
        ranks.wait()

    def _restore(self, saved: checkpoint.Saved) -> None:
        if saved.state is None:
            raise CinescopeError(
                f"training cannot go on from '{self.folder / 'last'}'", "start it anew, without --resume"
            )
        state = saved.state
        now = {"batch": self.settings.batch, "seed": self.settings.seed, "epochs": self.settings.epochs}
        changed = [name for name, value in state["settings"].items() if now[name] != value]
        if changed:
            name = changed[0]
            raise BadQueryError(
                f"the run was begun with {name} {state['settings'][name]} and the recipe says {now[name]}",
                "resume with the recipe it was begun with, or start anew without --resume",
            )
        checkpoint.load_weights(self.model, saved.model, "last") if ranks.world() == 1 else parallel.put_weights(
            self.model, saved.model
        )
        parallel.put_optimiser_state(self.model, self.optimiser, state["optimiser"])
        self.place = _Place(**state["place"])
        self.history = History(**state["history"])
        self.lr, self.precision = state["lr"], state["precision"]
        torch.set_rng_state(state["random"])
        if self.ema is not None:
            self.ema.restore(state["ema"]["average"], state["ema"]["count"])

    def _no_number(self, batch: Batch, terms: Mapping[str, Any]) -> None:
        """Stop, and leave what is needed to find out why."""
        from safetensors.torch import save_file

        place = self.folder / "nan-batch.safetensors"
        place.parent.mkdir(parents=True, exist_ok=True)
        tensors = {f"inputs/{role}/{part}": getattr(s, part).contiguous().clone()
                   for role, s in batch.inputs.items() for part in ("values", "mask", "times")}  # fmt: skip
        tensors |= {f"targets/{name}": t.contiguous().clone() for name, t in batch.targets.items()}
        save_file(tensors, place, {"keys": json.dumps(batch.keys), "step": str(self.place.step)})
        bad = [n for n, (value, _) in terms.items() if not math.isfinite(float(value))]
        spoilt = [
            r for r, s in batch.inputs.items() if s.values.is_floating_point() and not s.zeroed().isfinite().all()
        ]
        cause = f"the input '{spoilt[0]}' holds values that are no numbers" if spoilt else "try a lower lr"
        raise CinescopeError(
            f"the loss became NaN or infinite at step {self.place.step} ({', '.join(bad) or 'all terms'}); "
            f"its batch is in '{place}'",
            cause,
        )


def figures(task: Any, answers: Sequence[dict[str, Any]], source: Source) -> dict[str, float]:
    """The task's metrics of these answers, beside the targets of the source."""
    whole = source.batch(np.arange(len(source)))
    return dict(task.metrics(answers, whole.targets))


def _watched(task: Any, metrics: Mapping[str, float]) -> float:
    """The figure that says which epoch is best."""
    name = getattr(task, "best", "loss")
    if name not in metrics:
        raise BadQueryError(
            f"none of the watched rows has what '{name}' is measured on: no row's target is known",
            "give the watched rows labels, or set val: 0 to watch nothing",
        )
    return metrics[name]


def _seed(seed: int, step: int) -> None:
    """Dropout and its like: a function of seed, step and rank."""
    number = int(np.random.SeedSequence([seed, step, ranks.rank()]).generate_state(1, np.uint64)[0] >> 1)
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_available():
        torch.cuda.manual_seed(number)


def _optimiser(model: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    """Weight decay on matrices only: biases, norms and scales are left alone. A part with `lr_scale` learns at that
    share of the rate: what is pretrained moves slowly."""
    scale: dict[nn.Parameter, float] = {}
    for module in model.modules():  # parts before what they are made of: the innermost says it
        own: Any = getattr(module, "lr_scale", None)
        if own is not None:
            scale |= dict.fromkeys(module.parameters(), float(own))
    groups: list[dict[str, Any]] = []
    for parameter in model.parameters():
        if not parameter.requires_grad:
            continue
        told = {
            "weight_decay": settings.weight_decay if parameter.ndim > 1 else 0.0,
            "scale": scale.get(parameter, 1.0),
        }
        group = next((g for g in groups if all(g[k] == v for k, v in told.items())), None)
        if group is None:
            group = {"params": [], **told}
            groups.append(group)
        group["params"].append(parameter)
    lr = 1e-3 if settings.lr == "find" else float(settings.lr)
    if settings.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=settings.momentum, nesterov=settings.momentum > 0)
    return torch.optim.AdamW(groups, lr=lr)
