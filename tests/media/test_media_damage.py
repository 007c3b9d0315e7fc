"""Bad input: every file gives its pictures and sound as far as they go, or a MediaError of one sentence."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rendered import melody, write_sound, write_video

from cinescope import media
from cinescope.media.sound import SoundReader
from cinescope.types import MediaError

Render = Callable[..., Path]
X264 = {"g": "10", "bf": "2", "preset": "ultrafast"}


def video(rendered: Render) -> Path:
    return rendered("damage.mp4", write_video, count=50, options=X264, sound=melody(2.0))


def say(call: Callable[[], object]) -> str:
    """The sentence of the MediaError that must come."""
    with pytest.raises(MediaError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    assert text.isprintable()
    return text


def every_way(path: Path) -> list[str]:
    """Probe, pictures, sound, length: each must refuse the file in the same words."""
    return [
        say(lambda: media.probe(path)),
        say(lambda: list(media.VideoReader(path).pictures())),
        say(lambda: media.read_sound(path, 0, 1)),
        say(lambda: media.measure_duration(path)),
    ]


NOTHING = {
    "empty.mp4": b"",
    "text.mp4": b"This is not a video.\n" * 40,
    "zeros.mp4": bytes(5_000),
    "start.mp4": b"\0\0\0\x18ftypisom",
    "page.html": b"<html><body>" + b"x" * 500,
    "archive.zip": b"PK\x03\x04" + bytes(range(256)) * 8,
    "program.py": b"import os\n" * 100,
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_no_media(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(NOTHING[name])
    assert all(name in sentence for sentence in every_way(path))


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "e.mp4").touch()
    assert "is empty" in say(lambda: media.probe(tmp_path / "e.mp4"))


def test_what_is_not_there_or_no_file(tmp_path: Path) -> None:
    assert all("there is no file" in s for s in every_way(tmp_path / "gone.mp4"))
    assert all("is a folder" in s for s in every_way(tmp_path))
    assert "no possible file name" in say(lambda: media.probe("a\0b"))
    assert "cannot look at" in say(lambda: media.probe(tmp_path / ("x" * 300)))
    if Path("/dev/zero").exists():
        assert "not a regular file" in say(lambda: media.probe("/dev/zero"))
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop)
    assert "cannot look at" in say(lambda: media.probe(loop))


def test_a_file_without_permission(rendered: Render, tmp_path: Path) -> None:
    """Root reads everything, so that a child process becomes nobody first."""
    path = tmp_path / "closed.mp4"
    path.write_bytes(video(rendered).read_bytes())
    path.chmod(0)
    program = (
        "import os, sys\n"
        "from cinescope import media\n"
        "from cinescope.media import probe, video\n"  # before it may no longer read the sources
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try: media.probe(sys.argv[1])\n"
        "except media.probe.__globals__['MediaError'] as error: print(error)\n"
    )
    for folder in path.parents:
        if folder.owner() == path.owner() and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o011)
        if folder == Path("/tmp"):
            break
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60)
    assert "no permission to read" in done.stdout, done.stderr


@pytest.mark.parametrize("name", [b"two\nlines\x07.mp4", b"\xff\xfe bytes.mp4", b"a:b.mp4", b"100%d.mp4", b"-i.mp4"])
def test_names_that_are_odd(rendered: Render, tmp_path: Path, name: bytes) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)
    with open(path, "wb") as file:
        file.write(video(rendered).read_bytes())
    text = os.fsdecode(path)
    assert media.probe(text).duration == pytest.approx(2.0, abs=0.1)
    with media.VideoReader(text) as reader:
        assert sum(1 for _ in reader.pictures()) == 50
    assert media.read_sound(text, 0, 1).data.std() > 0.05
    silent = os.path.join(os.fsencode(tmp_path), b"no " + name)
    with open(silent, "wb") as file:
        file.write(b"nothing")
    say(lambda: media.probe(os.fsdecode(silent)))


def test_lists_of_other_files_are_refused(rendered: Render, tmp_path: Path) -> None:
    path = video(rendered)
    lists = {
        "l.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{path}\n#EXT-X-ENDLIST\n",
        "l.ffconcat": f"ffconcat version 1.0\nfile '{path.name}'\n",
    }
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
        say(lambda name=name: media.probe(tmp_path / name))  # type: ignore[misc]


def test_a_file_without_its_index(rendered: Render, tmp_path: Path) -> None:
    data = video(rendered).read_bytes()  # the index of this one stands at its end
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: data.index(b"moov") - 4])
    assert all("its beginning or index is missing" in s for s in every_way(cut))


def test_no_pictures_in_the_file_at_all(tmp_path: Path) -> None:
    import av

    path = tmp_path / "none.mp4"
    with av.open(str(path), "w", options={"movflags": "empty_moov"}) as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        out.start_encoding()
    say(lambda: media.probe(path))
    say(lambda: list(media.VideoReader(path).pictures()))


def test_damage_in_the_middle_is_a_warning(rendered: Render, tmp_path: Path) -> None:
    path = rendered("long_damage.mkv", write_video, count=200, options=X264)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3_000] = bytes(3_000)
    hurt = tmp_path / "hurt.mkv"
    hurt.write_bytes(data)
    reads = []
    for _ in range(2):
        with media.VideoReader(hurt) as reader:
            reads.append([(p.time, p.array(None, "grey").tobytes()) for p in reader.pictures()])
            warnings = reader.warnings
    assert reads[0] == reads[1]
    times = [t for t, _ in reads[0]]
    assert len(times) > 120
    assert times[-1] == pytest.approx(7.96)
    assert warnings
    assert all("s" in w and "\n" not in w for w in warnings)


@pytest.mark.parametrize("seed", range(3))
def test_damaged_pictures_are_those_of_one_thread(rendered: Render, tmp_path: Path, seed: int) -> None:
    """FFmpeg's frame threads guess what is damaged differently from run to run; one thread does not."""
    import av

    path = rendered(
        "reproducible.mp4", write_video, count=150, options={"g": "50", "bf": "3"}, size=(640, 360),
        container_options={"movflags": "faststart"},
    )  # fmt: skip
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(seed)
    for place in random.integers(data.index(b"mdat") + 3_000, len(data), 25):
        data[place] ^= 1 << int(random.integers(8))
    hurt = tmp_path / "hurt.mp4"
    hurt.write_bytes(data)
    with media.VideoReader(hurt) as reader:
        read = [p._frame.to_ndarray().tobytes() for p in reader.pictures()]
        assert reader.warnings
    with av.open(str(hurt)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "NONE", 1
        assert read == [f.to_ndarray().tobytes() for f in container.decode(stream)]


def test_damage_in_the_sound_is_silence_and_a_warning(rendered: Render, tmp_path: Path) -> None:
    path = rendered("damage.flac", write_sound, melody(4.0), codec="flac")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 30_000] = bytes(30_000)
    hurt = tmp_path / "hurt.flac"
    hurt.write_bytes(data)
    with SoundReader(hurt) as reader:
        read = reader.read(0, 4).data
    whole = media.read_sound(path, 0, 4).data
    assert np.array_equal(read[:, :16_000], whole[:, :16_000])
    assert not np.array_equal(read, whole)
    assert np.isfinite(read).all()


