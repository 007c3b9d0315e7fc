"""`cinescope search`: words in, moments out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinescope.cli import hits
from cinescope.cli.common import JsonOption, LibraryOption, count, open_library, print_json, remark, settings
from cinescope.cli.text import blue, bold, dim, marked, one_line, printable, terminal_width, width
from cinescope.types import BadQueryError, format_time

if TYPE_CHECKING:
    from cinescope.api.library import Library
    from cinescope.library.catalog import VideoSummary
    from cinescope.types import Moment, SearchResult

_SENSES = {"speech", "screen", "sounds", "meaning", "picture"}
# No short options: `-word` in a query means "without this word".
_SETTINGS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}


@settings(**_SETTINGS)
def search(
    query: Annotated[list[str] | None, typer.Argument(metavar="WORDS", help='Words; "a phrase"; -without.')] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Moments at most.")] = 10,
    video: Annotated[list[str] | None, typer.Option("--video", metavar="VIDEO", help="Only in this video.")] = None,
    folder: Annotated[str, typer.Option("--folder", metavar="PATH", help="Only in videos of this folder.")] = "",
    collection: Annotated[str, typer.Option("--collection", metavar="NAME", help="Only in this collection.")] = "",
    tag: Annotated[str, typer.Option("--tag", metavar="TAG", help="Only in videos with this tag.")] = "",
    date: Annotated[str, typer.Option("--date", metavar="DATE", help="Recorded then: 2024, 2024-05, 2023..2024.")] = "",
    speech: Annotated[bool, typer.Option("--speech", help="Only what is said.")] = False,
    screen: Annotated[bool, typer.Option("--screen", help="Only what is written on the screen.")] = False,
    picture: Annotated[bool, typer.Option("--picture", help="Only what is seen (needs a picture model).")] = False,
    before: Annotated[str, typer.Option("--before", metavar="WHEN", help="A date, or a time in the video.")] = "",
    after: Annotated[str, typer.Option("--after", metavar="WHEN", help="A date, or a time in the video.")] = "",
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="Only in this language (en, zh).")] = "",
    length: Annotated[
        list[str] | None, typer.Option("--length", metavar="RANGE", help="Videos this long: <5m, >1h, 10m-1h.")
    ] = None,
    camera: Annotated[
        list[str] | None,
        typer.Option(
            "--camera", metavar="MOVE", help="While it does this: pan, tilt, zoom, still, shake, left, in ..."
        ),
    ] = None,
    faces: Annotated[
        list[str] | None, typer.Option("--faces", metavar="COUNT", help="While so many are seen: 0, 1, 2+.")
    ] = None,
    loudness: Annotated[
        list[str] | None, typer.Option("--loudness", metavar="LUFS", help="While it is quiet, loud, <-30, -30..-16.")
    ] = None,
    sound: Annotated[
        list[str] | None,
        typer.Option("--sound", metavar="KIND", help="While there is speech, music, noise, applause, silence."),
    ] = None,
    brightness: Annotated[
        list[str] | None, typer.Option("--brightness", metavar="LEVEL", help="While it is dark, bright, <0.2.")
    ] = None,
    colour: Annotated[
        list[str] | None,
        typer.Option("--colour", metavar="NAME", help="While this colour is in the picture: red, dark-blue ..."),
    ] = None,
    sharpness: Annotated[
        list[str] | None,
        typer.Option("--sharpness", metavar="LEVEL", help="While the picture is sharp, blurred, <0.1."),
    ] = None,
    quality: Annotated[
        list[str] | None,
        typer.Option(
            "--quality", metavar="STATE", help="While it is good, black, frozen, flicker, corrupted, blur ..."
        ),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option("--like", metavar="FILE", help="Like this picture, film or sound, or moment (talk.mp4@1:02)."),
    ] = None,
    meaning: Annotated[
        bool | None,
        typer.Option("--meaning/--words-only", help="Also what means the same (default where indexed), or only words."),
    ] = None,
    thumbs: Annotated[
        Path | None, typer.Option("--thumbs", metavar="FOLDER", help="Write each hit's key frame there.")
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Find the second where words are said or shown.

    \b
    cinescope search red car
    cinescope search '"climate report" -draft' --speech
    cinescope search invoice --folder ~/Videos/2024 --after 1:30 --limit 30
    cinescope search 'tag:beach in:screen sunset'
    cinescope search --tag beach
    cinescope search camera:pan -sound:speech
    cinescope search invoice --length '<5m' --faces 1
    cinescope search --quality black
    cinescope search what they said about money --meaning
    cinescope search a dog on the beach --picture
    cinescope search --like photo.jpg --folder ~/Videos/2024
    cinescope open 1

    Filters alone list what fits them. Exit status: 0 with hits, 1 without, 2 for a query that means nothing.
    """
    for word in query or ():
        if word.startswith("--"):
            raise BadQueryError(f"search has no option {word}", "see: cinescope search --help")
    lib = open_library(library)
    filters: dict[str, Any] = {
        "videos": tuple(video or ()),
        "folder": folder,
        "collection": collection,
        "tag": tag,
        "date": date,
        "kinds": tuple(
            kind for kind, wanted in (("speech", speech), ("screen", screen), ("picture", picture)) if wanted
        ),
        "before": before,
        "after": after,
        "language": language,
        "length": tuple(length or ()),
        "camera": tuple(camera or ()),
        "faces": tuple(faces or ()),
        "loudness": tuple(loudness or ()),
        "sound": tuple(sound or ()),
        "brightness": tuple(brightness or ()),
        "colour": tuple(colour or ()),
        "sharpness": tuple(sharpness or ()),
        "quality": tuple(quality or ()),
    }
    if like is not None:
        from cinescope.cli import like_hits

        if meaning:
            raise BadQueryError("--meaning and --like cannot be looked for together", "leave one of them out")
        like_hits.run(lib, like, " ".join(query or ()), limit, filters, thumbs, json)
    result = lib.search(
        " ".join(query or ()),
        limit=limit,
        **filters,
        meaning="auto" if meaning is None else "yes" if meaning else "no",
    )
    hits.remember(lib, result.moments)
    names = {v.id: v for v in lib.videos(m.video_id for m in result.moments)} if result.moments else {}
    pictures = write_thumbs(lib, result.moments, thumbs) if thumbs is not None else {}
    if json:
        print_json(as_json(result, names, pictures))
    else:
        show_result(result, names, pictures)
    raise typer.Exit(0 if result.moments else 1)


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
