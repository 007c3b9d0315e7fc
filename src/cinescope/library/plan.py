"""What is to be done on a video: which analysers, from where. Reads the ledger, writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cinescope.library.analysis import Assignment, Job
from cinescope.library.locations import Found
from cinescope.library.progress import Problem
from cinescope.library.rows import row_segment
from cinescope.library.store import Store, quoted
from cinescope.types import BadQueryError, CinescopeError, Segment, Source, SubtitleTrack, Video


@dataclass(frozen=True, slots=True)
class Chosen:
    """The analysers of a run, ready to be made."""

    settings: dict[str, dict[str, Any]]  # name -> constructor arguments
    sources: dict[str, Source]
    tracks: dict[str, tuple[str, ...]]  # name -> analysers whose segments it needs
    subtitles: frozenset[str]  # names of those that read subtitles
    missing: tuple[Problem, ...]  # those that cannot run here, and why


@dataclass(frozen=True, slots=True)
class Plan:
    found: Found
    video: Video
    assignment: Assignment
    sources: dict[str, Source]  # by key, of the jobs
    inputs: dict[str, str]  # source key -> hash of side files
    begun: float  # seconds of media from which this run starts
    superseded: tuple[str, ...]  # source keys whose rows go once their successor is complete
    restarted: tuple[str, ...]  # source keys whose rows are deleted before the run

    @property
    def remaining(self) -> float:
        return max(0.0, (self.video.duration or 0.0) - self.begun)


def choose_analysers(only: Sequence[str], skip: Sequence[str], settings: dict[str, dict[str, Any]]) -> Chosen:
    """Make one of each, to learn its source and needs; those that an asked-for one needs are added.

    An analyser that was named and cannot run raises; one that runs by default and cannot is in `missing`.
    """
    from cinescope.analysers import analyser_class, catalogue

    known = catalogue()
    for name in (*only, *skip, *settings):
        if name not in known:
            raise BadQueryError(f"there is no analyser '{name}'", f"the ones here are {', '.join(sorted(known))}")
    wanted = list(only) or [n for n in known if n in settings or _by_default(analyser_class(n))]
    made: dict[str, Any] = {}
    missing: list[Problem] = []
    while wanted:
        name = wanted.pop(0)
        if name in made or name in skip or any(p.path == name for p in missing):
            continue
        try:
            analyser = analyser_class(name)(**settings.get(name, {}))
            problem = analyser_class(name).available()
            if problem:
                raise CinescopeError(problem)
        except TypeError as error:
            raise BadQueryError(f"the analyser {name} does not take these settings ({error})") from error
        except CinescopeError as error:
            if name in only:
                raise
            missing.append(Problem(name, str(error)))
            continue
        made[name] = analyser
        wanted.extend(analyser.needs.tracks)
    usable = {n: a for n, a in made.items() if all(t in made for t in a.needs.tracks)}
    missing += [
        Problem(n, f"it needs {', '.join(t for t in a.needs.tracks if t not in made)}, which is left out")
        for n, a in made.items()
        if n not in usable
    ]
    return Chosen(
        {n: settings.get(n, {}) for n in usable},
        {n: a.source for n, a in usable.items()},
        {n: tuple(a.needs.tracks) for n, a in usable.items()},
        frozenset(n for n, a in usable.items() if a.needs.subtitles),
        tuple(missing),
    )


def _by_default(kind: Any) -> bool:
    """Whether an analyser runs unasked. One with `where_possible` is not missed where it cannot."""
    runs = getattr(kind, "by_default", True)
    return bool(runs and not (getattr(kind, "where_possible", False) and kind.available()))


def plan_video(store: Store, found: Found, video: Video, chosen: Chosen) -> Plan:
    ledger = {row["source"]: row for row in store.rows("ledger", filter=f"video_id = {quoted(video.id)}")}
    inputs: dict[str, str] = {}
    subtitles: tuple[SubtitleTrack, ...] = ()
    if chosen.subtitles:
        subtitles = read_subtitles(found.path)
        inputs = {chosen.sources[n].key: _hash(subtitles) for n in chosen.subtitles}

    standing: dict[str, dict[str, Any] | None] = {}  # name -> ledger row that can be gone on from, None: begin anew
    restarted: list[str] = []
    for name, source in chosen.sources.items():
        row = ledger.get(source.key)
        if row is not None and row["inputs"] != inputs.get(source.key, ""):
            restarted.append(source.key)
            row = None
        standing[name] = row
    _restart_together(chosen, standing, restarted)

    jobs, begun = [], []
    complete = {n for n, row in standing.items() if row is not None and row["complete"]}
    for name in chosen.sources:
        if name in complete:
            continue
        row, key = standing[name], chosen.sources[name].key
        jobs.append(
            Job(name, chosen.settings[name], key, row["done_until"] if row else None, row["state"] if row else b"")
        )
        begun.append(row["done_until"] if row else 0.0)
    keys = {s.key for s in chosen.sources.values()}
    superseded = [k for k, row in ledger.items() if row["analyser"] in chosen.sources and k not in keys]
    needed = {t for j in jobs for t in chosen.tracks[j.name] if t in complete}
    tracks = {t: _track(store, video.id, chosen.sources[t].key) for t in needed}
    return Plan(
        found,
        video,
        Assignment(found.path, video, subtitles, tuple(jobs), tracks),
        {s.key: s for s in chosen.sources.values()},
        inputs,
        min(begun, default=0.0),
        tuple(superseded),
        tuple(restarted),
    )


def _restart_together(chosen: Chosen, standing: dict[str, dict[str, Any] | None], restarted: list[str]) -> None:
    """What is half done cannot feed its track to one that begins anew, and one that is half done cannot go on with a
    track that is made anew: such begin together."""
    changed = True
    while changed:
        changed = False
        for name, tracks in chosen.tracks.items():
            row = standing[name]
            for track in tracks:
                above = standing[track]
                if row is None and above is not None and not above["complete"]:
                    standing[track] = None
                    restarted.append(chosen.sources[track].key)
                    changed = True
                if row is not None and above is None:
                    standing[name] = row = None
                    restarted.append(chosen.sources[name].key)
                    changed = True


def _track(store: Store, video_id: str, source_key: str) -> tuple[Segment, ...]:
    rows = store.rows("segments", filter=f"video_id = {quoted(video_id)} AND source = {quoted(source_key)}")
    return tuple(sorted((row_segment(r) for r in rows), key=lambda s: (s.span.start, s.span.end)))


def read_subtitles(path: str) -> tuple[SubtitleTrack, ...]:
    from cinescope import media

    return tuple(media.read_subtitles(path))


def _hash(subtitles: tuple[SubtitleTrack, ...]) -> str:
    """Changes when a subtitle file beside the video appears, goes or is edited."""
    if not subtitles:
        return ""
    text = json.dumps(
        [[t.origin, t.language, [[c.span.start, c.span.end, c.text, c.speaker] for c in t.cues]] for t in subtitles]
    )
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
