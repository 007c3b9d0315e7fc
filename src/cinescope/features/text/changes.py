"""Where a picture has changed so that there may be new text, and whether a known line still stands. Reads nothing.

Everything works on gradients of a small luma picture, because what makes text is its edges: they stay while the
ground behind moves, they keep their directions while a title fades in, and neighbouring strokes give gradients of
opposite sign close together, which shadows, horizons and faces seldom do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Longest side of the luma picture. Letters of 4% of the height are then 14 pixels high with strokes of 2 pixels.
LUMA_SIZE = 640
# A 3 x 3 Sobel answers 4 times the step of an edge; below a step of 20 grey levels even people read with effort.
STRONG = 80
# Blocks that are counted, pixels: about a letter wide, half a line high.
BLOCK_WIDTH, BLOCK_HEIGHT = 16, 8
# A block is like text when this share of it is edge, and this share of it edge of either sign.
EDGE_SHARE, SIGN_SHARE = 0.15, 0.05
# Edges that differ by less than this share of their strength between two samples stand still (coding noise is less);
# those that differ by more than the other are new.
STILL, NEW = 0.4, 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Gradients:
    """Horizontal and vertical derivatives of a luma picture."""

    x: np.ndarray  # (h, w) int16
    y: np.ndarray  # (h, w) int16

    @property
    def strength(self) -> np.ndarray:
        return np.abs(self.x) + np.abs(self.y)

    def at(self, x: int, y: int, width: int, height: int) -> Gradients:
        return Gradients(self.x[y : y + height, x : x + width], self.y[y : y + height, x : x + width])


def luma(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) RGB -> (h, w) uint8 with the longest side at most LUMA_SIZE."""
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    scale = LUMA_SIZE / max(height, width)
    if scale >= 1:
        return grey
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


def gradients(grey: np.ndarray) -> Gradients:
    """Sobel derivatives of a (h, w) uint8 picture."""
    import cv2

    return Gradients(cv2.Sobel(grey, cv2.CV_16S, 1, 0), cv2.Sobel(grey, cv2.CV_16S, 0, 1))


def differs(now: Gradients, then: Gradients, share: float) -> np.ndarray:
    """(h, w) bool: edges of `now` that differ from `then` by more than a share of their own strength."""
    change = np.abs(now.x - then.x) + np.abs(now.y - then.y)
    return change > share * now.strength


