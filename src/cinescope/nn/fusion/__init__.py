"""Batch of encoded roles -> Fused: `Fusion(dims, dim, **settings)`, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "attention": "cinescope.nn.fusion.attention:Attention",
    "bilinear": "cinescope.nn.fusion.bilinear:Bilinear",
    "bottleneck": "cinescope.nn.fusion.bottleneck:Bottleneck",
    "co_attention": "cinescope.nn.fusion.co_attention:CoAttention",
    "concat": "cinescope.nn.fusion.concat:Concat",
    "contextual": "cinescope.nn.fusion.contextual:Contextual",
    "cross_attention": "cinescope.nn.fusion.cross_attention:CrossAttention",
    "gated": "cinescope.nn.fusion.gated:Gated",
    "graph": "cinescope.nn.fusion.graph:Graph",
    "graph_conv": "cinescope.nn.fusion.graph_conv:GraphConv",
    "late": "cinescope.nn.fusion.late:Late",
    "low_rank": "cinescope.nn.fusion.low_rank:LowRank",
    "mult": "cinescope.nn.fusion.mult:MulT",
    "self_attention": "cinescope.nn.fusion.self_attention:SelfAttention",
    "tensor": "cinescope.nn.fusion.tensor:TensorFusion",
    "weighted": "cinescope.nn.fusion.weighted:Weighted",
}
FUSIONS = Catalogue("fusion", "cinescope.fusions", CATALOGUE)
