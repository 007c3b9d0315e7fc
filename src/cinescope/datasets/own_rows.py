"""Rows of one's own tables as examples: which column says what, and of which kind each label is. Knows no file format.

Columns are told, or known by their names: see ROLES, SPEECH, TEXTS and LABELS. What is none of these goes to `about`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from cinescope.datasets.example import Dataset, Example, Target, TargetKind, labels_of
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import number
from cinescope.types import BadQueryError, Span, parse_time

# What an example wants -> names of columns that say it, the first there is.
ROLES: dict[str, tuple[str, ...]] = {
    "key": ("key", "id"),
    "media": ("media", "path", "file", "filename", "video", "clip", "audio", "sound", "image", "picture"),
    "start": ("start", "start_time"),
    "end": ("end", "end_time"),
    "split": ("split", "part", "subset"),
    "group": ("group", "source", "video_id", "dialogue", "dialogue_id", "speaker"),
    "order": ("order",),
    "candidates": ("candidates", "choices", "options"),
}
SPEECH = ("speech", "text", "transcript", "utterance", "sentence", "words")  # the first there is becomes "speech"
TEXTS = ("question", "query", "title", "description")  # keep their names
LABELS = ("label", "labels", "class", "target", "emotion", "sentiment", "score", "rating", "category", "action",
          "answer", "caption", "captions", "spans", "moments")  # fmt: skip
BETWEEN = "|"  # several labels or texts in one value of a CSV
MOST_CLASSES = 50  # whole numbers of more different values than that are a score
_SAMPLE = 10_000  # rows: what kinds are guessed by


@dataclass(frozen=True, slots=True)
class Columns:
    """What a person says of the columns; empty is what their names say.

    `targets`: name -> kind ("class", "classes", "score", "spans", "choice", "text", or "" to guess).
    `texts`: role -> column. `roles`: role of ROLES -> column.
    """

    targets: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def told(
        cls,
        targets: Mapping[str, str] | Sequence[str] | None,
        texts: Mapping[str, str] | Sequence[str] | None,
        columns: Mapping[str, str] | None,
    ) -> Columns:
        if isinstance(targets, str) or isinstance(texts, str):
            raise BadQueryError("targets and texts are lists of columns", 'write ["emotion"] for one')
        kinds = dict(targets) if isinstance(targets, Mapping) else dict.fromkeys(targets or (), "")
        roles = dict(texts) if isinstance(texts, Mapping) else {t: t for t in texts or ()}
        for name, kind in kinds.items():
            if kind and kind not in get_args(TargetKind):
                raise BadQueryError(
                    f"'{kind}' is no kind of target ('{name}')", f"use {', '.join(get_args(TargetKind))}"
                )
        for role in columns or {}:
            if role not in ROLES:
                raise BadQueryError(f"'{role}' is no role of a column", f"use {', '.join(ROLES)}")
        return cls(kinds, roles, dict(columns or {}))


def read_rows(
    name: str,
    rows: Iterable[tuple[int, Mapping[str, Any]]],
    path: Path,
    told: Columns,
    *,
    media: Path | None = None,
    split: str | None = None,
) -> Dataset:
    """(line, row) -> examples. Paths are below `media`, or else below the folder of `path`."""
    table = list(rows)
    if not table:
        raise BadQueryError(f"'{path.name}' has no rows", "there should be at least one below the header")
    there = list(dict.fromkeys(column for _, row in table for column in row))
    roles, texts = _roles(there, told, path), _texts(there, told, path)
    used = {*roles.values(), *texts.values()}
    targets = _targets(there, told, path, used, [row for _, row in table])
    used |= set(targets)
    gathered = Gathering(name, (media or path.parent) if "media" in roles else None, split)
    for line, row in table:
        where = f"'{path.name}', line {line}"
        of = {role: _text(row.get(column)) for role, column in roles.items()}
        source = of.get("media", "")
        if "media" in roles and not source:
            raise BadQueryError(f"{where}: no {roles['media']}", "name its file, or leave the line out")
        example = Example(
            key=of.get("key") or f"{path.stem}:{line}",
            split=of.get("split", ""),
            span=_span(of, where),
            texts={role: _text(row.get(column)) for role, column in texts.items() if _text(row.get(column))},
            candidates=tuple(_many(row.get(roles["candidates"]))) if "candidates" in roles else (),
            targets=_values(row, targets, where),
            group=of.get("group") or (source if of.get("start") else ""),
            order=number(of["order"], where) if of.get("order") else _start(of, where) or 0.0,
            about={column: value for column, value in row.items() if column not in used},
        )
        gathered.add(example, [source] if source else ())
    labelled = {column: _target(column, kind, [row for _, row in table]) for column, kind in targets.items()}
    notes = [f"columns: {_said(roles, texts, targets)}"]
    if not targets:
        notes.append(f"no column is known as a label (of {', '.join(there)}): tell which with targets")
    return gathered.dataset(labelled, notes)


def _roles(there: Sequence[str], told: Columns, path: Path) -> dict[str, str]:
    spoken_for = {*told.targets, *told.texts.values(), *told.roles.values()}
    made = {}
    for role, names in ROLES.items():
        if role in told.roles:
            made[role] = _known(told.roles[role], there, path)
        elif column := next((c for n in names for c in there if c.lower() == n and c not in spoken_for), ""):
            made[role] = column
    return made


def _texts(there: Sequence[str], told: Columns, path: Path) -> dict[str, str]:
    if told.texts:
        return {role: _known(column, there, path) for role, column in told.texts.items()}
    free = [c for c in there if c not in told.targets and c not in told.roles.values()]
    made = {c.lower(): c for c in free if c.lower() in TEXTS}
    spoken = [c for n in SPEECH for c in free if c.lower() == n]
    return made | {("speech" if i == 0 else c.lower()): c for i, c in enumerate(spoken)}


def _targets(
    there: Sequence[str], told: Columns, path: Path, used: set[str], rows: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Column -> kind."""
    if told.targets:
        kinds = {_known(column, there, path): kind for column, kind in told.targets.items()}
    else:
        kinds = {c: "" for c in there if c not in used and (c.lower() in LABELS or c.lower().startswith("label"))}
    return {c: kind or guess([row[c] for row in rows[:_SAMPLE] if _text(row.get(c))], c) for c, kind in kinds.items()}


