"""Plots as plain SVG text: lines, points with intervals, reliability, scatter. Knows numbers; knows no run.

Colours are CSS classes, so that one picture is right in light and dark; `standalone` brings them along for a file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float]

COLOURS = """
:root{--ink:#1c2234;--soft:#5d6478;--line:#e2dfd8;--paper:#faf8f4;--card:#fff;--accent:#c8432f;--good:#2f6db3}
@media(prefers-color-scheme:dark){:root{--ink:#e9e7e2;--soft:#a3a9bb;--line:#353b50;--paper:#12151f;--card:#1b2030;
--accent:#f08a76;--good:#5b9be0}}
"""
PLOT_STYLE = """
svg.plot{width:100%;height:auto;display:block;font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
svg.plot text{fill:var(--soft)}svg.plot text.name{fill:var(--ink)}
svg.plot .grid{stroke:var(--line);stroke-width:1}svg.plot .axis{stroke:var(--soft);stroke-width:1}
svg.plot .even{stroke:var(--soft);stroke-dasharray:4 4}
svg.plot .curve{fill:none;stroke:var(--good);stroke-width:2;stroke-linejoin:round}
svg.plot .many{stroke-width:1.2;opacity:.6}
svg.plot .best{fill:var(--accent);stroke:var(--card);stroke-width:1.5}
svg.plot .bar{fill:var(--good);opacity:.75}svg.plot .point{fill:var(--good);opacity:.45}
svg.plot .dot{fill:var(--good);stroke:var(--card);stroke-width:1.5}svg.plot .whisker{stroke:var(--good);stroke-width:2}
"""


@dataclass(frozen=True, slots=True)
class Axes:
    """Where numbers lie on the page. `log`: x by powers of ten."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_name: str
    y_name: str
    log: bool = False
    width: int = 460
    height: int = 280
    left: int = 52
    right: int = 14
    top: int = 26
    bottom: int = 40

    def place(self, x: float, y: float) -> Point:
        return self.at_x(x), self.at_y(y)

    def at_x(self, x: float) -> float:
        low, high, value = (math.log10(v) for v in (*self.x, x)) if self.log else (*self.x, x)
        return self.left + (value - low) / (high - low) * (self.width - self.left - self.right)

    def at_y(self, y: float) -> float:
        low, high = self.y
        return self.height - self.bottom - (y - low) / (high - low) * (self.height - self.top - self.bottom)

    def drawn(self, inner: str, title: str) -> str:
        grid = []
        for tick in _ticks(*self.y):
            y = self.at_y(tick)
            grid.append(
                f'<line class="grid" x1="{self.left}" x2="{self.width - self.right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            )
            grid.append(f'<text x="{self.left - 6}" y="{y + 4:.1f}" text-anchor="end">{_number(tick)}</text>')
        for tick in _powers(*self.x) if self.log else _ticks(*self.x):
            x = self.at_x(tick)
            grid.append(
                f'<text x="{x:.1f}" y="{self.height - self.bottom + 16}" text-anchor="middle">{_number(tick)}</text>'
            )
        floor = self.height - self.bottom
        grid.append(f'<line class="axis" x1="{self.left}" x2="{self.width - self.right}" y1="{floor}" y2="{floor}"/>')
        names = (
            f'<text x="{(self.left + self.width - self.right) / 2:.0f}" y="{self.height - 6}" text-anchor="middle">'
            f'{escape(self.x_name)}</text><text class="name" x="{self.left - 40}" y="14">{escape(self.y_name)}</text>'
        )
        return (
            f'<svg class="plot" viewBox="0 0 {self.width} {self.height}" role="img" xmlns="http://www.w3.org/2000/svg">'
            f"<title>{escape(title)}</title>{''.join(grid)}{inner}{names}</svg>"
        )


def curves(series: Sequence[Sequence[Point]], best: Sequence[Point], x_name: str, y_name: str) -> str:
    """Each series as a line of (x, y) in rising x; `best` as dots. "" where there is nothing to draw."""
    points = [p for line in series for p in line if math.isfinite(p[1])]
    if not points:
        return ""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    axes = Axes(_wide(min(xs), max(xs), 0), _wide(min(ys), max(ys)), x_name, y_name)
    kind = "curve many" if len(series) > 1 else "curve"
    inner = ""
    for line in series:
        placed = [axes.place(*p) for p in line if math.isfinite(p[1])]
        if len(placed) == 1:
            inner += f'<circle class="dot" cx="{placed[0][0]:.1f}" cy="{placed[0][1]:.1f}" r="3"/>'
        else:
            inner += f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in placed)}"/>'
    for point in best:
        x, y = axes.place(*point)
        inner += f'<circle class="best" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    return axes.drawn(inner, y_name)


def reliability(bins: Sequence[tuple[float, float, int]]) -> str:
    """Bins (mean probability that was told, share that was right, rows) against the even line."""
    axes = Axes(
        (0.0, 1.0), (0.0, 1.0), "how sure the model said it was", "how often it was right", width=340, height=320
    )
    most = max(count for *_, count in bins)
    inner = ""
    for told, right, count in bins:
        x, y = axes.place(told, right)
        wide = 6 + 18 * math.sqrt(count / most)
        inner += (
            f'<rect class="bar" x="{x - wide / 2:.1f}" y="{y:.1f}" width="{wide:.1f}" '
            f'height="{axes.at_y(0) - y:.1f}"><title>{count} rows: said {told:.2f}, right {right:.2f}</title></rect>'
        )
    (a, b), (c, d) = axes.place(0, 0), axes.place(1, 1)
    inner += f'<line class="even" x1="{a:.1f}" y1="{b:.1f}" x2="{c:.1f}" y2="{d:.1f}"/>'
    return axes.drawn(inner, "how sure the model was, and how often it was right")


def scatter(true: Sequence[float], said: Sequence[float], unit: str = "") -> str:
    """What was told against what is so; at most 3,000 points are drawn, evenly chosen."""
    step = max(1, len(true) // 3000)
    low, high = _wide(min(*true, *said), max(*true, *said))
    name = f" ({unit})" if unit else ""
    axes = Axes((low, high), (low, high), f"what is so{name}", f"what was told{name}", width=420, height=400)
    inner = "".join(
        '<circle class="point" cx="{:.1f}" cy="{:.1f}" r="3"/>'.format(*axes.place(t, s))
        for t, s in zip(true[::step], said[::step], strict=True)
    )
    (a, b), (c, d) = axes.place(low, low), axes.place(high, high)
    return axes.drawn(
        inner + f'<line class="even" x1="{a:.1f}" y1="{b:.1f}" x2="{c:.1f}" y2="{d:.1f}"/>', "told against so"
    )


@dataclass(frozen=True, slots=True)
class Marked:
    """A named figure with its interval at a cost."""

    name: str
    cost: float
    value: float
    low: float
    high: float


def against_cost(points: Sequence[Marked], x_name: str, y_name: str) -> str:
    """Figures with their intervals against what they cost, by powers of ten."""
    costs = [max(p.cost, 1e-9) for p in points]
    ys = [v for p in points for v in (p.low, p.high, p.value) if math.isfinite(v)]
    span = (min(costs) / 1.8, max(costs) * 3.2)
    axes = Axes(span, _wide(min(ys), max(ys)), x_name, y_name, log=True, width=720, height=380)
    inner = ""
    taken: list[tuple[float, float]] = []
    for point, cost in sorted(zip(points, costs, strict=True), key=lambda p: -p[0].value):
        x, y = axes.place(cost, point.value)
        if math.isfinite(point.low) and math.isfinite(point.high):
            inner += (
                f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{axes.at_y(point.low):.1f}" '
                f'y2="{axes.at_y(point.high):.1f}"/>'
            )
        inner += f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="6"/>'
        line = y
        while any(abs(line - other) < 15 and abs(x - at) < 130 for at, other in taken):
            line += 15  # names must not lie on each other
        taken.append((x, line))
        right = x > axes.width * 0.72
        inner += (
            f'<text class="name" x="{x + (-11 if right else 11):.1f}" y="{line + 4:.1f}" '
            f'text-anchor="{"end" if right else "start"}">{escape(point.name)}</text>'
        )
    return axes.drawn(inner, f"{y_name} against {x_name}")


def ranked(points: Sequence[Marked], cost_name: str, value_name: str) -> str:
    """A line for each, in the order given: its figure with its interval, beside it what it costs, by powers of ten."""
    row, top, bottom, width, left, middle = 24, 34, 34, 760, 140, 500
    height = top + row * len(points) + bottom
    ends = [v for p in points for v in (p.low, p.high, p.value) if math.isfinite(v)]
    costs = [max(p.cost, 1e-9) for p in points]
    values = Axes(_wide(min(ends), max(ends), 0.04), (0, 1), "", "", width=middle - 20, left=left, right=0)
    spent = Axes((min(costs) / 1.5, max(costs) * 1.5), (0, 1), "", "", log=True, width=width, left=middle + 20)
    floor = height - bottom
    drawn = []
    for axes, ticks, name in (
        (values, _ticks(*values.x), value_name),
        (spent, _powers(*spent.x), cost_name),
    ):
        for tick in ticks:
            x = axes.at_x(tick)
            drawn.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 6}" y2="{floor}"/>')
            drawn.append(f'<text x="{x:.1f}" y="{floor + 18}" text-anchor="middle">{_number(tick)}</text>')
        drawn.append(f'<text class="name" x="{axes.left}" y="16">{escape(name)}</text>')
    for i, (point, cost) in enumerate(zip(points, costs, strict=True)):
        y = top + row * (i + 0.5)
        drawn.append(
            f'<text class="name" x="{left - 14}" y="{y + 4:.1f}" text-anchor="end">{escape(point.name)}</text>'
        )
        if math.isfinite(point.low) and math.isfinite(point.high):
            a, b = values.at_x(point.low), values.at_x(point.high)
            drawn.append(f'<line class="whisker" x1="{a:.1f}" x2="{b:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(f'<circle class="dot" cx="{values.at_x(point.value):.1f}" cy="{y:.1f}" r="5.5"/>')
        x = spent.at_x(cost)
        drawn.append(
            f'<rect class="bar" x="{spent.left}" y="{y - 5:.1f}" width="{x - spent.left:.1f}" height="10" rx="2"/>'
        )
    title = f"{value_name} and {cost_name}"
    return (
        f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>{''.join(drawn)}</svg>"
    )


def standalone(svg: str) -> str:
    """A plot as a file of its own, with its colours and paper."""
    head, _, rest = svg.partition(">")
    style = f"<style>{COLOURS}{PLOT_STYLE}svg.plot{{background:var(--card)}}</style>"
    return f"{head}>{style}{rest}\n"


def _wide(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """A little room on both sides; never nothing."""
    if high - low < 1e-12:
        return low - 0.5, high + 0.5
    return low - share * (high - low), high + share * (high - low)


def _ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers within: 1, 2 or 5 times a power of ten apart."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _powers(low: float, high: float) -> list[float]:
    found = [
        s * 10.0**k for k in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for s in (1, 2, 5)
    ]
    within = [v for v in found if low <= v <= high]
    return within if len(within) <= 8 else [v for v in within if f"{v:e}".startswith("1")]


def _number(value: float) -> str:
    if value == 0 or abs(value) < 1e-12:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
