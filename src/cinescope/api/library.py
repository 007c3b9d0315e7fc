"""The library that people hold. Delegates: every method is a call of one function below, and says which errors come."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cinescope.api.places import default_library
from cinescope.library.store import Store
from cinescope.types import BadQueryError, LibraryError, Moment, Note, SearchResult, Span, Timeline

if TYPE_CHECKING:
    from cinescope.api.wall import Wall
    from cinescope.library.catalog import VideoSummary
    from cinescope.library.duplicates import Duplicates
    from cinescope.library.edit_list import Written
    from cinescope.library.likeness import Likeness
    from cinescope.library.notes import NoteKind
    from cinescope.library.progress import Cancel, IndexReport, Progress
    from cinescope.library.upkeep import RemoveReport
    from cinescope.library.watch import Noticed
    from cinescope.types import Location

AnyPath = str | os.PathLike[str]
# Seconds that a moment given by one time lasts: long enough to hear a sentence.
INSTANT_SECONDS = 10.0
# Times are shown cut to the second, so a correction "at 0:02" means what stands anywhere in that second.
_INSTANT_TOUCHES = 1.0


def open(place: AnyPath | None = None) -> Library:
    """The library in a folder, or at a Lance URI; without an argument the user's own.

    Nothing is written before the first `index`; the folder need not exist until then. LibraryError for a library
    that this version cannot read.
    """
    library = Library(place)
    if library.exists:
        _ = library.store
    return library


def restore(archive: AnyPath, place: AnyPath | None = None) -> Library:
    """Unpack what `Library.backup` wrote into a folder that holds no library yet."""
    from cinescope.library import upkeep

    where = os.fspath(place) if place is not None else default_library()
    upkeep.restore(archive, where)
    return open(where)


def upgrade(place: AnyPath | None = None) -> tuple[int, int]:
    """Bring a library of an older version to this one's, in place; its version before and after."""
    from cinescope.library import upkeep

    return upkeep.upgrade(os.fspath(place) if place is not None else default_library())


