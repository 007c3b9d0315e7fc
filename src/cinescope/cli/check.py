"""`cinescope check`: whether a part of somebody's own holds to what every part here holds to."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cinescope.cli.common import JsonOption, print_json
from cinescope.cli.text import bold, dim, printable
from cinescope.types import Catalogue

if TYPE_CHECKING:
    from cinescope.models.conformance import Report


def check(
    part: Annotated[
        str, typer.Argument(metavar="PART", help="my.module:MyFusion, or the name of a part that comes with Cinescope.")
    ],
    json: JsonOption = False,
) -> None:
    """Hold an encoder, pooling, fusion or head to the suite: shapes, masks, gradients, saving, export.

    \b
    cinescope check my_package.fusions:MyFusion
    cinescope check mult

    Exit status: 0 when all holds, 1 when something does not.
    """
    import os

    sys.path.insert(0, os.getcwd())  # a part in a file beside the person, as python -m finds it
    from cinescope.models.conformance import check as run

    report = run(_dotpath(part))
    if json:
        print_json(asdict(report))
    else:
        _show(part, report)
    if any(finding.result == "failed" for finding in report.findings):
        sys.exit(1)


def _dotpath(part: str) -> str:
    """The dotpath of a part that is named as in a recipe; of several kinds the first that has the name."""
    if ":" in part:
        return part
    from cinescope.nn.encoders import ENCODERS
    from cinescope.nn.fusion import FUSIONS
    from cinescope.nn.heads import HEADS
    from cinescope.nn.pooling import POOLINGS

    kinds = (FUSIONS, ENCODERS, POOLINGS, HEADS)
    known = {name: path for kind in reversed(kinds) for name, path in kind.all().items()}
    return known.get(part) or Catalogue("part", "cinescope.parts", known).load(part)


def _show(part: str, report: Report) -> None:
    failed = [f for f in report.findings if f.result == "failed"]
    print(bold(f"{printable(part)}: {report.kind}, {len(report.findings)} checks, {len(failed)} failed"))
    for finding in report.findings:
        note = f": {printable(finding.note)}" if finding.note else ""
        line = f"  {finding.result:8} {finding.check}{note}"
        print(line if finding.result != "skipped" else dim(line))
        if finding.result == "failed":
            print(dim(f"           {printable(finding.demands)}"))
