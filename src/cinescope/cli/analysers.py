"""`cinescope analysers`: what looks at videos."""

from __future__ import annotations

import textwrap

import typer

from cinescope.cli.common import JsonOption, print_json
from cinescope.cli.text import bold, dim, printable, terminal_width, yellow


def analysers(json: JsonOption = False) -> None:
    """List the analysers: what each finds, needs and costs, and whether it can run here.

    \b
    cinescope analysers
    cinescope index ~/Videos --only transcript
    cinescope index ~/Videos --set transcript.subtitles=never

    Exit status: 0 when every analyser can run here, 1 when one cannot.
    """
    from cinescope.api.parts import list_analysers

    found = list_analysers()
    if json:
        print_json(found)
    else:
        for part in found:
            print(f"{bold(part.name)}  {dim(part.version)}{'' if part.by_default else dim('  not run by default')}")
            for label, text in (("", part.summary), ("cost: ", part.cost), ("needs: ", part.requires)):
                if text:
                    print(
                        textwrap.fill(
                            printable(label + text), terminal_width(), initial_indent="  ", subsequent_indent="    "
                        )
                    )
            if part.settings:
                listed = ", ".join(f"{name}={value!r}" for name, value in part.settings.items())
                print(
                    dim(
                        textwrap.fill(
                            f"settings: {listed}", terminal_width(), initial_indent="  ", subsequent_indent="    "
                        )
                    )
                )
            if part.missing:
                print(yellow(f"  cannot run here: {printable(part.missing)}"))
    raise typer.Exit(1 if any(p.missing for p in found) else 0)