def wav(channels: int, rate: int) -> bytes:
    """A header that claims 4 GB, and 900 bytes."""
    width = 2 * channels
    form = struct.pack("<IHHIIHH", 16, 1, channels, rate, min(rate * width, 0xFFFFFFFF), width, 16)
    return b"RIFF\xf0\xff\xff\xffWAVEfmt " + form + b"data\x00\xff\xff\xff" + bytes(900)


def bmp(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 3_000_000_000, 0, 0, 54) + header + bytes(900)


def png(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + bytes(4)


HUGE = {
    "channels.wav": wav(60, 96_000), "fast.wav": wav(1, 2_000_000_000), "wide.png": png(60_000, 60_000),
    "wide.bmp": bmp(30_000, 30_000),
}  # fmt: skip


def tolerant(call: Callable[[], object]) -> None:
    """It may succeed or raise a MediaError of one line, nothing else."""
    try:
        call()
    except MediaError as error:
        if "\n" in str(error):
            pytest.fail(f"more than one line: {error}")


@pytest.mark.parametrize("name", HUGE)
def test_small_files_that_claim_gigabytes(tmp_path: Path, name: str) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / name
    path.write_bytes(HUGE[name])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for call in (
        lambda: media.probe(path),
        lambda: list(media.VideoReader(path).pictures()),
        lambda: media.read_sound(path, 0, 1),
    ):
        tolerant(call)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # KiB


def test_a_picture_wider_than_16384_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.bmp"
    path.write_bytes(bmp(20_000, 10))
    assert "20000 x 10" in say(lambda: media.probe(path))


def test_nothing_is_written_to_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str], rendered: Render) -> None:
    data = bytearray(video(rendered).read_bytes())
    data[2_000:2_400] = bytes(400)
    path = tmp_path / "loud.mp4"
    path.write_bytes(data)
    capfd.readouterr()
    with media.VideoReader(path) as reader:
        list(reader.pictures())
    media.read_sound(path, 0, 2)
    out = capfd.readouterr()
    assert (out.out, out.err) == ("", "")


