"""What each published form says, on small files that the tests write: splits, targets, groups, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.datasets import dataset_files as files
from tests.datasets.dataset_files import picture, tone, write

from cinescope.datasets import DATASETS
from cinescope.datasets.example import Dataset, Example
from cinescope.datasets.gathering import natural
from cinescope.types import BadQueryError, Span


def read(name: str, folder: Path, **settings: object) -> Dataset:
    made: Dataset = DATASETS.create(name, folder, **settings)
    return made


def refused(name: str, folder: Path, **settings: object) -> str:
    with pytest.raises(BadQueryError) as caught:
        read(name, folder, **settings)
    return caught.value.what


def test_mosi_refuses_rows_of_another_order(tmp_path: Path) -> None:
    files.mosi(tmp_path)
    audio = (tmp_path / "audio_train0.csv").read_text().splitlines()
    (tmp_path / "audio_train0.csv").write_text("\n".join([audio[0], audio[2], audio[1]]))
    assert "'audio_train0.csv', line 2: the label is 0, and 1" in refused("mosi", tmp_path)
    (tmp_path / "audio_train0.csv").write_text("\n".join(audio[:2]))
    assert "2 rows and 'mosi_transcripts_train.csv' 3" in refused("mosi", tmp_path)
    (tmp_path / "audio_train0.csv").write_text("\n".join([*audio[:2], "1,2,3"]))
    assert "line 3: 3 values" in refused("mosi", tmp_path)
    (tmp_path / "audio_train0.csv").unlink()
    assert any("no audio features" in note for note in read("mosi", tmp_path).notes)
    assert "no audio features" in refused("mosi", tmp_path, features=("audio",))
    write(tmp_path / "mosi_transcripts_train.csv", "a_1,WORDS,3,2\n")
    assert "'2' is not a label" in refused("mosi", tmp_path, features=())


def test_mosi_has_a_test_part_and_one_without_labels(tmp_path: Path) -> None:
    files.mosi(tmp_path)
    files.mosi(tmp_path, "test")
    hidden = (tmp_path / "mosi_transcripts_test.csv").read_text().replace(",1\n", "\n").replace(",0\n", "\n")
    (tmp_path / "mosi_transcripts_test.csv").write_text(hidden.replace("a_", "c_").replace("b_", "d_"))
    made = read("mosi", tmp_path, split="test")
    assert [e.targets for e in made.examples] == [{}, {}, {}]
    assert made.examples[0].given["text"].shape == (1, 100)


def test_meld_mends_quotes_and_keeps_parts_apart(tmp_path: Path) -> None:
    files.meld(tmp_path)
    path = tmp_path / "train_sent_emo.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))
    made = read("meld", tmp_path)
    assert made.examples[0].texts["speech"] == "You must’ve, then."
    assert "Windows-1252" in made.notes[0]
    path.write_text(path.read_bytes().decode("latin-1"), encoding="utf-8")  # the same, encoded twice: U+0092
    assert read("meld", tmp_path).examples[0].texts["speech"] == "You must’ve, then."
    for place in ("train_splits", "dev_splits_complete"):
        for name in ("dia0_utt0", "dia0_utt1"):
            write(tmp_path / "clips" / place / f"{name}.mp4", "")
    found = read("meld", tmp_path, media=tmp_path / "clips")
    assert [e.media.parent.name for e in found.examples if e.media] == ["train_splits"] * 2 + [
        "dev_splits_complete"
    ] * 2
    write(path, path.read_text().replace(",joy,", ",bliss,"))
    assert "line 2: 'bliss' is not one of" in refused("meld", tmp_path)


def test_a_split_is_found_by_its_other_names(tmp_path: Path) -> None:
    files.meld(tmp_path)
    made = read("meld", tmp_path)
    there = [e.key for e in made.split("dev").examples]
    assert there
    assert all([e.key for e in made.split(name).examples] == there for name in ("val", "validation", "validate"))
    assert [e.split for e in made.split("training", "val").examples] == [e.split for e in made.examples]
    both = Dataset("both", tuple(Example(s, s) for s in ("val", "dev", "train")), {})
    assert [e.key for e in both.split("val").examples] == ["val"]  # the publisher's own word goes first
    assert [e.key for e in both.split("validation").examples] == ["val", "dev"]
    with pytest.raises(BadQueryError, match="'meld' has no split 'test'"):
        made.split("val", "test")


def test_tgif_qa_has_four_tasks(tmp_path: Path) -> None:
    rows = "gif_name\tquestion\ta1\ta2\ta3\ta4\ta5\tanswer\tvid_id\tkey\ng1\twhat ?\ta\tb\tc\td\te\t4\tACTION1\t3\n"
    write(tmp_path / "Train_action_question.csv", rows)
    one = read("tgif_qa", tmp_path, task="action").examples[0]
    assert (one.targets["answer"], one.candidates) == (4, ("a", "b", "c", "d", "e"))
    write(tmp_path / "Test_count_question.csv", "gif_name\tquestion\tanswer\tvid_id\tkey\ng1\thow often ?\t3\tC1\t3\n")
    counted = read("tgif_qa", tmp_path, task="count")
    assert (counted.examples[0].targets["answer"], counted.targets["answer"].kind) == (3.0, "score")
    write(tmp_path / "Train_action_question.csv", rows.replace("\t4\t", "\t5\t"))
    assert "the answer is 5" in refused("tgif_qa", tmp_path, task="action")
    assert "no task 'dance'" in refused("tgif_qa", tmp_path, task="dance")


def test_msrvtt_full_and_for_retrieval(tmp_path: Path) -> None:
    files.msrvtt(tmp_path)
    full = read("msrvtt", tmp_path)
    assert [e.split for e in full.examples] == ["train", "train", "val", "test"]
    assert full.examples[1].targets == {"captions": ("a thing 0", "a thing 1"), "category": "people"}
    assert [e.group for e in full.examples] == ["abc0", "abc0", "abc1", "abc1"]
    write(tmp_path / "MSRVTT_JSFUSION_test.csv", "key,vid_key,video_id,sentence\nret0,msr1,video1,one caption\n")
    retrieval = read("msrvtt", tmp_path, test="1k")
    assert {e.key: e.split for e in retrieval.examples} == {
        "video0": "train", "video2": "train", "video3": "train", "video1": "test",
    }  # fmt: skip
    assert retrieval.split("test").examples[0].targets == {"captions": ("one caption",)}


def test_youcook_in_its_three_forms(tmp_path: Path) -> None:
    step = {"segment": [90, 102], "id": 0, "sentence": "spread margarine"}
    entry = {"duration": 241.6, "subset": "training", "recipe_type": "113", "annotations": [step]}
    write(tmp_path / "a" / "youcookii_annotations_trainval.json", json.dumps({"database": {"GLd3": entry}}))
    (one,) = read("youcook2", tmp_path / "a").examples
    assert (one.split, one.span, one.targets["caption"]) == ("train", Span(90, 102), ("spread margarine",))
    write(tmp_path / "b" / "validation_youcook.csv", "end,start,task,text,video_id\n60,47,226,pick the ends off,xHr\n")
    (two,) = read("youcook2", tmp_path / "b").examples
    assert (two.split, two.span, two.group) == ("val", Span(47, 60), "xHr")
    hidden = {"v_q": {"sentences": ["None"], "timestamps": [[0, 1]], "duration": 414.3}}
    write(tmp_path / "c" / "yc2_test.json", json.dumps(hidden))
    (three,) = read("youcook2", tmp_path / "c").examples
    assert (three.targets, three.span) == ({}, None)


def test_dense_captions_by_caption_and_by_video(tmp_path: Path) -> None:
    files.dense(tmp_path, "val_1.json")
    made = read("activitynet_captions", tmp_path)
    assert [e.key for e in made.examples] == ["val/v_one/0", "val/v_one/1", "val/v_two/0", "val/v_two/1"]
    assert made.examples[1].span == Span(6, 12)  # published the wrong way round
    assert made.examples[1].targets == {"caption": ("he stops",)}
    whole = read("activitynet_captions", tmp_path, each="video").examples[0]
    assert whole.targets == {"events": (Span(0, 5.5), Span(6, 12)), "paragraph": ("a man runs he stops",)}
    write(tmp_path / "val_1.json", '{"v_one": {"duration": 3, "timestamps": [[0, 1]], "sentences": []}}')
    assert "not as many timestamps as sentences" in refused("activitynet_captions", tmp_path)
    write(tmp_path / "val_1.json", '{"v_one": ')
    assert "not JSON" in refused("activitynet_captions", tmp_path)


def test_actions_and_their_folds(tmp_path: Path) -> None:
    files.ucf101(tmp_path / "u")
    ucf = read("ucf101", tmp_path / "u")
    assert [(e.split, e.group) for e in ucf.examples] == [("train", "Archery_g08")] * 2 + [("test", "Archery_g01")] * 2
    for name in ("v_Archery_g01_c01", "v_Archery_g08_c02"):
        write(tmp_path / "u" / "UCF-101" / "Archery" / f"{name}.avi", "")
    beside = read("ucf101", tmp_path / "u")
    assert sorted(e.key for e in beside.examples) == ["v_Archery_g01_c01", "v_Archery_g08_c02"]
    assert len(beside.missing) == 2
    unsplit = read("ucf101", tmp_path / "u" / "UCF-101")
    assert {e.split for e in unsplit.examples} == {""}
    assert "folds 1, 2 and 3" in refused("ucf101", tmp_path / "u", fold=4)
    files.hmdb51(tmp_path / "h")
    hmdb = read("hmdb51", tmp_path / "h")
    assert {e.split: e.key for e in hmdb.examples if "wave" in e.key} == {
        "neither": "wave/film0_wave_u_nm_np1_ba_goo_0",
        "train": "wave/film1_wave_u_nm_np1_ba_goo_1",
        "test": "wave/film2_wave_u_nm_np1_ba_goo_2",
    }
    assert hmdb.examples[0].group == "film0"


def test_kinetics_knows_whole_videos_from_cut_ones(tmp_path: Path) -> None:
    head = "label,youtube_id,time_start,time_end,split\n"
    write(tmp_path / "val.csv", head + "run,--07W,1,11,val\njump,x_y,20,30,val\nhop,gone,1,2,val\n")
    write(tmp_path / "m" / "run" / "--07W_000001_000011.mp4", "")
    write(tmp_path / "m" / "x_y.mkv", "")
    cut, whole = read("kinetics", tmp_path, media=tmp_path / "m").examples
    assert (cut.span, whole.span) == (None, Span(20, 30))
    write(tmp_path / "val.csv", head.replace("label,", "") + "--07W,1,11,val\n")
    assert read("kinetics", tmp_path).examples[0].targets == {}


def test_msvd_by_its_lists(tmp_path: Path) -> None:
    files.msvd(tmp_path)
    made = read("msvd", tmp_path)
    assert made.examples[0].targets["captions"] == ("A bird bathes.", "A bird in a sink.")
    assert (made.examples[0].group, made.examples[0].split) == ("mv89_h4", "")
    write(tmp_path / "train_list.txt", "mv89_h4_33_46\n")
    assert [e.split for e in read("msvd", tmp_path).examples] == ["train"]
    write(tmp_path / "test_list.txt", "nobody_1_2\n")
    assert "'nobody_1_2', which has no captions" in refused("msvd", tmp_path)
    head = "VideoID,Start,End,WorkerID,Source,AnnotationTime,Language,Description\n"
    rows = 'a,1,5,9,clean,5,English,"Fish, swimming."\na,1,5,9,clean,5,German,Fische.\n'
    write(tmp_path / "c" / "MSR Video Description Corpus.csv", head + rows)
    assert read("msvd", tmp_path / "c").examples[0].targets["captions"] == ("Fish, swimming.",)
    assert read("msvd", tmp_path / "c", language="German").examples[0].targets["captions"] == ("Fische.",)


def test_questions_without_their_answers(tmp_path: Path) -> None:
    files.activitynet_qa(tmp_path)
    made = read("activitynet_qa", tmp_path)
    assert [e.targets for e in made.examples] == [{"answer": ("no",)}, {"answer": ("yes",)}, {}]
    assert any("the answers of the part 'test' are not there" in n for n in made.notes)
    write(tmp_path / "train_a.json", json.dumps([{"answer": "no", "type": 3, "question_id": "v_x_1"}]))
    assert "no answer to 'v_x_2'" in refused("activitynet_qa", tmp_path)


def test_folders_split_group_and_say(tmp_path: Path) -> None:
    for name in ("train/bell/hall/2.wav", "train/bell/hall/10.wav", "test/horn/1.wav"):
        tone(tmp_path / "a" / name)
    write(tmp_path / "a" / "test" / "horn" / "1.txt", "what a horn\n")
    tone(tmp_path / "a" / ".hidden" / "1.wav")
    made = read("folders", tmp_path / "a", target="sound")
    assert [e.key for e in made.examples] == ["test/horn/1.wav", "train/bell/hall/2.wav", "train/bell/hall/10.wav"]
    assert [e.group for e in made.examples] == ["", "hall", "hall"]
    assert made.examples[0].texts == {"speech": "what a horn"}
    assert made.examples[0].targets == {"sound": "horn"}
    tone(tmp_path / "a" / "loose.wav")
    assert any("1 files lie in no folder" in n for n in read("folders", tmp_path / "a").notes)
    assert "hold must be" in refused("folders", tmp_path / "a", hold=1)


def test_pictures_of_a_tar_are_those_of_the_folder(tmp_path: Path) -> None:
    import tarfile

    files.pictures(tmp_path / "p")
    with tarfile.open(tmp_path / "p.tar", "w") as tar:
        tar.add(tmp_path / "p", ".")
    folder, packed = (
        read("picture_folders", tmp_path / "p", hold=2),
        read("picture_folders", tmp_path / "p.tar", hold=2),
    )
    assert [(e.key, e.split) for e in folder.examples] == [(e.key, e.split) for e in packed.examples]
    assert [e.key for e in folder.examples if e.split == "test"] == ["cat/2.png", "dog/2.png"]
    from cinescope.media import read_picture

    for a, b in zip(folder.examples, packed.examples, strict=True):
        assert a.media is not None
        assert b.clip is not None
        frames = b.clip().frames
        assert frames is not None
        assert (read_picture(a.media) == frames.data[0]).all()
    data = (tmp_path / "p.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(data[: len(data) // 2])
    assert "that can be read to its end" in refused("picture_folders", tmp_path / "cut.tar")


def test_ten_classes_and_no_other(tmp_path: Path) -> None:
    files.cifar(tmp_path)
    assert len(read("cifar", tmp_path)) == 10
    picture(tmp_path / "lorry" / "1.png")
    assert "'lorry' is no class of it" in refused("cifar", tmp_path)


def test_people_with_few_portraits_are_left_out(tmp_path: Path) -> None:
    for i in range(3):
        picture(tmp_path / "Ada" / f"{i}.jpg", i)
    picture(tmp_path / "Bob" / "1.jpg", 9)
    made = read("face_folders", tmp_path, least=2)
    assert {e.group for e in made.examples} == {"Ada"}
    assert made.targets["person"].labels == ("Ada",)
    assert "1 people with fewer" in made.notes[0]


def test_real_portraits_in_folders(data: Path, tmp_path: Path) -> None:
    import shutil

    for name in ("obama.jpg", "obama2.jpg", "biden.jpg"):
        person = Path(name).stem.rstrip("2")
        (tmp_path / person).mkdir(exist_ok=True)
        shutil.copy(data / "faces" / name, tmp_path / person / name)
    made = read("face_folders", tmp_path)
    assert [(e.targets["person"], e.media.name) for e in made.examples if e.media] == [
        ("biden", "biden.jpg"), ("obama", "obama.jpg"), ("obama", "obama2.jpg"),
    ]  # fmt: skip


def test_numbers_in_names_are_numbers() -> None:
    assert sorted(["c10", "c2", "c1b", "c1a", "d", "c"], key=natural) == ["c", "c1a", "c1b", "c2", "c10", "d"]
