"""`cinescope demo`: from nothing to moments that open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, QuietOption, print_json, remark
from cinescope.cli.text import bold, dim, printable


def demo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to make it.")] = Path("demo"),
    again: Annotated[bool, typer.Option("--again", help="Render the videos anew.")] = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Make a small library of its own, index it, search it, and write a page to look at.

    \b
    cinescope demo
    cinescope search lighthouse --library demo/library
    """
    import time

    from cinescope.api.demo import index_demo, render_demo, search_demo, why, write_page
    from cinescope.cli.index_report import summary
    from cinescope.cli.progress_view import view
    from cinescope.cli.results import show_result
    from cinescope.cli.stopping import stopping

    silent = quiet or json
    began = time.monotonic()
    rendered = render_demo(folder, again=again, tell=(lambda line: None) if silent else remark)
    with stopping() as cancel, view(silent) as progress:
        report = index_demo(rendered, progress=progress, cancel=cancel)
    lib = rendered.library
    if report.cancelled:
        remark("stopped; run the same command again to go on from there")
        raise typer.Exit(130)
    if not silent:
        summary(lib, report, time.monotonic() - began)
    found = search_demo(rendered)
    names = {v.id: v for v in lib.videos()}
    for query, result in found.items():
        if not silent:
            print()
            print(dim("$ ") + bold(f"cinescope search {printable(query)}") + dim(f"   {why(query)}"))
            show_result(result, names, remarks=print)
    page = write_page(rendered, found)
    seconds = time.monotonic() - began
    missed = [q for q, r in found.items() if not r.moments and not why(q).startswith("nothing")]
    if json:
        print_json(
            {
                "folder": str(folder),
                "library": lib.place,
                "page": str(page),
                "seconds": seconds,
                "left_out": rendered.left_out,
                "hits": {q: [m.address for m in r.moments] for q, r in found.items()},
                "problems": report.problems,
            }
        )
    elif not quiet:
        print()
        for line in rendered.left_out:
            remark(f"left out: {line}")
        first = next((r.moments[0].address for r in found.values() if r.moments), None)
        print(f"{bold('Look at it:')} {printable(str(page))}   ({seconds:.0f} s)")
        if first is not None:
            print(dim(f"play a hit: cinescope open {first} --library {printable(lib.place)}"))
    raise typer.Exit(0 if report.ok and not missed else 1)
