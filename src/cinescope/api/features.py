"""Features of one file by name: built with their settings, taken from the cache or computed, written as npz or Parquet.

Knows nothing of terminals. The cache is keyed as the library keys its rows: by the content of the file, and by the
extractor's name, version and settings; deleting it loses nothing but time.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.features import EXTRACTORS
from cinescope.types import (
    BadQueryError,
    FeatureExtractor,
    Features,
    FittedExtractor,
    MediaError,
    MissingPartError,
    Source,
    Span,
)

FORMATS = (".npz", ".parquet")
_LAYOUT = 1  # of a cached file; raised when what is in it changes
Tell = Callable[[float, float | None], object]  # seconds of media done, of how many


@dataclass(slots=True)
class FeatureSet:
    """What was made of a file. `cached`: the names that were not computed anew."""

    video: str  # the file's path
    content: str  # its content's hash, as the library's id
    span: Span
    features: dict[str, Features]
    cached: tuple[str, ...] = ()
    warnings: list[str] = field(default_factory=list)

    def sources(self) -> dict[str, dict[str, Any]]:
        """For each feature what made it, and its width: JSON values."""
        return {
            name: {
                "extractor": f.source.analyser, "version": f.source.version, "settings": f.source.settings,
                "modality": f.modality, "dim": int(f.values.shape[1]),
            }
            for name, f in self.features.items()
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """A feature of the catalogue as it is shown; `problem` says why it cannot be used here."""

    name: str
    modality: str
    summary: str
    problem: str = ""


def listed() -> list[Listed]:
    """Every feature of the catalogue. What it does is the first sentence of its class's description."""
    found = []
    for name in EXTRACTORS.names():
        try:
            part = EXTRACTORS.load(name)
        except MissingPartError as error:
            found.append(Listed(name, "", "", str(error)))
            continue
        text = " ".join((inspect.getdoc(part) or "").split("\n\n")[0].split())
        found.append(Listed(name, str(getattr(part, "modality", "")), text))
    return found


def build(
    names: Sequence[str], settings: Mapping[str, Mapping[str, Any]] | None = None, rate: float | None = None
) -> dict[str, FeatureExtractor]:
    """The extractors of these names. `rate`, pictures a second, goes to those that have such a setting.

    Raises BadQueryError for a setting that there is not, with the nearest there is, and what the extractors raise.
    """
    if not names:
        raise BadQueryError("no feature is named", "--with hog,mfcc; --list shows them all")
    given = {name: dict(values) for name, values in (settings or {}).items()}
    for name in given:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            raise BadQueryError(
                f"settings are given for '{name}', which is not asked for",
                f"did you mean {near[0]}?" if near else f"add it: --with {','.join([*names, name])}",
            )
    made: dict[str, FeatureExtractor] = {}
    for name in dict.fromkeys(names):
        known = [p for p in inspect.signature(EXTRACTORS.load(name)).parameters if p not in ("self", "args", "kwargs")]
        for setting in given.get(name, {}):
            if setting not in known:
                near = get_close_matches(setting, known, n=1)
                do = f"did you mean {near[0]}?" if near else f"it has {', '.join(known) or 'none'}"
                raise BadQueryError(f"'{name}' has no setting '{setting}'", do)
        own = {"rate": rate} if rate is not None and "rate" in known else {}
        extractor = EXTRACTORS.create(name, **(own | given.get(name, {})))
        if isinstance(extractor, FittedExtractor):
            extractor.state()  # one that has learnt nothing says so here, before anything is decoded
        made[name] = extractor
    return made


def features(
    path: str | os.PathLike[str],
    names: Sequence[str],
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    rate: float | None = None,
    start: float | None = None,
    end: float | None = None,
    cache: bool = True,
    tell: Tell = lambda done, total: None,
) -> FeatureSet:
    """The named features of a video, sound or picture file, from `start` to `end` seconds (default: all of it).

    `settings`: {"hog": {"cell": 16}}. `cache` False computes anew and keeps nothing. Raises MediaError where the file
    cannot be read, BadQueryError and MissingPartError in one sentence.
    """
    from cinescope import media
    from cinescope.features.clips import whole_span
    from cinescope.features.extraction import extract
    from cinescope.library.locations import content_id

    extractors = build(names, settings, rate)
    video = media.probe(path)
    whole = whole_span(os.fspath(path), video)
    begin, stop = whole.start if start is None else start, whole.end if end is None else end
    if stop <= begin and (start is not None or end is not None):
        raise BadQueryError(f"nothing lies between {begin:g} and {stop:g} s", "give an end after the start")
    span = Span(begin, stop)
    content = content_id(os.fspath(path))
    made = FeatureSet(os.path.abspath(os.fspath(path)), content, span, {})
    places = {n: _place(path, content, e, span) for n, e in extractors.items()} if cache else {}
    for name, place in places.items():
        kept = _kept(place, extractors[name], made.warnings) if place is not None else None
        if kept is not None:
            made.features[name] = kept
    made.cached = tuple(made.features)
    missing = {n: e for n, e in extractors.items() if n not in made.features}
    if missing:
        found = extract(os.fspath(path), missing, None if start is None and end is None else span, tell)
        made.warnings += found.warnings
        made.features |= found.features
        for name, place in places.items():
            if name in missing and place is not None:
                _keep(place, made.features[name], made.warnings)
    made.features = {name: made.features[name] for name in extractors}
    return made


