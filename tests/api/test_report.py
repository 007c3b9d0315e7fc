"""The report of a run: figures, intervals and differences by hand, and a page that holds what it should, escaped."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from cinescope.api import report, report_page
from cinescope.api.answers import Said, difference, interval, kind_of, rows_said, statistic_of
from cinescope.api.mistakes import contact_strip, wav_bytes, worst, write_examples
from cinescope.api.report_page import address_of, bins_of, page
from cinescope.api.report_plots import Axes, Marked, against_cost, curves, reliability, scatter, standalone
from cinescope.api.train import Result, Summary
from cinescope.datasets.example import Example
from cinescope.types import Clip, Frames, Span, Waveform

LABELS = ["ant", "bee", "<cow>"]


def lines_of(true: list[int], said: list[int], sure: float = 0.8) -> list[dict[str, object]]:
    return [
        {"key": f"row{i}", "group": f"g{i // 2}", "target": t, "label": s,
         "probabilities": [sure if k == s else (1 - sure) / 2 for k in range(3)]}
        for i, (t, s) in enumerate(zip(true, said, strict=True))
    ]  # fmt: skip


def write_run(folder: Path, variant: str, lines: list[dict[str, object]], log: list[dict[str, object]] = ()) -> Result:  # type: ignore[assignment]
    place = folder / variant.replace(" ", "-")
    place.mkdir(parents=True)
    (place / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (place / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in log))
    right = float(np.mean([line["target"] == line["label"] for line in lines]))
    return Result(variant, "published", 0, place.name, "test", {"accuracy": right}, len(lines), 1234, 2, 2, 3.5, 40)


def made(folder: Path) -> Summary:
    true = [0, 1, 2] * 8
    ours = [t if i % 6 else (t + 1) % 3 for i, t in enumerate(true)]
    deaf = [t if i % 2 else (t + 1) % 3 for i, t in enumerate(true)]
    log = [{"epoch": e, "step": e, "train": {"ce": 1 / e}, "val": {"accuracy": 0.4 + 0.1 * e}} for e in (1, 2)]
    results = [
        write_run(folder, "main", lines_of(true, ours), log),
        write_run(folder, "only sound", lines_of(true, deaf)),
        write_run(folder, "shuffled sound", lines_of(true, deaf)),
    ]
    return Summary(
        "a <b>recipe</b>", "accuracy", True, results, 2, {"sound": 3}, "About & it", "clips", "1.2.3", "classification",
        "label", LABELS, "", ["picture", "sound"], [],
    )  # fmt: skip


class Balanced(HTMLParser):
    """Fails where a tag is closed that was not opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [v for k, v in attrs if k in ("src", "href") and v]
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


def test_the_rows_of_a_report_say_what_each_input_earns(tmp_path: Path) -> None:
    rows = report.rows_of(made(tmp_path), tmp_path)
    main, only, shuffled = rows
    assert [r.variant for r in rows] == ["main", "only sound", "shuffled sound"]
    assert main.metrics["accuracy"] == pytest.approx(20 / 24)
    assert main.low is not None
    assert main.high is not None
    assert main.low < 20 / 24 < main.high
    assert main.over == "24 rows"
    assert shuffled.difference is not None
    assert shuffled.difference.value == pytest.approx(8 / 24)
    assert shuffled.compared.startswith("sound earns +33.3 points (")
    assert only.compared.startswith("picture adds +33.3 points (")
    assert only.compared.endswith("to sound alone")


def test_an_interval_over_folds_is_students(tmp_path: Path) -> None:
    results = []
    for fold, right in (("fold 1", 3), ("fold 2", 2)):
        true = [0, 1, 2, 0]
        said = [t if i < right else (t + 1) % 3 for i, t in enumerate(true)]
        one = write_run(tmp_path / fold, "main", lines_of(true, said))
        results.append(Result(one.variant, fold, 0, f"{fold}/main", "test", one.metrics, 4, 1, 1, 1, 1.0))
    row = report.rows_of(Summary("x", "accuracy", True, results), tmp_path)[0]
    assert row.over == "2 folds"
    # the mean of 0.75 and 0.5, and 12.706 standard errors of 0.125 about it
    assert (row.low, row.high) == (pytest.approx(0.625 - 12.7062 * 0.125, abs=1e-3), pytest.approx(2.2133, abs=1e-3))


