"""A run as one HTML file that needs nothing else but the media it points to. Knows HTML and what a run told.

All text comes from files and people, so all of it is escaped.
"""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Mapping, Sequence
from html import escape as _html
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from cinescope.api.answers import Said, columns, read_lines
from cinescope.api.mistakes import EXAMPLES, MOST, poster, worst
from cinescope.api.report import Row, Told, figure, is_share, log_of, remarks, rows_of, told_of
from cinescope.api.report_plots import curves, reliability, scatter
from cinescope.api.report_style import STYLE
from cinescope.api.train import MAIN, Result, Summary
from cinescope.datasets.gathering import PICTURE, SOUND
from cinescope.metrics.classes import confusion
from cinescope.metrics.numbers import pearson
from cinescope.types import format_time

_MOST_CLASSES = 60  # of a table of who is taken for whom
_BINS = 10


def escape(text: object) -> str:
    """For HTML; what is no Unicode (an undecodable file name) becomes a replacement character."""
    return _html(str(text).encode("utf-8", "replace").decode("utf-8"), quote=True)


def write(folder: Path, summary: Summary) -> Path:
    """`report.html` in the run's folder."""
    place = folder / "report.html"
    place.write_text(page(folder, summary), encoding="utf-8")
    return place


def page(folder: Path, summary: Summary) -> str:
    """The whole document, for the folder that it will lie in."""
    told = told_of(summary.of(MAIN), folder)
    rows = rows_of(summary, folder)
    body = [head(summary, rows), "<main>"]
    body += [f'<p class="note">{escape(s[0].upper() + s[1:])}.</p>' for s in (*remarks(summary), *summary.notes)]
    body += [
        variants(summary, rows),
        learning(summary, folder),
        confused(summary, told) if told.kind == "class" else "",
        classes(summary, told) if told.kind == "class" else "",
        sureness(told) if told.kind == "class" else "",
        numbers(summary, told) if told.kind == "score" else "",
        gallery(summary, told, folder),
        each_run(summary),
        f"<footer>Cinescope {escape(summary.version)}. The rows behind every figure are in predictions.jsonl beside "
        "each model; <code>cinescope compare</code> holds recipes against each other.</footer></main>",
    ]
    return document(f"{summary.name}: report", "\n".join(part for part in body if part))


