"""Which recipe suits a folder: by what its files hold and how many there are. Opens headers only; trains nothing.

The choices and their reasons stand in one place, so that a person can read them and disagree.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cinescope import media
from cinescope.datasets.example import Dataset, Example, Missing
from cinescope.features import models as shelf
from cinescope.types import BadQueryError, CinescopeError, Video

SMALL = 500  # rows: below, summary statistics and one layer; above, networks that see the frames
_ENOUGH = 0.5  # share of rows that must have a kind of input for it to be used
_STEPS = 300  # optimiser steps of a training
TEXTS = ("speech", "transcript", "caption", "title", "description")


@dataclass(frozen=True, slots=True)
class Found:
    """What the rows hold, by their headers."""

    dataset: Dataset  # without what cannot be read and what has no label
    target: str
    rows: int
    pictures: int  # rows that show something
    stills: int  # of these, those that are one picture
    sounds: int
    texts: Mapping[str, int]  # role -> rows that have it
    seconds: float  # the median length of rows; nan where they have none
    broken: tuple[Missing, ...] = ()  # listed, and left out
    unlabelled: int = 0
    headers: Mapping[Path, str] = field(default_factory=dict)  # file -> its title and when it was recorded, or ""


@dataclass(slots=True)
class Chosen:
    """A recipe as a plain dict, and why it is as it is, a sentence each."""

    recipe: dict[str, Any]
    why: list[str] = field(default_factory=list)


def look(dataset: Dataset, target: str = "", tell: Callable[[int, int], object] | None = None) -> Found:
    """Open the header of each file once. BadQueryError where there is nothing to learn: no label, one class, a class
    with one row, nothing to see, hear or read."""
    target = _target(dataset, target)
    labelled = [e for e in dataset.examples if e.targets.get(target) is not None]
    streams: dict[Path, tuple[bool, bool, bool, float]] = {}
    headers: dict[Path, str] = {}
    broken: list[Missing] = []
    kept: list[Example] = []
    lengths: list[float] = []
    pictures = stills = sounds = 0
    for done, example in enumerate(labelled):
        if example.media is not None:
            try:
                if example.media not in streams:
                    video = media.probe(example.media)
                    streams[example.media] = _streams(video)
                    headers[example.media] = " ".join(p for p in (video.title, video.recorded) if p)
            except CinescopeError as error:
                broken.append(Missing(example.key, str(example.media), error.what))
                continue
            shows, still, sounding, length = streams[example.media]
            pictures, stills, sounds = pictures + shows, stills + still, sounds + sounding
            lengths.append(example.span.duration if example.span is not None else length)
        elif example.clip is not None:
            clip = example.clip()
            shows = clip.frames is not None and len(clip.frames) > 0
            one = shows and clip.frames is not None and len(clip.frames) == 1
            pictures, stills, sounds = pictures + shows, stills + one, sounds + (clip.waveform is not None)
            lengths.append(clip.span.duration)
        kept.append(example)
        if tell is not None:
            tell(done + 1, len(labelled))
    texts = Counter(role for e in kept for role, text in e.texts.items() if text.strip())
    found = Found(
        replace(dataset, examples=tuple(kept), missing=(*dataset.missing, *broken)), target, len(kept), pictures,
        stills, sounds, texts, sorted(lengths)[len(lengths) // 2] if lengths else math.nan, tuple(broken),
        len(dataset.examples) - len(labelled), headers,
    )  # fmt: skip
    _check(found, dataset)
    return found


def _streams(video: Video) -> tuple[bool, bool, bool, float]:
    """(shows something, one picture, sounds, seconds)."""
    shown = video.first("video")
    still = shown is not None and bool(shown.still)
    sounding = video.first("audio") is not None
    # The cover of a sound file is nothing to see.
    shows = shown is not None and not (still and sounding)
    return shows, still and shows, sounding, float(video.duration or 0.0)


def _target(dataset: Dataset, wanted: str) -> str:
    able = [n for n, t in dataset.targets.items() if t.kind in ("class", "score")]
    if wanted:
        if wanted not in able:
            raise BadQueryError(
                f"'{dataset.name}' has no class or score '{wanted}'", f"it has {', '.join(able) or 'none'}"
            )
        return wanted
    if not able:
        kinds = ", ".join(f"{n} ({t.kind})" for n, t in dataset.targets.items())
        raise BadQueryError(
            f"'{dataset.name}' has no label that fit can learn{f': it has {kinds}' if kinds else ''}",
            "give a folder of class folders, or a table with a column label; other tasks need a recipe",
        )
    return next((n for n in able if dataset.targets[n].kind == "class"), able[0])


def _check(found: Found, dataset: Dataset) -> None:
    if not found.rows:
        if found.broken:
            raise BadQueryError(
                f"none of the {len(found.broken):,} files can be read: {found.broken[0].why}",
                "are these videos, sounds or pictures, and whole?",
            )
        raise BadQueryError(f"no row of '{dataset.name}' has the label '{found.target}'", "add labels")
    if not (found.pictures or found.sounds or found.texts):
        raise BadQueryError(
            f"'{dataset.name}' holds nothing to see, hear or read", "say where its media lie with --media"
        )
    if dataset.targets[found.target].kind != "class":
        if found.rows < 4:
            raise BadQueryError(f"{found.rows} rows are too few to learn a number from", "add rows; 50 are a beginning")
        return
    counts = Counter(str(e.targets[found.target]) for e in found.dataset.examples)
    if len(counts) < 2:
        raise BadQueryError(
            f"all {found.rows:,} rows are '{next(iter(counts))}': there is nothing to tell apart",
            "add a folder of clips of another class",
        )
    alone = sorted(label for label, rows in counts.items() if rows < 2)
    if alone:
        others = len(alone) - 1
        also = f" (so {'has 1 other' if others == 1 else f'have {others} others'})" if others else ""
        raise BadQueryError(
            f"the class '{alone[0]}' has a single clip{also}: it cannot be both learnt and tested",
            "add clips of it, or take its folder away",
        )


def choose(found: Found, name: str, reader: str, folder: Path, settings: Mapping[str, Any], media: Path | None,
           folds: int | None, seed: int) -> Chosen:  # fmt: skip
    """The recipe for what was found."""
    made = Chosen({})
    inputs = _inputs(found, made.why)
    kind = found.dataset.targets[found.target].kind
    count, small = folds_for(found, folds, made.why), found.rows < SMALL
    trained_on = found.rows * (count - 1) // count
    batch = max(4, min(64, 2 ** round(math.log2(max(trained_on / 8, 1)))))
    epochs = max(10, min(60, math.ceil(_STEPS * batch / max(trained_on, 1))))
    if not small:
        epochs = min(epochs, 30)
    counts = Counter(str(e.targets[found.target]) for e in found.dataset.examples)
    uneven = kind == "class" and max(counts.values()) > 3 * min(counts.values())
    made.why.append(
        f"{epochs} epochs in batches of {batch}, no rows set aside for watching: the last epoch is kept, so nothing is "
        "chosen on the rows that are measured"
    )
    if uneven:
        made.why.append("classes are drawn equally often: the largest has over three times the rows of the smallest")
    task = {"name": "classification" if kind == "class" else "regression", "target": found.target}
    if kind == "class":
        task["settings"] = {"objective": {"name": "cross_entropy", "label_smoothing": 0.05}, "dropout": 0.2}  # type: ignore[assignment]
    data: dict[str, Any] = {"reader": reader, "folder": str(folder.absolute())}
    if media is not None:
        data["media"] = str(media.absolute())
    if settings:
        data["settings"] = dict(settings)
    left = [m.key for m in found.broken]
    if left:
        data["leave_out"] = left
    made.recipe = {
        "name": name,
        "about": f"Made by cinescope fit from {found.rows:,} rows of '{folder.name}'.",
        "data": data,
        "split": {"by": "folds", "count": count, "val": 0},
        "inputs": inputs,
        "fusion": {"name": "concat", "dim": 64, "settings": {"pool": "mean" if small else "stats"}},
        "task": task,
        "train": {
            "epochs": epochs, "batch": batch, "lr": 0.003, "schedule": "onecycle", "warmup": 0.2,
            "weight_decay": 0.05, "seed": seed, "save_every": epochs, **({"balanced": True} if uneven else {}),
        },
        "controls": found.rows <= 2000,
    }  # fmt: skip
    return made


def folds_for(found: Found, wanted: int | None, why: list[str]) -> int:
    """As many parts as the smallest class allows, five at most; three where there are many rows."""
    groups: defaultdict[str, set[str]] = defaultdict(set)  # class -> its groups
    scored = found.dataset.targets[found.target].kind != "class"
    for example in found.dataset.examples:
        groups["" if scored else str(example.targets[found.target])].add(example.group or example.key)
    least = min(len(g) for g in groups.values())
    what = "groups" if any(e.group for e in found.dataset.examples) else "rows"
    if least < 2:
        label = next(name for name, g in groups.items() if len(g) < 2)
        raise BadQueryError(
            f"all clips of '{label}' are of one group, and a group must not be split",
            "add clips of another source, or lay them straight into the folder of the class",
        )
    if wanted is not None:
        if wanted > least:
            raise BadQueryError(
                f"{wanted} folds need {wanted} {what} of every class, and the smallest has {least}",
                f"ask for {least} or fewer",
            )
        return wanted
    count = min(3 if found.rows > 2000 else 5, least)
    why.append(
        f"measured in {count} folds: every row once, by a model that never saw it"
        + (
            f" (nor anything else of its group; there are {len(set().union(*groups.values())):,})"
            if what == "groups"
            else ""
        )
    )
    return count


def _inputs(found: Found, why: list[str]) -> dict[str, Any]:
    """Roles of the recipe."""
    small = found.rows < SMALL
    backbones = {feature.removeprefix("feature "): name for name, feature in reversed(shelf.backbones().items())}
    made: dict[str, Any] = {}
    if found.pictures >= _ENOUGH * found.rows:
        made |= _pictures(found, small, backbones, why)
    if found.sounds >= _ENOUGH * found.rows:
        made |= _sounds(found, small, why)
    role = next((r for r in (*TEXTS, *found.texts) if found.texts.get(r, 0) >= _ENOUGH * found.rows), "")
    if role:
        made |= _words(role, why)
    if not made:
        raise BadQueryError(
            f"fewer than half of the {found.rows:,} rows have pictures, fewer than half sound, fewer than half text",
            "make folders of one kind, or write a recipe",
        )
    return made


def _pictures(found: Found, small: bool, backbones: Mapping[str, str], why: list[str]) -> dict[str, Any]:
    still = found.stills > found.pictures / 2
    rate = None if still else _rate(found.seconds)
    what = "a picture a row" if still else f"pictures, {rate:g} a second"
    family = next((f for f in ("clip", "siglip", "vit", "resnet") if f in backbones), "")
    if family:
        why.append(f"{what}: pretrained {backbones[family]}, which is on this machine")
        return {
            "picture": {
                "features": [family],
                "settings": {family: {"model": backbones[family], "rate": rate}},
                "summary": "mean" if still else "stats",
                "encoder": {"name": "linear", "dim": 64, "settings": {"norm": True, "dropout": 0.2}},
            }
        }
    if small:
        why.append(
            f"{what}: colour and outline (HOG) of each, their mean{'' if still else ' and how they vary'} through one "
            f"layer; {found.rows:,} rows are too few for a network that sees pixels"
        )
        roles: dict[str, Any] = {
            "picture": {
                "features": ["colour_moments", "hog"],
                "settings": {"colour_moments": {"rate": rate}, "hog": {"rate": rate, "size": [96, 96], "cell": 16}},
                "summary": "mean" if still else "stats",
                "encoder": {"name": "linear", "dim": 64, "settings": {"norm": True, "dropout": 0.2}},
            }
        }
        if not still:
            why.append("motion: histograms of optical flow, their mean and how they vary")
            roles["motion"] = {
                "features": ["hof"],
                "summary": "stats",
                "encoder": {"name": "linear", "dim": 64, "settings": {"norm": True, "dropout": 0.2}},
            }
        return roles
    if still:
        why.append("a picture a row: a small ResNet that sees 32 x 32 pixels")
        return {"picture": {"pictures": {"size": [32, 32]}, "encoder": {"name": "resnet9", "dim": 128}}}
    why.append("pictures: 8 of each clip through a small CNN and a GRU")
    chain = {"parts": [{"name": "cnn", "dim": 96}, {"name": "gru"}]}
    return {
        "picture": {
            "pictures": {"size": [64, 64], "count": 8},
            "encoder": {"name": "chain", "dim": 96, "settings": chain},
        }
    }


def _sounds(found: Found, small: bool, why: list[str]) -> dict[str, Any]:
    if small:
        why.append("sound: MFCC and how they change, mean and spread over the clip, through one layer")
        return {
            "sound": {
                "features": ["mfcc"],
                "summary": "stats",
                "encoder": {"name": "linear", "dim": 64, "settings": {"norm": True, "dropout": 0.2}},
            }
        }
    why.append("sound: log-mel bands through convolutions over time and frequency")
    return {
        "sound": {
            "features": ["log_mel"],
            "settings": {"log_mel": {"hop": 320, "bands": 48}},
            "steps": 300,
            "encoder": {"name": "audio_cnn", "dim": 128, "settings": {"channels": [24, 48, 96], "stride": 2}},
        }
    }


def _words(role: str, why: list[str]) -> dict[str, Any]:
    settings: dict[str, dict[str, Any]]
    if "minilm" in shelf.encoders():
        why.append(f"text ({role}): sentence vectors of MiniLM, which is on this machine")
        features, settings = ["sentence"], {"sentence": {"level": "text"}}
    else:
        why.append(f"text ({role}): TF-IDF of words and pairs (cinescope models get minilm would add meaning)")
        features, settings = ["tfidf"], {"tfidf": {"ngrams": [1, 2], "sublinear": True}}
    return {
        "words": {
            "features": features, "settings": settings, "text": role,
            # TF-IDF is scaled already; by deviations, words of every training text would weigh most in a new one.
            "normalise": features != ["tfidf"],
            "encoder": {"name": "linear", "dim": 64, "settings": {"dropout": 0.2}},
        }
    }  # fmt: skip


def _rate(seconds: float) -> float:
    """Pictures a second: about a dozen of a clip, 10 a second at most."""
    if not math.isfinite(seconds) or seconds <= 0:
        return 2.0
    return float(max(0.5, min(10.0, 2 ** round(math.log2(12 / seconds)))))
