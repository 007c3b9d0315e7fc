"""The demo, step by step: render films, index them, search them, write a page. Prints nothing itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cinescope.types import LibraryError, SearchResult

if TYPE_CHECKING:
    from cinescope.api.library import Library
    from cinescope.library.progress import Cancel, IndexReport, Progress

# What a person might type -> what it shows.
QUERIES: dict[str, str] = {
    "red car": "said by a narrator, from subtitles beside the file",
    "storm warning": "written on the screen, found by reading the picture",
    "dangerous current": "said in a talk without subtitles: recognised on this machine",
    '"last boat"': "a phrase, in exactly these words",
    "harbour -storm": "said or written, but not where there is a storm",
    "灯塔": "Chinese subtitles",
    "lighthose": "nothing, but near spellings: a typing error",
}
# More for a machine with a text encoder: what was said or written there had other words.
MEANING: dict[str, str] = {
    "ships should stay in port": "by meaning: said in other words",
    "nobody inhabits the building any more": "by meaning: written in other words",
}
# Film and second of which a mirrored and cropped picture is looked for again, and what that shows.
_EXAMPLE = ("lighthouse.mp4", 14.0)
_LIKE = "by a picture: cropped, mirrored, and found again"
_NEEDS_VOICE = ("dangerous current",)


@dataclass(frozen=True, slots=True)
class Rendered:
    folder: Path
    library: Library
    films: tuple[Path, ...]
    left_out: tuple[str, ...] = field(default=())  # what this machine has no program for, one sentence each


def render_demo(folder: Path, again: bool = False, tell: Callable[[str], None] = lambda line: None) -> Rendered:
    """Draw the films into `folder/videos`, those that are there already excepted; tells what it does line by line.

    LibraryError when the folder holds something else.
    """
    from cinescope.api.demo_films import films, render
    from cinescope.api.demo_sounds import CHINESE, NARRATOR, SPEAKER, installed
    from cinescope.api.library import Library

    videos = folder / "videos"
    if folder.exists() and not videos.is_dir() and any(folder.iterdir()):
        raise LibraryError(f"{folder} holds other things", "name an empty folder: cinescope demo FOLDER")
    if again:
        shutil.rmtree(folder / "library", ignore_errors=True)
        shutil.rmtree(videos, ignore_errors=True)
    videos.mkdir(parents=True, exist_ok=True)
    left_out = []
    if not (installed(NARRATOR) and installed(CHINESE)):
        left_out.append("the narrators' voices (espeak-ng is not installed; their words are there as subtitles)")
    if not installed(SPEAKER):
        left_out.append("the recognised talk (flite is not installed, so nobody speaks in it)")
    made = []
    for film in films():
        out = videos / f"{film.name}.mp4"
        if not out.exists():
            tell(f"drawing {out.name}")
            render(film, videos)
        made.append(out)
    return Rendered(folder, Library(folder / "library"), tuple(made), tuple(left_out))


def index_demo(
    rendered: Rendered, progress: Callable[[Progress], None] | None = None, cancel: Cancel | None = None
) -> IndexReport:
    """Index the films, and write what a person would: a tag, a note, a collection."""
    library = rendered.library
    report = library.index(rendered.folder / "videos", progress=progress, cancel=cancel)
    if not report.cancelled and not library.notes():
        library.tag("lighthouse.mp4", "silent film")
        library.note("tides-talk.mp4@0:05", "show this part to the children")
        library.collect("by the sea", "lighthouse.mp4", "harbour-morning.mp4", "drive-to-the-coast.mp4")
    return report


def search_demo(rendered: Rendered) -> dict[str, SearchResult]:
    """Every query of the demo that this machine can answer."""
    from cinescope.features.models import encoders

    without_talk = any("talk" in line for line in rendered.left_out)
    asked = [q for q in QUERIES if not (without_talk and q in _NEEDS_VOICE)]
    # By words alone where words are meant, so that every machine shows the same.
    found = {query: rendered.library.search(query, limit=5, meaning="no") for query in asked}
    if encoders():
        found |= {query: rendered.library.search(query, limit=1, meaning="yes") for query in MEANING}
    if example := _example(rendered):
        found[f"--like {example}"] = rendered.library.like(example, limit=1).result
    return found


def why(query: str) -> str:
    """What a query of the demo is meant to show."""
    return _LIKE if query.startswith("--like ") else QUERIES.get(query) or MEANING[query]


def _example(rendered: Rendered) -> Path | None:
    """A picture of a film as somebody might have kept it: a part of it, mirrored. None without that film."""
    import numpy as np

    from cinescope import media

    name, time = _EXAMPLE
    film = next((f for f in rendered.films if f.name == name), None)
    if film is None:
        return None
    with media.VideoReader(film) as reader:
        picture = reader.at([time]).data[0]
    high, wide = picture.shape[:2]
    part = picture[high // 12 : -(high // 12), wide // 10 : -(wide // 10)][:, ::-1]
    out = rendered.folder / "example.jpg"
    media.save_picture(np.ascontiguousarray(part), out, 70)
    return out


def _shown_example(query: str) -> bytes | None:
    """The JPEG that a query gives as its example."""
    return Path(query.removeprefix("--like ")).read_bytes() if query.startswith("--like ") else None


def _draw_walls(rendered: Rendered, ids: list[str]) -> dict[str, str]:
    """Video id -> address of its picture, from the page."""
    folder = rendered.folder / "walls"
    folder.mkdir(exist_ok=True)
    for video_id in ids:
        rendered.library.wall(video_id, folder / f"{video_id[:8]}.png")
    return {video_id: f"walls/{video_id[:8]}.png" for video_id in ids}


def write_page(rendered: Rendered, found: dict[str, SearchResult]) -> Path:
    """One HTML file with the searches and the timelines; links lead to the second in the films beside it."""
    from cinescope.api import page

    library = rendered.library
    videos = library.videos()
    by_id = {v.id: v for v in videos}
    link = page.relative_to(rendered.folder.absolute())
    timelines = {v.id: library.timeline(v.id) for v in videos}
    counted = {
        kind: sum(len(t.segments) for line in timelines.values() for t in line.tracks if t.kind == kind)
        for kind in ("shot", "speech", "screen")
    }
    seconds = sum(v.duration or 0.0 for v in videos)
    facts = [
        (str(len(videos)), "videos"),
        (f"{seconds / 60:.1f}", "minutes"),
        (str(counted["shot"]), "shots"),
        (str(counted["speech"]), "sentences"),
        (str(counted["screen"]), "texts on the screen"),
    ]
    listed = "".join(f"<div><b>{n}</b><span>{what}</span></div>" for n, what in facts)
    searches = "".join(
        page.search_section(page.Section(query, why(query), result, _shown_example(query)), by_id, library, link)
        for query, result in found.items()
    )
    walls = _draw_walls(rendered, [v.id for v in videos])
    lines = "".join(page.timeline_section(v, timelines[v.id], library, link, walls[v.id]) for v in videos)
    out = "".join(f"<p>Left out here: {page.escape(line)}.</p>" for line in rendered.left_out)
    body = (
        '<div class="top"><div><h1>From a few words to the second</h1><p>A small library that Cinescope drew, spoke, '
        "indexed and searched on this machine. Click on a moment to play it from there.</p>"
        f'<div class="facts">{listed}</div></div></div><main><h2>Searches</h2>{searches}<h2>The videos</h2>{lines}'
        f"<footer>{out}<p>Made by <code>cinescope demo</code>. Your own videos: <code>cinescope index FOLDER</code>, "
        "then <code>cinescope search WORDS</code>.</p></footer></main>"
    )
    target = rendered.folder / "index.html"
    target.write_text(page.document("Cinescope demo", body), encoding="utf-8")
    return target
