"""`cinescope models`: what is on this machine, and `get NAME`. Nothing is fetched unless a person asks for it."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from cinescope.cli.common import JsonOption, QuietOption, group, human_size, print_json, remark
from cinescope.cli.text import dim, printable, table

app = group(
    "Models on this machine, and how to get more. Nothing is fetched unless you ask for it.",
    "cinescope models\ncinescope models get faster-whisper-small",
    alone=True,
)


@app.callback(invoke_without_command=True)
def models(context: typer.Context, json: JsonOption = False) -> None:
    """Without a subcommand: the list."""
    if context.invoked_subcommand is None:
        listed(json)


def listed(json: bool) -> None:
    from cinescope.features import models as shelf

    here = shelf.present()
    known = {m.name: m for m in shelf.MODELS}
    purposes = dict.fromkeys(shelf.encoders(), "meaning in search")
    purposes |= dict.fromkeys(shelf.picture_models(), "pictures by words")
    purposes |= shelf.backbones()
    entries: list[dict[str, Any]] = [
        {
            "name": name,
            "purpose": known[name].purpose if name in known else purposes.get(name, "put here by hand"),
            "bytes": known[name].size if name in known else None,
            "licence": known[name].licence if name in known else "",
            "place": str(here[name]) if name in here else None,
        }
        for name in dict.fromkeys([*here, *known])
    ]
    if json:
        print_json({"folder": str(shelf.models_folder()), "models": entries})
        return
    rows = [
        [
            "here" if e["place"] else "-",
            printable(e["name"]),
            human_size(e["bytes"]) if e["bytes"] else "",
            e["purpose"],
            e["licence"],
        ]
        for e in entries
    ]
    print(table(rows, ["", "name", "size", "for", "licence"], right=frozenset({2}), grow=3))
    print(dim(f"kept in {printable(str(shelf.models_folder()))}; fetch one with: cinescope models get NAME"))


@app.command("get")
def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As the list has it.")],
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Fetch a model from the Hugging Face hub.

    \b
    cinescope models get faster-whisper-small
    cinescope models get minilm
    cinescope models get clip
    cinescope models get sentence-transformers/all-MiniLM-L12-v2
    cinescope models get google/siglip-base-patch16-224
    cinescope models get backbone-clip
    cinescope models get backbone:facebook/dinov2-small

    A name with a slash is a checkpoint of the hub, a path (./FOLDER) one on this machine: a text encoder (BERT or
    XLM-RoBERTa, by sentence-transformers) for meaning in search, in the languages that its model card names, or a
    picture model (CLIP or SigLIP) for finding what is seen. The names with `backbone` are pretrained models for
    features (cinescope features), kept as they are; they need torch and transformers.

    Exit status: 0 when it is here, 3 when it could not be had.
    """
    from cinescope.features import models as shelf

    model = shelf.known(name)
    bar = not (quiet or json) and sys.stderr.isatty()

    def progress(done: int, total: int) -> None:
        sys.stderr.write(f"\r{name}: {human_size(done)} of about {human_size(total)} ")
        sys.stderr.flush()

    if not (quiet or json or model.folder) and shelf.find(model.name) is None and not shelf.is_packaged(model):
        remark(f"fetching about {human_size(model.size)} from {model.repository} ({model.licence})")
    place = shelf.get(name, progress if bar else None)
    if bar:
        sys.stderr.write("\n")
    if json:
        print_json({"name": name, "place": str(place)})
    elif not quiet:
        print(f"{model.name} is in {printable(str(place))}")
