"""What each reader reads, as rows for the docs and for people: from the constants of its module. Opens no data."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from cinescope.datasets import CATALOGUE


@dataclass(frozen=True, slots=True)
class Described:
    name: str
    says: str  # the first words of its docstring
    files: str
    targets: str
    verified: bool  # whether real files were at hand
    verified_on: str
    licence: str
    cite: str


def described() -> list[Described]:
    """Every reader of the catalogue; those that read no files (`worlds`) are left out."""
    found = []
    for name, place in sorted(CATALOGUE.items()):
        module = import_module(place.partition(":")[0])
        if not hasattr(module, "VERIFIED_ON"):
            continue
        first = (module.__doc__ or "").split("\n\n", 1)[0].replace("\n", " ")
        found.append(
            Described(
                name,
                first.split(". ")[0].rstrip("."),
                module.FILES,
                "; ".join(f"{target}: {kind}" for target, kind in module.TARGETS.items()),
                module.VERIFIED,
                module.VERIFIED_ON,
                module.LICENCE,
                module.CITE,
            )
        )
    return found


def table() -> str:
    """The table of docs/datasets.md, in Markdown."""
    rows = ["| name | files | targets | read here on | licence |", "|---|---|---|---|---|"]
    for d in described():
        on = d.verified_on if d.verified else f"**unverified**: {d.verified_on}"
        rows.append(f"| `{d.name}` | {_cell(d.files)} | {_cell(d.targets)} | {_cell(on)} | {_cell(d.licence)} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*_", "\\*_").replace("*.", "\\*.")
