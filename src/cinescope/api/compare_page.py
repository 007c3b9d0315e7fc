"""A comparison as a table, a plot and a page. Knows figures and HTML; trains nothing."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from urllib.parse import quote

from cinescope.api.comparison import Comparison, Entry
from cinescope.api.report import figure, is_share, within
from cinescope.api.report_page import document, escape, facts
from cinescope.api.report_plots import Marked, against_cost, ranked, standalone

HEADS = ("recipe", "", "95%", "to the best", "training", "a row", "parameters", "on disk")
_FEW = 4  # so many names are a title


def cells(found: Comparison, entry: Entry) -> list[str]:
    """One recipe as text, in the order of HEADS."""
    if entry.failed:
        return [entry.name, "failed", entry.failed, "", "", "", "", ""]
    return [
        entry.name,
        figure(found.metric, entry.value),
        spread(found.metric, entry.low, entry.high),
        apart(found, entry),
        duration(entry.train_seconds),
        duration(entry.row_seconds),
        f"{entry.parameters:,}",
        size(entry.bytes),
    ]


def apart(found: Comparison, entry: Entry) -> str:
    """`-3.1 points (-5.0 to -1.2)`, paired over rows where that can be; "" for the best itself."""
    gap = entry.by_rows or entry.by_seeds
    if gap is None:
        return ""
    by = 100 if is_share(found.metric) else 1
    form = "{:+.1f}" if by == 100 else "{:+.3g}"
    value, low, high = (form.format(by * v) for v in (gap.value, gap.low, gap.high))
    return f"{value}{' points' if by == 100 else ''} ({low} to {high})"


def write(out: Path, found: Comparison) -> None:
    """compare.json, .md, .html and .svg in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "compare.json").write_text(json.dumps(found.to_json(), indent=1, ensure_ascii=False), encoding="utf-8")
    (out / "compare.md").write_text(markdown(found), encoding="utf-8")
    (out / "compare.html").write_text(page(found, out), encoding="utf-8")
    svg = plot(found)
    if svg:
        (out / "compare.svg").write_text(standalone(svg), encoding="utf-8")


def markdown(found: Comparison) -> str:
    """The table for a page or an issue."""
    heads = ["recipe", found.metric, *HEADS[2:]]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(c.replace('|', '/') for c in cells(found, e))} |" for e in found.entries]
    return "\n".join([*lines, "", f"{said(found)}", ""])


def said(found: Comparison) -> str:
    """On what it was measured, and how."""
    seeds = len(found.seeds)
    over = next((e.over for e in found.entries if e.over), "")
    folds = f" in {found.folds} folds" if found.folds > 1 else ""
    return (
        f"All on the same {found.rows:,} rows{folds}, {seeds} {'seed' if seeds == 1 else 'seeds'}. "
        + (f"Intervals of 95% over {over}; " if over else "")
        + "differences to the best are paired over rows. Training is that of one model; a row is from its file to an "
        "answer."
    )


def plot(found: Comparison) -> str:
    """The figure with its interval and the time of training; "" where nothing was measured."""
    good = [e for e in found.entries if not e.failed]
    points = [Marked(e.name, e.train_seconds, e.value, *within(found.metric, e.low, e.high)) for e in good]
    if not points:
        return ""
    # Many names in one field would lie on each other.
    drawn = against_cost if len(points) <= _FEW else ranked
    return drawn(points, "seconds to train one model", found.metric)


def page(found: Comparison, out: Path) -> str:
    """The whole document; links lead to the reports of the recipes that are there."""
    good = [e for e in found.entries if not e.failed]
    heads = "".join(f"<th>{escape(h or found.metric)}</th>" for h in HEADS)
    lines = []
    for entry in found.entries:
        own = cells(found, entry)
        report = out / entry.name / "report.html"
        name = escape(entry.name)
        if report.exists():
            name = f'<a href="{quote(os.fsencode(entry.name))}/report.html">{name}</a>'
        if entry.failed:
            lines.append(
                f'<tr><th>{name}</th><td>failed</td><td class="said" colspan="6">{escape(entry.failed)}</td></tr>'
            )
        else:
            kind = ' class="main"' if entry is found.entries[0] else ""
            lines.append(f"<tr{kind}><th>{name}</th>{''.join(f'<td>{_unbroken(c)}</td>' for c in own[1:])}</tr>")
    head = facts(
        [
            (figure(found.metric, good[0].value) if good else "", f"{found.metric} of {good[0].name}" if good else ""),
            (str(len(found.entries)), "recipes"),
            (f"{found.rows:,}", "rows, the same for all"),
            (str(found.folds) if found.folds > 1 else "", "folds"),
            (str(len(found.seeds)), "seeds" if len(found.seeds) != 1 else "seed"),
        ]
    )
    svg = plot(found)
    drawn = f'<section><h2>What it costs</h2><div class="card">{svg}</div></section>' if svg else ""
    few = len(found.entries) <= _FEW
    names = escape(" · ".join(e.name for e in found.entries) if few else f"{len(found.entries)} recipes compared")
    body = (
        f'<header class="top"><div><h1>{names}</h1>{head}</div></header><main>'
        f"<section><h2>Recipes</h2><p>{escape(said(found))}</p>"
        f'<div class="card wide"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
        f"</section>{drawn}</main>"
    )
    return document("Recipes compared", body)


def _unbroken(cell: str) -> str:
    """A number stays with its unit; an interval in brackets may stand below."""
    return escape(cell).replace(" ", "&nbsp;").replace("&nbsp;(", " (")


def spread(metric: str, low: float, high: float) -> str:
    if not math.isfinite(low):
        return ""
    by = 100 if is_share(metric) else 1
    low, high = within(metric, low, high)
    return f"{by * low:.1f} to {by * high:.1f}" if by == 100 else f"{low:.3g} to {high:.3g}"


def duration(seconds: float) -> str:
    if math.isnan(seconds):
        return ""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"


def size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