def test_a_difference_is_paired_by_row_and_run() -> None:
    statistic = statistic_of("class", "accuracy")
    assert statistic is not None
    ours = [Said(f"r{i}", "", i % 3, i % 3, 0.9, "a") for i in range(30)]
    theirs = [Said(f"r{i}", "", i % 3, 0, 0.9, "a") for i in reversed(range(30))]
    found = difference(ours, theirs, statistic)
    assert found is not None
    assert found.value == pytest.approx(2 / 3)
    assert found.low > 0.4
    assert difference(ours, [Said("other", "", 0, 0)], statistic) is None


def test_rows_of_one_group_make_an_interval_wider() -> None:
    statistic = statistic_of("class", "accuracy")
    assert statistic is not None
    alone = [Said(f"r{i}", f"r{i}", 1, int(i // 10 % 2), 0.9) for i in range(100)]
    tied = [Said(f"r{i}", f"g{i // 10}", 1, int(i // 10 % 2), 0.9) for i in range(100)]
    wide, narrow = interval(tied, statistic), interval(alone, statistic)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_steps_are_rows_and_those_without_an_answer_are_wrong() -> None:
    line = {"key": "d1", "group": "d1", "target": [0, 1, -100, 1], "labels": [0, -1], "probabilities": [[0.7, 0.3]] * 2}
    assert kind_of([line]) == "class"
    rows = rows_said([line], "run", {"d1": ["a", "b", "c", "d"]})
    assert [(r.key, r.true, r.said) for r in rows] == [("a", 0, 0), ("b", 1, 2), ("d", 1, 2)]
    assert rows_said([{"key": "x", "target": None, "label": 1, "probabilities": [0, 1]}]) == []


def test_scores_below_zero_are_scores() -> None:
    rows = rows_said([{"key": "x", "target": -1.5, "score": -2.0}, {"key": "y", "target": 1.0, "score": [0.5]}])
    statistic = statistic_of("score", "mae")
    assert statistic is not None
    assert interval(rows, statistic).value == pytest.approx(0.5)


def test_the_surest_mistakes_come_first_and_once() -> None:
    rows = [Said("a", "", 0, 1, 0.6), Said("b", "", 0, 1, 0.9), Said("c", "", 1, 1, 0.99), Said("a", "", 0, 2, 0.7)]
    assert [(r.key, r.probability) for r in worst(rows, "class")] == [("b", 0.9), ("a", 0.7)]
    assert [r.key for r in worst([Said("x", "", 0, 0.1), Said("y", "", 0, -3.0)], "score")] == ["y", "x"]


def test_calibration_by_hand() -> None:
    rows = [Said("a", "", 0, 0, 0.95), Said("b", "", 0, 1, 0.95), Said("c", "", 1, 1, 0.55)]
    bins, error = bins_of(rows)
    assert bins == [(pytest.approx(0.55), 1.0, 1), (pytest.approx(0.95), 0.5, 2)]
    assert error == pytest.approx((0.45 + 2 * 0.45) / 3)


def test_the_page_is_whole_escaped_and_needs_no_network(tmp_path: Path) -> None:
    summary = made(tmp_path)
    film = tmp_path / "a film.mp4"
    examples = [
        Example(f"row{i}", media=film, span=Span(1.0, 2.5), texts={"speech": "<script>alert(1)</script>"})
        for i in range(24)
    ]
    write_examples(tmp_path / "main", examples)
    place = report_page.write(tmp_path, summary)
    text = place.read_text(encoding="utf-8")
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    assert not re.search(r"(src|href)=\"https?:", text)
    assert "@import" not in text
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "a &lt;b&gt;recipe&lt;/b&gt;" in text
    assert "&lt;cow&gt;" in text
    assert "a%20film.mp4#t=1.00,2.50" in text
    assert "2 rows left out because the media are not there" in text
    assert "3 rows without a step of" in text
    assert "sound earns +33.3 points" in text
    assert text.count('class="error"') == 4


def test_the_confusion_of_many_classes_is_told_in_pairs(tmp_path: Path) -> None:
    count = 70
    lines = [
        {"key": str(i), "target": i % count, "label": (i + (i == 3)) % count, "probabilities": [0.5] * count}
        for i in range(2 * count)
    ]
    result = write_run(tmp_path, "main", lines)
    summary = Summary("x", "accuracy", True, [result], labels=[f"class {k}" for k in range(count)])
    text = page(tmp_path, summary)
    assert "those confused most" in text
    assert "<th>class 3</th><td>class 4</td><td>1 of 2</td>" in text
    assert 'class="confusion"' not in text


def test_a_regression_is_scattered(tmp_path: Path) -> None:
    place = tmp_path / "main"
    place.mkdir()
    lines = [{"key": str(i), "target": i / 10, "score": i / 10 + 0.1} for i in range(20)]
    (place / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = Result("main", "f", 0, "main", "test", {"mae": 0.1}, 20, 1, 1, 1, 1.0)
    text = page(tmp_path, Summary("x", "mae", False, [result], unit="stars"))
    assert text.count('class="point"') == 20
    assert "what is so (stars)" in text
    assert "The largest errors" in text
    assert 'class="confusion"' not in text


def test_of_clips_in_no_file_a_strip_and_the_sound_are_kept(tmp_path: Path) -> None:
    def clip() -> Clip:
        frames = Frames(np.full((10, 48, 64, 3), 90, np.uint8), np.arange(10) / 10)
        return Clip(Span(0, 1), frames, Waveform(np.zeros((1, 16000), np.float32), 16000, 0.0))

    strip = contact_strip(clip())
    assert strip is not None
    assert strip.shape == (96, 5 * 128 + 4 * 3, 3)
    assert wav_bytes(clip())[:4] == b"RIFF"
    write_examples(tmp_path, [Example("a", clip=clip), Example("b", clip=clip)], ["b"])
    first, second = (json.loads(line) for line in (tmp_path / "examples.jsonl").read_text().splitlines())
    assert first == {"key": "a"}
    assert (tmp_path / second["strip"]).read_bytes()[:2] == b"\xff\xd8"
    assert (tmp_path / second["sound"]).exists()


def test_addresses_are_relative_where_both_can_be_moved(tmp_path: Path) -> None:
    assert address_of(tmp_path / "clips" / "ä b.mp4", tmp_path / "runs" / "x") == "../../clips/%C3%A4%20b.mp4"
    assert address_of(Path("/elsewhere/a.mp4"), tmp_path) == "file:///elsewhere/a.mp4"


def test_plots_put_numbers_where_they_belong() -> None:
    axes = Axes((0, 10), (0, 1), "x", "y", width=100, height=100, left=0, right=0, top=0, bottom=0)
    assert axes.place(5, 0.25) == (50, 75)
    log = Axes((1, 100), (0, 1), "x", "y", log=True, width=100, height=100, left=0, right=0, top=0, bottom=0)
    assert log.at_x(10) == 50
    assert curves([], [], "epoch", "loss") == ""
    for svg in (
        curves([[(1, 0.5)]], [], "epoch", "<loss>"),
        reliability([(0.5, 0.4, 3)]),
        scatter([1.0, 2.0], [1.0, 1.0]),
        against_cost(
            [Marked("a<b", 1, 0.5, 0.4, 0.6), Marked("c", 1, 0.5, float("nan"), float("inf"))], "s", "accuracy"
        ),
        standalone(curves([[(1, 0.5), (2, float("nan")), (3, 0.1)]], [(3, 0.1)], "epoch", "loss")),
    ):
        import xml.etree.ElementTree as ElementTree

        ElementTree.fromstring(svg)
        assert "nan" not in svg