MUTATED: dict[str, tuple[Callable[..., Path], dict[str, object]]] = {
    "m.mp4": (write_video, {"count": 20, "options": X264, "sound": melody(0.8)}),
    "m.mkv": (write_video, {"count": 20, "options": X264, "sound": melody(0.8)}),
    "m.ts": (write_video, {"count": 20, "options": X264, "sound": melody(0.8)}),
    "m.avi": (write_video, {"count": 20, "codec": "mpeg4", "options": {"g": "10", "bf": "2"}}),
    "m.gif": (write_video, {"count": 6, "codec": "gif", "pix_fmt": "rgb8"}),
    "m.flac": (write_sound, {"sound": melody(0.8), "codec": "flac"}),
    "m.mp3": (write_sound, {"sound": melody(0.8), "codec": "libmp3lame"}),
}

Change = st.one_of(
    st.tuples(st.just("flip"), st.floats(0, 1), st.integers(0, 255)),
    st.tuples(st.just("head"), st.floats(0, 1), st.sampled_from([0, 1, 127, 128, 255])),
    st.tuples(st.just("cut"), st.floats(0.01, 1), st.just(0)),
    st.tuples(st.just("zero"), st.floats(0, 1), st.integers(1, 255)),
    st.tuples(st.just("twice"), st.floats(0, 1), st.integers(1, 255)),
)


def mutated(data: bytes, changes: list[tuple[str, float, int]]) -> bytes:
    out = bytearray(data)
    for kind, share, value in changes:
        place = int(share * (len(out) - 1))
        if kind == "flip":
            out[place] = value
        elif kind == "head":
            out[int(share * min(len(out) - 1, 600))] = value
        elif kind == "cut":
            out = out[: place + 1]
        elif kind == "zero":
            out[place : place + 8 * value] = bytes(len(out[place : place + 8 * value]))
        else:
            out[place:place] = out[place : place + 8 * value]
    return bytes(out)


@pytest.mark.parametrize("name", MUTATED)
@pytest.mark.timeout(120)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(Change, min_size=1, max_size=6))
def test_mutated_containers_give_pictures_or_a_media_error(
    rendered: Render, tmp_path_factory: pytest.TempPathFactory, name: str, changes: list[tuple[str, float, int]]
) -> None:
    write, options = MUTATED[name]
    path = tmp_path_factory.getbasetemp() / f"mutated_{name}"
    path.write_bytes(mutated(rendered(name, write, **options).read_bytes(), changes))

    def pictures() -> None:
        with media.VideoReader(path) as reader:
            times = []
            for picture in reader.pictures():
                times.append(picture.time)
                picture.array(32, "grey")
            assert times == sorted(set(times))
            assert all(isinstance(w, str) and "\n" not in w for w in reader.warnings)

    def sound() -> None:
        one, two = (media.read_sound(path, 0, 1).data for _ in range(2))
        assert np.array_equal(one, two)
        assert np.abs(one).max() <= 1

    for call in (lambda: media.probe(path), pictures, sound, lambda: media.measure_duration(path)):
        tolerant(call)