def cache_folder() -> Path:
    """`~/.cache/cinescope/features`, or under `XDG_CACHE_HOME`."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "cinescope" / "features"


def _place(path: str | os.PathLike[str], content: str, extractor: FeatureExtractor, span: Span) -> Path | None:
    """Where these features are kept. None for what comes from beside the file and costs nothing: places and dates."""
    about: list[Any] = [_LAYOUT, extractor.source.key, span.start, span.end]
    if extractor.needs.subtitles:
        from cinescope import media

        said: list[str] = []
        tracks = media.read_subtitles(path, said.append)
        about.append([[c.span.start, c.span.end, c.text] for t in tracks for c in t.cues])
    elif extractor.needs.frames is None and extractor.needs.sound is None:
        return None
    key = hashlib.blake2b(json.dumps(about).encode(), digest_size=10).hexdigest()
    return cache_folder() / content / f"{extractor.name.replace(os.sep, '_')}-{key}.npz"


def _kept(place: Path, extractor: FeatureExtractor, warnings: list[str]) -> Features | None:
    if not place.exists():
        return None
    try:
        with np.load(place, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            if about["key"] != extractor.source.key:
                raise ValueError("it is of another extractor")
            source = Source(about["extractor"], about["version"], about["settings"])
            return Features(file["values"], file["times"], about["modality"], source)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        said = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        warnings.append(f"what was kept of '{extractor.name}' is damaged ({said}); it is computed again")
        return None


def _keep(place: Path, made: Features, warnings: list[str]) -> None:
    """Atomic, so that a kill or another process leaves the old file or the new one. A cache that cannot be written is
    no reason to lose the result."""
    from cinescope.media.writing import whole_file

    about = {
        "key": made.source.key, "extractor": made.source.analyser, "version": made.source.version,
        "settings": made.source.settings, "modality": made.modality,
    }  # fmt: skip
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(place) as part, open(part, "wb") as file:
            np.savez(file, values=made.values, times=made.times, about=np.array(json.dumps(about)))
    except (OSError, MediaError) as error:
        warnings.append(f"'{made.source.analyser}' could not be kept for the next time ({error})")


def check_out(out: Path, video: str | os.PathLike[str], force: bool = False) -> None:
    """BadQueryError where the features cannot be written to that name: said before an hour of work."""
    if out.suffix.lower() not in FORMATS:
        raise BadQueryError(f"'{out.suffix or out.name}' is no format for features", f"use {' or '.join(FORMATS)}")
    if out.exists() and os.path.exists(video) and os.path.samefile(out, video):
        raise BadQueryError(f"'{out}' would overwrite the file it is made from", "choose another name")
    if out.exists() and not force:
        raise BadQueryError(f"'{out}' is there already", "choose another name, or add --force")
    if not out.parent.is_dir():
        raise BadQueryError(f"there is no folder '{out.parent}'", "make it first")


def write(made: FeatureSet, out: str | os.PathLike[str]) -> Path:
    """Whole or not at all.

    npz: `NAME.values` (T, D) float32 and `NAME.times` (T, 2) seconds of each feature, and `about`, a text of JSON: the
    file, its hash, the span, and the source of each feature. Parquet: one row a step with the columns name, start, end
    and values, and the same JSON in the schema's metadata under `cinescope`.
    """
    from cinescope.media.writing import whole_file

    target = Path(os.fspath(out))
    span = [made.span.start, made.span.end]
    about = json.dumps({"video": made.video, "content": made.content, "span": span, "sources": made.sources()})
    with whole_file(target) as part:
        if target.suffix.lower() == ".npz":
            arrays: dict[str, Any] = {"about": np.array(about)}
            for name, found in made.features.items():
                arrays |= {f"{name}.values": found.values, f"{name}.times": found.times}
            with open(part, "wb") as file:
                np.savez(file, **arrays)
        else:
            _write_parquet(made, about, part)
    return target


def _write_parquet(made: FeatureSet, about: str, part: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"name": pa.string(), "start": pa.float64(), "end": pa.float64(), "values": pa.list_(pa.float32())}
    schema = pa.schema(list(columns.items()), metadata={"cinescope": about})
    with pq.ParquetWriter(part, schema) as writer:
        for name, found in made.features.items():
            width = found.values.shape[1]
            for at in range(0, len(found), 100_000):
                values = found.values[at : at + 100_000]
                offsets = np.arange(len(values) + 1, dtype=np.int32) * width
                writer.write_table(
                    pa.table(
                        [
                            pa.array([name] * len(values), pa.string()),
                            pa.array(found.times[at : at + 100_000, 0]),
                            pa.array(found.times[at : at + 100_000, 1]),
                            pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(values).ravel())),
                        ],
                        schema=schema,
                    )
                )
