"""Moments and timelines as one HTML file that needs nothing else: pictures are inside, videos are linked to.

Knows HTML and the nouns; knows nothing about queries. All text comes from files and people, so all of it is escaped.
"""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from cinescope.api import page_senses
from cinescope.api.page_style import PLAYER, SCRIPT, STYLE
from cinescope.library import glance
from cinescope.types import Evidence, Moment, SearchResult, Segment, Span, Timeline, format_time

if TYPE_CHECKING:
    from cinescope.api.library import Library
    from cinescope.library.catalog import VideoSummary

Link = Callable[["VideoSummary", float], str]  # the address of a video from a second on
_BADGES = {
    "speech": "said",
    "screen": "on screen",
    "title": "title",
    "chapter": "chapter",
    "note": "note",
    "tag": "tag",
    "meaning": "by meaning",
    "picture": "seen",
    "sound": "heard",
}


def escape(text: str) -> str:
    """For HTML; what is no Unicode (an undecodable file name) becomes a replacement character."""
    return html.escape(text.encode("utf-8", "replace").decode("utf-8"), quote=True)


def file_link(video: VideoSummary, time: float) -> str:
    """`file:///videos/talk.mp4#t=62.5`: browsers start there (W3C Media Fragments, temporal dimension)."""
    return f"file://{quote(os.fsencode(video.path))}#t={time:.2f}"


def relative_to(folder: Path) -> Link:
    """Links from a page in `folder`, so that both can be moved together."""

    def link(video: VideoSummary, time: float) -> str:
        path = os.path.relpath(video.path, folder)
        return f"{quote(os.fsencode(path).replace(os.sep.encode(), b'/'))}#t={time:.2f}"

    return link


def document(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style></head>\n<body>\n{body}\n{PLAYER}\n"
        f"<script>{SCRIPT}</script>\n</body></html>\n"
    )


def picture(jpeg: bytes | None, alt: str) -> str:
    if jpeg is None:
        return f'<div class="blank" role="img" aria-label="{escape(alt)}"></div>'
    return f'<img alt="{escape(alt)}" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'


def marked(evidence: Evidence) -> str:
    """The text with its matching words marked."""
    parts, at = [], 0
    for start, end in sorted(evidence.matched):
        if start < at:
            continue
        parts += [escape(evidence.text[at:start]), "<mark>", escape(evidence.text[start:end]), "</mark>"]
        at = end
    return "".join([*parts, escape(evidence.text[at:])])


def hit(moment: Moment, video: VideoSummary, jpeg: bytes | None, link: Link) -> str:
    """One moment as a card: its key frame, where it is, the words."""
    lines = [
        f'<p><span class="badge {escape(e.kind)}">{escape(_BADGES.get(e.kind, e.kind))}</span> {marked(e)}</p>'
        for e in moment.evidence[:3]
    ]
    name = video.title or video.name
    time = format_time(moment.span.start)
    return (
        f'<a class="hit" href="{escape(link(video, moment.span.start))}" data-play>'
        f'<div class="frame">{picture(jpeg, f"{name} at {time}")}<span class="time">{time}</span></div>'
        f'<div class="words"><h3>{escape(name)}</h3>{"".join(lines)}'
        f"<code>{escape(moment.address)}</code></div></a>"
    )


@dataclass(frozen=True, slots=True)
class Section:
    """A search and what it is meant to show."""

    query: str
    why: str
    result: SearchResult
    example: bytes | None = None  # the JPEG that was given instead of words


def search_section(section: Section, videos: Mapping[str, VideoSummary], lib: Library, link: Link) -> str:
    from cinescope.library import catalog

    cards = [
        hit(m, videos[m.video_id], catalog.thumbnail(lib.store, m.video_id, m.span.start), link)
        for m in section.result.moments[:6]
        if m.video_id in videos
    ]
    if cards:
        found = f'<div class="hits{" one" if len(cards) == 1 else ""}">{"".join(cards)}</div>'
    else:
        near = ", ".join(section.result.spellings)
        note = section.result.note or "nothing matches"
        found = f'<p class="none">{escape(note)}{f"<br>near spellings: <b>{escape(near)}</b>" if near else ""}</p>'
    given = picture(section.example, "the example") if section.example is not None else ""
    return (
        f'<section><div class="query"><span class="glass"></span>{given}<b>{escape(section.query)}</b>'
        f"<em>{escape(section.why)}</em></div>{found}</section>"
    )


