"""`cinescope doctor`: what is installed, and what would improve with what."""

from __future__ import annotations

import typer

from cinescope.cli.common import JsonOption, LibraryOption, print_json
from cinescope.cli.text import dim, padded, printable, red, yellow


def doctor(library: LibraryOption = None, json: JsonOption = False) -> None:
    """Check what is installed, and say what would improve with what.

    \b
    cinescope doctor

    Exit status: 0 when indexing and searching work, 1 when something they need is missing.
    """
    from cinescope.api.health import examine

    findings = examine(library)
    if json:
        print_json(findings)
    else:
        mark = {"ok": dim("ok      "), "could be better": yellow("better  "), "missing": red("missing ")}
        widest = max(len(f.what) for f in findings)
        for finding in findings:
            print(f"{mark[finding.state]}{padded(finding.what, widest)}  {printable(finding.now)}")
            if finding.advice:
                print(f"{' ' * (8 + widest)}  {dim('-> ' + printable(finding.advice))}")
    raise typer.Exit(1 if any(f.state == "missing" for f in findings) else 0)
