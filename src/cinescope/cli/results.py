"""Moments that were found, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cinescope.cli.common import count, remark
from cinescope.cli.text import blue, bold, dim, marked, one_line, printable, terminal_width, width
from cinescope.types import format_time

if TYPE_CHECKING:
    from cinescope.api.library import Library
    from cinescope.library.catalog import VideoSummary
    from cinescope.types import Moment, SearchResult

_SENSES = {"speech", "screen", "sounds", "meaning", "picture"}


def show_result(
    result: SearchResult, names: dict[str, VideoSummary], pictures: dict[str, str] | None = None, remarks: Any = remark
) -> None:
    """Print a search result as people read it; what could not be looked at goes through `remarks`."""
    columns = terminal_width()
    for rank, moment in enumerate(result.moments, 1):
        video = names.get(moment.video_id)
        name = printable((video.title or video.name) if video else moment.video_id[:8])
        away = "" if video is None or video.state == "here" else f"  ({video.state})"
        time = f"{format_time(moment.span.start)}-{format_time(moment.span.end)}"
        print(f"{rank:>3}  {bold(name)}{away}  {blue(time)}  {dim(moment.address)}")
        for evidence in moment.evidence[:3]:
            label = f"{evidence.kind:<7}"
            at = format_time(evidence.span.start)
            room = columns - 5 - width(label) - len(at) - 2
            text = evidence.text or ("what is seen there" if evidence.kind == "picture" else "")
            print(f"     {dim(label)} {dim(at)} {marked(text, evidence.matched, room)}")
        if pictures and moment.address in pictures:
            print(f"     {dim('picture')} {printable(pictures[moment.address])}")
    if not result.moments:
        remarks(one_line(result.note) or f"nothing matches '{printable(result.query)}'")
        if result.spellings:
            remarks("near spellings that occur here: " + ", ".join(map(one_line, result.spellings)))
        _show_not_looked_at(result, remarks)
        return
    if result.note:
        remarks(dim(one_line(result.note)))
    if result.total > len(result.moments) or result.more:
        least = "at least " if result.more else ""
        remarks(dim(f"{len(result.moments)} of {least}{count(result.total, 'moment')}; more with --limit"))
    _show_not_looked_at(result, remarks)


def _show_not_looked_at(result: SearchResult, remarks: Any) -> None:
    # That a sense is missing is not worth a line at every search that found something; what it left out is.
    quiet = _SENSES - set(result.looked_at) if result.moments else set()
    for what in result.not_looked_at:
        if what.partition(":")[0] in quiet:
            continue
        remarks(dim(f"not looked at: {one_line(what)}"))


def write_thumbs(lib: Library, moments: tuple[Moment, ...], folder: Path) -> dict[str, str]:
    from cinescope.library import catalog

    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    store = lib.store
    for rank, moment in enumerate(moments, 1):
        picture = catalog.thumbnail(store, moment.video_id, moment.span.start)
        if picture is not None:
            file = folder / f"{rank:03d}-{moment.video_id[:8]}-{moment.span.start:.2f}.jpg"
            file.write_bytes(picture)
            written[moment.address] = str(file)
    return written


def as_json(result: SearchResult, names: dict[str, VideoSummary], pictures: dict[str, str]) -> dict[str, Any]:
    moments = []
    for rank, moment in enumerate(result.moments, 1):
        video = names.get(moment.video_id)
        moments.append(
            {
                "rank": rank,
                "address": moment.address,
                "video": moment.video_id,
                "title": (video.title or video.name) if video else "",
                "path": video.path if video else "",
                "state": video.state if video else "",
                "start": moment.span.start,
                "end": moment.span.end,
                "score": moment.score,
                "by_modality": moment.by_modality,
                "thumbnail": pictures.get(moment.address),
                "evidence": [
                    {
                        "kind": e.kind,
                        "start": e.span.start,
                        "end": e.span.end,
                        "text": e.text,
                        "matched": [list(m) for m in e.matched],
                        "score": e.score,
                        "language": e.language,
                        "source": e.source,
                    }
                    for e in moment.evidence
                ],
            }
        )
    return {
        "query": result.query,
        "moments": moments,
        "total": result.total,
        "more": result.more,
        "note": result.note,
        "spellings": list(result.spellings),
        "looked_at": list(result.looked_at),
        "not_looked_at": list(result.not_looked_at),
        "absent": result.absent,
    }
