"""`cinescope duplicates`: what is in the library more than once, with the evidence. Deletes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cinescope.cli.common import JsonOption, LibraryOption, count, human_size, open_library, plain, print_json, remark
from cinescope.cli.text import bold, dim, one_line, printable
from cinescope.types import format_time

if TYPE_CHECKING:
    from cinescope.library.catalog import VideoSummary
    from cinescope.library.duplicates import Duplicates, Group, Pair, Place

_TITLES = {
    "copies": "copies of one another",
    "part": "a part of a longer one",
    "stretch": "a stretch in common",
    "repeat": "comes again in one video",
}


def duplicates(
    videos: Annotated[
        list[str] | None, typer.Argument(metavar="VIDEOS", help="Only among these; none: the whole library.")
    ] = None,
    min_seconds: Annotated[
        float, typer.Option("--min-seconds", metavar="N", help="Only what repeats for so long.")
    ] = 2.0,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List videos and stretches that are there more than once. Nothing is deleted.

    \b
    cinescope duplicates
    cinescope duplicates --min-seconds 30

    Found by picture and by sound, though encoded again, scaled, cropped, mirrored, cut, run faster or slower, or with
    other sound. In each group the one with most pixels comes first, then the one with most bits a second. Exit status:
    0 when something repeats, 1 when nothing does.
    """
    lib = open_library(library)
    found = lib.duplicates(*(videos or ()), min_seconds=min_seconds)
    names = {v.id: v for v in lib.videos(p.video_id for g in found.groups for p in g.places)} if found.groups else {}
    if json:
        print_json(_as_json(found, names))
    else:
        _show(found, names)
    raise typer.Exit(0 if found.groups else 1)


def _show(found: Duplicates, names: dict[str, VideoSummary]) -> None:
    for number, group in enumerate(found.groups, 1):
        print(f"{number:>3}  {bold(_TITLES[group.kind])}, {group.seconds:.1f} s")
        for place in group.places:
            print(f"     {_place(place, names, group.kind == 'copies')}")
        for pair in group.pairs[:5]:
            print(f"     {dim(_evidence(pair, names, group))}")
        if len(group.pairs) > 5:
            more = count(len(group.pairs) - 5, "more match", "more matches")
            print(f"     {dim(f'and {more}; see --json')}")
    if found.groups:
        remark(dim("nothing was deleted; take one out of the library with: cinescope remove VIDEO"))
    else:
        remark(f"nothing repeats in {count(found.videos, 'video')}")
    for what in found.not_looked_at:
        remark(dim(f"not looked at: {one_line(what)}"))


def _name(video_id: str, names: dict[str, VideoSummary]) -> str:
    return printable(names[video_id].name) if video_id in names else video_id[:8]


def _place(place: Place, names: dict[str, VideoSummary], whole: bool) -> str:
    video = names.get(place.video_id)
    away = f"  ({video.state})" if video is not None and video.state != "here" else ""
    when = "" if whole else f"  {format_time(place.span.start)}-{format_time(place.span.end)}"
    facts = [f"{place.width} x {place.height}"] if place.width else []
    facts += [f"{place.bitrate / 1000:,.0f} kbit/s"] if place.bitrate else []
    facts += [human_size(place.size)] if place.size else []
    return f"{_name(place.video_id, names)}{away}{when}  {dim(place.video_id[:8])}  {', '.join(facts)}"


def _evidence(pair: Pair, names: dict[str, VideoSummary], group: Group) -> str:
    match = pair.match
    told = []
    for sense in match.kinds:
        seconds = match.picture_seconds if sense == "picture" else match.sound_seconds
        told.append(f"{sense} {min(seconds, match.here.duration):.1f} s")
    at = f"{format_time(match.here.start, 1)} there is {format_time(match.there.start, 1)}"
    who = "" if len(group.places) == 2 else f"{_name(pair.video_id, names)} in {_name(match.video_id, names)}: "
    how = match.how()
    return f"{who}{', '.join(told)}; {at}" + (f"; {how}" if how else "")


def _as_json(found: Duplicates, names: dict[str, VideoSummary]) -> dict[str, object]:
    groups = []
    for group in found.groups:
        places = [
            {
                **plain(place),
                "bitrate": place.bitrate,
                "name": names[place.video_id].name if place.video_id in names else "",
                "path": names[place.video_id].path if place.video_id in names else "",
            }
            for place in group.places
        ]
        pairs = [
            {"first": p.video_id, "second": p.match.video_id, "kinds": p.match.kinds, "offset": p.match.offset}
            | plain(p.match)
            for p in group.pairs
        ]
        groups.append({"kind": group.kind, "seconds": group.seconds, "places": places, "matches": pairs})
    return {"groups": groups, "videos": found.videos, "not_looked_at": found.not_looked_at, "deleted": 0}
