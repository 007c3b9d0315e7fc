"""`cinescope world`: films made by arithmetic, to train and test models on what is known."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cinescope.cli.common import JsonOption, QuietOption, count, print_json, remark
from cinescope.cli.progress_bar import Bar
from cinescope.types import BadQueryError


def world(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the films go.")],
    label: Annotated[
        str, typer.Option("--label", metavar="LABEL", help="pair, relation, one, redundant or dominant.")
    ] = "pair",
    number: Annotated[int, typer.Option("--count", metavar="N", help="How many films.")] = 20,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same films.")] = 0,
    dials: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="DIAL=VALUE", help="Another dial of the world, as JSON or as text."),
    ] = None,
    subtitles: Annotated[
        bool, typer.Option("--subtitles/--no-subtitles", help="With the words as a subtitle track, or without.")
    ] = True,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make films whose labels need a chosen set of picture, sound and text.

    \b
    cinescope world films --label pair --count 20 --seed 1
    cinescope world hard --label relation --set picture_by=motion --set picture_noise=40

    Beside the films, truths.jsonl tells what is so in each, and when.
    """
    from cinescope.api.worlds import render_world

    told = dict(_dial(text) for text in dials or ())
    with Bar("rendering films", quiet or json or not sys.stderr.isatty()) as bar:
        made = render_world(out, label, number, seed, subtitles=subtitles, tell=bar, **told)
    if json:
        print_json({"folder": str(out), "films": [str(p) for p in made]})
    elif not quiet:
        remark(f"{count(len(made), 'film')} in {out}; what is so in each is in truths.jsonl")


def _dial(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier() or name in ("folder", "label", "count", "seed", "subtitles", "tell"):
        raise BadQueryError(f"'{text}' is no dial", "write --set dial=value, such as --set picture_noise=40")
    try:
        return name, json_module.loads(value)
    except json_module.JSONDecodeError:
        return name, value
