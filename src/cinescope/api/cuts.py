"""Shots and hits of a library as lists for editing programs: gathers what `library.edit_list` writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cinescope.library import edit_list as lists
from cinescope.types import BadQueryError, Moment, Timeline

if TYPE_CHECKING:
    from cinescope.api.library import Library
    from cinescope.library.catalog import VideoSummary


def edit_list(lib: Library, format: str, ref: str, moments: Sequence[str | Moment]) -> lists.Written:
    """The shots of the video `ref`, or else the moments in the order given.

    BadQueryError for another format or where nothing was named, LibraryError for a video that is not there.
    """
    wanted = format.lower().removeprefix(".")
    if wanted not in lists.FORMATS:
        raise BadQueryError(f"'{format}' is no list of cuts", f"choose one of {', '.join(lists.FORMATS)}")
    if ref:
        video = lib.video(ref)
        clips = lists.shots(_timeline(lib, video), video.name, video.path)
        return lists.write(wanted, video.title or video.name, clips)
    if not moments:
        raise BadQueryError("there is nothing to write", "name a video, or search first and take --hits")
    known: dict[str, Timeline] = {}
    clips = []
    for number, moment in enumerate(moments, 1):
        video, span = lib.moment(moment)
        if video.id not in known:
            known[video.id] = _timeline(lib, video)
        line = known[video.id]
        clips.append(lists.stretch(line, video.name, video.path, span, f"hit {number}"))
    return lists.write(wanted, "Hits", clips)


def _timeline(lib: Library, video: VideoSummary) -> Timeline:
    """With the container's timecode, also where the video was indexed before that was looked at."""
    from cinescope import media
    from cinescope.types import MediaError

    line = lib.timeline(video.id)
    if "timecode" in line.video.info or video.state != "here":
        return line
    try:
        timecode = media.probe(video.path).info.get("timecode", "")
    except MediaError:
        return line  # what was stored is all there is; its count from 0 is right for every file without timecode
    return replace(line, video=replace(line.video, info={**line.video.info, "timecode": timecode}))
