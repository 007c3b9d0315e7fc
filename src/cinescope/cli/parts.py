"""`cinescope parts`: what a recipe can name."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, print_json
from cinescope.cli.text import bold, dim, printable


def parts(
    what: Annotated[
        str, typer.Argument(metavar="[KIND or NAME]", help="A kind, such as fusion; or a part, such as mult.")
    ] = "",
    json: JsonOption = False,
) -> None:
    """What a recipe can name: readers, features, encoders, fusions, objectives, tasks ...

    \b
    cinescope parts
    cinescope parts fusion
    cinescope parts timesformer
    """
    from cinescope.api import model_parts as api

    known = api.kinds()
    if not what:
        told = {kind: catalogue.names() for kind, (catalogue, _) in known.items()}
        if json:
            print_json(told)
            return
        for kind, names in told.items():
            print(f"{bold(kind)}  {dim(known[kind][1])}")
            print(f"  {printable(', '.join(names))}")
        return
    whole = what not in known
    found = api.find_part(what) if whole else api.list_parts(what)
    if json:
        print_json([{**asdict(p), "settings": {k: _plain(v) for k, v in p.settings.items()}} for p in found])
        return
    for part in found:
        print(
            f"{bold(printable(part.name))}  {dim(f'{part.kind}, {known[part.kind][1]}')}" if whole else bold(part.name)
        )
        for line in (part.text if whole else part.summary).splitlines():
            print(f"  {printable(line)}".rstrip())
        if part.missing:
            print(f"  {printable(part.missing)}")
        if part.settings:
            print(dim(f"  settings: {printable(', '.join(_said(k, v) for k, v in part.settings.items()))}"))


def _said(name: str, value: object) -> str:
    return name if value is None else f"{name}={value!r}"


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | float | str | list | tuple | dict | type(None)) else repr(value)
