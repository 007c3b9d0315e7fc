"""Pretrained sound backbones: wav2vec 2.0 and its kin, Whisper's encoder, CLAP. Knows windows of samples.

Long sound is computed in windows, so that memory is bounded; within a window every row sees all of it.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from cinescope.features.backbones.checkpoints import Checkpoint
from cinescope.features.backbones.extractor import BackboneExtractor, in_batches, numpy
from cinescope.features.backbones.loading import require_transformers
from cinescope.features.backbones.pictures import hidden_of, is_layer
from cinescope.features.backbones.shelf import FAMILIES
from cinescope.features.common import check_setting
from cinescope.types import BadQueryError, Clip, Features, MissingPartError, Needs, SoundNeed

_LEAST = 0.1  # of CLAP's window: a shorter rest after other windows gives no row


class SoundBackbone(BackboneExtractor):
    """What the three share: sound at the model's rate, one channel."""

    modality = "sound"

    def __init__(self, model: str | None, layer: int | None, dtype: str, device: str, batch: int) -> None:
        super().__init__(model, "sound", dtype, device, batch)
        check_setting(self.name, "layer", layer, is_layer(layer), "a whole number, or null for the last")
        self.layer = layer
        self.prepare = feature_extractor(self.checkpoint)
        self.sample_rate = int(self.prepare.sampling_rate)
        self.needs = Needs(sound=SoundNeed(self.sample_rate, 1))

    def samples(self, clip: Clip) -> np.ndarray:
        """(S,) float32, one channel; (0,) where the clip has no sound. BadQueryError for sound at another rate."""
        if clip.waveform is None:
            return np.zeros(0, np.float32)
        if clip.waveform.sample_rate != self.sample_rate:
            raise BadQueryError(
                f"{self.name} takes sound at {self.sample_rate} hertz, got {clip.waveform.sample_rate}",
                "read the clip as `needs` says",
            )
        return clip.waveform.data.mean(0, dtype=np.float32)

    def _steps(self, out: Any) -> np.ndarray:
        """(B, T, D)."""
        return numpy(
            out.last_hidden_state if self.layer is None else hidden_of(out.hidden_states, self.layer, self.name)
        )