def text_like(now: Gradients, which: np.ndarray) -> np.ndarray:
    """Where the chosen (h, w) edges look like strokes: (rows, columns) bool, a block BLOCK_WIDTH x BLOCK_HEIGHT."""
    import cv2

    height, width = which.shape
    rows, columns = height // BLOCK_HEIGHT, width // BLOCK_WIDTH
    if not rows or not columns:
        return np.zeros((0, 0), dtype=bool)
    inside = (slice(0, rows * BLOCK_HEIGHT), slice(0, columns * BLOCK_WIDTH))

    def share(mask: np.ndarray) -> np.ndarray:
        return cv2.resize(mask[inside].astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)

    slope = now.x[inside]
    chosen = which[inside]
    rising, falling = share(chosen & (slope > STRONG // 2)), share(chosen & (slope < -STRONG // 2))
    found: np.ndarray = (share(chosen) >= EDGE_SHARE) & (np.minimum(rising, falling) >= SIGN_SHARE)
    return found


def fresh_blocks(
    now: Gradients, before: Gradients | None, read: Gradients | None, known: np.ndarray | None = None
) -> tuple[int, int]:
    """How many text-like blocks are new since the last reading: (those that stand still since `before`, all).

    `before` is the sample before this one, `read` the one that was last looked at; None where there was none.
    `known` is (h, w) bool: where lines stand that are followed already.
    """
    new = now.strength > STRONG
    if known is not None:
        new &= ~known
    if read is not None:
        new &= differs(now, read, NEW)
    every = int(text_like(now, new).sum())
    if before is None or not every:
        return 0, every
    return int(text_like(now, new & ~differs(now, before, STILL)).sum()), every


@dataclass(frozen=True, slots=True)
class Presence:
    """How much of a known line is in a picture."""

    overall: float  # -1 to 1: correlation of the edges over the whole line
    worst: float  # the same in the least similar stretch of about one letter
    contrast: float  # strength of the edges relative to the line as it was learned
    odd: float = 0.0  # 0 to 1: difference of all edges in the most different stretch of about one letter
    usual: float = 0.0  # the same in the calmest quarter: high where the ground moves

    filled: bool = True  # edges stand in the least similar stretch: another letter, not a gap

    @property
    def turned(self) -> bool:
        """Whether another letter stands in one place, going by the line's own steady edges."""
        return self.spot and self.worst < 0.6 and self.filled

    @property
    def spot(self) -> bool:
        """Whether one place changed while the rest stood as it was: another digit."""
        return self.odd >= SPOT and self.odd >= 4 * self.usual


ABSENT = Presence(0.0, 0.0, 0.0)
# Two digits in one place differ by 0.25 to 0.7, a standing one after H.264 from itself by 0.02 to 0.1.
SPOT = 0.2


def presence(template: Gradients, weight: np.ndarray, now: Gradients) -> Presence:
    """Compares a line's (h, w) gradients, weighted by (h, w) values of any scale, with what stands in its place now.

    Edges of the moving ground are cut to the strength the line has there, so that they cannot outvote it.
    """
    if now.x.shape != template.x.shape or not template.x.size:
        return ABSENT
    tx, ty = template.x.astype(np.float32), template.y.astype(np.float32)
    nx, ny = now.x.astype(np.float32), now.y.astype(np.float32)
    weight = weight.astype(np.float32)
    there, here = np.hypot(tx, ty), np.hypot(nx, ny)
    projected = float((weight * (tx * nx + ty * ny)).sum())
    cut = np.minimum(1.0, 1.5 * there / np.maximum(here, 1e-6))
    nx, ny = nx * cut, ny * cut
    dot = (weight * (tx * nx + ty * ny)).sum(axis=0)
    own = (weight * there**2).sum(axis=0)
    other = (weight * (nx**2 + ny**2)).sum(axis=0)
    if own.sum() <= 0 or other.sum() <= 0:
        return ABSENT
    overall = float(dot.sum() / np.sqrt(own.sum() * other.sum()))
    contrast = max(0.0, projected / float(own.sum()))
    span = max(4, min(template.x.shape))
    if len(dot) <= span:
        return Presence(overall, overall, contrast)
    dots, owns, others = (_running(v, span) for v in (dot, own, other))
    # Stretches that hold next to nothing of the line (a gap between words) say nothing about it.
    full = owns >= 0.3 * owns.mean()
    likeness = dots[full] / np.sqrt(np.maximum(owns[full] * others[full], 1e-6))
    least = int(likeness.argmin())
    filled = bool(others[full][least] >= 0.25 * owns[full][least])
    odd, usual = _unlike(template, now, max(4, span // 2))
    return Presence(overall, float(likeness[least]), contrast, odd, usual, filled)


def begins(template: Gradients, weight: np.ndarray, now: Gradients) -> bool:
    """Whether only the left part of a line stands in its place, and nothing to the right of it: it is being typed."""
    if now.x.shape != template.x.shape or not template.x.size:
        return False
    tx, ty, nx, ny = (v.astype(np.float32) for v in (template.x, template.y, now.x, now.y))
    weight = weight.astype(np.float32)
    span = max(4, min(template.x.shape))
    if template.x.shape[1] < 2 * span:
        return False
    dot, own, other = (
        _running((weight * v).sum(axis=0), span) for v in (tx * nx + ty * ny, tx**2 + ty**2, nx**2 + ny**2)
    )
    full = np.flatnonzero(own >= 0.3 * own.mean())
    likeness = dot[full] / np.sqrt(np.maximum(own[full] * other[full], 1e-6))
    wrong = np.flatnonzero(likeness < 0.8)
    if not len(full) or not len(wrong) or wrong[0] == 0:
        return False
    there = full[full < full[wrong[0]]]
    if float(other[there].sum()) < 0.2 * float(own[there].sum()):
        return False
    # Windows that overlap the last letter hold a part of it; past them the place is (nearly) empty.
    after = full[full >= full[wrong[0]] + span]
    return not len(after) or float(other[after].sum()) <= 0.25 * float(own[after].sum())


def _unlike(template: Gradients, now: Gradients, span: int) -> tuple[float, float]:
    """Difference of all edges, 0 to 1, in the most different stretch of `span` columns and in a calm one."""
    tx, ty, nx, ny = (v.astype(np.float32) for v in (template.x, template.y, now.x, now.y))
    apart = _running(((nx - tx) ** 2 + (ny - ty) ** 2).sum(axis=0), span)
    both = _running((nx**2 + ny**2 + tx**2 + ty**2).sum(axis=0), span)
    full = both >= 0.3 * both.mean()
    share = apart[full] / np.maximum(both[full], 1e-6)
    return (float(share.max()), float(np.quantile(share, 0.25))) if len(share) else (0.0, 0.0)


def _running(values: np.ndarray, span: int) -> np.ndarray:
    return np.convolve(values, np.ones(span, dtype=np.float32), mode="valid")
