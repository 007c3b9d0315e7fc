"""The tables of docs/models.md are those of the catalogues, and say of each part what the part says of itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

from cinescope.nn import alignment  # noqa: E402
from cinescope.nn.encoders import ENCODERS  # noqa: E402
from cinescope.nn.fusion import FUSIONS  # noqa: E402
from cinescope.nn.heads import HEADS  # noqa: E402
from cinescope.nn.pooling import POOLINGS  # noqa: E402
from cinescope.types import Catalogue  # noqa: E402

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")


def table(title: str) -> dict[str, list[str]]:
    """The first cell of each row of the table under a heading -> the other cells."""
    section = TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")] for line in section.splitlines() if line[:3] == "| `"
    ]
    return {row[0].strip("`"): row[1:] for row in rows}


@pytest.mark.parametrize(
    ("title", "catalogue"), [("Encoders", ENCODERS), ("Poolings", POOLINGS), ("Fusions", FUSIONS), ("Heads", HEADS)]
)
def test_every_part_is_in_its_table_and_no_other(title: str, catalogue: Catalogue) -> None:
    assert sorted(table(title)) == sorted(catalogue.entries)


def test_what_encoders_take() -> None:
    told = {name: cells[0] for name, cells in table("Encoders").items()}
    assert told == {name: ENCODERS.load(name).takes for name in told}
    assert [name for name in told if not ENCODERS.load(name).onnx] == ["pretrained_text"], "the page says which export"


def test_which_fusions_are_additive_and_which_export() -> None:
    told = {name: (cells[0] == "additive", cells[1] == "yes") for name, cells in table("Fusions").items()}
    assert told == {name: (FUSIONS.load(name).additive, FUSIONS.load(name).onnx) for name in told}


def test_functions_of_alignment() -> None:
    assert set(table("Alignment")) <= set(alignment.__all__)


def test_tests_and_recipes_that_are_named_are_there() -> None:
    named = re.findall(r"`((?:tests|recipes)/[\w./]+)`", TEXT)
    assert len(named) > 6
    assert not [path for path in named if not (ROOT / path).exists()]