class Wav2Vec2(SoundBackbone):
    """wav2vec 2.0 (Baevski et al. 2020), HuBERT, WavLM: a row for each step of the encoder (20 ms).

    Row k describes [start + k * hop, start + (k + 1) * hop) and hears a little more: a step's first layers see 400
    samples, 320 apart (section 4.2). `window`: seconds computed at once; windows join without a gap, rows at their
    seams see one side only. `layer`: None is the last, 0 what enters the first block.
    """

    name: ClassVar[str] = "wav2vec2"

    def __init__(
        self, model: str | None = None, layer: int | None = None, window: float = 20.0, batch: int = 4,
        dtype: str = "float32", device: str = "auto",
    ) -> None:  # fmt: skip
        super().__init__(model, layer, dtype, device, batch)
        config = self.config
        if getattr(config, "add_adapter", False):
            raise MissingPartError(
                f"'{self.checkpoint.name}' has an adapter that makes steps of other lengths, which is not read here",
                "take a checkpoint without one",
            )
        self.hop = math.prod(config.conv_stride)  # samples from row to row
        self.field = receptive_field(config.conv_kernel, config.conv_stride)  # samples that one row needs
        good = isinstance(window, int | float) and self.field <= window * self.sample_rate <= 600 * self.sample_rate
        check_setting(self.name, "window", window, good, f"seconds from {self.field / self.sample_rate:.3f} to 600")
        self.window = float(window)
        self._rows = (round(self.window * self.sample_rate) - self.field) // self.hop + 1

    def settings(self) -> dict[str, Any]:
        return {"layer": self.layer, "window": self.window}

    def __call__(self, clip: Clip) -> Features:
        samples = self.samples(clip)
        total = max(0, (len(samples) - self.field) // self.hop + 1)
        whole = list(range(0, total // self._rows * self._rows, self._rows))
        length = (self._rows - 1) * self.hop + self.field

        def cut(first: int) -> np.ndarray:
            return self._normal(samples[first * self.hop : first * self.hop + length])

        rows: list[np.ndarray] = []
        for batch in in_batches(whole, self.batch, cut):  # of one length: nothing is padded
            rows.extend(self.describe(batch).reshape(-1, self.dim))
        if total % self._rows:
            rest = self._normal(samples[len(whole) * self._rows * self.hop :])
            rows.extend(self.describe(rest[None])[0])
        starts = (clip.waveform.start if clip.waveform else 0.0) + np.arange(total) * self.hop / self.sample_rate
        return self.features(rows, np.stack([starts, starts + self.hop / self.sample_rate], axis=1), clip)

    def _normal(self, samples: np.ndarray) -> np.ndarray:
        out: np.ndarray = self.prepare(samples, sampling_rate=self.sample_rate, return_tensors="np")["input_values"][0]
        return out.astype(np.float32)

    def describe(self, samples: np.ndarray) -> np.ndarray:
        """(B, S) normalised samples -> (B, T, D)."""
        return self._steps(self.backbone(hidden=self.layer is not None, input_values=samples))

    @property
    def dim(self) -> int:  # type: ignore[override]
        return int(self.config.hidden_size)


class WhisperEncoder(SoundBackbone):
    """Whisper's encoder (Radford et al. 2022): a row for each of its steps (20 ms).

    Sound is computed in the model's windows (30 s); the last is filled with silence, and the rows of that are left out.
    """

    name: ClassVar[str] = "whisper"

    def __init__(
        self, model: str | None = None, layer: int | None = None, batch: int = 2, dtype: str = "float32",
        device: str = "auto",
    ) -> None:  # fmt: skip
        super().__init__(model, layer, dtype, device, batch)
        self.hop = 2 * int(self.prepare.hop_length)  # the second convolution halves the steps (section 2.2)
        self.window = int(self.config.max_source_positions) * self.hop  # samples
        bins = int(self.prepare.feature_size)
        if int(self.prepare.n_samples) != self.window or bins != self.config.num_mel_bins:
            raise MissingPartError(
                f"'{self.checkpoint.name}' prepares {self.prepare.n_samples} samples as {bins} bands, and its encoder "
                f"takes {self.window} as {self.config.num_mel_bins}",
                "fetch the model again",
            )

    def settings(self) -> dict[str, Any]:
        return {"layer": self.layer}

    def __call__(self, clip: Clip) -> Features:
        samples = self.samples(clip)
        total = math.ceil(len(samples) / self.hop)
        rows: list[np.ndarray] = []
        for batch in in_batches(range(0, len(samples), self.window), self.batch, lambda at: self._mel(samples[at:])):
            rows.extend(self.describe(batch).reshape(-1, self.dim))
        start = clip.waveform.start if clip.waveform else 0.0
        starts = start + np.arange(total) * self.hop / self.sample_rate
        ends = np.minimum(starts + self.hop / self.sample_rate, start + len(samples) / self.sample_rate)
        return self.features(rows[:total], np.stack([starts, ends], axis=1), clip)

    def _mel(self, samples: np.ndarray) -> np.ndarray:
        out = self.prepare(samples[: self.window], sampling_rate=self.sample_rate, return_tensors="np")
        return np.asarray(out["input_features"][0], np.float32)

    def describe(self, mels: np.ndarray) -> np.ndarray:
        """(B, bands, frames) -> (B, T, D)."""
        return self._steps(self.backbone(hidden=self.layer is not None, input_features=mels))

    @property
    def dim(self) -> int:  # type: ignore[override]
        return int(self.config.d_model)


class Clap(SoundBackbone):
    """CLAP (Wu et al. 2023): a row for each window, the embedding that lies beside those of texts; not normalised.

    `window`: seconds of one row, by default what the model was trained on (10), and never more. A rest that is shorter
    is repeated until it fills the window, as the model's own preparation does; one below a tenth of it gives no row
    where there are others. Nothing is cut at random, as transformers' processor does with longer sound.
    """

    name: ClassVar[str] = "clap"

    def __init__(
        self, model: str | None = None, window: float | None = None, batch: int = 4, dtype: str = "float32",
        device: str = "auto",
    ) -> None:  # fmt: skip
        super().__init__(model, None, dtype, device, batch)
        most = int(self.prepare.nb_max_samples)
        stated = most / self.sample_rate if window is None else window
        good = isinstance(stated, int | float) and stated >= 0.01 and round(stated * self.sample_rate) <= most
        check_setting(self.name, "window", window, good, f"seconds from 0.01 to {most / self.sample_rate:g}")
        self.window = round(stated * self.sample_rate)  # samples
        self._fusion = bool(self.config.enable_fusion)

    def settings(self) -> dict[str, Any]:
        return {"window": self.window / self.sample_rate}

    def __call__(self, clip: Clip) -> Features:
        samples = self.samples(clip)
        starts = [
            at for at in range(0, len(samples), self.window) if not at or len(samples) - at >= self.window * _LEAST
        ]
        rows: list[np.ndarray] = []
        for batch in in_batches(starts, self.batch, lambda at: self._mel(samples[at : at + self.window])):
            rows.extend(self.describe(batch))
        first = clip.waveform.start if clip.waveform else 0.0
        ends = [min(at + self.window, len(samples)) for at in starts]
        times = [
            (first + a / self.sample_rate, first + b / self.sample_rate) for a, b in zip(starts, ends, strict=True)
        ]
        return self.features(rows, times, clip)

    def _mel(self, samples: np.ndarray) -> np.ndarray:
        # Its own call would mark one input of a batch, drawn at random, as cut from a longer one (where none is).
        truncation = "fusion" if self._fusion else "rand_trunc"
        mel, _ = self.prepare._get_input_mel(
            samples, int(self.prepare.nb_max_samples), truncation, self.prepare.padding
        )
        return np.asarray(mel, np.float32)

    def describe(self, mels: np.ndarray) -> np.ndarray:
        """(B, 1 or 4, frames, bands) -> (B, D)."""
        more: dict[str, Any] = {"is_longer": np.zeros((len(mels), 1), bool)} if self._fusion else {}
        return numpy(self.backbone(input_features=mels, **more).audio_embeds)

    @property
    def dim(self) -> int:  # type: ignore[override]
        return int(self.config.projection_dim)


def receptive_field(kernels: Any, strides: Any) -> int:
    """Samples that one step of a stack of convolutions sees."""
    field, jump = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * jump
        jump *= stride
    return field


_EXTRACTORS = {
    "wav2vec2": "Wav2Vec2FeatureExtractor",
    "whisper": "WhisperFeatureExtractor",
    "clap": "ClapFeatureExtractor",
}


def feature_extractor(checkpoint: Checkpoint) -> Any:
    """transformers' own preparation of sound (numpy), with the checkpoint's settings."""
    require_transformers()
    import transformers

    stated = checkpoint.json("preprocessor_config.json")
    if stated is None:
        stated = (checkpoint.json("processor_config.json") or {}).get("feature_extractor")
    if not isinstance(stated, dict):
        raise MissingPartError(
            f"'{checkpoint.name}' does not say how its sound is prepared: it has no preprocessor_config.json",
            "fetch the model again",
        )
    named = _EXTRACTORS[FAMILIES[checkpoint.kind].feature]
    try:
        return getattr(transformers, named).from_dict(dict(stated))
    except Exception as error:
        raise MissingPartError(
            f"how '{checkpoint.name}' prepares its sound cannot be read ({str(error)[:200]})", "fetch the model again"
        ) from error
