"""Worlds: clips made by arithmetic, whose labels need a chosen set of modalities.

What a clip shows, sounds and says is a pure function of (specification, seed, index). Knows no model.
"""

from __future__ import annotations
