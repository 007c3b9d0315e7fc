"""Small files in the form in which each dataset is published, written by the tests. Nothing of anybody's data."""

from __future__ import annotations

import io
import json
import tarfile
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np


def tone(path: Path, seconds: float = 0.3, hertz: float = 440.0, rate: int = 8_000, level: float = 0.3) -> Path:
    """A WAV of a tone; level 0 is silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(round(seconds * rate)) / rate
    samples = (level * np.sin(2 * np.pi * hertz * times) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return path


def picture(path: Path, seed: int = 0, size: int = 32) -> Path:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC).save(path)
    return path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def shard(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def array(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


def mosi(folder: Path, part: str = "train") -> None:
    rows = [("a_10", "GOOD FILM", 1), ("a_2", "A JOY", 1), ("b_1", "BAD FILM", 0)]
    write(folder / f"mosi_transcripts_{part}.csv", "".join(f"{k},{t},34,{y}\n" for k, t, y in rows))
    for name, width in {"text": 100, "audio": 73, "video": 100}.items():
        lines = [",".join(f'"{i + j / 100}"' for j in range(width)) + f',"{y}"' for i, (_, _, y) in enumerate(rows)]
        write(folder / f"{name}_{part}0.csv", "\n".join(lines) + "\n")


def meld(folder: Path) -> None:
    head = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
    times = '8,21,"00:16:16,059","00:16:21,731"'
    for part in ("train", "dev"):
        rows = [f'1,"You must’ve, then.",Ross,joy,positive,0,0,{times}', f"2,What?,Monica,anger,negative,0,1,{times}"]
        write(folder / f"{part}_sent_emo.csv", head + "\n".join(rows) + "\n")


def msrvtt(folder: Path) -> None:
    videos = [
        {"video_id": f"video{i}", "category": i, "split": s, "url": f"https://www.youtube.com/watch?v=abc{i // 2}"}
        for i, s in enumerate(("train", "train", "validate", "test"))
    ]
    sentences = [{"video_id": v["video_id"], "caption": f"a thing {i}", "sen_id": i} for v in videos for i in range(2)]
    write(folder / "videodatainfo.json", json.dumps({"videos": videos, "sentences": sentences}))


def webdataset(folder: Path) -> None:
    for number in range(2):
        members = {}
        for key in ("talk/003", "walk_1"):
            members |= {
                f"{key}.wav": tone(folder / "tone.wav", hertz=300 + 100 * number).read_bytes(),
                f"{key}.cls": str(number).encode(),
                f"{key}.txt": b"what a day",
                f"{key}.json": json.dumps({"speaker": number, "path": "elsewhere.wav"}).encode(),
                f"{key}.video.npy": array(np.full((2, 3), number, np.float32)),
            }
        shard(folder / f"train-{number:03d}.tar", members)
    (folder / "tone.wav").unlink()


def dense(folder: Path, name: str) -> None:
    entry = {"duration": 20.0, "timestamps": [[0, 5.5], [12, 6]], "sentences": ["a man runs", " he stops"]}
    write(folder / name, json.dumps({"v_one": entry, "v_two": entry}))


def ucf101(folder: Path) -> None:
    names = [f"Archery/v_Archery_g{g:02d}_c{c:02d}.avi" for g in (1, 8) for c in (1, 2)]
    write(folder / "ucfTrainTestlist" / "trainlist01.txt", "".join(f"{n} 3\n" for n in names[2:]))
    write(folder / "ucfTrainTestlist" / "testlist01.txt", "".join(f"{n}\n" for n in names[:2]))


def hmdb51(folder: Path) -> None:
    for label in ("wave", "brush_hair"):
        rows = [f"film{i}_{label}_u_nm_np1_ba_goo_{i}.avi {i} \n" for i in range(3)]
        write(folder / f"{label}_test_split1.txt", "".join(rows))


def nextqa(folder: Path) -> None:
    head = "video,frame_count,width,height,question,answer,qid,type,a0,a1,a2,a3,a4\n"
    rows = ["1,719,320,240,why is that,2,8,CW,a,b,c,d,e", '1,719,320,240,"how, then",0,9,CH,a,b,c,d,e']
    write(folder / "val.csv", head + "\n".join(rows))


def activitynet_qa(folder: Path) -> None:
    asked = [{"video_name": "x", "question": "is it so", "question_id": f"v_x_{i}"} for i in (1, 2)]
    told = [{"answer": a, "type": 3, "question_id": f"v_x_{i}"} for i, a in ((1, "no"), (2, "yes"))]
    write(folder / "train_q.json", json.dumps(asked))
    write(folder / "train_a.json", json.dumps(told))
    write(folder / "test_q.json", json.dumps([asked[0] | {"question_id": "v_y_1"}]))


def qvhighlights(folder: Path) -> None:
    row = {
        "qid": 7,
        "query": "A girl cooks.",
        "duration": 150,
        "vid": "NUs_G9_210.0_360.0",
        "relevant_windows": [[8, 15]],
    }
    write(folder / "highlight_val_release.jsonl", json.dumps(row) + "\n")
    write(folder / "highlight_test_release.jsonl", json.dumps({**row, "qid": 8, "relevant_windows": None}) + "\n")


def cifar(folder: Path) -> None:
    from cinescope.datasets.cifar import LABELS

    for seed, label in enumerate(LABELS):
        picture(folder / label / "0000.png", seed)


def pictures(folder: Path) -> None:
    for seed, name in enumerate(("cat/1.png", "cat/2.png", "dog/1.png", "dog/10.png", "dog/2.png")):
        picture(folder / name, seed)


def tgif_qa(folder: Path) -> None:
    head = "gif_name\tquestion\tanswer\ttype\tvid_id\tkey\tdescription\n"
    write(folder / "Train_frameqa_question.csv", head + "g1\twhat is it ?\tcat\t0\tFRAMEQA1\t5\ta cat .\n")
    write(folder / "Test_frameqa_question.csv", head + "g2\tis it red ?\tred\t2\tFRAMEQA1\t6\ta red cat .\n")


def msvd(folder: Path) -> None:
    rows = ["# comments come first", "mv89_h4_33_46 A bird bathes.", "mv89_h4_33_46 A bird in a sink.", "abc_1_5 Fish."]
    write(folder / "AllVideoDescriptions.txt", "\n".join(rows))


FILES: dict[str, Callable[[Path], object]] = {
    "activitynet_captions": lambda f: dense(f, "val_1.json"),
    "activitynet_qa": activitynet_qa,
    "charades_sta": lambda f: write(f / "charades_sta_test.txt", "3MSZA 24.3 30.4##person turn a light on.\n"),
    "cifar": cifar,
    "csv_file": lambda f: write(f / "rows.csv", "text,emotion\nwhat a day,joy\noh no,fear\n"),
    "face_folders": lambda f: picture(f / "Ada_Lovelace" / "Ada_Lovelace_0001.jpg"),
    "folders": lambda f: [tone(f / "applause" / "1.wav"), tone(f / "bell" / "1.wav")],
    "fsdd": lambda f: [tone(f / "recordings" / f"{d}_jackson_{i}.wav") for d in (0, 7) for i in (0, 5, 12)],
    "grid": lambda f: tone(f / "s1" / "bbaf2n.wav"),
    "hmdb51": hmdb51,
    "jsonl_file": lambda f: write(f / "rows.jsonl", '{"text": "what a day", "label": "joy"}\n'),
    "kinetics": lambda f: write(f / "val.csv", "label,youtube_id,time_start,time_end,split\nrun,--07W,1,11,val\n"),
    "meld": meld,
    "mosi": mosi,
    "msrvtt": msrvtt,
    "msvd": msvd,
    "nextqa": nextqa,
    "picture_folders": pictures,
    "qvhighlights": qvhighlights,
    "tgif_qa": tgif_qa,
    "ucf101": ucf101,
    "webdataset": webdataset,
    "youcook2": lambda f: dense(f, "yc2_train.json"),
}
