"""A pretrained text encoder as a part that is trained on: a model of the BERT families, tuned with the rest.

Knows checkpoints through `features.backbones`, which load whole or not at all. In a saved model the configuration
stands beside the weights, so that it is built again where the pretrained checkpoint is not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn

from cinescope.features.backbones.checkpoints import Checkpoint, find_checkpoint
from cinescope.features.backbones.loading import load_checkpoint, part_of, require_transformers
from cinescope.features.backbones.text_encoder import MINILM, packaged_minilm
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError


class PretrainedText(nn.Module):
    """Token ids (B, T) int64 -> (B, T, dim): the last hidden states, through a linear layer where `dim` is another.

    `model` names a checkpoint on this machine (`minilm`, OWNER/NAME, a folder); its tokenizer is that of
    `tokens: {file: NAME}`. `frozen`: so many of the lowest layers, and the embeddings with the first, stay as they are;
    -1 none of it moves. `rate`: its learning rate as a share of the recipe's (Devlin et al. 2019 tune at 2e-5 to 5e-5).
    With `config` and no `model` the weights are fresh: for a checkpoint that brings its own.
    """

    takes: ClassVar[Takes] = "tokens"
    onnx: ClassVar[bool] = False

    def __init__(
        self,
        in_dim: int,
        dim: int,
        model: str | None = None,
        config: Mapping[str, Any] | None = None,
        frozen: int = 0,
        rate: float = 0.03,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if (model is None) == (config is None):
            raise BadQueryError("'pretrained_text' needs a model or a config", "settings: {model: minilm}, for example")
        if model is not None:
            checkpoint = _checkpoint(model)
            self.model = load_checkpoint(checkpoint, part_of(checkpoint, "text"), "float32", "cpu").model
            self.model.requires_grad_(True)
        else:
            self.model = _fresh(config or {})
        held = int(self.model.config.vocab_size)
        if in_dim > held:
            raise BadQueryError(
                f"the tokens have {in_dim} kinds and '{model}' knows {held}",
                f"make them with its own tokenizer: tokens: {{file: {model}}}",
            )
        self.lr_scale = rate
        self.in_dim, self.dim = in_dim, dim
        wide = int(self.model.config.hidden_size)
        self.longest = int(getattr(self.model.config, "max_position_embeddings", 512))
        self.out = nn.Identity() if wide == dim else nn.Linear(wide, dim)
        self.drop = nn.Dropout(dropout)
        if getattr(self.model, "pooler", None) is not None:
            self.model.pooler = None  # reads the first token alone: what follows reads all
        self._freeze(frozen)

    def forward(self, sequences: Sequences) -> Sequences:
        if sequences.values.shape[1] > self.longest:
            raise BadQueryError(
                f"a text of {sequences.values.shape[1]} tokens is longer than the {self.longest} that the model reads",
                f"give the input steps: {self.longest}",
            )
        mask = sequences.mask
        # Attention over nothing is undefined: a row without words reads one, which is masked after.
        seen = mask | (~mask.any(1, keepdim=True) & (torch.arange(mask.shape[1], device=mask.device) == 0))
        ids = torch.where(mask, sequences.values, 0)
        hidden = self.model(input_ids=ids, attention_mask=seen.long()).last_hidden_state
        values = self.out(self.drop(hidden))
        return sequences.with_values(values.masked_fill(~mask[..., None], 0.0))

    def _freeze(self, count: int) -> None:
        if count < 0:
            self.model.requires_grad_(False)
            return
        layers = getattr(getattr(self.model, "encoder", self.model), "layer", [])
        if count > len(layers):
            raise BadQueryError(f"the model has {len(layers)} layers, not {count} to freeze", f"up to {len(layers)}")
        if count:
            self.model.embeddings.requires_grad_(False)
        for layer in list(layers)[:count]:
            layer.requires_grad_(False)

    @staticmethod
    def saved(settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings with which a saved model is built again, without the pretrained checkpoint."""
        if not settings.get("model"):
            return dict(settings)
        checkpoint = _checkpoint(str(settings["model"]))
        return {**settings, "model": None, "config": checkpoint.config, "frozen": settings.get("frozen", 0)}


def _checkpoint(name: str) -> Checkpoint:
    packaged = packaged_minilm() if name == MINILM else None
    return find_checkpoint(str(packaged) if packaged is not None else name)


def _fresh(config: Mapping[str, Any]) -> Any:
    require_transformers()
    from transformers import AutoConfig, AutoModel

    told = json.loads(json.dumps(dict(config)))
    kind = told.pop("model_type")
    return AutoModel.from_config(AutoConfig.for_model(kind, **told))
