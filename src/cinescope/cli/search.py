"""`cinescope search`: words in, moments out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinescope.cli import hits
from cinescope.cli.common import JsonOption, LibraryOption, open_library, print_json, settings
from cinescope.cli.results import as_json, show_result, write_thumbs
from cinescope.types import BadQueryError

if TYPE_CHECKING:
    pass

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
