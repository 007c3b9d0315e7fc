"""The conformance suite: what every encoder, pooling, fusion and head must hold to, ours or a stranger's.

`check("my.module:MyFusion")` is what `cinescope check` runs.
"""

from __future__ import annotations

from cinescope.models.conformance.common import Finding, Report
from cinescope.models.conformance.encoders import check_encoder
from cinescope.models.conformance.fusions import check_fusion
from cinescope.models.conformance.heads import check_head
from cinescope.models.conformance.kinds import check, kind_of
from cinescope.models.conformance.pooling import check_pooling

__all__ = ["Finding", "Report", "check", "check_encoder", "check_fusion", "check_head", "check_pooling", "kind_of"]