def timeline_section(video: VideoSummary, timeline: Timeline, lib: Library, link: Link, wall: str = "") -> str:
    """A video as a row of its shots, strips over time, and its words. `wall` is the address of its picture."""
    from cinescope.library import catalog

    length = max(video.duration or 0.0, 0.001)
    shots = _segments(timeline, "shot")
    frames = []
    for shot in shots[:12]:
        jpeg = catalog.thumbnail(lib.store, video.id, _key_time(shot))
        time = format_time(shot.span.start)
        shown = f'{picture(jpeg, f"shot at {time}")}<span class="time">{time}</span>'
        frames.append(f'<a href="{escape(link(video, shot.span.start))}" data-play>{shown}</a>')
    strips = []
    for kind, label in (("shot", "shots"), ("voice", "voice"), ("speech", "words"), ("screen", "screen")):
        if found := _segments(timeline, kind):
            strips.append(page_senses.strip(label, _blocks(video, found, length, link)))
        if kind == "shot":
            strips.append(page_senses.strips(timeline, length, _block(video, length, link)))
    rows = [row for _, row in _rows(timeline, video, link, "data-play")]
    heard = {str(s.data.get("origin", "")) for s in _segments(timeline, "speech")} - {""}
    facts = [
        format_time(length),
        video.recorded[:10],
        f"{len(shots)} shot{'' if len(shots) == 1 else 's'}",
        *(f"words: {o}" for o in sorted(heard)),
        glance.programme(timeline),
    ]
    picture_of_all = f'<a class="wall" href="{escape(wall)}">the whole video as one picture</a>' if wall else ""
    return (
        f"<article><header><h3>{escape(video.title or video.name)}</h3>"
        f"<span>{escape(' · '.join(f for f in facts if f))} {picture_of_all}</span></header>"
        f'<div class="film">{"".join(frames)}</div>{"".join(strips)}<div class="lines">{"".join(rows)}</div></article>'
    )


def _rows(timeline: Timeline, video: VideoSummary, link: Link, action: str) -> list[tuple[Span, str]]:
    """What is said and written, by time, each as a link to its second."""
    rows = []
    for kind in ("speech", "screen"):
        for s in _segments(timeline, kind):
            rows.append(
                (
                    s.span,
                    f'<a href="{escape(link(video, s.span.start))}" {action} data-time="{s.span.start:.2f}">'
                    f"<time>{format_time(s.span.start)}</time>"
                    f'<span class="badge {kind}">{_BADGES[kind]}</span>{escape(" ".join(s.text.split()))}</a>',
                )
            )
    return sorted(rows)


def _segments(timeline: Timeline, kind: str) -> Sequence[Segment]:
    return [s for t in timeline.tracks if t.kind == kind for s in t.segments]


def _key_time(shot: Segment) -> float:
    return float(shot.data.get("key", shot.span.start))


def _blocks(video: VideoSummary, segments: Sequence[Segment], length: float, link: Link) -> str:
    return "".join(
        f'<a href="{escape(link(video, s.span.start))}" data-play title="{escape(s.text)}" class="{escape(s.kind)}" '
        f'style="left:{100 * s.span.start / length:.2f}%;width:{max(0.3, 100 * s.span.duration / length):.2f}%"></a>'
        for s in segments
    )


def _block(video: VideoSummary, length: float, link: Link) -> page_senses.Block:
    """How a segment becomes a stretch of a strip that leads to its second; the inner text is HTML already."""

    def block(segment: Segment, classes: str, title: str, inner: str) -> str:
        left, wide = 100 * segment.span.start / length, max(0.3, 100 * segment.span.duration / length)
        return (
            f'<a href="{escape(link(video, segment.span.start))}" data-play title="{escape(title)}" class="{classes}" '
            f'style="left:{left:.2f}%;width:{wide:.2f}%">{inner}</a>'
        )

    return block


def moment_page(lib: Library, video: VideoSummary, span: Span) -> str:
    """One moment with its video, key frame and the words around it: what `cinescope open` shows without a player."""
    from cinescope.library import catalog

    jpeg = catalog.thumbnail(lib.store, video.id, span.start)
    poster = f'poster="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"' if jpeg else ""
    near = span.pad(30)
    lines = ""
    for when, row in _rows(lib.timeline(video.id), video, file_link, "data-seek"):
        if when.overlaps(near):
            lines += row.replace("<a ", '<a class="here" ', 1) if when.overlaps(span) else row
    name = video.title or video.name
    start, source = format_time(span.start), escape(file_link(video, span.start))
    body = (
        f'<main class="moment"><h1>{escape(name)}</h1>'
        f"<p>{start} to {format_time(span.end)} · {escape(video.name)}</p>"
        f'<video id="one" controls autoplay preload="metadata" {poster} src="{source}"></video>'
        f'<div class="lines">{lines}</div>'
        f'<p class="small">If the picture stays black, the browser cannot play this kind of file: open it in a player '
        f"at {start}, or cut the moment out with <code>cinescope clip {video.short_id}@{span.start:.2f}-{span.end:.2f} "
        "-o clip.mp4</code>.</p></main>"
    )
    return document(f"{name} at {start}", body)