def _known(column: str, there: Sequence[str], path: Path) -> str:
    if column not in there:
        raise BadQueryError(f"'{path.name}' has no column '{column}'", f"it has {', '.join(there)}")
    return column


def guess(values: Sequence[Any], name: str) -> str:
    """The kind of a target by its values, and by its name where they leave it open."""
    if name.lower() in ("caption", "captions", "answer"):
        return "text"
    if any(isinstance(v, list | tuple) for v in values):
        pairs = all(isinstance(v, list | tuple) and all(isinstance(p, list | tuple) for p in v) for v in values)
        return "spans" if pairs else "classes"
    if any(BETWEEN in str(v) for v in values):
        return "classes"
    numbers = [n for v in values if (n := _number(v)) is not None]
    if values and len(numbers) == len(values):
        if name.lower() in ("score", "rating") or any(n != int(n) for n in numbers):
            return "score"
        return "score" if len(set(numbers)) > MOST_CLASSES else "class"
    return "class"


def _number(value: Any) -> float | None:
    try:
        made = float(value)
    except (TypeError, ValueError):
        return None
    return made if abs(made) < 1e300 else None  # neither inf nor nan


def _values(row: Mapping[str, Any], targets: Mapping[str, str], where: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for column, kind in targets.items():
        value = row.get(column)
        if not _text(value) and not (isinstance(value, list) and kind in ("classes", "spans")):
            continue  # not known
        match kind:
            case "score":
                made[column] = number(value, f"{where}, {column}")
            case "choice":
                made[column] = int(number(value, f"{where}, {column}"))
            case "classes" | "text":
                made[column] = tuple(_many(value))
            case "spans":
                made[column] = tuple(_pair(pair, f"{where}, {column}") for pair in _pairs(value, f"{where}, {column}"))
            case _:
                made[column] = _text(value)
    return made


def _target(column: str, kind: str, rows: Sequence[Mapping[str, Any]]) -> Target:
    if kind == "class":
        return Target("class", labels_of([t for row in rows if (t := _text(row.get(column)))]))
    if kind == "classes":
        return Target("classes", labels_of([label for row in rows for label in _many(row.get(column))]))
    return Target(kind)  # type: ignore[arg-type]


def _text(value: Any) -> str:
    """A value as a person wrote it; nothing for null and blanks."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _many(value: Any) -> list[str]:
    values = value if isinstance(value, list | tuple) else _text(value).split(BETWEEN)
    return [text for v in values if (text := _text(v))]


def _pairs(value: Any, where: str) -> list[Any]:
    """[[1, 2.5], [4, 6]] of JSON, or `1-2.5|4-6` of a CSV."""
    if isinstance(value, list):
        return value
    made = [part.split("-") for part in _text(value).split(BETWEEN)]
    if any(len(pair) != 2 for pair in made):
        raise BadQueryError(f"{where}: '{value}' is no list of stretches", "write 1-2.5|4-6, or [[1, 2.5], [4, 6]]")
    return made


def _pair(pair: Any, where: str) -> Span:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise BadQueryError(f"{where}: {pair} is no stretch", "write two times in seconds, [1, 2.5]")
    return _ordered(number(pair[0], where), number(pair[1], where), where)


def _start(of: Mapping[str, str], where: str) -> float | None:
    return _seconds(of["start"], where) if of.get("start") else None


def _span(of: Mapping[str, str], where: str) -> Span | None:
    start, end = of.get("start", ""), of.get("end", "")
    if not start and not end:
        return None
    if not end:
        raise BadQueryError(f"{where}: a start and no end", "give both, or neither for the whole file")
    return _ordered(_seconds(start, where) if start else 0.0, _seconds(end, where), where)


def _ordered(start: float, end: float, where: str) -> Span:
    if end < start:
        raise BadQueryError(f"{where}: it ends at {end:g} s, before it starts at {start:g} s", "swap the two")
    return Span(start, end)


def _seconds(text: str, where: str) -> float:
    try:
        return parse_time(text)
    except BadQueryError as error:
        raise BadQueryError(f"{where}: {error.what}", error.do) from error


def _said(roles: Mapping[str, str], texts: Mapping[str, str], targets: Mapping[str, str]) -> str:
    said = [f"{column} is the {role}" for role, column in roles.items() if column.lower() != role]
    said += [f"{column} is what is said" for role, column in texts.items() if role == "speech" and column != role]
    said += [f"{column} is a target ({kind})" for column, kind in targets.items()]
    return "; ".join(said) or "each by its name"
