"""(Outputs, targets, gather) -> Loss, and corruptions: Batch -> Batch. One line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "binary": "cinescope.objectives.binary:Binary",
    "contrastive": "cinescope.objectives.contrastive:Contrastive",
    "correspondence": "cinescope.objectives.correspondence:Correspondence",
    "cross_entropy": "cinescope.objectives.cross_entropy:CrossEntropy",
    "distillation": "cinescope.objectives.distillation:Distillation",
    "focal": "cinescope.objectives.focal:Focal",
    "matching": "cinescope.objectives.matching:Matching",
    "mil_nce": "cinescope.objectives.mil_nce:MilNce",
    "ranking": "cinescope.objectives.ranking:Ranking",
    "reconstruction": "cinescope.objectives.reconstruction:Reconstruction",
    "regression": "cinescope.objectives.regression:Regression",
    "span": "cinescope.objectives.span:Span",
    "synchrony": "cinescope.objectives.synchrony:Synchrony",
}
OBJECTIVES = Catalogue("objective", "cinescope.objectives", CATALOGUE)
CORRUPTION_CATALOGUE: dict[str, str] = {
    "cutout": "cinescope.objectives.augment_picture:Cutout",
    "feature_dropout": "cinescope.objectives.augment_noise:FeatureDropout",
    "gain": "cinescope.objectives.augment_noise:Gain",
    "modality_dropout": "cinescope.objectives.augment_modality:ModalityDropout",
    "noise": "cinescope.objectives.augment_noise:Noise",
    "picture_crop": "cinescope.objectives.augment_picture:PictureCrop",
    "picture_flip": "cinescope.objectives.augment_picture:PictureFlip",
    "spec_augment": "cinescope.objectives.augment_spec:SpecAugment",
    "time_crop": "cinescope.objectives.augment_time:TimeCrop",
    "time_shift": "cinescope.objectives.augment_time:TimeShift",
    "time_stretch": "cinescope.objectives.augment_time:TimeStretch",
    "vtl_warp": "cinescope.objectives.augment_vtl:VtlWarp",
}
CORRUPTIONS = Catalogue("corruption", "cinescope.corruptions", CORRUPTION_CATALOGUE)
