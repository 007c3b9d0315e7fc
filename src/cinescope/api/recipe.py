"""A recipe: one flat YAML file says what is trained, on what, and how. Reads and checks it; runs nothing.

Unknown keys, wrong types and impossible sizes are told in one sentence with the line's path and the nearest valid key.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cinescope.types import BadQueryError, MissingPartError


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataRecipe(_Part):
    """Which reader, and where its files are; `--data` names another folder."""

    reader: str
    folder: str = ""
    media: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    leave_out: tuple[str, ...] = ()  # keys of rows, such as files that cannot be read


class SplitRecipe(_Part):
    """How rows are split. `by` says who is tested on; `val` who is watched, taken from the rest."""

    by: Literal["published", "groups", "each group", "folds", "every"] = "published"
    train: str = "train"  # published: the names of the splits
    test: str = "test"
    val: str | float = 0.1  # a published split by name, or a share of the training rows; 0 watches nothing
    hold_out: tuple[str, ...] = ()  # groups
    count: Annotated[int, Field(ge=2)] = 5  # folds; or every how manieth of each class


class PicturesRecipe(_Part):
    size: tuple[int, int] = (32, 32)
    rate: Annotated[float | None, Field(gt=0)] = None
    count: Annotated[int | None, Field(ge=1)] = None
    grey: bool = False


class PartRecipe(_Part):
    """A part of the catalogue by name, or a dotpath `my.module:MyPart`."""

    name: str
    dim: Annotated[int | None, Field(ge=1)] = None
    settings: dict[str, Any] = Field(default_factory=dict)


class InputRecipe(_Part):
    """One role: exactly one of features, pictures, tokens, given; and its encoder."""

    features: tuple[str, ...] = ()
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    pictures: PicturesRecipe | None = None
    tokens: bool = False
    given: str = ""
    text: str = "speech"
    steps: Annotated[int | None, Field(ge=1)] = None
    cut: Literal["even", "first"] = "even"
    summary: Literal["none", "mean", "stats"] = "none"
    centre: bool = False
    normalise: bool = True
    encoder: PartRecipe


class TaskRecipe(_Part):
    name: str
    target: str
    settings: dict[str, Any] = Field(default_factory=dict)


class TrainRecipe(_Part):
    """See `cinescope.training.settings.TrainSettings`, which checks the values."""

    epochs: int = 20
    batch: int = 32
    parts: int = 1
    lr: float | Literal["find"] = 1e-3
    optimiser: Literal["adamw", "sgd"] = "adamw"
    weight_decay: float = 0.01
    momentum: float = 0.9
    schedule: Literal["constant", "cosine", "onecycle", "linear"] = "cosine"
    warmup: float = 0.05
    clip_norm: float | None = 1.0
    precision: Literal["auto", "fp32", "bf16"] = "fp32"
    ema: float | None = None
    patience: int | None = None
    balanced: bool = False
    bucketed: bool = True
    drop_last: bool = False
    seed: int = 0
    save_every: int = 1
    save_steps: int | None = None
    shard: Literal["ddp", "fsdp"] = "ddp"
    tensorboard: bool = False
    threads: int | None = None


class Recipe(_Part):
    """Everything a run needs but the files."""

    name: str
    about: str = ""  # one or two sentences for people
    data: DataRecipe
    split: SplitRecipe = SplitRecipe()
    inputs: Annotated[dict[str, InputRecipe], Field(min_length=1)]
    context: bool = False  # rows of a group become the steps of one row: neighbouring utterances
    fusion: PartRecipe = PartRecipe(name="concat")
    task: TaskRecipe
    augment: tuple[dict[str, Any], ...] = ()
    train: TrainRecipe = TrainRecipe()
    controls: bool = True  # also train each input alone, and each input shuffled
    window: Annotated[float | None, Field(gt=0)] = (
        None  # seconds that `predict` looks at at once; by default as in training
    )


def load(path: Path | str) -> Recipe:
    """The recipe in a file, or one of the recipes that come with Cinescope by its name."""
    import yaml

    place = find(path)
    try:
        data = yaml.safe_load(place.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise BadQueryError(f"'{place}' is not YAML{where}", "look for a missing colon, quote or blank") from error
    except UnicodeDecodeError as error:
        raise BadQueryError(f"'{place}' is no text file") from error
    if not isinstance(data, dict):
        raise BadQueryError(f"'{place}' is no recipe: it has no keys", "begin with one of `cinescope recipes`")
    return parse(data, place.name)


def parse(data: dict[str, Any], name: str = "the recipe") -> Recipe:
    """BadQueryError with the first thing that is wrong, where it stands and what would be right."""
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise _told(error, data, name) from error


def find(path: Path | str) -> Path:
    """The file, or one of the recipes that come with Cinescope by its name."""
    given = Path(path).expanduser()
    if given.is_file():
        return given
    known = shipped()
    if str(path) in known:
        return known[str(path)]
    if given.is_dir():
        raise BadQueryError(
            f"'{path}' is a folder, and a recipe is a file", "for a folder of clips use `cinescope fit`"
        )
    near = get_close_matches(str(path), known, n=2)
    raise MissingPartError(
        f"there is no recipe '{path}'",
        f"did you mean {' or '.join(near)}?" if near else "`cinescope recipes` lists those that come with Cinescope",
    )


def find_all(path: Path | str) -> dict[str, Path]:
    """Name -> file: all recipes of a folder, or of a set that comes along (`motion`); else the one of `find`."""
    given = Path(path).expanduser()
    of = f"{path}/"
    found = {name.removeprefix(of): place for name, place in shipped().items() if name.startswith(of)}
    if given.is_dir():
        found = {p.stem: p for p in sorted(given.glob("*.yaml"))}
        if not found:
            raise BadQueryError(f"'{path}' has no recipes", "they are files that end in .yaml")
    return found or {Path(path).stem: find(path)}


def shipped() -> dict[str, Path]:
    """Name -> file of the recipes that come with Cinescope; `set/name` where they are a set, on the same rows."""
    for folder in (Path(__file__).parents[1] / "recipes", Path(__file__).parents[3] / "recipes"):
        if folder.is_dir():
            alone, sets = sorted(folder.glob("*.yaml")), sorted(folder.glob("*/*.yaml"))
            return {p.relative_to(folder).with_suffix("").as_posix(): p for p in (*alone, *sets)}
    return {}


def _told(error: ValidationError, data: dict[str, Any], name: str) -> BadQueryError:
    # A misspelt key is often why another one is missing: it is told first.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    # Where a value may be of several types, pydantic's path ends in the type it tried.
    path = [str(p) for p in first["loc"] if p not in ("float", "int", "str", "literal['find']")]
    where = ".".join(path)
    match first["type"]:
        case "extra_forbidden":
            known = _fields(path[:-1])
            near = get_close_matches(path[-1], known, n=1)
            also = f"did you mean '{near[0]}'?" if near else f"the keys there are {', '.join(known)}"
            return BadQueryError(f"{name}: there is no key '{where}'", also)
        case "missing":
            return BadQueryError(f"{name}: the key '{where}' is missing", f"add {path[-1]}: ...")
        case "literal_error":
            return BadQueryError(
                f"{name}: {where} is {_shown(first['input'])}", f"it can be {first['ctx']['expected']}"
            )
        case _:
            message = first["msg"].replace("Input should be", "it should be")
            return BadQueryError(f"{name}: {where} is {_shown(first['input'])}", message)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."


def _fields(path: list[str]) -> list[str]:
    """The keys that a recipe knows at a path; names of inputs are anybody's."""
    model: Any = Recipe
    for step in path:
        field = getattr(model, "model_fields", {}).get(step)
        model = _model_of(field.annotation) if field is not None else model
    return list(getattr(model, "model_fields", {}))


def _model_of(annotation: Any) -> Any:
    """The recipe part within `X`, `X | None` or `dict[str, X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_of(inner)
        if found is not None:
            return found
    return None
