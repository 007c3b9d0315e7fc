"""What the extractors of pretrained backbones share: the model that is named, its source, its width, batches.

Knows no modality. The model is loaded at the first clip; what is wrong with its name or its configuration is said when
the extractor is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from cinescope.features.backbones.checkpoints import find_checkpoint
from cinescope.features.backbones.loading import Backbone, load_checkpoint, part_config, part_of
from cinescope.features.backbones.shelf import FAMILIES, Part, fetchable, kinds_of
from cinescope.features.common import check_setting, is_count
from cinescope.types import Clip, Features, MissingPartError, Modality, Needs, Source


class BackboneExtractor:
    """Base of the extractors. `model`: a folder, a fetched model's name or OWNER/NAME; there is no default.

    `dtype`: float32; bfloat16; auto, which is bfloat16 where it is measured faster, and then the numbers differ from
    machine to machine in the third digit. `device`: auto (cuda where there is one), cpu, cuda. `batch`: inputs that
    are computed at once; it bounds memory and does not change the numbers beyond rounding.
    """

    name: ClassVar[str]
    feature: ClassVar[str] = ""  # whose models it reads, where that is not its name
    version: ClassVar[str] = "1"
    modality: Modality
    needs: Needs
    part: Part

    def __init__(self, model: str | None, part: Part, dtype: str, device: str, batch: int) -> None:
        if model is None:
            raise MissingPartError(
                f"the feature '{self.name}' needs a pretrained model, and none is named", self._how()
            )
        check_setting(self.name, "batch", batch, is_count(batch), "a whole number above 0")
        self.checkpoint = find_checkpoint(model)
        kinds = kinds_of(self.feature or self.name)
        if kinds and self.checkpoint.kind not in kinds:
            feature = FAMILIES[self.checkpoint.kind].feature if self.checkpoint.kind in FAMILIES else ""
            raise MissingPartError(
                f"'{self.checkpoint.name}' is a model of the kind '{self.checkpoint.kind}', "
                f"and the feature '{self.name}' reads {' and '.join(kinds)}",
                f"use the feature '{feature}' for it" if feature else "take another model",
            )
        self.part = part_of(self.checkpoint, part)
        self.checkpoint.weights  # noqa: B018 - says what is wrong with the files before a video is decoded
        self.batch = batch
        self._dtype, self._device = dtype, device

    def _how(self) -> str:
        entry = fetchable(self.feature or self.name)
        fetch = f"`cinescope models get {entry}` and --set {self.name}.model={entry}" if entry else "fetch one"
        return f"{fetch}, or --set {self.name}.model=FOLDER of a checkpoint in Hugging Face's format"

    @cached_property
    def backbone(self) -> Backbone:
        return load_checkpoint(self.checkpoint, self.part, self._dtype, self._device)

    @cached_property
    def config(self) -> Any:
        """The part's configuration, with what transformers fills in."""
        return part_config(self.checkpoint, self.part)

    def __call__(self, clip: Clip) -> Features:
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """What changes the numbers, besides model, part and precision. JSON values."""
        return {}

    @cached_property
    def source(self) -> Source:
        from cinescope.nn.precision import device_of, dtype_of

        dtype = self._dtype if self._dtype != "auto" else dtype_of("auto", device_of(self._device))
        return Source(
            self.name, self.version,
            {
                "model": self.checkpoint.name, "weights": self.checkpoint.digest, "part": self.part, "dtype": dtype,
                **self.settings(),
            },
        )  # fmt: skip

    @cached_property
    def dim(self) -> int:
        """D, from one pass of the model over nothing much: exact for every layer of every family."""
        return int(self._probe().shape[1])

    def _probe(self) -> np.ndarray:
        """(1 or more, D) rows of some input."""
        raise NotImplementedError

    def features(
        self, rows: Sequence[np.ndarray], times: Sequence[tuple[float, float]] | np.ndarray, clip: Clip
    ) -> Features:
        """Rows of D numbers with their times. MissingPartError where the model gives what is no number."""
        values = np.stack(rows).astype(np.float32) if len(rows) else np.zeros((0, self.dim), np.float32)
        if not np.isfinite(values).all():
            where = f" for {clip.name}" if clip.name else ""
            raise MissingPartError(
                f"the model '{self.checkpoint.name}' gives values that are no numbers{where}",
                "its weights are damaged, or its precision is too low: try dtype float32",
            )
        return Features(values, np.asarray(times, np.float64).reshape(-1, 2), self.modality, self.source)


def in_batches(items: Sequence[Any], size: int, make: Callable[[Any], np.ndarray]) -> Iterator[np.ndarray]:
    """(n, ...) arrays of at most `size` prepared items: no more of them are in memory at once."""
    for start in range(0, len(items), size):
        yield np.stack([make(item) for item in items[start : start + size]])


def numpy(tensor: Any) -> np.ndarray:
    """float32, whatever the precision and device it was computed in."""
    made: np.ndarray = tensor.float().cpu().numpy()
    return made
