"""Every reader of the catalogue: says what it reads, reads it the same each time, and fails in one sentence."""

from __future__ import annotations

import inspect
import pickle
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tests.datasets.dataset_files import FILES

from cinescope.datasets import CATALOGUE, DATASETS
from cinescope.datasets.example import Dataset
from cinescope.types import BadQueryError

NAMES = sorted(set(CATALOGUE) - {"worlds"})  # which are rendered: there are no files to read


def module(name: str) -> ModuleType:
    return import_module(CATALOGUE[name].partition(":")[0])


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    made = tmp_path / "published"
    made.mkdir()
    FILES[request.param](made)
    return made


every = pytest.mark.parametrize("name", NAMES)
every_with_files = pytest.mark.parametrize(("name", "folder"), [(n, n) for n in NAMES], indirect=["folder"])


@every
def test_it_opens_with_an_example_and_declares_what_it_is(name: str) -> None:
    here = module(name)
    doc = here.__doc__ or ""
    assert any(line.startswith("    ") for line in doc.splitlines()), "no example row in the docstring"
    assert isinstance(here.VERIFIED, bool)
    for constant in ("VERIFIED_ON", "LICENCE", "FILES"):
        assert getattr(here, constant).strip(), constant
    assert isinstance(here.CITE, str)
    assert here.TARGETS
    assert all(isinstance(v, str) for v in here.TARGETS.values())
    parameters = inspect.signature(here.read).parameters
    assert list(parameters)[:3] == ["folder", "media", "split"]
    assert all(p.kind is p.KEYWORD_ONLY for p in list(parameters.values())[1:])
    assert parameters["media"].default is None
    assert parameters["split"].default is None


@every_with_files
def test_it_reads_its_files_the_same_each_time(name: str, folder: Path) -> None:
    one: Dataset = DATASETS.create(name, folder)
    again: Dataset = DATASETS.create(name, folder)
    assert len(one) > 0
    assert [e.key for e in one.examples] == [e.key for e in again.examples]
    assert [e.targets for e in one.examples] == [e.targets for e in again.examples]
    assert len({e.key for e in one.examples}) == len(one)
    for example in one.examples:
        for target, value in example.targets.items():
            kind, labels = one.targets[target].kind, one.targets[target].labels
            if kind == "class":
                assert value in labels
            elif kind == "choice":
                assert 0 <= value < len(example.candidates)
            elif kind in ("text", "spans", "classes"):
                assert isinstance(value, tuple)
                assert value
        for values in example.given.values():
            assert values.ndim == 2
            assert values.dtype == np.float32
        if example.media is not None:
            assert example.media.is_file()
        if example.clip is not None:  # workers of a loader get it by pickle
            assert pickle.loads(pickle.dumps(example.clip))().span.duration > 0


@every_with_files
def test_one_part_is_what_all_have_of_it(name: str, folder: Path) -> None:
    whole: Dataset = DATASETS.create(name, folder)
    for part in sorted({e.split for e in whole.examples} - {""}):
        of_it: Dataset = DATASETS.create(name, folder, split=part)
        assert [e.key for e in of_it.examples] == [e.key for e in whole.examples if e.split == part]
        assert {n: t.kind for n, t in of_it.targets.items()} == {n: t.kind for n, t in whole.targets.items()}
    with pytest.raises(BadQueryError, match="no split 'nowhere'"):
        DATASETS.create(name, folder, split="nowhere")


@every
def test_a_folder_of_something_else_is_one_clear_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("nothing of that kind")
    with pytest.raises(BadQueryError) as caught:
        DATASETS.create(name, tmp_path)
    said = caught.value.what
    assert "\n" not in said
    assert not said.endswith(".")
    assert tmp_path.name in said, "does not name the folder"
    assert "looked for" in said or "no shards" in said, "does not say what it looked for"


@every
def test_a_folder_that_is_not_there_is_one_clear_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadQueryError) as caught:
        DATASETS.create(name, tmp_path / "gone")
    assert "gone" in caught.value.what
    assert "\n" not in caught.value.what


# Readers whose rows name media that lie elsewhere.
LISTS = ["activitynet_captions", "activitynet_qa", "charades_sta", "hmdb51", "kinetics", "meld", "mosi", "msrvtt",
         "msvd", "nextqa", "qvhighlights", "tgif_qa", "ucf101", "youcook2"]  # fmt: skip


@pytest.mark.parametrize(("name", "folder"), [(n, n) for n in LISTS], indirect=["folder"])
def test_media_that_are_not_there_are_listed(name: str, folder: Path, tmp_path: Path) -> None:
    without: Dataset = DATASETS.create(name, folder)
    assert not without.missing
    assert all(e.media is None for e in without.examples)
    (tmp_path / "media").mkdir()
    looked: Dataset = DATASETS.create(name, folder, media=tmp_path / "media")
    assert len(looked) == 0
    assert [m.key for m in looked.missing] == [e.key for e in without.examples]
    assert all(m.what for m in looked.missing)
    assert any("are not there" in note for note in looked.notes)


@pytest.mark.parametrize(("name", "folder"), [(n, n) for n in LISTS], indirect=["folder"])
def test_media_are_found_below_other_folders(name: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    wanted: Dataset = DATASETS.create(name, folder, media=tmp_path / "empty")
    first = wanted.missing[0]
    stem = Path(first.what).stem if Path(first.what).suffix in (".avi", ".mp4") else Path(first.what).name
    place = tmp_path / "media" / "deep" / f"{stem}.mp4"
    place.parent.mkdir(parents=True)
    place.touch()
    found: Dataset = DATASETS.create(name, folder, media=tmp_path / "media")
    assert next(e for e in found.examples if e.key == first.key).media == place
    assert len(found) + len(found.missing) == len(wanted.missing)


def test_files_are_at_hand_for_every_reader() -> None:
    assert set(NAMES) == set(FILES)


def test_the_page_has_the_table_of_the_catalogue() -> None:
    from cinescope.datasets.catalogue_table import described, table

    assert {d.name for d in described()} == set(NAMES)
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    assert table() in page, "run cinescope.datasets.catalogue_table.table() and put what it gives into docs/datasets.md"
    for one in described():
        assert ("**unverified**" in next(r for r in table().splitlines() if f"`{one.name}`" in r)) is not one.verified