class Library:
    """Many videos, one clock: index, search, and what people write.

    A video is named as people name it: by its id (four digits or more), path, file name, title, or a part of
    these; a moment by its address, `3fa9c21b@62.5-70`. LibraryError where a name fits no video or several.
    """

    def __init__(self, place: AnyPath | None = None) -> None:
        self.place = os.fspath(place) if place is not None else default_library()
        self._store: Store | None = None

    def __repr__(self) -> str:
        return f"cinescope.open({self.place!r})"

    @property
    def exists(self) -> bool:
        return self._store is not None or Store(self.place).schema_version() is not None

    @property
    def store(self) -> Store:
        """The tables, as others last left them. LibraryError where there is no library."""
        if self._store is None:
            self._store = Store.open(self.place)
        else:
            self._store.refresh()
        return self._store

    def ensure(self) -> Store:
        """The tables; an empty library is made where there is none."""
        if not self.exists:
            self._store = Store.create(self.place)
        return self.store

    # --- reading videos

    def index(
        self,
        *paths: AnyPath,
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
        jobs: int = 1,
        settings: dict[str, dict[str, Any]] | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancel: Cancel | None = None,
        wait: float = 0.0,
    ) -> IndexReport:
        """Read files and folders; what is known already and unchanged costs a look at the file's date.

        Without paths: go on with everything known. `only` and `skip` name analysers, `settings` maps an analyser
        to its settings. `wait`: seconds to wait for another writer, then LibraryBusyError. A file that cannot be
        read is a line in the report, never an exception.
        """
        from cinescope.library import catalog, ingest

        store = self.ensure()
        return ingest.index(
            store,
            [os.fspath(p) for p in paths] or catalog.roots(store),
            only=tuple(only),
            skip=tuple(skip),
            jobs=jobs,
            settings=settings,
            progress=progress,
            cancel=cancel,
            wait=wait,
        )

    def watch(
        self,
        *paths: AnyPath,
        tell: Callable[[Noticed], None] = lambda _: None,
        every: float = 60.0,
        settle: float = 3.0,
        cancel: Cancel | None = None,
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
        jobs: int = 1,
        settings: dict[str, dict[str, Any]] | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Index, and go on indexing what is new, changed or moved in the folders, until `cancel` is set.

        A file is read once it has not changed for `settle` seconds; `every` seconds all folders are looked at even
        where the system told of no change. The library is written to only while something is read. Without paths:
        all that was indexed before. A file that cannot be read is told and tried again when it has changed.
        """
        from cinescope.api import watching

        watching.watch(self, [os.fspath(p) for p in paths], tell, every, settle, cancel, {
            "only": tuple(only), "skip": tuple(skip), "jobs": jobs, "settings": settings, "progress": progress,
        })  # fmt: skip

    def remove(self, *refs: str, wait: float = 0.0) -> RemoveReport:
        """Take videos out for good: afterwards not a byte of their words, pictures or vectors is in the folder.

        The files themselves are never touched.
        """
        from cinescope.library import upkeep

        return upkeep.remove(self.store, [self.video(r).id for r in refs], wait=wait)

    # --- finding

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        videos: Sequence[str] = (),
        folder: AnyPath = "",
        collection: str = "",
        tag: str = "",
        date: str = "",
        kinds: Sequence[str] = (),
        before: str = "",
        after: str = "",
        language: str = "",
        length: str | Sequence[str] = "",
        camera: str | Sequence[str] = "",
        faces: str | int | Sequence[str] = "",
        loudness: str | Sequence[str] = "",
        sound: str | Sequence[str] = "",
        brightness: str | Sequence[str] = "",
        colour: str | Sequence[str] = "",
        sharpness: str | Sequence[str] = "",
        quality: str | Sequence[str] = "",
        meaning: Literal["auto", "yes", "no"] = "auto",
    ) -> SearchResult:
        """Moments in which the words are said or shown, best first.

        `"in quotes"` is a phrase, `-word` leaves out; filters may also be written into the query (`in:screen
        tag:beach`). `kinds`: "speech", "screen", "title", "note" ... `before` and `after` are a date or a time in the
        video. A query of filters alone lists by time. BadQueryError for one that asks for nothing. What matches
        nothing is a result without moments, with a `note` and near `spellings`.

        `length` is the video's ("<5m", "10m-1h"). `camera` ("pan", "zoom in" ...), `faces` (2, "2+"), `loudness`
        ("<-30"), `sound` ("music"), `brightness` ("dark"), `colour` ("red"), `sharpness` and `quality` ("good",
        "black") keep what overlaps a stretch like that; several values of one mean either of them. Without words
        these stretches are the moments.

        Where videos were indexed by meaning, passages that say the same in other words are found too (`meaning`: "no"
        leaves them out, "auto" only where words are in quotes); `absent` then says that it seems not to be there. Where
        they were indexed with a picture model, so are the pictures nearest to it (`kinds=["picture"]`: only these).
        """
        from cinescope.library import search

        return search.search(
            self.store,
            query,
            limit=limit,
            videos=tuple(videos),
            folder=folder,
            collection=collection,
            tag=tag,
            date=date,
            kinds=tuple(kinds),
            before=before,
            after=after,
            language=language,
            length=length,
            camera=camera,
            faces=faces,
            loudness=loudness,
            sound=sound,
            brightness=brightness,
            colour=colour,
            sharpness=sharpness,
            quality=quality,
            meaning=meaning,
        )

    def like(self, example: AnyPath, query: str = "", *, limit: int = 10, **filters: str | Sequence[str]) -> Likeness:
        """Moments like an example: the same material first, however it was changed, then what looks or sounds alike.

        `example`: a picture, film or sound file; or a video or moment of this library (`talk.mp4@1:02-1:10`).
        `query` and `filters` narrow it as in `search` (`tag="beach"`, `kinds="picture"`); words mean nothing here.
        `same[i]` tells how moment i is the same, None where it is only alike. MediaError for what is no picture, film
        or sound, BadQueryError for what is too plain, silent or short, LibraryError for a library without prints.
        """
        from cinescope.api import examples

        return examples.like(self, example, query, limit, filters)

    def duplicates(self, *refs: str, min_seconds: float = 2.0) -> Duplicates:
        """What is there more than once: copies, parts, shared stretches, repeats within one video. Deletes nothing.

        With `refs` only among these videos. Found from the stored prints; no file is opened. LibraryError where
        nothing was indexed with prints.
        """
        from cinescope.library import duplicates

        chosen = [self.video(r).id for r in refs] if refs else None
        return duplicates.duplicates(self.store, min_seconds, chosen)

    def videos(self, ids: Iterable[str] | None = None) -> list[VideoSummary]:
        """Every video, or those with the given whole ids, by file name."""
        from cinescope.library import catalog

        return catalog.videos(self.store, ids)

    def video(self, ref: str) -> VideoSummary:
        from cinescope.library import catalog

        return catalog.find(self.store, ref)

    def moment(self, address: str | Moment) -> tuple[VideoSummary, Span]:
        """The video and the span of an address. `talk.mp4@1:02` alone means the ten seconds from there."""
        from cinescope.library import catalog

        if isinstance(address, Moment):
            return self.video(address.video_id), address.span
        parsed = catalog.parse_address(address)
        if parsed is None:
            raise BadQueryError(f"'{address}' is not a moment", "write VIDEO@TIME or VIDEO@START-END")
        ref, span = parsed
        video = self.video(ref)
        if video.duration is not None and span.start >= video.duration:
            raise BadQueryError(f"'{address}' lies behind the end of {video.name} ({video.duration:.1f} s)")
        if span.start == span.end:
            span = Span(span.start, span.start + INSTANT_SECONDS)
        if video.duration is not None:
            span = Span(span.start, min(span.end, video.duration))
        return video, span

    def timeline(self, ref: str) -> Timeline:
        """Everything that is known of one video, track by track."""
        from cinescope.library import catalog

        return catalog.timeline(self.store, self.video(ref).id)

    def thumbnail(self, ref: str, time: float = 0.0) -> bytes | None:
        """JPEG of the key frame shown at a time; None where the video has none."""
        from cinescope.library import catalog

        return catalog.thumbnail(self.store, self.video(ref).id, time)

    def places(self, ref: str) -> list[Location]:
        """Everywhere the video's bytes were seen."""
        from cinescope.library import catalog

        return catalog.places(self.store, self.video(ref).id)

    # --- taking out

    def export(self, ref: str, format: str) -> str:
        """One video as "srt", "vtt", "json", "csv", "chapters" (for YouTube), "edl", "otio" (for editors)."""
        from cinescope.library import edit_list, export

        if format.lower().removeprefix(".") in edit_list.FORMATS:
            return self.edit_list(format, ref).text
        return export.export(self.timeline(ref), format)

    def edit_list(self, format: str, ref: str = "", moments: Sequence[str | Moment] = ()) -> Written:
        """The shots of one video, or moments one after the other, as "edl" or "otio" for editing programs.

        The text of the file, and remarks about rates that are not a file's own.
        """
        from cinescope.api import cuts

        return cuts.edit_list(self, format, ref, moments)

    def wall(self, ref: str, out: AnyPath, width: int = 1600) -> Wall:
        """One picture (.png or .jpg) of the whole video: pictures, colours, loudness, words by time."""
        from cinescope.api import wall

        return wall.wall(self, ref, out, width)

    def clip(self, address: str | Moment, out: AnyPath, pad: float = 0.0) -> Span:
        """Cut a moment into a file of its own, `pad` seconds longer at both ends; the span that was cut."""
        from cinescope.media import cut

        video, span = self.moment(address)
        path = self.file(video)
        span = Span(max(0.0, span.start - pad), min(span.end + pad, video.duration or float("inf")))
        return cut(path, span, out)

    def file(self, video: VideoSummary) -> Path:
        """Where the video's file is. LibraryError when it is offline or gone."""
        if video.state == "here":
            return Path(video.path)
        if video.state == "offline":
            raise LibraryError(f"{video.name} is offline (last seen at {video.path})", "plug its drive in")
        raise LibraryError(
            f"{video.name} is gone (last seen at {video.path})", "index the folder to which it was moved"
        )

    # --- what people write

    def tag(self, ref: str, *tags: str) -> list[Note]:
        from cinescope.library import notes

        video = self.video(ref).id
        return [notes.add(self.store, "tag", video, tag) for tag in tags]

    def untag(self, ref: str, *tags: str) -> int:
        """Take tags off; how many were there."""
        folded = {t.casefold() for t in tags}
        return self._drop([n for n in self.notes(ref, "tag") if n.text.casefold() in folded])

    def note(self, where: str, text: str, author: str = "") -> Note:
        """A note on a video (`talk.mp4`) or on a moment (`talk.mp4@1:02`)."""
        from cinescope.library import notes

        ref, span = self._where(where)
        return notes.add(self.store, "note", self.video(ref).id, text, span=span, author=author)

    def _where(self, where: str) -> tuple[str, Span | None]:
        """A video, or an address: the video and the span that is meant."""
        from cinescope.library import catalog

        return catalog.parse_address(where) or (where, None)

    def notes(self, ref: str | None = None, kind: NoteKind | None = None) -> list[Note]:
        from cinescope.library import notes

        return notes.listed(self.store, self.video(ref).id if ref is not None else None, kind)

    def remove_note(self, note_id: str) -> Note:
        """Take back what was written, by its id or the beginning of it; what it was."""
        from cinescope.library import notes

        ids = [n.id for n in self.notes() if n.id.startswith(note_id)] if note_id else []
        if len(ids) > 1:
            raise BadQueryError(f"'{note_id}' may mean {len(ids)} notes", "write more of its id")
        return notes.remove(self.store, ids[0] if ids else note_id)

    def correct(self, where: str, old: str, new: str) -> int:
        """Put `new` where the machine understood `old`; how many segments changed. Survives re-indexing.

        In a whole video (`talk.mp4`), or only in the segments at a moment (`talk.mp4@1:02`). BadQueryError when the
        old words are not there.
        """
        from cinescope.library import notes

        ref, span = self._where(where)
        if span is not None and span.start == span.end:
            span = Span(span.start, span.start + _INSTANT_TOUCHES)
        return notes.correct(self.store, self.video(ref).id, old, new, at=span)

    def name(self, ref: str, who: str, name: str) -> Note:
        """Say who a speaker or person (`who`, as `show` prints it) is."""
        from cinescope.library import notes

        return notes.name(self.store, self.video(ref).id, who, name)

    def collect(self, collection: str, *refs: str) -> int:
        """Put videos into a collection; how many are new in it."""
        from cinescope.library import notes

        added = 0
        for video in [self.video(r).id for r in refs]:
            if not any(n.text == collection for n in notes.listed(self.store, video, "collection")):
                notes.add(self.store, "collection", video, collection)
                added += 1
        return added

    def uncollect(self, collection: str, *refs: str) -> int:
        """Take videos out of a collection, all of them when none is named; how many were in it."""
        wanted = {self.video(r).id for r in refs}
        held = [n for n in self.notes(None, "collection") if n.text == collection]
        return self._drop([n for n in held if not wanted or n.video_id in wanted])

    def collections(self) -> dict[str, list[VideoSummary]]:
        found: dict[str, list[VideoSummary]] = {}
        for video in self.videos():
            for name in video.collections:
                found.setdefault(name, []).append(video)
        return dict(sorted(found.items()))

    def _drop(self, found: Iterable[Note]) -> int:
        from cinescope.library import notes

        ids = [n.id for n in found]
        for note_id in ids:
            notes.remove(self.store, note_id)
        return len(ids)

    # --- upkeep

    def verify(self) -> list[str]:
        """What is wrong with the library's own files, one sentence each; nothing when all is well."""
        from cinescope.library import upkeep

        return upkeep.verify(self.store)

    def backup(self, out: AnyPath, wait: float = 0.0) -> int:
        """One .tar file with everything but the videos themselves; its bytes."""
        from cinescope.library import upkeep

        return upkeep.backup(self.store, out, wait=wait)

    def compact(self, wait: float = 0.0) -> int:
        """Few large files instead of many small ones, fresh word indexes, nothing of what was deleted; bytes freed."""
        from cinescope.library import upkeep

        return upkeep.compact(self.store, wait=wait)

    def size(self) -> int:
        """Bytes on disk; 0 on object storage."""
        from cinescope.library import upkeep

        return upkeep.folder_size(self.store)