def document(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def facts(shown: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<div><b>{escape(value)}</b><span>{escape(what)}</span></div>" for value, what in shown if value)
    return f'<div class="facts">{cells}</div>'


def head(summary: Summary, rows: Sequence[Row]) -> str:
    """What was trained, on what, and the one figure that counts."""
    main = summary.of(MAIN)
    folds, seeds = len({r.fold for r in main}), len({r.seed for r in main})
    best = next((r for r in rows if r.variant == MAIN), None)
    interval = _interval(summary.watched, best) if best is not None else ""
    value = figure(summary.watched, best.metrics[summary.watched]) if best else ""
    tested = sum(r.rows for r in main) // max(seeds, 1)
    shown = [
        (value, f"{summary.watched}{f' ({interval})' if interval else ''}"),
        (f"{tested:,}", f"rows measured ({main[0].measured_on})"),
        (
            f"{main[0].trained_on:,}" if main[0].trained_on else "",
            "rows trained on" + (" in fold 1" if folds > 1 else ""),
        ),
        (str(folds) if folds > 1 else "", "folds"),
        (str(seeds) if seeds > 1 else "", "seeds"),
        (_short(main[0].parameters), "parameters"),
        (
            _seconds(sum(r.seconds for r in main)),
            "of training" if len(main) == 1 else f"of training, {len(main)} models",
        ),
    ]
    about = f"<p>{escape(summary.about)}</p>" if summary.about else ""
    made = f"{summary.task} of {summary.target}" if summary.target else summary.task
    line = " · ".join(escape(p) for p in (made, f"from {', '.join(summary.inputs)}" if summary.inputs else "",
                                          f"data: {summary.data}" if summary.data else "") if p)  # fmt: skip
    return f'<header class="top"><div><h1>{escape(summary.name)}</h1>{about}<p>{line}</p>{facts(shown)}</div></header>'


def variants(summary: Summary, rows: Sequence[Row]) -> str:
    """The model and its controls, with the watched metric, its interval, and what each input earns."""
    metrics = list(rows[0].metrics)
    others = [m for m in metrics if m != summary.watched][:3]
    ends = [v for r in rows for v in (r.low, r.high, r.metrics[summary.watched]) if v is not None and math.isfinite(v)]
    low, high = min(ends), max(ends)
    room = 0.04 * (high - low) or 0.5
    low, high = low - room, high + room
    lines = []
    for row in rows:
        cells = (
            f'<td data-of="{escape(summary.watched)}">{figure(summary.watched, row.metrics[summary.watched])}</td>'
            f'<td class="nowrap" data-of="from">{_interval(summary.watched, row)}</td>'
            f"<td>{_range(row, summary.watched, low, high)}</td>"
        )
        cells += "".join(f'<td data-of="{escape(m)}">{figure(m, row.metrics.get(m, math.nan))}</td>' for m in others)
        kind = ' class="main"' if row.variant == MAIN else ""
        name = "the model" if row.variant == MAIN else row.variant
        lines.append(f'<tr{kind}><th>{escape(name)}</th>{cells}<td class="said">{escape(row.compared)}</td></tr>')
    heads = "".join(f"<th>{escape(m)}</th>" for m in others)
    said = '<th class="said">what that says</th>' if len(rows) > 1 else "<th></th>"
    over = rows[0].over
    why = f"The interval holds the figure with 95% confidence, over {over}. " if over else ""
    if len(rows) > 1:
        why += (
            "Each input was also trained alone, and with that input dealt out among the rows; differences are paired, "
            "on the same rows."
        )
    return (
        f"<section><h2>What it earned</h2><p>{escape(why)}</p>"
        '<div class="card wide"><table class="variants"><thead><tr>'
        f"<th></th><th>{escape(summary.watched)}</th><th>95%</th><th></th>{heads}{said}"
        f"</tr></thead><tbody>{''.join(lines)}</tbody></table></div></section>"
    )


def learning(summary: Summary, folder: Path) -> str:
    """Training loss and the watched metric, an epoch a point; the epoch that was kept is marked."""
    losses, watched, best = [], [], []
    for result in summary.of(MAIN):
        entries = log_of(result, folder)
        losses.append([(e["epoch"], sum(e.get("train", {}).values())) for e in entries])
        line = [(e["epoch"], e["val"][summary.watched]) for e in entries if summary.watched in e.get("val", {})]
        watched.append(line)
        best += [point for point in line if point[0] == result.best_epoch]
    drawn = [
        curves(losses, [], "epoch", "training loss"),
        curves(watched, best, "epoch", f"watched: {summary.watched}"),
    ]
    if not any(drawn):
        return ""
    said = "A line for each model; the dot is the epoch that was kept." if len(losses) > 1 else (
        "The dot is the epoch that was kept."
    )  # fmt: skip
    if not drawn[1]:
        said = "No rows were watched while training: the last epoch was kept."
    cards = "".join(f'<div class="card">{svg}</div>' for svg in drawn if svg)
    return f'<section><h2>How it learned</h2><p>{said}</p><div class="pair">{cards}</div></section>'


def _table(summary: Summary, told: Told) -> tuple[np.ndarray, list[str]]:
    """(K, K) counts of true (rows) and told (columns), and the names of classes."""
    said, true = columns(told.rows)
    count = max(len(summary.labels), int(max(said.max(), true.max())) + 1)
    names = [*summary.labels, *(f"({i})" if summary.labels else str(i) for i in range(len(summary.labels), count))]
    return confusion(said.astype(int), true.astype(int), count), names


def confused(summary: Summary, told: Told) -> str:
    """Who is taken for whom: counts, shaded by their share of the row."""
    if not told.rows:
        return ""
    table, names = _table(summary, told)
    there = np.flatnonzero(table.sum(0) + table.sum(1))
    if len(there) > _MOST_CLASSES:
        return _most_confused(table, names)
    cell, size = (38, 14) if len(there) <= 12 else (26, 11.5) if len(there) <= 26 else (19, 9.5)
    heads = "".join(f'<th scope="col"><span>{escape(names[k])}</span></th>' for k in there)
    lines = []
    for i in there:
        total = max(int(table[i].sum()), 1)
        cells = []
        for j in there:
            count = int(table[i, j])
            share = count / total
            kind = ("ok" if i == j else "no") + (" hi" if share > 0.45 else "")
            style = f' style="--p:{12 + 76 * share:.0f}%"' if count else ""
            tip = f' title="{escape(names[i])} taken for {escape(names[j])}: {count} of {total}"' if count else ""
            cells.append(f'<td class="{kind}"{style}{tip}>{count or ""}</td>')
        lines.append(f'<tr><th scope="row" title="{escape(names[i])}">{escape(names[i])}</th>{"".join(cells)}</tr>')
    return (
        "<section><h2>What is taken for what</h2><p>A row for what is so, a column for what was told; the numbers are "
        f"rows of the data{_pooled(told)}.</p>"
        f'<div class="card wide fit"><table class="confusion" style="--cell:{cell}px;--size:{size}px">'
        "<thead><tr><td></td>"
        f"{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div></section>"
    )


def _most_confused(table: np.ndarray, names: Sequence[str]) -> str:
    """For very many classes: the pairs that are confused most."""
    wrong = table.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None)[:25]
    pairs = [(int(k // len(table)), int(k % len(table))) for k in order if wrong.flat[k]]
    lines = "".join(
        f"<tr><th>{escape(names[i])}</th><td>{escape(names[j])}</td>"
        f"<td>{int(wrong[i, j])} of {int(table[i].sum())}</td></tr>"
        for i, j in pairs
    )
    return (
        f"<section><h2>What is taken for what</h2><p>Of {len(names):,} classes, those confused most.</p>"
        '<div class="card wide"><table><thead><tr><th>it is</th><th>it was told to be</th><th>rows</th></tr></thead>'
        f"<tbody>{lines}</tbody></table></div></section>"
    )


def classes(summary: Summary, told: Told) -> str:
    """Precision, recall and F1 of each class, the worst first."""
    if not told.rows:
        return ""
    table, names = _table(summary, told)
    right, said, true = np.diagonal(table), table.sum(0), table.sum(1)
    there = [k for k in np.flatnonzero(said + true) if k < len(summary.labels) or not summary.labels]
    found = []
    for k in there:
        precision, recall = right[k] / max(said[k], 1), right[k] / max(true[k], 1)
        both = 2 * right[k] / max(said[k] + true[k], 1)
        found.append((both, names[k], precision, recall, int(true[k])))
    lines = "".join(
        f"<tr><th>{escape(name)}</th><td>{100 * precision:.0f}%</td><td>{100 * recall:.0f}%</td><td>{100 * both:.0f}%"
        f'<span class="share"><i style="width:{100 * both:.0f}%"></i></span></td><td>{rows:,}</td></tr>'
        for both, name, precision, recall, rows in sorted(found)
    )
    return (
        "<section><h2>Class by class</h2><p>The hardest first. Precision: of those told to be it, how many are. "
        'Recall: of those that are it, how many were told.</p><div class="card wide"><table><thead><tr><th></th>'
        f"<th>precision</th><th>recall</th><th>F1</th><th>rows</th></tr></thead><tbody>{lines}</tbody></table></div>"
        "</section>"
    )


def bins_of(rows: Sequence[Said], count: int = _BINS) -> tuple[list[tuple[float, float, int]], float]:
    """(mean probability, share right, rows) of each bin that has some, and the expected calibration error: the mean
    distance of the two, weighted by rows (Guo et al. 2017, equation 5)."""
    sure = np.array([r.probability for r in rows])
    right = np.array([r.said == r.true for r in rows], float)
    known = ~np.isnan(sure)
    sure, right = sure[known], right[known]
    at = np.minimum((sure * count).astype(int), count - 1)
    made = [
        (float(sure[at == b].mean()), float(right[at == b].mean()), int((at == b).sum()))
        for b in range(count)
        if (at == b).any()
    ]
    error = sum(n * abs(s - r) for s, r, n in made) / max(len(sure), 1)
    return made, float(error)


def sureness(told: Told) -> str:
    """Whether the model's probabilities can be believed."""
    bins, error = bins_of(told.rows)
    if not bins:
        return ""
    sure = np.array([r.probability for r in told.rows if not math.isnan(r.probability)])
    right = float(np.mean([r.said == r.true for r in told.rows]))
    way = "too sure of itself" if sure.mean() > right + 0.02 else "not sure enough" if sure.mean() < right - 0.02 else (
        "about as sure as it is right"
    )  # fmt: skip
    return (
        "<section><h2>How sure, and how often right</h2>"
        f"<p>The model says {100 * float(sure.mean()):.0f}% on average and is right {100 * right:.0f}% of the time: "
        f"it is {way}. Expected calibration error {100 * error:.1f} points.</p>"
        f'<div class="card" style="max-width:440px">{reliability(bins)}</div></section>'
    )


def numbers(summary: Summary, told: Told) -> str:
    """What was told against what is so."""
    if not told.rows:
        return ""
    said, true = columns(told.rows)
    return (
        f"<section><h2>Told, and so</h2><p>Each point is a row{_pooled(told)}; on the line is right. "
        f"The correlation is {pearson(said, true):.3f}.</p>"
        f'<div class="card" style="max-width:560px">{scatter(true.tolist(), said.tolist(), summary.unit)}</div>'
        "</section>"
    )


def gallery(summary: Summary, told: Told, folder: Path) -> str:
    """The surest mistakes, to be seen and heard."""
    mistakes = worst(told.rows, told.kind)
    if not mistakes:
        return ""
    known: dict[str, tuple[Path, Mapping[str, Any]]] = {}
    for result in summary.of(MAIN):
        place = folder / result.folder
        known |= {line["key"]: (place, line) for line in read_lines(place / EXAMPLES)}
    cards = "".join(_card(summary, told, row, *known.get(row.key, (folder, {})), folder) for row in mistakes)
    what = "The surest mistakes" if told.kind == "class" else "The largest errors"
    return (
        f"<section><h2>{what}</h2><p>Up to {MOST}, each at its time. Some mistakes are wrong labels or broken clips: "
        f'look before you change the model.</p><div class="errors">{cards}</div></section>'
    )


def _card(summary: Summary, told: Told, row: Said, place: Path, line: Mapping[str, Any], folder: Path) -> str:
    shown = _player(place, line, folder)
    texts = "".join(
        f"<blockquote>{escape(text)}</blockquote>" for text in (line.get("texts") or {}).values() if str(text).strip()
    )
    if told.kind == "class":
        names = summary.labels
        is_, said = (names[int(v)] if 0 <= v < len(names) else f"class {int(v)}" for v in (row.true, row.said))
        sure = f"{100 * row.probability:.0f}%"
        what = f'<p>told <b class="told">{escape(said)}</b> {sure}, is <b class="is">{escape(is_)}</b></p>'
    else:
        what = f'<p>told <b class="told">{row.said:.3g}</b>, is <b class="is">{row.true:.3g}</b></p>'
    time = f" · {format_time(line['start'], 1)} to {format_time(line['end'], 1)}" if "start" in line else ""
    return f'<article class="error">{shown}<div>{what}{texts}<small>{escape(row.key)}{time}</small></div></article>'


def _player(place: Path, line: Mapping[str, Any], folder: Path) -> str:
    """The example's own file at its time; what was kept of one that is in no file; else nothing."""
    if "media" in line:
        path = Path(line["media"])
        address = address_of(path, folder)
        if "start" in line:
            address += f"#t={line['start']:.2f},{line['end']:.2f}"
        source = escape(address)
        if path.suffix.lower() in PICTURE:
            return f'<img loading="lazy" alt="{escape(path.name)}" src="{source}">'
        if path.suffix.lower() in SOUND:
            return f'<audio controls preload="none" src="{source}"></audio>'
        jpeg = poster(path, line.get("start"), line.get("end"))
        still = f' poster="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"' if jpeg else ""
        return f'<video controls preload="none"{still} src="{source}"></video>'
    shown = ""
    if "strip" in line:
        shown += f'<img class="strip" alt="{escape(line["key"])}" src="{_inside(place / line["strip"], "image/jpeg")}">'
    if "sound" in line:
        shown += f'<audio controls src="{_inside(place / line["sound"], "audio/wav")}"></audio>'
    return shown


def _inside(file: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}" if file.exists() else ""


def address_of(path: Path, folder: Path) -> str:
    """Relative where the page and the file can be moved together, else absolute."""
    path, folder = path.absolute(), folder.absolute()
    shared = os.path.commonpath([path, folder])
    if len(Path(shared).parts) > 2:  # more than / and one folder below it
        return quote(os.fsencode(os.path.relpath(path, folder)).replace(os.sep.encode(), b"/"))
    return f"file://{quote(os.fsencode(path))}"


def each_run(summary: Summary) -> str:
    """All models of the run, where there are several."""
    if len(summary.results) < 2:
        return ""
    folds, seeds = len({r.fold for r in summary.results}) > 1, len({r.seed for r in summary.results}) > 1
    heads = [
        "",
        *(["fold"] if folds else []),
        *(["seed"] if seeds else []),
        summary.watched,
        "rows",
        "epoch kept",
        "time",
    ]
    lines = "".join(_run(r, summary, folds, seeds) for r in summary.results)
    cells = "".join(f"<th>{escape(h)}</th>" for h in heads)
    return (
        "<section><h2>Every model</h2><p>One by one, as they lie in the folder.</p>"
        '<div class="card wide"><table><thead>'
        f"<tr>{cells}</tr></thead><tbody>{lines}</tbody></table></div></section>"
    )


def _run(result: Result, summary: Summary, folds: bool, seeds: bool) -> str:
    kept = f"{result.best_epoch or result.epochs} of {result.epochs}"
    value = figure(summary.watched, result.metrics.get(summary.watched, math.nan))
    cells = [
        *([escape(result.fold)] if folds else []),
        *([str(result.seed)] if seeds else []),
        value, f"{result.rows:,}", kept, _seconds(result.seconds),
    ]  # fmt: skip
    return f"<tr><th>{escape(result.variant)}</th>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"


def _interval(metric: str, row: Row | None) -> str:
    if row is None or row.low is None or row.high is None or not math.isfinite(row.low):
        return ""
    if is_share(metric):
        return f"{max(100 * row.low, 0):.1f} to {min(100 * row.high, 100):.1f}"
    return f"{row.low:.3g} to {row.high:.3g}"


def _range(row: Row, metric: str, low: float, high: float) -> str:
    """The interval as a line with the figure as its dot."""

    def at(value: float) -> float:
        return 100 * (value - low) / (high - low)

    line = ""
    if row.low is not None and row.high is not None and math.isfinite(row.low):
        line = f'<i style="left:{at(row.low):.1f}%;width:{at(row.high) - at(row.low):.1f}%"></i>'
    return f'<div class="range">{line}<b style="left:{at(row.metrics[metric]):.1f}%"></b></div>'


def _pooled(told: Told) -> str:
    runs = len({r.run for r in told.rows})
    return f", of all {runs} models together" if runs > 1 else ""


def _short(number: int) -> str:
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {letter}"
    return str(number)


def _seconds(value: float) -> str:
    if value < 120:
        return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 5400 else f"{value / 3600:.1f} h"
